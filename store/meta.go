package store

import (
	"context"
	"database/sql"
	"errors"
)

// Meta returns a value that SetMeta kept, and whether there is one.
func (db *DB) Meta(ctx context.Context, name string) (string, bool, error) {
	if err := db.ready(ctx); err != nil {
		return "", false, err
	}
	return db.meta(ctx, name)
}

func (db *DB) meta(ctx context.Context, name string) (string, bool, error) {
	var v string
	err := db.read.GetContext(ctx, &v, "SELECT value FROM meta WHERE name = ?", name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return v, err == nil, wrap("read meta", err)
}

// SetMeta keeps a small value under a name of at most 191 bytes.
func (db *DB) SetMeta(ctx context.Context, name, value string) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	_, err := db.write.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)"+db.d.upsert("name", "value"), name, value)
	return wrap("write meta", err)
}
