package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations
var migrations embed.FS

// migrateWait is how long one process waits for another that migrates.
const migrateWait = 2 * time.Minute

// Migrate brings the tables up to date and returns the names of the migrations
// it applied. Several processes may call it at once.
func (db *DB) Migrate(ctx context.Context) ([]string, error) {
	unlock, err := db.lockMigrations(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	dir, err := fs.Sub(migrations, db.d.folder)
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	dialect := database.DialectSQLite3
	if db.d.mysql {
		dialect = database.DialectMySQL
	}
	p, err := goose.NewProvider(dialect, db.write.DB, dir, goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)) // a build between two releases may have had a later one only
	if err != nil {
		return nil, wrap("prepare the migrations", err)
	}
	results, err := p.Up(ctx)
	applied := make([]string, 0, len(results))
	for _, r := range results {
		if r.Error == nil {
			applied = append(applied, strings.TrimSuffix(r.Source.Path, ".sql"))
		}
	}
	if err != nil {
		return applied, wrap("migrate", err)
	}
	db.checked.Store(false)
	return applied, db.ready(ctx)
}

// lockMigrations keeps other processes out. SQLite's file lock does that for
// each migration already.
func (db *DB) lockMigrations(ctx context.Context) (func(), error) {
	if !db.d.mysql {
		return func() {}, nil
	}
	conn, err := db.read.Conn(ctx)
	if err != nil {
		return nil, wrap("migrate", err)
	}
	var got sql.NullInt64
	err = conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('strikeout ', LEFT(DATABASE(), 40)), ?)", int(migrateWait.Seconds())).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = fmt.Errorf("%w: another process migrates this database", ErrUnavailable)
	}
	if err != nil {
		_ = conn.Close()
		return nil, wrap("wait for another migration", err)
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK(CONCAT('strikeout ', LEFT(DATABASE(), 40)))")
		_ = conn.Close()
	}, nil
}

// Pending counts the migrations that the database still needs.
func (db *DB) Pending(ctx context.Context) (int, error) {
	if db.checked.Load() {
		// A newer program may have migrated on; that is not pending for us.
		return 0, wrap("ping", db.read.PingContext(ctx))
	}
	return db.pending(ctx)
}

func (db *DB) pending(ctx context.Context) (int, error) {
	var applied []int64
	err := db.read.SelectContext(ctx, &applied, "SELECT version_id FROM goose_db_version WHERE is_applied = 1")
	if err = wrap("read the version of the tables", err); err != nil && !errors.Is(err, ErrNotMigrated) {
		return 0, err
	}
	files, err := fs.ReadDir(migrations, db.d.folder)
	if err != nil {
		return 0, fmt.Errorf("store: migrations: %w", err)
	}
	n := 0
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		if v, err := strconv.ParseInt(number, 10, 64); err == nil && !slices.Contains(applied, v) {
			n++
		}
	}
	return n, nil
}
