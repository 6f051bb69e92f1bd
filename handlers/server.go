package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/strikeout/strikeout/recipient"
)

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	cfg       Config
	log       *slog.Logger
	metrics   *Metrics
	endpoints map[string]*endpoint
	keys      *keyring
	nonces    nonces
	badLinks  *limiter
	badCodes  *limiter

	linkCounts linkCounts
	suspects   chan *suspect // rejected requests to be examined

	table        []*route
	metricsTable []*route
	app          *fiber.App
	metricsApp   *fiber.App
	deskApp      *fiber.App // the desk on a listener of its own

	reading  sync.Map // *fasthttp.RequestHeader: path, while a body is read that readsLong
	draining atomic.Bool
	drained  chan struct{} // closed by a test, it ends Limits.DrainWait
	// unanswered is how many bytes of requests are held.
	unanswered atomic.Int64
	waiters    atomic.Int32       // long polls of the feed
	stop       context.CancelFunc // ends the background work
	started    sync.Once
	work       sync.WaitGroup
	base       context.Context
}

// New checks the configuration and builds the apps. It listens nowhere yet.
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
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	cfg.Limits = cfg.Limits.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger, metrics: cfg.Metrics, endpoints: map[string]*endpoint{},
		badLinks: newLimiter(cfg.Now), badCodes: newLimiter(cfg.Now), suspects: make(chan *suspect, examineRoom)}
	s.base, s.stop = context.WithCancel(context.Background())
	for name, e := range cfg.Endpoints {
		e.Name = name
		if e.BodyLimit <= 0 {
			e.BodyLimit = max(e.Info.BodyLimit, cfg.Limits.WebhookBody)
		}
		s.endpoints[name] = &endpoint{Endpoint: e, secrets: newSecretTexts(e.Secrets), meter: s.metrics.endpoint(name), watch: watch{final: e.Info.RejectFinal}}
	}
	s.keys = newKeyring(cfg.Store, cfg.APIKeys, cfg.Now)
	s.nonces = newNonces(cfg.Keyer, cfg.Now)
	if cfg.Spool != nil {
		s.metrics.spool(cfg.Spool, cfg.Now)
	}
	s.table = s.routeTable()
	s.app = s.newApp(s.table)
	health := []*route{{methods: "GET", pattern: "/healthz", handler: s.healthz},
		{methods: "GET", pattern: "/readyz", handler: s.readyz}}
	s.metricsTable = append([]*route{s.metricsRoute()}, health...)
	s.metricsApp = s.newApp(s.metricsTable)
	s.deskApp = s.newApp(health)
	if cfg.Desk != nil {
		cfg.Desk.Attach(s)
		s.mountDesk(s.deskApp)
		if !cfg.SeparateDesk {
			s.mountDesk(s.app)
		}
	}
	return s, nil
}

// App returns the main app: webhooks, unsubscribe pages, API, health.
func (s *Server) App() *fiber.App { return s.app }

// MetricsApp returns an app with /metrics, /healthz and /readyz alone.
func (s *Server) MetricsApp() *fiber.App { return s.metricsApp }

func (s *Server) newApp(table []*route) *fiber.App {
	l := s.cfg.Limits
	app := fiber.New(fiber.Config{
		DisableStartupMessage:        true,
		DisableDefaultContentType:    true,
		DisablePreParseMultipartForm: true,
		Immutable:                    true, // a second belt: handlers copy what they keep
		StreamRequestBody:            false,
		ReadBufferSize:               16 << 10, // signature headers are large
		BodyLimit:                    l.OtherBody,
		Concurrency:                  l.Concurrency,
		ReadTimeout:                  l.ReadTimeout,
		WriteTimeout:                 l.WriteTimeout,
		IdleTimeout:                  l.IdleTimeout,
		EnableTrustedProxyCheck:      true, // with no proxies: Fiber believes no header, we walk ourselves
		ErrorHandler:                 s.unrouted(table),
	})
	srv := app.Server()
	srv.HeaderReceived = s.bodyLimit
	srv.CloseOnShutdown = true
	srv.SecureErrorLogMessage = true
	s.register(app, table)
	return app
}

// uploadTimeout is how long a list may take to arrive: 64 MiB by a slow line.
const uploadTimeout = 5 * time.Minute

// bodyLimit sets how much of a body is read, by route. A larger
// Content-Length is refused before the body is read.
func (s *Server) bodyLimit(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	l := s.cfg.Limits
	limit, patience := l.OtherBody, time.Duration(0)
	target := string(h.RequestURI())
	if readsLong(h) {
		path, _, _ := strings.Cut(target, "?")
		s.reading.Store(h, path)
	}
	switch first, second, third := firstSegments(target); first {
	case "webhooks":
		limit = l.WebhookBody
		if ep := s.endpoints[second]; ep != nil {
			limit = ep.bodyLimit(limit, string(h.Peek(fiber.HeaderAuthorization)), third)
		}
	case "v1":
		limit = l.APIBody
	case "u":
		limit = l.PageBody
	case "admin":
		if s.cfg.Desk != nil {
			if limit = s.cfg.Desk.BodyLimit(h); limit > l.OtherBody {
				patience = uploadTimeout // somebody signed in uploads a list
			}
		}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: limit, ReadTimeout: patience}
}

// readsLong reports whether reading the body may end with a refusal.
func readsLong(h *fasthttp.RequestHeader) bool {
	n := h.ContentLength()
	return n == -1 || n > smallRequest
}

// Serve answers requests from ln until Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	s.start()
	if err := s.app.Listener(s.lingering(ln)); err != nil {
		return fmt.Errorf("handlers: serve: %w", err)
	}
	return nil
}

// ServeMetrics answers /metrics and the health routes from ln until Shutdown.
func (s *Server) ServeMetrics(ln net.Listener) error {
	if err := s.metricsApp.Listener(ln); err != nil {
		return fmt.Errorf("handlers: serve metrics: %w", err)
	}
	return nil
}

// Shutdown drains: readiness turns false and answers ask clients to close their
// connections, then, after Limits.DrainWait, the listeners close and requests
// in flight finish. The store is closed by its owner, afterwards.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	if w := s.cfg.Limits.DrainWait; w > 0 {
		t := time.NewTimer(w)
		select {
		case <-t.C:
		case <-s.drained:
			t.Stop()
		case <-ctx.Done():
			t.Stop()
		}
	}
	err := s.app.ShutdownWithContext(ctx)
	s.stop()
	s.work.Wait()
	if s.cfg.Desk != nil {
		s.cfg.Desk.Close()
	}
	s.saveWatches()
	s.saveLinkCounts()
	s.saveKeyUse()
	s.saveTraffic()
	// Last, so that readiness can be asked while requests finish.
	err = errors.Join(err, s.deskApp.ShutdownWithContext(ctx), s.metricsApp.ShutdownWithContext(ctx))
	if err != nil {
		return fmt.Errorf("handlers: shutdown: %w", err)
	}
	return nil
}

// endpointNames lists the endpoints in order.
func (s *Server) endpointNames() []string { return slices.Sorted(maps.Keys(s.endpoints)) }

// withTimeout bounds what a request may wait for the database. Requests in
// flight at shutdown finish, so their context does not end with the server.
func (s *Server) withTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.cfg.Limits.StoreTimeout)
}

func (s *Server) now() time.Time { return recipient.Micro(s.cfg.Now()) }
