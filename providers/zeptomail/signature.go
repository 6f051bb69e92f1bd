package zeptomail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

const (
	signatureHeader = "Producer-Signature"
	algorithm       = "HmacSHA256"
)

// testCallsSetting says which unproved calls are answered 200, and dropped.
const testCallsSetting = "test_calls"

type adapter struct {
	secrets  [][]byte
	token    token.Header
	anyCalls bool
}

// New needs "signing_secret", or "auth_token" for a header of one's own. With
// both, both are checked.
func New(s providers.Settings) (providers.Adapter, error) {
	a := adapter{token: token.New(name, s), secrets: s.OptionalSecrets("signing_secret")}
	if !a.token.Active() {
		var err error
		if a.secrets, err = s.Secrets("signing_secret"); err != nil {
			return nil, err
		}
	}
	switch s.Get(testCallsSetting, "samples") {
	case "samples":
	case "any":
		a.anyCalls = true
	default:
		return nil, providers.SettingError(testCallsSetting, "samples or any")
	}
	return a, nil
}

// Handshake answers the calls by which Zoho tries a URL before it saves the
// webhook: a GET, or an unsigned post that holds no event or a made-up one.
// Nothing comes of them.
func (a adapter) Handshake(_ context.Context, r *providers.Request) (*providers.Reply, error) {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
	case len(a.secrets) == 0 && !a.token.Active(), // an unsigned endpoint reads everything
		r.Header.Get(signatureHeader) != "",
		!a.anyCalls && holdsEvent(r):
		return nil, nil //nolint:nilnil // an ordinary delivery
	}
	return &providers.Reply{}, nil
}

// holdsEvent reports whether a request reports anything of a real mail.
func holdsEvent(r *providers.Request) bool {
	var m body
	if wire.Decode(document(r), &m) != nil {
		return false
	}
	for _, msg := range m.Messages {
		if msg.info().Client.String() != testReference {
			return true
		}
	}
	return false
}

func (a adapter) Verify(ctx context.Context, r *providers.Request) error {
	if err := a.token.Verify(ctx, r); err != nil || len(a.secrets) == 0 {
		return err
	}
	header := r.Header.Get(signatureHeader)
	if header == "" {
		return providers.Unauthentic(name, "the "+signatureHeader+" header is missing")
	}
	var ts, mac64, alg string
	for _, part := range strings.Split(header, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "ts":
			ts = value
		case "s":
			mac64 = value
		case "s-algorithm":
			alg = value
		}
	}
	if alg != "" && !strings.EqualFold(alg, algorithm) {
		return providers.Unauthentic(name, "the signature's algorithm is not "+algorithm)
	}
	// Percent first: a + of base64 must not become a space.
	if plain, err := url.PathUnescape(mac64); err == nil {
		mac64 = plain
	}
	mac, err := base64.StdEncoding.DecodeString(mac64)
	if err != nil || !a.signed(mac, ts, r.Body) {
		return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the webhook's authentication key at ZeptoMail")
	}
	return r.Fresh(wire.Time(ts))
}

// signed tries what is signed: the event's JSON, as it came or taken out of the
// form, alone or behind the time. Each needs the key, so that trying is safe.
func (a adapter) signed(mac []byte, ts string, raw []byte) bool {
	texts := [][]byte{raw}
	if _, after, ok := bytes.Cut(raw, []byte("=")); ok {
		texts = appendDecoded(texts, after)
	}
	// What Parse reads must be what was signed: JSON that means something else once
	// it is decoded is not.
	if !looksJSON(raw) || bytes.IndexByte(raw, '%') < 0 {
		texts = appendDecoded(texts, raw)
	}
	for _, t := range texts {
		if sign.HMAC(sha256.New, a.secrets, mac, t) {
			return true
		}
	}
	if ts == "" {
		return false
	}
	for _, t := range texts {
		if sign.HMAC(sha256.New, a.secrets, mac, []byte(ts), t) {
			return true
		}
	}
	return false
}

func appendDecoded(texts [][]byte, raw []byte) [][]byte {
	if bytes.IndexByte(raw, '%') < 0 && bytes.IndexByte(raw, '+') < 0 {
		return append(texts, raw)
	}
	if s, err := url.QueryUnescape(string(raw)); err == nil {
		return append(texts, []byte(s))
	}
	return texts
}

// document returns the JSON of a request: the body, or the only field of a form,
// whose name varies.
func document(r *providers.Request) []byte {
	raw := bytes.TrimSpace(r.Body)
	if looksJSON(raw) {
		return raw
	}
	if _, after, ok := bytes.Cut(raw, []byte("=")); ok {
		if texts := appendDecoded(nil, after); len(texts) == 1 && looksJSON(texts[0]) && jsonWhole(texts[0]) {
			return texts[0]
		}
	}
	if form, err := r.Form(); err == nil {
		for _, field := range []string{"data", "eventData"} {
			if v := []byte(form.Get(field)); looksJSON(v) {
				return v
			}
		}
	}
	if texts := appendDecoded(nil, raw); len(texts) == 1 && looksJSON(texts[0]) {
		return texts[0]
	}
	return raw
}

func looksJSON(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && (b[0] == '{' || b[0] == '[')
}

// jsonWhole reports whether nothing follows the JSON, such as a second field.
func jsonWhole(b []byte) bool { return wire.Raw(b).IsValid() }
