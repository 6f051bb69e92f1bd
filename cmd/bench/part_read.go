package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

const (
	checkAll  = "POST /v1/check"
	checkEach = "one SELECT for each address"
)

// check asks for a list of addresses, half of them known.
func (e *bench) check(ctx context.Context) (*section, error) {
	asked := 10_000
	if e.short {
		asked = 500
	}
	d, err := e.maria(ctx, e.large)
	if err != nil {
		return nil, err
	}
	svc, err := e.serve(ctx, "check", d.url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	draw := func() []int {
		who := make([]int, asked)
		for i := range who {
			if who[i] = rand.IntN(d.people.known); i%2 == 0 { //nolint:gosec // load, no secret
				who[i] += 500_000_000 // nobody knows these
			}
		}
		return who
	}
	perSecond := func(took time.Duration) float64 { return float64(asked) / took.Seconds() }
	// Each takes other people: neither finds the pages that the other has just read.
	t, err := e.compare(ctx,
		contender{checkAll, "addresses/s", func(ctx context.Context) (sample, error) {
			c, err := dial(ctx, svc.addr) // now: the service closes what is quiet for long
			if err != nil {
				return sample{}, err
			}
			defer c.close()
			var took []float64
			m := startMeter(svc.pid(), d.pid())
			for range 5 {
				list := draw()
				addresses := make([]string, len(list))
				for i, n := range list {
					addresses[i] = address(n)
				}
				body, err := json.Marshal(map[string]any{"channel": "email", "addresses": addresses})
				if err != nil {
					return sample{}, err //nolint:wrapcheck // it never fails
				}
				request := post(nil, "/v1/check", "application/json", body, "Authorization", "Bearer "+e.secrets.apiKey)
				began := time.Now()
				status, err := c.do(request)
				if err != nil || status != 200 || !bytes.Contains(c.body, fmt.Appendf(nil, `"checked":%d`, asked)) {
					return sample{}, errors.Join(err, fmt.Errorf("the check answered %d", status))
				}
				took = append(took, float64(time.Since(began)))
			}
			mid := time.Duration(median(took))
			return sample{value: perSecond(mid), p50: mid, peak: peakBytes(svc.pid()), cpu: m.stop()}, nil
		}},
		contender{checkEach, "addresses/s", func(ctx context.Context) (sample, error) {
			keys := make([]recipient.Key, asked)
			for i, n := range draw() {
				_, keys[i] = d.people.person(n)
			}
			m := startMeter(0, d.pid())
			began := time.Now()
			found, err := d.bare.OneByOne(ctx, keys)
			took := time.Since(began)
			if err == nil && found < asked/2 {
				err = fmt.Errorf("%d addresses of %d are known, want half", found, asked)
			}
			return sample{value: perSecond(took), p50: took, cpu: m.stop()}, err
		}})
	if err != nil {
		return nil, err
	}
	s := &section{title: "The check before a send-out", text: fmt.Sprintf("May we write to these %s addresses? Half of them are among the %s that MariaDB knows, a tenth is blocked. Over HTTP, answer included; "+
		"against one prepared SELECT for each address on one connection, without HTTP.", count(asked), count(e.large))}
	s.add(figure{what: "times one SELECT for each address", value: t.ratio(checkAll, checkEach), must: 25, aim: 45, digits: 1, disturbed: t.disturbed(checkAll, checkEach)},
		figure{what: "time of the whole request", value: float64(t.p50(checkAll)) / 1e6, must: 100, aim: 40, most: true, unit: "ms", disturbed: t.disturbed(checkAll)},
		figure{what: "memory of the service", value: float64(t.peak(checkAll)) / 1e6, must: 150, aim: 150, most: true, unit: "MB"})
	s.details = append(s.details, t.table())
	return s, nil
}

// size compares a large database with the usual one.
func (e *bench) size(ctx context.Context) (*section, error) {
	small, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	large, err := e.maria(ctx, e.large)
	if err != nil {
		return nil, err
	}
	var list []contender
	for _, d := range []*database{small, large} {
		name := fmt.Sprintf("%s addresses known", count(d.people.known))
		svc, err := e.serve(ctx, fmt.Sprint("size-", d.people.known), d.url)
		if err != nil {
			return nil, err
		}
		defer svc.kill()
		m := newMGMaker(e.secrets.mailgun, &e.ids, d.people)
		// Warm: the pages of the large table are in the buffer pool, as in a server
		// that has been up for a while.
		if _, err := d.bare.Int(ctx, "SELECT COUNT(address) FROM recipients"); err != nil {
			return nil, fmt.Errorf("read all addresses: %w", err)
		}
		c := e.posts(name, svc, d.pid(), conns, 1, m.next, nil)
		if _, err := c.run(ctx); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if small == large {
		return nil, errors.New("-large has to be larger than -addresses: -full makes it 10 million")
	}
	t, err := e.compare(ctx, list...)
	if err != nil {
		return nil, err
	}
	s := &section{title: "The size of the database", text: "Single-event POSTs of Mailgun over 64 connections, durable, with more addresses in the table; the buffer pool is warm."}
	s.add(figure{what: list[1].name + ", of " + list[0].name, value: t.ratio(list[1].name, list[0].name), must: 0.85, aim: 0.95, digits: 2, disturbed: t.disturbed(list[0].name, list[1].name)})
	s.details = append(s.details, t.table())
	return s, nil
}

// start measures the program itself.
func (e *bench) start(ctx context.Context) (*section, error) {
	d, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	lite, _, err := e.lite(ctx, "start", e.addresses/10)
	if err != nil {
		return nil, err
	}
	of := func(name, url string) contender {
		return contender{name, "ms", func(ctx context.Context) (sample, error) {
			m := startMeter(0, d.pid())
			svc, err := e.serve(ctx, "start", url)
			if err != nil {
				return sample{}, err
			}
			defer svc.kill()
			cpu, elapsed := m.stop(), time.Since(m.at).Seconds()
			cpu.service = cpuSeconds(svc.pid()) / elapsed // all of it: it has just been born
			cpu.other = max(0, cpu.other-cpu.service)
			return sample{value: float64(svc.took) / 1e6, peak: peakBytes(svc.pid()), cpu: cpu}, nil
		}}
	}
	const onMaria, onLite = "from the start to ready, MariaDB", "from the start to ready, SQLite"
	t, err := e.compare(ctx, of(onMaria, d.url), of(onLite, lite))
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(e.program)
	if err != nil {
		return nil, fmt.Errorf("the program: %w", err)
	}
	s := &section{title: "The program", text: "Started on a database that exists and holds addresses, until /readyz says 200; and the size of the static binary that `make build` makes."}
	for _, name := range []string{onMaria, onLite} {
		s.add(figure{what: name, value: t.value(name), must: 300, aim: 300, most: true, unit: "ms", disturbed: t.disturbed(name)})
	}
	s.add(figure{what: "size of the binary", value: float64(info.Size()) / 1e6, must: 40, aim: 40, most: true, unit: "MB", digits: 1})
	return s, nil
}

const (
	mint      = "minting a token"
	bareHMAC  = "HMAC-SHA256 of as many bytes"
	plainCopy = "copy by encoding/csv, one core"
	oneCore   = "links, one core"
	twoCores  = "links, two cores"
)

// list writes a list of recipients, as marketing has them.
func (e *bench) list(rows int) (path string, err error) {
	path = filepath.Join(e.dir, "list.csv")
	var b bytes.Buffer
	b.WriteString("id,email,first_name,last_name,language,city\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%s,Aino,\"Virtanen, %d\",fi,Tampere\n", i, address(i), i%97)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write a list: %w", err)
	}
	return path, nil
}
