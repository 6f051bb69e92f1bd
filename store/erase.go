package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Erase deletes what is readable about a person and keeps the suppression: the
// address, the provider's words and ids, and the evidence, of which a consent
// keeps its basis and date. Contacts lose the address; requests held for the
// person are deleted. Afterwards no webhook brings the address back; only
// saving a contact with recorded consent does. An unknown key is ErrNotFound.
func (db *DB) Erase(ctx context.Context, key recipient.Key, by By) error {
	return db.inTx(ctx, "erase a recipient", func(tx *sqlx.Tx) error {
		locked, err := db.lockedRecipients(ctx, tx, []recipient.Key{key})
		if err != nil {
			return err
		}
		_, known := locked[key]
		return db.erase(ctx, tx, key, known, by)
	})
}

// EraseContact erases the addresses of a contact and deletes the contact. A
// removed address that the contact still remembers is erased unless others have
// it now: it may be somebody else's. An unknown id is ErrNotFound.
func (db *DB) EraseContact(ctx context.Context, id int64, by By) error {
	return db.inTx(ctx, "erase a contact", func(tx *sqlx.Tx) error {
		var was contactRow
		if db.d.forUpdate != "" {
			var ids []int64
			if err := tx.SelectContext(ctx, &ids, "SELECT id FROM contacts WHERE id = ?"+db.d.forUpdate, id); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		if err := tx.GetContext(ctx, &was, selectContacts+"WHERE c.id = ?", id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		var keys []recipient.Key
		email, phone := was.keys()
		for _, a := range []struct {
			channel recipient.Channel
			key     recipient.Key
			on      bool
		}{{recipient.Email, email, was.EmailOn}, {recipient.SMS, phone, was.PhoneOn}} {
			others := 0
			if !a.on {
				if err := tx.GetContext(ctx, &others, sharing(a.channel), a.key[:]); err != nil {
					return err //nolint:wrapcheck // inTx wraps
				}
			}
			if !a.key.IsZero() && others == 0 {
				keys = append(keys, a.key)
			}
		}
		locked, err := db.lockedRecipients(ctx, tx, keys)
		if err != nil {
			return err
		}
		for _, k := range keys {
			_, known := locked[k]
			if err := db.erase(ctx, tx, k, known, by); err != nil {
				return err
			}
		}
		for _, statement := range []string{"DELETE FROM contact_terms WHERE contact_id = ?", "DELETE FROM contacts WHERE id = ?"} {
			if _, err := tx.ExecContext(ctx, statement, id); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		return db.audit(ctx, tx, by.entry("contact.erase", "contact "+strconv.FormatInt(id, 10), ""))
	})
}

// erase does it for one address, whose row the caller has locked.
func (db *DB) erase(ctx context.Context, tx *sqlx.Tx, key recipient.Key, known bool, by By) error {
	now := recipient.Micro(db.now())
	if known {
		if _, err := tx.ExecContext(ctx, "UPDATE recipients SET address = NULL, erased_at = ? WHERE recipient_key = ?", micros(now), key[:]); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := eraseEvents(ctx, tx, key); err != nil {
			return err
		}
	}
	n, err := unlinkContacts(ctx, tx, key)
	if err != nil {
		return err
	}
	for _, table := range []string{"quarantine", "requests"} {
		res, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE recipient_key = ?", key[:])
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		gone, err := res.RowsAffected()
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		n += int(gone)
	}
	if !known && n == 0 {
		return ErrNotFound
	}
	entry := by.entry("erase", "", "")
	entry.At, entry.Key = now, key
	return db.audit(ctx, tx, entry)
}

// eraseEvents keeps kind, times, source and fingerprint, so that the fold and
// the recognition of duplicates hold.
func eraseEvents(ctx context.Context, tx *sqlx.Tx, key recipient.Key) error {
	var proofs []struct {
		ID       int64  `db:"id"`
		Evidence string `db:"evidence"`
	}
	if err := tx.SelectContext(ctx, &proofs, "SELECT id, evidence FROM events WHERE recipient_key = ? AND evidence IS NOT NULL", key[:]); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	if _, err := tx.ExecContext(ctx, "UPDATE events SET event_id = NULL, message_id = NULL, detail = NULL, evidence = NULL WHERE recipient_key = ?", key[:]); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	for _, p := range proofs {
		var was recipient.Evidence
		if err := json.Unmarshal([]byte(p.Evidence), &was); err != nil {
			return fmt.Errorf("store: evidence of event %d: %w", p.ID, err)
		}
		left := leftOf(was)
		if left.IsZero() {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE events SET evidence = ? WHERE id = ?", evidenceText(left), p.ID); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

// leftOf is what an erasure leaves of evidence.
func leftOf(was recipient.Evidence) recipient.Evidence {
	left := recipient.Evidence{OptedOutBefore: was.OptedOutBefore} // an undo asks for it, and it names nobody
	if c := was.Consent; c != nil {
		left.Consent = &recipient.Consent{Source: c.Source, Wording: c.Wording, At: c.At}
	}
	return left
}

// unlinkContacts takes an address from its contacts, also where it was one of
// former times, and returns how many there were.
func unlinkContacts(ctx context.Context, tx *sqlx.Tx, key recipient.Key) (int, error) {
	n := 0
	for _, ch := range []string{"email", "phone"} {
		var rows []contactRow
		if err := tx.SelectContext(ctx, &rows, selectContacts+"WHERE c."+ch+"_key = ? ORDER BY c.id", key[:]); err != nil {
			return n, err //nolint:wrapcheck // inTx wraps
		}
		for i := range rows {
			c := rows[i].contact()
			if ch == "email" {
				c.Email, c.EmailKey = recipient.Address{}, recipient.Key{}
			} else {
				c.Phone, c.PhoneKey = recipient.Address{}, recipient.Key{}
			}
			if _, err := tx.ExecContext(ctx, "UPDATE contacts SET "+ch+"_key = NULL, "+ch+"_on = 0 WHERE id = ?", rows[i].ID); err != nil { //nolint:gosec // a word of ours
				return n, err //nolint:wrapcheck // inTx wraps
			}
			if err := putTerms(ctx, tx, rows[i].ID, c); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}
