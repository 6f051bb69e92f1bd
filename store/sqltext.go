package store

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
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

// eventField is a column of text that most events leave empty, or have in common
// with the others of their list.
type eventField struct {
	column string
	text   func(e *recipient.Event) string
}

var eventFields = [...]eventField{
	{"kind", func(e *recipient.Event) string { return string(e.Kind) }},
	{"channel", func(e *recipient.Event) string { return string(e.Channel) }},
	{"source", func(e *recipient.Event) string { return string(e.Source) }},
	{"endpoint", func(e *recipient.Event) string { return e.Endpoint }},
	{"event_id", func(e *recipient.Event) string { return e.EventID }},
	{"message_id", func(e *recipient.Event) string { return e.MessageID }},
	{"code", func(e *recipient.Event) string { return e.Code }},
	{"rule", func(e *recipient.Event) string { return e.Rule }},
	{"detail", func(e *recipient.Event) string { return e.Detail }},
	{"send_out", func(e *recipient.Event) string { return e.SendOut }},
	{"actor", func(e *recipient.Event) string { return e.Actor }},
	{"evidence", func(e *recipient.Event) string { return evidenceText(e.Evidence) }},
}

// appendInsert writes the INSERT of events, without an end. Fields that none of
// them fills are NULL without being named: what a statement does not say need
// not be parsed.
func (d dialect) appendInsert(b []byte, events []*recipient.Event) []byte {
	fields := make([]eventField, 0, len(eventFields))
	b = append(b, "INSERT INTO events (fingerprint, recipient_key, at, received_at, echo"...)
	for _, f := range eventFields {
		if slices.ContainsFunc(events, func(e *recipient.Event) bool { return f.text(e) != "" }) {
			fields = append(fields, f)
			b = append(b, ", "...)
			b = append(b, f.column...)
		}
	}
	b = append(b, ") VALUES "...)
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
		if e.Echo {
			b = append(b, ",1"...)
		} else {
			b = append(b, ",0"...)
		}
		for _, f := range fields {
			b = d.optional(b, f.text(e))
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

// filledTimes says which columns of states any of some rows has.
func filledTimes(rows []stateRow) (filled [len(stateColumns)]bool) {
	for i := range rows {
		for c, t := range stateTimes(&rows[i].state) {
			filled[c] = filled[c] || !t.IsZero()
		}
	}
	return filled
}

// appendJoin writes the upsert of recipients, without an end. The rows are
// sorted by key, so that transactions do not deadlock one another. Times that no
// row has are left out: a new row has none then, and an old one keeps its own.
func (d dialect) appendJoin(b []byte, rows []stateRow) []byte {
	set := filledTimes(rows)
	b = append(b, "INSERT INTO recipients (recipient_key, channel, address"...)
	for c, name := range stateColumns {
		if set[c] {
			b = append(b, ", "...)
			b = append(b, name...)
		}
	}
	b = append(b, ") VALUES "...)
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
		for c, t := range stateTimes(&r.state) {
			if set[c] {
				b = append(b, ',')
				b = strconv.AppendInt(b, micros(*t), 10)
			}
		}
		b = append(b, ')')
	}
	if d.mysql {
		return mysqlJoin.appendTo(b, set)
	}
	return sqliteJoin.appendTo(b, set)
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
