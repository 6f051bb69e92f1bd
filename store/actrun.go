package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// op is one act, click or undo that waits for its transaction.
type op struct {
	event  recipient.Event // without times and fingerprint
	nonce  string          // of acts and undos: tells one from the next
	token  string          // of clicks and undos
	at     time.Time       // of a click that comes late: when it was made
	undo   bool
	within time.Duration
	seen   *time.Time
	by     By // whom the audit log names; no Actor: it is not written

	ctx  context.Context //nolint:containedctx // who waits: work for nobody is dropped
	out  Outcome
	err  error
	done chan struct{}
}

// Limits of the road of people's acts.
const (
	maxOps      = 256    // in one transaction
	maxWaiting  = 20_000 // more is no person
	actsTimeout = 15 * time.Second
)

// actor performs people's acts, in groups like the recorder and beside it.
type actor struct {
	db     *DB
	mu     sync.Mutex
	queue  []*op
	closed bool
	wake   chan struct{}
	work   sync.WaitGroup
}

func newActor(db *DB) *actor {
	a := &actor{db: db, wake: make(chan struct{}, 1)}
	a.work.Go(a.run)
	return a
}

func (a *actor) do(ctx context.Context, o *op) (Outcome, error) {
	if err := a.db.ready(ctx); err != nil {
		return Outcome{}, err
	}
	probe := o.event
	probe.Fingerprint, probe.At, probe.ReceivedAt = recipient.Fingerprint{1}, a.db.now(), a.db.now()
	if err := checkEvent(&probe); err != nil {
		return Outcome{}, err
	}
	o.ctx, o.done = ctx, make(chan struct{})
	a.mu.Lock()
	switch {
	case a.closed:
		a.mu.Unlock()
		return Outcome{}, fmt.Errorf("%w: it is being closed", ErrUnavailable)
	case len(a.queue) >= maxWaiting:
		a.mu.Unlock()
		return Outcome{}, fmt.Errorf("%w: too much waits to be stored", ErrUnavailable)
	}
	a.queue = append(a.queue, o)
	a.mu.Unlock()
	a.signal()
	select {
	case <-o.done:
		return o.out, o.err
	case <-ctx.Done():
		return Outcome{}, fmt.Errorf("%w: not stored in time: %w", ErrUnavailable, ctx.Err())
	}
}

func (a *actor) signal() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take returns the next group, with one op of an address at most: the next one
// has to see what the first did.
func (a *actor) take() (ops []*op, ok bool) {
	for {
		a.mu.Lock()
		seen := map[recipient.Key]bool{}
		rest := a.queue[:0]
		for _, o := range a.queue {
			switch {
			case o.ctx.Err() != nil: // nobody waits
			case len(ops) < maxOps && !seen[o.event.Key]:
				seen[o.event.Key] = true
				ops = append(ops, o)
			default:
				rest = append(rest, o)
				seen[o.event.Key] = true // keep the order of one address
			}
		}
		clear(a.queue[len(rest):])
		a.queue = rest
		closed := a.closed
		a.mu.Unlock()
		if len(ops) > 0 {
			return ops, true
		}
		if closed {
			return nil, false
		}
		<-a.wake
	}
}

func (a *actor) run() {
	for {
		ops, ok := a.take()
		if !ok {
			return
		}
		err := a.perform(ops)
		if f := classify(err); len(ops) > 1 && (f == poison || f == duplicate || f == strange) {
			for _, o := range ops { // find the one that is to blame
				if err := a.perform([]*op{o}); err != nil {
					o.err = err
				}
				close(o.done)
			}
			continue
		}
		for _, o := range ops {
			if o.err == nil {
				o.err = err
			}
			close(o.done)
		}
	}
}

func (a *actor) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.signal()
	a.work.Wait()
}

// perform does ops of different addresses in one transaction. Its error is that
// of the transaction; an op that is refused has its own.
func (a *actor) perform(ops []*op) error {
	ctx, cancel := context.WithTimeout(context.Background(), actsTimeout)
	defer cancel()
	slices.SortFunc(ops, func(x, y *op) int { return bytes.Compare(x.event.Key[:], y.event.Key[:]) })
	again := false
	err := a.db.inTxOn(ctx, a.db.texts, "store an act", func(tx *sqlx.Tx) error {
		err := a.try(ctx, tx, ops, again)
		again = true
		return err
	})
	if a.db.copies != nil && err == nil {
		a.db.copies.committed()
	}
	return err
}

func (a *actor) try(ctx context.Context, tx *sqlx.Tx, ops []*op, again bool) error {
	db := a.db
	states, err := db.stateForActs(ctx, tx, ops)
	if err != nil {
		return err
	}
	prints := make([]recipient.Fingerprint, 0, len(ops))
	for _, o := range ops {
		if o.token != "" || o.nonce == "" {
			prints = append(prints, o.clickPrint(states[o.event.Key]))
		}
		if again && o.nonce != "" {
			prints = append(prints, o.print())
		}
	}
	known, err := db.eventsByPrint(ctx, tx, prints)
	if err != nil {
		return err
	}
	if err := db.findLate(ctx, tx, ops, states, known); err != nil {
		return err
	}
	var fresh []*recipient.Event
	var acted []*op
	for _, o := range ops {
		if e := o.decide(states[o.event.Key], known, db.now()); e != nil {
			fresh, acted = append(fresh, e), append(acted, o)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := db.insertActs(ctx, tx, fresh); err != nil {
		return err
	}
	for _, o := range acted {
		if o.by.Actor == "" {
			continue
		}
		// The reason stands with the event, where an erasure finds it.
		entry := o.by.entry("address."+string(o.event.Kind), "", "")
		entry.Key = o.event.Key
		if err := db.audit(ctx, tx, entry); err != nil {
			return err
		}
	}
	return nil
}

// stateForActs begins the transaction. It returns the states of the addresses of
// ops, which are sorted by key, and locks their rows. Where one is missing, all
// are made sure of, in one order; else that would cost as much again as the acts
// themselves.
func (db *DB) stateForActs(ctx context.Context, tx *sqlx.Tx, ops []*op) (map[recipient.Key]recipient.State, error) {
	keys := make([]recipient.Key, len(ops))
	var rows []stateRow
	for i, o := range ops {
		o.err = nil
		keys[i] = o.event.Key
		if !o.undo { // an undo needs a row that is there
			rows = append(rows, stateRow{key: o.event.Key, channel: o.event.Channel, address: o.event.Address})
		}
	}
	if db.d.mysql {
		known, err := db.shareAndCount(ctx, tx, keys)
		if err != nil {
			return nil, err
		}
		if known < len(keys) {
			if err := db.joinStates(ctx, tx, rows); err != nil {
				return nil, err
			}
		}
	}
	return db.lockedStates(ctx, tx, keys)
}

// shareAndCount is shareFeed, and says in the same round trip how many of some
// addresses are there. It locks none of them: no row ever goes.
func (db *DB) shareAndCount(ctx context.Context, tx *sqlx.Tx, keys []recipient.Key) (known int, err error) {
	rows, err := tx.QueryContext(ctx, db.d.shareFeed+";"+countKnown(keys))
	if err != nil {
		return 0, err //nolint:wrapcheck // inTx wraps
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for {
		for rows.Next() { // the last is the count
			if err := rows.Scan(&known); err != nil {
				return 0, err //nolint:wrapcheck // inTx wraps
			}
		}
		if !rows.NextResultSet() {
			return known, rows.Err() //nolint:wrapcheck // inTx wraps
		}
	}
}

func countKnown(keys []recipient.Key) string {
	return string(append(keyList([]byte("SELECT COUNT(*) FROM recipients WHERE recipient_key IN ("), keys), ')'))
}

// insertActs is insertEvents, on MySQL in one round trip.
func (db *DB) insertActs(ctx context.Context, tx *sqlx.Tx, events []*recipient.Event) error {
	if !db.d.mysql {
		return db.insertEvents(ctx, tx, events)
	}
	for some := range slices.Chunk(events, rowsPerStatement) {
		b := append(db.d.appendInsert(nil, some), ';')
		if _, err := tx.ExecContext(ctx, string(db.d.appendJoin(b, fold(some)))); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

// print is the fingerprint of an act or an undo.
func (o *op) print() recipient.Fingerprint {
	return recipient.NewFingerprint("act", []string{o.nonce}, o.event.Key, o.event.Kind)
}

// decide sets the outcome of an op and returns the event to insert, if any.
func (o *op) decide(before recipient.State, known map[recipient.Fingerprint]*recipient.Event, now time.Time) *recipient.Event {
	click := o.clickPrint(before)
	print := click
	if o.nonce != "" {
		print = o.print()
		if done := known[print]; done != nil { // by an earlier try whose answer was lost
			o.out.After, o.out.Event, o.out.Changed = before, *done, true
			return nil
		}
	}
	if o.undo {
		if why := undoRefusal(before, known[click], now, o.within); why != "" {
			o.err = &UndoError{Reason: why}
			return nil
		}
	} else if done := known[print]; done != nil {
		if mine := o.out.Event; mine.Fingerprint == print && mine.ReceivedAt.Equal(done.ReceivedAt) {
			return nil // by an earlier try whose answer was lost
		}
		o.out = Outcome{Before: before, After: before, Event: *done}
		return nil
	}
	if o.seen != nil && before.Answered(o.event.Kind).After(*o.seen) {
		o.err = ErrChanged
		return nil
	}
	e := o.event
	e.Fingerprint = print
	e.ReceivedAt = recipient.Micro(now)
	e.At = before.AnswerAt(e.Kind, now)
	if o.overtaken(before) || o.late() && o.at.Before(now) { // what came after it counts more
		e.ReceivedAt, e.At = o.at, o.at
	}
	if e.Kind == recipient.OptOut && o.nonce == "" {
		e.Evidence.OptedOutBefore = before.OptedOut()
	}
	o.out = Outcome{Before: before, After: before.With(e), Event: e, Changed: true}
	return &e
}
