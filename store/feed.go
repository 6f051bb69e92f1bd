package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// feedState remembers up to which id nothing is missing any more.
type feedState struct {
	mu      sync.Mutex
	settled int64
	retryAt time.Time // no barrier before: a writer hung at the last one
}

const (
	maxFeed      = 10_000
	barrierPause = 10 * time.Second
)

const selectFeed = "SELECT e.id, e.fingerprint, e.recipient_key, e.at, e.received_at, e.kind, e.echo, e.channel, e.source, e.endpoint, e.event_id, e.message_id, e.code, " +
	"e.rule, e.detail, e.send_out, e.actor, e.evidence, r.address FROM events e LEFT JOIN recipients r ON r.recipient_key = e.recipient_key " +
	"WHERE e.id > ? AND e.id <= ? ORDER BY e.id LIMIT ?"

// Feed returns events with ids greater than after, in the order of ids. It
// skips nothing: an event is only returned when no smaller id can still appear,
// whatever the order of commits. Nothing new is an empty result.
func (db *DB) Feed(ctx context.Context, after int64, limit int) ([]StoredEvent, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = defaultHistory
	}
	limit = min(limit, maxFeed)
	db.feed.mu.Lock()
	settled := db.feed.settled
	db.feed.mu.Unlock()
	for range 2 {
		var rows []eventRow
		if err := db.read.SelectContext(ctx, &rows, selectFeed, after, settled, limit); err != nil {
			return nil, wrap("read the feed", err)
		}
		if len(rows) == limit {
			return storedEvents(rows)
		}
		upTo, err := db.settle(ctx)
		if err != nil {
			return nil, err
		}
		if upTo == settled {
			return storedEvents(rows)
		}
		settled = upTo
	}
	var rows []eventRow
	if err := db.read.SelectContext(ctx, &rows, selectFeed, after, settled, limit); err != nil {
		return nil, wrap("read the feed", err)
	}
	return storedEvents(rows)
}

// settle finds the greatest id for which every smaller one is committed or
// never will be. InnoDB hands out ids before the commit, so MAX(id) alone is not
// it: every writer holds a share of one row, and who holds all of it for a
// moment sees no writer half-way.
func (db *DB) settle(ctx context.Context) (int64, error) {
	var top int64
	if !db.d.mysql {
		err := db.read.GetContext(ctx, &top, "SELECT COALESCE(MAX(id), 0) FROM events")
		return top, wrap("read the feed", err)
	}
	db.feed.mu.Lock()
	defer db.feed.mu.Unlock()
	if time.Now().Before(db.feed.retryAt) {
		return db.feed.settled, nil
	}
	conn, err := db.batch.Conn(ctx)
	if err != nil {
		return 0, wrap("read the feed", err)
	}
	defer conn.Close() //nolint:errcheck // back to the pool
	top, err = barrier(ctx, conn)
	if err == nil {
		db.feed.settled = top
		return top, nil
	}
	cleanUp(conn, "ROLLBACK")
	if _, err := conn.ExecContext(ctx, "SET innodb_lock_wait_timeout = "+sessionSettings["innodb_lock_wait_timeout"]); err != nil {
		return 0, wrap("read the feed", err)
	}
	if classify(err) == conflict {
		// A writer hangs. While we wait for it others queue behind us, so give up
		// for a while; what is settled already can be read meanwhile.
		db.feed.retryAt = time.Now().Add(barrierPause)
		return db.feed.settled, nil
	}
	return 0, wrap("read the feed", err)
}

// barrier waits a second at most: writers that come later wait behind it.
func barrier(ctx context.Context, conn *sql.Conn) (top int64, err error) {
	rows, err := conn.QueryContext(ctx, "SET innodb_lock_wait_timeout = 1; BEGIN; SELECT value FROM meta WHERE name = '"+feedRow+"' FOR UPDATE; "+
		"SELECT COALESCE(MAX(id), 0) FROM events; COMMIT; SET innodb_lock_wait_timeout = "+sessionSettings["innodb_lock_wait_timeout"])
	if err != nil {
		return 0, err //nolint:wrapcheck // settle classifies it
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var values []string
	for {
		for rows.Next() {
			var v string
			if err := rows.Scan(&v); err != nil {
				return 0, err //nolint:wrapcheck // settle classifies it
			}
			values = append(values, v)
		}
		if !rows.NextResultSet() {
			break
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err //nolint:wrapcheck // settle classifies it
	}
	if len(values) != 2 {
		return 0, fmt.Errorf("store: the row %q of meta is missing", feedRow)
	}
	_, err = fmt.Sscan(values[1], &top)
	return top, err //nolint:wrapcheck // settle classifies it
}
