package tokens

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

var errAlg = errors.New("the algorithm must be HS256 or EdDSA")

// check refuses keys that protect nothing: golang-jwt itself signs and
// verifies with an empty secret.
func (k Key) check() error {
	if !k.State.Valid() {
		return errors.New("the state must be active, verify, confirm or revoked")
	}
	switch k.Alg {
	case HS256:
		if len(k.Public) > 0 || len(k.Private) > 0 {
			return errors.New("an HS256 key has a secret only")
		}
		if err := checkSecret(k.Secret); err != nil {
			return err
		}
	case EdDSA:
		if err := k.checkEdDSA(); err != nil {
			return err
		}
	default:
		return errAlg
	}
	if k.State == Active && !k.CanSign() {
		return errors.New("an active key must be able to sign: the private key is missing")
	}
	return nil
}

func (k Key) checkEdDSA() error {
	switch {
	case len(k.Secret) > 0:
		return errors.New("an EdDSA key has no secret, but a public and perhaps a private key")
	case len(k.Public) != ed25519.PublicKeySize:
		return errors.New("the public key is missing or not 32 bytes")
	case !looksRandom(k.Public):
		return errors.New("the public key is a constant")
	case len(k.Private) == 0:
		return nil
	case len(k.Private) != ed25519.PrivateKeySize:
		return errors.New("the private key is not an Ed25519 key")
	case !bytes.Equal(ed25519.NewKeyFromSeed(k.Private.Seed()), k.Private), !bytes.Equal(k.Private[ed25519.SeedSize:], k.Public):
		return errors.New("the private and the public key do not belong together")
	}
	return checkSecret(k.Private.Seed())
}

// published are the SHA-256 sums of secrets that stand in documentation:
// everybody could sign with them.
var published = map[string]bool{
	"630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd": true, // 00 01 02 ... 1f
	"1e93684a857c65859e4cdd308d70007ef5ff585b7236d164ba9de534050797dd": true, // testdata/vectors.json
	"f5e0a87073a9cd826e7df86a8f48743284ddbcb54e7adfccd4e6a87cbe552ed7": true,
	"38d6a5c720eb9fb636dcd03b6f42dce909ceeca2db00d5693425639f2291bb95": true, // the address key of the vectors
}

var errPublished = errors.New("the secret is an example from a documentation")

func (k Key) isPublished() bool {
	secret := k.Secret
	if len(k.Private) == ed25519.PrivateKeySize {
		secret = k.Private.Seed()
	}
	return isPublished(secret)
}

func isPublished(secret []byte) bool {
	sum := sha256.Sum256(secret)
	return published[hex.EncodeToString(sum[:])]
}

// words betray a secret that somebody typed.
var words = []string{"example", "secret", "password", "changeme", "change-me", "change_me", "strikeout", "12345678", "abcdefgh", "qwerty"}

func checkSecret(secret []byte) error {
	switch {
	case len(secret) == 0:
		return errors.New("the secret is empty")
	case len(secret) < MinSecretBytes:
		return errors.New("the secret is shorter than 32 bytes")
	case !looksRandom(secret):
		return errors.New("the secret is not random: it repeats too few bytes")
	}
	low := strings.ToLower(string(secret))
	for _, w := range words {
		if strings.Contains(low, w) {
			return errors.New("the secret is text that somebody typed; make one with `openssl rand -base64 32`")
		}
	}
	return nil
}

// looksRandom is false for constants and short patterns: 32 random bytes hold
// fewer than 16 different ones once in 10^15 keys or more.
func looksRandom(b []byte) bool {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n >= 16
}
