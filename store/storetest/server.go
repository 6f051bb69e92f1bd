package storetest

import (
	"testing"

	"github.com/strikeout/strikeout/store/mariadbd"
)

// Server is a private mariadbd that a test may stop, kill and start again.
type Server struct{ server *mariadbd.Server }

// options differ from ours on purpose where a client must not depend on them:
// time zone, character set, mode, and when a statement is committed.
var options = []string{"--default-time-zone=+05:30", "--character-set-server=latin1", "--sql-mode=", "--autocommit=0", "--completion-type=CHAIN",
	"--innodb-buffer-pool-size=256M", "--innodb-log-file-size=256M", "--max-connections=400"}

// StartServer starts a server of the test's own, stopped when the test ends.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s, err := mariadbd.New(t.TempDir(), options...)
	if err != nil {
		t.Fatalf("start mariadbd: %v", err)
	}
	t.Cleanup(s.Kill)
	return &Server{s}
}

// URL returns the URL of a fresh database on the server. It is not dropped:
// the server's folder goes with the test.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	return create(t, s.server.DSN())
}

// Stop ends the server in good order.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.server.Stop(); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server like a power cut of the process: SIGKILL.
func (s *Server) Kill() { s.server.Kill() }

// Start starts a stopped or killed server again, on the same port and data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.server.Start(); err != nil {
		t.Fatalf("start mariadbd: %v", err)
	}
}
