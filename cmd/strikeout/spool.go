package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/store/spool"
)

// leastSpool is the smallest sensible limit: a few of the largest requests.
const leastSpool = 64 << 20

// openSpool opens the spool, when there is one and this command serves: a
// directory belongs to one process.
func (a *app) openSpool(e *env) error {
	if !a.serves || a.cfg.spool == "" {
		return nil
	}
	var err error
	a.spool, err = spool.Open(spool.Config{Dir: a.cfg.spool, Limit: int64(a.cfg.spoolLimit), DB: a.db, Keyer: a.keyer, Now: e.now, Logger: a.log})
	if err != nil {
		return fmt.Errorf("%s: %w", a.cfg.said("spool"), err)
	}
	if s := a.spool.Stats(); s.Records > 0 {
		a.log.Warn("the spool holds what an earlier process could not store; it is stored now", "records", s.Records, "oldest", s.Oldest)
	}
	return nil
}

// spooled puts the spool before the database.
func (a *app) spooled(c handlers.Config) handlers.Config {
	if a.spool != nil {
		c.Store, c.Spool = a.spool, a.spool
	}
	return c
}

// impatient is the shortest horizon that calls for a spool: about as long as a
// database takes to be restarted or to fail over.
const impatient = 15 * time.Minute

func (x *examination) spool(c *config) {
	if c.spool == "" {
		x.noSpool(c)
		return
	}
	in, err := spool.Inspect(c.spool)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.warn("spool", "%s does not exist yet; strikeout serve makes it, on a disk that should survive the process", c.spool)
		return
	case err != nil:
		x.fail("spool", "cannot be read: %v", err)
		return
	}
	found := x.fails + x.warns
	if in.Exposed {
		x.warn("spool", "others can look into it: chmod 700 %s", c.spool)
	}
	if n := len(in.Unreadable); n > 0 {
		x.fail("spool", "%d files cannot be read, such as %s", n, in.Unreadable[0])
	}
	if in.Lost > 0 {
		x.fail("spool", "%d bytes of what waits cannot be read: look at the disk; strikeout serve stores the rest", in.Lost)
	}
	if in.Damaged > 0 {
		x.fail("spool", "%d files were damaged on the disk and the rest of them stored: look at the disk, then delete %s", in.Damaged, filepath.Join(c.spool, "*.damaged"))
	}
	if in.Refused > 0 {
		x.warn("spool", "%d files hold records that the database refused; they are tried again every 10 minutes, and the log says so", in.Refused)
	}
	switch {
	case in.Records == 0:
	case !in.InUse:
		x.warn("spool", "%s; strikeout serve stores them", waits(in, x.now()))
	default:
		x.warn("spool", "%s until the database takes them", waits(in, x.now()))
	}
	if x.fails+x.warns == found {
		x.ok("spool", "%s; nothing waits", c.spool)
	}
}

// noSpool names the endpoints whose providers give up before a database is back.
func (x *examination) noSpool(c *config) {
	list, err := c.endpoints()
	if err != nil {
		return // said elsewhere
	}
	var names []string
	for _, ep := range list {
		if h := ep.info.RetryFor; h > 0 && h <= impatient {
			names = append(names, ep.name)
		}
	}
	if len(names) > 0 {
		x.warn("spool", "there is none: reports to %s are lost when the database is away for more than minutes; set spool to a directory", strings.Join(names, ", "))
	}
}

func waits(in spool.Inspection, now time.Time) string {
	return fmt.Sprintf("%d requests and clicks wait to be stored, the oldest for %s", in.Records, max(now.Sub(in.Oldest), 0).Round(time.Second))
}

// fsckSpool says what the history does not hold yet, and reports whether
// something is lost.
func (e *env) fsckSpool(c *config) (sound bool) {
	if c.spool == "" {
		return true
	}
	in, err := spool.Inspect(c.spool)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		e.printf("spool: cannot be read: %v\n", err)
		return false
	}
	if in.Records > 0 {
		e.printf("spool: %s and are not in the history yet\n", waits(in, e.now()))
	}
	if in.Unfinished > 0 {
		e.printf("spool: %d files end in a record that was never finished, nor acknowledged\n", in.Unfinished)
	}
	if in.Refused > 0 {
		e.printf("spool: %d files hold records that the database refused\n", in.Refused)
	}
	if in.Damaged > 0 {
		e.printf("spool: %d files were damaged on the disk; the rest of them is stored\n", in.Damaged)
	}
	if in.Lost > 0 || len(in.Unreadable) > 0 {
		e.printf("spool: %d bytes of what waits and %d whole files cannot be read\n", in.Lost, len(in.Unreadable))
	}
	return in.Lost == 0 && len(in.Unreadable) == 0 && in.Refused == 0 && in.Damaged == 0
}
