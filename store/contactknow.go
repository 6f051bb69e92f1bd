package store

import (
	"bytes"
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// coming lists the addresses that contacts do not have yet, in the order of their keys.
func coming(plans []contactPlan) []stateRow {
	rows := make([]stateRow, 0, len(plans))
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
	return rows
}

// introduce makes addresses known and locks them. It returns those that were
// known before, and whether their people were erased: of the others nobody can
// have been, and nobody else can have them, because the address of a contact is
// always known. It tries first whether all are new.
func (db *DB) introduce(ctx context.Context, tx *sqlx.Tx, rows []stateRow) (there map[recipient.Key]bool, err error) {
	there = map[recipient.Key]bool{}
	for some := range slices.Chunk(rows, statesChunk) {
		if len(there) == 0 {
			err := db.insertAddresses(ctx, tx, some)
			if err == nil {
				continue
			}
			if classify(err) != duplicate {
				return nil, err
			}
		}
		if err := db.introduceSome(ctx, tx, some, there); err != nil {
			return nil, err
		}
	}
	return there, nil
}

// introduceSome looks which addresses are known, and inserts the others.
func (db *DB) introduceSome(ctx context.Context, tx *sqlx.Tx, rows []stateRow, there map[recipient.Key]bool) error {
	keys := make([]recipient.Key, len(rows))
	for i := range rows {
		keys[i] = rows[i].key
	}
	var known []struct {
		Key    []byte `db:"recipient_key"`
		Erased bool   `db:"erased"`
		Bare   bool   `db:"bare"`
	}
	if err := tx.SelectContext(ctx, &known, db.d.selectKnownAddresses(keys)); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	bare := map[recipient.Key]bool{}
	for _, k := range known {
		key := recipient.Key(k.Key)
		there[key] = k.Erased
		if k.Bare && !k.Erased {
			bare[key] = true
		}
	}
	var fresh, named []stateRow
	for _, r := range rows {
		if _, ok := there[r.key]; !ok {
			fresh = append(fresh, r)
		} else if bare[r.key] {
			named = append(named, r)
		}
	}
	if err := db.insertAddresses(ctx, tx, fresh); err != nil {
		return err
	}
	return db.joinStates(ctx, tx, named)
}

func (d dialect) selectKnownAddresses(keys []recipient.Key) string {
	b := []byte("SELECT recipient_key, erased_at > 0 AS erased, address IS NULL AS bare FROM recipients")
	if d.mysql {
		b = append(b, " FORCE INDEX (PRIMARY)"...) // or it may lock all of a small table
	}
	b = keyList(append(b, " WHERE recipient_key IN ("...), keys)
	return string(append(append(b, ')'), d.forUpdate...))
}

const addressesHead = "INSERT INTO recipients (recipient_key, channel, address)"

// insertAddresses inserts addresses that nobody knows yet.
func (db *DB) insertAddresses(ctx context.Context, tx *sqlx.Tx, rows []stateRow) error {
	if len(rows) == 0 {
		return nil
	}
	if db.bulk(len(rows)) {
		return bulkAddresses(ctx, tx, rows)
	}
	b := append(make([]byte, 0, 128*len(rows)), addressesHead+" VALUES "...)
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendKey(append(b, '('), rows[i].key)
		b = db.d.text(append(b, ','), string(rows[i].channel))
		b = append(db.d.optional(b, rows[i].address.Value()), ')')
	}
	_, err := tx.ExecContext(ctx, string(b))
	return err //nolint:wrapcheck // inTx wraps
}
