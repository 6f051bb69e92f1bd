package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// The server is killed and started again under load: what was acknowledged is
// there once, while it is away nobody waits, and it goes on without a restart.
func TestServerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	server := storetest.StartServer(t)
	db := storetest.Open(t, store.Config{URL: server.URL(t)})
	var acked, unavailable atomic.Int64
	var mu sync.Mutex
	prints := map[recipient.Fingerprint]bool{}
	stop := make(chan struct{})
	var work sync.WaitGroup
	for w := range 8 {
		work.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				e := report(nth(i%100), recipient.Kinds[i%len(recipient.Kinds)], fmt.Sprint(w, "-", i), noon.Add(-time.Duration(i)*time.Second), noon)
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
				r, err := db.Record(ctx, []recipient.Event{e})
				cancel()
				switch {
				case err == nil && r.Stored == 1:
					acked.Add(1)
					mu.Lock()
					prints[e.Fingerprint] = true
					mu.Unlock()
				case errors.Is(err, store.ErrUnavailable):
					unavailable.Add(1)
				default:
					t.Errorf("got %+v, %v", r, err)
				}
			}
		})
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	end := sync.OnceFunc(func() { close(stop); work.Wait() })
	defer end()
	for round := range 2 {
		n := acked.Load()
		until("acknowledgements", func() bool { return acked.Load() > n+100 })
		server.Kill()
		m := unavailable.Load()
		until("refusals", func() bool { return unavailable.Load() > m+20 })
		if _, err := db.Click(t.Context(), click(nth(1), "t")); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("a click while the server is away: %v", err)
		}
		if err := db.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("ping: got %v", err)
		}
		server.Start(t)
		n = acked.Load()
		until(fmt.Sprint("recovery ", round), func() bool { return acked.Load() > n+100 })
	}
	end()
	var have [][]byte
	if err := store.SQL(db).SelectContext(t.Context(), &have, "SELECT fingerprint FROM events"); err != nil {
		t.Fatal(err)
	}
	for _, p := range have {
		delete(prints, recipient.Fingerprint(p))
	}
	if len(prints) > 0 {
		t.Errorf("%d acknowledged events of %d are lost", len(prints), acked.Load())
	}
	clean(t, db)
}

func TestOpenWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	server := storetest.StartServer(t)
	u := server.URL(t)
	storetest.Open(t, store.Config{URL: u})
	server.Stop(t)
	db, err := store.Open(t.Context(), store.Config{URL: u, Keyer: keyer})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer db.Close() //nolint:errcheck // looked at elsewhere
	e := report(nth(1), recipient.HardBounce, "1", noon, noon)
	if _, err := db.Record(t.Context(), []recipient.Event{e}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("away: got %v", err)
	}
	server.Start(t)
	record(t, db, e)
	if db.Kind() != "mariadb" && db.Kind() != "mysql" {
		t.Errorf("kind: got %q", db.Kind())
	}
	wrong := strings.Replace(u, "root@", "nobody:secret@", 1)
	if _, err := store.Open(t.Context(), store.Config{URL: wrong, Keyer: keyer}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong password: got %v, want an error without it", err)
	}
}

// proxy passes bytes to a server; armed, it passes one COMMIT on and cuts the
// connection instead of the answer.
type proxy struct {
	net.Listener
	target string
	armed  atomic.Bool
	cuts   atomic.Int64
	work   sync.WaitGroup
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, target: target}
	p.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { p.pass(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.work.Wait()
	})
	return p
}

func (p *proxy) pass(client net.Conn) {
	defer client.Close() //nolint:errcheck // a proxy
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // a proxy
	var cut atomic.Bool
	p.work.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil || cut.Load() {
				break
			}
			if _, err := client.Write(buf[:n]); err != nil {
				break
			}
		}
		_ = client.Close()
		_ = server.Close()
	})
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if errors.Is(err, io.EOF) || err != nil {
			return
		}
		if bytes.Contains(buf[:n], []byte("COMMIT")) && p.armed.CompareAndSwap(true, false) {
			cut.Store(true)
			p.cuts.Add(1)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// The connection breaks after the server got COMMIT and before we got its
// answer. The event is there, and counts once.
func TestUnknownOutcomeOfACommit(t *testing.T) {
	t.Parallel()
	u := storetest.MariaDB(t)
	at, slash := strings.LastIndexByte(u, '@'), strings.LastIndexByte(u, '/')
	address := strings.TrimSuffix(strings.TrimPrefix(u[at+1:slash], "tcp("), ")")
	if _, err := url.Parse("tcp://" + address); err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, address)
	db := storetest.Open(t, store.Config{URL: u[:at+1] + "tcp(" + p.Addr().String() + ")" + u[slash:]})
	for i := range 5 {
		p.armed.Store(true)
		if r := record(t, db, report(nth(1), recipient.HardBounce, fmt.Sprint(i), noon, noon)); r.Stored != 1 || r.Duplicates != 0 {
			t.Errorf("record %d: got %+v, want 1 stored", i, r)
		}
	}
	if p.cuts.Load() != 5 {
		t.Fatalf("%d connections were cut, want 5", p.cuts.Load())
	}
	p.armed.Store(true)
	out, err := db.Click(t.Context(), click(nth(1), "t"))
	if err != nil || !out.Changed || !out.After.OptedOut() || out.Before.OptedOut() {
		t.Errorf("click: got %+v, %v", out, err)
	}
	p.armed.Store(true)
	act(t, db, recipient.Unblock, nth(1))
	if p.cuts.Load() != 7 {
		t.Errorf("%d connections were cut, want 7", p.cuts.Load())
	}
	h, _, err := db.History(t.Context(), keyer.Key(nth(1)), 100, "")
	if err != nil || len(h) != 7 {
		t.Errorf("got %d events, %v; want 7", len(h), err)
	}
	clean(t, db)
}
