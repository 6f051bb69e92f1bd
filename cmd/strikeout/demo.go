package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/templates"
)

type demoCmd struct {
	Listen string `placeholder:"ADDR" help:"host:port (default 127.0.0.1:8080, or a free port where that is taken)."`
	Once   bool   `help:"End after the summary."`
}

func (demoCmd) Help() string {
	return `An embedded database in a temporary directory (or in --data-dir, which stays), an endpoint with fresh secrets for every provider,
and one signed request of each kind that it can send, through real HTTP. Nothing leaves this machine.

    strikeout demo
    strikeout demo --listen 127.0.0.1:9000 --data-dir demo-data`
}

func (cmd *demoCmd) Run(e *env) (err error) {
	dir, cleanup, err := cmd.dir(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanup()) }()
	ln, err := cmd.listen(e)
	if err != nil {
		return err
	}
	base := "http://" + reachable(ln.Addr().String())
	// Only this: a configuration of the working directory must not leak into a demonstration.
	c, err := loadConfig(os.DevNull, map[string]string{"data_dir": dir, "public_url": base}, func(string) string { return "" })
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	c.pages = templates.Options{Sender: "Example Ltd", PrivacyURL: "https://example.com/privacy"}
	c.logLevel = slog.LevelError
	if text := e.globals.LogLevel; text != nil {
		if err := setLogLevel(c, plain("log_level", "--log-level", *text)); err != nil {
			return errors.Join(err, ln.Close())
		}
	}
	d := &demo{env: e, base: base, dir: dir, settings: map[string]providers.Settings{}}
	a, err := d.wire(c)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	ctx, stop := context.WithCancelCause(e.ctx)
	defer stop(nil)
	return a.serve(ctx, ln, func(string) {
		go func() {
			err := d.play(ctx)
			if err != nil || cmd.Once {
				stop(err)
			}
		}()
	})
}

// dir is where the demonstration keeps its data.
func (cmd *demoCmd) dir(e *env) (string, func() error, error) {
	if e.globals.DataDir != nil {
		if err := os.MkdirAll(*e.globals.DataDir, 0o700); err != nil {
			return "", nil, fmt.Errorf("make the data directory: %w", err)
		}
		return *e.globals.DataDir, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "strikeout-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

func (cmd *demoCmd) listen(e *env) (net.Listener, error) {
	if cmd.Listen != "" {
		return listen(e.ctx, "--listen", cmd.Listen)
	}
	ln, err := listen(e.ctx, "listen", "127.0.0.1:8080")
	if !errors.Is(err, syscall.EADDRINUSE) {
		return ln, err
	}
	if ln, err = listen(e.ctx, "listen", "127.0.0.1:0"); err == nil {
		e.printf("127.0.0.1:8080 is taken, so this is on %s (--listen chooses).\n", ln.Addr())
	}
	return ln, err
}

// demo plays providers and recipients against the service.
type demo struct {
	*env
	base     string
	dir      string
	apiKey   string
	password string                        // of demoUser
	settings map[string]providers.Settings // by endpoint, which is named as its provider
}

// wire makes keys, an API key and endpoints with fresh secrets.
func (d *demo) wire(c *config) (*app, error) {
	endpoints, err := d.endpoints()
	if err != nil {
		return nil, err
	}
	key := handlers.APIKey{Name: "demo", Scopes: scopes}
	if d.apiKey, key.SHA256, err = admin.NewAPIKey(d.rand); err != nil {
		return nil, err //nolint:wrapcheck // it says where it comes from
	}
	c.apiKeys = []handlers.APIKey{key}
	a, err := d.prepare(c, d.logger(c))
	if err == nil {
		a.endpoints = endpoints
		_, err = d.ensureKeys(d.ctx, c)
	}
	if err == nil {
		err = a.open(d.env)
	}
	if err == nil {
		a.first = func(ctx context.Context) error { return d.addAdministrator(ctx, a) }
	}
	return a, err
}

// endpoints makes one with fresh secrets for every provider.
func (d *demo) endpoints() (map[string]handlers.Endpoint, error) {
	out := map[string]handlers.Endpoint{}
	for _, info := range all.Infos() {
		s, err := info.Simulate.Settings(d.rand)
		if err != nil {
			return nil, fmt.Errorf("make secrets for %s: %w", info.Name, err)
		}
		ep, err := newEndpoint(info.Name, info, s, newFetcher().fetch)
		if err != nil {
			return nil, fmt.Errorf("make the endpoint of %s: %w", info.Name, err)
		}
		out[info.Name], d.settings[info.Name] = ep, s
	}
	return out, nil
}

// play sends the traffic and prints what came of it.
func (d *demo) play(ctx context.Context) error {
	start := time.Now()
	if err := d.waitReady(ctx); err != nil {
		return err
	}
	if err := d.addContacts(ctx); err != nil {
		return err
	}
	reports, err := d.traffic(ctx)
	if err != nil {
		return err
	}
	clicked, left, err := d.click(ctx)
	if err != nil {
		return err
	}
	return d.summary(ctx, reports, clicked, left, time.Since(start))
}

// waitReady polls until the service can store.
func (d *demo) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // a slow disk takes long to make the tables
	defer cancel()
	for {
		a, err := d.call(ctx, "GET", "/readyz", nil, nil)
		if err == nil && a.ok() {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the service did not become ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
