package store

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// What is stored later than it was acknowledged, by a spool, may come after
// what it would have come before: an opt-in, an erasure, or itself.

// late reports whether an op is a click that was made some time ago.
func (o *op) late() bool { return !o.at.IsZero() }

// overtaken reports whether the person opted in after a late click.
func (o *op) overtaken(s recipient.State) bool { return o.late() && s.OptedInAt.After(o.at) }

// clickPrint is the fingerprint of the op's link. After an opt-in that came
// later the click is one of former times, and must not use up the next.
func (o *op) clickPrint(s recipient.State) recipient.Fingerprint {
	if o.overtaken(s) {
		return recipient.NewFingerprint("link", []string{o.token, "late", o.at.Format(time.RFC3339Nano)}, o.event.Key, recipient.OptOut)
	}
	return clickPrint(o.token, o.event.Key, s)
}

const selectLate = "SELECT " + eventColumns + " FROM events WHERE recipient_key = ? AND at = ? AND received_at = ? AND kind = 'opt_out' LIMIT 1"

// findLate looks for late clicks that were stored before the opt-in that has
// overtaken them, and so under another fingerprint.
func (db *DB) findLate(ctx context.Context, tx *sqlx.Tx, ops []*op, states map[recipient.Key]recipient.State, known map[recipient.Fingerprint]*recipient.Event) error {
	for _, o := range ops {
		s := states[o.event.Key]
		if !o.overtaken(s) {
			continue
		}
		var rows []eventRow
		if err := tx.SelectContext(ctx, &rows, selectLate, o.event.Key[:], micros(o.at), micros(o.at)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		stored, err := storedEvents(rows)
		if err != nil {
			return err
		}
		if len(stored) > 0 {
			known[o.clickPrint(s)] = &stored[0].Event
		}
	}
	return nil
}

const countTwins = "SELECT COUNT(*) FROM quarantine WHERE endpoint = ? AND size = ? AND received_at = ? AND body = ? AND reason = ?"

// QuarantineOnce is Quarantine for a request that may be there already.
func (db *DB) QuarantineOnce(ctx context.Context, h Held) error { return db.quarantine(ctx, h, true) }

// ErasedAt returns when people were erased; those who are not are left out.
func (db *DB) ErasedAt(ctx context.Context, keys []recipient.Key) (map[recipient.Key]time.Time, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	out := map[recipient.Key]time.Time{}
	for part := range slices.Chunk(keys, statesChunk) {
		var rows []struct {
			Key []byte `db:"recipient_key"`
			At  int64  `db:"erased_at"`
		}
		if err := db.read.SelectContext(ctx, &rows, selectErasures(part)); err != nil {
			return nil, wrap("look for erasures", err)
		}
		for _, r := range rows {
			out[recipient.Key(r.Key)] = fromMicros(r.At)
		}
	}
	return out, nil
}

func selectErasures(keys []recipient.Key) string {
	return string(append(keyList([]byte("SELECT recipient_key, erased_at FROM recipients WHERE recipient_key IN ("), keys), ") AND erased_at > 0"...))
}

// Forgotten returns an event as an erasure would have left it: it came before
// the erasure and is stored after it.
func Forgotten(e recipient.Event) recipient.Event {
	e.Address, e.EventID, e.MessageID, e.Detail, e.Evidence = recipient.Address{}, "", "", "", leftOf(e.Evidence)
	return e
}
