package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/providers/dsn"
)

// endpointConfig is one endpoint as it is configured.
type endpointConfig struct {
	name      string
	info      providers.Info
	settings  providers.Settings // of the provider, with basic_auth and path_secret
	maxAge    time.Duration
	url       string
	bodyLimit int

	value
	lines map[string]string // setting: where it stands
}

// The keys that every endpoint has, beside the settings of its provider.
var endpointKeys = []string{"provider", "basic_auth", "path_secret", "unsigned", "max_age", "url", "body_limit"}

// privateKeyKey lets `simulate` sign where Strikeout itself needs the public
// half only. It is meant for test configurations.
const privateKeyKey = providers.PrivateKeySetting

// endpoints reads the endpoints, sorted by name; with a provider, only its
// own. It fills in variables and reads files, so commands ask for no more than
// they need: a mail server's pipe does not know every provider's secret.
func (c *config) endpoints(provider ...string) ([]endpointConfig, error) {
	if c.endpointsValue == nil {
		return nil, nil
	}
	fields, err := c.endpointsValue.fields("endpoints such as\n  postmark: {provider: postmark, path_secret: ...}")
	if err != nil {
		return nil, err
	}
	var out []endpointConfig
	for _, f := range fields {
		if len(provider) > 0 && !f.of(provider[0]) {
			continue
		}
		e, err := readEndpoint(f)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b endpointConfig) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// of reports whether an endpoint is of a provider, before anything else of it
// is judged.
func (f field) of(provider string) bool {
	fields, _ := f.fields("keys") //nolint:errcheck // then there is no provider either
	for _, part := range fields {
		if part.name == "provider" {
			name, err := part.text("a provider")
			return err == nil && name == provider
		}
	}
	return false
}

var endpointName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func readEndpoint(f field) (endpointConfig, error) {
	e := endpointConfig{name: f.name, value: f.value, lines: map[string]string{}, settings: providers.Settings{Values: map[string][]string{}}}
	if !endpointName.MatchString(f.name) {
		return e, f.here("expected a name of at most 64 of A-Z a-z 0-9 . _ - : it is a part of the address")
	}
	fields, err := f.fields("keys such as provider: postmark")
	if err != nil {
		return e, err
	}
	if e.info, err = e.provider(f, fields); err != nil {
		return e, err
	}
	e.maxAge = e.info.MaxAge
	for _, part := range fields {
		e.lines[part.name] = part.where()
		if err := e.set(part); err != nil {
			return e, err
		}
	}
	return e, e.check(f)
}

// provider comes first: it decides which other keys there are.
func (e *endpointConfig) provider(f field, fields []field) (providers.Info, error) {
	for _, part := range fields {
		if part.name != "provider" {
			continue
		}
		name, err := part.text("a provider; `strikeout providers` lists them")
		if err != nil {
			return providers.Info{}, err
		}
		info, ok := all.Lookup(name)
		if !ok {
			var names []string
			for _, i := range all.Infos() {
				names = append(names, i.Name)
			}
			if near := nearest(name, names); near != "" {
				return info, part.fail("unknown provider, did you mean %q?", near)
			}
			return info, part.fail("unknown provider; `strikeout providers` lists them")
		}
		return info, nil
	}
	return providers.Info{}, f.here("provider: is missing; `strikeout providers` lists them")
}

// set reads one key.
func (e *endpointConfig) set(f field) (err error) {
	switch f.name {
	case "provider":
		return nil
	case "unsigned":
		e.settings.Unsigned, err = f.boolean()
		return err
	case "max_age":
		e.maxAge, err = f.duration()
		return err
	case "body_limit":
		e.bodyLimit, err = f.bytes(1<<10, 64<<20)
		return err
	case "url":
		if e.url, err = f.text("the address as it is entered at the provider"); err != nil {
			return err
		}
		if _, ok := webURL(e.url); !ok {
			return f.fail("expected the address as it is entered at the provider, https://...")
		}
		return nil
	case "basic_auth":
		return e.guard(f, `"user:password"`, func(s string) bool {
			user, password, ok := strings.Cut(s, ":")
			return ok && user != "" && password != ""
		})
	case "path_secret":
		return e.guard(f, "A-Z a-z 0-9 . _ ~ - and the like: it is a part of the address", func(s string) bool { return url.PathEscape(s) == s })
	}
	for _, s := range e.info.Settings {
		if s.Name == f.name {
			return e.setting(f, s)
		}
	}
	if f.name == privateKeyKey {
		return e.setting(f, providers.Setting{Name: privateKeyKey, File: true, Help: "signs simulated requests"})
	}
	known := slices.Clone(endpointKeys)
	for _, s := range e.info.Settings {
		known = append(known, s.Name)
	}
	return f.unknown(known)
}

// guard reads basic_auth or path_secret.
func (e *endpointConfig) guard(f field, expected string, valid func(string) bool) error {
	list, err := f.texts(expected)
	if err != nil {
		return err
	}
	for _, s := range list {
		if !valid(s) {
			return f.fail("expected %s", expected)
		}
	}
	e.settings.Values[f.name] = list
	return nil
}

// setting reads a setting of the provider.
func (e *endpointConfig) setting(f field, s providers.Setting) error {
	expected := "a value"
	switch {
	case len(s.Choices) > 0:
		expected = "one of " + strings.Join(s.Choices, ", ")
	case s.File:
		expected = "the name of a file"
	}
	list := f.list()
	if len(list) == 0 {
		return f.fail("is empty; expected %s", expected)
	}
	if len(list) > 1 && !s.List {
		return f.fail("expected one value, not a list")
	}
	for _, one := range list {
		text, err := one.text(expected)
		if err != nil {
			return err
		}
		// A key in the file itself is as good as the name of a file that holds it.
		if s.File && !strings.Contains(text, "-----BEGIN ") {
			if text, err = one.content(expected); err != nil {
				return err
			}
		}
		if len(s.Choices) > 0 && !contains(s.Choices, text) {
			return one.fail("expected %s", expected)
		}
		e.settings.Values[s.Name] = append(e.settings.Values[s.Name], text)
	}
	return nil
}

// check refuses an endpoint that anybody could post to.
func (e *endpointConfig) check(f field) error {
	if e.settings.Unsigned || e.guarded() {
		return nil
	}
	switch e.info.Signing {
	case providers.SignsNever:
		return f.here("%s signs nothing, so the endpoint needs path_secret or basic_auth", e.info.Title)
	case providers.SignsOption:
		if !e.info.Verifies(e.settings) {
			return f.here("without %s anybody could post here; set it, or path_secret or basic_auth", e.verifying())
		}
	}
	return nil
}

func (e *endpointConfig) guarded() bool {
	return len(e.settings.All("basic_auth"))+len(e.settings.All("path_secret")) > 0
}

// verifying names the settings that check signatures.
func (e *endpointConfig) verifying() string {
	var names []string
	for _, s := range e.info.Settings {
		if s.Verifies {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, " or ")
}

var settingName = regexp.MustCompile(`^setting "([a-z0-9_]+)": (.*)$`)

// build makes the endpoint ready to serve.
func (e *endpointConfig) build(fetch func(ctx context.Context, url string) ([]byte, error)) (handlers.Endpoint, error) {
	out, err := newEndpoint(e.name, e.info, e.settings, fetch)
	if err == nil {
		out.MaxAge, out.URL, out.BodyLimit = e.maxAge, e.url, e.bodyLimit
		return out, nil
	}
	if !errors.Is(err, providers.ErrSetting) {
		return out, &configError{where: e.where(), key: e.key, reason: err.Error()}
	}
	// "setting "public_key": required; ..." stands best on that setting's line.
	where, key, reason := e.where(), e.key, err.Error()
	if i := strings.Index(reason, "setting "); i >= 0 {
		if m := settingName.FindStringSubmatch(reason[i:]); m != nil {
			key, reason = key+"."+m[1], m[2]
			if at := e.lines[m[1]]; at != "" {
				where = at
			}
		}
	}
	return out, &configError{where: where, key: key, reason: reason}
}

// newEndpoint makes an endpoint from plain settings.
func newEndpoint(name string, info providers.Info, s providers.Settings, fetch func(ctx context.Context, url string) ([]byte, error)) (handlers.Endpoint, error) {
	s.Fetch = fetch
	given := s
	if s.Unsigned {
		given = unverified(info, s)
	}
	adapter, err := info.New(given)
	if err != nil {
		return handlers.Endpoint{}, err //nolint:wrapcheck // the caller says which endpoint
	}
	return handlers.Endpoint{Name: name, Info: info, Adapter: adapter, Unsigned: s.Unsigned, MaxAge: info.MaxAge,
		Guard: providers.NewGuard(s.All("basic_auth"), s.All("path_secret")), Secrets: s.Confidential()}, nil
}

// unverified leaves out what checks signatures: adapters check with whatever
// they are given. A list of topics stays: it also says which subscriptions may
// be confirmed, and those are always signed.
func unverified(info providers.Info, s providers.Settings) providers.Settings {
	s.Values = maps.Clone(s.Values)
	for _, d := range info.Settings {
		if d.Verifies && d.Name != "topics" {
			delete(s.Values, d.Name)
		}
	}
	return s
}

// warnings are what an operator should hear about an endpoint at every start.
func (e *endpointConfig) warnings() []string {
	var out []string
	say := func(format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: endpoint %q: %s", e.where(), e.name, fmt.Sprintf(format, args...)))
	}
	switch {
	case e.settings.Unsigned && !e.guarded():
		say("UNSIGNED: nothing proves who posts here; requests are taken from this machine only")
	case e.settings.Unsigned:
		say("UNSIGNED: the signatures of %s are not checked", e.info.Title)
	}
	if e.settings.Unsigned && len(unverified(e.info, e.settings).Values) < len(e.settings.Values) {
		say("%s is set but not used, because of unsigned: true", e.verifying())
	}
	takesMail := slices.ContainsFunc(e.info.Settings, func(s providers.Setting) bool { return s.Name == dsn.VerpSetting })
	if takesMail && len(e.settings.All(dsn.VerpSetting)) == 0 {
		say("a bounce mail can be forged, and would block the address it names: set verp_secret, and send with return paths made with it")
	}
	for _, s := range e.settings.All("path_secret") {
		if len(s) < 16 {
			say("path_secret is short; take 16 characters or more at random")
			break
		}
	}
	return out
}
