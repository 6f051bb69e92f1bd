package recipient

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"sync"
)

// Key names an address in tables and tokens without showing it: the first 16
// bytes of HMAC-SHA256(address key, channel + ":" + normal form).
type Key [16]byte

// String returns the 22 characters of unpadded base64url that tokens carry as "sub".
func (k Key) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// Hex returns the 32 digits that exports, the feed and the audit log carry.
func (k Key) Hex() string { return hex.EncodeToString(k[:]) }

// IsZero reports whether k is no key.
func (k Key) IsZero() bool { return k == Key{} }

// Compare orders keys as the databases do, byte by byte.
func (k Key) Compare(o Key) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(k[:8]), binary.BigEndian.Uint64(o[:8])); c != 0 {
		return c
	}
	return cmp.Compare(binary.BigEndian.Uint64(k[8:]), binary.BigEndian.Uint64(o[8:]))
}

// MarshalText writes the form of String.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the form of String.
func (k *Key) UnmarshalText(b []byte) error {
	p, err := ParseKey(string(b))
	if err == nil {
		*k = p
	}
	return err
}

// ErrKey is returned for text that is not a Key.
var ErrKey = errors.New("not a recipient key: expected 22 characters of base64url")

// ParseKey reads the form of Key.String. It refuses padding, line breaks and
// spare bits, so that every key has exactly one spelling.
func ParseKey(s string) (Key, error) {
	var k Key
	if len(s) != 22 {
		return k, ErrKey
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(k) {
		return k, ErrKey
	}
	copy(k[:], b)
	return k, nil
}

// AddressKeyBytes is the least length of an address key.
const AddressKeyBytes = 32

// ErrAddressKey is returned for an address key that is too short or a constant.
var ErrAddressKey = errors.New("the address key must be 32 random bytes or more")

// Keyer derives Keys with the address key of an installation. It is safe for
// concurrent use.
type Keyer struct {
	secret []byte
	macs   sync.Pool
}

// NewKeyer refuses keys that are shorter than 32 bytes or hold fewer than
// eight different bytes: those are typing exercises, not secrets.
func NewKeyer(addressKey []byte) (*Keyer, error) {
	seen := map[byte]bool{}
	for _, b := range addressKey {
		seen[b] = true
	}
	if len(addressKey) < AddressKeyBytes || len(seen) < 8 {
		return nil, ErrAddressKey
	}
	k := &Keyer{secret: append([]byte(nil), addressKey...)}
	k.macs.New = func() any { return &keyMAC{Hash: hmac.New(sha256.New, k.secret)} }
	return k, nil
}

// keyMAC is what one key needs, kept so that nothing is allocated.
type keyMAC struct {
	hash.Hash
	text []byte
	sum  [sha256.Size]byte
}

// Key returns the key of an address; the zero Key for the zero Address.
func (k *Keyer) Key(a Address) Key {
	if a.IsZero() {
		return Key{}
	}
	return k.sum(string(a.channel), ":", a.value)
}

func (k *Keyer) sum(parts ...string) (key Key) {
	m := k.macs.Get().(*keyMAC)
	m.text = m.text[:0]
	for _, p := range parts {
		m.text = append(m.text, p...)
	}
	m.Reset()
	m.Write(m.text) //nolint:errcheck // a hash never fails
	copy(key[:], m.Sum(m.sum[:0]))
	k.macs.Put(m)
	return key
}

// Check returns HMAC(address key, "check") cut to 16 bytes: a database keeps
// it and refuses to be opened with another key.
func (k *Keyer) Check() []byte {
	c := k.sum("check")
	return c[:]
}

// SameCheck compares two results of Check in constant time.
func SameCheck(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// Fingerprint names one event: two deliveries of it have the same.
type Fingerprint [16]byte

// NewFingerprint hashes the length-prefixed parts (endpoint, id parts, key,
// kind) with SHA-256 and keeps 16 bytes.
func NewFingerprint(endpoint string, idParts []string, key Key, kind Kind) (f Fingerprint) {
	h := sha256.New()
	write := func(s string) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(s))) //nolint:gosec // parts are far below 4 GiB
		h.Write(n[:])                                    //nolint:errcheck // a hash never fails
		h.Write([]byte(s))                               //nolint:errcheck // a hash never fails
	}
	write(endpoint)
	for _, p := range idParts {
		write(p)
	}
	write(string(key[:]))
	write(string(kind))
	copy(f[:], h.Sum(nil))
	return f
}
