package verp

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
)

func email(t *testing.T, s string) recipient.Address {
	t.Helper()
	a, err := recipient.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The recipe of docs/return-paths.md makes the same return paths.
func TestRecipe(t *testing.T) {
	text, err := os.ReadFile("../../../docs/return-paths.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(text), "```python\n")
	code, _, closed := strings.Cut(code, "```")
	if !ok || !closed {
		t.Fatal("no recipe in docs/return-paths.md")
	}
	var want, in []string
	for _, s := range []string{
		"nobody@example.com", "bob+tag@example.com", "a=b@example.com", "o'hara@sub.my-shop.example.com", strings.Repeat("l", 30) + "@example.com",
		strings.Repeat("l", 27) + "@example.com", strings.Repeat("l", 60) + "@example.com", `"two words"@example.com`, "jörg@example.com", "a..b@example.com",
	} {
		a, err := recipient.ParseEmail(s)
		if err != nil {
			continue // nobody's address
		}
		path, err := New("TEST-ONLY-secret").Mint("bounce@bounces.example.net", a)
		if err != nil {
			t.Fatal(err)
		}
		want, in = append(want, path), append(in, a.Value())
	}
	if !strings.Contains(string(text), want[0]) {
		t.Errorf("the example is not that of the secret TEST-ONLY-secret: %s", want[0])
	}
	code += "\nimport sys\nfor a in sys.argv[1:]: print(return_path('TEST-ONLY-secret', 'bounce@bounces.example.net', a))"
	cmd := exec.CommandContext(t.Context(), "python3", "-c", code) //nolint:gosec // our own recipe
	cmd.Args = append(cmd.Args, in...)
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	if d := cmp.Diff(want, strings.Fields(string(out))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestVerp(t *testing.T) {
	v, stranger := New("TEST-ONLY-secret", "TEST-ONLY-older"), New("TEST-ONLY-other")
	for _, s := range []string{
		"nobody@example.com", "bob+tag@example.com", "a=b@example.com", "o'hara@sub.my-shop.example.com", "x@xn--bcher-kva.example",
		strings.Repeat("l", 60) + "@example.com", `"two words"@example.com`, "jörg@example.com", "a..b@example.com",
	} {
		to, other := email(t, s), email(t, "other@example.com")
		path, err := v.Mint("bounce@bounces.example.net", to)
		if err != nil {
			t.Fatalf("Mint: %v", err)
		}
		if at := strings.LastIndexByte(path, '@'); at > maxLocal || email(t, path).Value() != path {
			t.Errorf("the return path %q is no address", path)
		}
		for _, p := range []string{path, strings.ToUpper(path)} {
			if !v.Proves(p, to) {
				t.Errorf("%q does not prove its own address", p)
			}
			if v.Proves(p, other) {
				t.Errorf("%q proves somebody else's address", p)
			}
			if stranger.Proves(p, to) {
				t.Errorf("%q is proven under another secret", p)
			}
		}
		if got, ok := v.Open(path); ok && got != to {
			t.Errorf("%q opens to another address", path)
		} else if _, found := stranger.Open(path); found {
			t.Errorf("%q opens under another secret", path)
		}
		at := strings.LastIndexByte(path, '@')
		if !v.Proves(path[:at-4]+path[at:], to) {
			t.Errorf("%q does not survive being cut", path)
		}
		if v.Proves(path[:at-8]+path[at:], to) || v.Proves(path[:at-16]+path[at:], to) {
			t.Error("a proof of a few characters is accepted")
		}
		old, err := New("TEST-ONLY-older").Mint("bounce@bounces.example.net", to)
		if err != nil || !v.Proves(old, to) {
			t.Errorf("the older secret proves nothing (%v)", err)
		}
		token, err := v.Token(to)
		if err != nil || !v.Proves(token, to) {
			t.Errorf("the id header proves nothing (%v)", err)
		}
	}
}

// The vector lets other programs mint return paths:
// printf %s nobody=example.com | openssl dgst -sha256 -hmac TEST-ONLY-verp-secret -binary | base32
func TestVerpVector(t *testing.T) {
	const want = "bounce+nobody=example.com-cosgj5iuam4rxjh3@bounces.example.net"
	got, err := New("TEST-ONLY-verp-secret").Mint("bounce@bounces.example.net", email(t, "Nobody@Example.com"))
	if err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestVerpRefuses(t *testing.T) {
	v, to := New("TEST-ONLY-secret"), email(t, "a@example.com")
	for _, mailbox := range []string{"", "bounce", "@example.net", "bounce@", "b+c@example.net", strings.Repeat("b", 40) + "@example.net", "b <b@example.net"} {
		if got, err := v.Mint(mailbox, to); !errors.Is(err, ErrMailbox) {
			t.Errorf("mailbox %q: got %q, %v", mailbox, got, err)
		}
	}
	if _, err := New("").Mint("b@example.net", to); !errors.Is(err, ErrNoSecret) {
		t.Errorf("without a secret: %v", err)
	}
	phone, err := recipient.ParsePhone("+358401234567", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Mint("b@example.net", phone); !errors.Is(err, recipient.ErrChannel) {
		t.Errorf("a phone number: %v", err)
	}
	for _, path := range []string{"", "@", "+@", "-", "a-", "bounce+-aaaaaaaaaaaaaaaa@example.net", "bounce@example.net", "bounce+a=example.com@example.net", "bounce+a=example.com-0000000000000000@example.net"} {
		if v.Proves(path, to) {
			t.Errorf("%q proves an address", path)
		}
	}
	plain := New()
	if got, ok := plain.Open("bounce+bob=my-shop.example.com@example.net"); !ok || got.Value() != "bob@my-shop.example.com" {
		t.Error("without a secret a plain return path is not read")
	}
	if _, ok := plain.Open("bounce+4711-a1b2c3d4@example.net"); ok {
		t.Error("a bare id names an address")
	}
}
