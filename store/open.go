package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/strikeout/strikeout/recipient"
)

// DB is the database. It is safe for concurrent use.
type DB struct {
	pools
	url   string
	place place
	d     dialect
	keyer *recipient.Keyer
	now   func() time.Time
	log   *slog.Logger

	checked  atomic.Bool   // the guard let us in
	checking chan struct{} // held by whoever asks the guard
	version  atomic.Value  // string, of the server

	kept      *kept // of read
	looks     *looks
	copies    *checkpoints // nil on MySQL
	record    *recorder
	acts      *actor
	logins    atomic.Int64 // sign-ins counted, for pruning
	limitRows int
	feed      feedState
}

// Open opens the database of a Config. Nothing is migrated. A MySQL server
// that cannot be reached is no error: what needs it answers ErrUnavailable
// until it is there. A refused login, a missing database and another address
// key are errors.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxOpenConns <= 0 {
		c.MaxOpenConns = 20
	}
	p, d, err := openPools(c)
	if err != nil {
		return nil, err
	}
	at, err := newPlace(c.URL)
	if err != nil {
		return nil, err
	}
	db := &DB{pools: p, url: c.URL, place: at, d: d, keyer: c.Keyer, now: c.Now, log: c.Logger, checking: make(chan struct{}, 1), kept: newKept(p.read.DB), limitRows: maxLimitRows}
	db.record = newRecorder(db, c)
	db.acts = newActor(db)
	db.looks = &looks{db: db}
	if !d.mysql {
		db.copies = newCheckpoints(p.read.DB, db.log)
	}
	err = db.ready(ctx)
	if err == nil || errors.Is(err, ErrNotMigrated) || d.mysql && errors.Is(err, ErrUnavailable) && !loginRefused(err) {
		if err != nil && !errors.Is(err, ErrNotMigrated) { // what comes next is Migrate
			db.log.Warn("the database is not ready yet", "err", err)
		}
		return db, nil
	}
	_ = db.Close()
	return nil, err
}

// loginRefused tells a mistake in the configuration from a server that is away.
func loginRefused(err error) bool {
	var my *mysql.MySQLError
	return errors.As(err, &my) && (my.Number == 1044 || my.Number == 1045 || my.Number == 1049 || my.Number == 1698)
}

// Close stores what is queued, as far as the database takes it, and closes the
// connections. Later calls of other methods fail.
func (db *DB) Close() error {
	db.record.close()
	db.acts.close()
	db.looks.close()
	if db.copies != nil {
		db.copies.close()
	}
	// A server that has dropped a connection already, or is gone, cannot be told
	// good-bye; the driver says so in errors that it does not export.
	if err := db.pools.close(); err != nil && !db.d.mysql {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}

// Kind returns "mysql", "mariadb" or "sqlite". Before the first contact with
// the server it says "mysql" for both.
func (db *DB) Kind() string {
	if !db.d.mysql {
		return "sqlite"
	}
	if v, _ := db.version.Load().(string); strings.Contains(strings.ToLower(v), "mariadb") {
		return "mariadb"
	}
	return "mysql"
}

// Ping asks the database for a sign of life and, once, whether the address key
// belongs to it.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	if err := db.place.check(); err != nil {
		return err
	}
	var one int
	return wrap("ping", db.read.GetContext(ctx, &one, "SELECT 1"))
}
