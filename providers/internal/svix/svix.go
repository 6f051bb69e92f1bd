// Package svix checks webhooks that are signed as Svix and the Standard
// Webhooks specification do.
//
// https://docs.svix.com/receiving/verifying-payloads/how-manual and
// https://github.com/standard-webhooks/standard-webhooks (read 2026-11-20): the
// signature is the base64 HMAC-SHA256 of "<id>.<timestamp>.<body>"; the key is
// the base64 after "whsec_". Each attempt is signed with a fresh time; the id
// stays the same on retries and replays.
package svix

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
)

// MaxAge is the tolerance that Svix recommends.
const MaxAge = 5 * time.Minute

// Prefix marks a signing secret.
const Prefix = "whsec_"

// Verifier checks signatures for one endpoint.
type Verifier struct {
	provider string
	keys     [][]byte
	bare     bool // a signature may stand without its version
}

// New reads the setting "signing_secret": "whsec_" and base64, or base64 alone.
func New(provider string, s providers.Settings) (*Verifier, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	v := &Verifier{provider: provider}
	for _, secret := range secrets {
		key, err := decode(string(secret))
		if err != nil || len(key) == 0 {
			return nil, providers.SettingError("signing_secret", "expected "+Prefix+" and base64, as the provider shows it")
		}
		v.keys = append(v.keys, key)
	}
	return v, nil
}

// NewRaw is New for providers whose key is the text of the secret as it is.
func NewRaw(provider string, s providers.Settings) (*Verifier, error) {
	keys, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return &Verifier{provider: provider, keys: keys}, nil
}

// NewBare is New for providers that send the base64 alone, without "v1,".
func NewBare(provider string, s providers.Settings) (*Verifier, error) {
	v, err := New(provider, s)
	if err != nil {
		return nil, err
	}
	v.bare = true
	return v, nil
}

func decode(secret string) ([]byte, error) {
	secret = strings.TrimRight(strings.TrimPrefix(secret, Prefix), "=")
	key, err := base64.RawStdEncoding.DecodeString(secret)
	if err != nil {
		return base64.RawURLEncoding.DecodeString(secret)
	}
	return key, nil
}

// header returns a header under its Svix name or its neutral one.
func header(h http.Header, name string) string {
	if v := h.Get("Svix-" + name); v != "" {
		return v
	}
	return h.Get("Webhook-" + name)
}

// ID returns the id of the message, which Verify has checked.
func ID(r *providers.Request) string { return header(r.Header, "Id") }

// Verify checks the signature and the age of a request. Without a key (an
// endpoint that is explicitly unsigned) it checks nothing.
func (v *Verifier) Verify(r *providers.Request) error {
	if len(v.keys) == 0 {
		return nil
	}
	id, ts, signatures := ID(r), header(r.Header, "Timestamp"), header(r.Header, "Signature")
	if id == "" || ts == "" || signatures == "" {
		return providers.Unauthentic(v.provider, "the svix-id, svix-timestamp or svix-signature header (or webhook-...) is missing")
	}
	seconds, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || seconds <= 0 || ts[0] == '+' {
		return providers.Unauthentic(v.provider, "the svix-timestamp header is not a time")
	}
	if !v.match(signatures, []byte(id+"."+ts+"."), r.Body) {
		return providers.Unauthentic(v.provider, "the signature does not match: compare signing_secret with the one that the provider shows for this webhook")
	}
	return r.Fresh(time.Unix(seconds, 0))
}

// match accepts any of the signatures, of which there are two while the
// provider rotates its secret, under any of the keys. Versions other than v1
// are for public keys.
func (v *Verifier) match(signatures string, head, body []byte) bool {
	match := false
	for _, key := range v.keys {
		want := sign.Sum(sha256.New, key, head, body)
		for rest := signatures; rest != ""; {
			var one string
			one, rest, _ = strings.Cut(rest, " ")
			version, encoded, versioned := strings.Cut(one, ",")
			if !versioned && v.bare {
				version, encoded = "v1", one
			}
			if version != "v1" {
				continue
			}
			got, err := base64.StdEncoding.DecodeString(encoded)
			if err == nil && hmac.Equal(want, got) {
				match = true
			}
		}
	}
	return match
}

// Settings makes a fresh secret for simulated requests.
func Settings(rand io.Reader) (providers.Settings, error) {
	key := make([]byte, 24)
	if _, err := io.ReadFull(rand, key); err != nil {
		return providers.Settings{}, err
	}
	return providers.Set("signing_secret", Prefix+base64.StdEncoding.EncodeToString(key)), nil
}

// Post builds a simulated request with the shot's id, time and secret.
func Post(s providers.Shot, body []byte) (*providers.Request, error) {
	key, err := decode(s.Settings.Get("signing_secret", ""))
	if err != nil {
		return nil, err
	}
	return post(s, key, "Svix-", "v1,", body), nil
}

// PostRaw is Post with the neutral header names and the secret's own bytes as key.
func PostRaw(s providers.Shot, body []byte) (*providers.Request, error) {
	return post(s, []byte(s.Settings.Get("signing_secret", "")), "Webhook-", "v1,", body), nil
}

// PostBare is Post with the neutral header names and a signature without version.
func PostBare(s providers.Shot, body []byte) (*providers.Request, error) {
	key, err := decode(s.Settings.Get("signing_secret", ""))
	if err != nil {
		return nil, err
	}
	return post(s, key, "Webhook-", "", body), nil
}

func post(s providers.Shot, key []byte, prefix, version string, body []byte) *providers.Request {
	id, ts := "msg_"+s.ID, strconv.FormatInt(s.At.Unix(), 10)
	mac := sign.Sum(sha256.New, key, []byte(id+"."+ts+"."), body)
	r := s.Post("application/json", body, prefix+"Id", id, prefix+"Timestamp", ts, prefix+"Signature", version+base64.StdEncoding.EncodeToString(mac))
	if prefix == "Svix-" {
		r.Header.Set("User-Agent", "Svix-Webhooks/1.0")
	}
	return r
}
