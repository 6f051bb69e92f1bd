package store

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Traffic is what an endpoint answered in one hour, by one process.
type Traffic struct {
	Endpoint           string
	Hour               time.Time // its beginning
	Accepted, Rejected int64
}

// Rejection is a reason for which an endpoint rejected requests.
type Rejection struct {
	Endpoint        string
	Reason          string // why the requests are not authentic; our words
	Hint            string // what would have made one of them match; empty: nothing that we tried
	FirstAt, LastAt time.Time
	N               int64
}

// MaxRejections is how many reasons are kept for an endpoint.
const MaxRejections = 20

// id tells reasons apart. Figures in it do not: every request is late by
// another number of seconds.
func (r *Rejection) id() [16]byte {
	plain := strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return -1
		}
		return c
	}, r.Reason+"\x00"+r.Hint)
	sum := sha256.Sum256([]byte(plain))
	return [16]byte(sum[:16])
}

// CountTraffic adds to the counters of endpoints, and keeps why they rejected.
func (db *DB) CountTraffic(ctx context.Context, traffic []Traffic, rejections []Rejection) error {
	if len(traffic)+len(rejections) == 0 {
		return nil
	}
	var hours, reasons [][]any
	for _, t := range traffic {
		hours = append(hours, []any{t.Endpoint, t.Hour.Unix() / 3600, t.Accepted, t.Rejected})
	}
	endpoints := map[string]bool{}
	for i := range rejections {
		r := &rejections[i]
		id := r.id()
		reasons = append(reasons, []any{r.Endpoint, id[:], recipient.Clean(r.Reason, 255), recipient.Clean(r.Hint, 512), micros(r.FirstAt), micros(r.LastAt), r.N})
		endpoints[r.Endpoint] = true
	}
	d := db.d
	sum := func(table, column string) string {
		return column + " = " + table + "." + column + " + " + d.proposed(column)
	}
	return db.inTx(ctx, "count requests", func(tx *sqlx.Tx) error {
		if err := addCounts(ctx, tx, d, "endpoint_hours", "endpoint, hour", "accepted, rejected", sum("endpoint_hours", "accepted")+", "+sum("endpoint_hours", "rejected"), hours); err != nil {
			return err
		}
		if err := addCounts(ctx, tx, d, "rejections", "endpoint, reason_id", "reason, hint, first_at, last_at, n",
			"reason = "+d.proposed("reason")+", hint = "+d.proposed("hint")+", last_at = "+d.later+"(rejections.last_at, "+d.proposed("last_at")+"), "+sum("rejections", "n"), reasons); err != nil {
			return err
		}
		for e := range endpoints {
			if err := forgetRejections(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetRejections keeps the latest MaxRejections reasons of an endpoint.
func forgetRejections(ctx context.Context, tx *sqlx.Tx, endpoint string) error {
	var old [][]byte
	if err := tx.SelectContext(ctx, &old, "SELECT reason_id FROM rejections WHERE endpoint = ? ORDER BY last_at DESC, reason_id LIMIT 1000 OFFSET ?", endpoint, MaxRejections); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	for _, id := range old {
		if _, err := tx.ExecContext(ctx, "DELETE FROM rejections WHERE endpoint = ? AND reason_id = ?", endpoint, id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

// Rejections returns why an endpoint rejected requests, the latest first; an
// empty name means all endpoints.
func (db *DB) Rejections(ctx context.Context, endpoint string) ([]Rejection, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	where, args := "", []any{}
	if endpoint != "" {
		where, args = " WHERE endpoint = ?", append(args, endpoint)
	}
	var rows []struct {
		Endpoint string `db:"endpoint"`
		Reason   string `db:"reason"`
		Hint     string `db:"hint"`
		FirstAt  int64  `db:"first_at"`
		LastAt   int64  `db:"last_at"`
		N        int64  `db:"n"`
	}
	// A few rows for each endpoint: the whole table is small.
	if err := db.read.SelectContext(ctx, &rows, "SELECT endpoint, reason, hint, first_at, last_at, n FROM rejections"+where+" ORDER BY last_at DESC, reason_id", args...); err != nil {
		return nil, wrap("read rejections", err)
	}
	out := make([]Rejection, len(rows))
	for i, r := range rows {
		out[i] = Rejection{Endpoint: r.Endpoint, Reason: r.Reason, Hint: r.Hint, FirstAt: fromMicros(r.FirstAt), LastAt: fromMicros(r.LastAt), N: r.N}
	}
	return out, nil
}

// Health is how an endpoint does, by what its own past makes one expect.
type Health struct {
	Endpoint string
	// Accepted and Rejected are those of the last day.
	Accepted, Rejected int64
	LastAccepted       time.Time // zero: never
	LastRejected       time.Time
	// Silent: nothing was accepted for more than twice the longest pause of the
	// last two weeks, and for three hours at least.
	Silent bool
	Pause  time.Duration // the longest until then
	// Jumped: this hour and the last brought more rejections than five times what
	// is usual, and more than were accepted.
	Jumped         bool
	RejectedLately int64
	RejectedUsual  int64 // in two hours
	Rejections     []Rejection
}

// MetaLastAccepted and an endpoint's name is where Meta keeps when it accepted
// something last, in RFC 3339.
const MetaLastAccepted = "last_accepted:"

// What Health takes for unusual.
const (
	silentLeast   = 3 * time.Hour
	silentHistory = 3 * 24 * time.Hour // a shorter past tells nothing
	silentHours   = 10                 // in which something came
	jumpLeast     = 20
	jumpTimes     = 5
)

const (
	selectHours    = "SELECT endpoint, hour, accepted, rejected FROM endpoint_hours WHERE endpoint IN (?) AND hour >= ? ORDER BY endpoint, hour"
	selectAccepted = "SELECT name, value FROM meta WHERE name IN (?)"
)

type hourRow struct {
	Endpoint string `db:"endpoint"`
	Hour     int64  `db:"hour"`
	Accepted int64  `db:"accepted"`
	Rejected int64  `db:"rejected"`
}

// HealthOf reports on endpoints, in the order of the names.
func (db *DB) HealthOf(ctx context.Context, names []string) ([]Health, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	rejections, err := db.Rejections(ctx, "")
	if err != nil {
		return nil, err
	}
	now := db.now()
	hours := map[string][]hourRow{}
	last := map[string]time.Time{}
	for some := range slices.Chunk(names, rowsPerStatement) {
		if err := db.trafficOf(ctx, some, now.Add(-slotsKept), hours, last); err != nil {
			return nil, err
		}
	}
	out := make([]Health, len(names))
	for i, name := range names {
		h := health(name, hours[name], now)
		if at := last[name]; at.After(h.LastAccepted) {
			h.LastAccepted = at // to the second, where the counters know the hour
		}
		for _, r := range rejections {
			if r.Endpoint == name {
				h.Rejections = append(h.Rejections, r)
				if r.LastAt.After(h.LastRejected) {
					h.LastRejected = r.LastAt
				}
			}
		}
		out[i] = h
	}
	return out, nil
}

// trafficOf adds the hours of some endpoints and when each accepted last.
func (db *DB) trafficOf(ctx context.Context, names []string, from time.Time, hours map[string][]hourRow, last map[string]time.Time) error {
	query, args, err := sqlx.In(selectHours, names, from.Unix()/3600)
	if err != nil {
		return wrap("read the traffic of endpoints", err)
	}
	var rows []hourRow
	if err := db.read.SelectContext(ctx, &rows, query, args...); err != nil {
		return wrap("read the traffic of endpoints", err)
	}
	for _, r := range rows {
		hours[r.Endpoint] = append(hours[r.Endpoint], r)
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = MetaLastAccepted + name
	}
	if query, args, err = sqlx.In(selectAccepted, keys); err != nil {
		return wrap("read the traffic of endpoints", err)
	}
	var values []struct {
		Name  string `db:"name"`
		Value string `db:"value"`
	}
	if err := db.read.SelectContext(ctx, &values, query, args...); err != nil {
		return wrap("read the traffic of endpoints", err)
	}
	for _, v := range values {
		if at, err := time.Parse(time.RFC3339Nano, v.Value); err == nil {
			last[strings.TrimPrefix(v.Name, MetaLastAccepted)] = at.UTC()
		}
	}
	return nil
}

// health judges the hours of an endpoint, which are sorted.
func health(name string, rows []hourRow, now time.Time) Health {
	h := Health{Endpoint: name}
	this := now.Unix() / 3600
	var first, last, pause, hours int64 // of those in which something was accepted
	var usual, rejecting, acceptedLately int64
	for _, r := range rows {
		if r.Hour > this-24 {
			h.Accepted += r.Accepted
			h.Rejected += r.Rejected
		}
		if r.Hour >= this-1 {
			h.RejectedLately += r.Rejected
			acceptedLately += r.Accepted
		} else if r.Rejected > 0 {
			usual += r.Rejected
			rejecting++
		}
		if r.Accepted == 0 {
			continue
		}
		if first == 0 {
			first = r.Hour
		} else {
			pause = max(pause, r.Hour-last)
		}
		last = r.Hour
		hours++
	}
	if rejecting > 0 {
		h.RejectedUsual = 2 * usual / rejecting
	}
	h.Jumped = h.RejectedLately >= jumpLeast && h.RejectedLately > jumpTimes*h.RejectedUsual && h.RejectedLately > acceptedLately
	if last == 0 {
		return h
	}
	h.LastAccepted = time.Unix(last*3600, 0).UTC()
	h.Pause = time.Duration(pause) * time.Hour
	// The hour of the last acceptance may have ended just now.
	quiet := time.Duration(this-last) * time.Hour
	h.Silent = time.Duration(last-first)*time.Hour >= silentHistory && hours >= silentHours && quiet > silentLeast && quiet > 2*h.Pause
	return h
}
