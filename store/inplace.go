package store

import (
	"fmt"
	"os"
	"strings"
)

// errMoved: what is committed now would be gone with a file that nobody opens
// again. Moving a backup into the place of a running service's file does that.
var errMoved = fmt.Errorf("%w: the database file was moved, replaced or deleted while in use: put it back, or start again", ErrUnavailable)

// place is the file of SQLite as it was when it was opened; none on MySQL.
type place struct {
	path string
	file os.FileInfo
}

func newPlace(url string) (place, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return place{}, nil
	}
	path = strings.TrimPrefix(path, "//")
	file, err := os.Stat(path)
	if err != nil {
		return place{}, fmt.Errorf("store: the database file: %w", err)
	}
	return place{path, file}, nil
}

// check fails when the path leads to another file by now, or to none.
func (p place) check() error {
	if p.file == nil {
		return nil
	}
	if now, err := os.Stat(p.path); err != nil || !os.SameFile(p.file, now) {
		return errMoved
	}
	return nil
}

// commit ends a transaction, and vouches for what it wrote: somebody is told
// next that it is stored.
func (p place) commit(tx interface{ Commit() error }) error {
	if err := p.check(); err != nil {
		return err // the caller rolls back
	}
	if err := tx.Commit(); err != nil {
		return err //nolint:wrapcheck // the caller classifies it
	}
	return p.check()
}
