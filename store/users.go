package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/text/unicode/norm"

	"github.com/strikeout/strikeout/recipient"
)

// Role is what an administrator may do. Each includes the ones before it.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"   // looks; addresses are masked
	RoleOperator Role = "operator" // acts on addresses and contacts
	RoleAdmin    Role = "admin"    // users, keys, export, erasure
)

// Roles are all roles, the least first.
var Roles = []Role{RoleViewer, RoleOperator, RoleAdmin}

// Valid reports whether the role is one of Roles.
func (r Role) Valid() bool { return slices.Contains(Roles, r) }

// Includes reports whether somebody with role r may do what least may do.
func (r Role) Includes(least Role) bool {
	return r.Valid() && slices.Index(Roles, r) >= slices.Index(Roles, least)
}

// User is somebody who may sign in to the administrators' pages.
type User struct {
	ID   int64
	Name string // as UserName wrote it
	Role Role
	// PasswordHash is a PHC string; empty: no password is set.
	PasswordHash string
	// Subject names the account at the identity provider; empty: none is linked.
	Subject    string
	CreatedAt  time.Time
	LoginAt    time.Time // of the last sign-in; zero: never
	DisabledAt time.Time // zero: may sign in
}

// Errors of users. Each is an ErrInvalid too.
var (
	// ErrTaken: another user has this name or this account of the identity provider.
	ErrTaken = fmt.Errorf("%w user: the name is taken", ErrInvalid)
	// ErrLastAdmin: nobody would be left who can manage users.
	ErrLastAdmin = fmt.Errorf("%w change: this is the last administrator who can sign in", ErrInvalid)
)

// maxUserNameBytes fits the column and its index.
const maxUserNameBytes = 120

// UserName returns the form in which a user's name is kept and compared: NFC,
// lower case, without blanks around. It is empty when the name cannot be one.
func UserName(s string) string {
	s = strings.ToLower(norm.NFC.String(strings.TrimSpace(s)))
	if s == "" || len(s) > maxUserNameBytes || recipient.Clean(s, maxUserNameBytes) != s || strings.ContainsAny(s, "\n\t") {
		return ""
	}
	return s
}

type userRow struct {
	ID           int64          `db:"id"`
	Name         string         `db:"name"`
	Role         string         `db:"role"`
	PasswordHash sql.NullString `db:"password_hash"`
	Subject      sql.NullString `db:"subject"`
	CreatedAt    int64          `db:"created_at"`
	LoginAt      int64          `db:"login_at"`
	DisabledAt   int64          `db:"disabled_at"`
}

func (r userRow) user() User {
	return User{ID: r.ID, Name: r.Name, Role: Role(r.Role), PasswordHash: r.PasswordHash.String, Subject: r.Subject.String,
		CreatedAt: fromMicros(r.CreatedAt), LoginAt: fromMicros(r.LoginAt), DisabledAt: fromMicros(r.DisabledAt)}
}

const selectUsers = "SELECT id, name, role, password_hash, subject, created_at, login_at, disabled_at FROM users "

// Users returns all users by name.
func (db *DB) Users(ctx context.Context) ([]User, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []userRow
	if err := db.read.SelectContext(ctx, &rows, selectUsers+"ORDER BY name"); err != nil {
		return nil, wrap("list the users", err)
	}
	out := make([]User, len(rows))
	for i, r := range rows {
		out[i] = r.user()
	}
	return out, nil
}

// User returns one user, or ErrNotFound.
func (db *DB) User(ctx context.Context, id int64) (User, error) { return db.oneUser(ctx, "id", id) }

// UserByName returns the user of a name in the form of UserName, or ErrNotFound.
func (db *DB) UserByName(ctx context.Context, name string) (User, error) {
	return db.oneUser(ctx, "name", name)
}

// UserBySubject returns the user whom an account of the identity provider is
// linked to, or ErrNotFound.
func (db *DB) UserBySubject(ctx context.Context, subject string) (User, error) {
	return db.oneUser(ctx, "subject", subject)
}

func (db *DB) oneUser(ctx context.Context, column string, value any) (User, error) {
	if err := db.ready(ctx); err != nil {
		return User{}, err
	}
	var r userRow
	if err := db.read.GetContext(ctx, &r, selectUsers+"WHERE "+column+" = ?", value); err != nil {
		return User{}, wrap("read a user", err)
	}
	return r.user(), nil
}

// HasAdmin reports whether some administrator can sign in, or could by a link
// that still works.
func (db *DB) HasAdmin(ctx context.Context) (bool, error) {
	if err := db.ready(ctx); err != nil {
		return false, err
	}
	var n int
	err := db.read.GetContext(ctx, &n, "SELECT COUNT(*) FROM users WHERE role = ? AND disabled_at = 0 AND (password_hash IS NOT NULL OR subject IS NOT NULL)", string(RoleAdmin))
	return n > 0, wrap("look for an administrator", err)
}

// AddUser keeps a new user and returns it with its id. A name or a subject that
// is taken is ErrTaken.
func (db *DB) AddUser(ctx context.Context, u User, by By) (User, error) {
	if u.CreatedAt.IsZero() {
		u.CreatedAt = db.now()
	}
	err := db.inTx(ctx, "add a user", func(tx *sqlx.Tx) error { return db.addUser(ctx, tx, &u, by) })
	return u, err
}

func (db *DB) addUser(ctx context.Context, tx *sqlx.Tx, u *User, by By) error {
	if !u.Role.Valid() || u.Name == "" || UserName(u.Name) != u.Name {
		return fmt.Errorf("%w user: it needs a name and a role", ErrInvalid)
	}
	var n int
	if err := tx.GetContext(ctx, &n, "SELECT COUNT(*) FROM users WHERE name = ? OR subject = ?", u.Name, null(u.Subject)); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	if n > 0 {
		return ErrTaken
	}
	res, err := tx.ExecContext(ctx, "INSERT INTO users (name, role, password_hash, subject, created_at) VALUES (?, ?, ?, ?, ?)",
		u.Name, string(u.Role), null(u.PasswordHash), null(u.Subject), micros(u.CreatedAt))
	if err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	if u.ID, err = res.LastInsertId(); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	return db.audit(ctx, tx, by.entry("user.add", "user "+u.Name, "role "+string(u.Role)))
}

// SetRole changes what a user may do, and ends the user's sessions. Taking the
// last administrator away is ErrLastAdmin.
func (db *DB) SetRole(ctx context.Context, id int64, role Role, by By) error {
	if !role.Valid() {
		return fmt.Errorf("%w role", ErrInvalid)
	}
	return db.changeUser(ctx, "change a role", id, func(tx *sqlx.Tx, u User) error {
		if u.Role == role {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET role = ? WHERE id = ?", string(role), id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := db.dropSessions(ctx, tx, id); err != nil {
			return err
		}
		return db.audit(ctx, tx, by.entry("user.role", "user "+u.Name, "role "+string(u.Role)+" to "+string(role)))
	})
}

// SetDisabled locks a user out, ending sessions and one-time links, or lets the
// user in again. Locking the last administrator out is ErrLastAdmin.
func (db *DB) SetDisabled(ctx context.Context, id int64, disabled bool, by By) error {
	return db.changeUser(ctx, "lock a user out", id, func(tx *sqlx.Tx, u User) error {
		if disabled == !u.DisabledAt.IsZero() {
			return nil
		}
		at, action := int64(0), "user.enable"
		if disabled {
			at, action = micros(db.now()), "user.disable"
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET disabled_at = ? WHERE id = ?", at, id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := db.dropAccess(ctx, tx, id); err != nil {
			return err
		}
		return db.audit(ctx, tx, by.entry(action, "user "+u.Name, ""))
	})
}

// SetPassword sets a user's password and ends the user's sessions and one-time
// links. An empty hash takes the password away.
func (db *DB) SetPassword(ctx context.Context, id int64, hash string, by By) error {
	return db.changeUser(ctx, "set a password", id, func(tx *sqlx.Tx, u User) error {
		return db.setPassword(ctx, tx, u, hash, by)
	})
}

func (db *DB) setPassword(ctx context.Context, tx *sqlx.Tx, u User, hash string, by By) error {
	if _, err := tx.ExecContext(ctx, "UPDATE users SET password_hash = ? WHERE id = ?", null(hash), u.ID); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	if err := db.dropAccess(ctx, tx, u.ID); err != nil {
		return err
	}
	action := "user.password"
	if hash == "" {
		action = "user.password.remove"
	}
	return db.audit(ctx, tx, by.entry(action, "user "+u.Name, ""))
}

// Rehash replaces the hash of an unchanged password, where it still is old.
func (db *DB) Rehash(ctx context.Context, id int64, old, hash string) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	_, err := db.write.ExecContext(ctx, "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", hash, id, old)
	return wrap("hash a password anew", err)
}

// LinkSubject lets a user sign in by an account of the identity provider. A
// user who has one already, or a taken one, is ErrTaken.
func (db *DB) LinkSubject(ctx context.Context, id int64, subject string, by By) error {
	return db.changeUser(ctx, "link a user", id, func(tx *sqlx.Tx, u User) error {
		if u.Subject == subject {
			return nil
		}
		var n int
		if err := tx.GetContext(ctx, &n, "SELECT COUNT(*) FROM users WHERE subject = ?", subject); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if n > 0 || u.Subject != "" || subject == "" {
			return ErrTaken
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET subject = ? WHERE id = ?", subject, id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.audit(ctx, tx, by.entry("user.link", "user "+u.Name, "signs in by the identity provider"))
	})
}

// changeUser locks all administrators, so that two changes at once cannot take
// the last two away, then the user, and checks that one is left afterwards.
func (db *DB) changeUser(ctx context.Context, what string, id int64, change func(tx *sqlx.Tx, u User) error) error {
	return db.inTx(ctx, what, func(tx *sqlx.Tx) error {
		before, err := db.admins(ctx, tx)
		if err != nil {
			return err
		}
		var r userRow
		if err := tx.GetContext(ctx, &r, selectUsers+"WHERE id = ?"+db.d.forUpdate, id); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return ErrNotFound
			}
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := change(tx, r.user()); err != nil {
			return err
		}
		after, err := db.admins(ctx, tx)
		if err == nil && after == 0 && before > 0 {
			return ErrLastAdmin
		}
		return err
	})
}

// admins counts the administrators who may sign in, and locks the rows of all
// users: there are few, and they change rarely.
func (db *DB) admins(ctx context.Context, tx *sqlx.Tx) (int, error) {
	var rows []userRow
	if err := tx.SelectContext(ctx, &rows, selectUsers+"ORDER BY id"+db.d.forUpdate); err != nil {
		return 0, err //nolint:wrapcheck // inTx wraps
	}
	n := 0
	for _, r := range rows {
		if Role(r.Role) == RoleAdmin && r.DisabledAt == 0 && (r.PasswordHash.Valid || r.Subject.Valid) {
			n++
		}
	}
	return n, nil
}

// dropAccess ends a user's sessions and one-time links.
func (db *DB) dropAccess(ctx context.Context, tx *sqlx.Tx, id int64) error {
	if err := db.dropSessions(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM invites WHERE user_id = ?", id)
	return err //nolint:wrapcheck // inTx wraps
}

func (db *DB) dropSessions(ctx context.Context, tx *sqlx.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ?", id)
	return err //nolint:wrapcheck // inTx wraps
}
