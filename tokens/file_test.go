package tokens

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.yaml")
	private := ed25519.NewKeyFromSeed(vectorSecret("agency"))
	at := time.Unix(vectorNow, 0).UTC()
	want, err := NewRing([]Key{
		{ID: "a", Alg: HS256, State: Verify, Secret: vectorSecret("a"), CreatedAt: at},
		{ID: "b", Alg: HS256, State: Active, Secret: vectorSecret("b")},
		{ID: "agency", Alg: EdDSA, State: Verify, Public: private.Public().(ed25519.PublicKey)},
		{ID: "own", Alg: EdDSA, State: Confirm, Public: private.Public().(ed25519.PublicKey), Private: private},
		{ID: "c", Alg: HS256, State: Revoked, Secret: vectorSecret("c")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil { // Save narrows the mode of a file that was there
		t.Fatal(err)
	}
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, %v, want 0600", info.Mode(), err)
	}
	got, err := LoadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.Keys(), got.Keys()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// Through a symbolic link, which stays one.
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := testRing(t, "other").Save(link); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info.Mode(), err)
	}
	if got, err := LoadRing(path); err != nil || len(got.Keys()) != 1 {
		t.Errorf("behind the link: got %v, %v", got, err)
	}
	names, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(names) != 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
	if err := want.Save(filepath.Join(dir, "missing", "keys.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such folder: got %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	const secret = "fGC0vOSlr7V1ANg1Rr1B8jW1bmpQn7mJgqAQJ1Q0F8Y="
	good := "keys:\n  - id: k1\n    alg: HS256\n    state: active\n    secret: " + secret + "\n"
	if _, err := parseRing("keys.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	second := func(id, state string) string {
		return good + "  - id: " + id + "\n    alg: HS256\n    state: " + state + "\n    secret: 8" + secret[1:] + "\n"
	}
	tests := []struct{ name, yaml, want string }{
		{"nothing", "", "keys.yaml: expected `keys:`"},
		{"a text", "hello", "keys.yaml: expected `keys:`"},
		{"no keys", "keys: []", "keys.yaml:1: `keys` must be a list"},
		{"keys a text", "keys: " + secret, "keys.yaml:1: `keys` must be a list"},
		{"another name", "key:\n  - id: k1", "keys.yaml:1: expected `keys:` once"},
		{"keys twice", good + "keys: []", "keys.yaml:6: expected `keys:` once"},
		{"not YAML", "keys:\n  - id: k1\n\tsecret: " + secret, "keys.yaml:2: not valid YAML"},
		{"an unknown anchor", "keys:\n  - id: *" + secret[:20], "not valid YAML"},
		{"a key a text", "keys:\n  - " + secret, "keys.yaml:2: expected a key"},
		{"an unknown field", good + "    secert: x\n", `keys.yaml:6: key "k1": an unknown field`},
		{"a field twice", good + "    secret: " + secret + "\n", `keys.yaml:6: key "k1": a field stands twice`},
		{"a list for a value", good + "    created_at: [1]\n", `keys.yaml:6: key "k1": expected a plain value`},
		{"not base64", strings.Replace(good, secret, "a!b", 1), `keys.yaml:5: key "k1": secret is not base64`},
		{"empty", strings.Replace(good, secret, `""`, 1), `keys.yaml:2: key "k1": the secret is empty`},
		{"missing", strings.Replace(good, "    secret: "+secret+"\n", "", 1), `keys.yaml:2: key "k1": the secret is empty`},
		{"short", strings.Replace(good, secret, "AAECAwQFBgc=", 1), `keys.yaml:2: key "k1": the secret is shorter`},
		{"published", strings.Replace(good, secret, base64.StdEncoding.EncodeToString(vectorSecret("HS256")), 1), `keys.yaml:2: key "k1": the secret is an example`},
		{"id", strings.Replace(good, "k1", "K-1", 1), "keys.yaml:2: the id must be"},
		{"no id", "keys:\n  - alg: HS256\n    state: active\n    secret: " + secret, "keys.yaml:2: the id must be"},
		{"algorithm", strings.Replace(good, "HS256", "none", 1), `keys.yaml:2: key "k1": the algorithm`},
		{"state", strings.Replace(good, "active", "on", 1), `keys.yaml:2: key "k1": the state`},
		{"time", good + "    created_at: yesterday\n", `keys.yaml:6: key "k1": created_at`},
		{"two active", second("k2", "active"), `keys.yaml:6: key "k2": active, but so is the key of line 2`},
		{"one id twice", second("k1", "verify"), `keys.yaml:6: key "k1": the key of line 2 has this id too`},
		{"public key", "keys:\n  - id: a\n    alg: EdDSA\n    state: verify\n    public_key: " + secret[:20] + "\n", `keys.yaml:5: key "a": public_key`},
		{"private key", "keys:\n  - id: a\n    alg: EdDSA\n    state: verify\n    private_key: " + secret[:20] + "\n", `keys.yaml:5: key "a": private_key`},
		{"large", "#" + strings.Repeat("x", maxFileBytes), "larger than 1 MiB"},
	}
	for _, tt := range tests {
		_, err := parseRing("keys.yaml", []byte(tt.yaml))
		var fe *FileError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), secret[4:16]) {
			t.Errorf("%s: the error shows the secret", tt.name)
		}
	}
	if _, err := LoadRing(filepath.Join(t.TempDir(), "keys.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: got %v", err)
	}
}

// An outside minter sends its public key as openssl wrote it, or bare.
func TestParsePublicKey(t *testing.T) {
	want := ed25519.NewKeyFromSeed(vectorSecret("agency")).Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(want)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "DER": base64.StdEncoding.EncodeToString(der),
		"bare": base64.StdEncoding.EncodeToString(want), "base64url": base64.RawURLEncoding.EncodeToString(want),
	} {
		if got, err := ParsePublicKey(s); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, s := range []string{"", "x", "AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if _, err := ParsePublicKey(s); err == nil {
			t.Errorf("%q: accepted", s)
		}
	}
}

func TestWatcher(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	now := time.Unix(vectorNow, 0)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	tick := func() { mu.Lock(); defer mu.Unlock(); now = now.Add(time.Second) }
	var log bytes.Buffer
	cfg := WatcherConfig{Path: path, Now: clock, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if _, err := NewWatcher(cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing file: got %v", err)
	}
	log.Reset()
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save := func(r *Ring) {
		t.Helper()
		if err := r.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	first := testRing(t, "first")
	save(first)
	w, err := NewWatcher(cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := func(r *Ring, changes string) {
		t.Helper()
		if got := w.Ring(); got.String() != r.String() {
			t.Errorf("ring: got %s, want %s", got, r)
		}
		if got := strings.Count(log.String(), "changed"); got != len(changes) {
			t.Errorf("changes logged: got %d, want %d", got, len(changes))
		}
	}
	want(first, "")
	if before := w.Ring(); before != w.Ring() {
		t.Error("an unchanged file was read again")
	}
	k, err := GenerateKey(testRand("second"), now, HS256)
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.Rotate(k)
	if err != nil {
		t.Fatal(err)
	}
	save(second)
	want(first, "") // within the second
	tick()
	want(second, "x")
	// A broken file changes nothing, says so once, and is noticed when mended.
	write("keys: [")
	for range 3 {
		tick()
		want(second, "x")
	}
	var fe *FileError
	if err := w.Err(); !errors.As(err, &fe) || strings.Count(log.String(), "cannot use") != 1 {
		t.Errorf("a broken file: got %v\n%s", err, log.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	tick()
	want(second, "x")
	save(first)
	tick()
	want(first, "xx")
	if err := w.Err(); err != nil {
		t.Errorf("a mended file: got %v", err)
	}
	if strings.Contains(log.String(), encode(first.keys[0].Secret)) {
		t.Error("a secret reached the log")
	}
	// Many may ask while it changes.
	save(second)
	tick()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				if w.Ring() == nil {
					t.Error("no ring")
				}
			}
		})
	}
	wg.Wait()
	want(second, "xxx")
	if err := w.Reload(); err != nil {
		t.Error(err)
	}
}

func FuzzParseRing(f *testing.F) {
	f.Add([]byte("keys:\n  - id: k1\n    alg: HS256\n    state: active\n    secret: fGC0vOSlr7V1ANg1Rr1B8jW1bmpQn7mJgqAQJ1Q0F8Y=\n"))
	f.Add([]byte("keys:\n  - id: a\n    alg: EdDSA\n    state: verify\n    public_key: |\n      -----BEGIN PUBLIC KEY-----\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRing("keys.yaml", b)
		if err == nil && len(r.Keys()) == 0 {
			t.Error("a ring of nothing")
		}
		var fe *FileError
		if err != nil && !errors.As(err, &fe) {
			t.Errorf("got %v", err)
		}
	})
}
