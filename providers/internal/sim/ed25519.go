package sim

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"

	"github.com/strikeout/strikeout/providers"
)

// Ed25519 makes settings with a fresh Ed25519 key: "public_key" as the base64
// of its 32 bytes and, for the simulator, "private_key".
func Ed25519(random io.Reader) (providers.Settings, error) {
	public, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return providers.Settings{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return providers.Settings{}, err
	}
	return providers.Set("public_key", base64.StdEncoding.EncodeToString(public), providers.PrivateKeySetting, block("PRIVATE KEY", private)), nil
}

// SignEd25519 signs data with the settings' private key.
func SignEd25519(s providers.Settings, data []byte) ([]byte, error) {
	b, _ := pem.Decode([]byte(s.Get(providers.PrivateKeySetting, "")))
	if b == nil {
		return nil, ErrNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, ErrNoKey
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, ErrNoKey
	}
	return ed25519.Sign(key, data), nil
}
