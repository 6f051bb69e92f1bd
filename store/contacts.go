package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/strikeout/strikeout/recipient"
)

// Contacts keep the keys of their addresses; the readable address stands in
// recipients alone, so that an erasure finds it in one place. For the search
// each contact has its terms in contact_terms: one index serves names, later
// words of names, external ids and addresses, and webhooks do not pay for it.

// Limits of a contact's texts in bytes.
const (
	maxExternalIDBytes = 191
	maxNameBytes       = 255
	maxLanguageBytes   = 35
	maxTermBytes       = 255
	maxNameTerms       = 8
)

type contactRow struct {
	ID         int64          `db:"id"`
	ExternalID []byte         `db:"external_id"`
	Name       string         `db:"name"`
	Language   string         `db:"language"`
	EmailKey   []byte         `db:"email_key"`
	EmailOn    bool           `db:"email_on"`
	PhoneKey   []byte         `db:"phone_key"`
	PhoneOn    bool           `db:"phone_on"`
	CreatedAt  int64          `db:"created_at"`
	UpdatedAt  int64          `db:"updated_at"`
	Email      sql.NullString `db:"email"`
	Phone      sql.NullString `db:"phone"`
}

// keys returns the keys that the contact had last on each channel, and whether
// it has them now. A removed address is remembered: when another takes its
// place, its opt-out goes along.
func (r *contactRow) keys() (email, phone recipient.Key) {
	if len(r.EmailKey) == len(email) {
		email = recipient.Key(r.EmailKey)
	}
	if len(r.PhoneKey) == len(phone) {
		phone = recipient.Key(r.PhoneKey)
	}
	return email, phone
}

func (r *contactRow) contact() Contact {
	c := Contact{ID: r.ID, ExternalID: string(r.ExternalID), Name: r.Name, Language: r.Language, CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt)}
	email, phone := r.keys()
	if r.EmailOn {
		c.EmailKey, c.Email = email, recipient.Stored(recipient.Email, r.Email.String)
	}
	if r.PhoneOn {
		c.PhoneKey, c.Phone = phone, recipient.Stored(recipient.SMS, r.Phone.String)
	}
	return c
}

const selectContacts = "SELECT c.id, c.external_id, c.name, c.language, c.email_key, c.email_on, c.phone_key, c.phone_on, c.created_at, c.updated_at, " +
	"e.address AS email, p.address AS phone FROM contacts c LEFT JOIN recipients e ON e.recipient_key = c.email_key LEFT JOIN recipients p ON p.recipient_key = c.phone_key "

// Contact returns the contact that another system knows by externalID, or
// ErrNotFound.
func (db *DB) Contact(ctx context.Context, externalID string) (Contact, error) {
	if err := db.ready(ctx); err != nil {
		return Contact{}, err
	}
	var r contactRow
	if err := db.read.GetContext(ctx, &r, selectContacts+"WHERE c.external_id = ?", []byte(externalID)); err != nil {
		return Contact{}, wrap("read a contact", err)
	}
	return r.contact(), nil
}

const (
	contactsByEmail = selectContacts + "WHERE c.email_key = ? AND c.email_on = 1 AND c.id > ? ORDER BY c.id LIMIT ?"
	contactsByPhone = selectContacts + "WHERE c.phone_key = ? AND c.phone_on = 1 AND c.id > ? ORDER BY c.id LIMIT ?"
	contactsByID    = selectContacts + "WHERE c.id > ? ORDER BY c.id LIMIT ?"
	// termsFrom is the page of terms after (term, contact) below an upper bound.
	termsFrom = "SELECT term, contact_id FROM contact_terms WHERE term >= ? AND term < ? AND (term > ? OR contact_id > ?) ORDER BY term, contact_id LIMIT ?"
)

// firstTerms finds the first term of each contact in a range.
const firstTerms = "SELECT contact_id, MIN(term) AS term FROM contact_terms WHERE contact_id IN (?) AND term >= ? AND term < ? GROUP BY contact_id"

const maxSharing = 1000 // contacts of one address that anybody wants to see

// ContactsOf returns the contacts that have an address.
func (db *DB) ContactsOf(ctx context.Context, key recipient.Key) ([]Contact, error) {
	rows, err := db.contactsOf(ctx, key, 0, maxSharing)
	return contactsOf(rows), err
}

func contactsOf(rows []contactRow) []Contact {
	out := make([]Contact, len(rows))
	for i := range rows {
		out[i] = rows[i].contact()
	}
	return out
}

// contactsOf asks both channels: a key belongs to one, and which is not told.
func (db *DB) contactsOf(ctx context.Context, key recipient.Key, after int64, limit int) ([]contactRow, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var out []contactRow
	for _, q := range []string{contactsByEmail, contactsByPhone} {
		var rows []contactRow
		if err := db.read.SelectContext(ctx, &rows, q, key[:], after, limit); err != nil {
			return nil, wrap("read the contacts of an address", err)
		}
		out = append(out, rows...)
	}
	return out, nil
}

const (
	defaultContacts = 50
	maxContacts     = 1000
)

// Contacts searches, and returns the cursor of the next page; empty at the end.
func (db *DB) Contacts(ctx context.Context, q ContactQuery) ([]Contact, string, error) {
	if err := db.ready(ctx); err != nil {
		return nil, "", err
	}
	if q.Limit <= 0 {
		q.Limit = defaultContacts
	}
	q.Limit = min(q.Limit, maxContacts)
	after, term, err := parseCursor(q.After)
	if err != nil {
		return nil, "", err
	}
	if q.Flag != "" {
		if !q.Flag.Valid() {
			return nil, "", fmt.Errorf("%w flag", ErrInvalid)
		}
		return db.flaggedContacts(ctx, q)
	}
	prefix := foldTerm(q.Q)
	if q.Key.IsZero() && prefix != "" {
		return db.searchContacts(ctx, prefix, term, after, q)
	}
	var rows []contactRow
	if q.Key.IsZero() {
		err = wrap("list contacts", db.read.SelectContext(ctx, &rows, contactsByID, after, q.Limit+1))
	} else {
		rows, err = db.contactsOf(ctx, q.Key, after, q.Limit+1)
	}
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		next = cursor(rows[q.Limit-1].ID, "")
	}
	return contactsOf(rows), next, nil
}

// searchContacts walks along the terms. A contact with several fitting terms is
// shown at the first of them only. Where addresses are hidden, a long stretch of
// terms may be addresses alone: it looks at 2000 terms at most, and the cursor
// then goes on behind them, even if nothing was found.
func (db *DB) searchContacts(ctx context.Context, prefix, term string, after int64, q ContactQuery) ([]Contact, string, error) {
	limit := q.Limit
	end := prefix[:len(prefix)-1] + string([]byte{prefix[len(prefix)-1] + 1}) // UTF-8 has no byte 0xff
	if term < prefix {
		term, after = prefix, 0
	}
	scan, pages := limit, math.MaxInt
	if q.HideAddresses {
		scan, pages = scanPage, scanPages
	}
	var out []Contact
	for range pages {
		var page []struct {
			Term    []byte `db:"term"`
			Contact int64  `db:"contact_id"`
		}
		if err := db.read.SelectContext(ctx, &page, termsFrom, []byte(term), []byte(end), []byte(term), after, scan+1); err != nil {
			return nil, "", wrap("search contacts", err)
		}
		more := len(page) > scan
		page = page[:min(len(page), scan)]
		if len(page) == 0 {
			return out, "", nil
		}
		ids := make([]int64, len(page))
		for i, p := range page {
			ids[i] = p.Contact
		}
		contacts, firsts, err := db.contactsAt(ctx, ids, prefix, end)
		if err != nil {
			return nil, "", err
		}
		for i, p := range page {
			term, after = string(p.Term), p.Contact
			if r, ok := contacts[p.Contact]; ok {
				c := r.contact()
				first := firsts[p.Contact]
				if q.HideAddresses {
					first = firstOpenTerm(c, prefix)
				}
				if first == term {
					out = append(out, c)
				}
			}
			if len(out) == limit && (more || i < len(page)-1) {
				return out, cursor(after, term), nil
			}
		}
		if !more {
			return out, "", nil
		}
	}
	return out, cursor(after, term), nil
}

// contactsAt returns contacts by id, and the first of their terms in a range.
func (db *DB) contactsAt(ctx context.Context, ids []int64, from, to string) (map[int64]*contactRow, map[int64]string, error) {
	query, args, err := sqlx.In(selectContacts+"WHERE c.id IN (?)", ids)
	if err != nil {
		return nil, nil, wrap("search contacts", err)
	}
	var rows []contactRow
	if err := db.read.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, nil, wrap("search contacts", err)
	}
	query, args, err = sqlx.In(firstTerms, ids, []byte(from), []byte(to))
	if err != nil {
		return nil, nil, wrap("search contacts", err)
	}
	var terms []struct {
		Contact int64  `db:"contact_id"`
		Term    []byte `db:"term"`
	}
	if err := db.read.SelectContext(ctx, &terms, query, args...); err != nil {
		return nil, nil, wrap("search contacts", err)
	}
	byID, firsts := map[int64]*contactRow{}, map[int64]string{}
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	for _, t := range terms {
		firsts[t.Contact] = string(t.Term)
	}
	return byID, firsts, nil
}

// firstOpenTerm is the first fitting term of a contact that shows no address of
// its own, as a name or an external id may; empty: there is none.
func firstOpenTerm(c Contact, prefix string) string {
	email, phone := foldTerm(c.Email.Value()), foldTerm(strings.TrimPrefix(c.Phone.Value(), "+"))
	shows := func(t, address string) bool { return address != "" && strings.Contains(t, address) }
	c.Email, c.Phone = recipient.Address{}, recipient.Address{}
	first := ""
	for _, t := range terms(c) {
		if strings.HasPrefix(t, prefix) && !shows(t, email) && !shows(t, phone) && (first == "" || t < first) {
			first = t
		}
	}
	return first
}

// cursor makes the opaque text that continues after a row.
func cursor(id int64, term string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(id)) //nolint:gosec // ids are positive
	return base64.RawURLEncoding.EncodeToString(append(b, term...))
}

func parseCursor(s string) (id int64, term string, err error) {
	if s == "" {
		return 0, "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 8 {
		return 0, "", fmt.Errorf("%w cursor: after", ErrInvalid)
	}
	return int64(binary.BigEndian.Uint64(b)), string(b[8:]), nil //nolint:gosec // a wrong number finds nothing
}

// foldTerm makes upper and lower case, and the ways to write one letter, equal.
func foldTerm(s string) string {
	if s = strings.Join(strings.Fields(s), " "); ascii(s) {
		s = strings.ToLower(s) // most are, and it is quick
	} else {
		s = cases.Fold().String(norm.NFKC.String(s))
	}
	for len(s) > maxTermBytes {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// terms lists what finds a contact: its name from each word on, its external id
// and its readable addresses.
func terms(c Contact) []string {
	var out []string
	seen := map[string]bool{"": true}
	add := func(s string) {
		if s = foldTerm(s); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	words := strings.Fields(c.Name)
	for i := range min(len(words), maxNameTerms) {
		add(strings.Join(words[i:], " "))
	}
	add(c.ExternalID)
	add(c.Email.Value())
	add(c.Phone.Value())
	return out
}

// putTerms replaces the terms of a contact.
func putTerms(ctx context.Context, tx *sqlx.Tx, id int64, c Contact) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM contact_terms WHERE contact_id = ?", id); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	for _, t := range terms(c) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO contact_terms (term, contact_id) VALUES (?, ?)", []byte(t), id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}
