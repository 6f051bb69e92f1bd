// Package token checks the secret that some providers send in a header, as it
// was entered at the provider. It is for those that sign nothing, beside the
// path secret and the Basic credentials that every endpoint can have.
package token

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
)

// Names of the settings.
const (
	Setting       = "auth_token"
	HeaderSetting = "auth_header"
)

const defaultHeader = "Authorization"

// Settings describes both settings. Where says where the provider asks for the
// token: "the header in the webhook's settings".
func Settings(where string) []providers.Setting {
	return []providers.Setting{
		{Name: Setting, Help: "A secret that every request carries in a header, entered as " + where + "; for a bearer token the part after Bearer.", List: true, Verifies: true},
		{Name: HeaderSetting, Help: "The name of the header that carries auth_token.", Default: defaultHeader},
	}
}

// Header checks one header. The zero Header checks nothing.
type Header struct {
	provider string
	names    []string
	tokens   [][]byte
}

// New reads the settings. More names headers that carry the token as well.
func New(provider string, s providers.Settings, more ...string) Header {
	return Header{provider, append([]string{s.Get(HeaderSetting, defaultHeader)}, more...), s.OptionalSecrets(Setting)}
}

// Active reports whether a token is configured.
func (h Header) Active() bool { return len(h.tokens) > 0 }

// Verify accepts a header that holds one of the tokens, alone or after
// "Bearer". Without a configured token it accepts everything: the endpoint's
// guard did the checking.
func (h Header) Verify(_ context.Context, r *providers.Request) error {
	if !h.Active() {
		return nil
	}
	seen := false
	for _, n := range h.names {
		got := strings.TrimSpace(r.Header.Get(n))
		seen = seen || got != ""
		if sign.Token(h.tokens, got) {
			return nil
		}
		scheme, rest, ok := strings.Cut(got, " ")
		if ok && strings.EqualFold(scheme, "Bearer") && sign.Token(h.tokens, strings.TrimSpace(rest)) {
			return nil
		}
	}
	if !seen {
		return providers.Unauthentic(h.provider, "the "+http.CanonicalHeaderKey(h.names[0])+" header with the token is missing")
	}
	return providers.Unauthentic(h.provider, "the token in the "+http.CanonicalHeaderKey(h.names[0])+" header does not match auth_token")
}

// Simulated makes settings with a fresh token.
func Simulated(rand io.Reader) (providers.Settings, error) {
	t, err := sim.Secret(rand)
	if err != nil {
		return providers.Settings{}, err
	}
	return providers.Set(Setting, t), nil
}

// Sign puts the settings' token on a simulated request.
func Sign(s providers.Settings, r *providers.Request) *providers.Request {
	t := s.Get(Setting, "")
	if t == "" {
		return r
	}
	name := s.Get(HeaderSetting, defaultHeader)
	if strings.EqualFold(name, defaultHeader) {
		t = "Bearer " + t
	}
	r.Header.Set(name, t)
	return r
}
