package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// Time limits of connections to MySQL. Without them a half-open connection
// hangs for ever.
const (
	dialTimeout = 3 * time.Second
	ioTimeout   = 30 * time.Second
)

// sessionSettings make a connection independent of the server's defaults: UTC,
// strict columns, lock waits that end before people give up, statements outside
// a transaction that are committed at once, a COMMIT that only commits, and
// changes and results of any size.
var sessionSettings = map[string]string{
	"autocommit":               "1",
	"completion_type":          "0",
	"sql_safe_updates":         "0",
	"sql_select_limit":         "18446744073709551615",
	"time_zone":                "'+00:00'",
	"sql_mode":                 "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
	"innodb_lock_wait_timeout": "10",
}

// pools are the connections to one database.
type pools struct {
	read  *sqlx.DB // statements that change nothing
	write *sqlx.DB // transactions
	batch *sql.DB  // generated text only: on MySQL it allows several statements at once
	texts *sqlx.DB // batch, for transactions that take turns with the server
}

func (p pools) close() error {
	var first error
	for i, db := range []*sql.DB{p.read.DB, p.write.DB, p.batch} {
		if i > 0 && db == p.read.DB || i > 1 && db == p.write.DB {
			continue // the same pool under another name
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// openPools opens the database that a Config names. It does not connect.
func openPools(c Config) (pools, dialect, error) {
	switch scheme, rest, _ := strings.Cut(c.URL, ":"); scheme {
	case "mysql":
		p, err := openMySQL(strings.TrimPrefix(rest, "//"), c.MaxOpenConns)
		return p, mysqlDialect, err
	case "sqlite":
		p, err := openSQLite(strings.TrimPrefix(rest, "//"), c.Bulk)
		return p, sqliteDialect, err
	}
	return pools{}, dialect{}, errScheme
}

// CheckURL says what is wrong with the URL of a database, and opens nothing.
// Its error, an ErrInvalid, names no part of the URL: it may hold a password.
func CheckURL(u string) error {
	scheme, rest, _ := strings.Cut(u, ":")
	rest = strings.TrimPrefix(rest, "//")
	switch scheme {
	case "mysql":
		_, err := mysqlConfig(rest)
		return err
	case "sqlite":
		return checkSQLite(rest)
	}
	return errScheme
}

var errScheme = fmt.Errorf("%w: the database URL must start with mysql:// or with sqlite: and a path", ErrInvalid)

// mysqlConfig reads the driver's DSN, or host:port where the driver wants
// tcp(host:port), and adds what we rely on. Its errors name no part of it: it
// holds a password.
func mysqlConfig(dsn string) (*mysql.Config, error) {
	if at, slash := strings.LastIndexByte(dsn, '@'), strings.LastIndexByte(dsn, '/'); slash > at && !strings.Contains(dsn[at+1:slash], "(") {
		dsn = dsn[:at+1] + "tcp(" + dsn[at+1:slash] + ")" + dsn[slash:]
	}
	c, err := mysql.ParseDSN(dsn)
	if err != nil || c.DBName == "" {
		return nil, fmt.Errorf("%w: the database URL is not mysql://user:password@tcp(host:3306)/name", ErrInvalid)
	}
	if c.AllowAllFiles || c.AllowCleartextPasswords || c.AllowFallbackToPlaintext || c.AllowOldPasswords || c.MultiStatements {
		return nil, fmt.Errorf("%w: the database URL sets an unsafe option (allowAllFiles, allowCleartextPasswords, allowFallbackToPlaintext, allowOldPasswords or multiStatements)", ErrInvalid)
	}
	c.ParseTime, c.ClientFoundRows, c.RejectReadOnly, c.InterpolateParams = true, true, true, false
	c.Loc, c.Logger = time.UTC, &mysql.NopLogger{}
	if c.Timeout == 0 {
		c.Timeout = dialTimeout
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = ioTimeout
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = ioTimeout
	}
	if c.ConnectionAttributes == "" {
		c.ConnectionAttributes = "program_name:strikeout"
	}
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	for k, v := range sessionSettings {
		c.Params[k] = v
	}
	if err := c.Apply(mysql.Charset("utf8mb4", ""), mysql.TimeTruncate(time.Microsecond)); err != nil {
		return nil, fmt.Errorf("store: mysql options: %w", err)
	}
	return c, nil
}

func openMySQL(dsn string, maxConns int) (pools, error) {
	c, err := mysqlConfig(dsn)
	if err != nil {
		return pools{}, err
	}
	open := func(multi bool, most int) (*sql.DB, error) {
		c := c.Clone()
		c.MultiStatements = multi
		inner, err := mysql.NewConnector(c)
		if err != nil {
			return nil, fmt.Errorf("%w: the database URL cannot be used", ErrInvalid)
		}
		db := sql.OpenDB(connector{inner})
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
		db.SetConnMaxLifetime(3 * time.Minute) // below wait_timeout and what proxies allow
		db.SetConnMaxIdleTime(time.Minute)
		return db, nil
	}
	general, err := open(false, maxConns)
	if err != nil {
		return pools{}, err
	}
	batch, err := open(true, batchConns)
	if err != nil {
		return pools{}, err
	}
	x := sqlx.NewDb(general, "mysql")
	return pools{read: x, write: x, batch: batch, texts: sqlx.NewDb(batch, "mysql")}, nil
}

// batchConns is enough for two committers, the acts and the feed.
const batchConns = 6

// connector sets the isolation level of each new connection. It is no DSN
// parameter because MySQL and MariaDB call the variable by different names.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // classified by its type
	}
	ex, ok := conn.(driver.ExecerContext)
	if !ok {
		_ = conn.Close()
		return nil, driver.ErrBadConn
	}
	if _, err := ex.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		_ = conn.Close()
		return nil, err //nolint:wrapcheck // classified by its type
	}
	return conn, nil
}

// sqlitePragmas: FULL because NORMAL may lose the last commits when the power
// fails; temporary data in memory, because a statement of many rows keeps copies
// of pages until its end.
const sqlitePragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(2)"

// The readers are several and do not share what they keep; what they miss is in
// the system's cache of files. Large checkpoints, because each costs a sync of
// the main file; in bulk even larger ones, because the keys of every transaction
// are all over the file.
const (
	sqliteWriter     = "&_pragma=wal_autocheckpoint(10000)&_pragma=cache_size(-16384)"
	sqliteReader     = "&_pragma=wal_autocheckpoint(10000)&_pragma=cache_size(-2048)"
	sqliteBulkWriter = "&_pragma=wal_autocheckpoint(50000)&_pragma=cache_size(-61440)"
)

// sqliteReaders bounds concurrent reads; they do not wait for the writer.
const sqliteReaders = 8

func checkSQLite(path string) error {
	if path == "" || strings.Contains(path, ":memory:") {
		return fmt.Errorf("%w: the database URL names no file: sqlite:path/to/file.db", ErrInvalid)
	}
	return nil
}

func openSQLite(path string, bulk bool) (pools, error) {
	if err := checkSQLite(path); err != nil {
		return pools{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return pools{}, fmt.Errorf("store: the folder of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return pools{}, fmt.Errorf("store: the database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return pools{}, fmt.Errorf("store: the database file: %w", err)
	}
	open := func(query string, most int) (*sql.DB, error) {
		u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query}
		c, err := sqlite.NewConnector(u.String())
		if err != nil {
			return nil, fmt.Errorf("store: open sqlite: %w", err)
		}
		db := sql.OpenDB(c)
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
		return db, nil
	}
	writer, reader := sqlitePragmas+sqliteWriter, sqlitePragmas+sqliteReader
	if bulk {
		fitPages(bulkPages)
		writer = sqlitePragmas + sqliteBulkWriter
	} else {
		fitPages(servicePages)
	}
	// One writer: SQLite allows one at a time, and a queue in Go is fairer than
	// its busy handler.
	write, err := open(writer+"&_txlock=immediate", 1)
	if err != nil {
		return pools{}, err
	}
	read, err := open(reader+"&_pragma=query_only(1)", sqliteReaders)
	if err != nil {
		return pools{}, err
	}
	x := sqlx.NewDb(write, "sqlite")
	return pools{read: sqlx.NewDb(read, "sqlite"), write: x, batch: write, texts: x}, nil
}
