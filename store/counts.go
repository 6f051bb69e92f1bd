package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
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
	selectReasons = "SELECT rule, code, n FROM day_reasons WHERE day >= ? AND day <= ? AND kind = ?"
	selectDomains = "SELECT domain, n FROM day_domains WHERE day >= ? AND day <= ? AND kind = ?"
	ofEndpoint    = " AND endpoint = ?"
	topOfDay      = " ORDER BY n DESC LIMIT ?"
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
		return db.top(ctx, selectReasons+ofEndpoint, from, to, kind, limit, endpoint)
	}
	return db.top(ctx, selectReasons, from, to, kind, limit)
}

// Domains returns the recipients' domains with most hard bounces, soft bounces
// or complaints.
func (db *DB) Domains(ctx context.Context, from, to time.Time, kind recipient.Kind, limit int) ([]Count, error) {
	return db.top(ctx, selectDomains, from, to, kind, limit)
}

// top adds up days. Those of the past hold only their top; of the last days,
// which may hold a hundred times more, only theirs is read. Grouping in the
// database would make a table on disk of all of them.
func (db *DB) top(ctx context.Context, query string, from, to time.Time, kind recipient.Kind, limit int, more ...any) ([]Count, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	first, last := dayOf(from), dayOf(to)
	fresh := max(first, dayOf(db.now())-freshDays+1)
	sums := map[Count]int64{}
	if err := db.addTop(ctx, sums, query, append([]any{first, min(last, fresh-1), string(kind)}, more...)...); err != nil {
		return nil, err
	}
	for day := fresh; day <= last; day++ {
		if err := db.addTop(ctx, sums, query+topOfDay, append(append([]any{day, day, string(kind)}, more...), topKept)...); err != nil {
			return nil, err
		}
	}
	out := make([]Count, 0, len(sums))
	for c, n := range sums {
		c.Kind, c.N = kind, n
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Domain, b.Domain), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Code, b.Code))
	})
	return out[:min(limit, len(out))], nil
}

func (db *DB) addTop(ctx context.Context, sums map[Count]int64, query string, args ...any) error {
	var rows []struct {
		Rule   string `db:"rule"`
		Code   string `db:"code"`
		Domain string `db:"domain"`
		N      int64  `db:"n"`
	}
	if err := db.read.SelectContext(ctx, &rows, query, args...); err != nil {
		return wrap("read counters", err)
	}
	for _, r := range rows {
		sums[Count{Rule: r.Rule, Code: r.Code, Domain: r.Domain}] += r.N
	}
	return nil
}
