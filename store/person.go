package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/recipient"
)

// Person is who stands behind a link.
type Person struct {
	Recipient // without an address and with the zero state where nothing is known
	// Others are the person's addresses on other channels. Contacts that share an
	// address may be several people, and a link does not tell who pressed: only what
	// they all have in common is this person's.
	Others []Recipient
}

// selectPerson begins a statement that finds addresses of a channel and the other
// addresses of their contacts. Saving a contact makes its addresses known, so
// there is a row of recipients wherever there is a contact.
func selectPerson(mine, other string) string {
	theirs := make([]string, len(stateColumns))
	for i, c := range stateColumns {
		theirs[i] = "COALESCE(o." + c + ", 0)"
	}
	return "SELECT r.recipient_key, r.channel, r.address, r.erased_at, r." + strings.Join(stateColumns[:], ", r.") +
		", o.recipient_key, COALESCE(o.channel, ''), o.address, COALESCE(o.erased_at, 0), " + strings.Join(theirs, ", ") + " FROM recipients r" +
		" LEFT JOIN contacts c ON c." + mine + "_key = r.recipient_key AND c." + mine + "_on = 1" +
		" LEFT JOIN recipients o ON o.recipient_key = c." + other + "_key AND c." + other + "_on = 1" +
		" WHERE r.recipient_key "
}

var selectPersons = map[recipient.Channel]string{recipient.Email: selectPerson("email", "phone"), recipient.SMS: selectPerson("phone", "email")}

// onePerson completes selectPersons. It is no placeholder: SQLite plans anew
// for each limit that it is given.
var onePerson = "= ? LIMIT " + strconv.Itoa(maxSharing)

func somePersons(c recipient.Channel, keys []recipient.Key) string {
	b := keyList(append([]byte(selectPersons[c]), "IN ("...), keys)
	return string(append(b, ") LIMIT "+strconv.Itoa(maxSharing)...))
}

// Person returns who has an address. One of whom nothing is known is no error.
func (db *DB) Person(ctx context.Context, c recipient.Channel, key recipient.Key) (Person, error) {
	if err := db.ready(ctx); err != nil {
		return Person{}, err
	}
	if !c.Valid() {
		return Person{}, fmt.Errorf("%w channel", ErrInvalid)
	}
	p, err := db.looks.person(ctx, c, key)
	return p, wrap("read a person", err)
}

// person asks for one person alone.
func (db *DB) person(ctx context.Context, c recipient.Channel, key recipient.Key) (Person, error) {
	rows, err := db.kept.query(ctx, selectPersons[c]+onePerson, key[:])
	if err != nil {
		return Person{}, err
	}
	found := map[recipient.Key]*Person{}
	n, err := readPersons(rows, found)
	p := found[key]
	switch {
	case err != nil:
		return Person{}, err
	case p == nil:
		return Person{Recipient: Recipient{Key: key}}, nil
	case n == maxSharing:
		p.Others = nil // so many contacts are no person
	}
	return *p, nil
}

// readPersons reads rows and says how many there were.
func readPersons(rows *sql.Rows, into map[recipient.Key]*Person) (n int, err error) {
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for ; rows.Next(); n++ {
		var own, other recipientRow // other has no key where the contact has none
		if err := rows.Scan(append(own.fields(), other.fields()...)...); err != nil {
			return n, err //nolint:wrapcheck // the caller wraps
		}
		p := into[recipient.Key(own.Key)]
		switch {
		case p == nil:
			p = &Person{Recipient: own.recipient()}
			into[p.Key] = p
			if len(other.Key) > 0 && other.Address.Valid {
				p.Others = []Recipient{other.recipient()}
			}
		case len(p.Others) > 0 && !bytes.Equal(other.Key, p.Others[0].Key[:]):
			p.Others = nil
		}
	}
	return n, rows.Err() //nolint:wrapcheck // the caller wraps
}
