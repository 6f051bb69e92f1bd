package spool

import (
	"sync"
)

// faultyDisk is a disk whose calls fail when told to.
type faultyDisk struct {
	realDisk
	mu    sync.Mutex
	fail  func(op, name string) error // nil: none
	syncs int
	short int // a write that fails has written so much
}

func (d *faultyDisk) set(fail func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

func (d *faultyDisk) check(op, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if op == "sync" {
		d.syncs++
	}
	if d.fail == nil {
		return nil
	}
	return d.fail(op, name)
}

func (d *faultyDisk) Create(name string) (file, error) {
	if err := d.check("create", name); err != nil {
		return nil, err
	}
	f, err := d.realDisk.Create(name)
	return &faultyFile{f, d, name}, err
}

func (d *faultyDisk) ReadFile(name string) ([]byte, error) {
	if err := d.check("read", name); err != nil {
		return nil, err
	}
	return d.realDisk.ReadFile(name)
}

func (d *faultyDisk) Rename(from, to string) error {
	if err := d.check("rename", from); err != nil {
		return err
	}
	return d.realDisk.Rename(from, to)
}

func (d *faultyDisk) Remove(name string) error {
	if err := d.check("remove", name); err != nil {
		return err
	}
	return d.realDisk.Remove(name)
}

func (d *faultyDisk) SyncDir(name string) error {
	if err := d.check("syncdir", name); err != nil {
		return err
	}
	return d.realDisk.SyncDir(name)
}

type faultyFile struct {
	file
	disk *faultyDisk
	name string
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.disk.check("write", f.name); err != nil {
		n, _ := f.file.Write(b[:min(f.disk.short, len(b))])
		return n, err
	}
	return f.file.Write(b)
}

func (f *faultyFile) Sync() error {
	if err := f.disk.check("sync", f.name); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultyFile) Truncate(n int64) error {
	if err := f.disk.check("truncate", f.name); err != nil {
		return err
	}
	return f.file.Truncate(n)
}
