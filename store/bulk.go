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

// bulkRows go into one such statement. More would not be faster: of every page
// that a statement of several rows touches, SQLite keeps a copy until its end.
const bulkRows = 16

// bulkLeast rows are worth preparing for.
const bulkLeast = 200

// bulk says whether that pays for n rows.
func (db *DB) bulk(n int) bool { return !db.d.mysql && n >= bulkLeast }

// bulkExec runs "head VALUES (?,..),.. tail" for a list, and returns how many
// rows that changed. args appends the values of one row.
func bulkExec[T any](ctx context.Context, tx *sqlx.Tx, head, tail string, width int, list []T, args func([]any, *T) []any) (changed int64, err error) {
	row := "(?" + strings.Repeat(",?", width-1) + ")"
	values := make([]any, 0, bulkRows*width)
	run := func(list []T) error {
		rows := min(len(list), bulkRows)
		st, err := tx.PreparexContext(ctx, head+" VALUES "+row+strings.Repeat(","+row, rows-1)+tail) //nolint:sqlclosecheck // it is, below: the linter takes sqlx for sql
		if err != nil {
			return err //nolint:wrapcheck // the caller wraps
		}
		defer st.Close() //nolint:errcheck // the transaction says it
		for some := range slices.Chunk(list, rows) {
			values = values[:0]
			for i := range some {
				values = args(values, &some[i])
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
			changed += n
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

// eventField is a column of events that most events leave empty.
type eventField struct {
	column string
	text   func(e *recipient.Event) string
}

var eventFields = [...]eventField{
	{"endpoint", func(e *recipient.Event) string { return e.Endpoint }},
	{"event_id", func(e *recipient.Event) string { return e.EventID }},
	{"message_id", func(e *recipient.Event) string { return e.MessageID }},
	{"code", func(e *recipient.Event) string { return e.Code }},
	{"rule", func(e *recipient.Event) string { return e.Rule }},
	{"detail", func(e *recipient.Event) string { return e.Detail }},
	{"send_out", func(e *recipient.Event) string { return e.SendOut }},
	{"actor", func(e *recipient.Event) string { return e.Actor }},
	{"evidence", func(e *recipient.Event) string { return evidenceText(e.Evidence) }},
}

// bulkEvents inserts those events whose fingerprints are new, and returns which
// those are. Columns that none of them fills are left out.
func bulkEvents(ctx context.Context, tx *sqlx.Tx, list []*entry) (fresh []*entry, err error) {
	var fields []eventField
	for _, f := range eventFields {
		if slices.ContainsFunc(list, func(e *entry) bool { return f.text(e.event) != "" }) {
			fields = append(fields, f)
		}
	}
	head := "INSERT INTO events (fingerprint, recipient_key, at, received_at, kind, echo, channel, source"
	for _, f := range fields {
		head += ", " + f.column
	}
	var last int64
	if err := tx.GetContext(ctx, &last, lastEvent); err != nil {
		return nil, err //nolint:wrapcheck // classified
	}
	n, err := bulkExec(ctx, tx, head+")", onlyNewEvents, 8+len(fields), list, func(to []any, en **entry) []any {
		e := (*en).event
		to = append(to, e.Fingerprint[:], e.Key[:], micros(e.At), micros(e.ReceivedAt), string(e.Kind), e.Echo, string(e.Channel), string(e.Source))
		for _, f := range fields {
			if s := f.text(e); s != "" {
				to = append(to, s)
			} else {
				to = append(to, nil)
			}
		}
		return to
	})
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

// bulkJoin is joinStates.
func bulkJoin(ctx context.Context, tx *sqlx.Tx, rows []stateRow) error {
	_, err := bulkExec(ctx, tx, "INSERT INTO recipients ("+recipientColumns+")", sqliteJoin, 3+len(stateColumns), rows, func(to []any, r *stateRow) []any {
		to = append(to, r.key[:], string(r.channel))
		if a := r.address.Value(); a != "" {
			to = append(to, a)
		} else {
			to = append(to, nil)
		}
		for _, t := range stateTimes(&r.state) {
			to = append(to, micros(*t))
		}
		return to
	})
	return err
}

// bulkAddresses is insertAddresses.
func bulkAddresses(ctx context.Context, tx *sqlx.Tx, rows []stateRow) error {
	_, err := bulkExec(ctx, tx, addressesHead, "", 3, rows, func(to []any, r *stateRow) []any {
		if a := r.address.Value(); a != "" {
			return append(to, r.key[:], string(r.channel), a)
		}
		return append(to, r.key[:], string(r.channel), nil)
	})
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
	_, err := bulkExec(ctx, tx, contactsHead, end, 9, plans, func(to []any, p *contactPlan) []any {
		to = append(to, []byte(p.c.ExternalID), p.c.Name, p.c.Language)
		to = key(key(to, &p.email), &p.phone)
		return append(to, micros(now), micros(now))
	})
	return err
}

// bulkTerms inserts terms.
func bulkTerms(ctx context.Context, tx *sqlx.Tx, list []term) error {
	_, err := bulkExec(ctx, tx, insertTerm, "", 2, list, func(to []any, t *term) []any { return append(to, []byte(t.text), t.id) })
	return err
}
