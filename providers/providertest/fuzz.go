package providertest

import (
	"errors"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
)

// Fuzz feeds bodies and queries to Verify and Parse, seeded with the fixtures
// and the simulator's samples. Whatever comes, nothing panics, refusals wrap
// ErrUnauthentic or ErrMalformed, and every event is well-formed.
func Fuzz(f *testing.F, info providers.Info, opts Options) {
	f.Helper()
	s := newSettings(f, info, opts)
	a := adapter(f, info, s)
	for _, fx := range load(f) {
		f.Add(fx.req.Header.Get("Content-Type"), fx.req.RawQuery, fx.req.Body)
	}
	var samples []*providers.Request
	for _, x := range tries(f, info, s) {
		r := x.build(f)
		samples = append(samples, r)
		f.Add(r.Header.Get("Content-Type"), r.RawQuery, r.Body)
	}
	f.Fuzz(func(t *testing.T, contentType, query string, body []byte) {
		for _, method := range []string{"POST", "GET"} {
			r := clone(samples[0])
			r.Method, r.Body, r.RawQuery = method, body, query
			base, _, _ := strings.Cut(r.URL, "?")
			r.URL = base + "?" + query
			r.Header.Set("Content-Type", contentType)
			if err := verify(a, r); err != nil && !errors.Is(err, providers.ErrUnauthentic) && !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("Verify: %v", err)
			}
			events, err := a.Parse(r)
			if err != nil && !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("Parse: %v", err)
			}
			for _, e := range events {
				checkEvent(t, e)
			}
		}
	})
}

// Bench measures Verify and Parse of every sample.
func Bench(b *testing.B, info providers.Info, opts Options) {
	b.Helper()
	s := newSettings(b, info, opts)
	a := adapter(b, info, s)
	for _, x := range tries(b, info, s) {
		r := x.build(b)
		b.Run(x.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := &providers.Request{Method: r.Method, URL: r.URL, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body,
					Endpoint: r.Endpoint, ReceivedAt: r.ReceivedAt, Guarded: true}
				if err := a.Verify(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				if _, err := a.Parse(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
