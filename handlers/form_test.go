package handlers

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
)

func TestParseForm(t *testing.T) {
	const oneClick = "List-Unsubscribe=One-Click"
	part := func(name, value string) string {
		return "--xyz\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	multi := part("List-Unsubscribe", "One-Click") + "--xyz--\r\n"
	tests := []struct {
		name, contentType, body string
		want                    map[string][]string
	}{
		{"urlencoded", "application/x-www-form-urlencoded", oneClick, map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"with charset", "application/x-www-form-urlencoded; charset=utf-8", oneClick + "\r\n", map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"no type", "", oneClick, map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"plain text", "text/plain", oneClick, map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"multipart", "multipart/form-data; boundary=xyz", multi, map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"multipart without its boundary", "multipart/form-data", multi, map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"multipart without a type", "", multi, map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"multipart, cut", "multipart/form-data; boundary=xyz", part("all", "1") + "--xyz\r\nContent-Dis", map[string][]string{"all": {"1"}}},
		{"the example of RFC 8058, section 8.2", "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn", "---FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n---FormBoundaryjWmhtjORrn--\r\n", map[string][]string{"List-Unsubscribe": {"One-Click"}}},
		{"form", "application/x-www-form-urlencoded", "all=1&nonce=a%2Bb&other=x", map[string][]string{"all": {"1"}, "nonce": {"a+b"}}},
		{"bad escape", "application/x-www-form-urlencoded", "all=%zz", map[string][]string{"all": {"%zz"}}},
		{"hostile key", "application/x-www-form-urlencoded", "a[999999999]=x&all=1", map[string][]string{"all": {"1"}}},
		{"empty", "", "", map[string][]string{}},
		{"JSON", "application/json", `{"all":1}`, map[string][]string{}},
		{"many parts", "multipart/form-data; boundary=xyz", strings.Repeat(part("x", "y"), 50) + part("all", "1"), map[string][]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, map[string][]string(parseForm(tt.contentType, []byte(tt.body)))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\n\r\n--x--"))
	f.Add("", []byte("a=b&c"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for name := range parseForm(contentType, body) {
			if name != "List-Unsubscribe" && name != "all" && name != "nonce" && name != "words" && name != "address" && name != "via" {
				t.Errorf("an unknown field came through: %q", name)
			}
		}
	})
}

func TestNonces(t *testing.T) {
	keyer, err := recipient.NewKeyer([]byte("a test key of thirty-two bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	clk := newClock()
	n := newNonces(keyer, clk.now)
	replica := newNonces(keyer, clk.now)
	nonce := n.issue("link")
	for name, tt := range map[string]struct {
		link, nonce string
		want        bool
	}{
		"own":           {"link", nonce, true},
		"other link":    {"link2", nonce, false},
		"empty":         {"link", "", false},
		"cut":           {"link", nonce[:len(nonce)-1], false},
		"forged expiry": {"link", "____" + nonce[4:], false},
	} {
		if got := replica.valid(tt.link, tt.nonce); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	clk.add(nonceAge)
	if replica.valid("link", nonce) {
		t.Error("a nonce is still valid after its time")
	}
}

func TestLimiter(t *testing.T) {
	clk := newClock()
	l := newLimiter(clk.now)
	a, b := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::1")
	for i := range limiterBurst {
		if !l.allow(a) {
			t.Fatalf("request %d was refused", i)
		}
	}
	if l.allow(a) {
		t.Error("the burst is not limited")
	}
	if !l.allow(b) {
		t.Error("another client is limited")
	}
	for range limiterBurst {
		l.allow(b)
	}
	if l.allow(netip.MustParseAddr("2001:db8::2")) {
		t.Error("a /64 is not one client")
	}
	clk.add(limiterRefill)
	if !l.allow(a) || l.allow(a) {
		t.Error("a minute does not give exactly one more")
	}
	for i := range limiterRoom {
		l.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if n := len(l.buckets); n > limiterRoom {
		t.Errorf("remembers %d clients, want at most %d", n, limiterRoom)
	}
	clk.add(time.Hour)
	if !l.allow(netip.MustParseAddr("198.51.100.1")) {
		t.Error("old clients are not forgotten")
	}
}
