package providertest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// Case is one report and what becomes of it.
type Case struct {
	Name string
	Body string
	// Header holds further headers as name, value pairs. The content type is JSON
	// unless it is among them.
	Header []string
	// Want is what Outcome returns: "hard_bounce a@example.com 5.1.1".
	Want string
}

// Table parses the body of every case, without verifying it, and compares the
// outcome. Use it for classification tables and for the traps of a provider.
func Table(t *testing.T, info providers.Info, settings providers.Settings, cases []Case) {
	t.Helper()
	a := adapter(t, info, settings)
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		seen[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			events, err := a.Parse(caseRequest(c))
			if err != nil && !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("%v does not wrap ErrMalformed", err)
			}
			for _, e := range events {
				checkEvent(t, e)
			}
			if got := Outcome(events, err); got != c.Want {
				t.Errorf("got  %s\nwant %s", got, c.Want)
			}
		})
	}
}

func caseRequest(c Case) *providers.Request {
	r := &providers.Request{Method: "POST", URL: pathURL, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(c.Body),
		Endpoint: "test", ReceivedAt: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), Guarded: true}
	for i := 0; i+1 < len(c.Header); i += 2 {
		r.Header.Set(c.Header[i], c.Header[i+1])
	}
	return r
}

// Outcome writes events and errors in one line: for each event its kind, with
// "~" before it for an echo, its address and its code, if any; for each item
// that could not be read "!" and the reason. They are joined by "; ".
func Outcome(events []recipient.Event, err error) string {
	var out []string
	for _, e := range events {
		s := string(e.Kind) + " " + e.Address.Value()
		if e.Echo {
			s = "~" + s
		}
		if e.Code != "" {
			s += " " + e.Code
		}
		out = append(out, s)
	}
	var partial *providers.PartialError
	switch {
	case errors.As(err, &partial):
		for _, item := range partial.Items {
			out = append(out, "!"+string(providers.ReasonOf(item)))
		}
	case err != nil:
		out = append(out, "!"+string(providers.ReasonOf(err)))
	}
	return strings.Join(out, "; ")
}
