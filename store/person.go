package store

import (
	"bytes"
	"context"
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

// selectPerson finds an address of a channel and the other addresses of its
// contacts. Saving a contact makes its addresses known, so there is a row of
// recipients wherever there is a contact.
func selectPerson(mine, other string) string {
	theirs := make([]string, len(stateColumns))
	for i, c := range stateColumns {
		theirs[i] = "COALESCE(o." + c + ", 0)"
	}
	return "SELECT r.recipient_key, r.channel, r.address, r.erased_at, r." + strings.Join(stateColumns[:], ", r.") +
		", o.recipient_key, COALESCE(o.channel, ''), o.address, COALESCE(o.erased_at, 0), " + strings.Join(theirs, ", ") + " FROM recipients r" +
		" LEFT JOIN contacts c ON c." + mine + "_key = r.recipient_key AND c." + mine + "_on = 1" +
		" LEFT JOIN recipients o ON o.recipient_key = c." + other + "_key AND c." + other + "_on = 1" +
		" WHERE r.recipient_key = ? LIMIT " + strconv.Itoa(maxSharing)
}

var personByEmail, personByPhone = selectPerson("email", "phone"), selectPerson("phone", "email")

// Person returns who has an address. One of whom nothing is known is no error.
func (db *DB) Person(ctx context.Context, c recipient.Channel, key recipient.Key) (Person, error) {
	if err := db.ready(ctx); err != nil {
		return Person{}, err
	}
	query := personByEmail
	if c == recipient.SMS {
		query = personByPhone
	}
	p, err := db.person(ctx, query, key)
	return p, wrap("read a person", err)
}

func (db *DB) person(ctx context.Context, query string, key recipient.Key) (Person, error) {
	p := Person{Recipient: Recipient{Key: key}}
	rows, err := db.kept.query(ctx, query, key[:])
	if err != nil {
		return p, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var own recipientRow
	for first := true; rows.Next(); first = false {
		var other recipientRow // without a key where the contact has none
		if err := rows.Scan(append(own.fields(), other.fields()...)...); err != nil {
			return p, err //nolint:wrapcheck // the caller wraps
		}
		switch {
		case first:
			p.Recipient = own.recipient()
			if len(other.Key) > 0 && other.Address.Valid {
				p.Others = []Recipient{other.recipient()}
			}
		case len(p.Others) > 0 && !bytes.Equal(other.Key, p.Others[0].Key[:]):
			p.Others = nil
		}
	}
	return p, rows.Err() //nolint:wrapcheck // the caller wraps
}
