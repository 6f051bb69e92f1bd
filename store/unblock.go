package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Scope says which hard bounces were wrong. Endpoint or Domain is required; the
// others narrow it down.
type Scope struct {
	Endpoint string
	Domain   string // of the recipients, in its normal form
	Rule     string
	From, To time.Time // when we heard of them; To is not included
}

// MaxScope is the longest time that a Scope may cover.
const MaxScope = 7 * 24 * time.Hour

func (s Scope) check() error {
	switch {
	case s.Endpoint == "" && s.Domain == "":
		return fmt.Errorf("%w scope: an endpoint or a domain is needed", ErrInvalid)
	case s.From.IsZero() || !s.To.After(s.From):
		return fmt.Errorf("%w scope: the end is not after the beginning", ErrInvalid)
	case s.To.Sub(s.From) > MaxScope:
		return fmt.Errorf("%w scope: it is longer than seven days", ErrInvalid)
	}
	return nil
}

// Freed is what an UnblockIncident did or, as a dry run, would do.
type Freed struct {
	Bounces   int // hard bounces in the scope
	Addresses int // of these
	// Free are those that are blocked by nothing but the scope; unblocking frees
	// them. Kept are blocked by something else, too, and stay.
	Free, Kept int
	Sample     []recipient.Address // some of the free; zero where only the key is known
}

const (
	scopeWindow  = 10_000 // ids read at once
	unblockChunk = 300    // addresses of one transaction
	sampleSize   = 10
)

const (
	selectRange = "SELECT COALESCE(MIN(first_id), 0) AS low, COALESCE(MAX(last_id), 0) AS high FROM hard_slots WHERE dim = ? AND name = ? AND slot >= ? AND slot <= ?"
	selectScope = "SELECT id, recipient_key, endpoint, rule, received_at FROM events WHERE id > ? AND id <= ? AND kind = 'hard_bounce'"
)

// bounce is a hard bounce or a block, as far as a scope asks.
type bounce struct {
	ID         int64          `db:"id"`
	Key        []byte         `db:"recipient_key"`
	Kind       recipient.Kind `db:"kind"`
	Echo       bool           `db:"echo"`
	At         int64          `db:"at"`
	ReceivedAt int64          `db:"received_at"`
	Source     string         `db:"source"`
	Endpoint   sql.NullString `db:"endpoint"`
	Rule       sql.NullString `db:"rule"`
}

// holds reports whether an event is one of the scope's. The domain is that of
// its address, which the caller compares.
func (s Scope) holds(b *bounce) bool {
	at := b.ReceivedAt
	return (s.Endpoint == "" || b.Endpoint.String == s.Endpoint) && (s.Rule == "" || b.Rule.String == s.Rule) && at >= micros(s.From) && at < micros(s.To)
}

// PreviewUnblock counts what UnblockIncident would do, and changes nothing.
func (db *DB) PreviewUnblock(ctx context.Context, s Scope) (Freed, error) {
	return db.freed(ctx, s, nil)
}

// UnblockIncident lifts the blocks that rest upon the hard bounces of a scope
// and on nothing else. An address that something else blocks as well, before or
// after, stays blocked; an opt-out or a complaint is never touched. Each lift
// is an event with the reason, and each transaction has its line in the audit
// log. It may be repeated after an error: what is done is done.
func (db *DB) UnblockIncident(ctx context.Context, s Scope, source recipient.Source, reason string, by By) (Freed, error) {
	if by.Actor == "" || recipient.Clean(reason, recipient.MaxDetailBytes) == "" {
		return Freed{}, fmt.Errorf("%w unblock: who and why are needed", ErrInvalid)
	}
	batch := rand.Text()[:10]
	return db.freed(ctx, s, func(keys []recipient.Key) (int, error) {
		return db.unblockChunk(ctx, s, keys, batch, source, reason, by)
	})
}

// freed walks through the scope; with lift, addresses are unblocked.
func (db *DB) freed(ctx context.Context, s Scope, lift func(keys []recipient.Key) (int, error)) (Freed, error) {
	var f Freed
	if err := s.check(); err != nil {
		return f, err
	}
	if err := db.ready(ctx); err != nil {
		return f, err
	}
	dim, name := DimEndpoint, s.Endpoint
	if s.Domain != "" {
		dim, name = DimDomain, s.Domain
	}
	var ids struct {
		Low  int64 `db:"low"`
		High int64 `db:"high"`
	}
	if err := db.read.GetContext(ctx, &ids, selectRange, dim, name, s.From.Unix()/slotSeconds, s.To.Unix()/slotSeconds); err != nil {
		return f, wrap("find an incident", err)
	}
	mine := map[recipient.Key]bool{} // those seen: whether they are in the scope
	for low := ids.Low - 1; low < ids.High; low += scopeWindow {
		var rows []bounce
		if err := db.read.SelectContext(ctx, &rows, selectScope, low, min(low+scopeWindow, ids.High)); err != nil {
			return f, wrap("read an incident", err)
		}
		bounces := map[recipient.Key]int{}
		var fresh []recipient.Key
		for i := range rows {
			if b := &rows[i]; s.holds(b) {
				k := recipient.Key(b.Key)
				if _, seen := mine[k]; !seen && bounces[k] == 0 {
					fresh = append(fresh, k)
				}
				bounces[k]++
			}
		}
		slices.SortFunc(fresh, func(a, b recipient.Key) int { return bytes.Compare(a[:], b[:]) })
		for keys := range slices.Chunk(fresh, unblockChunk) {
			free, err := db.judge(ctx, s, keys, mine, &f)
			if err == nil && lift != nil && len(free) > 0 {
				var n int
				if n, err = lift(free); err == nil {
					f.Free += n - len(free) // what changed meanwhile stays as it is
				}
			}
			if err != nil {
				return f, err
			}
		}
		for k, n := range bounces {
			if mine[k] {
				f.Bounces += n
			}
		}
	}
	return f, nil
}

// judge counts addresses that were not seen before, notes which are the
// scope's, and returns those that only the scope blocks.
func (db *DB) judge(ctx context.Context, s Scope, keys []recipient.Key, mine map[recipient.Key]bool, f *Freed) ([]recipient.Key, error) {
	known, err := db.Recipients(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		// An erased address is in no domain any more.
		mine[k] = s.Domain == "" || domainOf(known[k].Address.Value()) == s.Domain
	}
	keys = slices.DeleteFunc(slices.Clone(keys), func(k recipient.Key) bool { return !mine[k] })
	f.Addresses += len(keys)
	if len(keys) == 0 {
		return nil, nil
	}
	var rows []bounce
	if err := db.read.SelectContext(ctx, &rows, selectBlocks(keys)); err != nil {
		return nil, wrap("read what blocks addresses", err)
	}
	byKey := bouncesByKey(rows)
	var free []recipient.Key
	for _, k := range keys {
		st := known[k].State
		switch {
		case !st.Blocked():
		case onlyBy(s, st, byKey[k]):
			free = append(free, k)
			if len(f.Sample) < sampleSize {
				f.Sample = append(f.Sample, known[k].Address)
			}
			f.Free++
		default:
			f.Kept++
		}
	}
	return free, nil
}

func selectBlocks(keys []recipient.Key) string {
	b := []byte("SELECT id, recipient_key, kind, echo, at, received_at, source, endpoint, rule FROM events WHERE recipient_key IN (")
	return string(append(keyList(b, keys), ") AND kind IN ('hard_bounce', 'block')"...))
}

func bouncesByKey(rows []bounce) map[recipient.Key][]bounce {
	out := map[recipient.Key][]bounce{}
	for _, b := range rows {
		out[recipient.Key(b.Key)] = append(out[recipient.Key(b.Key)], b)
	}
	return out
}

// onlyBy reports whether all that blocks an address now is in the scope: every
// hard bounce and every block that no unblock has answered.
func onlyBy(s Scope, st recipient.State, rows []bounce) bool {
	some := false
	for i := range rows {
		b := &rows[i]
		at := fromMicros(b.At)
		if b.Echo {
			at = recipient.EchoAt
		}
		if at.Before(st.UnblockedAt) {
			continue // answered already
		}
		if b.Kind != recipient.HardBounce || b.Source != string(recipient.FromProvider) || !s.holds(b) {
			return false
		}
		some = true
	}
	return some
}

// unblockChunk unblocks addresses in one transaction, as far as they are still
// blocked by the scope alone, and returns how many.
func (db *DB) unblockChunk(ctx context.Context, s Scope, keys []recipient.Key, batch string, source recipient.Source, reason string, by By) (int, error) {
	done := 0
	err := db.inTx(ctx, "unblock an incident", func(tx *sqlx.Tx) error {
		done = 0
		if err := db.shareFeed(ctx, tx); err != nil {
			return err
		}
		locked, err := db.lockedRecipients(ctx, tx, keys)
		if err != nil {
			return err
		}
		var rows []bounce
		if err := tx.SelectContext(ctx, &rows, selectBlocks(keys)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		byKey := bouncesByKey(rows)
		now := recipient.Micro(db.now())
		var events []*recipient.Event
		var prints []recipient.Fingerprint
		for _, k := range keys {
			r, print := locked[k], recipient.NewFingerprint("incident", []string{batch}, k, recipient.Unblock)
			prints = append(prints, print)
			if !r.State.Blocked() || !onlyBy(s, r.State, byKey[k]) {
				continue
			}
			events = append(events, &recipient.Event{Kind: recipient.Unblock, Channel: r.Channel, Key: k, Source: source, Actor: recipient.Clean(by.Actor, maxActorBytes),
				Detail: recipient.Clean(reason, recipient.MaxDetailBytes), Rule: "incident", At: r.State.AnswerAt(recipient.Unblock, now), ReceivedAt: now, Fingerprint: print})
		}
		if len(events) == 0 { // nothing left, or an earlier try was committed after all
			known, err := db.eventsByPrint(ctx, tx, prints)
			done = len(known)
			return err
		}
		if err := db.insertEvents(ctx, tx, events); err != nil {
			return err
		}
		done = len(events)
		return db.audit(ctx, tx, by.entry("incident.unblock", "batch "+batch, fmt.Sprintf("%d addresses unblocked (%s): %s", done, s, reason)))
	})
	return done, err
}

// String writes a scope for the audit log.
func (s Scope) String() string {
	text := ""
	for _, p := range [][2]string{{"endpoint", s.Endpoint}, {"domain", s.Domain}, {"rule", s.Rule}} {
		if p[1] != "" {
			text += p[0] + " " + p[1] + ", "
		}
	}
	return text + s.From.UTC().Format(time.RFC3339) + " to " + s.To.UTC().Format(time.RFC3339)
}
