package providers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Signing says how a provider proves that a request is its own.
type Signing string

// The ways of signing.
const (
	SignsAlways Signing = "always"   // a secret is required to start
	SignsOption Signing = "optional" // with a secret we check; without one the endpoint needs a path secret or Basic auth
	SignsNever  Signing = "never"    // the endpoint needs a path secret or Basic auth
)

// Info describes a provider. It is data: the catalogue, the documentation and
// the simulator are made from it.
type Info struct {
	Name     string // the slug: "sendgrid", "46elks"
	Title    string // "Twilio SendGrid"
	Channels []recipient.Channel
	Docs     string // URL of the provider's webhook documentation

	Signing  Signing
	Settings []Setting

	// BusyStatus is the answer that makes the provider try again later; 0 is 503.
	BusyStatus int
	// RejectFinal says that the provider never repeats a request we answered with
	// a 4xx, so that a wrong secret loses reports.
	RejectFinal bool
	// RetryFor is how long the provider repeats a failed request; 0: it does not, or nobody says.
	RetryFor  time.Duration
	RetryNote string // one sentence on its retries
	// MaxAge is the default replay window of signed timestamps; 0: any age, because retries keep the first one.
	MaxAge time.Duration
	// BodyLimit is the most bytes of a request, where batches or returned mails
	// make them large; 0: DefaultBodyLimit.
	BodyLimit int

	Setup   []string  // numbered steps; {url} stands for the address to enter
	Events  []string  // what to tick at the provider
	Mapping []Mapping // what becomes what
	Gaps    []string  // known gaps, said plainly
	Lists   []OwnList // the provider's own lists of addresses it refuses to send to

	New      func(Settings) (Adapter, error)
	Simulate Simulator
}

// Busy returns the status to answer when we cannot store now.
func (i Info) Busy() int {
	if i.BusyStatus == 0 {
		return 503
	}
	return i.BusyStatus
}

// DefaultBodyLimit is the most bytes of a request of most providers.
const DefaultBodyLimit = 2 << 20

// MaxBody returns the most bytes that a request of the provider may have.
func (i Info) MaxBody() int {
	if i.BodyLimit == 0 {
		return DefaultBodyLimit
	}
	return i.BodyLimit
}

// Mapping is one row of a provider's documentation.
type Mapping struct {
	Report string         // the provider's own words
	Kind   recipient.Kind // empty: no event
	Echo   bool
	Note   string
}

// Setting is one key of an endpoint's configuration, beyond those that every
// endpoint has (basic_auth, path_secret, unsigned, max_age, url, body_limit).
type Setting struct {
	Name     string // "signing_secret"
	Help     string // one sentence: what the provider calls it and where to find it
	List     bool   // several values are accepted at once (rotation)
	Verifies bool   // with it set, requests are authenticated by signature
	File     bool   // values name files; the adapter gets their content
	Choices  []string
	Default  string
}

// Verifies reports whether s holds what checks this provider's signatures.
func (i Info) Verifies(s Settings) bool {
	for _, d := range i.Settings {
		if d.Verifies && len(s.All(d.Name)) > 0 {
			return true
		}
	}
	return false
}

// Settings are the values of one endpoint.
type Settings struct {
	Values map[string][]string
	// Unsigned is the operator's explicit "accept without the provider's
	// signature"; New then does without secrets.
	Unsigned bool
	// Fetch gets a certificate or confirms a subscription, from an address that the
	// adapter has checked against its exact rule. It refuses private networks and
	// redirects. Nil: no fetching.
	Fetch func(ctx context.Context, url string) ([]byte, error)
}

// Set builds Settings from name, value pairs, for tests and simulators.
func Set(pairs ...string) Settings {
	s := Settings{Values: map[string][]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Values[pairs[i]] = append(s.Values[pairs[i]], pairs[i+1])
	}
	return s
}

// All returns the non-empty values of a setting.
func (s Settings) All(name string) []string {
	var out []string
	for _, v := range s.Values[name] {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// Get returns the first value of a setting, or the fallback.
func (s Settings) Get(name, fallback string) string {
	if all := s.All(name); len(all) > 0 {
		return all[0]
	}
	return fallback
}

// ErrSetting is wrapped by every error of a New: a setting is missing or wrong.
var ErrSetting = errors.New("setting")

// SettingError names the setting and what was expected, never the value.
func SettingError(name, expected string) error {
	return fmt.Errorf("%w %q: %s", ErrSetting, name, expected)
}

// Secrets returns the values of a setting as bytes. Without any it is an
// error, unless the endpoint is explicitly unsigned.
func (s Settings) Secrets(name string) ([][]byte, error) {
	all := s.All(name)
	if len(all) == 0 && !s.Unsigned {
		return nil, SettingError(name, "required; without it requests cannot be told from forged ones")
	}
	return asBytes(all), nil
}

// OptionalSecrets returns the values of a setting as bytes, none where it is absent.
func (s Settings) OptionalSecrets(name string) [][]byte { return asBytes(s.All(name)) }

// Confidential returns the values that nobody may read in what is kept of a
// request: shared secrets and credentials, sorted by setting.
func (s Settings) Confidential() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		if strings.Contains(name, "secret") || strings.Contains(name, "token") || name == "basic_auth" || name == PrivateKeySetting {
			out = append(out, s.All(name)...)
		}
	}
	return out
}

func asBytes(all []string) [][]byte {
	out := make([][]byte, len(all))
	for i, v := range all {
		out[i] = []byte(v)
	}
	return out
}

// PrivateKeySetting is the value that signs simulated requests where the
// adapter itself holds only a public key. Adapters do not read it.
const PrivateKeySetting = "private_key"

// Simulator makes requests as the provider would send them.
type Simulator struct {
	// Settings makes an endpoint's settings with fresh secrets (and, where needed,
	// PrivateKeySetting) for demonstrations and tests.
	Settings func(rand io.Reader) (Settings, error)
	Samples  []Sample
}

// Sample is one kind of request a provider sends.
type Sample struct {
	Name    string            // hard, soft, complaint, opt_out, stop, start, delivered, echo ...
	Title   string            // one line for people
	Channel recipient.Channel // empty: the provider's only channel
	Kinds   []recipient.Kind  // what Parse makes of it, in order
	Build   func(Shot) (*Request, error)
}

// Shot is what a simulated request is about.
type Shot struct {
	Settings Settings
	URL      string // the full address of the endpoint
	To       string // normal form of the recipient
	ID       string // unique: becomes message and event id
	At       time.Time
}

// Post builds a simulated request received at the shot's time. Headers come as
// name, value pairs.
func (s Shot) Post(contentType string, body []byte, headers ...string) *Request {
	r := &Request{Method: "POST", URL: s.URL, Header: map[string][]string{}, Body: body, ReceivedAt: s.At}
	_, r.RawQuery, _ = strings.Cut(s.URL, "?")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// Get builds a simulated GET request with the given query added to the URL.
func (s Shot) Get(rawQuery string, headers ...string) *Request {
	sep := "?"
	if strings.Contains(s.URL, "?") {
		sep = "&"
	}
	s.URL += sep + rawQuery
	r := s.Post("", nil, headers...)
	r.Method = "GET"
	return r
}
