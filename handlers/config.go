package handlers

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// Config is what a Server needs. Store, Keyer, Ring, Linker and Pages are
// required; everything else has a default.
type Config struct {
	Store  Store
	Keyer  *recipient.Keyer
	Ring   func() *tokens.Ring // the current ring; asked for each link
	Linker *tokens.Linker
	Pages  *templates.Watcher // asked for each page: an operator may change them

	Endpoints map[string]Endpoint // by configured name
	APIKeys   []APIKey            // from the configuration; those of the store come on top

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; empty: nobody's
	DefaultRegion  string         // completes national phone numbers of API input ("FI")
	Mailto         string         // the Linker's, whose codes mails carry; empty: none
	PublicURL      string         // what providers and recipients call: scheme and host, perhaps a path

	// Evidence says what is kept of a visitor's connection; by default nothing.
	Evidence Evidence

	Logger  *slog.Logger
	Now     func() time.Time
	Rand    io.Reader // request ids; default crypto/rand
	Metrics *Metrics  // shared with the store, which reports its commits to it
	Limits  Limits

	// Spool is the spool that stands before Store; nil: there is none.
	Spool Spool

	// SeparateMetrics leaves /metrics out of App, because MetricsApp listens
	// elsewhere.
	SeparateMetrics bool

	// Desk is the administrators' pages; nil: there are none.
	Desk *admin.Server
	// SeparateDesk leaves them out of App, because ServeDesk listens elsewhere.
	SeparateDesk bool
}

// Evidence is what an operator may keep with an opt-out beyond what was shown
// and pressed. Both are personal data: somebody has to need them.
type Evidence struct {
	IP        bool // the visitor's address, as far as trusted proxies tell
	UserAgent bool
}

// Endpoint is one configured address that a provider posts to.
type Endpoint struct {
	Name    string
	Info    providers.Info
	Adapter providers.Adapter
	Guard   providers.Guard
	// MaxAge is the replay window of signed timestamps; 0 accepts any age.
	MaxAge time.Duration
	// URL is the address exactly as entered at the provider; empty: PublicURL and
	// the request's path.
	URL string
	// Unsigned accepts requests without the provider's signature. Without a guard
	// they are accepted from loopback only.
	Unsigned bool
	// BodyLimit is the most bytes of a request on the wire; 0: the greater of
	// Info.BodyLimit and Limits.WebhookBody.
	BodyLimit int
	// Secrets are taken out of what is kept of a request.
	Secrets []string
}

// APIKey is a key of the configuration.
type APIKey struct {
	Name   string
	Scopes []string
	SHA256 [32]byte // of the whole key, prefix included
}

// Limits bounds what a request may cost. Zero values mean the defaults.
type Limits struct {
	WebhookBody int // bytes on the wire; default 2 MiB
	Inflated    int // bytes of a compressed webhook after inflation; default 8 MiB, never below the endpoint's BodyLimit
	APIBody     int // default 4 MiB
	PageBody    int // default 64 KiB
	OtherBody   int // every other route; default 1 MiB

	Unanswered int // bytes of all requests that are not answered yet; default 256 MiB

	ReadTimeout  time.Duration // whole request; default 10 s
	WriteTimeout time.Duration // default 10 s
	IdleTimeout  time.Duration // default 60 s
	StoreTimeout time.Duration // longest wait for a commit; default 8 s, below every provider's own patience
	DrainWait    time.Duration // between "not ready" and closing the listener; default 0

	Concurrency int // connections served at once; default 10 000
	Batch       int // addresses of one check, recipients of one links request; default 10 000
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.WebhookBody, providers.DefaultBodyLimit)
	orDefault(&l.Inflated, 8<<20)
	orDefault(&l.APIBody, 4<<20)
	orDefault(&l.PageBody, 64<<10)
	orDefault(&l.OtherBody, 1<<20)
	orDefault(&l.Unanswered, 256<<20)
	orDefault(&l.ReadTimeout, 10*time.Second)
	orDefault(&l.WriteTimeout, 10*time.Second)
	orDefault(&l.IdleTimeout, time.Minute)
	orDefault(&l.StoreTimeout, 8*time.Second)
	orDefault(&l.Concurrency, 10_000)
	orDefault(&l.Batch, 10_000)
	return l
}

func (c *Config) check() error {
	switch {
	case c.Store == nil:
		return errors.New("handlers: no store")
	case c.Keyer == nil:
		return errors.New("handlers: no address key")
	case c.Ring == nil:
		return errors.New("handlers: no token keys")
	case c.Linker == nil:
		return errors.New("handlers: no linker")
	case c.Pages == nil:
		return errors.New("handlers: no pages")
	}
	for name, e := range c.Endpoints {
		if e.Adapter == nil {
			return fmt.Errorf("handlers: endpoint %q has no adapter", name)
		}
		if e.Info.Signing == providers.SignsNever && !e.Guard.Active() && !e.Unsigned {
			return fmt.Errorf("handlers: endpoint %q: %s signs nothing, so it needs path_secret or basic_auth", name, e.Info.Name)
		}
	}
	return nil
}
