package store

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"
)

// mysqlSettings are the variables that decide about durability and times. Those
// that a server does not have are left out.
var mysqlSettings = []string{"version", "version_comment", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "innodb_doublewrite", "time_zone", "sql_mode",
	"max_allowed_packet", "innodb_lock_wait_timeout", "innodb_autoinc_lock_mode", "innodb_buffer_pool_size", "max_connections", "wait_timeout", "binlog_format",
	"read_only", "character_set_connection", "transaction_isolation", "tx_isolation"}

// sqliteSettings are pragmas.
var sqliteSettings = []string{"journal_mode", "synchronous", "busy_timeout", "wal_autocheckpoint", "foreign_keys", "page_size", "encoding", "page_count"}

// Settings returns what the database is set to, for a look by an operator:
// variables by name, as our sessions see them. "kind" and "version" are always
// there.
func (db *DB) Settings(ctx context.Context) (map[string]string, error) {
	out := map[string]string{"kind": db.Kind()}
	if db.d.mysql {
		query, args, err := sqlx.In("SHOW VARIABLES WHERE Variable_name IN (?)", mysqlSettings)
		if err != nil {
			return nil, wrap("read settings", err)
		}
		var rows []struct {
			Name  string `db:"Variable_name"`
			Value string `db:"Value"`
		}
		if err := db.read.SelectContext(ctx, &rows, query, args...); err != nil {
			return nil, wrap("read settings", err)
		}
		for _, r := range rows {
			out[strings.ToLower(r.Name)] = r.Value
		}
		db.version.Store(out["version"])
		out["kind"] = db.Kind()
		return out, nil
	}
	var v string
	if err := db.read.GetContext(ctx, &v, "SELECT sqlite_version()"); err != nil {
		return nil, wrap("read settings", err)
	}
	out["version"] = v
	for _, p := range sqliteSettings {
		if err := db.write.GetContext(ctx, &v, "PRAGMA "+p); err != nil {
			return nil, wrap("read settings", err)
		}
		out[p] = v
	}
	return out, nil
}
