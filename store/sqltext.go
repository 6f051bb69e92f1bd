package store

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// The statements of the hot paths are generated text: one round trip, no
// prepare, no limit of placeholders. Nothing but what this file writes goes
// into them, and it writes every string as hex. What comes by the thousand on
// SQLite goes another way (bulk.go).

const eventColumns = "fingerprint, recipient_key, at, received_at, kind, echo, channel, source, endpoint, event_id, message_id, code, rule, detail, send_out, actor, evidence"

func appendHex(b []byte, s string) []byte {
	b = append(b, 'x', '\'')
	b = hex.AppendEncode(b, []byte(s))
	return append(b, '\'')
}

// appendCast is appendHex for SQLite, where a hex literal is a blob. Plain
// words need no cast.
func appendCast(b []byte, s string) []byte {
	if plain(s) {
		b = append(b, '\'')
		b = append(b, s...)
		return append(b, '\'')
	}
	b = append(b, "CAST("...)
	b = appendHex(b, s)
	return append(b, " AS TEXT)"...)
}

// plain reports whether s holds nothing that could end a literal.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == ' ', c == '.', c == '_', c == '-', c == '@', c == '+', c == ':', c == '/', c == '<', c == '>', c == '=', c == ',':
		default:
			return false
		}
	}
	return true
}

func appendKey(b []byte, k [16]byte) []byte {
	b = append(b, 'x', '\'')
	b = hex.AppendEncode(b, k[:])
	return append(b, '\'')
}

// optional writes NULL for an empty string.
func (d dialect) optional(b []byte, s string) []byte {
	b = append(b, ',')
	if s == "" {
		return append(b, "NULL"...)
	}
	return d.text(b, s)
}

// keyList writes "x'..',x'..'" for IN.
func keyList[K ~[16]byte](b []byte, keys []K) []byte {
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendKey(b, k)
	}
	return b
}

// micros returns t as the tables keep it; zero for never.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the reverse of micros.
func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// appendInsert writes the INSERT of events, without an end.
func (d dialect) appendInsert(b []byte, events []*recipient.Event) []byte {
	b = append(b, "INSERT INTO events ("+eventColumns+") VALUES "...)
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '(')
		b = appendKey(b, e.Fingerprint)
		b = append(b, ',')
		b = appendKey(b, e.Key)
		b = append(b, ',')
		b = strconv.AppendInt(b, micros(e.At), 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, micros(e.ReceivedAt), 10)
		b = append(b, ',')
		b = d.text(b, string(e.Kind))
		if e.Echo {
			b = append(b, ",1,"...)
		} else {
			b = append(b, ",0,"...)
		}
		b = d.text(b, string(e.Channel))
		b = append(b, ',')
		b = d.text(b, string(e.Source))
		for _, s := range [...]string{e.Endpoint, e.EventID, e.MessageID, e.Code, e.Rule, e.Detail, e.SendOut, e.Actor, evidenceText(e.Evidence)} {
			b = d.optional(b, s)
		}
		b = append(b, ')')
	}
	return b
}

// evidenceText is the JSON of the evidence, empty for none.
func evidenceText(e recipient.Evidence) string {
	if e.IsZero() {
		return ""
	}
	t, err := json.Marshal(e)
	if err != nil {
		return "" // a time outside of RFC 3339; checkEvent refuses it before
	}
	return string(t)
}

// stateRow is what a transaction joins into one row of recipients.
type stateRow struct {
	key     recipient.Key
	channel recipient.Channel
	address recipient.Address
	state   recipient.State
}

// stateTimes lists the fields of a state in the order of stateColumns.
func stateTimes(s *recipient.State) [7]*time.Time {
	return [7]*time.Time{&s.BlockedAt, &s.UnblockedAt, &s.OptedOutAt, &s.ComplainedAt, &s.OptedInAt, &s.SoftBouncedAt, &s.DeliveredAt}
}

var recipientColumns = "recipient_key, channel, address, " + strings.Join(stateColumns[:], ", ")

// appendJoin writes the upsert of recipients, without an end. The rows are
// sorted by key, so that transactions do not deadlock one another.
func (d dialect) appendJoin(b []byte, rows []stateRow) []byte {
	b = append(b, "INSERT INTO recipients ("+recipientColumns+") VALUES "...)
	for i := range rows {
		r := &rows[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '(')
		b = appendKey(b, r.key)
		b = append(b, ',')
		b = d.text(b, string(r.channel))
		b = d.optional(b, r.address.Value())
		for _, t := range stateTimes(&r.state) {
			b = append(b, ',')
			b = strconv.AppendInt(b, micros(*t), 10)
		}
		b = append(b, ')')
	}
	if d.mysql {
		return append(b, mysqlJoin...)
	}
	return append(b, sqliteJoin...)
}

var mysqlJoin, sqliteJoin = mysqlDialect.joinClause(), sqliteDialect.joinClause()

// fold makes one row per address of events that are sorted by key.
func fold(events []*recipient.Event) []stateRow {
	rows := make([]stateRow, 0, len(events))
	for _, e := range events {
		if n := len(rows); n == 0 || rows[n-1].key != e.Key {
			rows = append(rows, stateRow{key: e.Key, channel: e.Channel})
		}
		r := &rows[len(rows)-1]
		r.state = r.state.With(*e)
		if r.address.IsZero() {
			r.address = e.Address
		}
	}
	return rows
}
