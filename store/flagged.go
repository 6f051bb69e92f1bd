package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Flag is something that an administrator looks for in addresses.
type Flag string

// The flags. FlagSoftBouncing means that a soft bounce is the last that was
// heard of the address: nothing was delivered since.
const (
	FlagBlocked      Flag = "blocked"
	FlagOptedOut     Flag = "opted_out"
	FlagComplained   Flag = "complained"
	FlagSoftBouncing Flag = "soft_bouncing"
)

// Flags lists every flag. Its order is that of the bits in the column "flags",
// which the database computes from the times.
var Flags = []Flag{FlagBlocked, FlagOptedOut, FlagComplained, FlagSoftBouncing}

func (f Flag) bit() int { return 1 << slices.Index(Flags, f) }

// Valid reports whether f is one of Flags.
func (f Flag) Valid() bool { return slices.Contains(Flags, f) }

// Of reports whether the flag is set for an address.
func (f Flag) Of(s recipient.State) bool {
	switch f {
	case FlagBlocked:
		return s.Blocked()
	case FlagOptedOut:
		return s.OptedOut()
	case FlagComplained:
		return !s.ComplainedAt.IsZero() && !s.OptedInAt.After(s.ComplainedAt)
	case FlagSoftBouncing:
		return !s.SoftBouncedAt.IsZero() && s.DeliveredAt.Before(s.SoftBouncedAt)
	}
	return false
}

// selectFlagged walks backwards along the index of one combination of flags.
// "flags > 0" is what SQLite's partial index asks for.
func selectFlagged(flags int) string {
	return "SELECT recipient_key, channel, address, erased_at, " + strings.Join(stateColumns[:], ", ") + ", flagged_at FROM recipients WHERE flags = " + strconv.Itoa(flags) +
		" AND flags > 0 AND flagged_at <= ? AND (flagged_at < ? OR recipient_key < ?) ORDER BY flagged_at DESC, recipient_key DESC LIMIT ?"
}

type flaggedRow struct {
	recipientRow
	FlaggedAt int64 `db:"flagged_at"`
}

// Flagged lists the addresses that have a flag, those first of which something
// bad was heard last, and the cursor of the next page; empty at the end. A
// limit of zero means 50.
func (db *DB) Flagged(ctx context.Context, f Flag, limit int, after string) ([]Recipient, string, error) {
	if !f.Valid() {
		return nil, "", fmt.Errorf("%w flag", ErrInvalid)
	}
	if err := db.ready(ctx); err != nil {
		return nil, "", err
	}
	if limit <= 0 {
		limit = defaultContacts
	}
	limit = min(limit, maxContacts)
	at, key := int64(1)<<62, recipient.Key{}
	if after != "" {
		b, err := base64.RawURLEncoding.DecodeString(after)
		if err != nil || len(b) != 8+len(key) {
			return nil, "", fmt.Errorf("%w cursor: after", ErrInvalid)
		}
		at, key = int64(binary.BigEndian.Uint64(b)), recipient.Key(b[8:]) //nolint:gosec // a wrong number finds nothing
	}
	// A combination of flags is one range of the index, so the ranges are merged.
	var rows []flaggedRow
	for flags := 1; flags < 1<<len(Flags); flags++ {
		if flags&f.bit() == 0 {
			continue
		}
		var some []flaggedRow
		if err := db.read.SelectContext(ctx, &some, selectFlagged(flags), at, at, key[:], limit+1); err != nil {
			return nil, "", wrap("list addresses", err)
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b flaggedRow) int {
		if a.FlaggedAt != b.FlaggedAt {
			return cmp.Compare(b.FlaggedAt, a.FlaggedAt)
		}
		return strings.Compare(string(b.Key), string(a.Key))
	})
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(last.FlaggedAt)), last.Key...)) //nolint:gosec // times are positive
	}
	out := make([]Recipient, len(rows))
	for i := range rows {
		out[i] = rows[i].recipient()
	}
	return out, next, nil
}

// Limits of a search that looks at the addresses of what it finds.
const (
	scanPage  = 200
	scanPages = 10
)

// flaggedContacts searches contacts and keeps those that have an address with
// the flag. It looks at 2000 at most; the cursor then goes on behind them, even
// if none was kept. A page may hold more than the limit.
func (db *DB) flaggedContacts(ctx context.Context, q ContactQuery) ([]Contact, string, error) {
	f := q.Flag
	limit := q.Limit
	q.Flag, q.Limit = "", scanPage
	var out []Contact
	for range scanPages {
		page, next, err := db.Contacts(ctx, q)
		if err != nil {
			return nil, "", err
		}
		var keys []recipient.Key
		for _, c := range page {
			for _, k := range []recipient.Key{c.EmailKey, c.PhoneKey} {
				if !k.IsZero() {
					keys = append(keys, k)
				}
			}
		}
		states, err := db.States(ctx, keys)
		if err != nil {
			return nil, "", err
		}
		for _, c := range page {
			if f.Of(states[c.EmailKey]) || f.Of(states[c.PhoneKey]) {
				out = append(out, c)
			}
		}
		q.After = next
		if next == "" || len(out) >= limit {
			break
		}
	}
	return out, q.After, nil
}

// selectByKeys finds the contacts of some addresses on one channel.
func selectByKeys(column string, keys []recipient.Key) string {
	b := append([]byte(selectContacts+"WHERE c."+column+"_on = 1 AND c."+column+"_key IN ("), keyList(nil, keys)...)
	return string(append(b, ") LIMIT ?"...))
}

// ContactsAt returns the contacts that have any of some addresses, at most 1000
// on each channel.
func (db *DB) ContactsAt(ctx context.Context, keys []recipient.Key) (map[recipient.Key][]Contact, error) {
	out := map[recipient.Key][]Contact{}
	if len(keys) == 0 {
		return out, nil
	}
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	for _, column := range []string{"email", "phone"} {
		var rows []contactRow
		if err := db.read.SelectContext(ctx, &rows, selectByKeys(column, keys), maxSharing); err != nil {
			return nil, wrap("read the contacts of addresses", err)
		}
		for i := range rows {
			c := rows[i].contact()
			k := c.EmailKey
			if column == "phone" {
				k = c.PhoneKey
			}
			out[k] = append(out[k], c)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b Contact) int { return cmp.Compare(a.ID, b.ID) })
	}
	return out, nil
}

// ContactByID returns a contact by the number the store gave it, or ErrNotFound.
func (db *DB) ContactByID(ctx context.Context, id int64) (Contact, error) {
	if err := db.ready(ctx); err != nil {
		return Contact{}, err
	}
	var r contactRow
	if err := db.read.GetContext(ctx, &r, selectContacts+"WHERE c.id = ?", id); err != nil {
		return Contact{}, wrap("read a contact", err)
	}
	return r.contact(), nil
}

// Recipients returns those of some addresses that are known.
func (db *DB) Recipients(ctx context.Context, keys []recipient.Key) (map[recipient.Key]Recipient, error) {
	out := map[recipient.Key]Recipient{}
	if len(keys) == 0 {
		return out, nil
	}
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []recipientRow
	if err := db.read.SelectContext(ctx, &rows, selectRecipients+"IN ("+string(keyList(nil, keys))+")"); err != nil {
		return nil, wrap("read recipients", err)
	}
	for i := range rows {
		r := rows[i].recipient()
		out[r.Key] = r
	}
	return out, nil
}

// sharing counts the contacts of an address on its channel.
func sharing(c recipient.Channel) string {
	column := "email"
	if c == recipient.SMS {
		column = "phone"
	}
	return "SELECT COUNT(*) FROM contacts WHERE " + column + "_key = ? AND " + column + "_on = 1"
}

// Sharing returns how many contacts have an address.
func (db *DB) Sharing(ctx context.Context, c recipient.Channel, key recipient.Key) (int, error) {
	if err := db.ready(ctx); err != nil {
		return 0, err
	}
	n := 0
	err := db.read.GetContext(ctx, &n, sharing(c), key[:])
	return n, wrap("count the contacts of an address", err)
}

// Causes are the events that a state rests upon, each nil where there is none
// or where retention has taken it.
type Causes struct {
	Block, Unblock, OptOut, Complaint, OptIn, SoftBounce *StoredEvent
}

const (
	selectAt     = "SELECT id, " + eventColumns + " FROM events WHERE recipient_key = ? AND at IN (?, ?, ?, ?, ?, ?) ORDER BY at DESC, id DESC LIMIT 100"
	selectEchoes = "SELECT id, " + eventColumns + " FROM events WHERE recipient_key = ? AND echo = 1 ORDER BY at DESC, id DESC LIMIT 20"
	selectTold   = "SELECT id, " + eventColumns + " FROM events WHERE recipient_key = ? AND at >= ? AND source = 'provider' AND kind IN ('hard_bounce', 'complaint', 'opt_out') ORDER BY at DESC, id DESC LIMIT 100"
	selectEvent  = "SELECT id, " + eventColumns + " FROM events WHERE id = ?"
)

// Causes finds the events behind the state of an address.
func (db *DB) Causes(ctx context.Context, key recipient.Key, s recipient.State) (Causes, error) {
	var c Causes
	if err := db.ready(ctx); err != nil {
		return c, err
	}
	times := []time.Time{s.BlockedAt, s.UnblockedAt, s.OptedOutAt, s.ComplainedAt, s.OptedInAt, s.SoftBouncedAt}
	args := []any{key[:]}
	echo := false
	for _, t := range times {
		args = append(args, micros(t))
		echo = echo || t.Equal(recipient.EchoAt)
	}
	var rows []eventRow
	if err := db.read.SelectContext(ctx, &rows, selectAt, args...); err != nil {
		return c, wrap("read the causes of a state", err)
	}
	if echo {
		var echoes []eventRow
		if err := db.read.SelectContext(ctx, &echoes, selectEchoes, key[:]); err != nil {
			return c, wrap("read the causes of a state", err)
		}
		rows = append(rows, echoes...)
	}
	events, err := storedEvents(rows)
	if err != nil {
		return c, err
	}
	for i := range events {
		e := &events[i]
		for _, f := range []struct {
			to    **StoredEvent
			at    time.Time
			kinds []recipient.Kind
		}{
			{&c.Block, s.BlockedAt, []recipient.Kind{recipient.HardBounce, recipient.Block}},
			{&c.Unblock, s.UnblockedAt, []recipient.Kind{recipient.Unblock}},
			{&c.OptOut, s.OptedOutAt, []recipient.Kind{recipient.OptOut}},
			{&c.Complaint, s.ComplainedAt, []recipient.Kind{recipient.Complaint}},
			{&c.OptIn, s.OptedInAt, []recipient.Kind{recipient.OptIn}},
			{&c.SoftBounce, s.SoftBouncedAt, []recipient.Kind{recipient.SoftBounce}},
		} {
			if *f.to == nil && e.EffectiveAt().Equal(f.at) && slices.Contains(f.kinds, e.Kind) {
				*f.to = e
			}
		}
	}
	return c, nil
}

// Told returns what providers have told against an address since a time, the
// latest first: of each endpoint the last of each kind. Each of them may keep the
// address on a list of its own, also where something later weighs more here.
func (db *DB) Told(ctx context.Context, key recipient.Key, since time.Time) ([]StoredEvent, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []eventRow
	if err := db.read.SelectContext(ctx, &rows, selectTold, key[:], micros(since)); err != nil {
		return nil, wrap("read what providers told", err)
	}
	events, err := storedEvents(rows)
	seen := map[string]bool{}
	return slices.DeleteFunc(events, func(e StoredEvent) bool {
		again := seen[e.Endpoint+" "+string(e.Kind)]
		seen[e.Endpoint+" "+string(e.Kind)] = true
		return again
	}), err
}

// Event returns one event by its id, or ErrNotFound.
func (db *DB) Event(ctx context.Context, id int64) (StoredEvent, error) {
	if err := db.ready(ctx); err != nil {
		return StoredEvent{}, err
	}
	var r eventRow
	if err := db.read.GetContext(ctx, &r, selectEvent, id); err != nil {
		return StoredEvent{}, wrap("read an event", err)
	}
	return r.event()
}
