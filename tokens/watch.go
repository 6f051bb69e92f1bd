package tokens

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// WatcherConfig is what a Watcher needs. Only Path is required.
type WatcherConfig struct {
	Path   string
	Every  time.Duration    // at most how often the file is looked at; default 1 s
	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // told of changes and of files that cannot be used; nil: nobody
}

// Watcher keeps the ring of a keys file and notices when the file changes, by
// looking at it when somebody asks: it runs nothing in the background and
// needs no closing. A file that cannot be used changes nothing: links of the
// ring before keep working.
type Watcher struct {
	cfg  WatcherConfig
	ring atomic.Pointer[Ring]
	next atomic.Int64 // when to look again, Unix nanoseconds

	mu   sync.Mutex
	seen os.FileInfo // of the file that was read last, good or bad
	err  error       // of that reading
}

// NewWatcher reads the file a first time and fails where LoadRing does.
func NewWatcher(c WatcherConfig) (*Watcher, error) {
	if c.Every <= 0 {
		c.Every = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	w := &Watcher{cfg: c}
	if err := w.Reload(); err != nil {
		return nil, err
	}
	return w, nil
}

// Ring returns the current ring. It is cheap: an atomic load, and a look at
// the file's time and size once each Every.
func (w *Watcher) Ring() *Ring {
	now := w.cfg.Now().UnixNano()
	if next := w.next.Load(); now >= next && w.next.CompareAndSwap(next, now+int64(w.cfg.Every)) {
		w.reload(false)
	}
	return w.ring.Load()
}

// Err returns why the file as it is now cannot be used, nil when it is in use.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Reload reads the file now, changed or not.
func (w *Watcher) Reload() error {
	w.next.Store(w.cfg.Now().UnixNano() + int64(w.cfg.Every))
	w.reload(true)
	return w.Err()
}

func (w *Watcher) reload(always bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Before reading: a change while we read is seen at the next look.
	info, err := os.Stat(w.cfg.Path)
	if !always && err == nil && w.err == nil && same(info, w.seen) {
		return
	}
	var r *Ring
	if err == nil {
		r, err = LoadRing(w.cfg.Path)
	} else {
		err = fmt.Errorf("token keys: %w", err)
	}
	if err != nil {
		if w.cfg.Logger != nil && (w.err == nil || w.err.Error() != err.Error()) {
			w.cfg.Logger.Error("cannot use the file of token keys; the keys read before stay", "err", err)
		}
		w.err = err
		return
	}
	old := w.ring.Swap(r)
	if w.cfg.Logger != nil && (old != nil || w.err != nil) {
		w.cfg.Logger.Info("token keys changed", "keys", r.String())
	}
	w.seen, w.err = info, nil
}

func same(a, b os.FileInfo) bool {
	return b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// String lists the ids and states of the keys.
func (r *Ring) String() string {
	var b strings.Builder
	for i, k := range r.keys {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(k.ID + "=" + string(k.State))
	}
	return b.String()
}
