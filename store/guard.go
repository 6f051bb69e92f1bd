package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/strikeout/strikeout/recipient"
)

// metaKeyCheck names the check value of the address key in meta.
const metaKeyCheck = "address_key_check"

// ready asks, until it has an answer, whether the tables are those of this
// program and the address key is that of this database. Every method calls it:
// the server may have been away when we started.
func (db *DB) ready(ctx context.Context) error {
	if db.checked.Load() {
		return nil
	}
	select {
	case db.checking <- struct{}{}:
		defer func() { <-db.checking }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	if db.checked.Load() {
		return nil
	}
	if db.d.mysql {
		var v string
		if err := db.read.GetContext(ctx, &v, "SELECT VERSION()"); err != nil {
			return wrap("ask for the version", err)
		}
		db.version.Store(v)
	}
	n, err := db.pending(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		return ErrNotMigrated
	}
	if err := db.checkKey(ctx); err != nil {
		return err
	}
	db.checked.Store(true)
	return nil
}

// checkKey compares the address key with the database's check value, and
// leaves that value in a database that holds nobody yet.
func (db *DB) checkKey(ctx context.Context) error {
	if db.keyer == nil {
		return nil
	}
	have, ok, err := db.meta(ctx, metaKeyCheck)
	if err != nil {
		return err
	}
	if !ok {
		empty, err := db.empty(ctx)
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("%w: its check value is missing", ErrWrongAddressKey)
		}
		// Somebody else may be first, with another key: what stands there counts.
		insert := "INSERT INTO meta (name, value) VALUES (?, ?)" + db.d.conflict("name") + "name = meta.name"
		if _, err := db.write.ExecContext(ctx, insert, metaKeyCheck, hex.EncodeToString(db.keyer.Check())); err != nil {
			return wrap("keep the check of the address key", err)
		}
		if have, _, err = db.meta(ctx, metaKeyCheck); err != nil {
			return err
		}
	}
	want, err := hex.DecodeString(have)
	if err != nil || !recipient.SameCheck(want, db.keyer.Check()) {
		return ErrWrongAddressKey
	}
	return nil
}

// Empty reports whether the database knows nobody and no address key: only
// then may a new key be made for it. A database without tables is empty.
func (db *DB) Empty(ctx context.Context) (bool, error) {
	_, ok, err := db.meta(ctx, metaKeyCheck)
	if errors.Is(err, ErrNotMigrated) {
		return true, nil
	}
	if err != nil || ok {
		return false, err
	}
	return db.empty(ctx)
}

func (db *DB) empty(ctx context.Context) (bool, error) {
	var n int
	err := db.read.GetContext(ctx, &n, "SELECT EXISTS (SELECT 1 FROM recipients) + EXISTS (SELECT 1 FROM events) + EXISTS (SELECT 1 FROM contacts)")
	return n == 0, wrap("look for rows", err)
}
