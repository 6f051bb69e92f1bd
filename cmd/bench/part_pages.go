package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
)

// pageRate is what a large send-out brings within its first minutes, of people
// and of scanners.
const pageRate = 2000

func (e *bench) pages(ctx context.Context) (*section, error) {
	rate := float64(pageRate)
	if e.short {
		rate = 200
	}
	d, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	lite, lp, err := e.lite(ctx, "pages", min(e.addresses, 200_000))
	if err != nil {
		return nil, err
	}
	var list []contender
	for _, b := range []struct {
		name, url string
		people    *people
		pid       int
	}{{"MariaDB", d.url, d.people, d.pid()}, {"SQLite", lite, lp, 0}} {
		svc, err := e.serve(ctx, "pages-"+b.name, b.url)
		if err != nil {
			return nil, err
		}
		defer svc.kill()
		// Enough links that each measurement clicks on some that nobody has used.
		paths, err := e.links(ctx, svc, min(b.people.known, 20_000))
		if err != nil {
			return nil, err
		}
		var next atomic.Int64
		path := func() string { return paths[int(next.Add(1))%len(paths)] }
		look := func(_ int, buf []byte) ([]byte, bool) {
			return get(buf, path(), "Accept", "text/html", "Accept-Language", "fi,en;q=0.5"), true
		}
		click := func(_ int, buf []byte) ([]byte, bool) {
			return post(buf, path(), "application/x-www-form-urlencoded", []byte("List-Unsubscribe=One-Click")), true
		}
		for _, k := range []struct {
			name string
			next maker
		}{{"page, ", look}, {"one-click POST, ", click}} {
			list = append(list, contender{k.name + b.name, "/s", func(ctx context.Context) (sample, error) {
				var m *meter
				l := loader{addr: svc.addr, conns: conns, long: e.long, warm: e.long / 4, rate: rate, make: k.next, begun: func() { m = startMeter(svc.pid(), b.pid) }}
				r, err := l.run(ctx)
				if err != nil {
					return sample{}, fmt.Errorf("%w\n%s", err, svc.log)
				}
				return sample{value: r.perSecond(), p50: r.percentile(0.5), p99: r.percentile(0.99), peak: peakBytes(svc.pid()), cpu: m.stop()}, nil
			}})
		}
	}
	t, err := e.compare(ctx, list...)
	if err != nil {
		return nil, err
	}
	s := &section{title: "Pages and clicks", text: fmt.Sprintf("The page of a link, and the one-click POST of mail programs (RFC 8058), stored before it is answered. %s requests a second arrive at fixed times over %d connections, however slow the answers; "+
		"time counts from when a request was due.", count(int(rate)), conns)}
	for _, c := range list {
		s.add(figure{what: "p99, " + c.name, value: float64(t.p99(c.name)) / 1e6, must: 25, aim: 25, most: true, unit: "ms", digits: 1, disturbed: t.disturbed(c.name)})
	}
	s.details = append(s.details, t.table())
	return s, nil
}

// links asks the service for links of the first known people and returns their
// paths.
func (e *bench) links(ctx context.Context, svc *service, n int) ([]string, error) {
	c, err := dial(ctx, svc.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var paths []string
	for from := 0; from < n; from += 10_000 {
		var b strings.Builder
		b.WriteString(`{"send_out":"week-48","recipients":[`)
		for i := from; i < min(n, from+10_000); i++ {
			if i > from {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"channel":"email","address":%q}`, address(i))
		}
		b.WriteString("]}")
		status, err := c.do(post(nil, "/v1/links", "application/json", []byte(b.String()), "Authorization", "Bearer "+e.secrets.apiKey, "Accept", "application/x-ndjson"))
		if err != nil || status != 200 {
			return nil, fmt.Errorf("ask for links: status %d, %w", status, err)
		}
		for line := range strings.Lines(string(c.body)) {
			_, rest, _ := strings.Cut(line, `"url":"`)
			link, _, _ := strings.Cut(rest, `"`)
			u, err := url.Parse(link)
			if err != nil || !strings.HasPrefix(u.Path, "/u/") {
				return nil, fmt.Errorf("ask for links: %q is none", link)
			}
			paths = append(paths, u.Path)
		}
	}
	return paths, nil
}
