// Package storebench holds the yardsticks of cmd/bench that need SQL: the bare
// statements that the store is measured against, and rows by the million. It
// writes the store's tables without the store's code, on purpose.
package storebench

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"

	"github.com/strikeout/strikeout/recipient"
)

// DB is a database of the store's tables.
type DB struct {
	sql   *sql.DB
	mysql bool
}

// Open opens the database that a URL of store.Config names, with at most conns
// connections (SQLite: one).
func Open(rawURL string, conns int) (*DB, error) {
	scheme, rest, _ := strings.Cut(rawURL, ":")
	if scheme == "sqlite" {
		// The store's own settings: what is measured is the batching, not the disk.
		u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: rest}).EscapedPath(), RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
			"&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(10000)&_pragma=cache_size(-49152)&_txlock=immediate"}
		c, err := sqlite.NewConnector(u.String())
		if err != nil {
			return nil, fmt.Errorf("open sqlite: %w", err)
		}
		db := sql.OpenDB(c)
		db.SetMaxOpenConns(1)
		return &DB{sql: db}, nil
	}
	c, err := mysql.ParseDSN(strings.TrimPrefix(rest, "//"))
	if err != nil {
		return nil, fmt.Errorf("open mysql: %w", err)
	}
	c.Logger = &mysql.NopLogger{}
	c.Params = map[string]string{"sql_mode": "'STRICT_ALL_TABLES'", "tx_isolation": "'READ-COMMITTED'"}
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("open mysql: %w", err)
	}
	db := sql.OpenDB(inner)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return &DB{sql: db, mysql: true}, nil
}

// Close closes the connections.
func (d *DB) Close() error { return d.sql.Close() } //nolint:wrapcheck // a yardstick

// Create makes a database on a server whose DSN names none, and returns its URL.
func Create(ctx context.Context, dsn, name string) (string, error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return "", fmt.Errorf("create a database: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create a database: %w", err)
	}
	return "mysql://" + dsn + name, nil
}

// Exec runs one statement.
func (d *DB) Exec(ctx context.Context, statement string) error {
	_, err := d.sql.ExecContext(ctx, statement)
	return err //nolint:wrapcheck // a yardstick
}

// Int returns the number that a query yields.
func (d *DB) Int(ctx context.Context, query string) (n int64, err error) {
	err = d.sql.QueryRowContext(ctx, query).Scan(&n)
	return n, err //nolint:wrapcheck // a yardstick
}

// Text returns the text that a query yields.
func (d *DB) Text(ctx context.Context, query string) (s string, err error) {
	err = d.sql.QueryRowContext(ctx, query).Scan(&s)
	return s, err //nolint:wrapcheck // a yardstick
}

// Strings calls f with each text that a query yields.
func (d *DB) Strings(ctx context.Context, query string, f func(string)) error {
	rows, err := d.sql.QueryContext(ctx, query)
	if err != nil {
		return err //nolint:wrapcheck // a yardstick
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err //nolint:wrapcheck // a yardstick
		}
		f(s)
	}
	return rows.Err() //nolint:wrapcheck // a yardstick
}

// writer makes the text of statements.
type writer struct {
	b     []byte
	mysql bool
}

func (w *writer) key(k [16]byte) {
	w.b = append(w.b, 'x', '\'')
	w.b = hex.AppendEncode(w.b, k[:])
	w.b = append(w.b, '\'')
}

// text writes a literal. There is no backslash in what the measurements write.
func (w *writer) text(s string) {
	if s == "" {
		w.b = append(w.b, "NULL"...)
		return
	}
	w.b = append(w.b, '\'')
	w.b = append(w.b, strings.ReplaceAll(s, "'", "''")...)
	w.b = append(w.b, '\'')
}

func (w *writer) events(events []recipient.Event) string {
	w.b = append(w.b[:0], "INSERT INTO events (fingerprint, recipient_key, at, received_at, kind, echo, channel, source, endpoint, event_id, message_id, code, rule, detail) VALUES "...)
	for i := range events {
		e := &events[i]
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '(')
		w.key(e.Fingerprint)
		w.b = append(w.b, ',')
		w.key(e.Key)
		w.b = append(w.b, ',')
		w.b = strconv.AppendInt(w.b, e.At.UnixMicro(), 10)
		w.b = append(w.b, ',')
		w.b = strconv.AppendInt(w.b, e.ReceivedAt.UnixMicro(), 10)
		w.b = append(w.b, ',')
		w.text(string(e.Kind))
		w.b = append(w.b, ",0,"...)
		w.text(string(e.Channel))
		w.b = append(w.b, ',')
		w.text(string(e.Source))
		for _, s := range [...]string{e.Endpoint, e.EventID, e.MessageID, e.Code, e.Rule, e.Detail} {
			w.b = append(w.b, ',')
			w.text(s)
		}
		w.b = append(w.b, ')')
	}
	return string(w.b)
}

// recipients writes the upsert of the events' addresses: all are hard bounces,
// and no two of one batch are about the same address.
func (w *writer) recipients(events []recipient.Event) string {
	w.b = append(w.b[:0], "INSERT INTO recipients (recipient_key, channel, address, blocked_at) VALUES "...)
	for i := range events {
		e := &events[i]
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '(')
		w.key(e.Key)
		w.b = append(w.b, ',')
		w.text(string(e.Channel))
		w.b = append(w.b, ',')
		w.text(e.Address.Value())
		w.b = append(w.b, ',')
		w.b = strconv.AppendInt(w.b, e.At.UnixMicro(), 10)
		w.b = append(w.b, ')')
	}
	if w.mysql {
		w.b = append(w.b, " ON DUPLICATE KEY UPDATE address = COALESCE(address, VALUES(address)), blocked_at = GREATEST(blocked_at, VALUES(blocked_at))"...)
	} else {
		w.b = append(w.b, " ON CONFLICT (recipient_key) DO UPDATE SET address = COALESCE(address, excluded.address), blocked_at = max(blocked_at, excluded.blocked_at)"...)
	}
	return string(w.b)
}

// insert writes one batch in one transaction, as bare as can be.
func (d *DB) insert(ctx context.Context, w *writer, events []recipient.Event) error {
	w.mysql = d.mysql
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return err //nolint:wrapcheck // a yardstick
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, w.events(events)); err != nil {
		return err //nolint:wrapcheck // a yardstick
	}
	if _, err := tx.ExecContext(ctx, w.recipients(events)); err != nil {
		return err //nolint:wrapcheck // a yardstick
	}
	return tx.Commit() //nolint:wrapcheck // a yardstick
}

// Batches writes batches of events, each in a transaction, over conns
// connections until the time is up or next has no more, and returns how many
// events a second. The events of a batch are sorted by key, and no two are about
// the same address.
func (d *DB) Batches(ctx context.Context, conns int, long time.Duration, next func(worker int) []recipient.Event) (float64, error) {
	type end struct {
		events int
		err    error
	}
	ends := make(chan end, conns)
	start := time.Now()
	for i := range conns {
		go func() {
			var w writer
			var e end
			for time.Since(start) < long {
				batch := next(i)
				if len(batch) == 0 {
					break
				}
				err := d.insert(ctx, &w, batch)
				for deadlock(err) {
					err = d.insert(ctx, &w, batch)
				}
				if err != nil {
					e.err = err
					break
				}
				e.events += len(batch)
			}
			ends <- e
		}()
	}
	n := 0
	var errs error
	for range conns {
		e := <-ends
		n += e.events
		errs = errors.Join(errs, e.err)
	}
	return float64(n) / time.Since(start).Seconds(), errs
}

func deadlock(err error) bool {
	var my *mysql.MySQLError
	return errors.As(err, &my) && (my.Number == 1213 || my.Number == 1205)
}

// Naive stores each call's events in a transaction of their own, as a service
// without group commit does.
type Naive struct{ DB *DB }

// Record inserts the events and joins the states of their addresses.
func (n Naive) Record(ctx context.Context, events []recipient.Event) error {
	for {
		var w writer
		err := n.DB.insert(ctx, &w, events)
		if !deadlock(err) {
			return err
		}
	}
}

// OneByOne asks for the state of each key by a prepared SELECT, one after the
// other, and returns how many exist.
func (d *DB) OneByOne(ctx context.Context, keys []recipient.Key) (found int, err error) {
	st, err := d.sql.PrepareContext(ctx, "SELECT blocked_at, unblocked_at, opted_out_at, complained_at, opted_in_at FROM recipients WHERE recipient_key = ?")
	if err != nil {
		return 0, err //nolint:wrapcheck // a yardstick
	}
	defer st.Close() //nolint:errcheck // nothing waits in it
	for i := range keys {
		var t [5]int64
		switch err := st.QueryRowContext(ctx, keys[i][:]).Scan(&t[0], &t[1], &t[2], &t[3], &t[4]); {
		case err == nil:
			found++
		case !errors.Is(err, sql.ErrNoRows):
			return found, err //nolint:wrapcheck // a yardstick
		}
	}
	return found, nil
}
