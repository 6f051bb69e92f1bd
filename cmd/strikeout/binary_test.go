package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storetest"
)

// built is the program as it is shipped, built once for a test binary.
var built struct {
	sync.Once
	dir, path string
	err       error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) //nolint:errcheck // a temporary directory
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "strikeout-binary-"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "strikeout")
		out, err := exec.Command("go", "build", "-o", built.path, ".").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build the program: %v", built.err)
	}
	return built.path
}

// publicURL is what providers call and sign; a proxy would stand there.
const publicURL = "https://u.example.com"

// service is the program with a YAML file, on a database.
type service struct {
	t        *testing.T
	dir      string
	database string
	apiKey   string
	settings map[string]providers.Settings // by endpoint, named as its provider

	mu   sync.Mutex
	base string
	cmd  *exec.Cmd
	errs *buffer
	out  *buffer
	ids  int
}

// newService writes the configuration: every provider with fresh secrets.
func newService(t *testing.T, database string) *service {
	t.Helper()
	s := &service{t: t, dir: t.TempDir(), database: database, settings: map[string]providers.Settings{}}
	key, hash, err := admin.NewAPIKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.apiKey = key
	var y strings.Builder
	fmt.Fprintf(&y, "listen: 127.0.0.1:0\npublic_url: %s\ndatabase: %s\naddress_key: ${KEY}\n", publicURL, database)
	fmt.Fprintf(&y, "api_keys: [{name: test, scopes: [read, mint, write], sha256: %s}]\nendpoints:\n", hex.EncodeToString(hash[:]))
	for _, info := range all.Infos() {
		set, err := info.Simulate.Settings(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s.settings[info.Name] = set
		y.WriteString(strings.TrimPrefix(endpointYAML(info.Name, info, set), "endpoints:\n"))
	}
	writeFile(t, filepath.Join(s.dir, "strikeout.yaml"), y.String())
	t.Cleanup(s.kill)
	return s
}

func (s *service) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary(s.t), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"KEY=" + testKey, "HOME=" + s.dir}
	return cmd
}

// launch starts the service and waits until it listens.
func (s *service) launch() {
	s.t.Helper()
	s.out, s.errs = &buffer{}, &buffer{}
	cmd := s.command("serve")
	cmd.Stdout, cmd.Stderr = s.out, s.errs
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.cmd = cmd
	s.mu.Unlock()
	until(s.t, "the program listens", func() bool {
		m := listensOn.FindStringSubmatch(s.out.String())
		if m == nil {
			if !alive(cmd.Process) {
				s.t.Fatalf("the program ended:\n%s", s.errs)
			}
			return false
		}
		s.mu.Lock()
		s.base = m[1]
		s.mu.Unlock()
		return true
	})
}

func alive(p *os.Process) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	return err == nil && !bytes.Contains(b, []byte(") Z "))
}

func (s *service) start() {
	s.t.Helper()
	s.launch()
	until(s.t, "the program is ready", func() bool {
		a, err := s.ask("GET", "/readyz", nil)
		return err == nil && a.status == http.StatusOK
	})
}

// kill is SIGKILL.
func (s *service) kill() {
	if cmd := s.ended(); cmd != nil {
		_ = cmd.Process.Kill() //nolint:errcheck // it may have ended already
		_ = cmd.Wait()         //nolint:errcheck // killed
	}
}

// stop is SIGTERM; the program must end with 0.
func (s *service) stop() {
	s.t.Helper()
	cmd := s.ended()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		s.t.Errorf("after SIGTERM: %v\n%s", err, s.errs)
	}
}

func (s *service) ended() *exec.Cmd {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := s.cmd
	s.cmd = nil
	return cmd
}

// local turns a public address into that of the process.
func (s *service) local(address string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base + strings.TrimPrefix(address, publicURL)
}

func (s *service) ask(method, path string, body any) (answer, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequest(method, s.local(publicURL+path), bytes.NewReader(b))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+s.apiKey)
	return do(req)
}

// known is what the API says of an address.
type known struct {
	Known       bool    `json:"known"`
	Blocked     bool    `json:"blocked"`
	BlockedAt   *string `json:"blocked_at"`
	UnblockedAt *string `json:"unblocked_at"`
	OptedOut    bool    `json:"opted_out"`
	Events      []struct {
		Kind       recipient.Kind `json:"kind"`
		Endpoint   string         `json:"endpoint"`
		At         string         `json:"at"`
		ReceivedAt string         `json:"received_at"`
	} `json:"events"`
}

func (s *service) lookup(c recipient.Channel, address string) known {
	s.t.Helper()
	var k known
	a, err := s.ask("POST", "/v1/lookup", map[string]any{"channel": c, "address": address})
	if err == nil {
		err = json.Unmarshal([]byte(a.body), &k)
	}
	if err != nil || a.status != http.StatusOK {
		s.t.Fatalf("lookup: %d %v", a.status, err)
	}
	return k
}

// shot builds a signed request of a sample.
func (s *service) shot(info providers.Info, sample providers.Sample, to string) *providers.Request {
	s.t.Helper()
	s.mu.Lock()
	s.ids++
	id := fmt.Sprintf("%08x%08x", os.Getpid(), s.ids)
	s.mu.Unlock()
	r, err := shoot(info, sample, s.settings[info.Name], publicURL+"/webhooks/"+info.Name, to, id, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// post sends a request as it was signed to where the process listens.
func (s *service) post(r *providers.Request) (answer, error) {
	here := *r
	here.URL = s.local(r.URL)
	return send(context.Background(), &here)
}

func sampleOf(t *testing.T, provider, name string) (providers.Info, providers.Sample) {
	t.Helper()
	info, ok := all.Lookup(provider)
	if !ok {
		t.Fatalf("no provider %s", provider)
	}
	for _, s := range info.Simulate.Samples {
		if s.Name == name {
			return info, s
		}
	}
	t.Fatalf("%s has no sample %s", provider, name)
	return info, providers.Sample{}
}

// fsck runs the program's own check and wants nothing to be found.
func (s *service) fsck() {
	s.t.Helper()
	out, err := s.command("fsck").CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 differences, 0 repaired") {
		s.t.Errorf("fsck: %v\n%s", err, out)
	}
}

// metric returns the value of a series, empty when it is not there.
func (s *service) metric(series string) string {
	s.t.Helper()
	a, err := s.ask("GET", "/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.SplitSeq(a.body, "\n") {
		if v, ok := strings.CutPrefix(line, series+" "); ok {
			return v
		}
	}
	return ""
}

// onBoth runs a test on SQLite and on MariaDB.
func onBoth(t *testing.T, f func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, storetest.SQLite(t)) })
	t.Run("mariadb", func(t *testing.T) { f(t, storetest.MariaDB(t)) })
}

// load is 64 clients that post one event each, again and again.
type load struct {
	s     *service
	stop  chan struct{}
	done  sync.WaitGroup
	mu    sync.Mutex
	acked []string // addresses whose report got a 2xx
	other map[int]int
	retry int // answers that were not 2xx and had a Retry-After
	lost  int // no answer at all
}

const clients = 64

func (s *service) load(prefix, provider, sample string) *load {
	info, smp := sampleOf(s.t, provider, sample)
	l := &load{s: s, stop: make(chan struct{}), other: map[int]int{}}
	for c := range clients {
		l.done.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				default:
				}
				to := fmt.Sprintf("%s-%d-%d@example.com", prefix, c, n)
				l.note(to, s.shot(info, smp, to))
			}
		})
	}
	return l
}

func (l *load) note(to string, r *providers.Request) {
	a, err := l.s.post(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.lost++
	case a.ok():
		l.acked = append(l.acked, to)
	default:
		l.other[a.status]++
		if a.header.Get("Retry-After") != "" {
			l.retry++
		}
	}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func (l *load) refused() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.other {
		n += c
	}
	return n + l.lost
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.done.Wait()
}

// verify wants every acknowledged event to be there exactly once.
func (l *load) verify() {
	t := l.s.t
	t.Helper()
	next := make(chan string)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var wrong []string
	for range 16 {
		workers.Go(func() {
			for to := range next {
				a, err := l.s.ask("POST", "/v1/lookup", map[string]any{"channel": "email", "address": to})
				var k known
				if err == nil {
					err = json.Unmarshal([]byte(a.body), &k)
				}
				if err != nil || len(k.Events) != 1 || !k.Blocked {
					mu.Lock()
					wrong = append(wrong, fmt.Sprintf("%s: %d events, blocked %v, %v", to, len(k.Events), k.Blocked, err))
					mu.Unlock()
				}
			}
		})
	}
	for _, to := range l.acked {
		next <- to
	}
	close(next)
	workers.Wait()
	if len(wrong) > 0 {
		t.Errorf("%d of %d acknowledged events are not there once, such as %s", len(wrong), len(l.acked), wrong[0])
	}
}
