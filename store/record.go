package store

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/strikeout/strikeout/recipient"
)

// Defaults of Config.
const (
	defaultQueueEvents = 50_000
	defaultQueueBytes  = 64 << 20
	defaultBatchEvents = 2000
	batchBytes         = 4 << 20 // of events: their statement is about twice as long, and max_allowed_packet is 16 MiB or more
)

// recorder is the road of webhooks: group commit. Whatever queued while the
// last transaction ran becomes the next one; there is no timer.
type recorder struct {
	db     *DB
	obs    Observer
	q      *queue
	batch  load
	recent recent
	down   atomic.Bool // the last transaction found the database away
	work   sync.WaitGroup
}

func newRecorder(db *DB, c Config) *recorder {
	limit := load{c.QueueEvents, c.QueueBytes}
	if limit.events <= 0 {
		limit.events = defaultQueueEvents
	}
	if limit.bytes <= 0 {
		limit.bytes = defaultQueueBytes
	}
	most := c.BatchEvents
	if most <= 0 {
		most = defaultBatchEvents
	}
	r := &recorder{db: db, obs: c.Observer, batch: load{most, batchBytes}}
	if !db.d.mysql && most > defaultBatchEvents { // there, no packet bounds a statement
		r.batch.bytes = batchBytes * int64(most) / defaultBatchEvents
	}
	if r.obs == nil {
		r.obs = silent{}
	}
	r.q = newQueue(limit, db.d.mysql, func(l load) { r.obs.Queued(l.events, l.bytes) })
	for shard := range shards {
		r.work.Go(func() { r.run(shard) })
	}
	return r
}

type silent struct{}

func (silent) Committed(int, int, time.Duration, error) {}
func (silent) Queued(int, int64)                        {}

// Record stores sealed events and joins the states of their addresses. It
// returns when they are durable; the events of many calls share a transaction.
// An event that is there already changes nothing and counts as a duplicate. An
// event that the database can never take costs only itself and comes back in
// Recorded.Refused. On an error (ErrUnavailable) some of the events may be
// stored; repeating the call is safe. No call waits longer than its context; the
// events may be read after that, so nobody may change them.
// One call should bring far fewer events than Config.QueueEvents: half of that
// is one endpoint's share.
func (db *DB) Record(ctx context.Context, events []recipient.Event) (Recorded, error) {
	if len(events) == 0 {
		return Recorded{}, nil
	}
	if err := db.ready(ctx); err != nil {
		return Recorded{}, err
	}
	return db.record.record(ctx, events)
}

func (r *recorder) record(ctx context.Context, events []recipient.Event) (Recorded, error) {
	j := &job{ctx: ctx, done: make(chan struct{})}
	size := load{}
	good := events
	for i := range events {
		e := &events[i]
		switch {
		case checkEvent(e) != nil:
			if j.out.Refused == nil {
				good = slices.Clone(events[:i])
			}
			j.out.Refused = append(j.out.Refused, *e)
			continue
		case j.out.Refused != nil:
			good = append(good, *e)
		}
		size.add(1, eventBytes(e))
	}
	if len(good) == 0 {
		return j.out, nil
	}
	// While the database is away one call at a time finds out whether it is back;
	// the others need not wait for the answer.
	if r.down.Load() && r.q.busy() {
		return Recorded{}, fmt.Errorf("%w: it did not answer just now", ErrUnavailable)
	}
	endpoint := good[0].Endpoint
	if err := r.q.add(endpoint, size, func(n int) [shards][]*part { return r.split(j, endpoint, good, n) }); err != nil {
		return Recorded{}, err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return Recorded{}, fmt.Errorf("%w: not stored in time: %w", ErrUnavailable, ctx.Err())
	}
	return j.out, j.err
}

// split makes the parts of a job: none larger than a batch, each of the keys of
// one shard.
func (r *recorder) split(j *job, endpoint string, events []recipient.Event, n int) [shards][]*part {
	var out [shards][]*part
	for i := range events {
		e := &events[i]
		s := int(e.Key[0]) % n
		size := eventBytes(e)
		last := len(out[s]) - 1
		if last < 0 || len(out[s][last].entries) >= r.batch.events || out[s][last].bytes+size > r.batch.bytes {
			out[s] = append(out[s], &part{job: j, endpoint: endpoint})
			last++
			j.parts++
		}
		p := out[s][last]
		p.entries = append(p.entries, entry{event: e})
		p.bytes += size
	}
	return out
}

// run is one committer.
func (r *recorder) run(shard int) {
	w := newBatchWriter(r.db, &r.recent)
	for {
		// Those whose events were just stored are about to bring the next ones: let
		// them, or the next transaction holds the quickest one's alone.
		runtime.Gosched()
		parts, dropped, ok := r.q.take(shard, r.batch)
		if !ok {
			return
		}
		for _, p := range dropped {
			p.fail(ErrUnavailable) // nobody listens
		}
		r.finish(dropped)
		if len(parts) == 0 {
			continue
		}
		r.commit(w, shard, parts)
		r.q.done()
	}
}

func (r *recorder) finish(parts []*part) {
	r.q.release(parts)
	for _, p := range parts {
		p.finish()
	}
}

// batchTimeout ends a transaction that hangs on a half-dead server.
const batchTimeout = 2 * ioTimeout

// commit writes parts as one transaction, or as several when something is
// wrong with one of their rows.
func (r *recorder) commit(w *batchWriter, shard int, parts []*part) {
	began := time.Now()
	n := 0
	for _, p := range parts {
		n += len(p.entries)
	}
	all := make([]*entry, 0, n)
	for _, p := range parts {
		for i := range p.entries {
			all = append(all, &p.entries[i])
		}
	}
	batch, twins := arrange(all)
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	err := w.write(ctx, batch)
	cancel()
	for _, t := range twins {
		if t.twin.fate = t.first.fate; t.twin.fate == stored {
			t.twin.fate = known
		}
		t.twin.err = t.first.err
	}
	written, dups := 0, 0
	for _, e := range all {
		switch e.fate {
		case stored:
			written++
		case known:
			dups++
		}
	}
	r.recent.note(batch)
	f := classify(err)
	down := err != nil && (f == away || f == lost)
	r.down.Store(down)
	r.obs.Committed(written, dups, time.Since(began), err)
	if err != nil {
		r.db.log.Error("cannot store events", "events", n, "err", err)
	}
	if down { // those who wait now need not; who comes after the answer asks anew
		for _, p := range r.q.drain(shard) {
			p.fail(fmt.Errorf("%w: it did not answer just now", ErrUnavailable))
			parts = append(parts, p)
		}
	}
	r.finish(parts)
}

// twin is an event that is in the batch twice.
type twin struct{ twin, first *entry }

// arrange sorts entries by key, so that transactions lock rows in one order,
// and takes out those that are there twice.
func arrange(all []*entry) (batch []*entry, twins []twin) {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *entry) int {
		if c := a.event.Key.Compare(b.event.Key); c != 0 {
			return c
		}
		return bytes.Compare(a.event.Fingerprint[:], b.event.Fingerprint[:])
	})
	batch = sorted[:0]
	for _, e := range sorted {
		if n := len(batch); n > 0 && batch[n-1].event.Fingerprint == e.event.Fingerprint {
			twins = append(twins, twin{e, batch[n-1]})
			continue
		}
		batch = append(batch, e)
	}
	return batch, twins
}

func (r *recorder) close() {
	r.q.close()
	r.work.Wait()
}

// eventBytes estimates the memory of an event.
func eventBytes(e *recipient.Event) int64 {
	n := 700 + len(e.EventID) + len(e.MessageID) + len(e.Code) + len(e.Rule) + len(e.Detail) + len(e.SendOut) + len(e.Actor) + len(e.Address.Value())
	if !e.Evidence.IsZero() {
		n += 400 + len(e.Evidence.Text) + len(e.Evidence.Wording)
		if c := e.Evidence.Consent; c != nil {
			n += len(c.Wording) + len(c.Evidence)
		}
	}
	return int64(n)
}

// checkEvent refuses what no database should be asked to keep. Both databases
// refuse the same, whatever their own strictness.
func checkEvent(e *recipient.Event) error {
	switch {
	case e.Key.IsZero(), e.Fingerprint == recipient.Fingerprint{}:
		return fmt.Errorf("%w event: it is not sealed", ErrInvalid)
	case !e.Kind.Valid():
		return fmt.Errorf("%w event: kind", ErrInvalid)
	case !e.Channel.Valid():
		return fmt.Errorf("%w event: channel", ErrInvalid)
	case e.Source == "" || !slices.Contains(sources, e.Source):
		return fmt.Errorf("%w event: source", ErrInvalid)
	case !e.At.After(recipient.EchoAt), e.At.Year() > 9999, !e.ReceivedAt.After(recipient.EchoAt), e.ReceivedAt.Year() > 9999:
		return fmt.Errorf("%w event: time", ErrInvalid)
	case len(e.Address.Value()) > 320:
		return fmt.Errorf("%w event: address", ErrInvalid)
	}
	for _, f := range [...]struct {
		name, text string
		most       int
	}{
		{"endpoint", e.Endpoint, 128}, {"event_id", e.EventID, recipient.MaxIDBytes}, {"message_id", e.MessageID, recipient.MaxIDBytes},
		{"code", e.Code, recipient.MaxCodeBytes}, {"rule", e.Rule, recipient.MaxCodeBytes}, {"detail", e.Detail, recipient.MaxDetailBytes},
		{"send_out", e.SendOut, recipient.MaxCodeBytes}, {"actor", e.Actor, maxActorBytes}, {"address", e.Address.Value(), 320},
	} {
		if len(f.text) > f.most || !utf8.ValidString(f.text) {
			return fmt.Errorf("%w event: %s", ErrInvalid, f.name)
		}
	}
	if !e.Evidence.IsZero() {
		if n := len(evidenceText(e.Evidence)); n == 0 || n > maxEvidenceBytes {
			return fmt.Errorf("%w event: evidence", ErrInvalid)
		}
	}
	return nil
}

// CheckEvent reports whether no database would ever take an event: it is
// ErrInvalid then, and names the field.
func CheckEvent(e recipient.Event) error { return checkEvent(&e) }

const (
	maxActorBytes    = 191
	maxEvidenceBytes = 60_000 // a TEXT holds 65 535
)

var sources = []recipient.Source{recipient.FromProvider, recipient.FromLink, recipient.FromAdmin, recipient.FromAPI, recipient.FromImport, recipient.FromRule}
