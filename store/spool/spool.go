package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// ErrInUse says that another process uses the directory.
var ErrInUse = errors.New("another process uses this spool; each needs a directory of its own")

// Defaults of Config.
const (
	DefaultLimit    = 1 << 30
	defaultSegment  = 8 << 20
	defaultPatience = 2 * time.Second
)

// A link may be pressed pressesPerLink times while the database is away: the
// first press says all that there is to say, and one link must not fill a disk.
// So many links are counted at most.
const (
	pressesPerLink = 20
	linksCounted   = 100_000
)

// Config says where a spool is and what it stands before.
type Config struct {
	Dir   string // made when it is not there
	Limit int64  // bytes of all files; zero means DefaultLimit
	DB    *store.DB
	Keyer *recipient.Keyer
	// Patience is how long a call waits for the database before it is spooled;
	// zero means 2 s, which is less than any provider's.
	Patience time.Duration
	Now      func() time.Time // nil is time.Now
	Logger   *slog.Logger     // nil discards

	// For tests.
	segment int64
	disk    disk
	db      database
}

// database is what the spool itself calls.
type database interface {
	Record(ctx context.Context, events []recipient.Event) (store.Recorded, error)
	Click(ctx context.Context, c store.Click) (store.Outcome, error)
	Quarantine(ctx context.Context, h store.Held) error
	QuarantineOnce(ctx context.Context, h store.Held) error
	Person(ctx context.Context, c recipient.Channel, key recipient.Key) (store.Person, error)
	ErasedAt(ctx context.Context, keys []recipient.Key) (map[recipient.Key]time.Time, error)
}

// DB is a database with a spool before it. What has to be acknowledged before
// it may be forgotten (reports, clicks, requests for the quarantine) is spooled
// while the database takes nothing; everything else fails as it would without.
type DB struct {
	*store.DB
	db       database
	keyer    *recipient.Keyer
	now      func() time.Time
	log      *slog.Logger
	journal  *journal
	patience time.Duration

	away     atomic.Bool // the last replay failed: do not even ask
	pressing sync.Mutex
	presses  map[press]int // of links, since the spool was empty
	spooled  atomic.Int64
	replayed atomic.Int64
	stop     context.CancelFunc
	work     sync.WaitGroup
}

// Open takes the directory for this process and begins to store what an earlier
// one left there. The database need not be there.
func Open(c Config) (*DB, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Limit <= 0 {
		c.Limit = DefaultLimit
	}
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	if c.segment <= 0 {
		c.segment = defaultSegment
	}
	if c.disk == nil {
		c.disk = realDisk{}
	}
	if c.db == nil {
		c.db = c.DB
	}
	j, err := openJournal(c.Dir, c.disk, c.Limit, c.segment, c.Now, c.Logger)
	if err != nil {
		return nil, err
	}
	d := &DB{DB: c.DB, db: c.db, keyer: c.Keyer, now: c.Now, log: c.Logger, journal: j, patience: c.Patience}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.work.Go(func() { d.replay(ctx) })
	return d, nil
}

// Close ends the replay and lets go of the directory. What waits there stays
// for the next Open. The database is closed by its owner, afterwards.
func (d *DB) Close() error {
	d.stop()
	d.work.Wait()
	return d.journal.close()
}

// Record is that of the database. Events that it cannot take now are durable in
// the spool when Record returns, and counted as spooled.
func (d *DB) Record(ctx context.Context, events []recipient.Event) (store.Recorded, error) {
	spool := func() (store.Recorded, error) {
		var r store.Recorded
		good := make([]recipient.Event, 0, len(events))
		for _, e := range events {
			if store.CheckEvent(e) != nil {
				r.Refused = append(r.Refused, e)
				continue
			}
			good = append(good, e)
		}
		if len(good) == 0 {
			return r, nil
		}
		r.Spooled = len(good)
		return r, d.append(ctx, eventsRecord(good))
	}
	return either(ctx, d, spool, func(ctx context.Context) (store.Recorded, error) { return d.db.Record(ctx, events) })
}

// Click is that of the database. A click that it cannot take now is durable in
// the spool when Click returns, and its outcome is Spooled.
func (d *DB) Click(ctx context.Context, c store.Click) (store.Outcome, error) {
	late := click(c)
	if late.ReceivedAt.IsZero() {
		late.ReceivedAt = recipient.Micro(d.now())
	}
	return either(ctx, d,
		func() (store.Outcome, error) {
			if !d.press(c) {
				return store.Outcome{}, fmt.Errorf("%w: this link was pressed often, and that is kept", store.ErrUnavailable)
			}
			err := d.append(ctx, record{Click: &late})
			if err != nil && ctx.Err() == nil { // else it may be on the disk all the same
				d.unpress(c)
			}
			return store.Outcome{Spooled: true}, err
		},
		func(ctx context.Context) (store.Outcome, error) { return d.db.Click(ctx, c) })
}

// press is one link as it is pressed: whoever stops everything says more than
// whoever stopped one thing before.
type press struct {
	key        recipient.Key
	token      string
	everything bool
}

// press counts a click that is to be spooled; false: its link had its share.
func (d *DB) press(c store.Click) bool {
	d.pressing.Lock()
	defer d.pressing.Unlock()
	if d.presses == nil || len(d.presses) >= linksCounted {
		d.presses = map[press]int{}
	}
	p := press{c.Key, c.TokenID, c.Everything}
	d.presses[p]++
	return d.presses[p] <= pressesPerLink
}

// unpress takes back the count of a click that is not kept after all.
func (d *DB) unpress(c store.Click) {
	d.pressing.Lock()
	defer d.pressing.Unlock()
	if p := (press{c.Key, c.TokenID, c.Everything}); d.presses[p] > 0 {
		d.presses[p]--
	}
}

func (d *DB) forgetPresses() {
	d.pressing.Lock()
	defer d.pressing.Unlock()
	d.presses = nil
}

// Quarantine is that of the database, or spools.
func (d *DB) Quarantine(ctx context.Context, h store.Held) error {
	if len(h.Body) > store.MaxHeldBytes || h.Endpoint == "" { // never to be taken
		return d.db.Quarantine(ctx, h)
	}
	type none struct{}
	_, err := either(ctx, d,
		func() (none, error) { return none{}, d.append(ctx, record{Held: &h}) },
		func(ctx context.Context) (none, error) { return none{}, d.db.Quarantine(ctx, h) })
	return err
}

// either asks the database and, when that takes nothing now, the spool. While
// the database is known to be away the spool comes first; should that fail, the
// database may be back before the replay noticed.
func either[T any](ctx context.Context, d *DB, spool func() (T, error), ask func(context.Context) (T, error)) (T, error) {
	away := d.away.Load()
	if away {
		if out, err := spool(); err == nil || !errors.Is(err, store.ErrUnavailable) {
			return out, err
		}
	}
	patient, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	out, err := ask(patient)
	if err == nil || away || !errors.Is(err, store.ErrUnavailable) {
		return out, err
	}
	if kept, failed := spool(); failed == nil {
		return kept, nil
	}
	return out, err
}

func (d *DB) append(ctx context.Context, r record) error {
	payload, err := encode(r)
	if err != nil {
		return err
	}
	if err := d.journal.append(ctx, payload); err != nil {
		return err
	}
	d.spooled.Add(1)
	return nil
}
