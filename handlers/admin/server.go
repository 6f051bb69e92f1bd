package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// Config is what a Server needs. Store, Keyer and URL are required.
type Config struct {
	Store *store.DB
	Keyer *recipient.Keyer

	// URL is what administrators call, without "/admin": scheme, host, perhaps a
	// path. When it is https, cookies are bound to https and to the host.
	URL string
	// APIKeys are the names of the keys that stand in the configuration: they are
	// shown, and their names are taken.
	APIKeys []ConfiguredKey
	// OIDC lets people sign in by an identity provider; nil: by password only.
	OIDC *OIDC
	// Provider finds the provider of an endpoint; nil: none is known.
	Provider func(endpoint string) (providers.Info, bool)
	// Links is what the link desk needs; nil: there is none.
	Links *Links
	// DefaultRegion completes national phone numbers ("FI").
	DefaultRegion string

	Logger *slog.Logger
	Now    func() time.Time
	Rand   io.Reader // tokens; default crypto/rand
	// Timeout bounds what a request may wait for the database; default 8 s.
	Timeout time.Duration
}

// ConfiguredKey is an API key of the configuration.
type ConfiguredKey struct {
	Name   string
	Scopes []string
}

// ClientKey is the Fiber local under which handlers leaves the netip.Addr of
// whoever sent the request, as far as trusted proxies tell it.
const ClientKey = "strikeout.client"

// Server answers the pages of the desk. It is safe for concurrent use.
type Server struct {
	cfg    Config
	log    *slog.Logger
	base   string // path before /admin, without a slash at its end
	host   string // of URL
	secure bool
	table  []*row
	pages  *pages
	hash   *hasher
	oidc   *relyingParty
	svc    Service
	jobs   *jobs
}

// New checks the configuration. Nothing is fetched: an identity provider that
// is away must not keep the service from starting.
func New(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 8 * time.Second
	}
	u, err := url.Parse(cfg.URL)
	switch {
	case cfg.Store == nil:
		return nil, errors.New("admin: no store")
	case cfg.Keyer == nil:
		return nil, errors.New("admin: no address key")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("admin: the URL needs a scheme and a host")
	}
	s := &Server{cfg: cfg, log: cfg.Logger, base: strings.TrimSuffix(u.Path, "/"), host: strings.ToLower(u.Host), secure: u.Scheme == "https", hash: newHasher(), jobs: newJobs()}
	if s.pages, err = newPages(s.at); err != nil {
		return nil, fmt.Errorf("admin: pages: %w", err)
	}
	if cfg.OIDC != nil {
		if s.oidc, err = newRelyingParty(*cfg.OIDC, s.Address("/admin/oidc/callback"), cfg.Now); err != nil {
			return nil, err
		}
	}
	s.table = s.routeTable()
	return s, nil
}

// Mount registers the desk's routes under /admin.
func (s *Server) Mount(r fiber.Router) {
	for _, row := range s.table {
		h := s.wrap(row)
		if row.method == fiber.MethodGet {
			r.Get(row.fiberPath(), h) // and HEAD
			continue
		}
		r.Add(row.method, row.fiberPath(), h)
	}
	missing := s.wrap(&row{method: "GET", path: "/admin/{other}", handler: func(*Ctx) error { return errNotFound }})
	r.All("/admin", missing)
	r.All("/admin/*", missing)
}

// maxBody is the most bytes that a form of the desk sends, unless its row says
// otherwise.
const maxBody = 256 << 10

// BodyLimit returns how many bytes of a body may be read. More than a form's
// worth is read only for somebody who may use the page.
func (s *Server) BodyLimit(h *fasthttp.RequestHeader) int {
	path, _, _ := strings.Cut(string(h.RequestURI()), "?")
	for _, row := range s.table {
		if row.body <= maxBody || string(h.Method()) != row.method || !row.matches(path) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
		defer cancel()
		_, u, err := s.session(ctx, string(h.Cookie(s.cookieName())))
		if err == nil && u.Role.Includes(row.role) {
			return row.body
		}
	}
	return maxBody
}

// TooLarge answers a form that was refused before its body was read. Nobody knows
// then who sent it: somebody whose session has ended may send little.
func (s *Server) TooLarge(f *fiber.Ctx) {
	c := &Ctx{Ctx: f, Std: context.Background(), Lang: "en", row: &row{}, Log: s.log}
	s.headers(c)
	s.fail(c, refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("This is more than the desk takes: lists have at most %d MiB, lists that get links %d MiB, messages %d MiB, everything else %d KiB. "+
		"Or your session has ended: then sign in and do it again.", maxUpload>>20, maxLinkList>>20, maxMail>>20, maxBody>>10)))
}

// at returns the path of a page as browsers must call it.
func (s *Server) at(path string) string { return s.base + path }

// Address returns the whole URL of a page of the desk.
func (s *Server) Address(path string) string {
	return strings.TrimSuffix(s.cfg.URL, "/") + path
}

func (s *Server) now() time.Time { return recipient.Micro(s.cfg.Now()) }

func clientOf(c *fiber.Ctx) netip.Addr {
	if a, ok := c.Locals(ClientKey).(netip.Addr); ok {
		return a
	}
	a, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return a.Unmap()
}
