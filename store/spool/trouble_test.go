package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// rotate makes the next append begin a file.
func rotate(d *DB) {
	d.journal.io.Lock()
	defer d.journal.io.Unlock()
	if d.journal.active != nil {
		d.journal.retire(nil)
	}
}

// A disk that is full, or fails in any call, costs nothing that was
// acknowledged; what was not is refused; and the spool recovers by itself.
func TestDiskFails(t *testing.T) {
	tests := []struct {
		op    string
		cause error
		short int
	}{
		{"create", syscall.ENOSPC, 0},
		{"write", syscall.ENOSPC, 0},
		{"write", syscall.ENOSPC, 30},
		{"sync", syscall.EIO, 0},
		{"syncdir", syscall.EIO, 0},
		{"create", syscall.EROFS, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.op, " ", tt.cause, " ", tt.short), func(t *testing.T) {
			dir, f := t.TempDir(), newFake()
			disk := &faultyDisk{short: tt.short}
			f.set(down)
			d := openSpool(t, Config{Dir: dir, db: f, disk: disk, Now: func() time.Time { return noon }})
			spooled(t, d, 1, 2, 3)
			disk.set(func(op, _ string) error {
				if op == tt.op || op == "truncate" {
					return &os.PathError{Op: op, Path: dir, Err: tt.cause}
				}
				return nil
			})
			rotate(d)
			for n := range 5 {
				if _, err := d.Record(t.Context(), []recipient.Event{report(10 + n)}); !errors.Is(err, store.ErrUnavailable) {
					t.Fatalf("on a disk that fails: got %v, want ErrUnavailable", err)
				}
			}
			if s := d.Stats(); s.Takes || s.Records != 3 {
				t.Errorf("stats: %+v; want 3 records and no more taken", s)
			}
			disk.set(nil)
			spooled(t, d, 4, 5)
			if s := d.Stats(); !s.Takes || s.Records != 5 {
				t.Errorf("stats afterwards: %+v; want 5 records", s)
			}
			f.set(up)
			drained(t, d)
			for n := 1; n <= 5; n++ {
				if _, ok := f.events[report(n).Fingerprint]; !ok {
					t.Errorf("report %d was acknowledged and is lost", n)
				}
			}
			if f.twice > 0 {
				t.Errorf("%d events came twice", f.twice)
			}
			until(t, "no file", func() bool { return len(files(t, dir, "0*")) == 0 })
		})
	}
}

// A file whose sync failed once is never written again: the second sync would
// succeed and mean nothing.
func TestFailedSyncEndsAFile(t *testing.T) {
	f := newFake()
	f.set(down)
	var mu sync.Mutex
	var failed string
	disk := &faultyDisk{}
	d := openSpool(t, Config{Dir: t.TempDir(), db: f, disk: disk})
	disk.set(func(op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case op == "sync" && failed == "":
			failed = name
			return syscall.EIO
		case name == failed && (op == "write" || op == "sync"):
			t.Errorf("%s on the file that failed", op)
		}
		return nil
	})
	spooled(t, d, 1, 2) // on another file
	f.set(up)
	drained(t, d)
	if f.stored() != 2 {
		t.Errorf("%d events, want 2", f.stored())
	}
}

// What the disk does not let us delete or rename is stored once all the same.
func TestCannotDelete(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	disk := &faultyDisk{}
	d := openSpool(t, Config{Dir: dir, db: f, disk: disk})
	spooled(t, d, 1, 2)
	disk.set(func(op, _ string) error {
		if op == "remove" || op == "rename" {
			return syscall.EIO
		}
		return nil
	})
	f.set(up)
	drained(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := openSpool(t, Config{Dir: dir, db: f})
	until(t, "nothing to be left", func() bool { return again.Stats().Bytes == 0 })
	if got := files(t, dir, "0*"); f.stored() != 2 || len(got) > 0 {
		t.Errorf("%d events, files %v", f.stored(), got)
	}
}

func TestCannotRead(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	d := openSpool(t, Config{Dir: dir, db: f})
	spooled(t, d, 1)
	rotate(d)
	spooled(t, d, 2)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	disk := &faultyDisk{}
	disk.set(func(op, name string) error {
		if op == "read" && strings.HasPrefix(filepath.Base(name), "00000000000000000001.") {
			return syscall.EIO
		}
		return nil
	})
	f.set(up)
	d = openSpool(t, Config{Dir: dir, db: f, disk: disk})
	until(t, "the readable file", func() bool { return f.stored() == 1 })
	until(t, "the other to be kept", func() bool { return d.Stats().Refused == 1 })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	openSpool(t, Config{Dir: dir, db: f})
	until(t, "the other file, when the disk is well", func() bool { return f.stored() == 2 })
}

// While the limit is reached callers are told so; the database's return makes
// room.
func TestFull(t *testing.T) {
	f := newFake()
	f.set(down)
	d := openSpool(t, Config{Dir: t.TempDir(), db: f, Limit: 20_000, segment: 4000})
	acked := 0
	for ; ; acked++ {
		_, err := d.Record(t.Context(), []recipient.Event{report(acked)})
		if errors.Is(err, store.ErrUnavailable) {
			break
		}
		if err != nil || acked > 1000 {
			t.Fatalf("report %d: %v", acked, err)
		}
	}
	if s := d.Stats(); s.Takes || s.Bytes > s.Limit || s.Records != acked || acked < 10 {
		t.Errorf("full: %+v after %d", s, acked)
	}
	f.set(up)
	drained(t, d)
	if f.stored() != acked {
		t.Errorf("%d events, want %d", f.stored(), acked)
	}
	f.set(down)
	spooled(t, d, 1001)
	// Away and full, the database is asked: it may be back already.
	until(t, "the spool to know", func() bool { return d.Stats().Away })
	d.journal.mu.Lock()
	d.journal.limit = 0
	d.journal.mu.Unlock()
	f.set(up)
	if r, err := d.Record(t.Context(), []recipient.Event{report(1002)}); err != nil || r.Stored != 1 {
		t.Errorf("full, and the database just back: got %+v, %v", r, err)
	}
}

// The end of a file is torn, or a part of it went bad: the rest is stored, and
// what went bad is kept for a person to look at.
func TestDamagedFiles(t *testing.T) {
	tests := []struct {
		name    string
		change  func(b []byte) []byte
		want    int
		damaged int
	}{
		{"the last record is torn", func(b []byte) []byte { return b[:len(b)-7] }, 9, 0},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, 10, 0},
		{"the last record is corrupt", func(b []byte) []byte { b[len(b)-1] ^= 0x20; return b }, 9, 1},
		{"the middle is corrupt", func(b []byte) []byte { b[len(b)/2] ^= 0x20; return b }, 9, 1},
		{"all is lost", func(b []byte) []byte { return []byte(strings.Repeat("lost", len(b)/4)) }, 0, 1},
		{"the file is empty", func([]byte) []byte { return nil }, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, f := t.TempDir(), newFake()
			f.set(down)
			w := openSpool(t, Config{Dir: dir, db: f})
			for n := range 10 {
				spooled(t, w, n)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			names := files(t, dir, "*.spool")
			last := names[len(names)-1]
			b, err := os.ReadFile(last)
			if err != nil {
				t.Fatal(err)
			}
			before := 0 // in files that are whole
			for _, name := range names[:len(names)-1] {
				whole, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				got, _ := readAll(whole)
				before += len(got)
			}
			inLast, _ := readAll(b)
			lost := 10 - tt.want
			if tt.want == 0 {
				lost = len(inLast)
			}
			if err := os.WriteFile(last, tt.change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			if in, err := Inspect(dir); err != nil || in.Lost > 0 != (tt.damaged > 0) {
				t.Errorf("inspect before: got %+v, %v", in, err)
			}
			f.set(up)
			start := f.stored()
			again := openSpool(t, Config{Dir: dir, db: f})
			drained(t, again)
			until(t, "no file that waits", func() bool { return len(files(t, dir, "*.spool")) == 0 })
			if got := f.stored() - start; got != 10-lost {
				t.Errorf("%d events, want %d", got, 10-lost)
			}
			until(t, "damage to be counted", func() bool { return again.Stats().Damaged == tt.damaged })
			if s := again.Stats(); s.Refused != 0 || tt.damaged == 0 && s.Bytes != 0 {
				t.Errorf("stats: %+v", s)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			if in, err := Inspect(dir); err != nil || in.Damaged != tt.damaged || in.Lost > 0 {
				t.Errorf("inspect: got %+v, %v", in, err)
			}
		})
	}
}

// What the database refuses, for whatever reason, blocks nothing else, is kept,
// and is stored when somebody has cured the cause.
func TestPoison(t *testing.T) {
	tests := []struct {
		name   string
		poison func(f *fake)
	}{
		{"refused", func(f *fake) { f.refuse = func(e recipient.Event) bool { return e.MessageID == "message 3" } }},
		{"an error that says nothing", func(f *fake) {
			f.fault = func(e recipient.Event) error {
				if e.MessageID == "message 3" {
					return errors.New("strange")
				}
				return nil
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, f := t.TempDir(), newFake()
			f.set(down)
			d := openSpool(t, Config{Dir: dir, db: f})
			for n := range 10 {
				spooled(t, d, n)
			}
			f.set(tt.poison)
			f.set(up)
			drained(t, d)
			if s := d.Stats(); f.stored() != 9 || s.Refused == 0 || s.Away {
				t.Errorf("%d events, %+v; want 9 and a file set aside", f.stored(), s)
			}
			if r, err := d.Record(t.Context(), []recipient.Event{report(20)}); err != nil || r.Stored != 1 {
				t.Errorf("meanwhile: got %+v, %v", r, err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			f.set(func(f *fake) { f.refuse, f.fault = nil, nil })
			openSpool(t, Config{Dir: dir, db: f})
			until(t, "the poison, cured", func() bool { return f.stored() == 11 })
			until(t, "no file", func() bool { return len(files(t, dir, "0*")) == 0 })
		})
	}
}

// A copy of the directory is what a crash at that moment leaves: everything
// acknowledged before is in it.
func TestEveryMomentIsDurable(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	disk := &faultyDisk{}
	d := openSpool(t, Config{Dir: dir, db: f, disk: disk, segment: 20_000})
	d.away.Store(true)
	var acked atomic.Int64
	done := make([]atomic.Bool, 4000)
	var work sync.WaitGroup
	for w := range 16 {
		work.Go(func() {
			for n := w; n < len(done); n += 16 {
				if r, err := d.Record(t.Context(), []recipient.Event{report(n)}); err != nil || r.Spooled != 1 {
					t.Errorf("report %d: %+v, %v", n, r, err)
					return
				}
				done[n].Store(true)
				acked.Add(1)
			}
		})
	}
	for moment := range 5 {
		until(t, "more reports", func() bool { return acked.Load() > int64(moment*600) })
		var before []int
		for n := range done {
			if done[n].Load() {
				before = append(before, n)
			}
		}
		copied := t.TempDir()
		for _, name := range files(t, dir, "*.spool") {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(copied, filepath.Base(name)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		other := newFake()
		drained(t, openSpool(t, Config{Dir: copied, db: other}))
		for _, n := range before {
			if _, ok := other.events[report(n).Fingerprint]; !ok {
				t.Fatalf("moment %d: report %d was acknowledged before and is lost", moment, n)
			}
		}
	}
	work.Wait()
	f.set(up)
	drained(t, d)
	if f.stored() != len(done) || f.twice > 0 {
		t.Errorf("%d events, %d twice; want %d, 0", f.stored(), f.twice, len(done))
	}
	disk.mu.Lock()
	defer disk.mu.Unlock()
	t.Logf("%d syncs for %d reports", disk.syncs, len(done))
}

// The process closes while callers wait: each is told what is true.
func TestCloseUnderLoad(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(down)
	d := openSpool(t, Config{Dir: dir, db: f})
	var acked, refusals atomic.Int64
	var work sync.WaitGroup
	for w := range 8 {
		work.Go(func() {
			for n := 0; ; n++ {
				if _, err := d.Record(t.Context(), []recipient.Event{report(w*100_000 + n)}); err != nil {
					refusals.Add(1)
					return
				}
				acked.Add(1)
			}
		})
	}
	until(t, "some reports", func() bool { return acked.Load() > 100 })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	work.Wait()
	f.set(up)
	drained(t, openSpool(t, Config{Dir: dir, db: f}))
	if n := int64(f.stored()); n < acked.Load() || refusals.Load() != 8 {
		t.Errorf("%d events of %d acknowledged; %d refusals", n, acked.Load(), refusals.Load())
	}
}

// A record that the database refuses keeps its file for long. The others in it
// are stored once: what an administrator discarded from quarantine meanwhile
// does not come back.
func TestRefusedFileBringsNothingBack(t *testing.T) {
	f := newFake()
	f.set(down)
	d, err := Open(Config{Dir: t.TempDir(), db: f, Keyer: keyer, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	spooled(t, d, 1)
	if err := d.Quarantine(t.Context(), store.Held{Endpoint: "acme", Reason: "unreadable", Body: []byte("x"), ReceivedAt: noon}); err != nil {
		t.Fatal(err)
	}
	spooled(t, d, 2)
	f.set(func(f *fake) { f.refuse = func(e recipient.Event) bool { return e.MessageID == "message 2" } })
	f.set(up)
	until(t, "the file to be set aside", func() bool { return d.Stats().Refused == 1 })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	f.set(func(f *fake) {
		if len(f.held) != 1 || len(f.events) != 1 {
			t.Errorf("%d in quarantine and %d events, want one of each", len(f.held), len(f.events))
		}
		f.held = nil // discarded
	})
	for range 3 {
		d.store(t.Context(), d.journal.setAsides()[0])
	}
	f.set(func(f *fake) { f.refuse = nil })
	d.store(t.Context(), d.journal.setAsides()[0])
	if len(f.held) != 0 || f.stored() != 2 || len(d.journal.setAsides()) != 0 {
		t.Errorf("%d in quarantine, %d events, %d files; want none, two, none", len(f.held), f.stored(), len(d.journal.setAsides()))
	}
}
