// Package mariadbd starts private MariaDB servers, for tests and measurements:
// on a folder and a port of their own, and gone when the process that started
// them is, in whatever way it ends.
package mariadbd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is a private mariadbd that may be stopped, killed and started again.
type Server struct {
	dir  string
	port int
	kept io.Closer // keeps the port while the server does not run
	args []string
	cmd  *osexec.Cmd
	hold io.Closer // the server ends when this pipe does, even if we are killed
}

// Generous: a machine may have much else to do.
const (
	startTimeout = 3 * time.Minute
	stopTimeout  = 3 * time.Minute
)

// TempPrefix begins the names of folders that the server's watcher removes once
// the server has ended.
const TempPrefix = "strikeout-mariadb-"

// TempDir makes such a folder in a folder, by default that of temporary files.
func TempDir(in string) (string, error) { return os.MkdirTemp(in, TempPrefix) } //nolint:wrapcheck // New wraps

func find(name string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"} {
		if p, err := osexec.LookPath(dir + name); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: make test installs it, or set STRIKEOUT_TEST_DSN", name)
}

var versionOf = regexp.MustCompile(`Ver ([0-9.]+)`)

// Version returns the version of the server that New starts, such as 10.11.19.
func Version() (string, error) {
	bin, err := find("mariadbd")
	if err != nil {
		return "", err
	}
	out, err := osexec.CommandContext(context.Background(), bin, "--no-defaults", "--version").Output() //nolint:gosec // our own words
	if err != nil {
		return "", fmt.Errorf("mariadbd --version: %w", err)
	}
	m := versionOf.FindSubmatch(out)
	if m == nil {
		return "", errors.New("mariadbd --version says none")
	}
	return string(m[1]), nil
}

// New makes a database folder in an existing folder and starts a server on it.
// The options of mariadbd come last, so they win. Every commit is synced.
func New(dir string, options ...string) (*Server, error) {
	s, err := Prepare(dir, options...)
	if err != nil {
		return nil, err
	}
	return s, s.Start()
}

// Prepare is New without the start. It makes the folder where it is missing.
func Prepare(dir string, options ...string) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	install, err := find("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	port, kept, err := KeepPort()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, port: port, kept: kept, args: options}
	args := []string{"--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir=" + s.data()}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := osexec.CommandContext(context.Background(), install, args...).CombinedOutput(); err != nil { //nolint:gosec // our own words
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	return s, nil
}

// Clone makes a server of its own from a stopped one's data.
func (s *Server) Clone(dir string, options ...string) (*Server, error) {
	port, kept, err := KeepPort()
	if err != nil {
		return nil, err
	}
	c := &Server{dir: dir, port: port, kept: kept, args: options}
	if err := os.CopyFS(c.data(), os.DirFS(s.data())); err != nil {
		return nil, fmt.Errorf("copy the data: %w", err)
	}
	return c, nil
}

// Recovered returns the place in its cluster's history up to which a killed node
// of Galera has its data, for --wsrep-start-position.
func (s *Server) Recovered() (string, error) {
	bin, err := find("mariadbd")
	if err != nil {
		return "", err
	}
	log := filepath.Join(s.dir, "recovered.log")
	args := []string{"--no-defaults", "--datadir=" + s.data(), "--socket=" + filepath.Join(s.dir, "sock"), "--pid-file=" + filepath.Join(s.dir, "recovered.pid")}
	args = append(append(args, s.args...), "--wsrep-recover", "--log-error="+log)
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := osexec.CommandContext(context.Background(), bin, args...).CombinedOutput(); err != nil { //nolint:gosec // our own words
		return "", fmt.Errorf("mariadbd --wsrep-recover: %w: %s", err, out)
	}
	b, err := os.ReadFile(log) //nolint:gosec // our own file
	if err != nil {
		return "", fmt.Errorf("mariadbd --wsrep-recover: %w", err)
	}
	_, rest, ok := strings.Cut(string(b), "Recovered position: ")
	if !ok {
		return "", errors.New("mariadbd --wsrep-recover names no position")
	}
	position, _, _ := strings.Cut(rest, "\n")
	position, _, _ = strings.Cut(strings.TrimSpace(position), ",") // the domain's number follows
	return position, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Dir returns the server's folder; the database is in its folder data.
func (s *Server) Dir() string { return s.dir }

// DSN returns the driver's DSN of the server, without a database.
func (s *Server) DSN() string { return "root@tcp(" + s.Addr() + ")/" }

// Addr returns the server's host and port.
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// watched runs the server until its own standard input ends, which it does when
// the process that started it does, in whatever way. It cleans up only a folder
// that nobody else would.
const watched = `"$@" & pid=$!; cat >/dev/null; kill -9 $pid 2>/dev/null; wait $pid; case "$DIR" in *` + TempPrefix + `*) rm -rf "$DIR";; esac`

// Start starts a stopped or killed server again, on the same port and data, with
// more options for this once.
func (s *Server) Start(once ...string) error {
	bin, err := find("mariadbd")
	if err != nil {
		return err
	}
	args := []string{"-c", watched, "sh", bin, "--no-defaults", "--datadir=" + s.data(), "--socket=" + filepath.Join(s.dir, "sock"),
		"--pid-file=" + s.pidFile(), "--port=" + strconv.Itoa(s.port), "--bind-address=127.0.0.1", "--skip-name-resolve",
		"--log-error=" + filepath.Join(s.dir, "error.log"), "--innodb-flush-log-at-trx-commit=1"}
	args = append(append(args, s.args...), once...)
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	cmd := osexec.CommandContext(context.Background(), "/bin/sh", args...) //nolint:gosec // our own words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                  // ^C reaches its starter first
	cmd.Env = append(os.Environ(), "DIR="+s.dir)
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	_ = os.Remove(s.pidFile()) // of a server that was killed
	cmd.Stdin = r
	err = cmd.Start()
	_ = r.Close()
	if err != nil {
		_ = w.Close()
		return fmt.Errorf("start mariadbd: %w", err)
	}
	s.cmd, s.hold = cmd, w
	for end := time.Now().Add(startTimeout); ; {
		err := s.greeted()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return errors.Join(err, fmt.Errorf("mariadbd did not start: %s", s.Log()))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// greeted connects and waits for the server's first words. It listens before it
// is ready to speak, and before it has written down its process id.
func (s *Server) greeted() error {
	c, err := net.DialTimeout("tcp", s.Addr(), time.Second) //nolint:noctx // bounded
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close() //nolint:errcheck // nothing was written
	if err := c.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("wait for the server: %w", err)
	}
	return nil
}

// Log returns what the server wrote into its log.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "error.log"))
	return string(b)
}

func (s *Server) pidFile() string { return filepath.Join(s.dir, "pid") }

// PID returns the process id of the server itself; 0 when it does not run.
func (s *Server) PID() int {
	b, err := os.ReadFile(s.pidFile())
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// Stop ends the server in good order.
func (s *Server) Stop() error {
	pid := s.PID()
	if pid == 0 {
		return errors.New("stop mariadbd: it does not run")
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop mariadbd: %w", err)
	}
	for end := time.Now().Add(stopTimeout); syscall.Kill(pid, 0) == nil && !zombie(pid); {
		if time.Now().After(end) {
			return errors.New("mariadbd does not stop")
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Kill()
	return nil
}

// zombie reports whether a process has ended and waits for its parent.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	var n int
	var name, state string
	_, err = fmt.Sscan(string(b), &n, &name, &state)
	return err == nil && state == "Z"
}

// Kill ends the server like a power cut of the process: SIGKILL.
func (s *Server) Kill() {
	if s.hold == nil {
		return
	}
	_ = s.hold.Close()
	_ = s.cmd.Wait()
	s.hold = nil
}
