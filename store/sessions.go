package store

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// How long a session lives.
const (
	SessionIdle = 8 * time.Hour      // without a request
	SessionLife = 7 * 24 * time.Hour // whatever happens
)

// touchEvery spares the database a write a request.
const touchEvery = time.Minute

// Session is a signed-in browser.
type Session struct {
	Hash      [32]byte // SHA-256 of the secret in the cookie
	UserID    int64
	CreatedAt time.Time // set by the store
	SeenAt    time.Time // set by the store
	Method    string    // password or oidc
	Network   string    // the IP address it was made from
	Agent     string    // the browser's own name
	Flash     string    // a message that the next page shows
}

// ID names a session in lists; it is no secret and opens nothing.
func (s Session) ID() string { return hex.EncodeToString(s.Hash[:8]) }

type sessionRow struct {
	Hash      []byte `db:"token_hash"`
	UserID    int64  `db:"user_id"`
	CreatedAt int64  `db:"created_at"`
	SeenAt    int64  `db:"seen_at"`
	Method    string `db:"method"`
	Network   string `db:"network"`
	Agent     string `db:"agent"`
	Flash     string `db:"flash"`
}

func (r sessionRow) session() Session {
	s := Session{UserID: r.UserID, CreatedAt: fromMicros(r.CreatedAt), SeenAt: fromMicros(r.SeenAt), Method: r.Method, Network: r.Network, Agent: r.Agent, Flash: r.Flash}
	copy(s.Hash[:], r.Hash)
	return s
}

const sessionColumns = "s.token_hash, s.user_id, s.created_at, s.seen_at, s.method, s.network, s.agent, s.flash"

// AddSession signs a user in. The session that the browser had before, if any,
// ends, and so do sessions that are too old.
func (db *DB) AddSession(ctx context.Context, s Session, before [32]byte, by By) error {
	now := db.now()
	return db.inTx(ctx, "sign in", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE token_hash = ?", before[:]); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires_at <= ?", micros(now)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at, method, network, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			s.Hash[:], s.UserID, micros(now), micros(now), micros(now.Add(SessionLife)), recipient.Clean(s.Method, 16), recipient.Clean(s.Network, 64), recipient.Clean(s.Agent, 255)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET login_at = ? WHERE id = ?", micros(now), s.UserID); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.audit(ctx, tx, by.entry("login", "", "by "+s.Method))
	})
}

// Session returns a session that has not ended, with its user, who is not
// disabled; else ErrNotFound. It notes that the session is in use.
func (db *DB) Session(ctx context.Context, hash [32]byte) (Session, User, error) {
	if err := db.ready(ctx); err != nil {
		return Session{}, User{}, err
	}
	now := db.now()
	var r struct {
		sessionRow
		Name    string `db:"name"`
		Role    string `db:"role"`
		LoginAt int64  `db:"login_at"`
	}
	if err := db.read.GetContext(ctx, &r, "SELECT "+sessionColumns+", u.name, u.role, u.login_at FROM sessions s JOIN users u ON u.id = s.user_id "+
		"WHERE s.token_hash = ? AND s.expires_at > ? AND s.seen_at > ? AND u.disabled_at = 0", hash[:], micros(now), micros(now.Add(-SessionIdle))); err != nil {
		return Session{}, User{}, wrap("read a session", err)
	}
	s := r.session()
	if now.Sub(s.SeenAt) >= touchEvery {
		if _, err := db.write.ExecContext(ctx, "UPDATE sessions SET seen_at = ? WHERE token_hash = ?", micros(now), hash[:]); err != nil {
			return Session{}, User{}, wrap("note the use of a session", err)
		}
	}
	return s, User{ID: r.UserID, Name: r.Name, Role: Role(r.Role), LoginAt: fromMicros(r.LoginAt)}, nil
}

// SessionsOf lists the sessions of a user that have not ended, the one used
// last first.
func (db *DB) SessionsOf(ctx context.Context, userID int64) ([]Session, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	now := db.now()
	var rows []sessionRow
	if err := db.read.SelectContext(ctx, &rows, "SELECT "+sessionColumns+" FROM sessions s WHERE s.user_id = ? AND s.expires_at > ? AND s.seen_at > ? ORDER BY s.seen_at DESC, s.token_hash",
		userID, micros(now), micros(now.Add(-SessionIdle))); err != nil {
		return nil, wrap("list sessions", err)
	}
	out := make([]Session, len(rows))
	for i, r := range rows {
		out[i] = r.session()
	}
	return out, nil
}

// SetFlash keeps a message for the session's next page.
func (db *DB) SetFlash(ctx context.Context, hash [32]byte, message string) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	_, err := db.write.ExecContext(ctx, "UPDATE sessions SET flash = ? WHERE token_hash = ?", recipient.Clean(message, 1024), hash[:])
	return wrap("keep a message", err)
}

// EndSession signs one browser out. A session that is gone is no error.
func (db *DB) EndSession(ctx context.Context, hash [32]byte, by By) error {
	return db.endSessions(ctx, "logout", "", by, "token_hash = ?", hash[:])
}

// EndSessionsOf signs a user out: everywhere but in the session keep, or in the
// one session whose ID is given.
func (db *DB) EndSessionsOf(ctx context.Context, u User, id string, keep [32]byte, by By) error {
	if id == "" {
		return db.endSessions(ctx, "session.end", "user "+u.Name, by, "user_id = ? AND token_hash <> ?", u.ID, keep[:])
	}
	list, err := db.SessionsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.ID() == id {
			return db.endSessions(ctx, "session.end", "user "+u.Name, by, "user_id = ? AND token_hash = ?", u.ID, s.Hash[:])
		}
	}
	return ErrNotFound
}

func (db *DB) endSessions(ctx context.Context, action, object string, by By, where string, args ...any) error {
	return db.inTx(ctx, "sign out", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE "+where, args...)
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.audit(ctx, tx, by.entry(action, object, ""))
	})
}
