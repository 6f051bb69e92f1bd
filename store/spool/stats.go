package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Stats is how a spool stands.
type Stats struct {
	Records  int       // that wait; each is one request of a provider, or one click
	Bytes    int64     // of all files
	Limit    int64     // of Bytes
	Oldest   time.Time // when the first that waits was accepted; zero: nothing waits
	Refused  int       // files with records that the database refused; tried again
	Damaged  int       // files of which a part cannot be read
	Away     bool      // the database takes nothing: what comes is spooled
	Takes    bool      // there is room, and the disk did not fail just now
	Spooled  int64     // records since the start
	Replayed int64     // records stored since the start
}

// A spool that failed is asked again after failedFor, and is full when less
// than roomFor is left: the largest usual request.
const (
	failedFor = 15 * time.Second
	roomFor   = 1 << 20
)

// Stats returns how the spool stands now.
func (d *DB) Stats() Stats {
	j := d.journal
	s := Stats{Away: d.away.Load(), Spooled: d.spooled.Load(), Replayed: d.replayed.Load(), Limit: j.limit}
	j.mu.Lock()
	defer j.mu.Unlock()
	s.Bytes, s.Refused, s.Damaged = j.bytes, len(j.refused), len(j.damaged)
	for _, seg := range j.queue {
		s.note(seg)
	}
	s.Takes = j.bytes+j.waitB+min(roomFor, j.limit/10) <= j.limit && (j.failedAt.IsZero() || j.now().Sub(j.failedAt) > failedFor)
	return s
}

func (s *Stats) note(seg *segment) {
	s.Records += seg.records
	if at := time.UnixMicro(seg.oldest).UTC(); seg.records > 0 && (s.Oldest.IsZero() || at.Before(s.Oldest)) {
		s.Oldest = at
	}
}

// Inspection is what Inspect found.
type Inspection struct {
	Stats
	InUse bool // by a process
	// Lost are bytes that cannot be read. Unfinished counts files whose last record was cut off, which is what a crash
	// leaves and costs nothing that was acknowledged.
	Lost       int
	Unfinished int
	Unreadable []string // files that cannot be read at all
	Exposed    bool     // others on this machine can read them
}

// Inspect looks at a directory, which a process may be using, and changes
// nothing. A directory that does not exist is an fs.ErrNotExist.
func Inspect(dir string) (Inspection, error) {
	var in Inspection
	info, err := os.Stat(dir)
	if err != nil {
		return in, err //nolint:wrapcheck // it names the directory
	}
	in.Exposed = info.Mode().Perm()&0o077 != 0
	if _, err := os.Stat(filepath.Join(dir, "lock")); err == nil {
		f, err := lock(filepath.Join(dir, "lock"))
		if in.InUse = errors.Is(err, ErrInUse); err == nil {
			_ = f.Close()
		}
	}
	segments, err := list(dir)
	if err != nil {
		return in, err
	}
	for _, s := range segments {
		data, err := realDisk{}.ReadFile(s.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // stored meanwhile
		}
		in.Bytes += s.bytes
		if err != nil {
			in.Unreadable = append(in.Unreadable, s.name)
			continue
		}
		c := newCursor(data)
		for f, ok := c.next(); ok; f, ok = c.next() {
			if s.records++; s.oldest == 0 {
				s.oldest = f.at
			}
		}
		if filepath.Ext(s.name) != damaged { // known, and the rest is stored
			in.Lost += c.damaged
		}
		if c.cut && !in.InUse { // else it is being written
			in.Unfinished++
		}
		switch filepath.Ext(s.name) {
		case refused:
			in.Refused++
		case damaged:
			in.Damaged++
		default:
			in.note(s)
		}
	}
	return in, nil
}

// setAsides returns the segments that the database refused a part of.
func (j *journal) setAsides() []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.refused)
}
