package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// recipientRow is a row of recipients.
type recipientRow struct {
	Key         []byte         `db:"recipient_key"`
	Channel     string         `db:"channel"`
	Address     sql.NullString `db:"address"`
	Erased      int64          `db:"erased_at"`
	Blocked     int64          `db:"blocked_at"`
	Unblocked   int64          `db:"unblocked_at"`
	OptedOut    int64          `db:"opted_out_at"`
	Complained  int64          `db:"complained_at"`
	OptedIn     int64          `db:"opted_in_at"`
	SoftBounced int64          `db:"soft_bounced_at"`
	Delivered   int64          `db:"delivered_at"`
}

// fields are what to scan the columns into, in the order of selectRecipients.
func (r *recipientRow) fields() []any {
	return []any{&r.Key, &r.Channel, &r.Address, &r.Erased, &r.Blocked, &r.Unblocked, &r.OptedOut, &r.Complained, &r.OptedIn, &r.SoftBounced, &r.Delivered}
}

func (r *recipientRow) state() (s recipient.State) {
	for i, n := range [7]int64{r.Blocked, r.Unblocked, r.OptedOut, r.Complained, r.OptedIn, r.SoftBounced, r.Delivered} {
		*stateTimes(&s)[i] = fromMicros(n)
	}
	return s
}

func (r *recipientRow) recipient() Recipient {
	c := recipient.Channel(r.Channel)
	return Recipient{Key: recipient.Key(r.Key), Channel: c, Address: recipient.Stored(c, r.Address.String), ErasedAt: fromMicros(r.Erased), State: r.state()}
}

var selectRecipients = "SELECT recipient_key, channel, address, erased_at, " + strings.Join(stateColumns[:], ", ") + " FROM recipients WHERE recipient_key "

// Recipient returns an address as it stands, ErrNotFound when nothing is known.
func (db *DB) Recipient(ctx context.Context, key recipient.Key) (Recipient, error) {
	if err := db.ready(ctx); err != nil {
		return Recipient{}, err
	}
	var r recipientRow
	if err := db.read.GetContext(ctx, &r, selectRecipients+"= ?", key[:]); err != nil {
		return Recipient{}, wrap("read a recipient", err)
	}
	return r.recipient(), nil
}

// lockedStates returns the states of keys whose rows stay locked until the
// transaction ends. Missing rows are missing in the result.
func (db *DB) lockedStates(ctx context.Context, tx *sqlx.Tx, keys []recipient.Key) (map[recipient.Key]recipient.State, error) {
	locked, err := db.lockedRecipients(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	states := make(map[recipient.Key]recipient.State, len(locked))
	for k, r := range locked {
		states[k] = r.State
	}
	return states, nil
}

func (db *DB) lockedRecipients(ctx context.Context, tx *sqlx.Tx, keys []recipient.Key) (map[recipient.Key]Recipient, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	b := append([]byte(selectRecipients), "IN ("...)
	b = keyList(b, keys)
	b = append(b, ") ORDER BY recipient_key"...)
	var rows []recipientRow
	if err := tx.SelectContext(ctx, &rows, string(b)+db.d.forUpdate); err != nil {
		return nil, err //nolint:wrapcheck // inTx wraps
	}
	out := make(map[recipient.Key]Recipient, len(rows))
	for i := range rows {
		r := rows[i].recipient()
		out[r.Key] = r
	}
	return out, nil
}

// Chunks of States: longer lists gain nothing, and two at a time use both the
// server's and our own time.
const (
	statesChunk    = 1000
	statesParallel = 2
)

// States returns the states of those keys that are known. It is made for lists
// of ten thousand.
func (db *DB) States(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error) {
	return db.states(ctx, keys, "")
}

// CheckStates is States without those whom nothing suppresses for certain:
// nobody ever blocked them, opted them out or complained. A check needs no more,
// and most addresses of a list are of that kind.
func (db *DB) CheckStates(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error) {
	return db.states(ctx, keys, everSuppressed)
}

const everSuppressed = " AND (blocked_at > 0 OR opted_out_at > 0 OR complained_at > 0)"

func (db *DB) states(ctx context.Context, keys []recipient.Key, which string) (map[recipient.Key]recipient.State, error) {
	if len(keys) == 0 {
		return map[recipient.Key]recipient.State{}, nil
	}
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	found := make([][]keyState, statesParallel)
	errs := make([]error, statesParallel)
	var work sync.WaitGroup
	for w := range statesParallel {
		work.Go(func() { found[w], errs[w] = db.shareOfStates(ctx, keys, w, which) })
	}
	work.Wait()
	out := make(map[recipient.Key]recipient.State, len(found[0])*statesParallel)
	for w, err := range errs {
		if err != nil {
			return nil, wrap("read states", err)
		}
		for i := range found[w] {
			out[found[w][i].key] = found[w][i].state
		}
	}
	return out, nil
}

// shareOfStates reads the states of one of statesParallel ranges of keys.
func (db *DB) shareOfStates(ctx context.Context, keys []recipient.Key, share int, which string) ([]keyState, error) {
	mine := make([]recipient.Key, 0, len(keys)/statesParallel*5/4)
	for _, k := range keys {
		if int(k[0])*statesParallel>>8 == share {
			mine = append(mine, k)
		}
	}
	slices.SortFunc(mine, recipient.Key.Compare)
	mine = slices.Compact(mine)
	var out []keyState
	for chunk := range slices.Chunk(mine, statesChunk) {
		some, err := db.someStates(ctx, selectStates(chunk)+which)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

type keyState struct {
	key   recipient.Key
	state recipient.State
}

func selectStates(keys []recipient.Key) string {
	b := make([]byte, 0, 200+36*len(keys))
	b = append(b, "SELECT recipient_key, "+strings.Join(stateColumns[:], ", ")+" FROM recipients WHERE recipient_key IN ("...)
	return string(append(keyList(b, keys), ')'))
}

func (db *DB) someStates(ctx context.Context, query string) ([]keyState, error) {
	rows, err := db.read.QueryContext(ctx, query)
	if err != nil {
		return nil, err //nolint:wrapcheck // States wraps
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var out []keyState
	var key sql.RawBytes
	var n [7]int64
	for rows.Next() {
		if err := rows.Scan(&key, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6]); err != nil {
			return nil, err //nolint:wrapcheck // States wraps
		}
		s := keyState{key: recipient.Key(key)}
		for i, t := range stateTimes(&s.state) {
			*t = fromMicros(n[i])
		}
		out = append(out, s)
	}
	return out, rows.Err() //nolint:wrapcheck // States wraps
}

const suppressedFlags = 3 // of FlagBlocked and FlagOptedOut

// selectSuppressed walks along the keys: nothing but the bits is asked of flags,
// so no optimizer takes its index and sorts.
var selectSuppressed = "SELECT recipient_key, channel, address, erased_at, " + strings.Join(stateColumns[:], ", ") +
	" FROM recipients WHERE recipient_key > ? AND (flags & " + strconv.Itoa(suppressedFlags) + ") > 0 ORDER BY recipient_key LIMIT ?"

const maxSuppressed = 5000

// Suppressed lists the addresses that are blocked or opted out, in the order of
// their keys, from after a key on. An address that stays suppressed meanwhile
// is on exactly one of the pages. A limit of zero means 1000; a page that is
// shorter than the limit is the last.
func (db *DB) Suppressed(ctx context.Context, after recipient.Key, limit int) ([]Recipient, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = statesChunk
	}
	var rows []recipientRow
	if err := db.read.SelectContext(ctx, &rows, selectSuppressed, after[:], min(limit, maxSuppressed)); err != nil {
		return nil, wrap("list suppressed addresses", err)
	}
	out := make([]Recipient, len(rows))
	for i := range rows {
		out[i] = rows[i].recipient()
	}
	return out, nil
}

// KnownEvents says which of some fingerprints there are events of.
func (db *DB) KnownEvents(ctx context.Context, prints []recipient.Fingerprint) (map[recipient.Fingerprint]bool, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	out := map[recipient.Fingerprint]bool{}
	for some := range slices.Chunk(prints, statesChunk) {
		var rows []struct {
			Print []byte `db:"fingerprint"`
			At    int64  `db:"received_at"`
		}
		if err := db.read.SelectContext(ctx, &rows, selectKnown(some)); err != nil {
			return nil, wrap("look for events", err)
		}
		for _, r := range rows {
			out[recipient.Fingerprint(r.Print)] = true
		}
	}
	return out, nil
}

// eventRow is a row of events.
type eventRow struct {
	ID          int64          `db:"id"`
	Fingerprint []byte         `db:"fingerprint"`
	Key         []byte         `db:"recipient_key"`
	At          int64          `db:"at"`
	ReceivedAt  int64          `db:"received_at"`
	Kind        string         `db:"kind"`
	Echo        bool           `db:"echo"`
	Channel     string         `db:"channel"`
	Source      string         `db:"source"`
	Endpoint    sql.NullString `db:"endpoint"`
	EventID     sql.NullString `db:"event_id"`
	MessageID   sql.NullString `db:"message_id"`
	Code        sql.NullString `db:"code"`
	Rule        sql.NullString `db:"rule"`
	Detail      sql.NullString `db:"detail"`
	SendOut     sql.NullString `db:"send_out"`
	Actor       sql.NullString `db:"actor"`
	Evidence    sql.NullString `db:"evidence"`
	Address     sql.NullString `db:"address"` // of the feed only
}

func (r *eventRow) event() (StoredEvent, error) {
	e := recipient.Event{Kind: recipient.Kind(r.Kind), Echo: r.Echo, Channel: recipient.Channel(r.Channel), Key: recipient.Key(r.Key),
		At: fromMicros(r.At), ReceivedAt: fromMicros(r.ReceivedAt), Source: recipient.Source(r.Source), Endpoint: r.Endpoint.String,
		Fingerprint: recipient.Fingerprint(r.Fingerprint), EventID: r.EventID.String, MessageID: r.MessageID.String, Code: r.Code.String,
		Rule: r.Rule.String, Detail: r.Detail.String, SendOut: r.SendOut.String, Actor: r.Actor.String}
	e.Address = recipient.Stored(e.Channel, r.Address.String)
	if r.Evidence.Valid {
		if err := json.Unmarshal([]byte(r.Evidence.String), &e.Evidence); err != nil {
			return StoredEvent{}, fmt.Errorf("store: evidence of event %d: %w", r.ID, err)
		}
	}
	return StoredEvent{ID: r.ID, Event: e}, nil
}

func storedEvents(rows []eventRow) ([]StoredEvent, error) {
	out := make([]StoredEvent, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].event(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func selectByPrint(prints []recipient.Fingerprint) string {
	b := append([]byte("SELECT id, "+eventColumns+" FROM events WHERE fingerprint IN ("), keyList(nil, prints)...)
	return string(append(b, ')'))
}

// eventsByPrint returns the events that exist of some fingerprints.
func (db *DB) eventsByPrint(ctx context.Context, q sqlx.QueryerContext, prints []recipient.Fingerprint) (map[recipient.Fingerprint]*recipient.Event, error) {
	if len(prints) == 0 {
		return nil, nil
	}
	var rows []eventRow
	if err := sqlx.SelectContext(ctx, q, &rows, selectByPrint(prints)); err != nil {
		return nil, err //nolint:wrapcheck // the caller wraps
	}
	stored, err := storedEvents(rows)
	if err != nil {
		return nil, err
	}
	out := make(map[recipient.Fingerprint]*recipient.Event, len(stored))
	for i := range stored {
		out[stored[i].Fingerprint] = &stored[i].Event
	}
	return out, nil
}

const (
	defaultHistory = 100
	maxHistory     = 10_000
)

const selectHistory = "SELECT id, " + eventColumns + " FROM events WHERE recipient_key = ? AND at <= ? AND (at < ? OR id < ?) ORDER BY at DESC, id DESC LIMIT ?"

// History returns the events of an address, newest first, and the "before" of
// the next page; empty when there is none.
func (db *DB) History(ctx context.Context, key recipient.Key, limit int, before string) ([]StoredEvent, string, error) {
	return db.Histories(ctx, []recipient.Key{key}, limit, before)
}

// Histories is the History of several addresses as one.
func (db *DB) Histories(ctx context.Context, keys []recipient.Key, limit int, before string) ([]StoredEvent, string, error) {
	if err := db.ready(ctx); err != nil {
		return nil, "", err
	}
	if limit <= 0 {
		limit = defaultHistory
	}
	limit = min(limit, maxHistory)
	var at, id int64 = 1<<63 - 1, 1<<63 - 1
	if before != "" {
		a, i, _ := strings.Cut(before, "-")
		var err1, err2 error
		at, err1 = strconv.ParseInt(a, 10, 64)
		id, err2 = strconv.ParseInt(i, 10, 64)
		if err1 != nil || err2 != nil {
			return nil, "", fmt.Errorf("%w cursor: before", ErrInvalid)
		}
	}
	// One range of the index each, merged: asked for both at once, the database
	// would sort.
	var rows []eventRow
	for _, key := range keys {
		var some []eventRow
		if err := db.read.SelectContext(ctx, &some, selectHistory, key[:], at, at, id, limit+1); err != nil {
			return nil, "", wrap("read a history", err)
		}
		rows = append(rows, some...)
	}
	if len(keys) > 1 {
		slices.SortFunc(rows, func(a, b eventRow) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID)) })
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = fmt.Sprintf("%d-%d", last.At, last.ID)
	}
	out, err := storedEvents(rows)
	return out, next, err
}
