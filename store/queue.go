package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/strikeout/strikeout/recipient"
)

// fate is what became of one event.
type fate int

const (
	waiting fate = iota
	stored
	known   // its fingerprint exists: it changed nothing
	refused // the database will never take it
	failed  // not now
)

// entry is one event on its way into the database.
type entry struct {
	event *recipient.Event
	fate  fate
	err   error // of a failed one
}

// job is one call of Record.
type job struct {
	ctx   context.Context //nolint:containedctx // who waits: work for nobody is dropped
	mu    sync.Mutex
	parts int // not finished yet
	out   Recorded
	err   error
	done  chan struct{}
}

// part is the share of a job that one committer writes in one transaction.
type part struct {
	job      *job
	endpoint string
	entries  []entry
	bytes    int64
}

// finish tells the job what became of a part.
func (p *part) finish() {
	j := p.job
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range p.entries {
		e := &p.entries[i]
		switch e.fate {
		case stored:
			j.out.Stored++
		case known:
			j.out.Duplicates++
		case refused:
			j.out.Refused = append(j.out.Refused, *e.event)
		default:
			if j.err == nil {
				if j.err = e.err; j.err == nil {
					j.err = ErrUnavailable
				}
			}
		}
	}
	if j.parts--; j.parts == 0 {
		close(j.done)
	}
}

func (p *part) fail(err error) {
	for i := range p.entries {
		p.entries[i].fate, p.entries[i].err = failed, err
	}
}

// load is a number of events and their bytes.
type load struct {
	events int
	bytes  int64
}

func (l *load) add(events int, bytes int64) { l.events += events; l.bytes += bytes }

// shards is the number of committers. While one waits for the disk, the other
// builds its batch.
const shards = 2

// wideAt is the number of queued events at which a second transaction runs beside
// the first. A transaction costs as much as ten events, so it should hold several
// times as many.
const wideAt = 32

// splitAt is the number of events from which a job is split by key between the
// committers, so that large transactions do not wait for one another's rows.
// Smaller jobs go to whichever committer comes first.
const splitAt = 100

// queue holds the parts that wait or are being written. It is bounded by events
// and bytes; one endpoint may hold half of it, so that a flood from one provider
// does not shut out the others.
type queue struct {
	limit load
	wide  bool // a second committer is allowed

	mu      sync.Mutex
	common  []*part         // of small jobs
	waits   int             // events in common
	parts   [shards][]*part // of large ones
	wake    [shards]chan struct{}
	running int          // transactions
	turn    [shards]bool // the common list is first
	total   load
	share   map[string]load
	closed  bool
	changed func(load)
}

func newQueue(limit load, wide bool, changed func(load)) *queue {
	q := &queue{limit: limit, wide: wide, share: map[string]load{}, changed: changed}
	for i := range q.wake {
		q.wake[i] = make(chan struct{}, 1)
	}
	return q
}

// add takes a job's parts, or says why not. Split makes the parts; it is called
// with the number of shards to spread them over.
func (q *queue) add(endpoint string, size load, split func(shards int) [shards][]*part) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return fmt.Errorf("%w: it is being closed", ErrUnavailable)
	}
	mine := q.share[endpoint]
	alone := q.total.events == 0 // whatever fits into memory once may pass when nothing else waits
	if !alone && (q.total.events+size.events > q.limit.events || q.total.bytes+size.bytes > q.limit.bytes) {
		return fmt.Errorf("%w: too much waits to be stored", ErrUnavailable)
	}
	if mine.events > 0 && (mine.events+size.events > q.limit.events/2 || mine.bytes+size.bytes > q.limit.bytes/2) {
		return fmt.Errorf("%w: too much of this endpoint waits to be stored", ErrUnavailable)
	}
	q.total.add(size.events, size.bytes)
	mine.add(size.events, size.bytes)
	q.share[endpoint] = mine
	if q.wide && size.events >= splitAt {
		for i, ps := range split(shards) {
			if len(ps) > 0 {
				q.parts[i] = append(q.parts[i], ps...)
				q.rouse(i)
			}
		}
	} else {
		q.common = append(q.common, split(1)[0]...)
		q.waits += size.events
		switch {
		case q.running == 0:
			q.rouse(0)
		case q.running < shards && q.mayShare():
			q.rouseAll()
		}
	}
	q.changed(q.total)
	return nil
}

// mayShare reports whether the common parts may be taken now.
func (q *queue) mayShare() bool {
	return q.running == 0 || q.closed || q.wide && q.waits >= wideAt
}

// rouse wakes a committer, once.
func (q *queue) rouse(shard int) {
	select {
	case q.wake[shard] <- struct{}{}:
	default:
	}
}

func (q *queue) rouseAll() {
	for i := range q.wake {
		q.rouse(i)
	}
}

// take waits for parts of a shard or of all, and returns what queued up, at most
// most, or nothing when the queue is closed and empty. Parts that nobody waits
// for any more come back in dropped. A batch counts as running until done.
func (q *queue) take(shard int, most load) (batch, dropped []*part, ok bool) {
	for {
		q.mu.Lock()
		batch, dropped = q.pick(shard, most)
		if len(batch) > 0 {
			q.running++
		}
		ended := q.closed
		q.mu.Unlock()
		if len(batch)+len(dropped) > 0 {
			return batch, dropped, true
		}
		if ended {
			return nil, nil, false
		}
		<-q.wake[shard]
	}
}

// pick takes from both lists. They take turns at being first, so that neither
// starves while the other fills every batch.
func (q *queue) pick(shard int, most load) (batch, dropped []*part) {
	var l load
	from := func(list []*part) ([]*part, int) {
		taken, events := 0, 0
		for _, p := range list {
			if len(batch) > 0 && (l.events+len(p.entries) > most.events || l.bytes+p.bytes > most.bytes) {
				break
			}
			taken++
			events += len(p.entries)
			if p.job.ctx.Err() != nil {
				dropped = append(dropped, p)
				continue
			}
			l.add(len(p.entries), p.bytes)
			batch = append(batch, p)
		}
		rest := copy(list, list[taken:])
		clear(list[rest:])
		return list[:rest], events
	}
	// What runs anyhow for the committer's own parts takes the common ones along.
	share := len(q.parts[shard]) > 0 || q.mayShare()
	common := q.turn[shard]
	for range 2 {
		if !common {
			q.parts[shard], _ = from(q.parts[shard])
		} else if share {
			var events int
			q.common, events = from(q.common)
			q.waits -= events
		}
		common = !common
	}
	q.turn[shard] = !common
	return batch, dropped
}

// done ends a running batch.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
}

// release gives the room of finished parts back.
func (q *queue) release(parts []*part) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range parts {
		q.total.add(-len(p.entries), -p.bytes)
		mine := q.share[p.endpoint]
		mine.add(-len(p.entries), -p.bytes)
		if mine.events == 0 {
			delete(q.share, p.endpoint)
		} else {
			q.share[p.endpoint] = mine
		}
	}
	q.changed(q.total)
}

// drain takes all that waits for a shard, and what waits for any.
func (q *queue) drain(shard int) []*part {
	q.mu.Lock()
	defer q.mu.Unlock()
	parts := append(q.parts[shard], q.common...)
	q.parts[shard], q.common, q.waits = nil, nil, 0
	return parts
}

// busy reports whether anything waits or is being written.
func (q *queue) busy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total.events > 0
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.rouseAll()
}
