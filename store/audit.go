package store

import (
	"context"
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
	Key    recipient.Key // where it is about an address
	Detail string        // no address
}

// Audit keeps an entry. A zero At is now.
func (db *DB) Audit(ctx context.Context, e AuditEntry) error {
	return db.inTx(ctx, "write the audit log", func(tx *sqlx.Tx) error { return db.audit(ctx, tx, e) })
}

func (db *DB) audit(ctx context.Context, tx *sqlx.Tx, e AuditEntry) error {
	if e.At.IsZero() {
		e.At = db.now()
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO audit (at, actor, action, recipient_key, detail) VALUES (?, ?, ?, ?, ?)", micros(e.At),
		recipient.Clean(e.Actor, maxActorBytes), recipient.Clean(e.Action, 64), nullKey(e.Key), recipient.Clean(e.Detail, recipient.MaxDetailBytes))
	return err //nolint:wrapcheck // inTx wraps
}

// AuditLog returns entries with ids less than before (0: the newest), newest
// first.
func (db *DB) AuditLog(ctx context.Context, before int64, limit int) ([]AuditEntry, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	if before <= 0 {
		before = 1<<63 - 1
	}
	if limit <= 0 {
		limit = defaultHistory
	}
	var rows []struct {
		ID     int64  `db:"id"`
		At     int64  `db:"at"`
		Actor  string `db:"actor"`
		Action string `db:"action"`
		Key    []byte `db:"recipient_key"`
		Detail string `db:"detail"`
	}
	if err := db.read.SelectContext(ctx, &rows, "SELECT id, at, actor, action, recipient_key, detail FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit); err != nil {
		return nil, wrap("read the audit log", err)
	}
	out := make([]AuditEntry, len(rows))
	for i, r := range rows {
		out[i] = AuditEntry{ID: r.ID, At: fromMicros(r.At), Actor: r.Actor, Action: r.Action, Detail: r.Detail}
		if len(r.Key) == len(out[i].Key) {
			out[i].Key = recipient.Key(r.Key)
		}
	}
	return out, nil
}
