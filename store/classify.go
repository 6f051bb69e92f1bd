package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// failure says what a database's error means for a transaction.
type failure int

const (
	fine      failure = iota
	duplicate         // a unique key exists already
	conflict          // a deadlock or a lock wait: repeat the whole transaction
	poison            // the database will never take one of the rows
	lost              // the connection broke: the outcome is unknown
	away              // the database takes nothing now; nothing was done
	strange           // anything else
)

// awayNumbers are MySQL's errors that say "not now" or "not to you": no row is
// to blame. 1047 is what a node of Galera says that has lost its cluster.
var awayNumbers = map[uint16]bool{
	1021: true, 1037: true, 1038: true, 1040: true, 1041: true, 1044: true, 1045: true, 1047: true, 1049: true, 1053: true, 1114: true, 1129: true,
	1130: true, 1142: true, 1146: true, 1054: true, 1203: true, 1226: true, 1290: true, 1317: true, 1792: true, 1836: true, 1927: true,
	1969: true, 3024: true, 3169: true, 4031: true, 1698: true, 1043: true, 1152: true, 1158: true, 1159: true, 1160: true, 1161: true,
}

func classify(err error) failure {
	if err == nil {
		return fine
	}
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return classifyMySQL(my)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return classifySQLite(lite.Code())
	}
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial", errors.Is(err, errMoved):
		return away
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, mysql.ErrInvalidConn), errors.As(err, &op), isTimeout(err):
		return lost
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return lost
	}
	return strange
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func classifyMySQL(e *mysql.MySQLError) failure {
	switch e.Number {
	case 1062, 1586:
		return duplicate
	case 1205, 1213, 1020, 3572, 1180: // 1020: MariaDB's innodb_snapshot_isolation; 1180: an error during COMMIT
		return conflict
	case 1366, 1364, 1265, 3819, 1153, 1118, 1105, 1406, 1264, 1292:
		return poison
	}
	if awayNumbers[e.Number] {
		return away
	}
	switch string(e.SQLState[:2]) {
	case "22", "23", "45": // data, integrity, and a trigger's SIGNAL
		return poison
	case "40":
		return conflict
	}
	return strange
}

func classifySQLite(code int) failure {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return duplicate
	}
	switch code & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return poison
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return conflict
	case sqlite3.SQLITE_INTERRUPT:
		return lost
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM:
		return away
	}
	return strange
}

// RowAtFault reports whether what was to be stored may be to blame for an
// error, and not the database: then the same call can fail for ever while
// others succeed.
func RowAtFault(err error) bool {
	if err == nil || errors.Is(err, ErrWrongAddressKey) {
		return false
	}
	var my *mysql.MySQLError
	var lite *sqlite.Error
	return !errors.Is(err, ErrUnavailable) || (errors.As(err, &my) || errors.As(err, &lite)) && classify(err) == strange
}

// ours are the errors that pass through unchanged.
var ours = []error{ErrNotFound, ErrUnavailable, ErrConsent, ErrQuarantineFull, ErrRequestsFull, ErrWrongAddressKey, ErrRetention, ErrExists, ErrChanged, ErrInvalid}

// wrap says what was tried when it failed, and makes ErrUnavailable of all
// that may pass.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	var shared *SharedError
	var undo *UndoError
	if errors.As(err, &shared) || errors.As(err, &undo) {
		return err
	}
	for _, o := range ours {
		if errors.Is(err, o) {
			return err
		}
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case missingTable(err):
		return fmt.Errorf("%w (%s)", ErrNotMigrated, what)
	}
	switch classify(err) {
	case poison, duplicate, strange:
		return fmt.Errorf("store: %s: %w", what, discreet(err))
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, discreet(err))
}

// missingTable recognises a database that was never migrated.
func missingTable(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return my.Number == 1146
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && strings.Contains(lite.Error(), "no such table")
}

// discreetError hides a message that may quote a row, but keeps the chain.
type discreetError struct {
	err  error
	text string
}

func (e *discreetError) Error() string { return e.text }
func (e *discreetError) Unwrap() error { return e.err }

// discreet makes an error fit for logs: MySQL quotes values in messages about
// rows and parts of the statement in those about syntax.
func discreet(err error) error {
	var my *mysql.MySQLError
	if !errors.As(err, &my) || classifyMySQL(my) == away || classifyMySQL(my) == conflict {
		return err
	}
	return &discreetError{err: err, text: fmt.Sprintf("MySQL error %d (%s)", my.Number, my.SQLState[:])}
}
