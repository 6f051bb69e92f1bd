package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/strikeout/strikeout/store"
)

type serveCmd struct {
	Listen        *string `placeholder:"ADDR" help:"host:port for webhooks, links and the API (default 127.0.0.1:8080)."`
	AdminListen   *string `placeholder:"ADDR" help:"host:port for administrators."`
	MetricsListen *string `placeholder:"ADDR" help:"host:port for /metrics alone; without it they are at the main address."`
	Migrate       *bool   `negatable:"" help:"Bring the tables up to date first (the default); --no-migrate leaves it to strikeout migrate."`
}

func (serveCmd) Help() string {
	return `Without any configuration: SQLite and fresh keys in ./strikeout-data, on 127.0.0.1:8080.

    strikeout serve
    strikeout serve --config /etc/strikeout.yaml
    STRIKEOUT_DATABASE='mysql://user:password@tcp(db:3306)/strikeout' STRIKEOUT_ADDRESS_KEY=... strikeout serve

SIGTERM or Ctrl-C drains: /readyz turns 503, after drain_wait the listener closes, requests in flight finish, the database is
closed last. A second signal ends the process at once.

While a MySQL server cannot be reached, providers are told to try again, or, with the setting spool, reports and clicks are kept
in its directory; the tables are brought up to date when the server is back.
Database users without the right to change tables: --no-migrate, and run strikeout migrate as another user.`
}

func (cmd *serveCmd) flags() map[string]string {
	flags := given(map[string]*string{"listen": cmd.Listen, "admin_listen": cmd.AdminListen, "metrics_listen": cmd.MetricsListen})
	if cmd.Migrate != nil {
		flags["migrate"] = fmt.Sprint(*cmd.Migrate)
	}
	return flags
}

func (cmd *serveCmd) Run(e *env) error {
	c, err := e.config(cmd.flags())
	if err != nil {
		return err
	}
	log := e.logger(c)
	for _, n := range c.notes {
		log.Warn(n)
	}
	ln, err := listen(e.ctx, "listen", c.listen)
	if err != nil {
		return err
	}
	if c.said("public_url") == "" {
		c.publicURL = "http://" + reachable(ln.Addr().String())
		log.Warn("public_url is not set: links work on this machine only", "public_url", c.publicURL)
	}
	a, err := e.prepare(c, log)
	if err == nil {
		a.serves = true
		a.oidc, err = c.oidc()
	}
	if err == nil {
		err = e.announceKeys(c, log)
	}
	if err == nil {
		err = a.open(e)
	}
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	collectSeldom(e)
	return a.serve(e.ctx, ln, func(addr string) {
		e.printf("strikeout listens on http://%s (%s)\n", addr, databaseText(c.database))
	})
}

// The service keeps little and makes much garbage: what lives takes 20 MB, so
// half as much again between collections costs little memory and saves a third
// of them.
const gcPercent = 150

// collectSeldom sets that, unless the operator set something.
func collectSeldom(e *env) {
	if e.getenv("GOGC") == "" && e.getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// announceKeys makes the keys that are missing and says so.
func (e *env) announceKeys(c *config, log *slog.Logger) error {
	made, err := e.ensureKeys(e.ctx, c)
	for _, name := range made {
		log.Warn("made fresh keys; back them up with the database", "file", name)
	}
	if len(made) > 0 && strings.HasPrefix(c.database, "mysql:") {
		log.Warn("several replicas need the same keys: configure address_key and token_keys_file for all of them")
	}
	return err
}

// databaseText names the database without its password.
func databaseText(url string) string {
	if rest, ok := strings.CutPrefix(url, "mysql://"); ok {
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			rest = rest[i+1:]
		}
		rest, _, _ = strings.Cut(rest, "?")
		return "mysql " + rest
	}
	return strings.Replace(url, ":", " ", 1)
}

func listen(ctx context.Context, key, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return ln, nil
}

// drainTimeout is the longest that requests in flight may take at the end;
// less than the 30 s that orchestrators wait.
const drainTimeout = 25 * time.Second

// serve runs until ctx ends, then drains. The database is closed last.
func (a *app) serve(ctx context.Context, ln net.Listener, ready func(addr string)) (err error) {
	defer func() { err = errors.Join(err, a.close()) }()
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop(nil)

	// A database of one file is ready before the first request; a server that is
	// away must not keep us from answering "try again".
	if err := a.migrate(work); err != nil {
		if !errors.Is(err, store.ErrUnavailable) || a.db.Kind() == "sqlite" {
			return errors.Join(err, ln.Close())
		}
		until := "the database cannot be reached; providers are told to try again until it can"
		if a.spool != nil {
			until = "the database cannot be reached; reports and clicks are spooled until it can"
		}
		a.log.Error(until, "err", err)
		background.Go(func() { a.migrateLater(work, stop) })
	} else if err := a.first(work); err != nil {
		a.log.Error("cannot look for an administrator", "err", err)
	}
	background.Go(func() { a.retain(work) })

	// Every listener is there before any of them serves.
	listeners := []net.Listener{ln}
	servers := []func(net.Listener) error{a.server.Serve}
	// A server that was told to stop before it began would begin all the same.
	defer func() {
		for _, l := range listeners {
			_ = l.Close() //nolint:errcheck // closed already, as a rule
		}
	}()
	for _, more := range []struct {
		name, key, addr string
		serve           func(net.Listener) error
	}{{"metrics", "metrics_listen", a.cfg.metricsListen, a.server.ServeMetrics}, {"desk", "admin_listen", a.cfg.adminListen, a.server.ServeDesk}} {
		if more.addr == "" {
			continue
		}
		l, err := listen(ctx, more.key, more.addr)
		if err != nil {
			return err
		}
		listeners, servers = append(listeners, l), append(servers, more.serve)
		a.log.Info(more.name, "listen", l.Addr().String())
	}
	failed := make(chan error, len(listeners))
	for i, serve := range servers {
		background.Go(func() { failed <- serve(listeners[i]) })
	}
	ready(ln.Addr().String())
	select {
	case err = <-failed:
	case <-work.Done():
		if cause := context.Cause(work); ctx.Err() == nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}
	a.log.Info("draining")
	return errors.Join(err, a.drain())
}

func (a *app) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout+a.cfg.drainWait)
	defer cancel()
	return a.server.Shutdown(ctx) //nolint:wrapcheck // it says where it comes from
}

// migrate brings the tables up to date, or says that somebody has to.
func (a *app) migrate(ctx context.Context) error {
	if a.cfg.migrate {
		applied, err := a.db.Migrate(ctx)
		if err != nil {
			return wrongKey(a.cfg, err)
		}
		if len(applied) > 0 {
			a.log.Info("brought the tables up to date", "migrations", len(applied))
		}
		return nil
	}
	if err := a.db.Ping(ctx); err != nil {
		return wrongKey(a.cfg, err)
	}
	n, err := a.db.Pending(ctx)
	if err == nil && n > 0 {
		a.log.Error("the tables are missing or old: run strikeout migrate; until then providers are told to try again", "pending", n)
	}
	if err != nil {
		return wrongKey(a.cfg, err)
	}
	return nil
}

const migrateEvery = 2 * time.Second

// migrateLater waits for the database. Another key than the database's ends
// the program: it would be the wrong database, or the wrong key.
func (a *app) migrateLater(ctx context.Context, stop context.CancelCauseFunc) {
	t := time.NewTicker(migrateEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		err := a.migrate(ctx)
		switch {
		case err == nil:
			a.log.Info("the database can be reached")
			if err := a.first(ctx); err != nil {
				a.log.Error("cannot look for an administrator", "err", err)
			}
			return
		case ctx.Err() != nil:
			return
		case !errors.Is(err, store.ErrUnavailable):
			stop(err)
			return
		}
	}
}

// retainEvery is how often old events are deleted: often, so that each run is short.
const (
	retainFirst = time.Minute
	retainEvery = time.Hour
)

func (a *app) retain(ctx context.Context) {
	t := time.NewTimer(retainFirst)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			t.Reset(retainEvery)
		case <-ctx.Done():
			return
		}
		n, err := a.db.Retain(ctx, a.cfg.retention)
		level := slog.LevelDebug
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Warn("cannot delete old events now", "err", err)
			continue
		case n > 0:
			level = slog.LevelInfo
		}
		a.log.Log(ctx, level, "deleted old events", "events", n)
	}
}
