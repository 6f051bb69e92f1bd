package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/store/mariadbd"
	"github.com/strikeout/strikeout/store/storebench"
)

// unloaded are people of whom the database knows nothing yet, so that every
// state has its history.
func (e *bench) unloaded(n int) *people { return newPeople(e.secrets.keyer, n) }

// privateServer starts a server for one part, in a folder that outlives kills.
func (e *bench) privateServer(name string, options ...string) (*mariadbd.Server, error) {
	dir := filepath.Join(e.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	s, err := mariadbd.New(dir, append(e.mariaOptions(), options...)...)
	if err != nil {
		return nil, fmt.Errorf("MariaDB: %w", err)
	}
	return s, nil
}

// fixedPort is an address to listen on again after a kill.
func fixedPort() (listen string, kept io.Closer, err error) {
	p, kept, err := mariadbd.KeepPort()
	return "127.0.0.1:" + strconv.Itoa(p), kept, err //nolint:wrapcheck // it says what failed
}

// kill ends the service and the database by SIGKILL, in turns, under load.
func (e *bench) kill(ctx context.Context) (*section, error) {
	server, err := e.privateServer("kill-mariadb")
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	url, err := storebench.Create(ctx, server.DSN(), "strikeout")
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	if _, err := e.fill(ctx, "kill", url, 0); err != nil {
		return nil, err
	}
	listen, kept, err := fixedPort()
	if err != nil {
		return nil, err
	}
	defer kept.Close() //nolint:errcheck // nothing was written
	svc, err := e.serveAt(ctx, "kill", url, listen)
	if err != nil {
		return nil, err
	}
	defer func() { svc.kill() }()
	s := &senders{maker: newMGMaker(e.secrets.mailgun, &e.ids, e.unloaded(20_000)), addrs: []string{listen}}
	s.start(ctx, conns)
	more := func(n int) error {
		for end := time.Now().Add(sendPatience); s.count() < n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) || ctx.Err() != nil {
				return fmt.Errorf("the service takes nothing more: %s", svc.log)
			}
		}
		return nil
	}
	var away []float64 // seconds until events are taken again
	for i := range 2 * e.kills {
		if err := more(s.count() + 200); err != nil {
			return nil, errors.Join(err, s.finish())
		}
		time.Sleep(rand.N(300 * time.Millisecond)) //nolint:gosec // no secret
		began := time.Now()
		if i%2 == 0 {
			svc.kill()
			if svc, err = e.serveAt(ctx, "kill", url, listen); err != nil {
				return nil, errors.Join(err, s.finish())
			}
		} else {
			server.Kill()
			if err := server.Start(); err != nil {
				return nil, errors.Join(err, s.finish())
			}
		}
		if err := more(s.count() + 1); err != nil {
			return nil, errors.Join(err, s.finish())
		}
		away = append(away, time.Since(began).Seconds())
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	t, err := s.tally(ctx, url)
	if err != nil {
		return nil, err
	}
	said, err := e.fsck(ctx, "kill", url)
	if err != nil {
		return nil, err
	}
	out := &section{title: "Kills", text: fmt.Sprintf("SIGKILL to the service and to MariaDB in turns, %d times each, at random moments while %d senders post events and send again whatever got no 2xx. "+
		"Afterwards every acknowledged event has to be in the table once.", e.kills, conns)}
	out.add(figure{what: "acknowledged events lost", value: float64(t.lost), zero: true, most: true},
		figure{what: "events counted twice", value: float64(t.twice), zero: true, most: true},
		figure{what: "events acknowledged", value: float64(t.acked)},
		figure{what: "repeats by the senders", value: float64(s.repeats.Load())},
		figure{what: "until events were taken again, median", value: median(away), unit: "s", digits: 1})
	out.detail("`strikeout fsck` afterwards: %s.", said)
	return out, nil
}

// soakSlices is how often a soak looks at the service.
const soakSlices = 20

// look is the service at one moment of a soak.
type look struct {
	p50, p99   time.Duration
	memory     float64
	goroutines float64
	perSecond  float64
}

// soakIt runs the service at 70 % of what it can do.
func (e *bench) soakIt(ctx context.Context) (*section, error) {
	if err := e.startServer(); err != nil {
		return nil, err
	}
	url, err := storebench.Create(ctx, e.server.DSN(), "strikeout_soak")
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	if _, err := e.fill(ctx, "strikeout_soak", url, 0); err != nil {
		return nil, err
	}
	svc, err := e.serve(ctx, "soak", url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	m := newMGMaker(e.secrets.mailgun, &e.ids, e.unloaded(200_000))
	peak := 0.0
	for range 3 {
		r, err := loader{addr: svc.addr, conns: conns, long: e.long, warm: e.long / 4, make: m.next}.run(ctx)
		if err != nil {
			return nil, err
		}
		peak = max(peak, r.perSecond())
	}
	rate := 0.7 * peak
	var looks []look
	disturbedTimes := 0
	for range soakSlices {
		meter := startMeter(svc.pid(), e.server.PID())
		r, err := loader{addr: svc.addr, conns: conns, long: e.soak / soakSlices, rate: rate, make: m.next}.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, svc.log)
		}
		if meter.stop().other > quiet {
			disturbedTimes++
		}
		l := look{p50: r.percentile(0.5), p99: r.percentile(0.99), perSecond: r.perSecond()}
		if l.memory, err = svc.metric(ctx, "process_resident_memory_bytes"); err == nil {
			l.goroutines, err = svc.metric(ctx, "go_goroutines")
		}
		if err != nil {
			return nil, err
		}
		looks = append(looks, l)
		e.progress("  %8s/s  p50 %s  p99 %s  %s  %.0f goroutines", number(l.perSecond), millis(l.p50), millis(l.p99), megabytes(int64(l.memory)), l.goroutines)
	}
	said, err := e.fsck(ctx, "soak-fsck", url)
	if err != nil {
		return nil, err
	}
	const quarter = soakSlices / 4
	growth := func(f func(look) float64) float64 {
		return median(values(looks[soakSlices-quarter:], f)) / max(1, median(values(looks[quarter:2*quarter], f)))
	}
	off := disturbedTimes > 0
	s := &section{title: "Soak", text: fmt.Sprintf("Single-event POSTs of Mailgun for %s at %s requests a second, 70 %% of the best of three short runs before. Growth compares the median of the last quarter with that of the second; the first one warms up.",
		e.soak, number(rate))}
	s.add(figure{what: "growth of memory", value: growth(func(l look) float64 { return l.memory }), must: 1.1, aim: 1.1, most: true, digits: 2, disturbed: off},
		figure{what: "growth of goroutines", value: growth(func(l look) float64 { return l.goroutines }), must: 1.1, aim: 1.1, most: true, digits: 2, disturbed: off},
		figure{what: "growth of the median latency", value: growth(func(l look) float64 { return float64(l.p50) }), must: 1.25, aim: 1.25, most: true, digits: 2, disturbed: off},
		figure{what: "growth of the p99 latency", value: growth(func(l look) float64 { return float64(l.p99) }), digits: 2, disturbed: off})
	var b strings.Builder
	b.WriteString("| after | events/s | p50 | p99 | memory | goroutines |\n|---|---|---|---|---|---|\n")
	for i := quarter - 1; i < soakSlices; i += quarter {
		l := looks[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.0f |\n", time.Duration(i+1)*e.soak/soakSlices, number(l.perSecond), millis(l.p50), millis(l.p99), megabytes(int64(l.memory)), l.goroutines)
	}
	s.details = append(s.details, b.String())
	s.detail("`strikeout fsck` afterwards: %s.", said)
	return s, nil
}

// metric reads one of the service's own figures.
func (s *service) metric(ctx context.Context, name string) (float64, error) {
	c, err := dial(ctx, s.addr)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if status, err := c.do(get(nil, "/metrics")); err != nil || status != 200 {
		return 0, fmt.Errorf("ask for metrics: status %d, %w", status, err)
	}
	for line := range bytes.Lines(c.body) {
		if k, v, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" ")); ok && string(k) == name {
			return strconv.ParseFloat(string(v), 64) //nolint:wrapcheck // Prometheus writes numbers
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}
