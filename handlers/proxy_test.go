package handlers

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

func TestWalk(t *testing.T) {
	trusted := func(a netip.Addr) bool {
		return netip.MustParsePrefix("10.0.0.0/8").Contains(a) || netip.MustParsePrefix("fd00::/8").Contains(a)
	}
	tests := []struct{ name, hops, want string }{
		{"one client", "203.0.113.9", "203.0.113.9"},
		{"forged on the left", "127.0.0.1, 203.0.113.9", "203.0.113.9"},
		{"two proxies", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"with ports", "203.0.113.9:4711, [fd00::1]:80", "203.0.113.9"},
		{"mapped", "::ffff:203.0.113.9", "203.0.113.9"},
		{"IPv6", "2001:db8::1", "2001:db8::1"},
		{"zone", "fe80::1%eth0", "fe80::1"},
		{"only proxies", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"junk", "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"},
		{"nothing", "", "10.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := walk(netip.MustParseAddr("10.0.0.1"), strings.Split(tt.hops, ","), trusted); got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// An endpoint that checks nothing takes requests from this machine only,
// whatever the headers claim.
func TestLoopbackOnly(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	tests := []struct {
		name    string
		proxies []netip.Prefix
		headers []string
		want    int
	}{
		{"direct", nil, nil, http.StatusOK},
		{"an unknown proxy", nil, []string{"X-Forwarded-For", "127.0.0.1"}, http.StatusUnauthorized},
		{"an unknown proxy, RFC 7239", nil, []string{"Forwarded", "for=127.0.0.1"}, http.StatusUnauthorized},
		{"a known proxy, a stranger", loopback, []string{"X-Forwarded-For", "203.0.113.9"}, http.StatusUnauthorized},
		{"a known proxy, a forger", loopback, []string{"X-Forwarded-For", "127.0.0.1, 203.0.113.9"}, http.StatusUnauthorized},
		{"a known proxy, a forger with two headers", loopback, []string{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-For", "203.0.113.9"}, http.StatusUnauthorized},
		{"a known proxy, from here", loopback, []string{"X-Forwarded-For", "127.0.0.1"}, http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, func(c *Config) { c.TrustedProxies = tt.proxies })
			got := b.do("POST", "/webhooks/open", acme("a@example.com", recipient.HardBounce, "1"), tt.headers...)
			if got.status != tt.want {
				t.Errorf("got %d, want %d", got.status, tt.want)
			}
		})
	}
}
