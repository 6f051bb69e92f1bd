package vonage

import (
	"context"
	"crypto/md5"  //nolint:gosec // one of Vonage's methods, and its default
	"crypto/sha1" //nolint:gosec // one of Vonage's methods
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

// method is how the SMS API signs; the account's settings choose it.
type method struct {
	name string
	size int // of the digest in bytes
	sum  func(secret, text []byte) []byte
}

func withHMAC(h func() hash.Hash) func(secret, text []byte) []byte {
	return func(secret, text []byte) []byte { return sign.Sum(h, secret, text) }
}

// methods are those of https://developer.vonage.com/en/getting-started/concepts/signing-messages
// (read 2026-11-20). "md5hash" is the account's default, and not an HMAC.
var methods = []method{
	{"md5hash", md5.Size, func(secret, text []byte) []byte {
		sum := md5.Sum(append(text, secret...)) //nolint:gosec // Vonage's default
		return sum[:]
	}},
	{"md5", md5.Size, withHMAC(md5.New)},
	{"sha1", sha1.Size, withHMAC(sha1.New)},
	{"sha256", sha256.Size, withHMAC(sha256.New)},
	{"sha512", sha512.Size, withHMAC(sha512.New)},
}

// methodSetting chooses one method.
const methodSetting = "signature_method"

type adapter struct {
	secrets [][]byte
	methods []method
	words   *sms.Keywords
}

// New reads the settings "signing_secret" and "signature_method". Without a
// secret the endpoint must have a path secret or Basic credentials: the SMS API
// signs only for those who ask.
func New(s providers.Settings) (providers.Adapter, error) {
	a := adapter{secrets: s.OptionalSecrets("signing_secret"), methods: methods, words: sms.Words(s)}
	if want := s.Get(methodSetting, ""); want != "" {
		i := slices.IndexFunc(methods, func(m method) bool { return m.name == strings.ToLower(want) })
		if i < 0 {
			return nil, providers.SettingError(methodSetting, "expected md5hash, md5, sha1, sha256 or sha512")
		}
		a.methods = methods[i : i+1]
	}
	return a, nil
}

// Verify checks the token of the Messages API or the sig parameter of the SMS
// API. Now and then Vonage sends a callback unsigned by mistake, and again,
// signed, when it is refused.
func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	if token, ok := bearer(r); ok {
		return a.verifyToken(r, token)
	}
	return a.verifyParams(r)
}

func bearer(r *providers.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// claims are those of https://developer.vonage.com/en/getting-started/concepts/webhooks
// (read 2026-11-20).
type claims struct {
	PayloadHash string `json:"payload_hash"`
	jwt.RegisteredClaims
}

func (a adapter) verifyToken(r *providers.Request, token string) error {
	if r.Method == http.MethodGet || !isJSON(r.Body) { // the token covers the body alone
		return providers.Unauthentic(name, "a token without a JSON body")
	}
	keys := jwt.VerificationKeySet{}
	for _, s := range a.secrets {
		keys.Keys = append(keys.Keys, s)
	}
	var c claims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithTimeFunc(func() time.Time { return r.ReceivedAt }))
	parsed, err := parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return keys, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return providers.Unauthentic(name, "the token's signature does not match: compare signing_secret with the signature secret of this account")
	case err != nil: // not wrapped: it may quote the token
		return providers.Unauthentic(name, "the Authorization header holds no valid token")
	case parsed.Header["crit"] != nil:
		return providers.Unauthentic(name, "the token demands an extension")
	case c.Issuer != "Vonage":
		return providers.Unauthentic(name, "the token was not issued by Vonage")
	}
	sum := sha256.Sum256(r.Body)
	if want, err := hex.DecodeString(c.PayloadHash); err != nil || subtle.ConstantTimeCompare(want, sum[:]) != 1 {
		return providers.Unauthentic(name, "the body does not match the token's payload_hash")
	}
	if c.IssuedAt == nil {
		return r.Fresh(time.Time{})
	}
	return r.Fresh(c.IssuedAt.Time)
}

func (a adapter) verifyParams(r *providers.Request) error {
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	sig, err := hex.DecodeString(params["sig"])
	if err != nil || len(sig) == 0 {
		return providers.Unauthentic(name, "no sig parameter and no token: ask Vonage's support to sign the account's SMS webhooks")
	}
	text, err := signedText(params)
	if err != nil {
		return err
	}
	match := 0
	for _, m := range a.methods {
		if len(sig) != m.size {
			continue
		}
		for _, secret := range a.secrets {
			match |= subtle.ConstantTimeCompare(sig, m.sum(secret, slices.Clip(text)))
		}
	}
	if match != 1 {
		return providers.Unauthentic(name, "the sig parameter does not match: compare signing_secret and signature_method with the signature secret and method of this account")
	}
	return r.Fresh(wire.Time(params["timestamp"]))
}

// paramsOf returns the parameters of any encoding, of equal names the first.
func paramsOf(r *providers.Request) (map[string]string, error) {
	out := map[string]string{}
	if r.Method != http.MethodGet && isJSON(r.Body) {
		var m map[string]wire.Raw
		if wire.Decode(r.Body, &m) != nil {
			return nil, providers.Unauthentic(name, "the body is no JSON object")
		}
		for k, raw := range m {
			var v wire.Text
			// What is no scalar has no text that could be signed.
			if raw.Kind() == '{' || raw.Kind() == '[' || wire.Decode(raw, &v) != nil {
				return nil, providers.Unauthentic(name, "no token, and a JSON body that is not flat")
			}
			out[k] = string(v)
		}
		return out, nil
	}
	form, err := fields(r)
	if err != nil {
		return nil, providers.Unauthentic(name, "the body is neither JSON nor a form")
	}
	for k, v := range form {
		out[k] = v[0]
	}
	return out, nil
}

var noSeparators = strings.NewReplacer("&", "_", "=", "_")

// signedText writes the parameters but sig as Vonage signs them. A name with a
// separator could hide parameters of a captured request in it.
func signedText(params map[string]string) ([]byte, error) {
	names, size := make([]string, 0, len(params)), 0
	for n, v := range params {
		size += len("&=") + len(n) + len(v)
		if strings.ContainsAny(n, "&=") {
			return nil, providers.Unauthentic(name, "a parameter's name holds a separator")
		}
		if n != "sig" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	out := make([]byte, 0, size)
	for _, n := range names {
		out = append(append(append(append(out, '&'), n...), '='), noSeparators.Replace(params[n])...)
	}
	return out, nil
}
