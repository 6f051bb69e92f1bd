package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Erase deletes what is readable about a person and keeps the suppression: the
// address, the provider's words and ids, and the evidence, of which a consent
// keeps its basis and date. Contacts lose the address; requests held for the
// person are deleted. Afterwards no webhook brings the address back; only
// saving a contact with recorded consent does. An unknown key is ErrNotFound.
func (db *DB) Erase(ctx context.Context, key recipient.Key, actor string) error {
	return db.inTx(ctx, "erase a recipient", func(tx *sqlx.Tx) error {
		locked, err := db.lockedRecipients(ctx, tx, []recipient.Key{key})
		if err != nil {
			return err
		}
		_, found := locked[key]
		now := recipient.Micro(db.now())
		if found {
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
		if !found && n == 0 {
			return ErrNotFound
		}
		return db.audit(ctx, tx, AuditEntry{At: now, Actor: actor, Action: "erase", Key: key})
	})
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
		left := recipient.Evidence{OptedOutBefore: was.OptedOutBefore} // an undo asks for it, and it names nobody
		if c := was.Consent; c != nil {
			left.Consent = &recipient.Consent{Source: c.Source, Wording: c.Wording, At: c.At}
		}
		if left.IsZero() {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE events SET evidence = ? WHERE id = ?", evidenceText(left), p.ID); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
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
