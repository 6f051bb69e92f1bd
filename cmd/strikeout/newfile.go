package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newFile is a file that appears under its name when it is whole.
type newFile struct {
	*os.File
	name string // where it goes
	temp bool   // it still has another name
}

// beginFile begins a file. What is no regular file, such as a pipe, is written
// at once. The new file is readable by its owner alone, or as the one it
// replaces.
func beginFile(name string) (*newFile, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	mode := fs.FileMode(0o600)
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil, usage("%s is a directory", name)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0) //nolint:gosec // the user names it
		if err != nil {
			return nil, usage("%w", err)
		}
		return &newFile{File: f, name: name}, nil
	case err == nil:
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return nil, usage("%w", err)
	}
	n := &newFile{File: f, name: name, temp: true}
	if err := f.Chmod(mode); err != nil {
		n.discard()
		return nil, fmt.Errorf("create the output: %w", err)
	}
	return n, nil
}

// commit syncs the file and gives it its name, so that a crash leaves the old
// one or the new one.
func (f *newFile) commit() error {
	if !f.temp {
		return f.Close() //nolint:wrapcheck // it names the file
	}
	err := f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.File.Name(), f.name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	f.temp = false
	d, err := os.Open(filepath.Dir(f.name))
	if err != nil {
		return nil // the file is in place; only its durability is less certain
	}
	defer d.Close() //nolint:errcheck // opened to sync only
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	return nil
}

// discard drops a file that was not committed; afterwards it does nothing.
func (f *newFile) discard() {
	if f.temp {
		f.temp = false
		_ = f.Close()                //nolint:errcheck // it goes away
		_ = os.Remove(f.File.Name()) //nolint:errcheck // nothing more to do
	}
}

// lateFile is a newFile that is begun when something is written to it. One of
// that name that is there already is emptied: it is of an earlier run.
type lateFile struct {
	name string
	file *newFile
}

func (l *lateFile) Write(b []byte) (int, error) {
	if l.file == nil {
		f, err := beginFile(l.name)
		if err != nil {
			return 0, err
		}
		l.file = f
	}
	return l.file.Write(b) //nolint:wrapcheck // it names the file
}

func (l *lateFile) commit() error {
	if l.file != nil {
		return l.file.commit()
	}
	if info, err := os.Stat(l.name); l.name == "" || err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	if err := os.Truncate(l.name, 0); err != nil {
		return fmt.Errorf("empty the rejects of an earlier run: %w", err)
	}
	return nil
}

func (l *lateFile) discard() {
	if l.file != nil {
		l.file.discard()
	}
}
