package store

import "strings"

// dialect holds all that MySQL and SQLite disagree about.
type dialect struct {
	mysql bool
	// folder of the migrations
	folder string
	// later(a, b) is the greater of two columns.
	later string
	// conflict(key) begins the update half of an upsert; new(column) is the value
	// that the insert brought.
	conflict func(key string) string
	proposed func(column string) string
	// forUpdate locks the rows of a SELECT until the transaction ends. SQLite's
	// writers have the whole database from the beginning.
	forUpdate string
	// shareFeed makes a reader of the feed wait for this transaction. SQLite hands
	// out ids and commits in one order, so it needs none.
	shareFeed string
	// text writes a string literal.
	text func(b []byte, s string) []byte
}

// feedRow is the row of meta that writers of events lock in share mode.
const feedRow = "feed"

var mysqlDialect = dialect{
	mysql:     true,
	folder:    "migrations/mysql",
	later:     "GREATEST",
	conflict:  func(string) string { return " ON DUPLICATE KEY UPDATE " },
	proposed:  func(c string) string { return "VALUES(" + c + ")" },
	forUpdate: " FOR UPDATE",
	shareFeed: "SELECT 1 FROM meta WHERE name = '" + feedRow + "' LOCK IN SHARE MODE",
	text:      appendHex,
}

var sqliteDialect = dialect{
	folder:   "migrations/sqlite",
	later:    "max",
	conflict: func(key string) string { return " ON CONFLICT (" + key + ") DO UPDATE SET " },
	proposed: func(c string) string { return "excluded." + c },
	text:     appendCast,
}

// upsert completes "INSERT INTO t (...) VALUES (...)": the columns take the
// proposed values where the key exists.
func (d dialect) upsert(key string, columns ...string) string {
	sets := make([]string, len(columns))
	for i, c := range columns {
		sets[i] = c + " = " + d.proposed(c)
	}
	return d.conflict(key) + strings.Join(sets, ", ")
}

// stateColumns are the columns of recipient.State in the order of stateTimes.
var stateColumns = [7]string{"blocked_at", "unblocked_at", "opted_out_at", "complained_at", "opted_in_at", "soft_bounced_at", "delivered_at"}

// joinClause is the update half of the upsert of recipients, in pieces.
type joinClause struct {
	address string                    // it begins with this
	times   [len(stateColumns)]string // and goes on with those of the columns that the insert brings
}

// joinClause keeps the later time in each column, and the address that was
// known first unless the person was erased.
func (d dialect) joinClause() (j joinClause) {
	j.address = d.conflict("recipient_key") + "address = CASE WHEN recipients.erased_at > 0 THEN recipients.address ELSE COALESCE(recipients.address, " + d.proposed("address") + ") END"
	for i, c := range stateColumns {
		j.times[i] = ", " + c + " = " + d.later + "(recipients." + c + ", " + d.proposed(c) + ")"
	}
	return j
}

// appendTo writes the clause of an insert that brings some of the columns.
func (j joinClause) appendTo(b []byte, filled [len(stateColumns)]bool) []byte {
	b = append(b, j.address...)
	for i, text := range j.times {
		if filled[i] {
			b = append(b, text...)
		}
	}
	return b
}
