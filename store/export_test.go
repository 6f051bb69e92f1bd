package store

import (
	"github.com/jmoiron/sqlx"
)

// SQL gives tests the general pool.
func SQL(db *DB) *sqlx.DB { return db.write }
