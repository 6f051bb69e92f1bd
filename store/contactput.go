package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// PutContact creates or replaces a contact and reports whether it is new. When
// an address changes, the opt-out and the complaint of the old one are copied
// to the new one as opt-outs of the original time; opt-ins and blocks are not.
// A new address that other contacts have is a *SharedError unless accepted. An
// erased address stays unreadable unless there is consent since the erasure.
func (db *DB) PutContact(ctx context.Context, c Contact, o PutOptions) (Contact, bool, error) {
	if err := db.checkContact(&c, o); err != nil {
		return Contact{}, false, err
	}
	var saved Contact
	var created bool
	err := db.inTx(ctx, "save a contact", func(tx *sqlx.Tx) error {
		var err error
		saved, created, err = db.putContact(ctx, tx, c, o)
		return err
	})
	if err != nil {
		return Contact{}, false, err
	}
	return saved, created, nil
}

func (db *DB) checkContact(c *Contact, o PutOptions) error {
	switch {
	case c.ExternalID == "" || len(c.ExternalID) > maxExternalIDBytes:
		return fmt.Errorf("%w contact: external_id", ErrInvalid)
	case len(c.Name) > maxNameBytes:
		return fmt.Errorf("%w contact: name", ErrInvalid)
	case len(c.Language) > maxLanguageBytes:
		return fmt.Errorf("%w contact: language", ErrInvalid)
	case !slices.Contains(sources, o.Source):
		return fmt.Errorf("%w contact: source", ErrInvalid)
	case o.Consent != nil && (o.Consent.Source == "" || o.Consent.Wording == ""):
		return ErrConsent
	}
	for _, a := range []struct {
		address recipient.Address
		key     *recipient.Key
		channel recipient.Channel
	}{{c.Email, &c.EmailKey, recipient.Email}, {c.Phone, &c.PhoneKey, recipient.SMS}} {
		switch {
		case a.address.IsZero():
			*a.key = recipient.Key{}
		case a.address.Channel() != a.channel:
			return fmt.Errorf("%w contact: the %s address is of another channel", ErrInvalid, a.channel)
		case db.keyer != nil:
			*a.key = db.keyer.Key(a.address)
		case a.key.IsZero():
			return fmt.Errorf("%w contact: the %s address has no key", ErrInvalid, a.channel)
		}
	}
	return nil
}

// move is one channel of a contact that is being saved.
type move struct {
	channel  recipient.Channel
	address  *recipient.Address // of the contact; emptied when it may not be read
	old, new recipient.Key      // old is the last one, even if it was removed meanwhile
	had      bool               // the contact has old now
	column   string
}

// keeps reports whether the contact has the address now, and will have it.
func (m *move) keeps() bool { return m.had && m.new == m.old }

func (db *DB) putContact(ctx context.Context, tx *sqlx.Tx, c Contact, o PutOptions) (Contact, bool, error) {
	fail := func(err error) (Contact, bool, error) { return Contact{}, false, err }
	if err := db.shareFeed(ctx, tx); err != nil {
		return fail(err)
	}
	if err := db.lockContact(ctx, tx, c.ExternalID); err != nil {
		return fail(err)
	}
	var was contactRow
	err := tx.GetContext(ctx, &was, selectContacts+"WHERE c.external_id = ?", []byte(c.ExternalID))
	created := errors.Is(err, sql.ErrNoRows)
	if err != nil && !created {
		return fail(err)
	}
	switch {
	case o.OnlyNew && !created:
		return fail(ErrExists)
	case !o.Seen.IsZero() && created:
		return fail(ErrNotFound)
	case !o.Seen.IsZero() && micros(o.Seen) != was.UpdatedAt:
		return fail(ErrChanged)
	}
	if o.KeepUnread {
		c = keepUnread(c, was.contact())
	}
	oldEmail, oldPhone := was.keys()
	moves := []move{
		{recipient.Email, &c.Email, oldEmail, c.EmailKey, was.EmailOn, "email_key"},
		{recipient.SMS, &c.Phone, oldPhone, c.PhoneKey, was.PhoneOn, "phone_key"},
	}
	locked, err := db.lockMoves(ctx, tx, moves)
	if err != nil {
		return fail(err)
	}
	now := recipient.Micro(db.now())
	for _, m := range moves {
		if m.new.IsZero() {
			continue
		}
		if !m.keeps() && !o.AcceptShared {
			var n int
			query := "SELECT COUNT(*) FROM contacts WHERE " + m.column + " = ? AND " + m.channelOn() + " = 1 AND external_id <> ?"
			if err := tx.GetContext(ctx, &n, query, m.new[:], []byte(c.ExternalID)); err != nil {
				return fail(err)
			}
			if n > 0 {
				return fail(&SharedError{Channel: m.channel, Contacts: n})
			}
		}
		if err := db.carry(ctx, tx, m, locked, o, now); err != nil {
			return fail(err)
		}
		if err := db.revive(ctx, tx, m, locked[m.new], o, now); err != nil {
			return fail(err)
		}
	}
	id := was.ID
	c.UpdatedAt = now
	if created {
		c.CreatedAt = now
		id, err = insertContact(ctx, tx, c)
	} else {
		c.CreatedAt = fromMicros(was.CreatedAt)
		err = updateContact(ctx, tx, id, c, moves)
	}
	if err != nil {
		return fail(err)
	}
	c.ID = id
	// Other systems save the same contacts again every night: that changes nothing.
	if parts := changedParts(&was, c); o.By.Actor != "" && (created || parts != "") {
		if err := db.audit(ctx, tx, o.By.entry(saveAction(created), "contact "+strconv.FormatInt(id, 10), parts)); err != nil {
			return fail(err)
		}
	}
	return c, created, putTerms(ctx, tx, id, c)
}

func keepUnread(c, was Contact) Contact {
	if c.EmailKey.IsZero() && was.Email.IsZero() {
		c.EmailKey = was.EmailKey
	}
	if c.PhoneKey.IsZero() && was.Phone.IsZero() {
		c.PhoneKey = was.PhoneKey
	}
	return c
}

// lockContact locks a contact, where there is one. Not with its addresses: their
// rows are locked in the order of keys.
func (db *DB) lockContact(ctx context.Context, tx *sqlx.Tx, externalID string) error {
	if db.d.forUpdate == "" {
		return nil
	}
	var ids []int64
	return tx.SelectContext(ctx, &ids, "SELECT id FROM contacts WHERE external_id = ?"+db.d.forUpdate, []byte(externalID)) //nolint:wrapcheck // inTx wraps
}

func saveAction(created bool) string {
	if created {
		return "contact.add"
	}
	return "contact.edit"
}

// changedParts names what is new, never what it says. An address that can be
// read again after an erasure is new.
func changedParts(was *contactRow, c Contact) string {
	email, phone := was.keys()
	old := was.contact()
	var parts []string
	for _, p := range []struct {
		name    string
		changed bool
	}{
		{"name", was.Name != c.Name}, {"language", was.Language != c.Language},
		{"e-mail address", was.EmailOn != !c.EmailKey.IsZero() || was.EmailOn && (email != c.EmailKey || old.Email != c.Email)},
		{"phone number", was.PhoneOn != !c.PhoneKey.IsZero() || was.PhoneOn && (phone != c.PhoneKey || old.Phone != c.Phone)},
	} {
		if p.changed {
			parts = append(parts, p.name)
		}
	}
	return strings.Join(parts, ", ")
}

func (m move) channelOn() string {
	if m.channel == recipient.Email {
		return "email_on"
	}
	return "phone_on"
}

// lockMoves locks the rows of all addresses, in one order, and makes the new
// ones known.
func (db *DB) lockMoves(ctx context.Context, tx *sqlx.Tx, moves []move) (map[recipient.Key]Recipient, error) {
	var rows []stateRow
	var keys []recipient.Key
	for _, m := range moves {
		if !m.new.IsZero() {
			rows = append(rows, stateRow{key: m.new, channel: m.channel, address: *m.address})
			keys = append(keys, m.new)
		}
		if !m.old.IsZero() && m.old != m.new {
			rows = append(rows, stateRow{key: m.old, channel: m.channel})
			keys = append(keys, m.old)
		}
	}
	slices.SortFunc(rows, func(a, b stateRow) int { return bytes.Compare(a.key[:], b.key[:]) })
	if err := db.joinStates(ctx, tx, rows); err != nil {
		return nil, err
	}
	return db.lockedRecipients(ctx, tx, keys)
}

// carry copies what the person told us at the old address to the new one.
func (db *DB) carry(ctx context.Context, tx *sqlx.Tx, m move, locked map[recipient.Key]Recipient, o PutOptions, now time.Time) error {
	old := locked[m.old].State
	if m.old.IsZero() || m.old == m.new || !old.OptedOut() {
		return nil
	}
	var events []*recipient.Event
	for _, f := range []struct {
		kind recipient.Kind
		at   time.Time
	}{{recipient.OptOut, old.OptedOutAt}, {recipient.Complaint, old.ComplainedAt}} {
		if f.at.IsZero() || f.at.Before(old.OptedInAt) || !f.at.After(locked[m.new].State.OptedOutAt) {
			continue // never, lifted since, or known at the new address
		}
		e := recipient.Event{Kind: recipient.OptOut, Channel: m.channel, Key: m.new, At: f.at, ReceivedAt: now, Source: o.Source,
			Actor: recipient.Clean(o.Actor, maxActorBytes), Code: string(f.kind), Rule: "address_changed", Detail: "copied from the contact's former address"}
		if f.at.Equal(recipient.EchoAt) {
			e.Echo, e.At = true, now
		}
		e.Fingerprint = recipient.NewFingerprint("contact", []string{m.old.String(), string(f.kind), strconv.FormatInt(micros(f.at), 10)}, m.new, recipient.OptOut)
		events = append(events, &e)
	}
	return db.insertNew(ctx, tx, events)
}

// insertNew inserts those events of one address that are not there yet. The
// caller holds the lock of the address.
func (db *DB) insertNew(ctx context.Context, tx *sqlx.Tx, events []*recipient.Event) error {
	prints := make([]recipient.Fingerprint, len(events))
	for i, e := range events {
		prints[i] = e.Fingerprint
	}
	known, err := db.eventsByPrint(ctx, tx, prints)
	if err != nil {
		return err
	}
	events = slices.DeleteFunc(events, func(e *recipient.Event) bool { return known[e.Fingerprint] != nil })
	if len(events) == 0 {
		return nil
	}
	return db.insertEvents(ctx, tx, events)
}

// revive makes an erased address readable again where there is consent since
// the erasure; else the contact keeps the key alone, and its suppression.
func (db *DB) revive(ctx context.Context, tx *sqlx.Tx, m move, r Recipient, o PutOptions, now time.Time) error {
	if r.ErasedAt.IsZero() || m.address.IsZero() { // a list that leaves it empty brings nothing back
		return nil
	}
	if o.Consent != nil && !givenSince(o.Consent.At, r.ErasedAt) {
		o.Consent = nil // another system repeats what it knew before
	}
	if o.Consent == nil && !r.State.OptedInAt.After(r.ErasedAt) {
		*m.address = recipient.Address{}
		return nil
	}
	if o.Consent != nil {
		after, err := db.lockedStates(ctx, tx, []recipient.Key{m.new}) // with what was carried over
		if err != nil {
			return err
		}
		e := recipient.Event{Kind: recipient.OptIn, Channel: m.channel, Key: m.new, Source: o.Source, Actor: recipient.Clean(o.Actor, maxActorBytes),
			Evidence: recipient.Evidence{Consent: o.Consent}, At: after[m.new].AnswerAt(recipient.OptIn, now), ReceivedAt: now}
		if !givenSince(o.Consent.At, after[m.new].Answered(recipient.OptIn)) {
			e.At = recipient.Micro(o.Consent.At) // the person opted out again: kept, and lifts nothing
		}
		e.Fingerprint = recipient.NewFingerprint("contact", []string{"revived", strconv.FormatInt(micros(r.ErasedAt), 10)}, m.new, recipient.OptIn)
		if err := db.insertNew(ctx, tx, []*recipient.Event{&e}); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE recipients SET erased_at = 0, address = ? WHERE recipient_key = ?", m.address.Value(), m.new[:])
	return err //nolint:wrapcheck // inTx wraps
}

// givenSince reports whether consent is not older than what it answers. Where
// it is a day alone, without a time, the day counts whole.
func givenSince(at, answered time.Time) bool {
	if at.Equal(at.Truncate(24 * time.Hour)) {
		answered = answered.Truncate(24 * time.Hour)
	}
	return at.IsZero() || !at.Before(answered)
}

func insertContact(ctx context.Context, tx *sqlx.Tx, c Contact) (int64, error) {
	res, err := tx.ExecContext(ctx, "INSERT INTO contacts (external_id, name, language, email_key, email_on, phone_key, phone_on, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		[]byte(c.ExternalID), c.Name, c.Language, nullKey(c.EmailKey), !c.EmailKey.IsZero(), nullKey(c.PhoneKey), !c.PhoneKey.IsZero(), micros(c.CreatedAt), micros(c.UpdatedAt))
	if err != nil {
		return 0, err //nolint:wrapcheck // inTx wraps
	}
	return res.LastInsertId() //nolint:wrapcheck // inTx wraps
}

// updateContact leaves the key of a removed address where it is, switched off.
func updateContact(ctx context.Context, tx *sqlx.Tx, id int64, c Contact, moves []move) error {
	for i := range moves {
		if moves[i].new.IsZero() {
			moves[i].new = moves[i].old
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE contacts SET name = ?, language = ?, email_key = ?, email_on = ?, phone_key = ?, phone_on = ?, updated_at = ? WHERE id = ?",
		c.Name, c.Language, nullKey(moves[0].new), !c.EmailKey.IsZero(), nullKey(moves[1].new), !c.PhoneKey.IsZero(), micros(c.UpdatedAt), id)
	return err //nolint:wrapcheck // inTx wraps
}

// nullKey is the column of a key that may be missing.
func nullKey(k recipient.Key) []byte {
	if k.IsZero() {
		return nil
	}
	return k[:]
}
