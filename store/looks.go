package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// look is one call of Person that waits for others' statements to end.
type look struct {
	channel recipient.Channel
	key     recipient.Key
	ctx     context.Context //nolint:containedctx // who waits: nobody is asked about for nobody
	out     Person
	err     error
	done    chan struct{}
}

// Limits of looks. What comes while so many statements run waits and is asked
// for together: a person of sixteen costs MySQL a tenth of one alone. SQLite
// gains nothing by that.
const (
	looksRunning = 2
	looksGroup   = 100
	looksTimeout = 10 * time.Second
)

// looks asks for persons: for each alone while little is asked, and for those
// who queued up meanwhile together, as clicks do that one commit stored.
type looks struct {
	db      *DB
	mu      sync.Mutex
	waiting []*look
	running int
	closed  bool
	work    sync.WaitGroup
}

func (l *looks) person(ctx context.Context, c recipient.Channel, key recipient.Key) (Person, error) {
	if !l.db.d.mysql {
		return l.db.person(ctx, c, key)
	}
	l.mu.Lock()
	if l.running < looksRunning {
		l.running++
		l.mu.Unlock()
		defer l.next()
		return l.db.person(ctx, c, key)
	}
	o := &look{channel: c, key: key, ctx: ctx, done: make(chan struct{})}
	l.waiting = append(l.waiting, o)
	l.mu.Unlock()
	select {
	case <-o.done:
		return o.out, o.err
	case <-ctx.Done():
		return Person{}, ctx.Err() //nolint:wrapcheck // Person wraps
	}
}

// next lets those who wait follow a statement that ended.
func (l *looks) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		for _, o := range l.waiting {
			o.err = fmt.Errorf("%w: it is being closed", ErrUnavailable)
			close(o.done)
		}
		l.waiting = nil
	}
	group := l.take()
	if len(group) == 0 {
		l.running--
		return
	}
	l.work.Go(func() {
		defer l.next()
		l.ask(group)
	})
}

// take returns the next ones of one channel.
func (l *looks) take() (group []*look) {
	rest := l.waiting[:0]
	for _, o := range l.waiting {
		switch {
		case o.ctx.Err() != nil:
		case len(group) == 0, len(group) < looksGroup && o.channel == group[0].channel:
			group = append(group, o)
		default:
			rest = append(rest, o)
		}
	}
	clear(l.waiting[len(rest):])
	l.waiting = rest
	return group
}

func (l *looks) ask(group []*look) {
	ctx, cancel := context.WithTimeout(context.Background(), looksTimeout)
	defer cancel()
	keys := make([]recipient.Key, len(group))
	for i, o := range group {
		keys[i] = o.key
	}
	found := map[recipient.Key]*Person{}
	n := 0
	rows, err := l.db.read.QueryContext(ctx, somePersons(group[0].channel, keys))
	if err == nil {
		n, err = readPersons(rows, found)
	}
	for _, o := range group {
		switch {
		case err == nil && n == maxSharing: // somebody's contacts may be missing
			o.out, o.err = l.db.person(o.ctx, o.channel, o.key)
		case err != nil:
			o.err = err
		case found[o.key] == nil:
			o.out.Key = o.key
		default:
			o.out = *found[o.key]
		}
		close(o.done)
	}
}

func (l *looks) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.work.Wait()
}
