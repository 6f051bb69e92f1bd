package store

import (
	"context"
	"errors"
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

// plainSplit makes one part a shard with an equal share of the events.
func plainSplit(j *job, endpoint string, events int) func(int) [shards][]*part {
	return func(n int) (out [shards][]*part) {
		for i := range n {
			p := &part{job: j, endpoint: endpoint, entries: make([]entry, events/n), bytes: int64(events / n)}
			for e := range p.entries {
				p.entries[e].event = &recipient.Event{}
			}
			out[i] = append(out[i], p)
			j.parts++
		}
		return out
	}
}

func put(t *testing.T, q *queue, endpoint string, events int) {
	t.Helper()
	j := &job{ctx: context.Background(), done: make(chan struct{})}
	if err := q.add(endpoint, load{events, int64(events)}, plainSplit(j, endpoint, events)); err != nil {
		t.Fatal(err)
	}
}

// picked is what a committer would take now, in events; it counts as running.
func picked(q *queue, shard, most int) (events int) {
	batch, _ := q.pick(shard, load{most, 1 << 40})
	for _, p := range batch {
		events += len(p.entries)
	}
	if len(batch) > 0 {
		q.running++
	}
	return events
}

func testQueue(wide bool) *queue {
	return newQueue(load{100_000, 1 << 40}, wide, func(load) {})
}

func TestQueueSharesSmallJobs(t *testing.T) {
	q := testQueue(true)
	for range 5 {
		put(t, q, "a", 1)
	}
	if n := picked(q, 1, 2000); n != 5 {
		t.Fatalf("the first committer takes %d of 5", n)
	}
	put(t, q, "a", wideAt-1)
	if n := picked(q, 0, 2000); n != 0 {
		t.Fatalf("a second one takes %d while a transaction runs", n)
	}
	put(t, q, "a", 1)
	if n := picked(q, 0, 2000); n != wideAt {
		t.Fatalf("a second one takes %d, want %d", n, wideAt)
	}
	put(t, q, "a", 1)
	q.done()
	q.done()
	if n := picked(q, 0, 2000); n != 1 {
		t.Fatalf("one alone takes %d, want what there is", n)
	}
}

func TestQueueOneWriter(t *testing.T) {
	q := testQueue(false)
	put(t, q, "a", 10*splitAt)
	put(t, q, "a", 10*wideAt)
	if n := picked(q, 0, 100_000); n != 10*splitAt+10*wideAt {
		t.Fatalf("the only committer takes %d", n)
	}
	put(t, q, "a", 10*wideAt)
	if n := picked(q, 1, 100_000); n != 0 {
		t.Fatalf("a second one takes %d", n)
	}
}

func TestQueueSplitsLargeJobs(t *testing.T) {
	q := testQueue(true)
	put(t, q, "a", splitAt)
	if a, b := picked(q, 0, 2000), picked(q, 1, 2000); a != splitAt/2 || b != splitAt/2 {
		t.Fatalf("the committers take %d and %d", a, b)
	}
}

func TestQueueStarvesNobody(t *testing.T) {
	q := testQueue(true)
	put(t, q, "single", 1)
	left := func() bool { return q.waits > 0 }
	for try := 0; left(); try++ {
		put(t, q, "flood", 2000)
		if picked(q, 0, 1000) == 0 || try > 2 {
			t.Fatal("a flood of arrays keeps a single event out")
		}
		q.done()
	}
	q = testQueue(true)
	put(t, q, "array", splitAt)
	for try := 0; len(q.parts[1]) > 0; try++ {
		for range 10 {
			put(t, q, "flood", splitAt-1)
		}
		if picked(q, 1, splitAt) == 0 || try > 2 {
			t.Fatal("a flood of single events keeps an array out")
		}
		q.done()
	}
}

func TestQueueCloses(t *testing.T) {
	q := testQueue(true)
	put(t, q, "a", splitAt)
	put(t, q, "a", 1)
	q.running++
	q.close()
	j := &job{ctx: context.Background(), done: make(chan struct{})}
	if err := q.add("a", load{1, 1}, plainSplit(j, "a", 1)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a closed queue takes more: %v", err)
	}
	got := 0
	for shard := range shards {
		for {
			batch, _, ok := q.take(shard, load{2000, 1 << 40})
			if !ok {
				break
			}
			for _, p := range batch {
				got += len(p.entries)
			}
		}
	}
	if got != splitAt+1 {
		t.Errorf("%d events are written before the end, want %d", got, splitAt+1)
	}
}

func TestQueueDropsWhatNobodyWaitsFor(t *testing.T) {
	q := testQueue(true)
	ctx, cancel := context.WithCancel(t.Context())
	j := &job{ctx: ctx, done: make(chan struct{})}
	if err := q.add("a", load{3, 3}, plainSplit(j, "a", 3)); err != nil {
		t.Fatal(err)
	}
	cancel()
	put(t, q, "a", 2)
	batch, dropped := q.pick(0, load{2000, 1 << 40})
	if len(batch) != 1 || len(batch[0].entries) != 2 || len(dropped) != 1 || q.waits != 0 {
		t.Errorf("%d parts, %d dropped, %d events left", len(batch), len(dropped), q.waits)
	}
}

// Both committers are busy with arrays whose parts fill whole batches: a single
// event must come in all the same.
func TestQueueTakesSinglesAmongArrays(t *testing.T) {
	for name, part := range map[string]int{"full": 2000, "odd": 1000} {
		q := newQueue(load{10_000_000, 1 << 40}, true, func(load) {})
		q.running = 1 // the other committer writes an array
		put(t, q, "single", 1)
		for try := 0; q.waits > 0; try++ {
			if try == 6 {
				t.Errorf("%s: a flood of arrays keeps a single event out", name)
				break
			}
			for range 4 {
				put(t, q, "flood", 2*part)
			}
			if picked(q, try%2, 2000) == 0 {
				t.Fatal("nothing")
			}
			q.done() // and the other one begins the next at once
		}
	}
}

// The two committers end their batches by turns.
func TestQueueTakesTurnsByCommitter(t *testing.T) {
	q := newQueue(load{10_000_000, 1 << 40}, true, func(load) {})
	put(t, q, "array", splitAt)
	for range 3 {
		put(t, q, "flood", splitAt-1)
	}
	for try := 0; len(q.parts[0])+len(q.parts[1]) > 0; try++ {
		if try == 12 {
			t.Fatalf("a flood of single events keeps a part of an array out: %d %d", len(q.parts[0]), len(q.parts[1]))
		}
		for range 4 {
			put(t, q, "flood", splitAt-1)
		}
		picked(q, try%2, splitAt)
		q.done()
	}
}
