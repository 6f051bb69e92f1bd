package store

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// AuditEntry is something that somebody did and that is no event of an
// address: an erasure, a new API key.
type AuditEntry struct {
	ID     int64
	At     time.Time
	Actor  string // a user, an API key or "cli"
	Action string
	Object string        // what it was done to, such as "user anna@example.com"; no recipient's address
	Key    recipient.Key // where it is about an address
	Detail string        // what changed; no address
	// Network is where the actor sat: an IP address; empty for the command line.
	Network string
}

// By says who asks for a change. Every method that takes one writes the change
// and its line of the audit log in one transaction.
type By struct {
	Actor   string // a user's name, or "cli"
	Network string // the actor's IP address; empty: this machine's command line
}

// CommandLine is the actor of what is done on the host.
const CommandLine = "cli"

// entry is the audit line of what By does.
func (b By) entry(action, object, detail string) AuditEntry {
	return AuditEntry{Actor: b.Actor, Network: b.Network, Action: action, Object: object, Detail: detail}
}

// Audit keeps an entry. A zero At is now.
func (db *DB) Audit(ctx context.Context, e AuditEntry) error {
	return db.inTx(ctx, "write the audit log", func(tx *sqlx.Tx) error { return db.audit(ctx, tx, e) })
}

func (db *DB) audit(ctx context.Context, tx *sqlx.Tx, e AuditEntry) error {
	if e.At.IsZero() {
		e.At = db.now()
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO audit (at, actor, action, object, recipient_key, detail, network) VALUES (?, ?, ?, ?, ?, ?, ?)", micros(e.At),
		recipient.Clean(e.Actor, maxActorBytes), recipient.Clean(e.Action, 64), recipient.Clean(e.Object, 255), nullKey(e.Key),
		recipient.Clean(e.Detail, recipient.MaxDetailBytes), recipient.Clean(e.Network, 64))
	return err //nolint:wrapcheck // inTx wraps
}

// AuditQuery selects audit entries; the zero query selects the newest.
type AuditQuery struct {
	Before int64  // ids less than this; 0: from the newest
	Actor  string // exactly this one; empty: everybody
	Action string // this action, or all that begin with it when it ends in "."
	Limit  int    // 0 means 100
}

// AuditLog returns entries with ids less than before (0: the newest), newest
// first.
func (db *DB) AuditLog(ctx context.Context, before int64, limit int) ([]AuditEntry, error) {
	return db.Audited(ctx, AuditQuery{Before: before, Limit: limit})
}

// Audited returns the entries of a query, newest first.
func (db *DB) Audited(ctx context.Context, q AuditQuery) ([]AuditEntry, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	if q.Before <= 0 {
		q.Before = 1<<63 - 1
	}
	if q.Limit <= 0 {
		q.Limit = defaultHistory
	}
	where, args := "id < ?", []any{q.Before}
	if q.Actor != "" {
		where, args = where+" AND actor = ?", append(args, q.Actor)
	}
	switch {
	case strings.HasSuffix(q.Action, "."):
		// From "user." up to but without "user/": the next byte.
		where, args = where+" AND action >= ? AND action < ?", append(args, q.Action, strings.TrimSuffix(q.Action, ".")+"/")
	case q.Action != "":
		where, args = where+" AND action = ?", append(args, q.Action)
	}
	args = append(args, q.Limit)
	var rows []struct {
		ID      int64  `db:"id"`
		At      int64  `db:"at"`
		Actor   string `db:"actor"`
		Action  string `db:"action"`
		Object  string `db:"object"`
		Network string `db:"network"`
		Key     []byte `db:"recipient_key"`
		Detail  string `db:"detail"`
	}
	if err := db.read.SelectContext(ctx, &rows, "SELECT id, at, actor, action, object, recipient_key, detail, network FROM audit WHERE "+where+" ORDER BY id DESC LIMIT ?", args...); err != nil {
		return nil, wrap("read the audit log", err)
	}
	out := make([]AuditEntry, len(rows))
	for i, r := range rows {
		out[i] = AuditEntry{ID: r.ID, At: fromMicros(r.At), Actor: r.Actor, Action: r.Action, Object: r.Object, Detail: r.Detail, Network: r.Network}
		if len(r.Key) == len(out[i].Key) {
			out[i].Key = recipient.Key(r.Key)
		}
	}
	return out, nil
}
