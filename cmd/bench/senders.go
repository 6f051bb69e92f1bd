package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strikeout/strikeout/store/storebench"
)

// senders post events as providers do who never give up: what was not answered
// with 2xx, whatever the reason, is sent again. They remember what was
// acknowledged.
type senders struct {
	maker   *mgMaker
	addrs   []string     // of the service; each event goes to one of them, after a failure to the next
	twice   bool         // every event goes to every address
	only    atomic.Int64 // 1 + the one address that events go to from now on; 0: all of them
	mu      sync.Mutex
	acked   []int64 // ids
	repeats atomic.Int64
	stop    chan struct{}
	work    sync.WaitGroup
	failed  atomic.Value // error: what no provider would see
}

func (s *senders) start(ctx context.Context, workers int) {
	s.stop = make(chan struct{})
	for w := range workers {
		s.work.Go(func() { s.worker(ctx, w) })
	}
}

// addOnly sends everything to one address from now on.
func (s *senders) addOnly(i int) { s.only.Store(int64(i) + 1) }

// finish waits until everything that was begun is acknowledged.
func (s *senders) finish() error {
	close(s.stop)
	s.work.Wait()
	if err, ok := s.failed.Load().(error); ok {
		return err
	}
	return nil
}

func (s *senders) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}

// patience is how long an event may take, kills included.
const sendPatience = 3 * time.Minute

func (s *senders) worker(ctx context.Context, w int) {
	links := make([]*conn, len(s.addrs))
	defer func() {
		for _, c := range links {
			if c != nil {
				c.close()
			}
		}
	}()
	to := w % len(s.addrs)
	var buf []byte
	for {
		select {
		case <-s.stop:
			return
		case <-ctx.Done():
			return
		default:
		}
		id := s.maker.ids.take()
		buf = s.maker.request(buf[:0], id, s.maker.people.draw())
		wanted := 1
		if s.twice {
			wanted = len(s.addrs)
		}
		for end := time.Now().Add(sendPatience); wanted > 0; {
			if links[to] == nil {
				links[to], _ = dial(ctx, s.addrs[to])
			}
			status := 0
			if links[to] != nil {
				var err error
				if status, err = links[to].do(buf); err != nil {
					links[to].close()
					links[to], status = nil, 0
				}
			}
			switch {
			case status >= 200 && status <= 299:
				wanted--
			case status != 0 && status != 503:
				s.failed.Store(fmt.Errorf("the service answered %d", status))
				return
			case time.Now().After(end) || ctx.Err() != nil:
				s.failed.Store(fmt.Errorf("an event was not taken for %s", sendPatience))
				return
			default:
				s.repeats.Add(1)
				time.Sleep(20 * time.Millisecond)
			}
			if wanted > 0 {
				to = (to + 1) % len(s.addrs)
			}
			if only := int(s.only.Load()); only > 0 {
				to, wanted = only-1, min(wanted, 1)
			}
		}
		s.mu.Lock()
		s.acked = append(s.acked, id)
		s.mu.Unlock()
	}
}

// tally is what became of acknowledged events.
type tally struct{ acked, lost, twice, rows int }

// count compares what was acknowledged with the rows of a database.
func (s *senders) tally(ctx context.Context, url string) (t tally, err error) {
	db, err := storebench.Open(url, 1)
	if err != nil {
		return t, err //nolint:wrapcheck // it says what failed
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	have := map[string]int{}
	if err := db.Strings(ctx, "SELECT event_id FROM events", func(id string) { have[id]++ }); err != nil {
		return t, fmt.Errorf("read the events: %w", err)
	}
	t.acked = len(s.acked)
	for _, id := range s.acked {
		if have[eventID(id)] == 0 {
			t.lost++
		}
	}
	for _, n := range have {
		t.rows += n
		if n > 1 {
			t.twice++
		}
	}
	return t, nil
}

// fsck runs the program's own check; it fails when that finds anything.
func (e *bench) fsck(ctx context.Context, name, url string) (string, error) {
	folder, err := e.config(name, url, anyPort)
	if err != nil {
		return "", err
	}
	out, err := e.command(ctx, folder, nil, "fsck")
	return strings.TrimSpace(out), err
}
