package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/strikeout/strikeout/store/mariadbd"
	"github.com/strikeout/strikeout/store/storebench"
)

// options say what is measured, and how long.
type options struct {
	long      time.Duration // of one measurement
	rounds    int           // undisturbed ones wanted
	extra     int           // more of them, in place of disturbed ones
	patience  time.Duration // how long to wait for a quiet machine before each measurement
	within    time.Duration // see hurry
	addresses int           // in the database, but for parts that say otherwise
	large     int           // addresses of the part size, and of check
	listRows  int           // of the list of `links`
	events    int           // of the part scale
	pool      string        // InnoDB's buffer pool
	short     bool
	soak      time.Duration
	kills     int
}

// bench is one run.
type bench struct {
	options
	dir         string // for everything that is written; removed at the end
	out         io.Writer
	commandLine string

	hurry    time.Time // from then on no time is spent on a quiet machine
	program  string    // the built one
	secrets  *secrets
	sendgrid *sgMaker
	ids      ids

	server       *mariadbd.Server
	mariaVersion string
	databases    map[int]*database // by the number of addresses
}

func (e *bench) progress(format string, a ...any) { fmt.Fprintf(e.out, format+"\n", a...) }

// prepare makes what every part needs.
func (e *bench) prepare(ctx context.Context) (err error) {
	if e.secrets, err = newSecrets(); err != nil {
		return err
	}
	if e.sendgrid, err = newSGMaker(&e.ids, newPeople(e.secrets.keyer, 0)); err != nil {
		return err
	}
	e.databases = map[int]*database{}
	if e.mariaVersion, err = mariadbd.Version(); err != nil {
		return err //nolint:wrapcheck // it says what failed
	}
	if e.program, err = build(ctx, e.dir, !e.short); err != nil {
		return err
	}
	// The keys of links are made for an empty database only, so they are made here
	// and shared by all.
	folder, err := e.config("keys", "sqlite:empty.db", anyPort)
	if err == nil {
		_, err = e.command(ctx, folder, nil, "migrate")
	}
	return err
}

func (e *bench) close() {
	for _, d := range e.databases {
		_ = d.bare.Close()
	}
	if e.server != nil {
		e.server.Kill()
	}
}

// mariaOptions are those of a server that is there for this database alone.
func (e *bench) mariaOptions() []string {
	return []string{"--innodb-flush-log-at-trx-commit=1", "--innodb-flush-method=O_DIRECT", "--innodb-buffer-pool-size=" + e.pool, "--innodb-log-file-size=1G",
		"--innodb-io-capacity=4000", "--max-connections=400", "--max-allowed-packet=64M", "--skip-log-bin"}
}

// database is one on MariaDB with a number of addresses.
type database struct {
	url    string
	people *people
	bare   *storebench.DB
	server *mariadbd.Server
}

func (d *database) pid() int { return d.server.PID() }

// startServer starts MariaDB, once for a run.
func (e *bench) startServer() error {
	if e.server != nil {
		return nil
	}
	dir := filepath.Join(e.dir, "mariadb")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	s, err := mariadbd.New(dir, e.mariaOptions()...)
	if err != nil {
		return fmt.Errorf("MariaDB: %w", err)
	}
	e.server = s
	return nil
}

// maria returns a database with a number of addresses, made once for a run.
func (e *bench) maria(ctx context.Context, addresses int) (*database, error) {
	if d := e.databases[addresses]; d != nil {
		return d, nil
	}
	if err := e.startServer(); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("strikeout_%d", addresses)
	url, err := storebench.Create(ctx, e.server.DSN(), name)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	p, err := e.fill(ctx, name, url, addresses)
	if err != nil {
		return nil, err
	}
	bare, err := storebench.Open(url, 4)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	d := &database{url: url, people: p, bare: bare, server: e.server}
	e.databases[addresses] = d
	return d, nil
}

// lite returns a SQLite database with a number of addresses.
func (e *bench) lite(ctx context.Context, name string, addresses int) (string, *people, error) {
	url := "sqlite:" + filepath.Join(e.dir, name+".db")
	p, err := e.fill(ctx, name, url, addresses)
	return url, p, err
}

// fill makes the tables and the addresses.
func (e *bench) fill(ctx context.Context, name, url string, addresses int) (*people, error) {
	folder, err := e.config(name+"-fill", url, anyPort)
	if err != nil {
		return nil, err
	}
	if _, err := e.command(ctx, folder, nil, "migrate"); err != nil {
		return nil, err
	}
	p := newPeople(e.secrets.keyer, addresses)
	db, err := storebench.Open(url, 2)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	began := time.Now()
	if err := db.Load(ctx, 0, addresses, p.row); err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	e.progress("  %s: %s addresses in %.1f s", name, count(addresses), time.Since(began).Seconds())
	return p, nil
}

// disk names the file system that everything is written to.
func (e *bench) disk() string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(e.dir, &fs); err != nil {
		return "unknown"
	}
	kinds := map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x01021994: "tmpfs: **figures of durability mean nothing**", 0x2fc12fc1: "zfs", 0x794c7630: "overlay"}
	if k := kinds[int64(fs.Type)]; k != "" { //nolint:unconvert // its type differs between platforms
		return k + ", " + e.syncTime()
	}
	return e.syncTime()
}

// syncTime measures what a synced write costs here.
func (e *bench) syncTime() string {
	f, err := os.CreateTemp(e.dir, "sync")
	if err != nil {
		return "unknown"
	}
	defer os.Remove(f.Name()) //nolint:errcheck // in a folder that goes
	defer f.Close()           //nolint:errcheck // nothing in it counts
	page := make([]byte, 4096)
	var took []float64
	for range 100 {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return "unknown"
		}
		if err := f.Sync(); err != nil {
			return "unknown"
		}
		took = append(took, float64(time.Since(began))/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f ms to append 4 KiB and sync", median(took))
}
