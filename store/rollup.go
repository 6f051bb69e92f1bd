package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

const (
	metaRollup = "rollup" // the id up to which events are counted

	rollupStep = 5000 // events of one transaction

	daySeconds  = 24 * 60 * 60
	slotSeconds = 10 * 60
	slotsAnHour = 6
)

// The dimensions in which hard bounces are watched.
const (
	DimEndpoint = "endpoint"
	DimDomain   = "domain"
)

// Complaints and bounces are counted by the recipient's domain, as far as the
// address is known.
const selectUncounted = "SELECT e.id, e.kind, e.source, COALESCE(e.endpoint, ''), COALESCE(e.code, ''), COALESCE(e.rule, ''), e.received_at, COALESCE(r.address, '') FROM events e " +
	"LEFT JOIN recipients r ON r.recipient_key = e.recipient_key AND r.channel = 'email' AND e.source = 'provider' AND e.kind IN ('hard_bounce', 'soft_bounce', 'complaint') " +
	"WHERE e.id > ? AND e.id <= ? ORDER BY e.id LIMIT ?"

// uncounted is what a count needs of an event.
type uncounted struct {
	id                                    int64
	kind                                  recipient.Kind
	source, endpoint, code, rule, address string
	receivedAt                            int64
}

// RollUp counts some of the events that are not counted yet for the desk, in
// the gap-free order of the feed. It returns how many, and whether more wait or
// may have come since it last asked. Any number of processes may call it: the
// cursor and the counters move in one transaction, and who finds that the
// cursor has moved drops its work.
func (db *DB) RollUp(ctx context.Context) (n int, more bool, err error) {
	if err := db.ready(ctx); err != nil {
		return 0, false, err
	}
	at, found, err := db.meta(ctx, metaRollup)
	if err == nil && !found { // a database that was put together by hand
		err = db.SetMeta(ctx, metaRollup, "")
	}
	if err != nil {
		return 0, false, err
	}
	after, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		after = 0 // nothing is counted yet
	}
	upTo, known, err := db.settledAfter(ctx, after)
	if err != nil || upTo <= after {
		return 0, false, err
	}
	t, n, last, err := db.tallyOf(ctx, after, upTo)
	if err != nil {
		return 0, false, wrap("count events", err)
	}
	more = known // what came since is not
	if n == rollupStep {
		upTo, more = last, true
	}
	err = db.inTx(ctx, "count events", func(tx *sqlx.Tx) error {
		// First of all: whoever comes second waits here, and finds nothing to do.
		res, err := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE name = ? AND value = ?", strconv.FormatInt(upTo, 10), metaRollup, at)
		if err := oneRow("move the cursor", res, err); err != nil {
			return err
		}
		return t.add(ctx, tx, db.d)
	})
	if errors.Is(err, ErrNotFound) {
		return 0, true, nil // counted by another process meanwhile
	}
	if err != nil {
		return 0, false, err
	}
	return n, more, nil
}

// settledAfter returns up to which id nothing is missing, and whether that was
// known from before. It asks the writers only when there is something new.
func (db *DB) settledAfter(ctx context.Context, after int64) (upTo int64, known bool, err error) {
	db.feed.mu.Lock()
	settled := db.feed.settled
	db.feed.mu.Unlock()
	if settled > after {
		return settled, true, nil
	}
	var top int64
	if err := db.read.GetContext(ctx, &top, "SELECT COALESCE(MAX(id), 0) FROM events"); err != nil {
		return 0, false, wrap("count events", err)
	}
	if top <= after {
		return after, false, nil
	}
	upTo, err = db.settle(ctx)
	return upTo, false, err
}

// tallyOf counts a step's events. It returns how many there are, and the last
// one's id.
func (db *DB) tallyOf(ctx context.Context, after, upTo int64) (t *tally, n int, last int64, err error) {
	rows, err := db.read.QueryContext(ctx, selectUncounted, after, upTo, rollupStep)
	if err != nil {
		return nil, 0, 0, err //nolint:wrapcheck // the caller wraps
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	t = newTally()
	for rows.Next() {
		var e uncounted
		if err := rows.Scan(&e.id, &e.kind, &e.source, &e.endpoint, &e.code, &e.rule, &e.receivedAt, &e.address); err != nil {
			return nil, 0, 0, err //nolint:wrapcheck // the caller wraps
		}
		t.count(&e)
		n, last = n+1, e.id
	}
	return t, n, last, rows.Err() //nolint:wrapcheck // the caller wraps
}

// domainOf returns what stands behind the last @ of an address.
func domainOf(address string) string {
	return recipient.Clean(address[strings.LastIndexByte(address, '@')+1:], 255)
}

// tally is a batch of events, counted. The keys are those of the tables.
type tally struct {
	days    map[[4]string]int64
	reasons map[[5]string]int64
	domains map[[3]string]int64
	slots   map[[3]string]*slotCount
}

type slotCount struct{ n, first, last int64 }

func newTally() *tally {
	return &tally{days: map[[4]string]int64{}, reasons: map[[5]string]int64{}, domains: map[[3]string]int64{}, slots: map[[3]string]*slotCount{}}
}

func (t *tally) count(e *uncounted) {
	seconds := e.receivedAt / 1_000_000
	day, kind := strconv.FormatInt(seconds/daySeconds, 10), string(e.kind)
	t.days[[4]string{day, e.endpoint, e.source, kind}]++
	if e.source != string(recipient.FromProvider) {
		return
	}
	if e.kind == recipient.HardBounce || e.kind == recipient.SoftBounce {
		t.reasons[[5]string{day, kind, e.endpoint, e.rule, e.code}]++
	}
	domain := domainOf(e.address)
	if domain != "" {
		t.domains[[3]string{day, kind, domain}]++
	}
	if e.kind == recipient.HardBounce {
		slot := strconv.FormatInt(seconds/slotSeconds, 10)
		t.slot(DimEndpoint, e.endpoint, slot, e.id)
		t.slot(DimDomain, domain, slot, e.id)
	}
}

func (t *tally) slot(dim, name, slot string, id int64) {
	if name == "" {
		return
	}
	c := t.slots[[3]string{dim, name, slot}]
	if c == nil {
		c = &slotCount{first: id}
		t.slots[[3]string{dim, name, slot}] = c
	}
	c.n++
	c.last = id // ids come in order
}

func (t *tally) add(ctx context.Context, tx *sqlx.Tx, d dialect) error {
	plus := func(table string) string { return "n = " + table + ".n + " + d.proposed("n") }
	if err := addCounts(ctx, tx, d, "day_counts", "day, endpoint, source, kind", "n", plus("day_counts"), rowsOf(t.days)); err != nil {
		return err
	}
	if err := addCounts(ctx, tx, d, "day_reasons", "day, kind, endpoint, rule, code", "n", plus("day_reasons"), rowsOf(t.reasons)); err != nil {
		return err
	}
	if err := addCounts(ctx, tx, d, "day_domains", "day, kind, domain", "n", plus("day_domains"), rowsOf(t.domains)); err != nil {
		return err
	}
	var slots [][]any
	for _, k := range slices.SortedFunc(maps.Keys(t.slots), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		c := t.slots[k]
		slots = append(slots, []any{k[0], k[1], k[2], c.n, c.first, c.last})
	}
	// Ids only grow, so the first one of a slot stays the first.
	return addCounts(ctx, tx, d, "hard_slots", "dim, name, slot", "n, first_id, last_id",
		plus("hard_slots")+", last_id = "+d.later+"(hard_slots.last_id, "+d.proposed("last_id")+")", slots)
}

// rowsOf lists counters in one order, so that transactions do not deadlock.
func rowsOf[K interface {
	[3]string | [4]string | [5]string
}](counts map[K]int64) [][]any {
	rows := make([][]any, 0, len(counts))
	for k, n := range counts {
		row := make([]any, 0, len(k)+1)
		for _, s := range keyParts(k) {
			row = append(row, s)
		}
		rows = append(rows, append(row, n))
	}
	slices.SortFunc(rows, func(a, b []any) int {
		for i := range len(a) - 1 {
			if c := cmp.Compare(a[i].(string), b[i].(string)); c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

func keyParts[K interface {
	[3]string | [4]string | [5]string
}](k K) []string {
	switch v := any(k).(type) {
	case [3]string:
		return v[:]
	case [4]string:
		return v[:]
	case [5]string:
		return v[:]
	}
	return nil
}

// addCounts raises the counters of rows, which hold the values of the key's
// columns and of the others.
func addCounts(ctx context.Context, tx *sqlx.Tx, d dialect, table, key, others, update string, rows [][]any) error {
	for chunk := range slices.Chunk(rows, rowsPerStatement) {
		one := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(chunk[0])), ", ") + ")"
		query := "INSERT INTO " + table + " (" + key + ", " + others + ") VALUES " + strings.TrimSuffix(strings.Repeat(one+", ", len(chunk)), ", ") + d.conflict(key) + update
		if _, err := tx.ExecContext(ctx, query, slices.Concat(chunk...)...); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

// How long counters are kept, and how many of a past day.
const (
	daysKept    = 400
	slotsKept   = 15 * 24 * time.Hour
	reasonsKept = 90 // days
	topKept     = 300
	freshDays   = 2 // that are kept whole
)

// PruneCounts deletes old counters, and of the days before yesterday all
// reasons and domains but those that counted most: what is listed is the top,
// and a hostile or very mixed day must not slow the desk down for months.
func (db *DB) PruneCounts(ctx context.Context) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	now := db.now().Unix()
	today := now / daySeconds
	for query, arg := range map[string]int64{
		"DELETE FROM day_counts WHERE day < ?":      today - daysKept,
		"DELETE FROM day_reasons WHERE day < ?":     today - reasonsKept,
		"DELETE FROM day_domains WHERE day < ?":     today - reasonsKept,
		"DELETE FROM hard_slots WHERE slot < ?":     (now - int64(slotsKept/time.Second)) / slotSeconds,
		"DELETE FROM endpoint_hours WHERE hour < ?": (now - int64(slotsKept/time.Second)) / 3600,
		"DELETE FROM incidents WHERE last_at < ?":   db.now().Add(-incidentKept).UnixMicro(),
		"DELETE FROM rejections WHERE last_at < ?":  db.now().Add(-HeldFor).UnixMicro(),
	} {
		if _, err := db.write.ExecContext(ctx, query, arg); err != nil {
			return wrap("delete old counters", err)
		}
	}
	for _, table := range []string{"day_reasons", "day_domains"} {
		var long []struct {
			Day  int64  `db:"day"`
			Kind string `db:"kind"`
		}
		if err := db.read.SelectContext(ctx, &long, "SELECT day, kind FROM "+table+" WHERE day <= ? GROUP BY day, kind HAVING COUNT(*) > ?", today-freshDays, topKept); err != nil {
			return wrap("find small counters", err)
		}
		for _, l := range long {
			if err := db.keepTop(ctx, table, l.Kind, l.Day); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) keepTop(ctx context.Context, table, kind string, day int64) error {
	var least int64
	err := db.read.GetContext(ctx, &least, "SELECT n FROM "+table+" WHERE day = ? AND kind = ? ORDER BY n DESC LIMIT 1 OFFSET ?", day, kind, topKept)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = db.write.ExecContext(ctx, "DELETE FROM "+table+" WHERE day = ? AND kind = ? AND n <= ?", day, kind, least) //nolint:gosec // a word of ours
	}
	return wrap("delete small counters", err)
}
