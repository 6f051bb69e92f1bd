package templates

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// watched is a folder with a watcher whose clock the test turns.
type watched struct {
	*Watcher
	t   *testing.T
	dir string
	at  time.Time
	log bytes.Buffer
}

func watch(t *testing.T, pairs ...string) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir(), at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for i := 0; i+1 < len(pairs); i += 2 {
		w.write(pairs[i], pairs[i+1])
	}
	var err error
	w.Watcher, err = NewWatcher(WatcherConfig{Options: shop, Dir: w.dir, Now: func() time.Time { return w.at }, Logger: slog.New(slog.NewTextHandler(&w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// write replaces a file as editors do, so that it is another file.
func (w *watched) write(name, text string) {
	w.t.Helper()
	name = filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name+"~", []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(name+"~", name); err != nil {
		w.t.Fatal(err)
	}
}

// title is the heading of the page of now, a look later.
func (w *watched) title() string {
	w.t.Helper()
	w.at = w.at.Add(time.Second)
	doc := render(w.t, w.Pages(), "en", Requested{})
	_, rest, _ := strings.Cut(doc, "<h1>")
	title, _, _ := strings.Cut(rest, "</h1>")
	return title
}

func TestWatcher(t *testing.T) {
	w := watch(t, "texts/en.json", `{"requested.title": "One"}`, "style.css", "a {}")
	path, _ := w.Pages().Stylesheet()
	one := w.Pages().Version("en")
	if got := w.title(); got != "One" {
		t.Errorf("at the start: got %q, want One", got)
	}
	w.write("texts/en.json", `{"requested.title": "Two", "done.lead_anon": "Never."}`)
	w.write("style.css", "b {}")
	if got := render(t, w.Pages(), "en", Requested{}); !strings.Contains(got, "<h1>One</h1>") {
		t.Error("the folder was looked at before the time")
	}
	if got := w.title(); got != "Two" {
		t.Errorf("after a change: got %q, want Two", got)
	}
	two := w.Pages().Version("en")
	for _, want := range []string{"the pages changed", "version=" + two, "a text that is never shown", "done.lead_anon"} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, w.log.String())
		}
	}
	// A page that somebody has open finds its stylesheet and its words.
	if a, ok := w.Asset(path); !ok || !strings.HasSuffix(string(a.Body), "a {}") {
		t.Error("the stylesheet of the page before is gone")
	}
	if p := w.Shown("en", one); p == nil || p.Version("en") != one {
		t.Error("the words of the page before are forgotten")
	}
	if p := w.Shown("en", two); p != w.Pages() {
		t.Error("the words of now are not those of now")
	}
	for _, unknown := range [][2]string{{"en", "000000000000"}, {"xx", two}, {"fi", two}} {
		if w.Shown(unknown[0], unknown[1]) != nil {
			t.Errorf("%q: got pages, want none", unknown)
		}
	}

	w.log.Reset()
	w.write("pages/requested.html", "{{.T")
	for range 3 {
		if got := w.title(); got != "Two" {
			t.Errorf("with a page that is broken: got %q, want Two as before", got)
		}
	}
	if got := strings.Count(w.log.String(), "level=ERROR"); got != 1 || !strings.Contains(w.log.String(), "pages/requested.html:1") {
		t.Errorf("got %d errors, want one that names the page:\n%s", got, w.log.String())
	}
	if err := w.Err(); err == nil {
		t.Error("got no error while the folder cannot be used")
	}
	w.write("pages/requested.html", `<h1>Three</h1>`)
	if got := w.title(); got != "Three" || w.Err() != nil {
		t.Errorf("repaired: got %q and %v, want Three", got, w.Err())
	}
	if err := os.Remove(filepath.Join(w.dir, "pages", "requested.html")); err != nil {
		t.Fatal(err)
	}
	if got := w.title(); got != "Two" {
		t.Errorf("a page taken away: got %q, want Two", got)
	}
	if err := os.RemoveAll(w.dir); err != nil {
		t.Fatal(err)
	}
	if got := w.title(); got != "Two" || w.Err() == nil {
		t.Errorf("the folder taken away: got %q and %v, want Two and an error", got, w.Err())
	}
}

// TestWatcherForgets: what is remembered of former pages has an end.
func TestWatcherForgets(t *testing.T) {
	w := watch(t, "texts/en.json", `{"requested.title": "first"}`)
	first := w.Pages().Version("en")
	for i := range maxBefore {
		w.write("texts/en.json", `{"requested.title": "`+strings.Repeat("x", i+1)+`"}`)
		w.title()
	}
	if w.Shown("en", first) == nil {
		t.Errorf("the pages of %d changes ago are forgotten", maxBefore)
	}
	w.write("texts/en.json", `{"requested.title": "last"}`)
	if got := w.title(); got != "last" || w.Shown("en", first) != nil {
		t.Error("the pages are remembered for ever")
	}
}

// TestWatcherMount: Kubernetes replaces the directory behind a symbolic link.
func TestWatcherMount(t *testing.T) {
	base := t.TempDir()
	put := func(version, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(base, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, version, "settings.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(version, filepath.Join(base, "..new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(base, "..new"), filepath.Join(base, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	put("..one", `{"sender": "Anna Ltd"}`)
	if err := os.Symlink(filepath.Join("..data", "settings.json"), filepath.Join(base, "settings.json")); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w, err := NewWatcher(WatcherConfig{Dir: base, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	put("..two", `{"sender": "Otto Ltd"}`)
	at = at.Add(time.Second)
	if got := w.Pages().Wording("en", OfferUndo); !strings.Contains(got, "Otto Ltd") {
		t.Errorf("got %q, want the new sender", got)
	}
}

func TestWatcherRefuses(t *testing.T) {
	if _, err := NewWatcher(WatcherConfig{Dir: filepath.Join(t.TempDir(), "missing")}); err == nil {
		t.Error("a folder that is not there: got no error")
	}
	if _, err := NewWatcher(WatcherConfig{Options: Options{DefaultLanguage: "ja"}}); err == nil {
		t.Error("a wrong option: got no error")
	}
}

// TestWatcherWhileRead: people read while the operator writes.
func TestWatcherWhileRead(t *testing.T) {
	w := watch(t, "texts/en.json", `{"requested.title": "0"}`)
	var now atomic.Int64
	w.cfg.Now = func() time.Time { return w.at.Add(time.Duration(now.Add(1)) * time.Second) } // each look is due
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				p := w.Pages()
				if err := p.Render(io.Discard, "en", Confirm{Link: Link{Path: linkPath}}); err != nil {
					t.Error(err)
				}
				path, _ := p.Stylesheet()
				if _, ok := w.Asset(path); !ok {
					t.Error("the stylesheet of a page is gone")
				}
				w.Shown("en", p.Version("en"))
			}
		})
	}
	for i := range 5 {
		w.write("texts/en.json", `{"requested.title": "`+strconv.Itoa(i+1)+`"}`)
		w.Pages()
	}
	close(stop)
	readers.Wait()
	if got := w.title(); got != "5" {
		t.Errorf("at the end: got %q, want 5", got)
	}
}
