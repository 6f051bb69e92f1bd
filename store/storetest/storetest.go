package storetest

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // creates and drops databases

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/mariadbd"
)

// Each runs f on SQLite and on MariaDB or MySQL, in parallel subtests that are
// named after them. Open opens the subtest's own fresh database, migrated, and
// closes it at the end; opened twice, it is two processes on one database. It
// fills in what the Config leaves out: URL and Keyer.
func Each(t *testing.T, f func(t *testing.T, open func(store.Config) *store.DB)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": SQLite, "mariadb": MariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := url(t)
			f(t, func(c store.Config) *store.DB {
				t.Helper()
				if c.URL == "" {
					c.URL = u
				}
				return Open(t, c)
			})
		})
	}
}

// Open opens and migrates a database and closes it when the test ends.
func Open(t testing.TB, c store.Config) *store.DB {
	t.Helper()
	if c.Keyer == nil {
		c.Keyer = Keyer()
	}
	db, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return db
}

// Keyer has a fixed address key.
func Keyer() *recipient.Keyer {
	k, err := recipient.NewKeyer([]byte("test address key, 32 bytes or more"))
	if err != nil {
		panic(err)
	}
	return k
}

// SQLite returns the URL of a database file that does not exist yet.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "strikeout.db")
}

// Settle copies SQLite's log into the main file, all of it, so that the bytes of
// the file change from then on only when something is written.
func Settle(t testing.TB, url string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it has written nothing
	for deadline := time.Now().Add(time.Minute); ; {
		var busy, pages, copied int
		if err := db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied); err != nil {
			t.Fatalf("copy the log: %v", err)
		}
		if busy == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("somebody else copies the log without end")
		}
		runtime.Gosched() // the store copies by itself, and nobody waits for another's copying
	}
}

// shared is the server of this test binary.
var shared struct {
	sync.Mutex
	server *mariadbd.Server // kept: when its pipe is collected it ends
	dsn    string           // of the driver, without a database
	err    error
}

// MariaDB returns the URL of a fresh, empty database; it is dropped when the
// test ends.
func MariaDB(t testing.TB) string {
	t.Helper()
	shared.Lock()
	if shared.dsn == "" && shared.err == nil {
		shared.dsn, shared.err = serverDSN()
	}
	dsn, err := shared.dsn, shared.err
	shared.Unlock()
	if err != nil {
		t.Fatalf("no MariaDB or MySQL: %v", err)
	}
	return fresh(t, dsn)
}

func serverDSN() (string, error) {
	if url := os.Getenv("STRIKEOUT_TEST_DSN"); url != "" {
		dsn := strings.TrimPrefix(url, "mysql://")
		slash := strings.LastIndexByte(dsn, '/')
		return dsn[:slash+1], nil
	}
	dir, err := mariadbd.TempDir("")
	if err != nil {
		return "", err //nolint:wrapcheck // a test helper
	}
	s, err := mariadbd.New(dir, options...)
	if err != nil {
		return "", err //nolint:wrapcheck // a test helper
	}
	shared.server = s // runs until the binary ends
	return s.DSN(), nil
}

// fresh makes a database on a server that outlives the test.
func fresh(t testing.TB, dsn string) string {
	t.Helper()
	url := create(t, dsn)
	name := url[strings.LastIndexByte(url, '/')+1:]
	t.Cleanup(func() {
		if err := exec(dsn, "DROP DATABASE "+name); err != nil {
			t.Logf("drop a database: %v", err)
		}
	})
	return url
}

// create makes a database and returns its URL.
func create(t testing.TB, dsn string) string {
	t.Helper()
	var b [6]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	name := "strikeout_test_" + hex.EncodeToString(b[:])
	if err := exec(dsn, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	return "mysql://" + dsn + name
}

func exec(dsn, statement string) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err //nolint:wrapcheck // a test helper
	}
	defer db.Close() //nolint:errcheck // nothing was written
	_, err = db.Exec(statement)
	return err //nolint:wrapcheck // a test helper
}
