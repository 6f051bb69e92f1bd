package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// retainWindow is how many ids one transaction of Retain looks at.
const retainWindow = 10_000

// selectOld finds events that may go: old ones with a later one of the same
// kind for the same address. An echo counts as another kind, because in the fold
// it is worth less than an older event that is none.
const selectOld = "SELECT e.id FROM events e WHERE e.id > ? AND e.id <= ? AND e.kind = ? AND e.received_at < ? AND EXISTS " +
	"(SELECT 1 FROM events l WHERE l.recipient_key = e.recipient_key AND l.at >= e.at AND l.kind = e.kind AND l.echo = e.echo AND (l.at > e.at OR l.id > e.id))"

// Retain deletes events that are older than their kind is kept, but never the
// latest of its kind for its address, so that the states stay the fold of the
// events. It also deletes held requests after HeldFor, uploads after UploadFor
// and old counters. It returns the number
// of deleted events and may be interrupted and repeated.
func (db *DB) Retain(ctx context.Context, keep map[recipient.Kind]time.Duration) (int, error) {
	if err := db.ready(ctx); err != nil {
		return 0, err
	}
	now := db.now()
	if _, err := db.write.ExecContext(ctx, "DELETE FROM quarantine WHERE received_at < ?", micros(now.Add(-HeldFor))); err != nil {
		return 0, wrap("delete old held requests", err)
	}
	if err := db.dropOldUploads(ctx); err != nil {
		return 0, err
	}
	if err := db.PruneCounts(ctx); err != nil {
		return 0, err
	}
	for k, d := range keep {
		if !k.Valid() || d <= 0 {
			return 0, fmt.Errorf("%w retention: kind or duration", ErrInvalid)
		}
	}
	var top int64
	if err := db.read.GetContext(ctx, &top, "SELECT COALESCE(MAX(id), 0) FROM events"); err != nil {
		return 0, wrap("read events", err)
	}
	deleted := 0
	for low := int64(0); low < top; low += retainWindow {
		for kind, d := range keep {
			n, err := db.retainWindow(ctx, low, min(low+retainWindow, top), kind, now.Add(-d))
			deleted += n
			if err != nil {
				return deleted, err
			}
		}
	}
	return deleted, nil
}

func (db *DB) retainWindow(ctx context.Context, low, high int64, kind recipient.Kind, cutoff time.Time) (int, error) {
	var ids []int64
	if err := db.read.SelectContext(ctx, &ids, selectOld, low, high, string(kind), micros(cutoff)); err != nil {
		return 0, wrap("find old events", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	err := db.inTx(ctx, "delete old events", func(tx *sqlx.Tx) error {
		// Noted before anything is gone: from now on nobody may lower a state.
		_, err := tx.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)"+db.d.conflict("name")+"name = meta.name", metaRetentionAt, db.now().UTC().Format(time.RFC3339))
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		for rest := ids; len(rest) > 0; {
			n := min(len(rest), statesChunk)
			query, args, err := sqlx.In("DELETE FROM events WHERE id IN (?)", rest[:n])
			if err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
			if _, err := tx.ExecContext(ctx, query, args...); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
			rest = rest[n:]
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(ids), nil
}
