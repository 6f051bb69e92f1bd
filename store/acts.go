package store

import (
	"context"
	"crypto/rand"
	"errors"
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

// CanUndo reports whether Undo would work now.
func (db *DB) CanUndo(ctx context.Context, c Click, within time.Duration) (bool, error) {
	r, err := db.Recipient(ctx, c.Key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	print := clickPrint(c.TokenID, c.Key, r.State)
	own, err := db.eventsByPrint(ctx, db.read, []recipient.Fingerprint{print})
	if err != nil {
		return false, wrap("read a click", err)
	}
	return undoRefusal(r.State, own[print], db.now(), within) == "", nil
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
