package templates

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// WatcherConfig is what a Watcher needs. All of it is optional.
type WatcherConfig struct {
	Options
	Dir    string           // the operator's folder, in place of Options.Folder; empty: there is none
	Every  time.Duration    // at most how often the folder is looked at; default 1 s
	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // told of changes and of folders that cannot be used; nil: nobody
}

// Watcher keeps the pages of a folder and notices when something in it
// changes, by looking at it when somebody asks: it runs nothing in the
// background and needs no closing. A folder that cannot be used changes
// nothing: the pages before stay.
type Watcher struct {
	cfg  WatcherConfig
	now  atomic.Pointer[generation]
	next atomic.Int64 // when to look again, Unix nanoseconds

	mu   sync.Mutex
	seen []fileMark // of the folder that was read last, good or bad
	err  error      // of that reading
}

// generation is the pages of now, and those that readers may still have open.
type generation struct {
	*Pages
	before []*Pages // the latest first
}

// maxBefore is how many former pages are remembered.
const maxBefore = 8

// fileMark tells whether a file has changed.
type fileMark struct {
	name string
	info fs.FileInfo
}

// NewWatcher reads the pages a first time and fails where New does.
func NewWatcher(c WatcherConfig) (*Watcher, error) {
	if c.Every <= 0 {
		c.Every = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	w := &Watcher{cfg: c}
	if c.Dir != "" {
		w.cfg.Folder = os.DirFS(c.Dir)
	}
	w.next.Store(c.Now().UnixNano() + int64(c.Every))
	w.reload()
	return w, w.Err()
}

// Pages returns the pages of now. It is cheap: an atomic load, and a look at
// the folder's files once each Every.
func (w *Watcher) Pages() *Pages {
	if w.cfg.Dir == "" {
		return w.now.Load().Pages
	}
	now := w.cfg.Now().UnixNano()
	if next := w.next.Load(); now >= next && w.next.CompareAndSwap(next, now+int64(w.cfg.Every)) {
		w.reload()
	}
	return w.now.Load().Pages
}

// Err returns why the folder as it is now cannot be used, nil when it is in
// use.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Asset returns a file that the pages of now, or former ones, refer to.
func (w *Watcher) Asset(path string) (Asset, bool) {
	w.Pages() // another replica may have shown the new ones first
	g := w.now.Load()
	for _, p := range append([]*Pages{g.Pages}, g.before...) {
		for _, a := range p.Assets() {
			if a.Path == path {
				return a, true
			}
		}
	}
	return Asset{}, false
}

// Shown returns the pages that somebody saw whose words have this version in
// this language; nil when they are none that this process remembers.
func (w *Watcher) Shown(lang, version string) *Pages {
	p := w.Pages()
	for _, p := range append([]*Pages{p}, w.now.Load().before...) {
		if p.languages.texts[lang] != nil && p.Version(lang) == version {
			return p
		}
	}
	return nil
}

func (w *Watcher) reload() {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Before reading: a change while we read is seen at the next look.
	marks, err := w.look()
	old := w.now.Load()
	if err == nil && w.seen != nil && slices.EqualFunc(marks, w.seen, sameFile) {
		return
	}
	var p *Pages
	if err == nil {
		w.seen = marks
		p, err = New(w.cfg.Options)
	}
	if err != nil {
		if w.cfg.Logger != nil && old != nil && (w.err == nil || w.err.Error() != err.Error()) {
			w.cfg.Logger.Error("cannot use the folder of the pages; the pages before stay", "err", err)
		}
		w.seen, w.err = marks, err
		return
	}
	g := &generation{Pages: p}
	if old != nil {
		g.before = append([]*Pages{old.Pages}, old.before[:min(len(old.before), maxBefore-1)]...)
	}
	w.now.Store(g)
	w.err = nil
	if w.cfg.Logger == nil {
		return
	}
	if old != nil {
		w.cfg.Logger.Info("the pages changed", "version", p.Version(p.fallback))
	}
	for _, s := range p.Unused() {
		w.cfg.Logger.Warn("the folder of the pages has a text that is never shown", "text", s)
	}
}

// look returns the marks of the files that New would read; none without a
// folder.
func (w *Watcher) look() ([]fileMark, error) {
	marks := []fileMark{}
	if w.cfg.Folder == nil {
		return marks, nil
	}
	for _, dir := range []string{".", "texts", "pages"} {
		if dir != "." && !slices.ContainsFunc(marks, func(m fileMark) bool { return m.name == dir }) {
			continue
		}
		names, err := visible(w.cfg.Folder, dir)
		if err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		for _, n := range names {
			name := path.Join(dir, n)
			info, err := fs.Stat(w.cfg.Folder, name)
			if err != nil {
				return nil, fmt.Errorf("templates: %s: cannot be read: %w", strings.TrimPrefix(name, "./"), err)
			}
			marks = append(marks, fileMark{name, info})
		}
	}
	return marks, nil
}

func sameFile(a, b fileMark) bool {
	if a.name != b.name || a.info.IsDir() != b.info.IsDir() {
		return false
	}
	return a.info.IsDir() || os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}
