package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// APIKeys returns all keys, revoked ones included, by name.
func (db *DB) APIKeys(ctx context.Context) ([]APIKey, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []struct {
		Name       string `db:"name"`
		Scopes     string `db:"scopes"`
		Hash       []byte `db:"hash"`
		CreatedAt  int64  `db:"created_at"`
		LastUsedAt int64  `db:"last_used_at"`
		RevokedAt  int64  `db:"revoked_at"`
	}
	if err := db.read.SelectContext(ctx, &rows, "SELECT name, scopes, hash, created_at, last_used_at, revoked_at FROM api_keys ORDER BY name"); err != nil {
		return nil, wrap("read the API keys", err)
	}
	out := make([]APIKey, len(rows))
	for i, r := range rows {
		out[i] = APIKey{Name: r.Name, Scopes: strings.Fields(r.Scopes), CreatedAt: fromMicros(r.CreatedAt), LastUsedAt: fromMicros(r.LastUsedAt), RevokedAt: fromMicros(r.RevokedAt)}
		copy(out[i].Hash[:], r.Hash)
	}
	return out, nil
}

// ErrKeyTaken says that another API key, perhaps a revoked one, has this name. It is an
// ErrInvalid too.
var ErrKeyTaken = fmt.Errorf("%w API key: the name is taken", ErrInvalid)

// AddAPIKey keeps a new key that was made on the command line; see MakeAPIKey.
func (db *DB) AddAPIKey(ctx context.Context, k APIKey) error {
	return db.MakeAPIKey(ctx, k, By{Actor: CommandLine})
}

// MakeAPIKey keeps a new key. A name that is taken, even by a revoked key, is
// ErrKeyTaken: the history names keys. A zero CreatedAt is now.
func (db *DB) MakeAPIKey(ctx context.Context, k APIKey, by By) error {
	if k.Name == "" || len(k.Name) > maxActorBytes || recipient.Clean(k.Name, maxActorBytes) != k.Name || len(k.Scopes) == 0 || k.Hash == [32]byte{} {
		return fmt.Errorf("%w API key: it needs a name, scopes and a hash", ErrInvalid)
	}
	if k.CreatedAt.IsZero() {
		k.CreatedAt = db.now()
	}
	return db.inTx(ctx, "keep an API key", func(tx *sqlx.Tx) error {
		var n int
		if err := tx.GetContext(ctx, &n, "SELECT COUNT(*) FROM api_keys WHERE name = ?", k.Name); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if n > 0 {
			return ErrKeyTaken
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO api_keys (name, scopes, hash, created_at, revoked_at) VALUES (?, ?, ?, ?, ?)",
			k.Name, strings.Join(k.Scopes, " "), k.Hash[:], micros(k.CreatedAt), micros(k.RevokedAt)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.audit(ctx, tx, by.entry("key.add", "API key "+k.Name, "scopes "+strings.Join(k.Scopes, " ")))
	})
}

// RevokeAPIKey ends a key from the command line; see EndAPIKey.
func (db *DB) RevokeAPIKey(ctx context.Context, name string) error {
	return db.EndAPIKey(ctx, name, By{Actor: CommandLine})
}

// EndAPIKey ends a key. One that is revoked already, or missing, is
// ErrNotFound.
func (db *DB) EndAPIKey(ctx context.Context, name string, by By) error {
	return db.inTx(ctx, "revoke an API key", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE api_keys SET revoked_at = ? WHERE name = ? AND revoked_at = 0", micros(db.now()), name)
		if err := oneRow("revoke an API key", res, err); err != nil {
			return err
		}
		return db.audit(ctx, tx, by.entry("key.revoke", "API key "+name, ""))
	})
}

// TouchAPIKey notes when a key was used last. What another replica noted and is
// later stays.
func (db *DB) TouchAPIKey(ctx context.Context, name string, at time.Time) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	_, err := db.write.ExecContext(ctx, "UPDATE api_keys SET last_used_at = ? WHERE name = ? AND last_used_at < ?", micros(at), name, micros(at))
	return wrap("note the use of an API key", err)
}
