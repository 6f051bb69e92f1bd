package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/klauspost/compress/zstd"

	"github.com/strikeout/strikeout/recipient"
)

// Limits of the quarantine, per endpoint where it says so. Bytes are those of
// the compressed bodies.
const (
	MaxHeldRows  = 10_000    // per endpoint
	MaxHeldTotal = 100 << 20 // bytes per endpoint
	MaxHeldBytes = 1 << 20   // of one body, before compression
	HeldFor      = 30 * 24 * time.Hour
)

// codec compresses bodies; both halves are safe for concurrent use.
var codec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // only wrong options do that
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*MaxHeldBytes))
	if err != nil {
		panic(err)
	}
	return enc, dec
})

// Quarantine keeps a verified request that could not be understood. It is
// ErrQuarantineFull when the endpoint's share is used up or the body is too
// large: then the provider must be told to come again.
func (db *DB) Quarantine(ctx context.Context, h Held) error { return db.quarantine(ctx, h, false) }

// quarantine with once keeps nothing when the same request is held already.
func (db *DB) quarantine(ctx context.Context, h Held, once bool) error {
	if h.Endpoint == "" || len(h.Endpoint) > 128 {
		return fmt.Errorf("%w held request: endpoint", ErrInvalid)
	}
	if len(h.Body) > MaxHeldBytes {
		return fmt.Errorf("%w: the body is larger than 1 MiB", ErrQuarantineFull)
	}
	header, err := json.Marshal(h.Header)
	if err != nil {
		return fmt.Errorf("%w held request: header", ErrInvalid)
	}
	enc, _ := codec()
	body := enc.EncodeAll(h.Body, []byte{})
	return db.inTx(ctx, "quarantine a request", func(tx *sqlx.Tx) error {
		if once {
			var same int
			err := tx.GetContext(ctx, &same, countTwins, h.Endpoint, len(body), micros(h.ReceivedAt), body, recipient.Clean(h.Reason, 32))
			if err != nil || same > 0 {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		var used struct {
			Rows  int   `db:"n"`
			Bytes int64 `db:"size"`
		}
		if err := tx.GetContext(ctx, &used, countHeld, h.Endpoint); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if used.Rows >= MaxHeldRows || used.Bytes+int64(len(body)) > MaxHeldTotal {
			return ErrQuarantineFull
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO quarantine (endpoint, provider, reason, method, url, header, body, size, received_at, recipient_key, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			h.Endpoint, recipient.Clean(h.Provider, 64), recipient.Clean(h.Reason, 32), recipient.Clean(h.Method, 16), recipient.Clean(h.URL, 8192), string(header), body, len(body),
			micros(h.ReceivedAt), nullKey(h.Key), recipient.Clean(h.Detail, recipient.MaxDetailBytes))
		return err //nolint:wrapcheck // inTx wraps
	})
}

const countHeld = "SELECT COUNT(*) AS n, COALESCE(SUM(size), 0) AS size FROM quarantine WHERE endpoint = ?"

// QuarantineCounts returns the number of held requests of each endpoint that
// has any.
func (db *DB) QuarantineCounts(ctx context.Context) (map[string]int, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []struct {
		Endpoint string `db:"endpoint"`
		N        int    `db:"n"`
	}
	if err := db.read.SelectContext(ctx, &rows, "SELECT endpoint, COUNT(*) AS n FROM quarantine GROUP BY endpoint"); err != nil {
		return nil, wrap("count held requests", err)
	}
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.Endpoint] = r.N
	}
	return out, nil
}

type heldRow struct {
	ID         int64  `db:"id"`
	Endpoint   string `db:"endpoint"`
	Provider   string `db:"provider"`
	Reason     string `db:"reason"`
	Method     string `db:"method"`
	URL        string `db:"url"`
	Header     string `db:"header"`
	Body       []byte `db:"body"`
	Size       int64  `db:"size"`
	ReceivedAt int64  `db:"received_at"`
	Key        []byte `db:"recipient_key"`
	Detail     string `db:"detail"`
	ReplayedAt int64  `db:"replayed_at"`
}

func (r *heldRow) held() (Held, error) {
	h := Held{ID: r.ID, Endpoint: r.Endpoint, Provider: r.Provider, Reason: r.Reason, Method: r.Method, URL: r.URL, Size: r.Size,
		ReceivedAt: fromMicros(r.ReceivedAt), Detail: r.Detail, ReplayedAt: fromMicros(r.ReplayedAt)}
	if len(r.Key) == len(h.Key) {
		h.Key = recipient.Key(r.Key)
	}
	if err := json.Unmarshal([]byte(r.Header), &h.Header); err != nil {
		return h, fmt.Errorf("store: header of held request %d: %w", r.ID, err)
	}
	if r.Body != nil {
		_, dec := codec()
		var err error
		if h.Body, err = dec.DecodeAll(r.Body, []byte{}); err != nil {
			return h, fmt.Errorf("store: body of held request %d: %w", r.ID, err)
		}
	}
	return h, nil
}

const heldColumns = "id, endpoint, provider, reason, method, url, header, size, received_at, recipient_key, detail, replayed_at"

// Quarantined lists held requests in the order of their ids, without bodies.
func (db *DB) Quarantined(ctx context.Context, q QuarantineQuery) ([]Held, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	where, args := []string{"id > ?"}, []any{q.After}
	if q.Endpoint != "" {
		where, args = append(where, "endpoint = ?"), append(args, q.Endpoint)
	}
	if q.Reason != "" {
		where, args = append(where, "reason = ?"), append(args, q.Reason)
	}
	if q.Limit <= 0 {
		q.Limit = defaultHistory
	}
	var rows []heldRow
	query := "SELECT " + heldColumns + " FROM quarantine WHERE " + strings.Join(where, " AND ") + " ORDER BY id LIMIT ?"
	if err := db.read.SelectContext(ctx, &rows, query, append(args, q.Limit)...); err != nil {
		return nil, wrap("list held requests", err)
	}
	out := make([]Held, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].held(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Held returns one held request with its body, or ErrNotFound.
func (db *DB) Held(ctx context.Context, id int64) (Held, error) {
	if err := db.ready(ctx); err != nil {
		return Held{}, err
	}
	var r heldRow
	if err := db.read.GetContext(ctx, &r, "SELECT "+heldColumns+", body FROM quarantine WHERE id = ?", id); err != nil {
		return Held{}, wrap("read a held request", err)
	}
	return r.held()
}

// DropHeld deletes a held request, because a replay understood all of it. A
// missing one is ErrNotFound. Where By names somebody, the audit log says so.
func (db *DB) DropHeld(ctx context.Context, id int64, by By) error {
	return db.endHeld(ctx, id, "quarantine.replay", "understood", by)
}

// DiscardHeld deletes a held request unread, with its line of the audit log.
func (db *DB) DiscardHeld(ctx context.Context, id int64, reason string, by By) error {
	return db.endHeld(ctx, id, "quarantine.discard", reason, by)
}

func (db *DB) endHeld(ctx context.Context, id int64, action, detail string, by By) error {
	return db.inTx(ctx, "drop a held request", func(tx *sqlx.Tx) error {
		var endpoint string
		if err := tx.GetContext(ctx, &endpoint, "SELECT endpoint FROM quarantine WHERE id = ?", id); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return ErrNotFound
			}
			return err //nolint:wrapcheck // inTx wraps
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id = ?", id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.auditHeld(ctx, tx, id, endpoint, action, detail, by)
	})
}

func (db *DB) auditHeld(ctx context.Context, tx *sqlx.Tx, id int64, endpoint, action, detail string, by By) error {
	if by.Actor == "" {
		return nil
	}
	return db.audit(ctx, tx, by.entry(action, "request "+strconv.FormatInt(id, 10)+" at "+endpoint, detail))
}

// UpdateHeld keeps what a replay could still not read: reason, detail, key and
// body, under the id of h. ReplayedAt is set to now.
func (db *DB) UpdateHeld(ctx context.Context, h Held, by By) error {
	if len(h.Body) > MaxHeldBytes {
		return fmt.Errorf("%w held request: body", ErrInvalid)
	}
	enc, _ := codec()
	body := enc.EncodeAll(h.Body, []byte{})
	return db.inTx(ctx, "update a held request", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE quarantine SET reason = ?, detail = ?, recipient_key = ?, body = ?, size = ?, replayed_at = ? WHERE id = ?",
			recipient.Clean(h.Reason, 32), recipient.Clean(h.Detail, recipient.MaxDetailBytes), nullKey(h.Key), body, len(body), micros(db.now()), h.ID)
		if err := oneRow("update a held request", res, err); err != nil {
			return err
		}
		return db.auditHeld(ctx, tx, h.ID, h.Endpoint, "quarantine.replay", "still not understood", by)
	})
}

// oneRow makes ErrNotFound of a statement that matched no row.
func oneRow(what string, res sql.Result, err error) error {
	if err != nil {
		return wrap(what, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return wrap(what, err)
}
