package tokens

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"github.com/strikeout/strikeout/recipient"
)

// Verified is a token that may be acted on, within its State.
type Verified struct {
	Claims
	KeyID string
	// State is Active, Verify or Confirm: that of the key, but Confirm where the
	// token has expired.
	State State
	// Expired says that the token had an end, which we never set ourselves, and
	// it has passed.
	Expired bool
	// TokenID names the token: 22 characters of base64url, always the same.
	TokenID string
}

// Errors of Verify. They are for metrics and for the owner of the token: a
// page must not tell them apart. All of them wrap ErrInvalid.
var (
	ErrInvalid    = errors.New("not a valid link token")
	ErrMalformed  = fmt.Errorf("%w: malformed", ErrInvalid)
	ErrUnknownKey = fmt.Errorf("%w: unknown key", ErrInvalid)
	ErrRevoked    = fmt.Errorf("%w: its key is revoked", ErrInvalid)
	ErrSignature  = fmt.Errorf("%w: the signature does not match", ErrInvalid)
	ErrClaims     = fmt.Errorf("%w: claims", ErrInvalid)
	ErrFuture     = fmt.Errorf("%w: from the future", ErrInvalid)
)

// Reason names the cause of an error of Verify in one word, for a metric:
// malformed, unknown_key, revoked, signature, claims, future or other.
func Reason(err error) string {
	for _, r := range []struct {
		err  error
		name string
	}{
		{ErrMalformed, "malformed"}, {ErrUnknownKey, "unknown_key"}, {ErrRevoked, "revoked"},
		{ErrSignature, "signature"}, {ErrClaims, "claims"}, {ErrFuture, "future"},
	} {
		if errors.Is(err, r.err) {
			return r.name
		}
	}
	return "other"
}

const (
	maxTokenBytes = 1024
	leeway        = 5 * time.Minute // of clocks between minters and us
	// aheadLimit is how far a link may seem to be of the future: our own clock may
	// have been set back since it was made, and its owner cannot help that.
	aheadLimit = 24 * time.Hour
)

// Verify reads the token of a link as it arrived, percent-decoded once. It
// first mends what mail programs are known to do to links, then checks
// strictly. Nothing of the token is in its errors.
func (r *Ring) Verify(link string, now time.Time) (Verified, error) {
	if len(link) > maxLinkBytes {
		return Verified{}, ErrMalformed
	}
	var first error
	for _, token := range mend(link) {
		v, err := r.verify(token, now)
		if err == nil {
			return v, nil
		}
		if first == nil {
			first = err
		}
	}
	return Verified{}, first
}

// verify checks what golang-jwt does not: it accepts unknown critical headers,
// duplicate and differently spelled claims, a payload of null, and looks for
// the algorithm in the header.
func (r *Ring) verify(token string, now time.Time) (Verified, error) {
	head, payload, ok := split(token)
	if !ok {
		return Verified{}, ErrMalformed
	}
	kid, alg, err := readHeader(head)
	if err != nil {
		return Verified{}, err
	}
	key := r.byID[kid]
	switch {
	case key == nil:
		return Verified{}, ErrUnknownKey
	case key.State == Revoked:
		return Verified{}, ErrRevoked
	case alg != key.Alg: // our table decides, never the header
		return Verified{}, fmt.Errorf("%w: not the algorithm of its key", ErrMalformed)
	}
	var c payloadClaims
	if err := c.read(payload); err != nil {
		return Verified{}, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{key.Alg}), jwt.WithStrictDecoding(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return now }))
	if _, err := parser.ParseWithClaims(token, &c, key.verifyKey); err != nil {
		switch {
		case errors.Is(err, jwt.ErrTokenSignatureInvalid):
			return Verified{}, ErrSignature
		case errors.Is(err, jwt.ErrTokenNotValidYet):
			return Verified{}, ErrFuture
		}
		return Verified{}, ErrMalformed
	}
	if c.claims.IssuedAt.After(now.Add(aheadLimit)) {
		return Verified{}, ErrFuture
	}
	v := Verified{Claims: c.claims, KeyID: kid, State: key.State, TokenID: TokenID(token)}
	if c.Exp != nil && now.Unix() >= *c.Exp {
		v.Expired, v.State = true, Confirm
	}
	return v, nil
}

func (k *ringKey) verifyKey(*jwt.Token) (any, error) {
	if k.Alg == EdDSA {
		return k.Public, nil
	}
	return k.Secret, nil
}

// TokenID names a token without being one: the first 16 bytes of its SHA-256
// in base64url.
func TokenID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// split accepts three non-empty parts of base64url, which also keeps line
// breaks, padding and the other base64 alphabet out, and decodes two of them.
func split(token string) (head, payload []byte, ok bool) {
	if len(token) > maxTokenBytes {
		return nil, nil, false
	}
	h, rest, _ := strings.Cut(token, ".")
	p, sig, _ := strings.Cut(rest, ".")
	for _, part := range [3]string{h, p, sig} {
		if part == "" {
			return nil, nil, false
		}
		for i := range len(part) {
			if c := part[i]; !isAlnum(c) && c != '-' && c != '_' {
				return nil, nil, false
			}
		}
	}
	strict := base64.RawURLEncoding.Strict()
	head, err := strict.DecodeString(h)
	if err != nil {
		return nil, nil, false
	}
	payload, err = strict.DecodeString(p)
	return head, payload, err == nil
}

// readHeader accepts alg, kid and typ and nothing else: crit, jku, jwk and x5u
// are refused with every other member.
func readHeader(b []byte) (kid, alg string, err error) {
	var h struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}
	if !isObject(b) || json.Unmarshal(b, &h, json.RejectUnknownMembers(true)) != nil {
		return "", "", fmt.Errorf("%w: the header has more or other members than alg, kid and typ", ErrMalformed)
	}
	if h.Typ != "" && !strings.EqualFold(h.Typ, "JWT") && !strings.EqualFold(h.Typ, "unsub+jwt") {
		return "", "", fmt.Errorf("%w: typ is neither JWT nor unsub+jwt", ErrMalformed)
	}
	if !validKeyID(h.Kid) {
		return "", "", fmt.Errorf("%w: kid is not 1 to 16 of a-z and 0-9", ErrMalformed)
	}
	return h.Kid, h.Alg, nil
}

// isObject refuses null, which decoders take for an empty object.
func isObject(b []byte) bool { return len(b) > 0 && b[0] == '{' }

// payloadClaims are the claims as they are written. Names are matched exactly and
// a name that stands twice is an error; other names are ignored.
type payloadClaims struct {
	Sub string `json:"sub"`
	C   string `json:"c"`
	Iat int64  `json:"iat"`
	M   string `json:"m"`
	L   string `json:"l"`
	P   bool   `json:"p"`
	Exp *int64 `json:"exp"`
	Nbf *int64 `json:"nbf"`

	claims Claims
}

func (c *payloadClaims) read(b []byte) error {
	type plain payloadClaims // without UnmarshalJSON
	if !isObject(b) || json.Unmarshal(b, (*plain)(c)) != nil {
		return fmt.Errorf("%w: not a JSON object, a name twice, or a value of another type", ErrClaims)
	}
	key, err := recipient.ParseKey(c.Sub)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrClaims, errSub)
	}
	c.claims = Claims{Key: key, IssuedAt: time.Unix(c.Iat, 0).UTC(), SendOut: c.M, Language: c.L, Preview: c.P}
	switch c.C {
	case "e":
		c.claims.Channel = recipient.Email
	case "s":
		c.claims.Channel = recipient.SMS
	}
	if err := c.claims.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrClaims, err)
	}
	return nil
}

// UnmarshalJSON makes golang-jwt use what read has read: its own decoder would
// take the last of two claims, in any spelling.
func (c *payloadClaims) UnmarshalJSON([]byte) error { return nil }

// What golang-jwt asks for. The end is our own matter: a passed one asks for
// confirmation instead of breaking the link.

func (c *payloadClaims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (c *payloadClaims) GetIssuedAt() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(c.claims.IssuedAt), nil
}
func (c *payloadClaims) GetNotBefore() (*jwt.NumericDate, error) {
	if c.Nbf == nil {
		return nil, nil
	}
	return jwt.NewNumericDate(time.Unix(*c.Nbf, 0)), nil
}
func (c *payloadClaims) GetIssuer() (string, error)             { return "", nil }
func (c *payloadClaims) GetSubject() (string, error)            { return c.Sub, nil }
func (c *payloadClaims) GetAudience() (jwt.ClaimStrings, error) { return nil, nil }
