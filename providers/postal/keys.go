package postal

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

var errKey = errors.New("no RSA public key")

// publicKeys reads PEM, base64, a DKIM record with p=, a JWK or a JWK set.
func publicKeys(text string) ([]crypto.PublicKey, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		return jwks([]byte(text))
	}
	for tag := range strings.SplitSeq(text, ";") {
		if p, ok := strings.CutPrefix(strings.TrimSpace(tag), "p="); ok {
			text = p
		}
	}
	key, err := sign.PublicKey(text)
	if err != nil {
		return nil, err
	}
	if _, ok := key.(*rsa.PublicKey); !ok {
		return nil, errKey
	}
	return []crypto.PublicKey{key}, nil
}

// jwk is a key of RFC 7517 and RFC 7518, section 6.3.
type jwk struct {
	Kty wire.Text `json:"kty"`
	N   wire.Text `json:"n"`
	E   wire.Text `json:"e"`
}

func jwks(text []byte) ([]crypto.PublicKey, error) {
	var set struct {
		Keys []jwk `json:"keys"`
		jwk
	}
	if err := wire.Decode(text, &set); err != nil {
		return nil, errKey
	}
	if set.N != "" {
		set.Keys = append(set.Keys, set.jwk)
	}
	var keys []crypto.PublicKey
	for _, k := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(k.N.String())
		if err != nil || k.Kty != "RSA" {
			continue
		}
		e, err := base64.RawURLEncoding.DecodeString(k.E.String())
		if err != nil || len(e) == 0 || len(e) > 4 || len(n) < 128 {
			continue
		}
		keys = append(keys, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())})
	}
	if len(keys) == 0 {
		return nil, errKey
	}
	return keys, nil
}
