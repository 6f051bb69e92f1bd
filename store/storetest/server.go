package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Server is a private mariadbd that a test may stop, kill and start again.
type Server struct {
	dir  string
	port int
	cmd  *osexec.Cmd
	hold io.Closer // the server ends when this pipe does, even if we are killed
}

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
)

// StartServer starts a server of the test's own, stopped when the test ends.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s, err := start(func() (string, error) { return t.TempDir(), nil })
	if err != nil {
		t.Fatalf("start mariadbd: %v", err)
	}
	t.Cleanup(s.Kill)
	return s
}

// URL returns the URL of a fresh database on the server. It is not dropped:
// the server's folder goes with the test.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	return create(t, s.dsn())
}

func (s *Server) dsn() string { return fmt.Sprintf("root@tcp(127.0.0.1:%d)/", s.port) }

func tempDir() (string, error) { return os.MkdirTemp("", "strikeout-mariadb-") } //nolint:wrapcheck // start wraps

func find(name string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"} {
		if p, err := osexec.LookPath(dir + name); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: make test installs it, or set STRIKEOUT_TEST_DSN", name)
}

func start(makeDir func() (string, error)) (*Server, error) {
	install, err := find("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	dir, err := makeDir()
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, port: port}
	args := []string{"--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir=" + filepath.Join(dir, "data")}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := osexec.CommandContext(context.Background(), install, args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	return s, s.start()
}

func freePort() (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	defer l.Close() //nolint:errcheck // only the number was wanted
	return l.Addr().(*net.TCPAddr).Port, nil
}

// watched runs the server until its own standard input ends, which it does when
// the test binary does, in whatever way. It cleans up only a folder that
// nobody else would.
const watched = `"$@" & pid=$!; cat >/dev/null; kill -9 $pid 2>/dev/null; wait $pid; case "$DIR" in *strikeout-mariadb-*) rm -rf "$DIR";; esac`

// start starts the server on its folder. The settings differ from ours on
// purpose where a client must not depend on them: time zone, character set, mode.
func (s *Server) start() error {
	bin, err := find("mariadbd")
	if err != nil {
		return err
	}
	args := []string{"-c", watched, "sh", bin, "--no-defaults", "--datadir=" + filepath.Join(s.dir, "data"), "--socket=" + filepath.Join(s.dir, "sock"),
		"--pid-file=" + filepath.Join(s.dir, "pid"), "--port=" + strconv.Itoa(s.port), "--bind-address=127.0.0.1", "--skip-name-resolve",
		"--log-error=" + filepath.Join(s.dir, "error.log"), "--default-time-zone=+05:30", "--character-set-server=latin1", "--sql-mode=",
		"--innodb-buffer-pool-size=256M", "--innodb-log-file-size=256M", "--innodb-flush-log-at-trx-commit=1", "--max-connections=400"}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	cmd := osexec.CommandContext(context.Background(), "/bin/sh", args...) //nolint:gosec // our own words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                  // ^C reaches the test first
	cmd.Env = append(os.Environ(), "DIR="+s.dir)
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	cmd.Stdin = r
	err = cmd.Start()
	_ = r.Close()
	if err != nil {
		_ = w.Close()
		return fmt.Errorf("start mariadbd: %w", err)
	}
	s.cmd, s.hold = cmd, w
	for end := time.Now().Add(startTimeout); ; {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), time.Second)
		if err == nil {
			return c.Close() //nolint:wrapcheck // it never fails
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "error.log"))
			return errors.Join(err, fmt.Errorf("mariadbd did not start: %s", log))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// pid returns the process id of the server itself.
func (s *Server) pid() int {
	b, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	if err != nil {
		return 0
	}
	n := 0
	_, _ = fmt.Sscan(string(b), &n)
	return n
}

// Stop ends the server in good order.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	pid := s.pid()
	if pid == 0 {
		t.Fatal("stop mariadbd: it does not run")
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatalf("stop mariadbd: %v", err)
	}
	for end := time.Now().Add(stopTimeout); syscall.Kill(pid, 0) == nil && !zombie(pid); {
		if time.Now().After(end) {
			t.Fatal("mariadbd does not stop")
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Kill()
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

// Start starts a stopped or killed server again, on the same port and data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("start mariadbd: %v", err)
	}
}
