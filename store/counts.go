package store

import (
	"context"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// DayCount is how many events of a kind were heard of on one day (UTC).
type DayCount struct {
	Day      time.Time // its beginning
	Endpoint string    // empty: not from a provider
	Source   recipient.Source
	Kind     recipient.Kind
	N        int64
}

// Count is a counter of a list, such as that of the worst domains.
type Count struct {
	Kind   recipient.Kind
	Rule   string
	Code   string
	Domain string
	N      int64
}

const (
	selectDays    = "SELECT day, endpoint, source, kind, n FROM day_counts WHERE day >= ? AND day <= ? ORDER BY day, endpoint, source, kind"
	selectReasons = "SELECT rule, code, SUM(n) AS n FROM day_reasons WHERE day >= ? AND day <= ? AND kind = ? GROUP BY rule, code ORDER BY SUM(n) DESC, rule, code LIMIT ?"
	selectOneOf   = "SELECT rule, code, SUM(n) AS n FROM day_reasons WHERE day >= ? AND day <= ? AND kind = ? AND endpoint = ? GROUP BY rule, code ORDER BY SUM(n) DESC, rule, code LIMIT ?"
	selectDomains = "SELECT domain, SUM(n) AS n FROM day_domains WHERE day >= ? AND day <= ? AND kind = ? GROUP BY domain ORDER BY SUM(n) DESC, domain LIMIT ?"
)

func dayOf(t time.Time) int64 { return t.Unix() / daySeconds }

// Days returns the counters of the days from one to another, both included.
func (db *DB) Days(ctx context.Context, from, to time.Time) ([]DayCount, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []struct {
		Day      int64          `db:"day"`
		Endpoint string         `db:"endpoint"`
		Source   string         `db:"source"`
		Kind     recipient.Kind `db:"kind"`
		N        int64          `db:"n"`
	}
	if err := db.read.SelectContext(ctx, &rows, selectDays, dayOf(from), dayOf(to)); err != nil {
		return nil, wrap("read counters", err)
	}
	out := make([]DayCount, len(rows))
	for i, r := range rows {
		out[i] = DayCount{Day: time.Unix(r.Day*daySeconds, 0).UTC(), Endpoint: r.Endpoint, Source: recipient.Source(r.Source), Kind: r.Kind, N: r.N}
	}
	return out, nil
}

// Reasons returns the most frequent rules and codes of hard or soft bounces;
// an empty endpoint means all of them.
func (db *DB) Reasons(ctx context.Context, from, to time.Time, kind recipient.Kind, endpoint string, limit int) ([]Count, error) {
	if endpoint != "" {
		return db.top(ctx, kind, selectOneOf, dayOf(from), dayOf(to), string(kind), endpoint, limit)
	}
	return db.top(ctx, kind, selectReasons, dayOf(from), dayOf(to), string(kind), limit)
}

// Domains returns the recipients' domains with most hard bounces, soft bounces
// or complaints.
func (db *DB) Domains(ctx context.Context, from, to time.Time, kind recipient.Kind, limit int) ([]Count, error) {
	return db.top(ctx, kind, selectDomains, dayOf(from), dayOf(to), string(kind), limit)
}

func (db *DB) top(ctx context.Context, kind recipient.Kind, query string, args ...any) ([]Count, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []struct {
		Rule   string `db:"rule"`
		Code   string `db:"code"`
		Domain string `db:"domain"`
		N      int64  `db:"n"`
	}
	if err := db.read.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, wrap("read counters", err)
	}
	out := make([]Count, len(rows))
	for i, r := range rows {
		out[i] = Count{Kind: kind, Rule: r.Rule, Code: r.Code, Domain: r.Domain, N: r.N}
	}
	return out, nil
}
