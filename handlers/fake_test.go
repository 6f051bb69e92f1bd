package handlers

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

// fakeStore keeps everything in memory, by the store's rules as far as the
// handlers see them.
type fakeStore struct {
	quiet
	port.Store   // nil: imports and exports are tested with a database
	mu           sync.Mutex
	now          func() time.Time
	down         error         // every call fails with it
	delay        chan struct{} // Record waits until it is closed
	events       []recipient.Event
	prints       map[recipient.Fingerprint]bool
	states       map[recipient.Key]recipient.State
	addresses    map[recipient.Key]recipient.Address
	refuse       func(recipient.Event) bool
	held         []store.Held
	full         bool // the quarantine
	requests     []store.PersonRequest
	requestsFull bool
	contacts     map[string]store.Contact
	keys         []store.APIKey
	keyReads     int
	meta         map[string]string
	short        map[string]store.ShortLink
	counted      map[string]int64
	pending      int
	writes       int // anything that changes something
}

func newFakeStore(now func() time.Time) *fakeStore {
	return &fakeStore{now: now, prints: map[recipient.Fingerprint]bool{}, states: map[recipient.Key]recipient.State{},
		addresses: map[recipient.Key]recipient.Address{}, contacts: map[string]store.Contact{}, meta: map[string]string{}}
}

func (f *fakeStore) lock() (func(), error) {
	f.mu.Lock()
	return f.mu.Unlock, f.down
}

func (f *fakeStore) Ping(context.Context) error {
	unlock, err := f.lock()
	defer unlock()
	return err
}

func (f *fakeStore) Pending(context.Context) (int, error) {
	unlock, err := f.lock()
	defer unlock()
	return f.pending, err
}

func (f *fakeStore) add(e recipient.Event) bool {
	if f.prints[e.Fingerprint] {
		return false
	}
	f.writes++
	f.prints[e.Fingerprint] = true
	f.events = append(f.events, e)
	f.states[e.Key] = f.states[e.Key].With(e)
	if !e.Address.IsZero() {
		f.addresses[e.Key] = e.Address
	}
	return true
}

func (f *fakeStore) Record(ctx context.Context, events []recipient.Event) (store.Recorded, error) {
	f.mu.Lock()
	delay := f.delay
	f.mu.Unlock()
	if delay != nil {
		select {
		case <-delay:
		case <-ctx.Done():
			return store.Recorded{}, ctx.Err()
		}
	}
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return store.Recorded{}, err
	}
	var r store.Recorded
	for _, e := range events {
		switch {
		case f.refuse != nil && f.refuse(e):
			r.Refused = append(r.Refused, e)
		case f.add(e):
			r.Stored++
		default:
			r.Duplicates++
		}
	}
	return r, nil
}

func (f *fakeStore) Quarantine(_ context.Context, h store.Held) error {
	unlock, err := f.lock()
	defer unlock()
	if f.full {
		return store.ErrQuarantineFull
	}
	if err == nil {
		f.writes++
		f.held = append(f.held, h)
	}
	return err
}

func (f *fakeStore) QuarantineCounts(context.Context) (map[string]int, error) {
	unlock, err := f.lock()
	defer unlock()
	n := map[string]int{}
	for _, h := range f.held {
		n[h.Endpoint]++
	}
	return n, err
}

func (f *fakeStore) Act(_ context.Context, a store.Act) (store.Outcome, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return store.Outcome{}, err
	}
	before := f.states[a.Key]
	e := recipient.Event{Kind: a.Kind, Channel: a.Channel, Key: a.Key, Address: a.Address, Source: a.Source, Actor: a.Actor, Detail: a.Reason,
		Evidence: a.Evidence, At: before.AnswerAt(a.Kind, f.now()), ReceivedAt: f.now()}
	e.Fingerprint = recipient.NewFingerprint("act", []string{e.At.String()}, e.Key, e.Kind)
	f.add(e)
	return store.Outcome{Before: before, After: f.states[a.Key], Event: e, Changed: true}, nil
}

func (f *fakeStore) Click(_ context.Context, c store.Click) (store.Outcome, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return store.Outcome{}, err
	}
	before := f.states[c.Key]
	e := recipient.Event{Kind: recipient.OptOut, Channel: c.Channel, Key: c.Key, Source: c.Source, SendOut: c.SendOut, Evidence: c.Evidence,
		At: before.AnswerAt(recipient.OptOut, f.now()), ReceivedAt: f.now()}
	e.Evidence.OptedOutBefore = before.OptedOut()
	e.Fingerprint = recipient.NewFingerprint("link", []string{c.TokenID, before.OptedInAt.String()}, c.Key, recipient.OptOut)
	changed := f.add(e)
	if !changed {
		e, _ = f.own(c)
	}
	return store.Outcome{Before: before, After: f.states[c.Key], Event: e, Changed: changed}, nil
}

// own returns the link's standing opt-out.
func (f *fakeStore) own(c store.Click) (recipient.Event, bool) {
	st := f.states[c.Key]
	want := recipient.NewFingerprint("link", []string{c.TokenID, st.OptedInAt.String()}, c.Key, recipient.OptOut)
	for _, e := range f.events {
		if e.Fingerprint == want {
			return e, true
		}
	}
	return recipient.Event{}, false
}

func (f *fakeStore) undoable(c store.Click, within time.Duration) string {
	e, ok := f.own(c)
	switch {
	case !ok:
		return "none"
	case f.now().Sub(e.At) > within:
		return "late"
	case e.Evidence.OptedOutBefore:
		return "before"
	case !f.states[c.Key].ComplainedAt.IsZero():
		return "complaint"
	}
	return ""
}

func (f *fakeStore) Undo(_ context.Context, c store.Click, within time.Duration) (store.Outcome, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return store.Outcome{}, err
	}
	if c.Evidence.Consent == nil {
		return store.Outcome{}, errors.New("an undo without consent")
	}
	if r := f.undoable(c, within); r != "" {
		return store.Outcome{}, undoError(r)
	}
	before := f.states[c.Key]
	e := recipient.Event{Kind: recipient.OptIn, Channel: c.Channel, Key: c.Key, Source: c.Source, Evidence: c.Evidence,
		At: before.AnswerAt(recipient.OptIn, f.now()), ReceivedAt: f.now()}
	e.Fingerprint = recipient.NewFingerprint("undo", []string{c.TokenID, e.At.String()}, c.Key, recipient.OptIn)
	f.add(e)
	return store.Outcome{Before: before, After: f.states[c.Key], Event: e, Changed: true}, nil
}

func (f *fakeStore) CanUndo(_ context.Context, c store.Click, _ recipient.State, within time.Duration) (bool, error) {
	unlock, err := f.lock()
	defer unlock()
	return f.undoable(c, within) == "", err
}

func (f *fakeStore) AddRequest(_ context.Context, r store.PersonRequest) error {
	unlock, err := f.lock()
	defer unlock()
	if f.requestsFull {
		return store.ErrRequestsFull
	}
	if err == nil {
		f.writes++
		f.requests = append(f.requests, r)
	}
	return err
}

func (f *fakeStore) Recipient(_ context.Context, key recipient.Key) (store.Recipient, error) {
	unlock, err := f.lock()
	defer unlock()
	st, ok := f.states[key]
	if err == nil && !ok {
		err = store.ErrNotFound
	}
	return store.Recipient{Key: key, Address: f.addresses[key], Channel: f.addresses[key].Channel(), State: st}, err
}

func (f *fakeStore) History(_ context.Context, key recipient.Key, limit int, _ string) ([]store.StoredEvent, string, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []store.StoredEvent
	for i := len(f.events) - 1; i >= 0; i-- {
		if f.events[i].Key != key {
			continue
		}
		if len(out) == limit {
			return out, "more", err
		}
		out = append(out, store.StoredEvent{ID: int64(i), Event: f.events[i]})
	}
	return out, "", err
}

func (f *fakeStore) Feed(_ context.Context, after int64, limit int) ([]store.StoredEvent, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []store.StoredEvent
	for i := int(after); i < len(f.events) && len(out) < limit; i++ {
		out = append(out, store.StoredEvent{ID: int64(i + 1), Event: f.events[i]})
	}
	return out, err
}

func (f *fakeStore) Erase(_ context.Context, key recipient.Key, _ store.By) error {
	unlock, err := f.lock()
	defer unlock()
	if _, ok := f.states[key]; err == nil && !ok {
		err = store.ErrNotFound
	}
	if err == nil {
		f.writes++
		delete(f.addresses, key)
	}
	return err
}

func (f *fakeStore) States(_ context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error) {
	unlock, err := f.lock()
	defer unlock()
	out := map[recipient.Key]recipient.State{}
	for _, k := range keys {
		if st, ok := f.states[k]; ok {
			out[k] = st
		}
	}
	return out, err
}

func (f *fakeStore) CheckStates(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error) {
	return f.States(ctx, keys)
}

func (f *fakeStore) PutContact(_ context.Context, c store.Contact, o store.PutOptions) (store.Contact, bool, error) {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return c, false, err
	}
	for id, other := range f.contacts {
		if id != c.ExternalID && !c.EmailKey.IsZero() && other.EmailKey == c.EmailKey && !o.AcceptShared {
			return c, false, &store.SharedError{Channel: recipient.Email, Contacts: 1}
		}
	}
	_, existed := f.contacts[c.ExternalID]
	c.CreatedAt, c.UpdatedAt = f.now(), f.now()
	f.contacts[c.ExternalID] = c
	f.writes++
	return c, !existed, nil
}

func (f *fakeStore) Contact(_ context.Context, id string) (store.Contact, error) {
	unlock, err := f.lock()
	defer unlock()
	c, ok := f.contacts[id]
	if err == nil && !ok {
		err = store.ErrNotFound
	}
	return c, err
}

func (f *fakeStore) Contacts(_ context.Context, q store.ContactQuery) ([]store.Contact, string, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []store.Contact
	for _, c := range f.contacts {
		if q.Key.IsZero() && c.Name == q.Q || !q.Key.IsZero() && (q.Key == c.EmailKey || q.Key == c.PhoneKey) {
			out = append(out, c)
		}
	}
	return out, "", err
}

func (f *fakeStore) EraseContact(_ context.Context, id int64, _ store.By) error {
	unlock, err := f.lock()
	defer unlock()
	for name, c := range f.contacts {
		if err == nil && c.ID == id {
			f.writes++
			delete(f.contacts, name)
			return nil
		}
	}
	return cmp.Or(err, store.ErrNotFound)
}

func (f *fakeStore) Flagged(_ context.Context, flag store.Flag, limit int, _ string) ([]store.Recipient, string, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []store.Recipient
	for k, st := range f.states {
		if flag.Of(st) && len(out) < limit {
			out = append(out, store.Recipient{Key: k, Channel: f.addresses[k].Channel(), Address: f.addresses[k], State: st})
		}
	}
	return out, "", err
}

func (f *fakeStore) ContactsOf(_ context.Context, key recipient.Key) ([]store.Contact, error) {
	unlock, err := f.lock()
	defer unlock()
	var out []store.Contact
	for _, c := range f.contacts {
		if key == c.EmailKey || key == c.PhoneKey {
			out = append(out, c)
		}
	}
	return out, err
}

func (f *fakeStore) Person(_ context.Context, _ recipient.Channel, key recipient.Key) (store.Person, error) {
	unlock, err := f.lock()
	defer unlock()
	of := func(k recipient.Key, a recipient.Address) store.Recipient {
		return store.Recipient{Key: k, Address: a, Channel: a.Channel(), State: f.states[k]}
	}
	p := store.Person{Recipient: of(key, f.addresses[key])}
	others := map[store.Recipient]int{}
	contacts := 0
	for _, c := range f.contacts {
		email, number := of(c.EmailKey, c.Email), of(c.PhoneKey, c.Phone)
		switch key {
		case c.EmailKey:
			p.Address = c.Email
			others[number]++
		case c.PhoneKey:
			p.Address = c.Phone
			others[email]++
		default:
			continue
		}
		contacts++
	}
	for o, n := range others {
		if n == contacts && !o.Address.IsZero() {
			p.Others = append(p.Others, o)
		}
	}
	return p, err
}

func (f *fakeStore) APIKeys(context.Context) ([]store.APIKey, error) {
	unlock, err := f.lock()
	defer unlock()
	f.keyReads++
	return append([]store.APIKey(nil), f.keys...), err
}

func (f *fakeStore) TouchAPIKey(_ context.Context, name string, at time.Time) error {
	unlock, err := f.lock()
	defer unlock()
	for i := range f.keys {
		if err == nil && f.keys[i].Name == name {
			f.keys[i].LastUsedAt = at
		}
	}
	return err
}

func (f *fakeStore) Meta(_ context.Context, name string) (string, bool, error) {
	unlock, err := f.lock()
	defer unlock()
	v, ok := f.meta[name]
	return v, ok, err
}

func (f *fakeStore) SetMeta(_ context.Context, name, value string) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil {
		f.meta[name] = value
	}
	return err
}

// set changes the fake while a server uses it.
func (f *fakeStore) set(change func(*fakeStore)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeStore) PutShortLinks(_ context.Context, links []store.ShortLink) error {
	unlock, err := f.lock()
	defer unlock()
	if err != nil {
		return err
	}
	type claims struct {
		store.ShortLink
		length int
	}
	of := func(l store.ShortLink) claims {
		n := len(l.Code)
		l.Code, l.CreatedAt = "", time.Time{}
		return claims{l, n}
	}
	known := map[claims]string{}
	for _, l := range f.short {
		known[of(l)] = l.Code
	}
	if f.short == nil {
		f.short = map[string]store.ShortLink{}
	}
	for i, l := range links {
		if code, ok := known[of(l)]; ok {
			links[i].Code = code
			continue
		}
		f.writes++
		f.short[l.Code], known[of(l)] = l, l.Code
	}
	return nil
}

func (f *fakeStore) ShortLink(_ context.Context, code string) (store.ShortLink, error) {
	unlock, err := f.lock()
	defer unlock()
	l, ok := f.short[code]
	if err == nil && !ok {
		err = store.ErrNotFound
	}
	return l, err
}

func (f *fakeStore) CountLinks(_ context.Context, issued map[string]int64) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil {
		if f.counted == nil {
			f.counted = map[string]int64{}
		}
		for id, n := range issued {
			f.counted[id] += n
		}
	}
	return err
}

func (f *fakeStore) Audit(context.Context, store.AuditEntry) error {
	unlock, err := f.lock()
	defer unlock()
	return err
}
