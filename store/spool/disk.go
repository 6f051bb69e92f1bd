package spool

import (
	"errors"
	"io"
	"os"
)

// file is a segment that is being written.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// disk is what the journal does to files; tests put faults in between.
type disk interface {
	Create(name string) (file, error) // new, for its owner alone
	ReadFile(name string) ([]byte, error)
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(name string) error // makes what was created, renamed or removed there durable
}

type realDisk struct{}

func (realDisk) Create(name string) (file, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec,wrapcheck // the operator names the directory
}

func (realDisk) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }   //nolint:gosec,wrapcheck // likewise
func (realDisk) Rename(from, to string) error         { return os.Rename(from, to) } //nolint:wrapcheck // likewise
func (realDisk) Remove(name string) error             { return os.Remove(name) }     //nolint:wrapcheck // likewise

func (realDisk) SyncDir(name string) error {
	d, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	return errors.Join(d.Sync(), d.Close())
}
