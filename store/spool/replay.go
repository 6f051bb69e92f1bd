package spool

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// What is stored at once is little, because live reports share the road.
const (
	windowRecords = 500
	windowEvents  = 500
)

const (
	tryTimeout   = 5 * time.Second
	firstPause   = 100 * time.Millisecond
	lastPause    = 2 * time.Second // about how late the database's return is noticed
	rowTries     = 3               // of a record that seems to be to blame itself
	refusedEvery = 10 * time.Minute
)

// replay stores what waits, until ctx ends. What the database refused is tried
// again now and then: somebody may have made room for it.
func (d *DB) replay(ctx context.Context) {
	again := time.NewTicker(refusedEvery)
	defer again.Stop()
	due := true
	for ctx.Err() == nil {
		if s := d.journal.next(); s != nil {
			d.store(ctx, s)
			continue
		}
		d.away.Store(false)
		d.forgetPresses()
		if due {
			due = false
			for _, s := range d.journal.setAsides() {
				d.store(ctx, s)
			}
			continue
		}
		select {
		case <-d.journal.arrived:
		case <-again.C:
			due = true
		case <-ctx.Done():
		}
	}
}

// store stores a segment and deletes it. It returns early only when ctx ends.
func (d *DB) store(ctx context.Context, s *segment) {
	data, err := d.journal.disk.ReadFile(s.name)
	if errors.Is(err, fs.ErrNotExist) { // deleted, which the disk could not promise
		d.journal.move(s, nil)
		return
	}
	if err != nil {
		d.log.Error("cannot read a file of the spool; it is tried again later", "file", s.name, "err", err)
		d.journal.setAside(s, refused)
		return
	}
	c := newCursor(data)
	failed := 0
	for place := 0; ; {
		items := window(c)
		if len(items) == 0 {
			break
		}
		failed += d.apply(ctx, s.left(items, place))
		if ctx.Err() != nil {
			return
		}
		s.note(items, place)
		place += len(items)
	}
	if c.cut {
		d.log.Warn("the last record of a file of the spool was never finished, nor acknowledged", "file", s.name)
	}
	if c.damaged > 0 && filepath.Ext(s.name) != damaged {
		d.log.Error("a part of a file of the spool cannot be read; the rest of it is stored", "file", s.name, "bytes", c.damaged)
	}
	switch {
	case failed > 0:
		d.log.Error("the database refused records of the spool; they are kept and tried again", "file", s.name, "records", failed)
		d.journal.setAside(s, refused)
	case c.damaged > 0:
		d.journal.setAside(s, damaged)
	default:
		d.journal.remove(s)
	}
}

// left returns those of some records, from a place on, that are not stored yet.
func (s *segment) left(items []*item, place int) []*item {
	var out []*item
	for n, i := range items {
		if !s.kept[place+n] {
			out = append(out, i)
		}
	}
	return out
}

func (s *segment) note(items []*item, place int) {
	for n, i := range items {
		if i.fate != kept {
			continue
		}
		if s.kept == nil {
			s.kept = map[int]bool{}
		}
		s.kept[place+n] = true
	}
}

// item is a record on its way into the database.
type item struct {
	record
	fate  fate
	tries int // that failed by its own fault
}

type fate int

const (
	open fate = iota
	kept
	rejected
)

// window reads the next records of a segment.
func window(c *cursor) []*item {
	var out []*item
	for events := 0; len(out) < windowRecords && events < windowEvents; {
		f, ok := c.next()
		if !ok {
			break
		}
		r, err := decode(f.payload)
		i := &item{record: r}
		if err != nil {
			i.fate = rejected
		}
		events += len(r.Events)
		out = append(out, i)
	}
	return out
}

// apply tries until the fate of every item is known, and returns how many were
// rejected. While the database is away it asks with the oldest alone.
func (d *DB) apply(ctx context.Context, items []*item) (rejects int) {
	pause := firstPause
	for {
		var left []*item
		for _, i := range items {
			if i.fate == open {
				left = append(left, i)
			}
		}
		if len(left) == 0 {
			break
		}
		tried := left
		if d.away.Load() {
			tried = left[:1]
		}
		answered := d.try(ctx, tried)
		if ctx.Err() != nil {
			return 0
		}
		if d.away.Swap(!answered) == answered {
			if answered {
				d.log.Info("the database takes reports again; the spool is being stored")
			} else {
				d.log.Warn("the database takes nothing; reports and clicks are spooled")
			}
		}
		if answered {
			pause = firstPause
		}
		if answered && (len(tried) < len(left) || decided(tried)) {
			continue
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return 0
		}
		pause = min(2*pause, lastPause)
	}
	for _, i := range items {
		if i.fate == rejected {
			rejects++
			continue
		}
		d.replayed.Add(1)
	}
	return rejects
}

func decided(items []*item) bool {
	for _, i := range items {
		if i.fate == open {
			return false
		}
	}
	return true
}

// try stores items and reports whether the database answered at all.
func (d *DB) try(ctx context.Context, items []*item) (answered bool) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	erased, err := d.db.ErasedAt(ctx, keysOf(items))
	if err != nil {
		return false
	}
	errs := make([]error, len(items))
	var work sync.WaitGroup
	for n, i := range items {
		if len(i.Events) > 0 {
			work.Go(func() { errs[n] = d.events(ctx, i, erased) })
		}
	}
	for n, i := range items { // one after the other: an undo asks which click was the first
		switch {
		case i.Click != nil:
			errs[n] = d.click(ctx, *i.Click, erased[i.Click.Key])
		case i.Held != nil && !before(i.Held.ReceivedAt, erased[i.Held.Key]): // an erasure has deleted it
			errs[n] = d.db.QuarantineOnce(ctx, *i.Held)
		}
	}
	work.Wait()
	for n, i := range items {
		switch err := errs[n]; {
		case err == nil:
			answered = true
			if i.fate == open {
				i.fate = kept
			}
		case store.RowAtFault(err):
			answered = true
			if i.tries++; i.tries >= rowTries {
				i.fate = rejected
			}
		}
	}
	return answered
}

func (d *DB) events(ctx context.Context, i *item, erased map[recipient.Key]time.Time) error {
	events := i.events(d.keyer)
	for n, e := range events {
		if before(e.ReceivedAt, erased[e.Key]) {
			events[n] = store.Forgotten(e)
		}
	}
	r, err := d.db.Record(ctx, events)
	if err == nil && len(r.Refused) > 0 {
		i.fate = rejected
	}
	return err //nolint:wrapcheck // only judged
}

func (d *DB) click(ctx context.Context, late click, erased time.Time) error {
	c := store.Click(late)
	if before(c.ReceivedAt, erased) {
		c.Evidence = store.Forgotten(recipient.Event{Evidence: c.Evidence}).Evidence
	}
	if _, err := d.db.Click(ctx, c); err != nil || !c.Everything {
		return err //nolint:wrapcheck // only judged
	}
	who, err := d.db.Person(ctx, c.Channel, c.Key)
	if err != nil {
		return err //nolint:wrapcheck // only judged
	}
	for _, o := range who.Others {
		other := c
		other.Channel, other.Key = o.Channel, o.Key
		if _, err := d.db.Click(ctx, other); err != nil {
			return err //nolint:wrapcheck // only judged
		}
	}
	return nil
}

// before reports whether something was received before an erasure.
func before(received, erased time.Time) bool { return !erased.IsZero() && !received.After(erased) }

func keysOf(items []*item) []recipient.Key {
	var out []recipient.Key
	for _, i := range items {
		for _, e := range i.Events {
			out = append(out, e.Key)
		}
		if i.Click != nil {
			out = append(out, i.Click.Key)
		}
		if i.Held != nil && !i.Held.Key.IsZero() {
			out = append(out, i.Held.Key)
		}
	}
	return out
}
