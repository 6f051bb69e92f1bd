package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"

	"github.com/strikeout/strikeout/providers"
)

// RSA makes settings with a fresh RSA key: "public_key" and, for the
// simulator, "private_key".
func RSA(random io.Reader) (providers.Settings, error) {
	key, err := rsa.GenerateKey(random, 2048)
	if err != nil {
		return providers.Settings{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return providers.Settings{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return providers.Settings{}, err
	}
	return providers.Set("public_key", block("PUBLIC KEY", public), providers.PrivateKeySetting, block("PRIVATE KEY", private)), nil
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// ErrNoKey is returned where the settings hold no private key to sign with.
var ErrNoKey = errors.New("simulating this provider needs private_key, a PEM private key")

// RSAKey returns the settings' private key.
func RSAKey(s providers.Settings) (*rsa.PrivateKey, error) {
	b, _ := pem.Decode([]byte(s.Get(providers.PrivateKeySetting, "")))
	if b == nil {
		return nil, ErrNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, ErrNoKey
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, ErrNoKey
	}
	return key, nil
}

// SignRSA signs data as PKCS #1 v1.5 with the settings' private key.
func SignRSA(s providers.Settings, h crypto.Hash, data []byte) ([]byte, error) {
	key, err := RSAKey(s)
	if err != nil {
		return nil, err
	}
	d := h.New()
	d.Write(data) //nolint:errcheck // a hash never fails
	return rsa.SignPKCS1v15(rand.Reader, key, h, d.Sum(nil))
}
