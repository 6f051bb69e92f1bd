package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// Kinds of Invite.
const (
	// InviteSetup lets somebody become the first administrator. It works only
	// while there is none.
	InviteSetup = "setup"
	// InviteUser lets a user who exists choose a password.
	InviteUser = "user"
)

// How long one-time links work.
const (
	SetupLife  = time.Hour
	InviteLife = 72 * time.Hour
)

// Invite is a one-time link.
type Invite struct {
	Kind      string
	User      User // of InviteUser
	ExpiresAt time.Time
}

// AddInvite keeps a one-time link of which hash is the SHA-256 of the secret.
// A user's earlier links stop working. With u nil it is a set-up link, and
// ErrInvalid where an administrator exists.
func (db *DB) AddInvite(ctx context.Context, hash [32]byte, u *User, by By) error {
	now := db.now()
	return db.inTx(ctx, "keep a one-time link", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM invites WHERE expires_at <= ?", micros(now)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		kind, life, entry := InviteSetup, SetupLife, by.entry("setup.link", "", "")
		var id sql.NullInt64
		if u != nil {
			kind, life, entry = InviteUser, InviteLife, by.entry("user.invite", "user "+u.Name, "")
			id = sql.NullInt64{Int64: u.ID, Valid: true}
			if _, err := tx.ExecContext(ctx, "DELETE FROM invites WHERE user_id = ?", u.ID); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		} else if n, err := db.admins(ctx, tx); err != nil || n > 0 {
			if err == nil {
				err = ErrInvalid
			}
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO invites (token_hash, kind, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
			hash[:], kind, id, micros(now), micros(now.Add(life))); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.audit(ctx, tx, entry)
	})
}

// Invite returns a one-time link that still works, else ErrNotFound. It is not
// used up by looking.
func (db *DB) Invite(ctx context.Context, hash [32]byte) (Invite, error) {
	if err := db.ready(ctx); err != nil {
		return Invite{}, err
	}
	i, err := db.invite(ctx, db.read, hash, "")
	if err != nil {
		return Invite{}, wrap("read a one-time link", err)
	}
	if i.Kind == InviteSetup {
		has, err := db.HasAdmin(ctx)
		if err != nil {
			return Invite{}, err
		}
		if has {
			return Invite{}, ErrNotFound
		}
	}
	return i, nil
}

// getter is a pool or a transaction.
type getter interface {
	GetContext(ctx context.Context, dest any, query string, args ...any) error
}

func (db *DB) invite(ctx context.Context, q getter, hash [32]byte, lock string) (Invite, error) {
	var r struct {
		Kind      string        `db:"kind"`
		UserID    sql.NullInt64 `db:"user_id"`
		ExpiresAt int64         `db:"expires_at"`
	}
	if err := q.GetContext(ctx, &r, "SELECT kind, user_id, expires_at FROM invites WHERE token_hash = ? AND expires_at > ?"+lock, hash[:], micros(db.now())); err != nil {
		return Invite{}, err //nolint:wrapcheck // the caller wraps
	}
	i := Invite{Kind: r.Kind, ExpiresAt: fromMicros(r.ExpiresAt)}
	if r.Kind != InviteUser {
		return i, nil
	}
	var u userRow
	if err := q.GetContext(ctx, &u, selectUsers+"WHERE id = ? AND disabled_at = 0", r.UserID.Int64); err != nil {
		return Invite{}, err //nolint:wrapcheck // the caller wraps
	}
	i.User = u.user()
	return i, nil
}

// UseInvite sets the password that somebody chose by a one-time link, and uses
// the link up. By a set-up link it makes the first administrator, named name;
// else name is ignored. It returns the user. A link that does not work any more
// is ErrNotFound.
func (db *DB) UseInvite(ctx context.Context, hash [32]byte, name, passwordHash, network string) (User, error) {
	var u User
	err := db.inTx(ctx, "use a one-time link", func(tx *sqlx.Tx) error {
		// All users are locked first: two set-up links used at once must not make two administrators.
		admins, err := db.admins(ctx, tx)
		if err != nil {
			return err
		}
		i, err := db.invite(ctx, tx, hash, db.d.forUpdate)
		if errors.Is(err, sql.ErrNoRows) || err == nil && i.Kind == InviteSetup && admins > 0 {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		u = i.User
		if i.Kind == InviteSetup {
			if _, err := tx.ExecContext(ctx, "DELETE FROM invites WHERE kind = ?", InviteSetup); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
			u = User{Name: name, Role: RoleAdmin, PasswordHash: passwordHash, CreatedAt: db.now()}
			return db.addUser(ctx, tx, &u, By{Actor: name, Network: network})
		}
		return db.setPassword(ctx, tx, u, passwordHash, By{Actor: u.Name, Network: network}) // deletes the invite too
	})
	return u, err
}
