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

// shards is the most committers there are. While one waits for the disk, the
// other builds its batch.
const shards = 2

// wideAt is the number of queued events that wakes the second committer. Below
// it, one batch is better than two halves; at 64 connections two take 16 % more
// than one, at 256 connections 26 % more, at the same p99.
const wideAt = 24

// queue holds the parts that wait or are being written. It is bounded by events
// and bytes; one endpoint may hold half of it, so that a flood from one provider
// does not shut out the others.
type queue struct {
	limit load
	wide  bool // a second committer is allowed

	mu      sync.Mutex
	parts   [shards][]*part
	wake    [shards]chan struct{}
	total   load
	share   map[string]load
	spread  bool // new parts are split by key between the shards
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
	if q.wide && q.total.events > wideAt {
		q.spread = true
	}
	n := 1
	if q.spread {
		n = shards
	}
	for i, ps := range split(n) {
		if len(ps) == 0 {
			continue
		}
		q.parts[i] = append(q.parts[i], ps...)
		select {
		case q.wake[i] <- struct{}{}:
		default:
		}
	}
	q.changed(q.total)
	return nil
}

// take waits for parts of a shard and returns what queued up, at most max, or
// nothing when the queue is closed and empty. Parts that nobody waits for any
// more come back in dropped.
func (q *queue) take(shard int, most load) (batch, dropped []*part, ok bool) {
	for {
		q.mu.Lock()
		var l load
		taken := 0
		for _, p := range q.parts[shard] {
			if len(batch) > 0 && (l.events+len(p.entries) > most.events || l.bytes+p.bytes > most.bytes) {
				break
			}
			taken++
			if p.job.ctx.Err() != nil {
				dropped = append(dropped, p)
				continue
			}
			l.add(len(p.entries), p.bytes)
			batch = append(batch, p)
		}
		rest := copy(q.parts[shard], q.parts[shard][taken:])
		clear(q.parts[shard][rest:])
		q.parts[shard] = q.parts[shard][:rest]
		closed := q.closed
		q.mu.Unlock()
		if taken > 0 {
			return batch, dropped, true
		}
		if closed {
			return nil, nil, false
		}
		<-q.wake[shard]
	}
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
	if q.total.events == 0 {
		q.spread = false
	}
	q.changed(q.total)
}

// drain empties a shard.
func (q *queue) drain(shard int) []*part {
	q.mu.Lock()
	defer q.mu.Unlock()
	parts := q.parts[shard]
	q.parts[shard] = nil
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
	if q.closed {
		return
	}
	q.closed = true
	for i := range q.wake {
		select {
		case q.wake[i] <- struct{}{}:
		default:
		}
	}
}
