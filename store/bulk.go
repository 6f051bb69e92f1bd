package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// SQLite spends more time on reading the text of a long INSERT than on doing
// it. What comes by the thousand goes in by statements that are read once. Not
// on MySQL: there, preparing is a round trip more, and reading is cheap.

// bulkRows go into one such statement. More would not be faster.
const bulkRows = 16

// bulkLeast rows are worth preparing for.
const bulkLeast = 200

// The checks of columns cost a fifth of such an INSERT: each is computed for
// every row, and as one of them may fail, SQLite keeps a copy of every page that
// a statement touches until its end. Events by the thousand go without them:
// checkEvent asks for more of each than they do.
const (
	withoutChecks = "PRAGMA ignore_check_constraints = ON"
	withChecks    = "PRAGMA ignore_check_constraints = OFF"
)

// bulk says whether that pays for n rows.
func (db *DB) bulk(n int) bool { return !db.d.mysql && n >= bulkLeast }

// bulkInsert is a statement that inserts rows.
type bulkInsert[T any] struct {
	head string                     // "INSERT INTO table (columns)"
	row  string                     // "(?,'email',?)"
	tail string                     // what to do with rows that are there
	args func(to []any, r *T) []any // appends what is bound for one row
	left func(some []T)             // told of rows, together, of which some were left out; may be nil
}

// placeholders are a row of which everything is bound.
func placeholders(width int) string { return "(?" + strings.Repeat(",?", width-1) + ")" }

// exec inserts a list, and returns how many rows that changed. A row that fails
// leaves those before it: the caller gives up the whole transaction, and SQLite
// need not be able to undo a part of it.
func (in bulkInsert[T]) exec(ctx context.Context, tx *sqlx.Tx, list []T) (changed int64, err error) {
	values := make([]any, 0, bulkRows*strings.Count(in.row, "?"))
	run := func(list []T) error {
		rows := min(len(list), bulkRows)
		text := "INSERT OR FAIL" + strings.TrimPrefix(in.head, "INSERT") + " VALUES " + in.row + strings.Repeat(","+in.row, rows-1) + in.tail
		st, err := tx.PreparexContext(ctx, text) //nolint:sqlclosecheck // it is, below: the linter takes sqlx for sql
		if err != nil {
			return err //nolint:wrapcheck // the caller wraps
		}
		defer st.Close() //nolint:errcheck // the transaction says it
		for some := range slices.Chunk(list, rows) {
			values = values[:0]
			for i := range some {
				values = in.args(values, &some[i])
			}
			if err := ctx.Err(); err != nil {
				return err //nolint:wrapcheck // the caller wraps
			}
			// The driver starts a goroutine for each statement that may be interrupted.
			done, err := st.ExecContext(context.WithoutCancel(ctx), values...)
			if err != nil {
				return err //nolint:wrapcheck // the caller wraps
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err //nolint:wrapcheck // the caller wraps
			}
			if changed += n; in.left != nil && int(n) < len(some) {
				in.left(some)
			}
		}
		return nil
	}
	full := len(list) / bulkRows * bulkRows
	if full > 0 {
		if err := run(list[:full]); err != nil {
			return changed, err
		}
	}
	if full < len(list) {
		err = run(list[full:])
	}
	return changed, err
}

// maxCommon bytes are short enough to stand in every row of a statement.
const maxCommon = 100

// common returns the literal of a short text that all rows have in common.
func common[T any](list []T, text func(*T) string) (literal string, ok bool) {
	first := text(&list[0])
	if len(first) > maxCommon {
		return "", false
	}
	for i := range list {
		if text(&list[i]) != first {
			return "", false
		}
	}
	return string(sqliteDialect.text(nil, first)), true
}

// bulkEvents inserts those events whose fingerprints are new, and returns which
// those are.
func bulkEvents(ctx context.Context, tx *sqlx.Tx, list []*entry) (fresh []*entry, err error) {
	var fields []eventField
	head, row := "INSERT INTO events (fingerprint, recipient_key, at, received_at, echo", "(?,?,?,?,?"
	for _, f := range eventFields {
		literal, same := common(list, func(e **entry) string { return f.text((*e).event) })
		switch {
		case same && f.text(list[0].event) == "":
			continue
		case same:
			row += "," + literal
		default:
			row += ",?"
			fields = append(fields, f)
		}
		head += ", " + f.column
	}
	var last int64
	if err := tx.GetContext(ctx, &last, lastEvent); err != nil {
		return nil, err //nolint:wrapcheck // classified
	}
	in := bulkInsert[*entry]{head: head + ")", row: row + ")", tail: onlyNewEvents, args: func(to []any, en **entry) []any {
		e := (*en).event
		to = append(to, e.Fingerprint[:], e.Key[:], micros(e.At), micros(e.ReceivedAt), e.Echo)
		for _, f := range fields {
			to = append(to, orNull(f.text(e)))
		}
		return to
	}}
	n, err := in.exec(ctx, tx, list)
	if err != nil || int(n) == len(list) {
		return list, err
	}
	// Ids only grow, and nobody else writes meanwhile.
	var prints [][]byte
	if err := tx.SelectContext(ctx, &prints, newEvents, last); err != nil {
		return nil, err //nolint:wrapcheck // classified
	}
	return freshOf(list, prints), nil
}

// orNull is the value of a text that may be missing.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

const (
	onlyNewEvents = " ON CONFLICT (fingerprint) DO NOTHING"
	lastEvent     = "SELECT COALESCE(MAX(id), 0) FROM events"
	newEvents     = "SELECT fingerprint FROM events WHERE id > ?"
)

// freshOf returns the entries with these fingerprints.
func freshOf(list []*entry, prints [][]byte) []*entry {
	fresh := make(map[recipient.Fingerprint]bool, len(prints))
	for _, p := range prints {
		fresh[recipient.Fingerprint(p)] = true
	}
	out := list[:0:0]
	for _, e := range list {
		if fresh[e.event.Fingerprint] {
			out = append(out, e)
		}
	}
	return out
}

// bulkJoin is joinStates. Most addresses of a list are new, and an upsert costs
// more than an insert. So the first rows show which it is to be: as keys are like
// random numbers, they stand for all.
func bulkJoin(ctx context.Context, tx *sqlx.Tx, rows []stateRow) error {
	used := filledTimes(rows)
	in := joinRows(rows, used)
	var known []stateRow
	upsert := func(list []stateRow) error {
		in.tail, in.left = string(sqliteJoin.appendTo(nil, used)), nil
		_, err := in.exec(ctx, tx, list)
		return err
	}
	for _, part := range [2][]stateRow{rows[:bulkLeast], rows[bulkLeast:]} {
		if len(known) > bulkLeast/2 {
			return upsert(append(known, part...))
		}
		in.tail, in.left = onlyNewRecipients, func(some []stateRow) { known = append(known, some...) }
		if _, err := in.exec(ctx, tx, part); err != nil {
			return err
		}
	}
	return upsert(known) // those of them that were inserted just now stay as they are
}

const onlyNewRecipients = " ON CONFLICT (recipient_key) DO NOTHING"

// joinRows inserts what rows say in the columns that they use.
func joinRows(rows []stateRow, used [len(stateColumns)]bool) bulkInsert[stateRow] {
	head, row := "INSERT INTO recipients (recipient_key, address", "(?,?"
	for n, c := range stateColumns {
		if used[n] {
			head += ", " + c
			row += ",?"
		}
	}
	channel, same := common(rows, func(r *stateRow) string { return string(r.channel) })
	if !same {
		channel = "?"
	}
	return bulkInsert[stateRow]{head: head + ", channel)", row: row + "," + channel + ")", args: func(to []any, r *stateRow) []any {
		to = append(to, r.key[:], orNull(r.address.Value()))
		for n, t := range stateTimes(&r.state) {
			if used[n] {
				to = append(to, micros(*t))
			}
		}
		if !same {
			to = append(to, string(r.channel))
		}
		return to
	}}
}

// bulkAddresses is insertAddresses.
func bulkAddresses(ctx context.Context, tx *sqlx.Tx, rows []stateRow) error {
	_, err := joinRows(rows, filledTimes(rows)).exec(ctx, tx, rows)
	return err
}

// bulkContacts is writeContacts.
func (d dialect) bulkContacts(ctx context.Context, tx *sqlx.Tx, plans []contactPlan, now time.Time, end string) error {
	key := func(to []any, m *move) []any {
		switch {
		case !m.new.IsZero():
			return append(to, m.new[:], 1)
		case !m.old.IsZero(): // a removed address is remembered, switched off
			return append(to, m.old[:], 0)
		}
		return append(to, nil, 0)
	}
	in := bulkInsert[contactPlan]{head: contactsHead, row: placeholders(9), tail: end, args: func(to []any, p *contactPlan) []any {
		to = append(to, []byte(p.c.ExternalID), p.c.Name, p.c.Language)
		to = key(key(to, &p.email), &p.phone)
		return append(to, micros(now), micros(now))
	}}
	_, err := in.exec(ctx, tx, plans)
	return err
}

// bulkTerms inserts terms.
func bulkTerms(ctx context.Context, tx *sqlx.Tx, list []term) error {
	in := bulkInsert[term]{head: insertTerm, row: placeholders(2), args: func(to []any, t *term) []any { return append(to, []byte(t.text), t.id) }}
	_, err := in.exec(ctx, tx, list)
	return err
}
