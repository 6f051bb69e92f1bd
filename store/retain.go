package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// retainWindow is how many ids one transaction of Retain looks at.
const retainWindow = 10_000

// retainSweep is how many windows of events that were looked at before, and
// stayed, one run looks at again.
const retainSweep = 100

// selectOld finds events that may go: old ones with a later one of the same
// kind for the same address. An echo counts as another kind, because in the fold
// it is worth less than an older event that is none.
const selectOld = "SELECT e.id FROM events e WHERE e.id > ? AND e.id <= ? AND e.kind IN (?) AND e.received_at < ? AND EXISTS " +
	"(SELECT 1 FROM events l WHERE l.recipient_key = e.recipient_key AND l.at >= e.at AND l.kind = e.kind AND l.echo = e.echo AND (l.at > e.at OR l.id > e.id))"

// selectNext finds the event with the least id from one on.
const selectNext = "SELECT id, received_at FROM events WHERE id >= ? ORDER BY id LIMIT 1"

// retained is how far the deletion of events that are kept equally long has
// come. Ids grow in the order of arrival, so that most of what a run has to look
// at is what became old since the last one. What stayed then, because it was the
// latest of its kind for its address, may have to go later: that is looked at
// again little by little.
type retained struct {
	Old   int64 `json:"old"`   // ids up to this one were looked at
	Sweep int64 `json:"sweep"` // and up to this one once more
}

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
	kinds := map[time.Duration][]string{}
	for k, d := range keep {
		if !k.Valid() || d <= 0 {
			return 0, fmt.Errorf("%w retention: kind or duration", ErrInvalid)
		}
		kinds[d] = append(kinds[d], string(k))
	}
	deleted := 0
	for d, some := range kinds {
		n, err := db.retainKinds(ctx, d, some, now.Add(-d))
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// retainKinds deletes events of kinds that are kept equally long.
func (db *DB) retainKinds(ctx context.Context, d time.Duration, kinds []string, cutoff time.Time) (deleted int, err error) {
	name := metaRetained + d.String()
	var at retained
	text, found, err := db.meta(ctx, name)
	if err == nil && found {
		err = json.Unmarshal([]byte(text), &at)
	}
	if err != nil {
		return 0, wrap("read how far retention has come", err)
	}
	end, err := db.oldUpTo(ctx, cutoff)
	if err != nil {
		return 0, err
	}
	window := func(low, high int64) error {
		n, err := db.retainWindow(ctx, low, high, kinds, cutoff)
		deleted += n
		return err
	}
	save := func() error {
		text, err := json.Marshal(at)
		if err != nil {
			return err //nolint:wrapcheck // two numbers
		}
		return db.SetMeta(ctx, name, string(text))
	}
	before := min(at.Old, end)
	for n := 1; at.Old < end; n++ {
		high := min(at.Old+retainWindow, end)
		if err := window(at.Old, high); err != nil {
			return deleted, err
		}
		if at.Old = high; n%retainSweep == 0 {
			if err := save(); err != nil {
				return deleted, err
			}
		}
	}
	for range retainSweep {
		if at.Sweep >= before {
			at.Sweep = 0
			break
		}
		high := min(at.Sweep+retainWindow, before)
		if err := window(at.Sweep, high); err != nil {
			return deleted, err
		}
		at.Sweep = high
	}
	return deleted, save()
}

// oldUpTo returns the largest id up to which events came before a time. It
// searches by halves: a few stragglers, which came from a spool after younger
// ones, go with the younger ones.
func (db *DB) oldUpTo(ctx context.Context, cutoff time.Time) (int64, error) {
	var end int64
	if err := db.read.GetContext(ctx, &end, "SELECT COALESCE(MAX(id), 0) FROM events"); err != nil {
		return 0, wrap("read events", err)
	}
	low, high := int64(0), end // all up to low are old; high may be
	for low < high {
		var e struct {
			ID         int64 `db:"id"`
			ReceivedAt int64 `db:"received_at"`
		}
		middle := low + (high-low+1)/2
		if err := db.read.GetContext(ctx, &e, selectNext, middle); err != nil {
			if errors.Is(err, sql.ErrNoRows) { // deleted meanwhile
				high = middle - 1
				continue
			}
			return 0, wrap("read events", err)
		}
		switch {
		case e.ReceivedAt >= micros(cutoff):
			high = middle - 1
		default:
			low = min(e.ID, end)
			high = max(high, low)
		}
	}
	return low, nil
}

func (db *DB) retainWindow(ctx context.Context, low, high int64, kinds []string, cutoff time.Time) (int, error) {
	query, args, err := sqlx.In(selectOld, low, high, kinds, micros(cutoff))
	if err != nil {
		return 0, wrap("find old events", err)
	}
	var ids []int64
	if err := db.read.SelectContext(ctx, &ids, query, args...); err != nil {
		return 0, wrap("find old events", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	err = db.inTx(ctx, "delete old events", func(tx *sqlx.Tx) error {
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
