package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// ContactResult says what became of one contact of PutContacts.
type ContactResult struct {
	Created bool
	Changed bool // neither: the contact was there already, just so
	// Carried: the address changed, and what the person told us at the old one went
	// along.
	Carried bool
	Err     error // an ErrInvalid or a *SharedError: this contact was left out
}

// PutContacts is PutContact for lists. What a contact leaves empty stays as it
// is. Each contact stands for itself: one that is refused has its Err, the others
// are saved. When PutContacts itself fails, some may be saved; it can be repeated.
//
// Contacts that are new, or keep their addresses, go in together; one that
// changes an address, or repeats an id or an address of the same list, is saved
// alone, by the rules of PutContact. Nothing is written to the audit log: that
// is for whoever brings the list.
func (db *DB) PutContacts(ctx context.Context, list []Contact, o PutOptions) ([]ContactResult, error) {
	o.By, o.Consent = By{}, nil
	list = slices.Clone(list)
	out := make([]ContactResult, len(list))
	together, alone := db.arrangeContacts(list, o, out)
	more, err := db.putParts(ctx, list, together, o, out)
	if err != nil {
		return nil, err
	}
	alone = append(alone, more...)
	slices.Sort(alone)
	for _, i := range alone {
		if out[i], err = db.putMerged(ctx, list[i], o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// putParts saves contacts that have nothing in common, and returns those that
// must be saved alone. MySQL does so on two connections at once.
func (db *DB) putParts(ctx context.Context, list []Contact, together []int, o PutOptions, out []ContactResult) (alone []int, err error) {
	if len(together) == 0 {
		return nil, db.ready(ctx)
	}
	// In the order of their ids, so that transactions do not deadlock one another.
	slices.SortFunc(together, func(a, b int) int { return cmp.Compare(list[a].ExternalID, list[b].ExternalID) })
	size := len(together)
	if db.d.mysql && size > statesChunk {
		size = (size + 1) / 2
	}
	parts := slices.Collect(slices.Chunk(together, size))
	more, errs := make([][]int, len(parts)), make([]error, len(parts))
	var work sync.WaitGroup
	for n, part := range parts {
		work.Go(func() {
			var found map[int]ContactResult
			errs[n] = db.inTx(ctx, "save contacts", func(tx *sqlx.Tx) (err error) {
				found = make(map[int]ContactResult, len(part))
				more[n], err = db.putTogether(ctx, tx, list, part, o, found)
				return err
			})
			for i, r := range found {
				out[i] = r // no other part has it
			}
		})
	}
	work.Wait()
	return slices.Concat(more...), errors.Join(errs...)
}

// PlanContacts says what PutContacts would do, and changes nothing. It does not
// see what earlier contacts of the same list would have changed.
func (db *DB) PlanContacts(ctx context.Context, list []Contact, o PutOptions) ([]ContactResult, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	out := make([]ContactResult, len(list))
	together, alone := db.arrangeContacts(list, o, out)
	plans, err := planContacts(ctx, db.read, list, append(together, alone...), o)
	if err != nil {
		return nil, wrap("look at contacts", err)
	}
	var old []recipient.Key
	for _, p := range plans {
		old = append(old, p.left()...)
	}
	states, err := db.States(ctx, old)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		out[p.i] = p.result(func(k recipient.Key) bool { return states[k].OptedOut() })
	}
	return out, nil
}

// arrangeContacts checks contacts and fills in their keys. Those that repeat an
// id or an address of an earlier one come after it, alone.
func (db *DB) arrangeContacts(list []Contact, o PutOptions, out []ContactResult) (together, alone []int) {
	ids, keys := map[string]bool{}, map[recipient.Key]bool{}
	for i := range list {
		c := &list[i]
		if out[i].Err = db.checkContact(c, o); out[i].Err != nil {
			continue
		}
		if ids[c.ExternalID] || keys[c.EmailKey] || keys[c.PhoneKey] {
			alone = append(alone, i)
		} else {
			together = append(together, i)
		}
		ids[c.ExternalID] = true
		for _, k := range []recipient.Key{c.EmailKey, c.PhoneKey} {
			if !k.IsZero() {
				keys[k] = true
			}
		}
	}
	return together, alone
}

// putTogether saves those, in the order of their ids, of which no address has to be carried over, and
// returns the others.
func (db *DB) putTogether(ctx context.Context, tx *sqlx.Tx, list []Contact, which []int, o PutOptions, out map[int]ContactResult) (alone []int, err error) {
	if db.d.forUpdate != "" {
		if err := lockContacts(ctx, tx, list, which, db.d.forUpdate); err != nil {
			return nil, err
		}
	}
	o2 := o
	o2.AcceptShared = true // asked below, when the addresses are locked
	plans, err := planContacts(ctx, tx, list, which, o2)
	if err != nil {
		return nil, err
	}
	var todo []contactPlan
	for i := range plans {
		p := &plans[i]
		switch {
		case len(p.left()) > 0:
			alone = append(alone, p.i)
		case p.created || p.changed:
			todo = append(todo, *p)
		default:
			out[p.i] = p.result(nil)
		}
	}
	erased, err := db.lockComing(ctx, tx, todo)
	if err != nil {
		return nil, err
	}
	if err := refuseShared(ctx, tx, todo, o); err != nil {
		return nil, err
	}
	save := todo[:0]
	for i := range todo {
		p := &todo[i]
		switch {
		case p.err != nil:
			out[p.i] = p.result(nil)
		case slices.ContainsFunc(p.comes(), func(m *move) bool { return erased[m.new] }):
			alone = append(alone, p.i)
		default:
			out[p.i] = p.result(func(recipient.Key) bool { return false })
			save = append(save, *p)
		}
	}
	return alone, db.saveContacts(ctx, tx, save, recipient.Micro(db.now()))
}

func lockContacts(ctx context.Context, tx *sqlx.Tx, list []Contact, which []int, forUpdate string) error {
	for some := range slices.Chunk(which, statesChunk) {
		ids := make([]string, len(some))
		for n, i := range some {
			ids[n] = list[i].ExternalID
		}
		var locked []int64
		if err := tx.SelectContext(ctx, &locked, string(appendIDs([]byte("SELECT id FROM contacts WHERE external_id IN ("), ids))+" ORDER BY external_id"+forUpdate); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

// lockComing locks the new addresses in one order, makes them known, and says
// which are those of erased people.
func (db *DB) lockComing(ctx context.Context, tx *sqlx.Tx, plans []contactPlan) (erased map[recipient.Key]bool, err error) {
	var rows []stateRow
	for i := range plans {
		for _, m := range plans[i].comes() {
			address := plans[i].c.Email
			if m.channel == recipient.SMS {
				address = plans[i].c.Phone
			}
			rows = append(rows, stateRow{key: m.new, channel: m.channel, address: address})
		}
	}
	slices.SortFunc(rows, func(a, b stateRow) int { return bytes.Compare(a.key[:], b.key[:]) })
	if err := db.joinStates(ctx, tx, rows); err != nil {
		return nil, err
	}
	erased = map[recipient.Key]bool{}
	for some := range slices.Chunk(rows, statesChunk) {
		keys := make([]recipient.Key, len(some))
		for i := range some {
			keys[i] = some[i].key
		}
		var gone [][]byte
		if err := tx.SelectContext(ctx, &gone, selectErased(keys)); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
		for _, k := range gone {
			erased[recipient.Key(k)] = true
		}
	}
	return erased, nil
}

func selectErased(keys []recipient.Key) string {
	b := keyList([]byte("SELECT recipient_key FROM recipients WHERE recipient_key IN ("), keys)
	return string(append(b, ") AND erased_at > 0"...))
}

// saveContacts writes contacts and their terms.
func (db *DB) saveContacts(ctx context.Context, tx *sqlx.Tx, plans []contactPlan, now time.Time) error {
	var last int64
	if !db.d.mysql {
		if err := tx.GetContext(ctx, &last, lastContact); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	if db.bulk(len(plans)) {
		if err := db.d.bulkContacts(ctx, tx, plans, now); err != nil {
			return err
		}
	} else {
		for some := range slices.Chunk(plans, rowsPerStatement) {
			if _, err := tx.ExecContext(ctx, string(db.d.appendContacts(nil, some, now))); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
	}
	ids, err := db.savedIDs(ctx, tx, plans, last)
	if err != nil {
		return err
	}
	var terms []term
	var old []int64
	for i := range plans {
		p := &plans[i]
		id, ok := ids[p.c.ExternalID]
		if !ok {
			return errors.New("store: a contact is gone that was just saved")
		}
		if !p.created {
			old = append(old, id)
		}
		terms = appendTerms(terms, id, p.c)
	}
	return db.replaceTerms(ctx, tx, old, terms)
}

// savedIDs returns the ids of contacts that were just saved. On SQLite ids only
// grow and nobody else writes, so the new ones are all after the last.
func (db *DB) savedIDs(ctx context.Context, tx *sqlx.Tx, plans []contactPlan, last int64) (map[string]int64, error) {
	type row struct {
		ID         int64  `db:"id"`
		ExternalID []byte `db:"external_id"`
	}
	ids := make(map[string]int64, len(plans))
	var names []string
	for i := range plans {
		if p := &plans[i]; p.was != nil {
			ids[p.c.ExternalID] = p.was.ID
		} else {
			names = append(names, p.c.ExternalID)
		}
	}
	var rows []row
	if len(names) > 0 && !db.d.mysql {
		if err := tx.SelectContext(ctx, &rows, newContacts, last); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
		names = nil
	}
	for some := range slices.Chunk(names, statesChunk) {
		var more []row
		if err := tx.SelectContext(ctx, &more, string(appendIDs([]byte("SELECT id, external_id FROM contacts WHERE external_id IN ("), some))); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
		rows = append(rows, more...)
	}
	for _, r := range rows {
		ids[string(r.ExternalID)] = r.ID
	}
	return ids, nil
}

const (
	lastContact = "SELECT COALESCE(MAX(id), 0) FROM contacts"
	newContacts = "SELECT id, external_id FROM contacts WHERE id > ?"
)

// term finds a contact.
type term struct {
	text string
	id   int64
}

func appendTerms(list []term, id int64, c Contact) []term {
	for _, t := range terms(c) {
		list = append(list, term{t, id})
	}
	return list
}

// replaceTerms writes terms in the order of their index: the pages of the
// neighbours are warm.
func (db *DB) replaceTerms(ctx context.Context, tx *sqlx.Tx, old []int64, list []term) error {
	for some := range slices.Chunk(old, statesChunk) {
		query, args, err := sqlx.In("DELETE FROM contact_terms WHERE contact_id IN (?)", some)
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	slices.SortFunc(list, func(a, b term) int { return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.id, b.id)) })
	if db.bulk(len(list)) {
		return bulkTerms(ctx, tx, list)
	}
	for some := range slices.Chunk(list, termsPerStatement) {
		if _, err := tx.ExecContext(ctx, string(appendTermRows([]byte(insertTerm+" VALUES "), some))); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

const insertTerm = "INSERT INTO contact_terms (term, contact_id)"

func appendTermRows(b []byte, list []term) []byte {
	for i, t := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHex(append(b, '('), t.text)
		b = strconv.AppendInt(append(b, ','), t.id, 10)
		b = append(b, ')')
	}
	return b
}

const termsPerStatement = 500

// appendContacts writes the upsert of contacts.
func (d dialect) appendContacts(b []byte, plans []contactPlan, now time.Time) []byte {
	b = append(b, insertContacts+" VALUES "...)
	key := func(m move) {
		k := m.new
		if k.IsZero() {
			k = m.old // a removed address is remembered, switched off
		}
		if k.IsZero() {
			b = append(b, ",NULL,0"...)
			return
		}
		b = appendKey(append(b, ','), k)
		if m.new.IsZero() {
			b = append(b, ",0"...)
		} else {
			b = append(b, ",1"...)
		}
	}
	for i := range plans {
		p := &plans[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHex(append(b, '('), p.c.ExternalID)
		b = d.text(append(b, ','), p.c.Name)
		b = d.text(append(b, ','), p.c.Language)
		key(p.email)
		key(p.phone)
		b = strconv.AppendInt(append(b, ','), micros(now), 10)
		b = strconv.AppendInt(append(b, ','), micros(now), 10)
		b = append(b, ')')
	}
	return append(b, d.upsertContacts()...)
}

const insertContacts = "INSERT INTO contacts (external_id, name, language, email_key, email_on, phone_key, phone_on, created_at, updated_at)"

func (d dialect) upsertContacts() string {
	return d.upsert("external_id", "name", "language", "email_key", "email_on", "phone_key", "phone_on", "updated_at")
}

// putMerged saves one contact by the rules of PutContact.
func (db *DB) putMerged(ctx context.Context, c Contact, o PutOptions) (out ContactResult, err error) {
	err = db.inTx(ctx, "save a contact", func(tx *sqlx.Tx) error {
		var was contactRow
		err := tx.GetContext(ctx, &was, selectContacts+"WHERE c.external_id = ?", []byte(c.ExternalID))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err //nolint:wrapcheck // inTx wraps
		}
		p := plan(0, c, nil)
		if err == nil {
			p = plan(0, c, &was)
		}
		if !p.created && !p.changed {
			out = p.result(nil)
			return nil
		}
		if _, _, err := db.putContact(ctx, tx, p.c, o); err != nil {
			return err
		}
		states, err := db.lockedStates(ctx, tx, p.left())
		out = p.result(func(k recipient.Key) bool { return states[k].OptedOut() })
		return err
	})
	var shared *SharedError
	if errors.As(err, &shared) {
		return ContactResult{Err: shared}, nil
	}
	return out, err
}
