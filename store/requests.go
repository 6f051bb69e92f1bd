package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// MaxRequests is how many people's requests may wait for an administrator.
const MaxRequests = 10_000

// Kinds of PersonRequest.
const (
	RequestTyped   = "typed"   // an address typed on the page of a broken link
	RequestConfirm = "confirm" // a one-click by a link whose key may have leaked
)

const (
	countSame    = "SELECT COUNT(*) FROM requests WHERE recipient_key = ? AND kind = ? AND resolved_at = 0"
	countWaiting = "SELECT COUNT(*) FROM requests WHERE resolved_at = 0"
)

// AddRequest keeps what somebody asked for until an administrator reads it.
// The same request that waits already is not kept twice. It is ErrRequestsFull
// when too many wait.
func (db *DB) AddRequest(ctx context.Context, r PersonRequest) error {
	if db.keyer != nil && !r.Address.IsZero() {
		r.Key = db.keyer.Key(r.Address)
	}
	switch {
	case r.Kind != RequestTyped && r.Kind != RequestConfirm:
		return fmt.Errorf("%w request: kind", ErrInvalid)
	case !r.Channel.Valid():
		return fmt.Errorf("%w request: channel", ErrInvalid)
	case r.Key.IsZero():
		return fmt.Errorf("%w request: it is about nobody", ErrInvalid)
	}
	if r.ReceivedAt.IsZero() {
		r.ReceivedAt = db.now()
	}
	return db.inTx(ctx, "keep a request", func(tx *sqlx.Tx) error {
		var n int
		if err := tx.GetContext(ctx, &n, countSame, r.Key[:], r.Kind); err != nil || n > 0 {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := tx.GetContext(ctx, &n, countWaiting); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if n >= MaxRequests {
			return ErrRequestsFull
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO requests (channel, address, recipient_key, token_id, kind, language, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			string(r.Channel), null(r.Address.Value()), r.Key[:], null(recipient.Clean(r.TokenID, 64)), r.Kind, recipient.Clean(r.Language, maxLanguageBytes), micros(r.ReceivedAt))
		return err //nolint:wrapcheck // inTx wraps
	})
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// Requests lists people's requests in the order of their ids.
func (db *DB) Requests(ctx context.Context, q RequestQuery) ([]PersonRequest, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	if q.Limit <= 0 {
		q.Limit = defaultHistory
	}
	query := "SELECT id, channel, address, recipient_key, token_id, kind, language, received_at, resolved_at, resolved_by, resolution FROM requests WHERE id > ?"
	if !q.Resolved {
		query += " AND resolved_at = 0"
	}
	var rows []struct {
		ID         int64          `db:"id"`
		Channel    string         `db:"channel"`
		Address    sql.NullString `db:"address"`
		Key        []byte         `db:"recipient_key"`
		TokenID    sql.NullString `db:"token_id"`
		Kind       string         `db:"kind"`
		Language   string         `db:"language"`
		ReceivedAt int64          `db:"received_at"`
		ResolvedAt int64          `db:"resolved_at"`
		ResolvedBy sql.NullString `db:"resolved_by"`
		Resolution sql.NullString `db:"resolution"`
	}
	if err := db.read.SelectContext(ctx, &rows, query+" ORDER BY id LIMIT ?", q.After, q.Limit); err != nil {
		return nil, wrap("list requests", err)
	}
	out := make([]PersonRequest, len(rows))
	for i, r := range rows {
		c := recipient.Channel(r.Channel)
		out[i] = PersonRequest{ID: r.ID, Channel: c, Address: recipient.Stored(c, r.Address.String), TokenID: r.TokenID.String, Kind: r.Kind, Language: r.Language,
			ReceivedAt: fromMicros(r.ReceivedAt), ResolvedAt: fromMicros(r.ResolvedAt), ResolvedBy: r.ResolvedBy.String, Resolution: r.Resolution.String}
		if len(r.Key) == len(out[i].Key) {
			out[i].Key = recipient.Key(r.Key)
		}
	}
	return out, nil
}

// Request returns one request, or ErrNotFound.
func (db *DB) Request(ctx context.Context, id int64) (PersonRequest, error) {
	list, err := db.Requests(ctx, RequestQuery{Resolved: true, After: id - 1, Limit: 1})
	if err != nil {
		return PersonRequest{}, err
	}
	if len(list) == 0 || list[0].ID != id {
		return PersonRequest{}, ErrNotFound
	}
	return list[0], nil
}

// RequestCount returns how many requests wait.
func (db *DB) RequestCount(ctx context.Context) (int, error) {
	if err := db.ready(ctx); err != nil {
		return 0, err
	}
	n := 0
	err := db.read.GetContext(ctx, &n, countWaiting)
	return n, wrap("count requests", err)
}

// The ways in which a request is resolved; what the administrator wrote comes
// behind.
const (
	ResolvedOptOut  = "opted out"
	ResolvedDiscard = "discarded"
)

// CloseRequest notes who dealt with a request and how, with its line of the
// audit log. One that is resolved already, or missing, is ErrNotFound.
func (db *DB) CloseRequest(ctx context.Context, id int64, how string, by By) error {
	return db.inTx(ctx, "resolve a request", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE requests SET resolved_at = ?, resolved_by = ?, resolution = ? WHERE id = ? AND resolved_at = 0",
			micros(db.now()), recipient.Clean(by.Actor, maxActorBytes), recipient.Clean(how, 255), id)
		if err := oneRow("resolve a request", res, err); err != nil {
			return err
		}
		return db.audit(ctx, tx, by.entry("request.resolve", "request "+strconv.FormatInt(id, 10), how))
	})
}

// DiscardRequest closes a request without doing what it asks.
func (db *DB) DiscardRequest(ctx context.Context, id int64, reason string, by By) error {
	r, err := db.Request(ctx, id)
	if err != nil {
		return err
	}
	return db.CloseRequest(ctx, id, how(ResolvedDiscard, recipient.Redact(reason, r.Address)), by)
}

func how(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// FulfilRequest opts out whom a request is about and closes it. When the
// opt-out is stored and the request cannot be closed, both may be done again:
// a second opt-out changes nothing.
func (db *DB) FulfilRequest(ctx context.Context, id int64, reason string, source recipient.Source, by By) (Outcome, error) {
	r, err := db.Request(ctx, id)
	switch {
	case err != nil:
		return Outcome{}, err
	case !r.ResolvedAt.IsZero():
		return Outcome{}, ErrNotFound
	}
	reason = recipient.Redact(reason, r.Address)
	asked := "asked for on the page of a broken link"
	if r.Kind == RequestConfirm {
		asked = "asked for by a link whose key may have leaked"
	}
	out, err := db.Act(ctx, Act{Kind: recipient.OptOut, Channel: r.Channel, Key: r.Key, Address: r.Address, Source: source, Actor: by.Actor,
		Reason:   how(asked+" at "+r.ReceivedAt.UTC().Format(time.RFC3339)+", request "+strconv.FormatInt(id, 10), reason),
		Evidence: recipient.Evidence{Via: "request", Language: r.Language}, By: by})
	if err != nil {
		return out, err
	}
	if err := db.CloseRequest(ctx, id, how(ResolvedOptOut, reason), by); err != nil && !errors.Is(err, ErrNotFound) {
		return out, err
	}
	return out, nil
}
