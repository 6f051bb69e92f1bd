package store

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// contactPlan is what saving a contact comes to.
type contactPlan struct {
	i       int
	c       Contact // with what it leaves empty filled in
	was     *contactRow
	created bool
	changed bool
	erased  bool // an address that the contact has, and brings again, was erased
	email   move // as putContact sees them
	phone   move
	err     error
}

// plan compares a contact with what is there.
func plan(i int, c Contact, was *contactRow) contactPlan {
	p := contactPlan{i: i, c: c, was: was, created: was == nil}
	if was == nil {
		was = &contactRow{}
	}
	old := was.contact()
	p.c = merged(c, old)
	oldEmail, oldPhone := was.keys()
	p.email = move{channel: recipient.Email, old: oldEmail, new: p.c.EmailKey, had: was.EmailOn, column: "email_key"}
	p.phone = move{channel: recipient.SMS, old: oldPhone, new: p.c.PhoneKey, had: was.PhoneOn, column: "phone_key"}
	p.changed = !p.created && (old.Name != p.c.Name || old.Language != p.c.Language || old.EmailKey != p.c.EmailKey || old.PhoneKey != p.c.PhoneKey)
	unread := func(old, c recipient.Address) bool { return old.IsZero() && !c.IsZero() }
	p.erased = p.email.keeps() && unread(old.Email, p.c.Email) || p.phone.keeps() && unread(old.Phone, p.c.Phone)
	return p
}

// merged fills in what a contact leaves empty.
func merged(c, old Contact) Contact {
	if c.Name == "" {
		c.Name = old.Name
	}
	if c.Language == "" {
		c.Language = old.Language
	}
	if c.EmailKey.IsZero() {
		c.Email, c.EmailKey = old.Email, old.EmailKey
	}
	if c.PhoneKey.IsZero() {
		c.Phone, c.PhoneKey = old.Phone, old.PhoneKey
	}
	return c
}

// comes returns the addresses that the contact does not have yet; left, those from
// which something might have to be carried over.
func (p *contactPlan) comes() (moves []*move) {
	for _, m := range []*move{&p.email, &p.phone} {
		if !m.new.IsZero() && !m.keeps() {
			moves = append(moves, m)
		}
	}
	return moves
}

func (p *contactPlan) left() (keys []recipient.Key) {
	for _, m := range p.comes() {
		if !m.old.IsZero() && m.new != m.old {
			keys = append(keys, m.old)
		}
	}
	return keys
}

func (p *contactPlan) result(optedOut func(recipient.Key) bool) ContactResult {
	if p.err != nil {
		return ContactResult{Err: p.err}
	}
	return ContactResult{Created: p.created, Changed: p.changed, Carried: slices.ContainsFunc(p.left(), optedOut)}
}

// planContacts plans some contacts of a list. With AcceptShared nobody asks
// who else has an address. Lock is the end of a statement that locks contacts,
// or empty.
func planContacts(ctx context.Context, q sqlx.QueryerContext, list []Contact, which []int, o PutOptions, lock string) ([]contactPlan, error) {
	ids := make([]string, len(which))
	for n, i := range which {
		ids[n] = list[i].ExternalID
	}
	known, err := contactsByIDs(ctx, q, ids, lock)
	if err != nil {
		return nil, err
	}
	plans := make([]contactPlan, len(which))
	for n, i := range which {
		plans[n] = plan(i, list[i], known[list[i].ExternalID])
	}
	return plans, refuseShared(ctx, q, plans, o, func(recipient.Key) bool { return true })
}

// refuseShared marks the contacts whose new address others have. Only addresses
// that may be somebody's are asked for.
func refuseShared(ctx context.Context, q sqlx.QueryerContext, plans []contactPlan, o PutOptions, may func(recipient.Key) bool) error {
	if o.AcceptShared {
		return nil
	}
	for _, ch := range []recipient.Channel{recipient.Email, recipient.SMS} {
		var keys []recipient.Key
		for i := range plans {
			for _, m := range plans[i].comes() {
				if m.channel == ch && may(m.new) {
					keys = append(keys, m.new)
				}
			}
		}
		owners, err := ownersOf(ctx, q, ch, keys)
		if err != nil {
			return err
		}
		for i := range plans {
			p := &plans[i]
			for _, m := range p.comes() {
				n := 0
				for _, id := range owners[m.new] {
					if m.channel == ch && id != p.c.ExternalID {
						n++
					}
				}
				if n > 0 && p.err == nil {
					p.err = &SharedError{Channel: ch, Contacts: n}
				}
			}
		}
	}
	return nil
}

func selectOwners(ch recipient.Channel, keys []recipient.Key) string {
	column := "email"
	if ch == recipient.SMS {
		column = "phone"
	}
	b := keyList([]byte("SELECT "+column+"_key AS k, external_id FROM contacts WHERE "+column+"_on = 1 AND "+column+"_key IN ("), keys)
	return string(append(b, ')'))
}

// ownersOf returns the external ids of the contacts that have an address.
func ownersOf(ctx context.Context, q sqlx.QueryerContext, ch recipient.Channel, keys []recipient.Key) (map[recipient.Key][]string, error) {
	out := map[recipient.Key][]string{}
	for some := range slices.Chunk(keys, statesChunk) {
		var rows []struct {
			Key []byte `db:"k"`
			ID  []byte `db:"external_id"`
		}
		if err := sqlx.SelectContext(ctx, q, &rows, selectOwners(ch, some)); err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		for _, r := range rows {
			k := recipient.Key(r.Key)
			out[k] = append(out[k], string(r.ID))
		}
	}
	return out, nil
}

func appendIDs(b []byte, ids []string) []byte {
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHex(b, id)
	}
	return append(b, ')')
}

func selectByIDs(ids []string) string {
	return string(appendIDs([]byte(selectContacts+"WHERE c.external_id IN ("), ids))
}

// contactsByIDs reads contacts by their external ids. Most of a list is new, so
// it is asked first which are there at all; those are locked.
func contactsByIDs(ctx context.Context, q sqlx.QueryerContext, ids []string, lock string) (map[string]*contactRow, error) {
	out := map[string]*contactRow{}
	for some := range slices.Chunk(ids, statesChunk) {
		var there [][]byte
		if err := sqlx.SelectContext(ctx, q, &there, selectThere(some)+lock); err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		if len(there) == 0 {
			continue
		}
		known := make([]string, len(there))
		for i, id := range there {
			known[i] = string(id)
		}
		var rows []contactRow
		if err := sqlx.SelectContext(ctx, q, &rows, selectByIDs(known)); err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		for i := range rows {
			out[string(rows[i].ExternalID)] = &rows[i]
		}
	}
	return out, nil
}

// lockContacts is the end of selectThere that locks contacts, in the order of
// their ids.
func (d dialect) lockContacts() string {
	if d.forUpdate == "" {
		return ""
	}
	return " ORDER BY external_id" + d.forUpdate
}

func selectThere(ids []string) string {
	return string(appendIDs([]byte("SELECT external_id FROM contacts WHERE external_id IN ("), ids))
}
