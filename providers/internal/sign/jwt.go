package sign

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"

	"github.com/strikeout/strikeout/providers/internal/wire"
)

// JWT256 returns the claims of a JSON Web Token (RFC 7519, compact form) that
// one of the secrets signed with HS256, undecoded. Every other algorithm is
// refused, "none" included, and so are critical extensions, which we would not
// understand. Times in the claims are the caller's affair.
func JWT256(secrets [][]byte, token []byte) (claims []byte, ok bool) {
	return jwt(secrets, token, hs256)
}

// JWTHMAC is JWT256 for HS256, HS384 and HS512.
func JWTHMAC(secrets [][]byte, token []byte) (claims []byte, ok bool) {
	return jwt(secrets, token, hmacs)
}

var (
	hs256 = map[string]func() hash.Hash{"HS256": sha256.New}
	hmacs = map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}
)

func jwt(secrets [][]byte, token []byte, algorithms map[string]func() hash.Hash) (claims []byte, ok bool) {
	token = bytes.TrimSpace(token)
	last := bytes.LastIndexByte(token, '.')
	if last < 0 {
		return nil, false
	}
	head, payload, two := bytes.Cut(token[:last], []byte{'.'})
	if !two || bytes.IndexByte(payload, '.') >= 0 {
		return nil, false
	}
	var h struct {
		Alg  string   `json:"alg"`
		Crit wire.Raw `json:"crit"`
	}
	b, err := base64url(head)
	if err != nil || wire.Decode(b, &h) != nil || len(h.Crit) > 0 {
		return nil, false
	}
	newHash := algorithms[h.Alg]
	mac, err := base64url(token[last+1:])
	if err != nil || newHash == nil || !HMAC(newHash, secrets, mac, token[:last]) {
		return nil, false
	}
	claims, err = base64url(payload)
	return claims, err == nil
}

// JWTClaims returns the claims of a token without checking it, for a token that
// was checked before. It returns nil for what is no token.
func JWTClaims(token []byte) []byte {
	_, rest, _ := bytes.Cut(bytes.TrimSpace(token), []byte{'.'})
	payload, _, ok := bytes.Cut(rest, []byte{'.'})
	claims, err := base64url(payload)
	if !ok || err != nil {
		return nil
	}
	return claims
}

// NewJWT256 signs claims, for simulators.
func NewJWT256(secret, claims []byte) string {
	e := base64.RawURLEncoding
	signed := e.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + e.EncodeToString(claims)
	return signed + "." + e.EncodeToString(Sum(sha256.New, secret, []byte(signed)))
}

// base64url decodes strictly: one token has one spelling.
func base64url(b []byte) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(string(b))
}
