package store

import (
	"context"
	"database/sql"
	"sync"
)

// kept holds the statements that every page and click needs. Each is prepared
// once on each connection: to read their text takes SQLite longer than to do
// them, and MySQL a round trip.
type kept struct {
	db *sql.DB
	mu sync.RWMutex
	by map[string]*sql.Stmt
}

func newKept(db *sql.DB) *kept { return &kept{db: db, by: map[string]*sql.Stmt{}} }

// query runs a statement that is always the same text: what is kept stays.
func (k *kept) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	k.mu.RLock()
	st := k.by[text]
	k.mu.RUnlock()
	if st == nil {
		fresh, err := k.db.PrepareContext(ctx, text)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps
		}
		k.mu.Lock()
		if st = k.by[text]; st == nil {
			st, k.by[text] = fresh, fresh
		} else {
			defer fresh.Close() //nolint:errcheck // another was faster
		}
		k.mu.Unlock()
	}
	return st.QueryContext(ctx, args...) //nolint:wrapcheck,sqlclosecheck // the caller wraps and closes
}
