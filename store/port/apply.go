package port

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// take stores a batch, or in a dry run says what that would do.
func (p *importer) take(ctx context.Context, b *batch) error {
	// What the batch before wrote may not have been there when the states of this
	// one were read.
	if b.states != nil {
		for _, k := range keysOf(b.items) {
			if s, ok := p.before[k]; ok {
				b.states[k] = b.states[k].Join(s)
			}
		}
		p.before = b.states
	}
	for items := range slices.Chunk(b.items, p.cfg.Together) {
		if err := p.items(ctx, b, items); err != nil {
			return err
		}
	}
	if err := p.rejected(b); err != nil {
		return err
	}
	p.sum.Rows += b.rows
	p.sum.Bytes += b.bytes
	p.sum.Ignored += b.ignored
	p.sum.Undated += b.undated
	if p.cfg.Progress != nil {
		p.cfg.Progress(p.sum)
	}
	return nil
}

// rejected writes the records that could not be used, in the order of the list.
func (p *importer) rejected(b *batch) error {
	slices.SortStableFunc(b.bad, func(x, y reject) int { return cmp.Compare(x.line, y.line) })
	var out []byte
	for _, r := range b.bad {
		if p.sum.Rejected == 0 {
			p.sum.FirstLine, p.sum.FirstReason = r.line, r.why
		}
		p.sum.Rejected++
		if p.cfg.Rejected != nil {
			p.cfg.Rejected(r.line, r.why)
		}
		if p.cfg.Rejects == nil {
			continue
		}
		if !p.headed {
			p.headed = true
			out = p.shape.AppendRejectsHead(out)
		}
		out = p.shape.AppendReject(out, r.line, r.why, bytes.TrimRight(r.raw, "\r\n"))
	}
	if len(out) == 0 {
		return nil
	}
	if _, err := p.cfg.Rejects.Write(out); err != nil {
		return fmt.Errorf("write the rejected records: %w", err)
	}
	return nil
}

// items stores some records. Opt-ins come first: an address that was erased is
// readable again where there is consent since.
func (p *importer) items(ctx context.Context, b *batch, items []item) error {
	states := b.states
	if states == nil {
		var err error
		if states, err = p.states(ctx, items); err != nil {
			return err
		}
	}
	if err := p.dropConsents(ctx, b, items, states); err != nil {
		return err
	}
	n := 0
	for i := range items {
		n += len(items[i].consent) + len(items[i].events)
	}
	events := make([]recipient.Event, 0, n)
	for i := range items {
		events = append(append(events, items[i].consent...), items[i].events...)
	}
	known, err := p.known(ctx, events)
	if err != nil {
		return err
	}
	p.judge(events, known, states)
	if err := p.events(ctx, events, known); err != nil {
		return err
	}
	return p.contacts(ctx, b, items)
}

// states reads what is known about the addresses of some records.
func (p *importer) states(ctx context.Context, items []item) (states map[recipient.Key]recipient.State, err error) {
	keys := keysOf(items)
	if len(keys) == 0 {
		return nil, nil
	}
	err = p.patiently(ctx, func() (err error) {
		states, err = p.cfg.Store.States(ctx, keys)
		return err //nolint:wrapcheck // wrapped once, below
	})
	return states, err
}

func keysOf(items []item) []recipient.Key {
	var keys []recipient.Key
	for i := range items {
		for _, e := range items[i].events {
			keys = append(keys, e.Key)
		}
		for _, e := range items[i].consent {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// dropConsents refuses opt-ins that would lift something of which nobody knows
// whether it came before, and those of contacts that are refused.
func (p *importer) dropConsents(ctx context.Context, b *batch, items []item, states map[recipient.Key]recipient.State) error {
	var with []int
	for i := range items {
		it := &items[i]
		if !it.dated && slices.ContainsFunc(it.consent, func(e recipient.Event) bool { return states[e.Key].OptedOut() }) {
			it.consent = nil
			b.bad = append(b.bad, reject{it.line, errConsentUndated.Error(), it.raw})
		}
		if len(it.consent) > 0 {
			with = append(with, i)
		}
	}
	if len(with) == 0 {
		return nil
	}
	list := make([]store.Contact, len(with))
	for n, i := range with {
		list[n] = items[i].contact
	}
	var plans []store.ContactResult
	err := p.patiently(ctx, func() (err error) {
		plans, err = p.cfg.Store.PlanContacts(ctx, list, p.options())
		return err //nolint:wrapcheck // wrapped once, below
	})
	if err != nil {
		return err
	}
	for n, i := range with {
		if plans[n].Err != nil && !items[i].ownID {
			items[i].consent = nil
		}
	}
	return nil
}

func (p *importer) options() store.PutOptions {
	return store.PutOptions{AcceptShared: p.cfg.AcceptShared, Source: recipient.FromImport, Actor: p.cfg.Actor}
}

// known asks which events are there already. A duplicate changes nothing, and
// mostly that follows from the states: its time is in them. So only those are
// asked for whose time follows from the clock; a dry run wants to know of all.
func (p *importer) known(ctx context.Context, events []recipient.Event) (known map[recipient.Fingerprint]bool, err error) {
	var prints []recipient.Fingerprint
	for _, e := range events {
		if p.dry != nil || !e.Echo && e.At.Equal(e.ReceivedAt) {
			prints = append(prints, e.Fingerprint)
		}
	}
	if len(prints) == 0 {
		return nil, nil
	}
	err = p.patiently(ctx, func() (err error) {
		known, err = p.cfg.Store.KnownEvents(ctx, prints)
		return err //nolint:wrapcheck // wrapped once, below
	})
	return known, err
}

// judge counts what events change.
func (p *importer) judge(events []recipient.Event, known map[recipient.Fingerprint]bool, states map[recipient.Key]recipient.State) {
	for _, e := range events {
		if known[e.Fingerprint] {
			continue
		}
		before := states[e.Key]
		after := before.With(e)
		states[e.Key] = after
		if p.dry != nil && !p.dry.first(e, before, after) {
			continue
		}
		if after.Blocked() && !before.Blocked() {
			p.sum.Blocked++
		}
		if after.OptedOut() && !before.OptedOut() {
			p.sum.OptedOut++
		}
		switch e.Kind {
		case recipient.OptIn:
			if before.OptedOut() && !after.OptedOut() {
				p.sum.OptedIn++
			}
			if after.OptedOut() {
				p.sum.Outweighed++
			}
		case recipient.HardBounce, recipient.Block:
			if !after.Blocked() {
				p.sum.Outweighed++
			}
		case recipient.OptOut, recipient.Complaint:
			if !after.OptedOut() {
				p.sum.Outweighed++
			}
		}
	}
	if p.dry != nil {
		p.sum.AtMost = p.dry.full
	}
}

func (p *importer) events(ctx context.Context, events []recipient.Event, known map[recipient.Fingerprint]bool) error {
	if p.dry != nil {
		for _, e := range events {
			if known[e.Fingerprint] || !p.dry.firstPrint(e.Fingerprint) {
				p.sum.Known++
			} else {
				p.sum.Events++
			}
		}
		return nil
	}
	for some := range slices.Chunk(events, p.cfg.Together) {
		var done store.Recorded
		err := p.patiently(ctx, func() (err error) {
			done, err = p.cfg.Store.Record(ctx, some)
			return err //nolint:wrapcheck // wrapped once, below
		})
		if err != nil {
			return err
		}
		if n := len(done.Refused); n > 0 {
			return fmt.Errorf("store the list: the database refuses %d of its entries", n)
		}
		p.sum.Events += done.Stored
		p.sum.Known += done.Duplicates
	}
	return nil
}

func (p *importer) contacts(ctx context.Context, b *batch, items []item) error {
	var list []store.Contact
	var of []int
	for i := range items {
		if items[i].isOne {
			list, of = append(list, items[i].contact), append(of, i)
		}
	}
	if len(list) == 0 {
		return nil
	}
	put := p.cfg.Store.PutContacts
	if p.dry != nil {
		put = p.cfg.Store.PlanContacts
	}
	var results []store.ContactResult
	err := p.patiently(ctx, func() (err error) {
		results, err = put(ctx, list, p.options())
		return err //nolint:wrapcheck // wrapped once, below
	})
	if err != nil {
		return err
	}
	for n, r := range results {
		it := &items[of[n]]
		if p.dry != nil {
			r = p.dry.contact(it.contact, r, p.cfg.AcceptShared)
		}
		var shared *store.SharedError
		switch {
		case r.Err == nil && r.Created:
			p.sum.Created++
		case r.Err == nil && r.Changed:
			p.sum.Changed++
		case r.Err == nil, errors.As(r.Err, &shared) && it.ownID: // somebody we know already, under an id of theirs
			p.sum.Unchanged++
		default:
			b.bad = append(b.bad, reject{it.line, contactReason(r.Err), it.raw})
		}
		if r.Carried && r.Err == nil {
			p.sum.Carried++
		}
	}
	return nil
}

func contactReason(err error) string {
	var shared *store.SharedError
	if !errors.As(err, &shared) {
		return "the contact cannot be stored as it is"
	}
	what := "the e-mail address"
	if shared.Channel == recipient.SMS {
		what = "the phone number"
	}
	return what + " belongs to another contact; accept shared addresses, or give it to one of them"
}

// patiently repeats what the database cannot do now. Everything that is repeated
// comes to the same result.
func (p *importer) patiently(ctx context.Context, do func() error) error {
	wait, waited := 50*time.Millisecond, time.Duration(0)
	for {
		err := do()
		if err == nil {
			return nil
		}
		if !errors.Is(err, store.ErrUnavailable) || waited >= p.cfg.Patience || ctx.Err() != nil {
			return fmt.Errorf("store the list: %w", err)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("store the list: %w", ctx.Err())
		}
		waited += wait
		wait = min(2*wait, 5*time.Second)
	}
}

// ledger remembers in a dry run what was counted, so that what stands in the
// list twice counts once. It is bounded, because lists are not.
type ledger struct {
	seed   maphash.Seed
	states map[recipient.Key]uint8
	prints map[uint64]struct{}
	ids    map[uint64]struct{}
	owners map[uint64]uint64 // of addresses, by their contacts
	full   bool
}

const maxLedger = 1 << 20

func newLedger() *ledger {
	return &ledger{seed: maphash.MakeSeed(), states: map[recipient.Key]uint8{}, prints: map[uint64]struct{}{}, ids: map[uint64]struct{}{}, owners: map[uint64]uint64{}}
}

// first reports whether an event changes its address as none before it in the
// list did.
func (l *ledger) first(e recipient.Event, before, after recipient.State) bool {
	bit := uint8(0)
	switch {
	case after.Blocked() && !before.Blocked():
		bit = 1
	case after.OptedOut() && !before.OptedOut():
		bit = 2
	case before.OptedOut() && !after.OptedOut():
		bit = 4
	}
	if bit == 0 {
		return true
	}
	was := l.states[e.Key]
	if was&bit != 0 {
		return false
	}
	if len(l.states) < maxLedger || was != 0 {
		l.states[e.Key] = was | bit
	} else {
		l.full = true
	}
	return true
}

func (l *ledger) firstPrint(f recipient.Fingerprint) bool {
	n := binary.BigEndian.Uint64(f[:8])
	if _, ok := l.prints[n]; ok {
		return false
	}
	if len(l.prints) < maxLedger {
		l.prints[n] = struct{}{}
	}
	return true
}

// contact corrects a plan by what earlier records of the list would have done.
func (l *ledger) contact(c store.Contact, r store.ContactResult, acceptShared bool) store.ContactResult {
	if r.Err != nil {
		return r
	}
	id := maphash.String(l.seed, c.ExternalID)
	for ch, k := range map[recipient.Channel]recipient.Key{recipient.Email: c.EmailKey, recipient.SMS: c.PhoneKey} {
		if k.IsZero() {
			continue
		}
		n := binary.BigEndian.Uint64(k[:8])
		if owner, ok := l.owners[n]; ok && owner != id && !acceptShared {
			return store.ContactResult{Err: &store.SharedError{Channel: ch, Contacts: 1}}
		}
		if len(l.owners) < maxLedger {
			l.owners[n] = id
		}
	}
	if _, ok := l.ids[id]; ok && r.Created {
		r.Created, r.Changed = false, true
	}
	if len(l.ids) < maxLedger {
		l.ids[id] = struct{}{}
	} else {
		l.full = true
	}
	return r
}
