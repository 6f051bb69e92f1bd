// Package providertest holds what every adapter must satisfy. An adapter's own
// test calls Run and Fuzz; everything else follows from its Info and its
// testdata.
//
// A fixture is a whole HTTP request in testdata/NAME.http: request line,
// headers, an empty line, and the body byte for byte. Its golden outcome
// stands beside it in NAME.json; `go test -update` rewrites goldens. Headers
// that begin with Fixture- steer the test and are not passed on:
//
//	Fixture-Source       where the request comes from (required)
//	Fixture-Received-At  RFC 3339; default 2026-01-05T12:00:00Z
//	Fixture-URL          the URL as the provider called it; default https://hooks.example.com + path
//	Fixture-Setting      name=value, replaces that setting's values; may be repeated
//	Fixture-Max-Age      replay window; default 0, any age
//	Fixture-Unsigned     true: the endpoint is explicitly unsigned and has no secret
//	Fixture-Guarded      true: a path secret or Basic credentials matched
package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// Options are what a provider's signature covers and where it stands.
type Options struct {
	// Signature lists where the signature stands: "header:X-Sig", "query:sig",
	// "form:sig", "json:signature.signature". Each is removed, emptied and
	// shortened in turn, and Verify must refuse.
	Signature []string
	// BodyUnsigned says why a changed body still verifies, for providers whose
	// signature does not cover it.
	BodyUnsigned string
	// Fetch stands in for the network, for adapters that fetch certificates.
	Fetch func(ctx context.Context, url string) ([]byte, error)
}

// fixture is one request of testdata.
type fixture struct {
	name     string
	req      *providers.Request
	settings map[string][]string
	unsigned bool
}

// golden is the outcome of a fixture.
type golden struct {
	Verify string            `json:"verify"` // "ok" or "refused"
	Reply  *goldenReply      `json:"reply,omitempty"`
	Events []recipient.Event `json:"events,omitempty"`
	Error  string            `json:"error,omitempty"`
	Reason providers.Reason  `json:"reason,omitempty"`
}

type goldenReply struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`
}

// Run checks an adapter against everything that every adapter must satisfy.
// The settings are those of the fixtures.
func Run(t *testing.T, info providers.Info, settings providers.Settings, opts Options) {
	t.Helper()
	settings.Fetch = opts.Fetch
	t.Run("info", func(t *testing.T) { checkInfo(t, info) })
	t.Run("no secret", func(t *testing.T) { checkNoSecret(t, info) })
	for _, f := range load(t) {
		t.Run("golden/"+f.name, func(t *testing.T) { checkGolden(t, info, settings, f) })
	}
	t.Run("samples", func(t *testing.T) { checkSamples(t, info, opts) })
	t.Run("rotation", func(t *testing.T) { checkRotation(t, info, opts) })
	t.Run("tampering", func(t *testing.T) { checkTampering(t, info, opts) })
	t.Run("replay", func(t *testing.T) { checkReplay(t, info, opts) })
	t.Run("arrays", func(t *testing.T) { checkArrays(t, info, opts) })
	t.Run("hostile", func(t *testing.T) { checkHostile(t, info, opts) })
}

func load(tb testing.TB) []fixture {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no fixtures in testdata (%v)", err)
	}
	fixtures := make([]fixture, 0, len(files))
	for _, file := range files {
		fixtures = append(fixtures, read(tb, file))
	}
	return fixtures
}

func read(tb testing.TB, file string) fixture {
	tb.Helper()
	raw, err := os.ReadFile(file) //nolint:gosec // our own testdata
	if err != nil {
		tb.Fatal(err)
	}
	head, body, ok := bytes.Cut(raw, []byte("\n\n"))
	if crlfHead, crlfBody, crlf := bytes.Cut(raw, []byte("\r\n\r\n")); crlf && (!ok || len(crlfHead) < len(head)) {
		head, body, ok = crlfHead, crlfBody, true
	}
	if !ok {
		tb.Fatalf("%s: no empty line after the headers", file)
	}
	lines := strings.Split(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	target, _, _ = strings.Cut(target, " ")
	r := &providers.Request{Method: method, URL: "https://hooks.example.com" + target, Header: http.Header{}, Body: body,
		Endpoint: "test", ReceivedAt: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	f := fixture{name: strings.TrimSuffix(filepath.Base(file), ".http"), req: r, settings: map[string][]string{}}
	source := ""
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			tb.Fatalf("%s: header line without a colon", file)
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "fixture-source":
			source = value
		case "fixture-received-at":
			if r.ReceivedAt, err = time.Parse(time.RFC3339, value); err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
		case "fixture-url":
			r.URL = value
		case "fixture-setting":
			k, v, _ := strings.Cut(value, "=")
			f.settings[k] = append(f.settings[k], v)
		case "fixture-max-age":
			if r.MaxAge, err = time.ParseDuration(value); err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
		case "fixture-unsigned":
			f.unsigned = value == "true"
		case "fixture-guarded":
			r.Guarded = value == "true"
		default:
			r.Header.Add(name, value)
		}
	}
	if source == "" {
		tb.Fatalf("%s: no Fixture-Source header", file)
	}
	_, r.RawQuery, _ = strings.Cut(r.URL, "?")
	return f
}

func (f fixture) adapter(tb testing.TB, info providers.Info, s providers.Settings) providers.Adapter {
	tb.Helper()
	merged := map[string][]string{}
	for k, v := range s.Values {
		merged[k] = v
	}
	for k, v := range f.settings {
		merged[k] = v
	}
	if f.unsigned {
		s.Unsigned = true
		for _, n := range secretNames(info) {
			delete(merged, n)
		}
	}
	s.Values = merged
	a, err := info.New(s)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	return a
}

func checkGolden(t *testing.T, info providers.Info, s providers.Settings, f fixture) {
	t.Helper()
	a := f.adapter(t, info, s)
	got := outcome(t, a, f.req)
	for _, e := range got.Events {
		checkEvent(t, e)
	}
	path := filepath.Join("testdata", f.name+".json")
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantBytes, err := os.ReadFile(path) //nolint:gosec // our own testdata
	if err != nil {
		t.Fatalf("%v (write it with go test -update and read it)", err)
	}
	if diff := cmp.Diff(string(wantBytes), string(b)+"\n"); diff != "" {
		t.Errorf("outcome differs (-want +got):\n%s", diff)
	}
	again := outcome(t, a, f.req)
	if diff := cmp.Diff(got, again, cmp.Comparer(func(a, b recipient.Address) bool { return a == b })); diff != "" {
		t.Errorf("the second reading differs:\n%s", diff)
	}
}

func outcome(t *testing.T, a providers.Adapter, r *providers.Request) golden {
	t.Helper()
	ctx := context.Background()
	if h, ok := a.(providers.Handshaker); ok {
		reply, err := h.Handshake(ctx, r)
		switch {
		case errors.Is(err, providers.ErrUnauthentic):
			return golden{Verify: "refused", Error: err.Error()}
		case err != nil:
			return golden{Verify: "handshake", Error: err.Error()}
		case reply != nil:
			return golden{Verify: "handshake", Reply: goldReply(reply)}
		}
	}
	if err := a.Verify(ctx, r); err != nil {
		if !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("Verify: %v does not wrap ErrUnauthentic", err)
		}
		return golden{Verify: "refused", Error: err.Error()}
	}
	g := golden{Verify: "ok"}
	events, err := a.Parse(r)
	g.Events = events
	if err != nil {
		if !errors.Is(err, providers.ErrMalformed) {
			t.Errorf("Parse: %v does not wrap ErrMalformed", err)
		}
		g.Error, g.Reason = err.Error(), providers.ReasonOf(err)
	}
	if p, ok := a.(providers.Replier); ok {
		g.Reply = goldReply(p.Reply(r))
	}
	return g
}

func goldReply(r *providers.Reply) *goldenReply {
	if r == nil {
		return nil
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	return &goldenReply{Status: status, Header: r.Header, Body: string(r.Body)}
}

// checkEvent holds for every event of every adapter.
func checkEvent(t *testing.T, e recipient.Event) {
	t.Helper()
	switch {
	case !e.Kind.Valid():
		t.Errorf("kind %q does not exist", e.Kind)
	case e.Address.IsZero():
		t.Errorf("%s: no address", e.Kind)
	case len(e.IDParts) == 0 || strings.Join(e.IDParts, "") == "":
		t.Errorf("%s: no id parts; every retry would be a new event", e.Kind)
	case e.Kind == recipient.HardBounce && e.Rule == "":
		t.Error("a hard bounce without the rule that made it")
	case e.Kind == recipient.OptIn && (e.Evidence.Consent == nil || e.Evidence.Consent.Wording == ""):
		t.Error("an opt-in without consent")
	case e.Kind == recipient.Block, e.Kind == recipient.Unblock:
		t.Errorf("%s is an administrator's act, not a provider's", e.Kind)
	case e.Echo && e.Kind != recipient.HardBounce && e.Kind != recipient.OptOut && e.Kind != recipient.Complaint:
		t.Errorf("%s cannot be an echo", e.Kind)
	}
	if again, err := recipient.Parse(e.Address.Channel(), e.Address.Value(), ""); err != nil || again != e.Address {
		t.Errorf("%s: the address is not in normal form", e.Kind)
	}
}
