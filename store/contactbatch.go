package store

import (
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
// changes an address, brings one that was erased, or repeats an id or an address
// of the same list, is saved alone, by the rules of PutContact. Nothing is
// written to the audit log: that is for whoever brings the list.
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
			if classify(errs[n]) == duplicate { // others make the same contacts, again and again
				more[n], found, errs[n] = part, nil, nil
			}
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
	plans, err := planContacts(ctx, db.read, list, append(together, alone...), o, "")
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
// returns the others. Contacts that are there are locked; one that somebody else
// makes meanwhile is a duplicate, and the whole is planned again.
func (db *DB) putTogether(ctx context.Context, tx *sqlx.Tx, list []Contact, which []int, o PutOptions, out map[int]ContactResult) (alone []int, err error) {
	o2 := o
	o2.AcceptShared = true // asked below, when the addresses are locked
	plans, err := planContacts(ctx, tx, list, which, o2, db.d.lockContacts())
	if err != nil {
		return nil, err
	}
	var todo []contactPlan
	for i := range plans {
		p := &plans[i]
		switch {
		case len(p.left()) > 0, p.erased:
			alone = append(alone, p.i)
		case p.created || p.changed:
			todo = append(todo, *p)
		default:
			out[p.i] = p.result(nil)
		}
	}
	there, err := db.introduce(ctx, tx, coming(todo))
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		if err := refuseShared(ctx, tx, todo, o, func(k recipient.Key) bool { _, ok := there[k]; return ok }); err != nil {
			return nil, err
		}
	}
	save := todo[:0]
	for i := range todo {
		p := &todo[i]
		switch {
		case p.err != nil:
			out[p.i] = p.result(nil)
		case slices.ContainsFunc(p.comes(), func(m *move) bool { return there[m.new] }): // of somebody who was erased
			alone = append(alone, p.i)
		default:
			out[p.i] = p.result(func(recipient.Key) bool { return false })
			save = append(save, *p)
		}
	}
	return alone, db.saveContacts(ctx, tx, save, recipient.Micro(db.now()))
}

// saveContacts writes contacts and their terms. New ones are inserted and never
// joined with one that somebody else made meanwhile: that one may have an address
// with an opt-out that has to be carried over.
func (db *DB) saveContacts(ctx context.Context, tx *sqlx.Tx, plans []contactPlan, now time.Time) error {
	slices.SortStableFunc(plans, func(a, b contactPlan) int {
		if a.created == b.created {
			return 0
		}
		if a.created {
			return -1
		}
		return 1
	})
	n := 0
	for n < len(plans) && plans[n].created {
		n++
	}
	ids, err := db.insertContacts(ctx, tx, plans[:n], now)
	if err != nil {
		return err
	}
	if err := db.writeContacts(ctx, tx, plans[n:], now, db.d.upsertContacts(), nil); err != nil {
		return err
	}
	list := make([]term, 0, 5*len(plans))
	var old []int64
	for i := range plans {
		p := &plans[i]
		if i < n {
			list = appendTerms(list, ids[p.c.ExternalID], p.c)
			continue
		}
		old = append(old, p.was.ID)
		list = appendTerms(list, p.was.ID, p.c)
	}
	return db.replaceTerms(ctx, tx, old, list)
}

// writeContacts inserts contacts, or raises those that are there by the end of an
// upsert. Each is called with the contacts of every statement and the id of the
// first, where the database says it.
func (db *DB) writeContacts(ctx context.Context, tx *sqlx.Tx, plans []contactPlan, now time.Time, end string, each func(some []contactPlan, first int64) error) error {
	if db.bulk(len(plans)) {
		return db.d.bulkContacts(ctx, tx, plans, now, end)
	}
	var b []byte
	for some := range slices.Chunk(plans, contactsPerStatement) {
		b = append(db.d.appendContacts(b[:0], some, now), end...)
		done, err := tx.ExecContext(ctx, string(b))
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if each == nil || !db.d.mysql {
			continue
		}
		first, err := done.LastInsertId()
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := each(some, first); err != nil {
			return err
		}
	}
	return nil
}

const contactsPerStatement = 500

type savedContact struct {
	ID         int64  `db:"id"`
	ExternalID []byte `db:"external_id"`
}

// insertContacts inserts new contacts and returns their ids by their external
// ids. The ids of one statement follow one another, but for what others insert;
// what is not found so is asked for by name.
func (db *DB) insertContacts(ctx context.Context, tx *sqlx.Tx, plans []contactPlan, now time.Time) (map[string]int64, error) {
	ids := make(map[string]int64, len(plans))
	read := func(query string) error {
		var rows []savedContact
		if err := tx.SelectContext(ctx, &rows, query); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		for _, r := range rows {
			ids[string(r.ExternalID)] = r.ID
		}
		return nil
	}
	var last int64
	if !db.d.mysql {
		if err := tx.GetContext(ctx, &last, lastContact); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
	}
	if err := db.writeContacts(ctx, tx, plans, now, "", func(some []contactPlan, first int64) error {
		return read(newContacts(first-1) + " LIMIT " + strconv.Itoa(len(some)))
	}); err != nil {
		return nil, err
	}
	if !db.d.mysql && len(plans) > 0 { // ids only grow, and nobody else writes meanwhile
		if err := read(newContacts(last)); err != nil {
			return nil, err
		}
	}
	var missing []string
	for i := range plans {
		if _, ok := ids[plans[i].c.ExternalID]; !ok {
			missing = append(missing, plans[i].c.ExternalID)
		}
	}
	for some := range slices.Chunk(missing, statesChunk) {
		if err := read(string(appendIDs([]byte("SELECT id, external_id FROM contacts WHERE external_id IN ("), some))); err != nil {
			return nil, err
		}
	}
	for _, name := range missing {
		if _, ok := ids[name]; !ok {
			return nil, errors.New("store: a contact is gone that was just saved")
		}
	}
	return ids, nil
}

const lastContact = "SELECT COALESCE(MAX(id), 0) FROM contacts"

func newContacts(after int64) string {
	return "SELECT id, external_id FROM contacts WHERE id > " + strconv.FormatInt(after, 10) + " ORDER BY id"
}

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

// appendContacts writes the INSERT of contacts, without an end.
func (d dialect) appendContacts(b []byte, plans []contactPlan, now time.Time) []byte {
	b = append(b, contactsHead+" VALUES "...)
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
	return b
}

const contactsHead = "INSERT INTO contacts (external_id, name, language, email_key, email_on, phone_key, phone_on, created_at, updated_at)"

func (d dialect) upsertContacts() string {
	return d.upsert("external_id", "name", "language", "email_key", "email_on", "phone_key", "phone_on", "updated_at")
}

// putMerged saves one contact by the rules of PutContact.
func (db *DB) putMerged(ctx context.Context, c Contact, o PutOptions) (out ContactResult, err error) {
	for range maxTries {
		out, err = db.tryMerged(ctx, c, o)
		if !errors.Is(err, ErrExists) { // somebody else made it meanwhile: what the list leaves empty is theirs
			break
		}
	}
	var shared *SharedError
	if errors.As(err, &shared) {
		return ContactResult{Err: shared}, nil
	}
	return out, err
}

func (db *DB) tryMerged(ctx context.Context, c Contact, o PutOptions) (out ContactResult, err error) {
	err = db.inTx(ctx, "save a contact", func(tx *sqlx.Tx) error {
		if err := db.shareFeed(ctx, tx); err != nil {
			return err
		}
		if err := db.lockContact(ctx, tx, c.ExternalID); err != nil {
			return err
		}
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
		o := o
		o.OnlyNew = p.created
		if _, _, err := db.putContact(ctx, tx, p.c, o); err != nil {
			return err
		}
		states, err := db.lockedStates(ctx, tx, p.left())
		out = p.result(func(k recipient.Key) bool { return states[k].OptedOut() })
		return err
	})
	return out, err
}
