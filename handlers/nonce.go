package handlers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// nonceAge is how long the form of a confirmation page can be sent.
const nonceAge = 10 * time.Minute

// nonces prove that whoever posts a form has just seen its page. They are
// bound to the link and signed with a key derived from the address key, so
// that all replicas agree and none has to remember.
type nonces struct {
	key []byte
	now func() time.Time
}

func newNonces(k *recipient.Keyer, now func() time.Time) nonces {
	// The name is no channel, so these can never be the keys of an address.
	a := k.Key(recipient.Stored("confirmation form", "1"))
	b := k.Key(recipient.Stored("confirmation form", "2"))
	return nonces{key: append(a[:], b[:]...), now: now}
}

func (n nonces) issue(link string) string {
	return n.sign(link, n.now().Add(nonceAge).Unix())
}

func (n nonces) sign(link string, expires int64) string {
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], uint64(expires)) //nolint:gosec // a time of this era
	m := hmac.New(sha256.New, n.key)
	m.Write(head[:])      //nolint:errcheck // a hash never fails
	m.Write([]byte(link)) //nolint:errcheck // a hash never fails
	return base64.RawURLEncoding.EncodeToString(append(head[:], m.Sum(nil)[:16]...))
}

func (n nonces) valid(link, nonce string) bool {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 24 {
		return false
	}
	expires := int64(binary.BigEndian.Uint64(b)) //nolint:gosec // checked by the signature
	return hmac.Equal([]byte(n.sign(link, expires)), []byte(nonce)) && n.now().Unix() < expires
}
