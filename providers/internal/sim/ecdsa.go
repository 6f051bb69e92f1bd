package sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"

	"github.com/strikeout/strikeout/providers"
)

// ECDSA makes settings with a fresh P-256 key: "public_key" in bare base64 and,
// for the simulator, "private_key".
func ECDSA(random io.Reader) (providers.Settings, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
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
	return providers.Set("public_key", base64.StdEncoding.EncodeToString(public), providers.PrivateKeySetting, block("PRIVATE KEY", private)), nil
}

// SignECDSA signs the SHA-256 of data, in ASN.1, with the settings' private key.
func SignECDSA(s providers.Settings, data []byte) ([]byte, error) {
	b, _ := pem.Decode([]byte(s.Get(providers.PrivateKeySetting, "")))
	if b == nil {
		return nil, ErrNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, ErrNoKey
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, ErrNoKey
	}
	digest := sha256.Sum256(data)
	return ecdsa.SignASN1(rand.Reader, key, digest[:])
}
