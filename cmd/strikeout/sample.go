package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// shoot builds one simulated request for an endpoint: its path secret goes
// into the address before signing, because some providers sign the address.
func shoot(info providers.Info, sample providers.Sample, s providers.Settings, address, to, id string, at time.Time) (*providers.Request, error) {
	if secrets := s.All("path_secret"); len(secrets) > 0 && !strings.HasSuffix(address, "/"+secrets[0]) {
		address += "/" + url.PathEscape(secrets[0])
	}
	r, err := sample.Build(providers.Shot{Settings: s, URL: address, To: to, ID: id, At: at})
	if err != nil {
		return nil, fmt.Errorf("build the sample %q of %s: %w", sample.Name, info.Name, err)
	}
	if pairs := s.All("basic_auth"); len(pairs) > 0 && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pairs[0])))
	}
	return r, nil
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

const answerBytes = 4 << 20 // of which we read

// sendClient neither follows redirects nor uses proxies: what is tested is the
// address itself.
var sendClient = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send posts a simulated request to its address.
func send(ctx context.Context, r *providers.Request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return answer{}, fmt.Errorf("send: %w", err)
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	return do(req)
}

func do(req *http.Request) (answer, error) {
	start := time.Now()
	resp, err := sendClient.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("send: %w", unwrapURL(err))
	}
	defer resp.Body.Close() //nolint:errcheck // read already
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{resp.StatusCode, resp.Header, string(body), time.Since(start)}, nil
}

// Addresses and numbers that belong to nobody (RFC 2606, RFC 6761, and the
// ranges that regulators keep for fiction).
var (
	reservedDomains = []string{"example.com", "example.net", "example.org"}
	reservedTLDs    = []string{"example", "test", "invalid", "localhost"}
	fictional       = []struct {
		prefix string
		digits int // in all, after the plus
	}{
		{"1555", 11},       // no area code of North America
		{"447700900", 12},  // Ofcom's mobile numbers for drama
		{"4670174060", 11}, // PTS, 070-1740605 to 09
		{"3363998", 11},    // Arcep
	}
)

// reserved reports whether an address can be written to without reaching anybody.
func reserved(a recipient.Address) bool {
	v := a.Value()
	if a.Channel() == recipient.Email {
		domain := v[strings.LastIndexByte(v, '@')+1:]
		for _, d := range reservedDomains {
			if domain == d || strings.HasSuffix(domain, "."+d) {
				return true
			}
		}
		return contains(reservedTLDs, domain[strings.LastIndexByte(domain, '.')+1:])
	}
	digits := strings.TrimPrefix(v, "+")
	// 555-0100 to 555-0199 in every area code of North America.
	if len(digits) == 11 && digits[0] == '1' && digits[4:9] == "55501" {
		return true
	}
	for _, f := range fictional {
		if len(digits) == f.digits && strings.HasPrefix(digits, f.prefix) {
			return true
		}
	}
	return false
}

// reservedAddress makes the n-th harmless address of a channel.
func reservedAddress(c recipient.Channel, n int) string {
	if c == recipient.SMS {
		return fmt.Sprintf("+1%03d55501%02d", 200+n/100%800, n%100)
	}
	return fmt.Sprintf("nobody%d@example.com", n)
}

// loopback reports whether a URL leads to this machine.
func loopback(address string) bool {
	u, ok := webURL(address)
	if !ok {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.Unmap().IsLoopback()
}

// channelOf is the channel of a sample.
func channelOf(info providers.Info, s providers.Sample) recipient.Channel {
	if s.Channel != "" || len(info.Channels) == 0 {
		return s.Channel
	}
	return info.Channels[0]
}
