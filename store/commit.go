package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// batchWriter writes the batches of one committer.
type batchWriter struct {
	db     *DB
	recent *recent
	send   func(ctx context.Context, batch []*entry) error // one transaction, all or nothing
	buf    []byte
}

func newBatchWriter(db *DB, r *recent) *batchWriter {
	w := &batchWriter{db: db, recent: r}
	if w.send = w.sendSQLite; db.d.mysql {
		w.send = w.sendMySQL
	}
	return w
}

// write decides the fate of every entry. The batch is sorted by key and holds
// no fingerprint twice. The error is that of the entries that failed.
func (w *batchWriter) write(ctx context.Context, batch []*entry) error {
	if w.db.d.mysql {
		if suspects := w.recent.suspects(batch); len(suspects) > 0 {
			if err := w.dropKnown(ctx, suspects, false); err != nil {
				return failAll(batch, err)
			}
			batch = undecided(batch)
		}
	}
	return w.insert(ctx, batch)
}

// insert tries a batch until its fate is known. Optimism is cheap: nearly every
// batch goes in at once, and one round trip is all it takes.
func (w *batchWriter) insert(ctx context.Context, batch []*entry) error {
	inDoubt := false // an earlier try may have been committed
	losses := 0
	for try := 0; len(batch) > 0; try++ {
		err := w.send(ctx, batch)
		f := classify(err)
		if f == fine {
			return nil
		}
		if try >= 2*maxTries || ctx.Err() != nil {
			return failAll(batch, err)
		}
		switch f {
		case duplicate:
			if err := w.dropKnown(ctx, batch, inDoubt); err != nil {
				return failAll(batch, err)
			}
			n := len(batch)
			if batch = undecided(batch); len(batch) == n && !pause(ctx, try) {
				return failAll(batch, err)
			}
		case conflict:
			if !pause(ctx, try) {
				return failAll(batch, err)
			}
		case lost:
			// The connection broke. If that was during COMMIT the rows may be there: then
			// the next try meets their fingerprints, and dropKnown tells ours from others'.
			inDoubt = true
			if losses++; losses > 3 {
				return failAll(batch, err)
			}
		case away:
			return failAll(batch, err)
		default: // poison, or unknown: a row is to blame, and must not cost the others
			if len(batch) > 1 {
				half := len(batch) / 2
				first, second := batch[:half], batch[half:]
				return errors.Join(w.insert(ctx, first), w.insert(ctx, second))
			}
			if f == poison {
				batch[0].fate = refused
				return nil
			}
			return failAll(batch, err)
		}
	}
	return nil
}

// failAll gives up on what has no fate yet, and returns why, fit for logs.
func failAll(batch []*entry, err error) error {
	err = discreet(err)
	for _, e := range batch {
		if e.fate == waiting {
			e.fate, e.err = failed, fmt.Errorf("%w: store events: %w", ErrUnavailable, err)
		}
	}
	return err
}

func undecided(batch []*entry) []*entry {
	out := batch[:0:0]
	for _, e := range batch {
		if e.fate == waiting {
			out = append(out, e)
		}
	}
	return out
}

func events(batch []*entry) []*recipient.Event {
	out := make([]*recipient.Event, len(batch))
	for i, e := range batch {
		out[i] = e.event
	}
	return out
}

func setFate(batch []*entry, f fate) {
	for _, e := range batch {
		e.fate = f
	}
}

// dropKnown finds the entries whose fingerprints are in the table. In doubt,
// a row with our own time of arrival is the one we wrote ourselves before the
// connection broke.
func (w *batchWriter) dropKnown(ctx context.Context, batch []*entry, inDoubt bool) error {
	byPrint := make(map[recipient.Fingerprint]*entry, len(batch))
	prints := make([]recipient.Fingerprint, len(batch))
	for i, e := range batch {
		byPrint[e.event.Fingerprint], prints[i] = e, e.event.Fingerprint
	}
	query := selectKnown(prints)
	found := 0
	for try := 0; ; try++ {
		err := w.eachKnown(ctx, query, func(f recipient.Fingerprint, receivedAt int64) {
			e := byPrint[f]
			if e == nil || e.fate != waiting {
				return
			}
			found++
			if e.fate = known; inDoubt && receivedAt == micros(e.event.ReceivedAt) {
				e.fate = stored
			}
		})
		if err == nil {
			break
		}
		if f := classify(err); f != lost || try > 2 || ctx.Err() != nil {
			return err
		}
	}
	w.recent.surprise(batch, found)
	return nil
}

func selectKnown(prints []recipient.Fingerprint) string {
	b := keyList([]byte("SELECT fingerprint, received_at FROM events WHERE fingerprint IN ("), prints)
	return string(append(b, ')'))
}

func (w *batchWriter) eachKnown(ctx context.Context, query string, f func(recipient.Fingerprint, int64)) error {
	rows, err := w.db.batch.QueryContext(ctx, query)
	if err != nil {
		return err //nolint:wrapcheck // classified
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for rows.Next() {
		var p []byte
		var at int64
		if err := rows.Scan(&p, &at); err != nil {
			return err //nolint:wrapcheck // classified
		}
		f(recipient.Fingerprint(p), at)
	}
	return rows.Err() //nolint:wrapcheck // classified
}

// sendMySQL sends a whole transaction in one round trip.
func (w *batchWriter) sendMySQL(ctx context.Context, batch []*entry) error {
	conn, err := w.db.batch.Conn(ctx)
	if err != nil {
		return err //nolint:wrapcheck // classified
	}
	defer conn.Close() //nolint:errcheck // back to the pool
	evs := events(batch)
	b := append(w.buf[:0], "BEGIN;"...)
	b = append(b, w.db.d.shareFeed...)
	b = append(b, ';')
	b = w.db.d.appendInsert(b, evs)
	b = append(b, ';')
	b = w.db.d.appendJoin(b, fold(evs))
	b = append(b, ";COMMIT"...)
	w.buf = b
	if _, err := conn.ExecContext(ctx, string(b)); err != nil {
		cleanUp(conn, "ROLLBACK")
		return err //nolint:wrapcheck // classified
	}
	setFate(batch, stored)
	return nil
}

// cleanUp brings a connection back to where it was before a batch. One on which
// that does not work must not go back to the pool.
func cleanUp(conn *sql.Conn, statement string) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	if _, err := conn.ExecContext(ctx, statement); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// sendSQLite writes a transaction; SQLite says itself which rows were new.
func (w *batchWriter) sendSQLite(ctx context.Context, batch []*entry) error {
	conn, err := w.db.write.Connx(ctx)
	if err != nil {
		return err //nolint:wrapcheck // classified
	}
	defer conn.Close() //nolint:errcheck // back to the pool
	if w.db.bulk(len(batch)) {
		if _, err := conn.ExecContext(ctx, withoutChecks); err != nil {
			return err //nolint:wrapcheck // classified
		}
		defer cleanUp(conn.Conn, withChecks)
	}
	tx, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return err //nolint:wrapcheck // classified
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	inserted, err := w.insertNew(ctx, tx, batch)
	if err != nil {
		return err
	}
	if err := w.db.joinStates(ctx, tx, fold(events(inserted))); err != nil {
		return err
	}
	if err := w.db.place.commit(tx); err != nil {
		return err
	}
	setFate(batch, known)
	setFate(inserted, stored)
	return nil
}

// insertNew inserts the events of a batch that are not there yet, and returns
// them.
func (w *batchWriter) insertNew(ctx context.Context, tx *sqlx.Tx, batch []*entry) ([]*entry, error) {
	if w.db.bulk(len(batch)) {
		return bulkEvents(ctx, tx, batch)
	}
	b := w.db.d.appendInsert(w.buf[:0], events(batch))
	b = append(b, onlyNewEvents+" RETURNING fingerprint"...)
	w.buf = b
	var prints [][]byte
	if err := tx.SelectContext(ctx, &prints, string(b)); err != nil {
		return nil, err //nolint:wrapcheck // classified
	}
	return freshOf(batch, prints), nil
}
