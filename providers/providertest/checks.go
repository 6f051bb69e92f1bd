package providertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// shotAt is the time of simulated requests.
var shotAt = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func checkInfo(t *testing.T, i providers.Info) {
	t.Helper()
	for what, missing := range map[string]bool{
		"Name": i.Name == "", "Title": i.Title == "", "Channels": len(i.Channels) == 0, "Docs": !strings.HasPrefix(i.Docs, "http"),
		"Signing": i.Signing == "", "Setup": len(i.Setup) == 0, "Mapping": len(i.Mapping) == 0, "RetryNote": i.RetryNote == "",
		"New": i.New == nil, "Simulate.Settings": i.Simulate.Settings == nil, "Simulate.Samples": len(i.Simulate.Samples) == 0,
	} {
		if missing {
			t.Errorf("Info.%s is missing", what)
		}
	}
	verifies := false
	for _, s := range i.Settings {
		verifies = verifies || s.Verifies
		if s.Help == "" {
			t.Errorf("setting %q has no help", s.Name)
		}
	}
	if want := i.Signing != providers.SignsNever; verifies != want {
		t.Errorf("Signing is %q but a setting that verifies: %v", i.Signing, verifies)
	}
	if !strings.Contains(strings.Join(i.Setup, "\n"), "{url}") {
		t.Error("Info.Setup does not say where to enter {url}")
	}
	for _, m := range i.Mapping {
		if m.Kind != "" && !m.Kind.Valid() {
			t.Errorf("mapping %q: kind %q does not exist", m.Report, m.Kind)
		}
	}
}

func checkNoSecret(t *testing.T, info providers.Info) {
	t.Helper()
	a, err := info.New(providers.Set())
	if info.Signing != providers.SignsAlways {
		if err != nil {
			t.Errorf("New without settings: %v", err)
		}
		return
	}
	if err == nil || a != nil {
		t.Fatal("New accepts to start without a secret")
	}
	if !errors.Is(err, providers.ErrSetting) {
		t.Errorf("New: %v does not wrap ErrSetting", err)
	}
	if _, err := info.New(providers.Settings{Unsigned: true}); err != nil {
		t.Errorf("New with the explicit unsigned: %v", err)
	}
}

// try is a simulated request with the adapter for it.
type try struct {
	providers.Sample
	settings providers.Settings
	shot     providers.Shot
}

const pathURL = "https://hooks.example.com/webhooks/test"

func newSettings(t testing.TB, info providers.Info, opts Options) providers.Settings {
	t.Helper()
	s, err := info.Simulate.Settings(rand.Reader)
	if err != nil {
		t.Fatalf("Simulate.Settings: %v", err)
	}
	if opts.Fetch != nil {
		s.Fetch = opts.Fetch
	}
	return s
}

func tries(t testing.TB, info providers.Info, s providers.Settings) []try {
	t.Helper()
	var out []try
	for i, sample := range info.Simulate.Samples {
		c := sample.Channel
		if c == "" {
			c = info.Channels[0]
		}
		to := map[recipient.Channel]string{recipient.Email: "wilhelmina.q@example.com", recipient.SMS: "+358401234567"}[c]
		out = append(out, try{sample, s, providers.Shot{Settings: s, URL: pathURL, To: to, ID: fmt.Sprintf("3f2a77c0%08d", i), At: shotAt}})
	}
	return out
}

func (x try) build(t testing.TB) *providers.Request {
	t.Helper()
	r, err := x.Build(x.shot)
	if err != nil {
		t.Fatalf("%s: Build: %v", x.Name, err)
	}
	r.Endpoint, r.Guarded = "test", true
	return r
}

func adapter(t testing.TB, info providers.Info, s providers.Settings) providers.Adapter {
	t.Helper()
	a, err := info.New(s)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return a
}

func verify(a providers.Adapter, r *providers.Request) error {
	fresh := *r
	r = clone(&fresh)
	if h, ok := a.(providers.Handshaker); ok {
		if reply, err := h.Handshake(context.Background(), r); err != nil || reply != nil {
			return err
		}
	}
	return a.Verify(context.Background(), r)
}

// clone drops what the request has parsed and copies what a test may change.
func clone(r *providers.Request) *providers.Request {
	return &providers.Request{Method: r.Method, URL: r.URL, RawQuery: r.RawQuery, Header: r.Header.Clone(), Body: bytes.Clone(r.Body),
		Endpoint: r.Endpoint, ReceivedAt: r.ReceivedAt, MaxAge: r.MaxAge, Guarded: r.Guarded}
}

func checkSamples(t *testing.T, info providers.Info, opts Options) {
	t.Helper()
	s := newSettings(t, info, opts)
	a := adapter(t, info, s)
	seen := map[recipient.Kind]bool{}
	for _, x := range tries(t, info, s) {
		r := x.build(t)
		if err := verify(a, r); err != nil {
			t.Errorf("%s: Verify: %v", x.Name, err)
			continue
		}
		events, err := a.Parse(r)
		if err != nil {
			t.Errorf("%s: Parse: %v", x.Name, err)
		}
		var kinds []recipient.Kind
		for _, e := range events {
			checkEvent(t, e)
			kinds, seen[e.Kind] = append(kinds, e.Kind), true
			if e.Address.Value() != x.shot.To {
				t.Errorf("%s: the event is about somebody else", x.Name)
			}
		}
		if fmt.Sprint(kinds) != fmt.Sprint(x.Kinds) {
			t.Errorf("%s: kinds %v, want %v", x.Name, kinds, x.Kinds)
		}
	}
	for _, m := range info.Mapping {
		if m.Kind != "" && !m.Echo && !seen[m.Kind] && (m.Kind == recipient.HardBounce || m.Kind == recipient.SoftBounce || m.Kind == recipient.Delivered) {
			t.Errorf("the mapping promises %s but no sample shows it", m.Kind)
		}
	}
}

// secretNames are the settings that verify.
func secretNames(info providers.Info) (names []string) {
	for _, s := range info.Settings {
		if s.Verifies {
			names = append(names, s.Name)
		}
	}
	return names
}

func checkRotation(t *testing.T, info providers.Info, opts Options) {
	t.Helper()
	if info.Signing == providers.SignsNever {
		return
	}
	old, fresh := newSettings(t, info, opts), newSettings(t, info, opts)
	both := providers.Settings{Values: map[string][]string{}, Fetch: old.Fetch}
	for k, v := range old.Values {
		both.Values[k] = v
	}
	for _, n := range secretNames(info) {
		both.Values[n] = append(append([]string{}, fresh.Values[n]...), old.Values[n]...)
	}
	swapped := providers.Settings{Values: map[string][]string{}, Fetch: old.Fetch}
	for k, v := range old.Values {
		swapped.Values[k] = v
	}
	for _, n := range secretNames(info) {
		swapped.Values[n] = fresh.Values[n]
	}
	rotating, wrong := adapter(t, info, both), adapter(t, info, swapped)
	for _, x := range tries(t, info, old) {
		r := x.build(t)
		if err := verify(rotating, r); err != nil {
			t.Errorf("%s: refused while the secret rotates: %v", x.Name, err)
		}
		err := verify(wrong, r)
		if !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("%s: accepted with another's secret (%v)", x.Name, err)
		}
		checkSecrecy(t, info, both, x.shot.To, err)
	}
}

// checkSecrecy: no personal data and no secret in an error text.
func checkSecrecy(t *testing.T, info providers.Info, s providers.Settings, to string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := strings.ToLower(err.Error())
	local, _, _ := strings.Cut(to, "@")
	for _, hide := range []string{to, local, strings.TrimPrefix(to, "+")} {
		if strings.Contains(text, strings.ToLower(hide)) {
			t.Errorf("an error text shows the address: %d bytes long", len(text))
		}
	}
	for _, n := range secretNames(info) {
		for _, v := range s.All(n) {
			if strings.Contains(err.Error(), v) {
				t.Errorf("an error text shows the setting %q", n)
			}
		}
	}
}

func checkTampering(t *testing.T, info providers.Info, opts Options) {
	t.Helper()
	if info.Signing == providers.SignsNever {
		return
	}
	if len(opts.Signature) == 0 {
		t.Fatal("Options.Signature does not say where the signature stands")
	}
	s := newSettings(t, info, opts)
	a := adapter(t, info, s)
	for _, x := range tries(t, info, s) {
		r := x.build(t)
		if opts.BodyUnsigned == "" {
			for _, at := range []int{0, len(r.Body) / 3, len(r.Body) / 2, len(r.Body) - 1} {
				if at < 0 || at >= len(r.Body) {
					continue
				}
				bad := clone(r)
				bad.Body[at] ^= 0x01
				if err := verify(a, bad); !errors.Is(err, providers.ErrUnauthentic) && !errors.Is(err, providers.ErrMalformed) {
					t.Errorf("%s: accepted with byte %d of %d changed (%v)", x.Name, at, len(r.Body), err)
				}
			}
		}
		touched := 0
		for _, place := range opts.Signature {
			for _, how := range []string{"missing", "empty", "short", "longer"} {
				bad, ok := damage(clone(r), place, how)
				if !ok {
					continue
				}
				touched++
				err := verify(a, bad)
				if !errors.Is(err, providers.ErrUnauthentic) {
					t.Errorf("%s: accepted with %s %s (%v)", x.Name, place, how, err)
				}
				checkSecrecy(t, info, s, x.shot.To, err)
			}
		}
		if touched == 0 {
			t.Errorf("%s: no signature found at %v", x.Name, opts.Signature)
		}
	}
}

func spoil(v, how string) string {
	switch how {
	case "short":
		return v[:len(v)/2]
	case "longer":
		return v + "00"
	}
	return ""
}

// damage removes or changes the value at a place; ok is false where there is none.
func damage(r *providers.Request, place, how string) (*providers.Request, bool) {
	kind, name, _ := strings.Cut(place, ":")
	switch kind {
	case "header":
		v := r.Header.Get(name)
		if v == "" {
			return r, false
		}
		r.Header.Set(name, spoil(v, how))
		if how == "missing" {
			r.Header.Del(name)
		}
	case "query", "form":
		raw := r.RawQuery
		if kind == "form" {
			raw = string(r.Body)
		}
		q, err := url.ParseQuery(raw)
		if err != nil || q.Get(name) == "" {
			return r, false
		}
		q.Set(name, spoil(q.Get(name), how))
		if how == "missing" {
			q.Del(name)
		}
		if kind == "form" {
			r.Body = []byte(q.Encode())
			return r, true
		}
		base, _, _ := strings.Cut(r.URL, "?")
		r.RawQuery, r.URL = q.Encode(), base+"?"+q.Encode()
	case "json":
		var doc map[string]any
		if json.Unmarshal(r.Body, &doc) != nil {
			return r, false
		}
		path := strings.Split(name, ".")
		at := doc
		for _, p := range path[:len(path)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				return r, false
			}
			at = next
		}
		last := path[len(path)-1]
		v, ok := at[last].(string)
		if !ok || v == "" {
			return r, false
		}
		at[last] = spoil(v, how)
		if how == "missing" {
			delete(at, last)
		}
		r.Body, _ = json.Marshal(doc) //nolint:errcheck // it came from JSON
	}
	return r, true
}

func checkReplay(t *testing.T, info providers.Info, opts Options) {
	t.Helper()
	if info.MaxAge <= 0 {
		return
	}
	s := newSettings(t, info, opts)
	a := adapter(t, info, s)
	for _, x := range tries(t, info, s) {
		r := x.build(t)
		r.MaxAge = info.MaxAge
		if err := verify(a, r); err != nil {
			t.Errorf("%s: refused when fresh: %v", x.Name, err)
		}
		r.ReceivedAt = shotAt.Add(info.MaxAge + time.Hour)
		if err := verify(a, r); !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("%s: accepted after the replay window (%v)", x.Name, err)
		}
		r.ReceivedAt = shotAt.Add(-time.Hour)
		if err := verify(a, r); !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("%s: accepted from the future (%v)", x.Name, err)
		}
		r.MaxAge, r.ReceivedAt = 0, shotAt.Add(365*24*time.Hour)
		if err := verify(a, r); err != nil {
			t.Errorf("%s: refused although any age is accepted: %v", x.Name, err)
		}
	}
}

// hostileBodies are what an authentic but broken, or a forged, request may hold.
func hostileBodies() map[string][]byte {
	return map[string][]byte{
		"empty":        {},
		"space":        []byte(" \r\n"),
		"null":         []byte("null"),
		"true":         []byte("true"),
		"string":       []byte(`"x"`),
		"empty object": []byte("{}"),
		"empty array":  []byte("[]"),
		"nulls":        []byte("[null,null,[],{},1]"),
		"not utf-8":    []byte("{\"event\":\"\xff\xfe\",\"email\":\"\xc3\x28\"}"),
		"nul":          []byte("{\"event\":\"bounce\\u0000\",\"email\":\"a\\u0000@b.c\"}"),
		"surrogate":    []byte(`{"event":"\ud800","email":"\udfff@x.fi"}`),
		"deep array":   bytes.Repeat([]byte("["), 10000),
		"deep object":  bytes.Repeat([]byte(`{"a":`), 10000),
		"huge number":  []byte(`{"event":1e400,"timestamp":1e400,"ts":99999999999999999999999999,"status":-0}`),
		"twice":        []byte(`{"event":"bounce","event":"delivered","email":"a@x.fi","email":"b@x.fi"}`),
		"huge index":   []byte("a[999999999]=x&To=%2B1&b[]=%00"),
		"bad escape":   []byte("a=%zz&%=%&&&;;"),
		"xml":          []byte(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`),
		"binary":       {0, 1, 2, 0xff, 0xfe, 0x7f},
	}
}

func checkHostile(t *testing.T, info providers.Info, opts Options) {
	t.Helper()
	s := newSettings(t, info, opts)
	a := adapter(t, info, s)
	parse := func(name string, r *providers.Request, to string) {
		t.Helper()
		if err := verify(a, clone(r)); err != nil {
			checkSecrecy(t, info, s, to, err)
		}
		events, err := a.Parse(r)
		if err != nil && !errors.Is(err, providers.ErrMalformed) {
			t.Errorf("%s: %v does not wrap ErrMalformed", name, err)
		}
		checkSecrecy(t, info, s, to, err)
		for _, e := range events {
			checkEvent(t, e)
		}
	}
	for _, x := range tries(t, info, s) {
		r := x.build(t)
		for name, body := range hostileBodies() {
			bad := clone(r)
			bad.Body = body
			parse(x.Name+"/"+name, bad, x.shot.To)
			bad = clone(r)
			bad.Body, bad.Header = body, http.Header{}
			parse(x.Name+"/"+name+" without headers", bad, x.shot.To)
		}
		for n := 0; n < len(r.Body); n += 1 + len(r.Body)/64 {
			bad := clone(r)
			bad.Body = bad.Body[:n]
			parse(fmt.Sprintf("%s/cut at %d", x.Name, n), bad, x.shot.To)
		}
	}
}
