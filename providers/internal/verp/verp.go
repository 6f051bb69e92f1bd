// Package verp makes and checks return paths ("variable envelope return path")
// that name the recipient of a mail and prove that the mail was ours. Bounces
// come back to them, and anybody can write a bounce.
package verp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"strings"

	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/recipient"
)

// Verp holds the secrets. A return path of ours is
//
//	bounce+nobody=example.com-3f7w2q6m5ka4d2xo@bounces.example.net
//
// Between the plus and the last hyphen stands the id, after it the proof: the
// first 16 characters of the lower-case base32 of HMAC-SHA256(secret, id). The
// id is the recipient's address with "=" for "@". Where that is too long for a
// local part, or not plain ASCII, the id is "h" and 16 characters of the base32
// of HMAC-SHA256(secret, "address:" + address). Both survive hosts that change
// the case of letters.
type Verp struct{ secrets [][]byte }

// New takes the values of the setting verp_secret. The first one mints, every
// one of them proves.
func New(secrets ...string) Verp {
	v := Verp{}
	for _, s := range secrets {
		if s != "" {
			v.secrets = append(v.secrets, []byte(s))
		}
	}
	return v
}

// Active reports whether there is a secret.
func (v Verp) Active() bool { return len(v.secrets) > 0 }

// Setting is the name of the setting that holds the secrets.
const Setting = "verp_secret"

// Errors of Mint.
var (
	ErrNoSecret = errors.New("verp_secret is not set")
	ErrMailbox  = errors.New("the mailbox for bounces must be name@domain with a short name without +")
)

const (
	macChars    = 16
	minMACChars = 10 // what is left when a host cuts a long local part
	maxLocal    = 64 // RFC 5321
)

// IDHeader is a header field that may carry "id-proof" in the mail itself. It
// comes back with the returned original where the return path does not.
const IDHeader = "X-Strikeout-Id"

// Mint returns the return path for a mail to one e-mail address. Mailbox is
// where bounces are collected: "bounce@bounces.example.net". The errors are
// ErrNoSecret, ErrMailbox, and recipient.ErrChannel for a phone number.
func (v Verp) Mint(mailbox string, to recipient.Address) (string, error) {
	at := strings.LastIndexByte(mailbox, '@')
	if at < 1 || at == len(mailbox)-1 || strings.ContainsAny(mailbox, "+ <>\"") {
		return "", ErrMailbox
	}
	token, err := v.token(to, maxLocal-at-1)
	if err != nil {
		return "", err
	}
	return mailbox[:at] + "+" + token + mailbox[at:], nil
}

// Token returns the value of IDHeader for a mail to one e-mail address. The
// errors are those of Mint.
func (v Verp) Token(to recipient.Address) (string, error) { return v.token(to, maxLocal) }

func (v Verp) token(to recipient.Address, room int) (string, error) {
	switch {
	case !v.Active():
		return "", ErrNoSecret
	case to.Channel() != recipient.Email:
		return "", recipient.ErrChannel
	case room < 1+2*macChars+1:
		return "", ErrMailbox
	}
	id := spell(to.Value())
	if len(id)+1+macChars > room || !plainID(id) {
		id = digest(v.secrets[0], to.Value())
	}
	return id + "-" + mac(v.secrets[0], id), nil
}

// Proves reports whether a return path (or an id header) was minted for that
// address.
func (v Verp) Proves(path string, to recipient.Address) bool {
	id, got, ok := split(path)
	if !ok {
		return false
	}
	match := false
	for _, s := range v.secrets {
		want := mac(s, id)
		fits := subtle.ConstantTimeCompare([]byte(want[:len(got)]), []byte(got)) == 1
		names := id == spell(to.Value()) || subtle.ConstantTimeCompare([]byte(id), []byte(digest(s, to.Value()))) == 1
		match = match || fits && names
	}
	return match
}

// Open returns the address that a return path spells out; ok is false where it
// spells none. With a secret it must prove itself, without one every
// "name+user=example.com@domain" will do.
func (v Verp) Open(path string) (to recipient.Address, ok bool) {
	if v.Active() {
		id, _, ok := split(path)
		if !ok {
			return recipient.Address{}, false
		}
		to, ok = unspell(id)
		return to, ok && v.Proves(path, to)
	}
	local, ok := localPart(path)
	if !ok {
		return recipient.Address{}, false
	}
	if id, _, ok := split(path); ok {
		if to, ok := unspell(id); ok {
			return to, true
		}
	}
	return unspell(local)
}

// split takes the id and the proof out of a return path or an id header.
func split(path string) (id, proof string, ok bool) {
	token := strings.ToLower(path)
	if strings.Contains(token, "@") {
		if token, ok = localPart(token); !ok {
			return "", "", false
		}
	}
	i := strings.LastIndexByte(token, '-')
	if i < 1 {
		return "", "", false
	}
	id, proof = token[:i], token[i+1:]
	return id, proof, len(proof) >= minMACChars && len(proof) <= macChars && strings.Trim(proof, alphabet) == ""
}

// localPart returns what stands between the first plus and the domain.
func localPart(path string) (string, bool) {
	at := strings.LastIndexByte(path, '@')
	if at < 0 {
		return "", false
	}
	_, id, ok := strings.Cut(path[:at], "+")
	return id, ok && id != ""
}

func spell(address string) string {
	at := strings.LastIndexByte(address, '@')
	return address[:max(at, 0)] + "=" + address[at+1:]
}

// unspell takes the rightmost "=" for "@", as a domain has none.
func unspell(id string) (recipient.Address, bool) {
	i := strings.LastIndexByte(id, '=')
	if i < 1 {
		return recipient.Address{}, false
	}
	a, err := recipient.ParseEmail(id[:i] + "@" + id[i+1:])
	return a, err == nil
}

// plainID reports whether an id can stand in a local part without quotes.
func plainID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", rune(c)) {
			return false
		}
	}
	return !strings.Contains(id, "..")
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

var base32Lower = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

func mac(secret []byte, id string) string {
	return base32Lower.EncodeToString(sign.Sum(sha256.New, secret, []byte(id)))[:macChars]
}

func digest(secret []byte, address string) string {
	return "h" + mac(secret, "address:"+address)
}
