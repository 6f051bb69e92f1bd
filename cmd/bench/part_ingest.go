package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storebench"
)

const (
	conns      = 64 // of providers, as goals count them
	bareRows   = 1000
	bareConns  = 2
	eventsUnit = "events/s"
)

// posts is a contender: requests to a service.
func (e *bench) posts(name string, s *service, database int, connections, eventsEach int, next maker, before func() error) contender {
	return contender{name: name, unit: eventsUnit, run: func(ctx context.Context) (sample, error) {
		if before != nil {
			if err := before(); err != nil {
				return sample{}, err
			}
		}
		var m *meter
		long := e.long
		if eventsEach > 1 { // each takes long enough that a shorter time may see none
			long = max(long, time.Second)
		}
		l := loader{addr: s.addr, conns: connections, long: long, warm: long / 4, make: next, begun: func() { m = startMeter(s.pid(), database) }}
		r, err := l.run(ctx)
		if err != nil {
			return sample{}, fmt.Errorf("%w\n%s", err, s.log)
		}
		return sample{value: r.perSecond() * float64(eventsEach), p50: r.percentile(0.5), p99: r.percentile(0.99), peak: peakBytes(s.pid()), cpu: m.stop()}, nil
	}}
}

// bare is a contender: bare INSERTs from this process. Its batches are made
// before the measurement.
func (e *bench) bare(name string, db *storebench.DB, database, connections, rows, perSecond int, p *people) contender {
	return contender{name: name, unit: eventsUnit, run: func(ctx context.Context) (sample, error) {
		batches := make([][]recipient.Event, max(connections, int(e.long.Seconds()*float64(perSecond))/rows))
		for i := range batches {
			batches[i] = bounces(rows, &e.ids, p)
		}
		var taken atomic.Int64
		m := startMeter(0, database)
		v, err := db.Batches(ctx, connections, e.long, func(int) []recipient.Event {
			if i := int(taken.Add(1)) - 1; i < len(batches) {
				return batches[i]
			}
			return nil
		})
		s := sample{value: v, cpu: m.stop()}
		if err == nil && database != 0 {
			err = countNothing(ctx, db)
		}
		return s, err
	}}
}

const (
	c2       = "C2: bare INSERTs, 1000 rows a transaction, 2 connections"
	durable  = "single-event POSTs, durable"
	noStore  = "the same handler without a store"
	perPost  = "one transaction for each request"
	wide     = "single-event POSTs, durable, 256 connections"
	manyRows = 140_000 // a second: more than any machine here inserts
)

func (e *bench) ingest(ctx context.Context) (*section, error) {
	d, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	svc, err := e.serve(ctx, "ingest", d.url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	without, err := e.variant(ctx, modeNoStore, "")
	if err != nil {
		return nil, err
	}
	defer without.kill()
	single, err := e.variant(ctx, modeNaive, d.url)
	if err != nil {
		return nil, err
	}
	defer single.kill()
	m := newMGMaker(e.secrets.mailgun, &e.ids, d.people)
	t, err := e.compare(ctx,
		e.bare(c2, d.bare, d.pid(), bareConns, bareRows, manyRows, d.people),
		e.posts(durable, svc, d.pid(), conns, 1, m.next, nil),
		e.posts(noStore, without, 0, conns, 1, m.next, nil),
		e.posts(perPost, single, d.pid(), conns, 1, m.next, nil),
		e.posts(wide, svc, d.pid(), 4*conns, 1, m.next, nil))
	if err != nil {
		return nil, err
	}
	s := &section{title: "Single events, MariaDB", text: fmt.Sprintf("Reports of Mailgun, 1.4 kB, each verified by its HMAC, stored durably, then answered; over 64 connections, into a database that knows %s addresses. "+
		"Half of the events are about known addresses. C2 is what the database itself takes on this machine; a transaction for each request uses the same tables through %d connections.", count(e.addresses), naivePool)}
	off := func(names ...string) bool { return t.disturbed(append(names, durable)...) }
	p50, p99 := t.p50(durable), t.p99(durable)
	s.add(figure{what: "of C2", value: t.ratio(durable, c2), must: 0.30, aim: 0.45, digits: 2, disturbed: off(c2)},
		figure{what: "of the same handler without a store", value: t.ratio(durable, noStore), must: 0.40, aim: 0.55, digits: 2, disturbed: off(noStore)},
		figure{what: "times one transaction for each request", value: t.ratio(durable, perPost), must: 5, aim: 8, digits: 1, disturbed: off(perPost)},
		figure{what: "p99", value: float64(p99) / 1e6, must: 15, aim: 8, most: true, unit: "ms", digits: 1, disturbed: off()},
		figure{what: "p99 in p50", value: float64(p99) / float64(max(p50, 1)), must: 4, aim: 2.5, most: true, digits: 1, disturbed: off()},
		figure{what: "memory of the service", value: float64(t.peak(wide)) / 1e6, must: 150, aim: 150, most: true, unit: "MB"})
	s.details = append(s.details, t.table())
	each := func(f func(split) float64) float64 {
		return median(values(t.rounds[durable], func(s sample) float64 { return f(s.cpu) / s.value * 1e6 }))
	}
	s.detail("An event costs %.0f µs of the service, %.0f µs of MariaDB and %.0f µs of the generator.", each(func(s split) float64 { return s.service }), each(func(s split) float64 { return s.database }),
		each(func(s split) float64 { return s.generator }))
	return s, nil
}

// manyPosts bounds what is signed before a measurement.
func (e *bench) manyPosts(perSecond int) int {
	return int((e.long+e.long/4).Seconds()*float64(perSecond)) + conns
}

const (
	sgSingle = "SendGrid, 1 event a POST, durable"
	sgVerify = "ECDSA-verify-only handler"
	sgArray  = "SendGrid, 1000 events a POST, durable"
	arrays   = 8 // connections
)

func (e *bench) arrays(ctx context.Context) (*section, error) {
	d, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	svc, err := e.serve(ctx, "arrays", d.url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	verify, err := e.variant(ctx, modeVerify, "")
	if err != nil {
		return nil, err
	}
	defer verify.kill()
	e.sendgrid.people = d.people
	singles := func() error { return e.sendgrid.prepare(e.manyPosts(22_000), 1) }
	lists := func() error { return e.sendgrid.prepare(e.manyPosts(120), bareRows) }
	if e.short {
		lists = func() error { return e.sendgrid.prepare(50, bareRows) }
	}
	t, err := e.compare(ctx,
		e.posts(sgSingle, svc, d.pid(), conns, 1, e.sendgrid.next, singles),
		e.posts(sgVerify, verify, 0, conns, 1, e.sendgrid.next, singles),
		e.bare(c2, d.bare, d.pid(), bareConns, bareRows, manyRows, d.people),
		e.posts(sgArray, svc, d.pid(), arrays, bareRows, e.sendgrid.next, lists))
	if err != nil {
		return nil, err
	}
	s := &section{title: "Arrays and public-key signatures, MariaDB", text: "Reports of SendGrid, verified by their ECDSA signature: one event a POST over 64 connections, and 1000 events a POST over 8. " +
		"Verifying a signature takes longer than all the rest of a single event, so its measure is a handler that does only that."}
	s.add(figure{what: "single events, of the ECDSA-verify-only handler", value: t.ratio(sgSingle, sgVerify), must: 0.6, aim: 0.8, digits: 2, disturbed: t.disturbed(sgSingle, sgVerify)},
		figure{what: "arrays of 1000, of C2", value: t.ratio(sgArray, c2), must: 0.8, aim: 1, digits: 2, disturbed: t.disturbed(sgArray, c2)},
		figure{what: "memory of the service", value: float64(t.peak(sgArray)) / 1e6, must: 150, aim: 150, most: true, unit: "MB"})
	s.details = append(s.details, t.table())
	return s, nil
}

const (
	liteBare   = "bare SQLite, 32 rows a transaction"
	liteSingle = "single-event POSTs, durable"
	liteNaive  = "one transaction for each request"
	liteArray  = "SendGrid, 1000 events a POST"
)

func (e *bench) sqlite(ctx context.Context) (*section, error) {
	url, p, err := e.lite(ctx, "sqlite", min(e.addresses, 200_000))
	if err != nil {
		return nil, err
	}
	// A second file for the bare statements: SQLite has one writer.
	bareURL, bp, err := e.lite(ctx, "sqlite-bare", min(e.addresses, 200_000))
	if err != nil {
		return nil, err
	}
	naiveURL, np, err := e.lite(ctx, "sqlite-naive", min(e.addresses, 200_000))
	if err != nil {
		return nil, err
	}
	bare, err := storebench.Open(bareURL, 1)
	if err != nil {
		return nil, err
	}
	defer bare.Close() //nolint:errcheck // a yardstick
	svc, err := e.serve(ctx, "sqlite", url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	single, err := e.variant(ctx, modeNaive, naiveURL)
	if err != nil {
		return nil, err
	}
	defer single.kill()
	m, nm := newMGMaker(e.secrets.mailgun, &e.ids, p), newMGMaker(e.secrets.mailgun, &e.ids, np)
	e.sendgrid.people = p
	lists := func() error { return e.sendgrid.prepare(max(16, e.manyPosts(40)-conns), bareRows) }
	t, err := e.compare(ctx,
		e.bare(liteBare, bare, 0, 1, 32, 60_000, bp),
		e.posts(liteSingle, svc, 0, conns, 1, m.next, nil),
		e.posts(liteNaive, single, 0, conns, 1, nm.next, nil),
		e.posts(liteArray, svc, 0, arrays, bareRows, e.sendgrid.next, lists))
	if err != nil {
		return nil, err
	}
	s := &section{title: "Single events, SQLite", text: fmt.Sprintf("The same reports of Mailgun with the embedded database, which knows %s addresses; `synchronous=FULL` everywhere.", count(p.known))}
	s.add(figure{what: "of bare SQLite in batches of 32", value: t.ratio(liteSingle, liteBare), must: 0.45, aim: 0.65, digits: 2, disturbed: t.disturbed(liteSingle, liteBare)},
		figure{what: "times one transaction for each request", value: t.ratio(liteSingle, liteNaive), must: 4, aim: 6, digits: 1, disturbed: t.disturbed(liteSingle, liteNaive)},
		figure{what: "memory of the service", value: float64(t.peak(liteArray)) / 1e6, must: 150, aim: 150, most: true, unit: "MB"})
	s.details = append(s.details, t.table())
	return s, nil
}

const (
	allNew  = "every event new"
	someOld = "1 % of the requests sent before"
)

func (e *bench) duplicates(ctx context.Context) (*section, error) {
	d, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	svc, err := e.serve(ctx, "duplicates", d.url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	fresh, old := newMGMaker(e.secrets.mailgun, &e.ids, d.people), newMGMaker(e.secrets.mailgun, &e.ids, d.people)
	old.repeat = 0.01
	// What is repeated was sent in the round before: the service's memory of the
	// last events, which helps against repeats within seconds, must not know it.
	kept := make([][][]byte, maxWorkers)
	fresh.keep = kept
	turn := func() error {
		old.old, kept, fresh.keep = kept, fresh.keep, make([][][]byte, maxWorkers)
		return nil
	}
	news := e.posts(allNew, svc, d.pid(), conns, 1, fresh.next, turn)
	if _, err := news.run(ctx); err != nil {
		return nil, err
	}
	t, err := e.compare(ctx, news, e.posts(someOld, svc, d.pid(), conns, 1, old.next, nil))
	if err != nil {
		return nil, err
	}
	s := &section{title: "Duplicates", text: "Providers repeat what they are not sure of. A duplicate spoils the transaction that it is in, which is then sent again without it."}
	s.add(figure{what: "1 % duplicates, of none", value: t.ratio(someOld, allNew), must: 0.6, aim: 0.9, digits: 2, disturbed: t.disturbed(someOld, allNew)})
	s.details = append(s.details, t.table())
	return s, nil
}

// count writes a number of things for people.
func count(n int) string {
	switch {
	case n >= 1_000_000 && n%100_000 == 0:
		return fmt.Sprintf("%g million", float64(n)/1e6)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%d 000", n/1000)
	}
	return fmt.Sprint(n)
}
