package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/recipient"
)

// secrets are what every service of a run shares.
type secrets struct {
	addressKey []byte
	keyer      *recipient.Keyer
	mailgun    string // signing secret
	apiKey     string
	apiHash    string
}

func newSecrets() (*secrets, error) {
	s := &secrets{addressKey: make([]byte, 32), mailgun: "bench-signing-secret"}
	rand.Read(s.addressKey) //nolint:errcheck // it never fails
	var err error
	if s.keyer, err = recipient.NewKeyer(s.addressKey); err != nil {
		return nil, fmt.Errorf("make an address key: %w", err)
	}
	key, hash, err := admin.NewAPIKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an API key: %w", err)
	}
	s.apiKey, s.apiHash = key, hex.EncodeToString(hash[:])
	return s, nil
}

// build builds the program: as it is shipped or, where only running counts,
// from what the build cache of the tests holds.
func build(ctx context.Context, dir string, shipped bool) (string, error) {
	path := filepath.Join(dir, "strikeout")
	args, env := []string{"build", "-buildvcs=false", "-o", path}, os.Environ()
	if shipped {
		args, env = append(args, "-trimpath", "-ldflags", "-s -w"), append(env, "CGO_ENABLED=0")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/strikeout/strikeout/cmd/strikeout")...) //nolint:gosec // our own words
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return path, nil
}

// service is a child process that answers HTTP.
type service struct {
	cmd    *exec.Cmd
	addr   string
	log    *lockedBuffer
	ended  chan struct{}
	took   time.Duration // from the start to ready
	folder string
}

// lockedBuffer keeps the last of what a process says.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len() > 64<<10 {
		b.b.Reset()
	}
	return b.b.Write(p) //nolint:wrapcheck // it never fails
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// config writes the configuration of the program for a database.
func (e *bench) config(name, database, listen string) (folder string, err error) {
	folder = filepath.Join(e.dir, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	y := fmt.Sprintf("listen: %s\npublic_url: https://u.example.com\ndatabase: %s\ndata_dir: .\naddress_key: %s\ntoken_keys_file: %s\nlog_level: error\n"+
		"api_keys: [{name: bench, scopes: [read, mint, write, admin], sha256: %s}]\nendpoints:\n  mailgun: {provider: mailgun, signing_secret: %s}\n  sendgrid: {provider: sendgrid, public_key: %s}\n",
		listen, database, base64.StdEncoding.EncodeToString(e.secrets.addressKey), filepath.Join(e.dir, "keys.yaml"), e.secrets.apiHash, e.secrets.mailgun, e.sendgrid.public)
	if err := os.WriteFile(filepath.Join(folder, "strikeout.yaml"), []byte(y), 0o600); err != nil {
		return "", fmt.Errorf("write a configuration: %w", err)
	}
	return folder, nil
}

const anyPort = "127.0.0.1:0"

// serve starts the program on a database, as an operator would.
func (e *bench) serve(ctx context.Context, name, database string) (*service, error) {
	return e.serveAt(ctx, name, database, anyPort)
}

func (e *bench) serveAt(ctx context.Context, name, database, listen string) (*service, error) {
	folder, err := e.config(name, database, listen)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, e.program, "serve") //nolint:gosec // our own program
	cmd.Dir, cmd.Env = folder, []string{"HOME=" + folder}
	s, err := launch(cmd)
	if s != nil {
		s.folder = folder
	}
	return s, err
}

// variant starts ourselves as a service that leaves something out.
func (e *bench) variant(ctx context.Context, mode, database string) (*service, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // ourselves
	cmd.Env = []string{childMode + "=" + mode, "BENCH_DATABASE=" + database, "BENCH_ADDRESS_KEY=" + hex.EncodeToString(e.secrets.addressKey),
		"BENCH_MAILGUN=" + e.secrets.mailgun, "BENCH_SENDGRID=" + e.sendgrid.public}
	return launch(cmd)
}

var listens = regexp.MustCompile(`listens on http://(\S+)`)

const readyTimeout = 3 * time.Minute

// launch starts a service and waits until it is ready.
func launch(cmd *exec.Cmd) (*service, error) {
	out := &lockedBuffer{}
	s := &service{cmd: cmd, log: &lockedBuffer{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, s.log
	cmd.Cancel = func() error { return cmd.Process.Kill() }
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	for {
		if m := listens.FindStringSubmatch(out.String()); m != nil {
			s.addr = m[1]
			if s.ready() {
				s.took = time.Since(start)
				return s, nil
			}
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("the service ended: %s", s.log)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Since(start) > readyTimeout {
			s.kill()
			return nil, fmt.Errorf("the service does not get ready: %s", s.log)
		}
	}
}

func (s *service) ready() bool {
	resp, err := http.Get("http://" + s.addr + "/readyz") //nolint:noctx // loopback, our own child
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body) //nolint:errcheck // only the status counts
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (s *service) pid() int { return s.cmd.Process.Pid }

// kill ends the service with SIGKILL.
func (s *service) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// command runs a subcommand of the program with a service's configuration.
func (e *bench) command(ctx context.Context, folder string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, e.program, args...) //nolint:gosec // our own program
	cmd.Dir, cmd.Env = folder, append([]string{"HOME=" + folder}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("strikeout %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
