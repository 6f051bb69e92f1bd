package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	keyer = storetest.Keyer()
	noon  = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

func nth(n int) recipient.Address {
	a, err := recipient.ParseEmail(fmt.Sprintf("person%d@example.com", n))
	if err != nil {
		panic(err)
	}
	return a
}

// report is the nth hard bounce, received n seconds after noon.
func report(n int) recipient.Event {
	e := recipient.Event{Kind: recipient.HardBounce, Address: nth(n), Source: recipient.FromProvider, IDParts: []string{fmt.Sprint(n), "\xff"}, Code: "5.1.1", Detail: "no such user",
		MessageID: fmt.Sprint("message ", n)}
	return keyer.Seal(e, "acme", noon.Add(time.Duration(n)*time.Second))
}

// fake is a database in memory.
type fake struct {
	mu     sync.Mutex
	down   error
	fault  func(recipient.Event) error // of one event; its call fails
	refuse func(recipient.Event) bool
	events map[recipient.Fingerprint]recipient.Event
	order  []string
	twice  int
	clicks []store.Click
	held   []store.Held
	asked  int // for callers: the replay asks another question first
}

func newFake() *fake { return &fake{events: map[recipient.Fingerprint]recipient.Event{}} }

func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fake) lock() (func(), error) {
	f.mu.Lock()
	return f.mu.Unlock, f.down
}

func (f *fake) Record(_ context.Context, events []recipient.Event) (r store.Recorded, err error) {
	unlock, err := f.lock()
	defer unlock()
	f.asked++
	if err != nil {
		return r, err
	}
	for _, e := range events {
		if f.fault != nil {
			if err := f.fault(e); err != nil {
				return r, err
			}
		}
		if f.refuse != nil && f.refuse(e) {
			r.Refused = append(r.Refused, e)
			continue
		}
		if _, ok := f.events[e.Fingerprint]; ok {
			f.twice++
			r.Duplicates++
			continue
		}
		f.events[e.Fingerprint] = e
		f.order = append(f.order, e.MessageID)
		r.Stored++
	}
	return r, nil
}

func (f *fake) Click(_ context.Context, c store.Click) (store.Outcome, error) {
	unlock, err := f.lock()
	defer unlock()
	if err == nil {
		f.clicks = append(f.clicks, c)
	}
	return store.Outcome{Changed: true}, err
}

func (f *fake) Quarantine(_ context.Context, h store.Held) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil && len(h.Body) > store.MaxHeldBytes {
		err = store.ErrQuarantineFull
	}
	if err == nil {
		f.held = append(f.held, h)
	}
	return err
}

func (f *fake) QuarantineOnce(ctx context.Context, h store.Held) error { return f.Quarantine(ctx, h) }

func (f *fake) Person(context.Context, recipient.Channel, recipient.Key) (store.Person, error) {
	unlock, err := f.lock()
	defer unlock()
	return store.Person{}, err
}

func (f *fake) ErasedAt(context.Context, []recipient.Key) (map[recipient.Key]time.Time, error) {
	unlock, err := f.lock()
	defer unlock()
	return nil, err
}

func (f *fake) stored() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events)
}

func down(f *fake) { f.down = fmt.Errorf("%w: it is away", store.ErrUnavailable) }
func up(f *fake)   { f.down = nil }

// open opens a spool before a database and closes it at the end.
func openSpool(t *testing.T, c Config) *DB {
	t.Helper()
	c.Keyer = keyer
	d, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func spooled(t *testing.T, d *DB, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		if r, err := d.Record(t.Context(), []recipient.Event{report(n)}); err != nil || r.Spooled != 1 || r.Stored != 0 {
			t.Fatalf("record %d: got %+v, %v; want it spooled", n, r, err)
		}
	}
}

func drained(t *testing.T, d *DB) {
	t.Helper()
	until(t, "an empty spool", func() bool { return d.Stats().Records == 0 })
}

func files(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestNothingIsSpooledWhileTheDatabaseAnswers(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	d := openSpool(t, Config{Dir: dir, db: f})
	if r, err := d.Record(t.Context(), []recipient.Event{report(1)}); err != nil || r.Stored != 1 || r.Spooled != 0 {
		t.Errorf("record: got %+v, %v", r, err)
	}
	if out, err := d.Click(t.Context(), store.Click{TokenID: "t"}); err != nil || !out.Changed || out.Spooled || !f.clicks[0].ReceivedAt.IsZero() {
		t.Errorf("click: got %+v, %v", out, err)
	}
	f.set(func(f *fake) { f.down = store.ErrWrongAddressKey })
	if _, err := d.Record(t.Context(), []recipient.Event{report(2)}); !errors.Is(err, store.ErrWrongAddressKey) {
		t.Errorf("an error that no repeat heals: got %v", err)
	}
	if got := files(t, dir, "*.spool"); len(got) > 0 {
		t.Errorf("files: %v", got)
	}
}

func TestDatabaseAway(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	now := noon
	d := openSpool(t, Config{Dir: dir, db: f, Now: func() time.Time { return now }})
	for n := range 50 {
		spooled(t, d, n)
	}
	key := keyer.Key(nth(1))
	if out, err := d.Click(t.Context(), store.Click{Channel: recipient.Email, Key: key, TokenID: "t", Evidence: recipient.Evidence{Via: "form"}}); err != nil || !out.Spooled || out.Changed {
		t.Errorf("click: got %+v, %v; want it spooled", out, err)
	}
	held := store.Held{Endpoint: "acme", Reason: "unreadable", Body: []byte("\x00\xff{"), Header: map[string][]string{"X": {"y"}}, ReceivedAt: noon}
	if err := d.Quarantine(t.Context(), held); err != nil {
		t.Errorf("quarantine: %v", err)
	}
	bad := report(60)
	bad.Kind = "nonsense"
	if r, err := d.Record(t.Context(), []recipient.Event{report(50), bad}); err != nil || r.Spooled != 1 || len(r.Refused) != 1 {
		t.Errorf("with an event that no database takes: got %+v, %v", r, err)
	}
	until(t, "the spool to know", func() bool { return d.Stats().Away })
	s := d.Stats()
	if s.Records != 53 || !s.Oldest.Equal(noon) || !s.Takes || s.Bytes == 0 || s.Limit != DefaultLimit {
		t.Errorf("stats: %+v", s)
	}
	asked := func() (n int) { f.set(func(f *fake) { n = f.asked }); return n }
	before := asked()
	for range 200 {
		spooled(t, d, 1)
	}
	if n := asked() - before; n > 0 {
		t.Errorf("while it is known to be away the database was asked for %d of 200 reports", n)
	}
	for _, name := range files(t, dir, "*") {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", name, info.Mode(), err)
		}
	}
	now = noon.Add(time.Hour)
	f.set(up)
	drained(t, d)
	if f.stored() != 51 || f.order[0] != "message 0" {
		t.Errorf("%d events, the first is %s; want 51 from message 0", f.stored(), f.order[0])
	}
	for n := range 51 {
		want := report(n)
		if got := f.events[want.Fingerprint]; !got.ReceivedAt.Equal(want.ReceivedAt) || !got.At.Equal(want.At) || got.Key != want.Key || got.Address != want.Address || got.Detail != want.Detail {
			t.Fatalf("event %d: got %+v, want %+v", n, got, want)
		}
	}
	if len(f.clicks) != 1 || !f.clicks[0].ReceivedAt.Equal(noon) || f.clicks[0].Key != key || f.clicks[0].TokenID != "t" || f.clicks[0].Evidence.Via != "form" {
		t.Errorf("clicks: %+v", f.clicks)
	}
	if len(f.held) != 1 || string(f.held[0].Body) != string(held.Body) || !f.held[0].ReceivedAt.Equal(noon) || f.held[0].Header["X"][0] != "y" {
		t.Errorf("held: %+v", f.held)
	}
	until(t, "no file", func() bool { return len(files(t, dir, "*.spool")) == 0 })
	if s := d.Stats(); s.Away || s.Bytes != 0 || !s.Oldest.IsZero() {
		t.Errorf("stats afterwards: %+v", s)
	}
	if r, err := d.Record(t.Context(), []recipient.Event{report(99)}); err != nil || r.Stored != 1 {
		t.Errorf("afterwards: got %+v, %v", r, err)
	}
}

// A database that hangs costs a caller its patience and no more.
func TestDatabaseHangs(t *testing.T) {
	f := newFake()
	f.mu.Lock()
	release := sync.OnceFunc(f.mu.Unlock)
	defer release()
	d := openSpool(t, Config{Dir: t.TempDir(), db: hanging{f}, Patience: 10 * time.Millisecond})
	spooled(t, d, 1)
	release()
	drained(t, d)
	if f.stored() != 1 {
		t.Errorf("%d events, want 1", f.stored())
	}
}

// hanging gives up with its caller, as a real database does.
type hanging struct{ *fake }

func (h hanging) Record(ctx context.Context, events []recipient.Event) (store.Recorded, error) {
	for !h.mu.TryLock() {
		select {
		case <-ctx.Done():
			return store.Recorded{}, fmt.Errorf("%w: %w", store.ErrUnavailable, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	h.mu.Unlock()
	return h.fake.Record(ctx, events)
}

func (h hanging) ErasedAt(ctx context.Context, keys []recipient.Key) (map[recipient.Key]time.Time, error) {
	_, err := h.Record(ctx, nil)
	return nil, err
}

func TestRestartWithABacklog(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	for n := range 3 {
		d := openSpool(t, Config{Dir: dir, db: f, segment: 1000})
		if got := d.Stats().Records; got != 5*n {
			t.Errorf("start %d: %d records wait, want %d", n, got, 5*n)
		}
		spooled(t, d, 5*n, 5*n+1, 5*n+2, 5*n+3, 5*n+4)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Record(t.Context(), []recipient.Event{report(1)}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("after Close: got %v, want ErrUnavailable", err)
		}
	}
	in, err := Inspect(dir)
	if err != nil || in.Records != 15 || in.InUse || in.Lost+in.Unfinished+in.Damaged+in.Refused != 0 || in.Oldest.IsZero() {
		t.Errorf("inspect: got %+v, %v", in, err)
	}
	f.set(up)
	drained(t, openSpool(t, Config{Dir: dir, db: f}))
	if f.stored() != 15 || f.twice != 0 {
		t.Errorf("%d events, %d twice; want 15, 0", f.stored(), f.twice)
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	d := openSpool(t, Config{Dir: dir, db: newFake()})
	if _, err := Open(Config{Dir: dir, db: newFake(), Keyer: keyer}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: got %v, want ErrInUse", err)
	}
	if in, err := Inspect(dir); err != nil || !in.InUse {
		t.Errorf("inspect: got %+v, %v; want it in use", in, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	openSpool(t, Config{Dir: dir, db: newFake()})
	if _, err := Inspect(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("inspect nothing: got %v", err)
	}
	other := filepath.Join(t.TempDir(), "a", "b")
	openSpool(t, Config{Dir: other, db: newFake()})
	if info, err := os.Stat(other); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v; want 0700", info.Mode(), err)
	}
}

// Sealed under an address key that turned out not to be the database's, an
// event is sealed again under the right one.
func TestOtherAddressKey(t *testing.T) {
	wrong, err := recipient.NewKeyer([]byte("quite another address key, long enough"))
	if err != nil {
		t.Fatal(err)
	}
	f := newFake()
	f.set(down)
	d := openSpool(t, Config{Dir: t.TempDir(), db: f})
	right := report(1)
	e := wrong.Seal(recipient.Event{Kind: right.Kind, Address: right.Address, Source: right.Source, IDParts: []string{"id"}, MessageID: "m"}, "acme", right.ReceivedAt)
	if r, err := d.Record(t.Context(), []recipient.Event{e}); err != nil || r.Spooled != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	f.set(up)
	drained(t, d)
	for print, got := range f.events {
		if got.Key != right.Key || print == e.Fingerprint || print != recipient.NewFingerprint("acme", []string{"id"}, right.Key, right.Kind) {
			t.Errorf("got key %s", got.Key)
		}
	}
}

// One link, pressed again and again while the database is away, does not fill
// the disk; what it says is kept, and other links are as good as before.
func TestOneLinkPressedOften(t *testing.T) {
	f := newFake()
	f.set(down)
	d := openSpool(t, Config{Dir: t.TempDir(), db: f})
	spooled(t, d, 1)
	until(t, "the spool to know", func() bool { return d.Stats().Away })
	kept, refused := 0, 0
	for range 200 {
		out, err := d.Click(t.Context(), store.Click{Key: recipient.Key{1}, TokenID: "busy"})
		switch {
		case err == nil && out.Spooled:
			kept++
		case errors.Is(err, store.ErrUnavailable):
			refused++
		default:
			t.Fatalf("got %+v, %v", out, err)
		}
	}
	if kept != pressesPerLink || refused != 200-kept {
		t.Errorf("%d kept, %d refused; want %d kept", kept, refused, pressesPerLink)
	}
	if out, err := d.Click(t.Context(), store.Click{Key: recipient.Key{2}, TokenID: "calm"}); err != nil || !out.Spooled {
		t.Errorf("another link: got %+v, %v", out, err)
	}
	f.set(up)
	drained(t, d)
	until(t, "the count to begin again", func() bool {
		d.pressing.Lock()
		defer d.pressing.Unlock()
		return d.presses == nil
	})
	if len(f.clicks) != pressesPerLink+1 {
		t.Errorf("%d clicks, want %d", len(f.clicks), pressesPerLink+1)
	}
}

// A press that could not be kept is not counted, and "stop everything" is more
// than what the same link said before.
func TestPressesThatCount(t *testing.T) {
	f, disk := newFake(), &faultyDisk{}
	f.set(down)
	d := openSpool(t, Config{Dir: t.TempDir(), db: f, disk: disk})
	spooled(t, d, 1)
	until(t, "the spool to know", func() bool { return d.Stats().Away })
	disk.set(func(op, name string) error {
		if op == "create" || op == "write" {
			return &os.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
		}
		return nil
	})
	c := store.Click{Key: recipient.Key{1}, TokenID: "t"}
	for range 2 * pressesPerLink {
		if _, err := d.Click(t.Context(), c); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("on a full disk: got %v", err)
		}
	}
	disk.set(nil)
	for n := range pressesPerLink {
		if out, err := d.Click(t.Context(), c); err != nil || !out.Spooled {
			t.Fatalf("press %d after the disk has room: got %+v, %v", n, out, err)
		}
	}
	if _, err := d.Click(t.Context(), c); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("one more: got %v", err)
	}
	c.Everything = true
	if out, err := d.Click(t.Context(), c); err != nil || !out.Spooled {
		t.Errorf("stop everything: got %+v, %v", out, err)
	}
}

// The process ends while it stores: what was stored comes again and counts once.
func TestCrashWhileStoring(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	d := openSpool(t, Config{Dir: dir, db: f})
	for n := range 40 {
		spooled(t, d, n)
	}
	d.journal.mu.Lock()
	first := d.journal.queue[0].records // as many as there were when the replay looked
	d.journal.mu.Unlock()
	half := first + 10 // within the second file
	if half >= 40 {
		half = first - 1 // within the first
	}
	f.set(func(f *fake) {
		up(f)
		f.fault = func(recipient.Event) error { // it goes away again half-way
			if len(f.events) >= half {
				return fmt.Errorf("%w: again", store.ErrUnavailable)
			}
			return nil
		}
	})
	until(t, "a half to be stored", func() bool { return f.stored() == half && d.away.Load() })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	f.set(func(f *fake) { f.fault = nil })
	drained(t, openSpool(t, Config{Dir: dir, db: f}))
	if f.stored() != 40 || f.twice == 0 {
		t.Errorf("%d events, %d of them came twice; want 40 and some", f.stored(), f.twice)
	}
}
