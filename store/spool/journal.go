package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/strikeout/strikeout/store"
)

// The names of segments: a number of nameDigits digits, then what it holds.
const (
	nameDigits = 20
	waiting    = ".spool"   // records that are not stored yet
	refused    = ".refused" // at least one record that the database would not take; tried again
	damaged    = ".damaged" // bytes that cannot be read; the rest of it is stored
)

// maxPending bounds the bytes that wait in memory for a slow disk.
const maxPending = 64 << 20

// lockWait is how long a start waits for the directory.
const lockWait = time.Second

// errFull: there is room again when something was replayed.
var errFull = errors.New("the spool is full")

// segment is one file.
type segment struct {
	number  uint64
	name    string // with its directory
	records int
	bytes   int64
	oldest  int64 // of the first record, microseconds
	// kept are the records, by their place, that the replay has stored. A segment
	// that is set aside for another record is tried again and again, and must not
	// bring back what somebody has dealt with since.
	kept map[int]bool
}

// journal is the directory: records are appended, synced in groups, read again
// from the oldest segment on, and deleted with it. One process uses it.
type journal struct {
	dir      string
	disk     disk
	limit    int64
	segBytes int64
	now      func() time.Time
	log      *slog.Logger
	arrived  chan struct{} // something waits
	wake     chan struct{}
	work     sync.WaitGroup
	locked   *os.File

	io     sync.Mutex // held while the open segment is written, changed or closed; before mu
	active *segment   // the last of queue, or nil
	file   file

	mu       sync.Mutex
	queue    []*segment // oldest first
	refused  []*segment
	damaged  []*segment
	number   uint64 // the last one given
	bytes    int64  // of all segments
	pending  []*write
	waitB    int64 // bytes of pending
	closed   bool
	failedAt time.Time // of the last append that failed; zero after one that did not
}

// write is one append that waits for its sync.
type write struct {
	frame []byte
	at    int64
	done  chan error
}

func openJournal(dir string, d disk, limit, segBytes int64, now func() time.Time, log *slog.Logger) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	f, err := lock(filepath.Join(dir, "lock"))
	for end := time.Now().Add(lockWait); errors.Is(err, ErrInUse) && time.Now().Before(end); {
		time.Sleep(lockWait / 20) // Inspect holds it for a moment
		f, err = lock(filepath.Join(dir, "lock"))
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %s: %w", dir, err)
	}
	j := &journal{dir: dir, disk: d, limit: limit, segBytes: segBytes, now: now, log: log, locked: f, arrived: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	if err := j.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), f.Close())
	}
	if len(j.queue) > 0 {
		signal(j.arrived)
	}
	j.work.Go(j.run)
	return j, nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// load takes up what an earlier process left. What it wrote last is never
// appended to: its end may be torn.
func (j *journal) load() error {
	found, err := list(j.dir)
	if err != nil {
		return err
	}
	for _, s := range found {
		j.number = max(j.number, s.number)
		switch filepath.Ext(s.name) {
		case refused:
			j.refused = append(j.refused, s)
		case damaged:
			j.damaged = append(j.damaged, s)
		default:
			data, err := j.disk.ReadFile(s.name)
			if err != nil {
				j.log.Error("cannot read a file of the spool", "file", s.name, "err", err)
			}
			c := newCursor(data)
			for f, ok := c.next(); ok; f, ok = c.next() {
				if s.records++; s.oldest == 0 {
					s.oldest = f.at
				}
			}
			if err == nil && s.records == 0 && c.damaged == 0 { // made, and nothing of it acknowledged
				if err := j.disk.Remove(s.name); err == nil {
					continue
				}
			}
			j.queue = append(j.queue, s)
		}
		j.bytes += s.bytes
	}
	return nil
}

// list returns the segments of a directory, oldest first, without their counts.
func list(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what for
	}
	var out []*segment
	for _, e := range entries {
		base, ext := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), filepath.Ext(e.Name())
		n, err := strconv.ParseUint(base, 10, 64)
		if err != nil || len(base) != nameDigits || !slices.Contains([]string{waiting, refused, damaged}, ext) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // stored meanwhile, by the process that uses it
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller says what for
		}
		out = append(out, &segment{number: n, name: filepath.Join(dir, e.Name()), bytes: info.Size()})
	}
	return out, nil
}

// append returns when a record is on disk. After an error it may be there all
// the same, and then it is stored one day: whoever repeats it does no harm.
func (j *journal) append(ctx context.Context, payload []byte) error {
	at := j.now().UnixMicro()
	w := &write{frame: appendFrame(nil, frame{at, payload}), at: at, done: make(chan error, 1)}
	size := int64(len(w.frame) + len(fileMagic)) // it may begin a file
	j.mu.Lock()
	var err error
	switch {
	case j.closed:
		err = fmt.Errorf("%w: the spool is being closed", store.ErrUnavailable)
	case j.bytes+j.waitB+size > j.limit:
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, errFull)
	case j.waitB > 0 && j.waitB+size > maxPending:
		err = fmt.Errorf("%w: too much waits for the spool's disk", store.ErrUnavailable)
	}
	if err != nil {
		j.mu.Unlock()
		j.note(err)
		return err
	}
	j.pending = append(j.pending, w)
	j.waitB += size
	j.mu.Unlock()
	signal(j.wake)
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: not spooled in time: %w", store.ErrUnavailable, ctx.Err())
	}
}

// note says once that the spool fails, and once that it works again.
func (j *journal) note(err error) {
	j.mu.Lock()
	was := !j.failedAt.IsZero()
	j.failedAt = time.Time{}
	if err != nil {
		j.failedAt = j.now()
	}
	closed := j.closed
	j.mu.Unlock()
	switch {
	case err != nil && !was && !closed:
		j.log.Error("the spool takes nothing now; providers are told to try again", "err", err)
	case err == nil && was:
		j.log.Info("the spool takes reports again")
	}
}

// run writes whatever queued up while the last sync ran, with one sync.
func (j *journal) run() {
	for {
		j.mu.Lock()
		batch, closed := j.pending, j.closed
		j.pending = nil
		j.mu.Unlock()
		if len(batch) == 0 {
			if closed {
				return
			}
			<-j.wake
			continue
		}
		err := j.write(batch)
		if err != nil { // a file that failed once is not trusted again; another may do
			err = j.write(batch)
		}
		if err != nil {
			err = fmt.Errorf("%w: spool: %w", store.ErrUnavailable, err)
		}
		var size int64
		for _, w := range batch {
			size += int64(len(w.frame) + len(fileMagic))
		}
		j.mu.Lock()
		j.waitB -= size
		j.mu.Unlock()
		j.note(err)
		for _, w := range batch {
			w.done <- err
		}
		if err == nil {
			signal(j.arrived)
		}
	}
}

// write appends a batch to the open segment, or to a fresh one, and syncs.
func (j *journal) write(batch []*write) error {
	j.io.Lock()
	defer j.io.Unlock()
	var b []byte
	for _, w := range batch {
		b = append(b, w.frame...)
	}
	if j.active != nil && j.active.records > 0 && j.active.bytes+int64(len(b)) > j.segBytes {
		j.retire(nil)
	}
	if j.active == nil {
		if err := j.create(); err != nil {
			return err
		}
	}
	_, err := j.file.Write(b)
	if err == nil {
		// Where this fails, the kernel may have dropped the pages and say so only
		// once: a second try would succeed and mean nothing.
		err = j.file.Sync()
	}
	if err != nil {
		j.retire(err)
		return err //nolint:wrapcheck // run wraps
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.active.records == 0 {
		j.active.oldest = batch[0].at
	}
	j.active.records += len(batch)
	j.active.bytes += int64(len(b))
	j.bytes += int64(len(b))
	return nil
}

// create begins a segment. The directory is synced before anything in it counts.
func (j *journal) create() error {
	j.mu.Lock()
	j.number++
	s := &segment{number: j.number, name: filepath.Join(j.dir, fmt.Sprintf("%0*d%s", nameDigits, j.number, waiting)), bytes: int64(len(fileMagic))}
	j.mu.Unlock()
	f, err := j.disk.Create(s.name)
	if err != nil {
		return err //nolint:wrapcheck // run wraps
	}
	if _, err = f.Write([]byte(fileMagic)); err == nil {
		err = j.disk.SyncDir(j.dir)
	}
	if err != nil {
		_ = f.Close()
		_ = j.disk.Remove(s.name)
		return err //nolint:wrapcheck // run wraps
	}
	j.active, j.file = s, f
	j.mu.Lock()
	j.queue = append(j.queue, s)
	j.bytes += s.bytes
	j.mu.Unlock()
	return nil
}

// retire closes the open segment for good. After a failure what was not
// acknowledged is cut off, as far as the disk lets us: should it stay, it is
// stored as well.
func (j *journal) retire(cause error) {
	s := j.active
	if cause != nil {
		_ = j.file.Truncate(s.bytes)
	}
	_ = j.file.Close() //nolint:errcheck // what counts was synced
	j.active, j.file = nil, nil
	if s.records == 0 {
		j.remove(s)
	}
}

// next returns the oldest segment that waits, nil when there is none. Nothing
// is appended to it any more.
func (j *journal) next() *segment {
	j.io.Lock()
	defer j.io.Unlock()
	j.mu.Lock()
	var s *segment
	if len(j.queue) > 0 {
		s = j.queue[0]
	}
	j.mu.Unlock()
	if s != nil && s == j.active {
		j.retire(nil)
	}
	return s
}

// remove deletes a segment that is stored. One that cannot be deleted is tried
// again with those that were refused; to store it again changes nothing.
func (j *journal) remove(s *segment) {
	if err := errors.Join(j.disk.Remove(s.name), j.disk.SyncDir(j.dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		j.log.Warn("cannot delete a file of the spool", "file", s.name, "err", err)
		j.move(s, &j.refused)
		return
	}
	j.move(s, nil)
}

// setAside keeps a segment under a name that says why.
func (j *journal) setAside(s *segment, why string) {
	to := strings.TrimSuffix(s.name, filepath.Ext(s.name)) + why
	if to != s.name {
		if err := errors.Join(j.disk.Rename(s.name, to), j.disk.SyncDir(j.dir)); err != nil {
			j.log.Warn("cannot rename a file of the spool", "file", s.name, "err", err)
		} else {
			s.name = to
		}
	}
	if why == damaged {
		j.move(s, &j.damaged)
	} else {
		j.move(s, &j.refused)
	}
}

// move takes a segment from its list to another; nil: it is gone.
func (j *journal) move(s *segment, to *[]*segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range []*[]*segment{&j.queue, &j.refused, &j.damaged} {
		if i := slices.Index(*l, s); i >= 0 {
			*l = slices.Delete(*l, i, i+1)
		}
	}
	if to == nil {
		j.bytes -= s.bytes
		return
	}
	*to = append(*to, s)
}

// close writes what is pending and lets go of the directory.
func (j *journal) close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	signal(j.wake)
	j.work.Wait()
	j.io.Lock()
	defer j.io.Unlock()
	if j.active != nil {
		j.retire(nil)
	}
	return j.locked.Close() //nolint:wrapcheck // it never fails
}
