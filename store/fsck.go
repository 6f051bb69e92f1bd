package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

const (
	fsckChunk       = 2000
	maxDifferences  = 10_000 // that are listed; all are counted
	metaRetentionAt = "retention_first_ran"
	metaRetained    = "retained:" // and the duration
)

// Fsck folds all events again and compares the result with the states. It may
// run beside everything else: what looks different is looked at again under a
// lock. Repair only raises fields; Rebuild lowers them too and is ErrRetention
// once Retain has deleted events.
func (db *DB) Fsck(ctx context.Context, o FsckOptions) (FsckReport, error) {
	var r FsckReport
	if err := db.ready(ctx); err != nil {
		return r, err
	}
	if o.Rebuild {
		if _, ran, err := db.meta(ctx, metaRetentionAt); err != nil || ran {
			if err == nil {
				err = ErrRetention
			}
			return r, err
		}
	}
	var low recipient.Key
	for {
		have, err := db.recipientsAfter(ctx, low, fsckChunk)
		if err != nil {
			return r, err
		}
		high := recipient.Key{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		if len(have) == fsckChunk {
			high = have[fsckChunk-1].Key
		}
		want, n, err := db.folded(ctx, db.read, low, high)
		if err != nil {
			return r, err
		}
		r.Events += n
		for _, h := range have {
			if want[h.Key].State != h.State {
				err = db.examine(ctx, h.Key, o, &r)
			}
			delete(want, h.Key)
			if err != nil {
				return r, err
			}
		}
		for key := range want { // events without a row in recipients
			if err := db.examine(ctx, key, o, &r); err != nil {
				return r, err
			}
		}
		r.Recipients += len(have)
		if o.Progress != nil {
			o.Progress(r.Recipients)
		}
		if len(have) < fsckChunk {
			return r, nil
		}
		low = high
	}
}

func (db *DB) recipientsAfter(ctx context.Context, low recipient.Key, n int) ([]Recipient, error) {
	var rows []recipientRow
	if err := db.read.SelectContext(ctx, &rows, selectRecipients+"> ? ORDER BY recipient_key LIMIT ?", low[:], n); err != nil {
		return nil, wrap("read recipients", err)
	}
	out := make([]Recipient, len(rows))
	for i := range rows {
		out[i] = rows[i].recipient()
	}
	return out, nil
}

const selectFolded = "SELECT recipient_key, channel, kind, echo, MAX(at) AS at, COUNT(*) AS n FROM events " +
	"WHERE recipient_key > ? AND recipient_key <= ? GROUP BY recipient_key, channel, kind, echo"

// folded returns the fold of the events of all keys in (low, high], and how many
// events there were.
func (db *DB) folded(ctx context.Context, q sqlx.QueryerContext, low, high recipient.Key) (map[recipient.Key]Recipient, int, error) {
	var rows []struct {
		Key     []byte `db:"recipient_key"`
		Channel string `db:"channel"`
		Kind    string `db:"kind"`
		Echo    bool   `db:"echo"`
		At      int64  `db:"at"`
		N       int    `db:"n"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, selectFolded, low[:], high[:]); err != nil {
		return nil, 0, wrap("fold events", err)
	}
	out := map[recipient.Key]Recipient{}
	n := 0
	for _, row := range rows {
		key := recipient.Key(row.Key)
		r := out[key]
		r.Key, r.Channel = key, recipient.Channel(row.Channel)
		r.State = r.State.With(recipient.Event{Kind: recipient.Kind(row.Kind), Echo: row.Echo, At: fromMicros(row.At)})
		out[key] = r
		n += row.N
	}
	return out, n, nil
}

// examine compares one address with nobody writing to it, reports what differs
// and mends what it may.
func (db *DB) examine(ctx context.Context, key recipient.Key, o FsckOptions, r *FsckReport) error {
	var found []FsckDifference
	repaired := 0
	err := db.inTx(ctx, "check a recipient", func(tx *sqlx.Tx) error {
		found, repaired = nil, 0
		locked, err := db.lockedRecipients(ctx, tx, []recipient.Key{key})
		if err != nil {
			return err
		}
		have, exists := locked[key]
		folded, _, err := db.folded(ctx, tx, before(key), key)
		if err != nil {
			return err
		}
		want := folded[key]
		if !exists { // nothing to lock: it may have been written between the two reads
			if locked, err = db.lockedRecipients(ctx, tx, []recipient.Key{key}); err != nil {
				return err
			}
			if _, appeared := locked[key]; appeared {
				return nil
			}
			have.Channel = want.Channel
		}
		var lower []string
		for i, w := range stateTimes(&want.State) {
			h := *stateTimes(&have.State)[i]
			if h.Equal(*w) {
				continue
			}
			found = append(found, FsckDifference{Key: key, Channel: have.Channel, Field: stateColumns[i], Have: h, Want: *w})
			switch {
			case w.After(h) && (o.Repair || o.Rebuild):
				repaired++
			case h.After(*w) && o.Rebuild:
				repaired++
				lower = append(lower, fmt.Sprintf("%s = %d", stateColumns[i], micros(*w)))
			}
		}
		if repaired == 0 {
			return nil
		}
		if err := db.joinStates(ctx, tx, []stateRow{{key: key, channel: have.Channel, state: want.State}}); err != nil || len(lower) == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE recipients SET "+strings.Join(lower, ", ")+" WHERE recipient_key = ?", key[:]) //nolint:gosec // columns and numbers of ours
		return err                                                                                                          //nolint:wrapcheck // inTx wraps
	})
	if err != nil {
		return err
	}
	r.Different += len(found)
	r.Repaired += repaired
	if room := maxDifferences - len(r.Differences); room > 0 {
		r.Differences = append(r.Differences, found[:min(room, len(found))]...)
	}
	return nil
}

// before is the greatest key less than k, so that (before(k), k] is k alone.
func before(k recipient.Key) recipient.Key {
	for i := len(k) - 1; i >= 0; i-- {
		k[i]--
		if k[i] != 0xff {
			break
		}
	}
	return k
}
