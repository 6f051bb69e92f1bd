package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storebench"
)

// remote puts round trips between the service and its database.
func (e *bench) remote(ctx context.Context) (*section, error) {
	d, err := e.maria(ctx, e.addresses)
	if err != nil {
		return nil, err
	}
	m := newMGMaker(e.secrets.mailgun, &e.ids, d.people)
	var list []contender
	var trips []string
	groupName := func(rtt time.Duration) string { return fmt.Sprintf("round trip %s", roundTripText(rtt)) }
	naiveName := func(rtt time.Duration) string {
		return fmt.Sprintf("round trip %s, one transaction for each request", roundTripText(rtt))
	}
	wideName := func(rtt time.Duration) string { return groupName(rtt) + ", 256 connections" }
	rtts := []time.Duration{0, time.Millisecond, 5 * time.Millisecond}
	for _, rtt := range rtts {
		url := d.url
		if rtt > 0 {
			p, err := newDistant(ctx, d.server.Addr(), rtt)
			if err != nil {
				return nil, err
			}
			defer p.close()
			url = strings.Replace(url, d.server.Addr(), p.Addr().String(), 1)
		}
		real, err := roundTrip(ctx, url)
		if err != nil {
			return nil, err
		}
		trips = append(trips, millis(real))
		svc, err := e.serve(ctx, fmt.Sprint("remote-", int(rtt.Milliseconds())), url)
		if err != nil {
			return nil, err
		}
		defer svc.kill()
		single, err := e.variant(ctx, modeNaive, url)
		if err != nil {
			return nil, err
		}
		defer single.kill()
		list = append(list, e.posts(groupName(rtt), svc, d.pid(), conns, 1, m.next, nil), e.posts(wideName(rtt), svc, d.pid(), 4*conns, 1, m.next, nil), e.posts(naiveName(rtt), single, d.pid(), conns, 1, m.next, nil))
	}
	t, err := e.compare(ctx, list...)
	if err != nil {
		return nil, err
	}
	s := &section{title: "A database far away", text: "Single-event POSTs of Mailgun, durable, with a proxy between the service and MariaDB that delays what passes it, by half a round trip each way. A batch needs one round trip, however many events are in it."}
	for _, rtt := range rtts[1:] {
		s.add(figure{what: groupName(rtt) + ", of none", value: t.ratio(groupName(rtt), groupName(0)), digits: 2, disturbed: t.disturbed(groupName(rtt), groupName(0))},
			figure{what: groupName(rtt) + ", times one transaction for each request", value: t.ratio(groupName(rtt), naiveName(rtt)), digits: 1, disturbed: t.disturbed(groupName(rtt), naiveName(rtt))})
	}
	s.details = append(s.details, t.table())
	s.detail("A round trip with SELECT 1 took %s.", strings.Join(trips, ", "))
	return s, nil
}

func roundTripText(rtt time.Duration) string {
	if rtt == 0 {
		return "none"
	}
	return rtt.String()
}

// roundTrip measures a statement that does nothing.
func roundTrip(ctx context.Context, url string) (time.Duration, error) {
	db, err := storebench.Open(url, 1)
	if err != nil {
		return 0, err //nolint:wrapcheck // it says what failed
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	var took []float64
	for range 21 {
		began := time.Now()
		if _, err := db.Int(ctx, "SELECT 1"); err != nil {
			return 0, fmt.Errorf("ask the database: %w", err)
		}
		took = append(took, float64(time.Since(began)))
	}
	return time.Duration(median(took)), nil
}

// scale measures what an address and an event take on the disk, and says what
// becomes of it by the million.
func (e *bench) scale(ctx context.Context) (*section, error) {
	if err := e.startServer(); err != nil {
		return nil, err
	}
	url, err := storebench.Create(ctx, e.server.DSN(), "strikeout_scale")
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	p, err := e.fill(ctx, "strikeout_scale", url, 0)
	if err != nil {
		return nil, err
	}
	db, err := storebench.Open(url, bareConns)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	// As in a list of customers that is written to for years: ten events an address.
	p.known = max(2000, e.events/10)
	p.next = nil
	left := make(chan int, e.events/bareRows+1)
	for range e.events / bareRows {
		left <- bareRows
	}
	close(left)
	if _, err := db.Batches(ctx, bareConns, time.Hour, func(int) []recipient.Event {
		n, ok := <-left
		if !ok {
			return nil
		}
		return bounces(n, &e.ids, p)
	}); err != nil {
		return nil, fmt.Errorf("store events: %w", err)
	}
	s := &section{title: "Storage", text: fmt.Sprintf("Bytes in InnoDB after %s events about %s addresses were inserted in random order, as they come; pages of 16 KiB. An event here has ids, a code, a rule and %d bytes of the provider's words.",
		count(e.events/bareRows*bareRows), count(p.known), len(words))}
	var b strings.Builder
	b.WriteString("| table and index | bytes a row | rows a leaf page | levels at 1 million rows | at 100 million | at 1 billion |\n|---|---|---|---|---|---|\n")
	for _, table := range []string{"events", "recipients"} {
		size, err := db.TableSize(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("ask for the size of %s: %w", table, err)
		}
		s.add(figure{what: "bytes a row of " + table + ", with its indexes", value: float64(size.Data+size.Index) / float64(size.Rows), unit: "B"})
		indexes, err := db.Indexes(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("ask for the indexes of %s: %w", table, err)
		}
		for _, x := range indexes {
			perLeaf := float64(size.Rows) / float64(max(x.Leaves, 1))
			fmt.Fprintf(&b, "| %s, %s | %.0f | %.0f | %d | %d | %d |\n", table, x.Name, float64(x.Pages)*pageBytes/float64(size.Rows), perLeaf,
				levels(1e6, perLeaf, x.KeyBytes), levels(1e8, perLeaf, x.KeyBytes), levels(1e9, perLeaf, x.KeyBytes))
		}
	}
	s.details = append(s.details, b.String())
	return s, nil
}

const pageBytes = 16 << 10

// levels is the height of a tree. A branch holds a key, the number of a page and
// about 10 bytes beside, in pages that are two thirds full.
func levels(rows, perLeaf float64, keyBytes int) int {
	fanout := pageBytes * 2 / 3 / float64(keyBytes+4+10)
	n := 1
	for pages := rows / perLeaf; pages > 1; pages /= fanout {
		n++
	}
	return n
}
