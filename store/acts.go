package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Act records what a person or a rule decided: block, unblock, opt-out or
// opt-in. It always works, whatever the clocks say: the row is locked, and the
// event gets a time after what it answers. An opt-in without consent is
// ErrConsent.
func (db *DB) Act(ctx context.Context, a Act) (Outcome, error) {
	switch a.Kind {
	case recipient.OptIn:
		if c := a.Evidence.Consent; c == nil || c.Source == "" || c.Wording == "" {
			return Outcome{}, ErrConsent
		}
	case recipient.Block, recipient.Unblock, recipient.OptOut:
	default:
		return Outcome{}, fmt.Errorf("%w act: kind", ErrInvalid)
	}
	e := recipient.Event{Kind: a.Kind, Channel: a.Channel, Key: a.Key, Address: a.Address, Source: a.Source, Actor: recipient.Clean(a.Actor, maxActorBytes),
		Detail:  recipient.Clean(recipient.Redact(a.Reason, a.Address), recipient.MaxDetailBytes),
		SendOut: recipient.Clean(a.SendOut, recipient.MaxCodeBytes), Evidence: a.Evidence}
	return db.acts.do(ctx, &op{event: e, nonce: rand.Text(), by: a.By, seen: a.Seen})
}

// Click opts out by an unsubscribe link. The same link again changes nothing,
// unless the person opted in since: then a click means "now".
func (db *DB) Click(ctx context.Context, c Click) (Outcome, error) {
	return db.acts.do(ctx, &op{event: c.event(recipient.OptOut), token: c.TokenID, at: recipient.Micro(c.ReceivedAt)})
}

// Undo takes the opt-out of a link back, which is an opt-in and needs consent.
// It works within the given time of the opt-out, only if the address was not
// opted out before it, and never after a complaint; else it is an *UndoError.
func (db *DB) Undo(ctx context.Context, c Click, within time.Duration) (Outcome, error) {
	if c.Evidence.Consent == nil || c.Evidence.Consent.Wording == "" || c.Evidence.Consent.Source == "" {
		return Outcome{}, ErrConsent
	}
	return db.acts.do(ctx, &op{event: c.event(recipient.OptIn), token: c.TokenID, undo: true, within: within, nonce: rand.Text()})
}

// CanUndo reports whether Undo would work now, for somebody of this state. Where
// the state says enough it asks for no event.
func (db *DB) CanUndo(ctx context.Context, c Click, s recipient.State, within time.Duration) (bool, error) {
	if err := db.ready(ctx); err != nil {
		return false, err
	}
	now := db.now()
	latest := recipient.Event{At: s.OptedOutAt} // no opt-out is later than this
	if undoRefusal(s, &latest, now, within) != "" {
		return false, nil
	}
	own, err := db.ownClick(ctx, clickPrint(c.TokenID, c.Key, s))
	if err != nil {
		return false, wrap("read a click", err)
	}
	return undoRefusal(s, own, now, within) == "", nil
}

// selectOwnClick finds what undoRefusal looks at.
const selectOwnClick = "SELECT at, evidence FROM events WHERE fingerprint = ?"

// ownClick returns the opt-out of a link, as far as undoRefusal needs it; nil
// when there is none.
func (db *DB) ownClick(ctx context.Context, print recipient.Fingerprint) (*recipient.Event, error) {
	rows, err := db.kept.query(ctx, selectOwnClick, print[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var own *recipient.Event
	for rows.Next() {
		var at int64
		var evidence sql.RawBytes
		if err := rows.Scan(&at, &evidence); err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		own = &recipient.Event{At: fromMicros(at)}
		if len(evidence) > 0 {
			if err := json.Unmarshal(evidence, &own.Evidence); err != nil {
				return nil, fmt.Errorf("store: evidence of a click: %w", err)
			}
		}
	}
	return own, rows.Err() //nolint:wrapcheck // the caller wraps
}

// CanUndo reports whether the click with this outcome can be taken back.
func (o Outcome) CanUndo(now time.Time, within time.Duration) bool {
	return undoRefusal(o.After, &o.Event, now, within) == ""
}

func (c Click) event(k recipient.Kind) recipient.Event {
	e := recipient.Event{Kind: k, Channel: c.Channel, Key: c.Key, Source: c.Source, SendOut: recipient.Clean(c.SendOut, recipient.MaxCodeBytes), Evidence: c.Evidence}
	if e.Source == "" {
		e.Source = recipient.FromLink
	}
	return e
}

// clickPrint names the opt-out of a link since the last opt-in: one link opts
// out once, and again after the person came back.
func clickPrint(token string, key recipient.Key, s recipient.State) recipient.Fingerprint {
	return recipient.NewFingerprint("link", []string{token, strconv.FormatInt(micros(s.OptedInAt), 10)}, key, recipient.OptOut)
}

// undoRefusal says why an opt-out cannot be taken back; empty means it can.
func undoRefusal(s recipient.State, own *recipient.Event, now time.Time, within time.Duration) string {
	switch {
	case own == nil:
		return UndoNone
	case now.Sub(own.At) > within:
		return UndoLate
	case own.Evidence.OptedOutBefore:
		return UndoBefore
	case !s.ComplainedAt.IsZero():
		return UndoComplaint
	}
	return ""
}
