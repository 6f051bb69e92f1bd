// Package sign checks the signatures of webhooks. Every function compares in
// constant time, checks lengths, and accepts any of several secrets so that
// they can be rotated. No secret means no match.
package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // several providers sign with HMAC-SHA1, which is not broken
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"hash"
	"strings"
)

// HexHMAC256 reports whether got is the hex HMAC-SHA256 of the parts, one
// after the other, under any of the secrets.
func HexHMAC256(secrets [][]byte, got string, parts ...[]byte) bool {
	mac, err := hex.DecodeString(got)
	return err == nil && HMAC(sha256.New, secrets, mac, parts...)
}

// Base64HMAC256 is HexHMAC256 for standard base64.
func Base64HMAC256(secrets [][]byte, got string, parts ...[]byte) bool {
	mac, err := base64.StdEncoding.DecodeString(got)
	return err == nil && HMAC(sha256.New, secrets, mac, parts...)
}

// Base64HMAC1 is Base64HMAC256 with SHA-1.
func Base64HMAC1(secrets [][]byte, got string, parts ...[]byte) bool {
	mac, err := base64.StdEncoding.DecodeString(got)
	return err == nil && HMAC(sha1.New, secrets, mac, parts...)
}

// HMAC reports whether mac is the whole HMAC of the parts under any of the secrets.
func HMAC(h func() hash.Hash, secrets [][]byte, mac []byte, parts ...[]byte) bool {
	match := false
	for _, s := range secrets {
		if len(s) > 0 && hmac.Equal(mac, Sum(h, s, parts...)) {
			match = true
		}
	}
	return match
}

// Sum returns the HMAC of the parts.
func Sum(h func() hash.Hash, secret []byte, parts ...[]byte) []byte {
	m := hmac.New(h, secret)
	for _, p := range parts {
		m.Write(p) //nolint:errcheck // a hash never fails
	}
	return m.Sum(nil)
}

// Token reports whether got equals one of the secrets.
func Token(secrets [][]byte, got string) bool {
	sum, match := sha256.Sum256([]byte(got)), 0
	for _, s := range secrets {
		want := sha256.Sum256(s)
		if len(s) > 0 {
			match |= subtle.ConstantTimeCompare(want[:], sum[:])
		}
	}
	return match == 1
}

// ErrPublicKey is returned for text that holds no public key.
var ErrPublicKey = errors.New("not a public key: expected PEM or base64 of a SubjectPublicKeyInfo")

// PublicKey reads a public key as providers show it: PEM (also with \n written
// out), a certificate, or bare base64 DER. 32 bare bytes are an Ed25519 key.
func PublicKey(text string) (crypto.PublicKey, error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), `\n`, "\n")
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, ErrPublicKey
			}
			return cert.PublicKey, nil
		}
		if block.Type == "RSA PUBLIC KEY" {
			key, err := x509.ParsePKCS1PublicKey(block.Bytes)
			if err != nil {
				return nil, ErrPublicKey
			}
			return key, nil
		}
		der = block.Bytes
	} else {
		bare := strings.Join(strings.Fields(text), "")
		b, err := hex.DecodeString(bare) // first: hex digits are base64 too
		if err != nil || len(b) != ed25519.PublicKeySize {
			if b, err = base64.StdEncoding.DecodeString(bare); err != nil {
				return nil, ErrPublicKey
			}
		}
		der = b
	}
	if len(der) == ed25519.PublicKeySize {
		return ed25519.PublicKey(der), nil
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, ErrPublicKey
	}
	return key, nil
}

// PublicKeys reads several.
func PublicKeys(texts []string) ([]crypto.PublicKey, error) {
	keys := make([]crypto.PublicKey, 0, len(texts))
	for _, t := range texts {
		k, err := PublicKey(t)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// PublicKeyMatch reports whether signature is one over the message parts by
// any of the keys: ECDSA (ASN.1) and RSA PKCS #1 v1.5 over h, Ed25519 over the
// message itself.
func PublicKeyMatch(keys []crypto.PublicKey, h crypto.Hash, signature []byte, parts ...[]byte) bool {
	if len(signature) == 0 || len(keys) == 0 {
		return false
	}
	d := h.New()
	for _, p := range parts {
		d.Write(p) //nolint:errcheck // a hash never fails
	}
	digest := d.Sum(nil)
	for _, key := range keys {
		switch k := key.(type) {
		case *ecdsa.PublicKey:
			if ecdsa.VerifyASN1(k, digest, signature) {
				return true
			}
		case *rsa.PublicKey:
			if rsa.VerifyPKCS1v15(k, h, digest, signature) == nil {
				return true
			}
		case ed25519.PublicKey:
			var msg []byte
			for _, p := range parts {
				msg = append(msg, p...)
			}
			if len(signature) == ed25519.SignatureSize && ed25519.Verify(k, msg, signature) {
				return true
			}
		}
	}
	return false
}
