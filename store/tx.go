package store

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Repeats of a transaction that lost a deadlock, with full jitter.
const (
	maxTries   = 10
	firstPause = 5 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// pause sleeps before the given repeat (from 0); false when ctx ended first.
func pause(ctx context.Context, try int) bool {
	most := min(firstPause<<min(try, 10), lastPause)
	t := time.NewTimer(rand.N(most) + time.Millisecond) //nolint:gosec // jitter, no secret
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// inTx runs fn in one transaction and repeats the whole of it after a
// deadlock, after another's insert of the same unique key, and once after a
// lost connection. So fn must come to the same result when its first run was
// committed after all.
func (db *DB) inTx(ctx context.Context, what string, fn func(tx *sqlx.Tx) error) error {
	return db.inTxOn(ctx, db.write, what, fn)
}

func (db *DB) inTxOn(ctx context.Context, pool *sqlx.DB, what string, fn func(tx *sqlx.Tx) error) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := db.tryTx(ctx, pool, fn)
		if err == nil {
			return nil
		}
		again := false
		switch classify(err) {
		case conflict:
			again = try < maxTries
		case duplicate:
			again = try < 3
		case lost:
			again = try < 1
		}
		if !again || !pause(ctx, try) {
			return wrap(what, err)
		}
	}
}

func (db *DB) tryTx(ctx context.Context, pool *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	tx, err := pool.BeginTxx(ctx, nil)
	if err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := db.place.commit(tx); err != nil {
		_ = tx.Rollback() // after a commit it does nothing
		return err
	}
	return nil
}

// shareFeed must be the first statement of a transaction that inserts events.
func (db *DB) shareFeed(ctx context.Context, tx *sqlx.Tx) error {
	if db.d.shareFeed == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, db.d.shareFeed)
	return err //nolint:wrapcheck // inTx wraps
}

// rowsPerStatement keeps generated statements far below every limit of length.
const rowsPerStatement = 100

// insertEvents inserts events whose fingerprints are new, and joins their
// states. The events are sorted by key.
func (db *DB) insertEvents(ctx context.Context, tx *sqlx.Tx, events []*recipient.Event) error {
	for rest := events; len(rest) > 0; {
		n := min(len(rest), rowsPerStatement)
		if _, err := tx.ExecContext(ctx, string(db.d.appendInsert(nil, rest[:n]))); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		rest = rest[n:]
	}
	return db.joinStates(ctx, tx, fold(events))
}

// joinStates raises the fields of recipients and creates missing rows. With
// empty states it only locks. The rows are sorted by key.
func (db *DB) joinStates(ctx context.Context, tx *sqlx.Tx, rows []stateRow) error {
	if db.bulk(len(rows)) {
		return bulkJoin(ctx, tx, rows)
	}
	for len(rows) > 0 {
		n := min(len(rows), rowsPerStatement)
		if _, err := tx.ExecContext(ctx, string(db.d.appendJoin(nil, rows[:n]))); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		rows = rows[n:]
	}
	return nil
}
