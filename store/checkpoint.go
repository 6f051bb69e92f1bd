package store

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"
)

// checkpointEvery is how often SQLite's log is copied into the main file while
// acts are stored. The writer does that too, when much has come together, but
// then a commit takes as long as the copying: everybody waits for it.
const checkpointEvery = 100 * time.Millisecond

// checkpoints copies the log beside the writer. What it leaves is little.
type checkpoints struct {
	db    *sql.DB
	log   *slog.Logger
	wrote chan struct{}
	stop  context.CancelFunc
	work  sync.WaitGroup
}

func newCheckpoints(db *sql.DB, log *slog.Logger) *checkpoints {
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpoints{db: db, log: log, wrote: make(chan struct{}, 1), stop: stop}
	c.work.Go(func() { c.run(ctx) })
	return c
}

// committed says that something was written.
func (c *checkpoints) committed() {
	select {
	case c.wrote <- struct{}{}:
	default:
	}
}

func (c *checkpoints) run(ctx context.Context) {
	for {
		select {
		case <-c.wrote:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(checkpointEvery):
		case <-ctx.Done():
			return
		}
		if err := c.copyLog(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("cannot copy the log of the database", "err", err)
		}
	}
}

// copyLog copies what is committed. It is passive: it waits for nobody, and
// nobody for it.
func (c *checkpoints) copyLog(ctx context.Context) error {
	_, err := c.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return err //nolint:wrapcheck // it is only logged
}

func (c *checkpoints) close() {
	c.stop()
	c.work.Wait()
}
