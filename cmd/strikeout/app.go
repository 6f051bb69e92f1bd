package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/spool"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// app is everything that serves, wired.
type app struct {
	cfg     *config
	log     *slog.Logger
	keyer   *recipient.Keyer
	rings   *tokens.Watcher
	metrics *handlers.Metrics
	db      *store.DB
	spool   *spool.DB // before db; nil: there is none
	server  *handlers.Server

	serves bool // and so it has the spool for itself

	endpoints map[string]handlers.Endpoint
	pages     *templates.Watcher

	desk  *admin.Server
	oidc  *admin.OIDC                     // nil: administrators sign in by password only
	first func(ctx context.Context) error // runs once the tables are there
}

// openStore opens the database with the address key there is. The caller
// closes it.
func (e *env) openStore(c *config, log *slog.Logger, o store.Observer, change ...func(*store.Config)) (*store.DB, *recipient.Keyer, error) {
	keyer, err := c.keyer()
	if err != nil {
		return nil, nil, err
	}
	if keyer == nil {
		return nil, nil, c.errNoKeys("address key")
	}
	sc := store.Config{URL: c.database, Keyer: keyer, Now: e.now, Logger: log, Observer: o}
	for _, f := range change {
		f(&sc)
	}
	db, err := store.Open(e.ctx, sc)
	if err != nil {
		return nil, nil, wrongKey(c, err)
	}
	return db, keyer, nil
}

// wrongKey says where the key came from that does not fit.
func wrongKey(c *config, err error) error {
	if !errors.Is(err, store.ErrWrongAddressKey) {
		return fmt.Errorf("open the database: %w", err)
	}
	_, from, kerr := c.savedAddressKey()
	if kerr != nil || from == "" {
		from = c.addressKeyPath()
	}
	return usage("%s: %w", from, err)
}

// prepare judges the configuration: endpoints, pages, the public URL. It makes
// and opens nothing, so that a start that is refused leaves nothing behind.
// With a provider, only its endpoints are there.
func (e *env) prepare(c *config, log *slog.Logger, provider ...string) (*app, error) {
	a := &app{cfg: c, log: log, metrics: handlers.NewMetrics(), endpoints: map[string]handlers.Endpoint{}}
	list, err := c.endpoints(provider...)
	if err != nil {
		return nil, err
	}
	fetch := newFetcher()
	for _, ep := range list {
		for _, w := range ep.warnings() {
			log.Warn(w)
		}
		if a.endpoints[ep.name], err = ep.build(fetch.fetch); err != nil {
			return nil, err
		}
	}
	if a.pages, err = e.openPages(c, log); err != nil {
		return nil, err
	}
	probe := func() *tokens.Ring { return nil }
	if _, err := newLinker(c, new(recipient.Keyer), probe, e.now); err != nil {
		return nil, err
	}
	return a, nil
}

// open opens keys and database, which exist already, and wires the server.
func (a *app) open(e *env) error {
	c := a.cfg
	var err error
	a.rings, err = tokens.NewWatcher(tokens.WatcherConfig{Path: c.tokenKeysFile, Now: e.now, Logger: a.log})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.errNoKeys("key that signs links")
	case err != nil:
		return c.wrongRing(err)
	}
	a.db, a.keyer, err = e.openStore(c, a.log, a.metrics)
	if err != nil {
		return err
	}
	linker, err := newLinker(c, a.keyer, a.rings.Ring, e.now)
	if err == nil {
		err = a.openDesk(e, linker)
	}
	if err == nil {
		err = a.openSpool(e)
	}
	if err == nil {
		a.server, err = handlers.New(a.spooled(handlers.Config{
			Store: a.db, Keyer: a.keyer, Ring: a.rings.Ring, Linker: linker, Pages: a.pages,
			Endpoints: a.endpoints, APIKeys: c.apiKeys, TrustedProxies: c.trustedProxies, DefaultRegion: c.defaultRegion, PublicURL: c.publicURL, Mailto: c.mailto,
			Evidence: c.evidence, Logger: a.log, Now: e.now, Rand: e.rand, Metrics: a.metrics, Limits: handlers.Limits{DrainWait: c.drainWait},
			SeparateMetrics: c.metricsListen != "", Desk: a.desk, SeparateDesk: c.adminListen != "",
		}))
	}
	if err != nil {
		return errors.Join(err, a.close())
	}
	return nil
}

// close lets go of the spool before the database that it stores into.
func (a *app) close() error {
	var err error
	if a.spool != nil {
		err = a.spool.Close()
	}
	return errors.Join(err, a.db.Close())
}

// openPages reads what recipients see.
func (e *env) openPages(c *config, log *slog.Logger) (*templates.Watcher, error) {
	w, err := templates.NewWatcher(templates.WatcherConfig{Options: c.pages, Dir: c.pagesDir, Now: e.now, Logger: log})
	if err != nil {
		return nil, &configError{where: c.said("pages"), key: "pages", reason: strings.TrimPrefix(err.Error(), "templates: ")}
	}
	return w, nil
}

// newApp is prepare and open, for commands that serve nobody: a bounce mail
// must not be lost because somebody edits a page.
func (e *env) newApp(c *config, log *slog.Logger, provider ...string) (*app, error) {
	c.pagesDir = ""
	a, err := e.prepare(c, log, provider...)
	if err == nil {
		err = a.open(e)
	}
	return a, err
}

func newLinker(c *config, keyer *recipient.Keyer, ring func() *tokens.Ring, now func() time.Time) (*tokens.Linker, error) {
	l, err := tokens.NewLinker(tokens.LinkerConfig{Ring: ring, Keyer: keyer, PublicURL: c.publicURL, Mailto: c.mailto, Now: now})
	if err != nil {
		key, reason, ok := strings.Cut(err.Error(), ": ")
		if !ok || key != "mailto" {
			key, reason = "public_url", strings.TrimPrefix(err.Error(), "public_url: ")
		}
		where := c.said(key)
		if where == "" {
			where = key
		}
		return nil, &configError{where: where, key: key, reason: reason}
	}
	return l, nil
}
