package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	fetchTimeout = 5 * time.Second
	fetchBytes   = 64 << 10
)

// errForbidden is what a connection to a private network ends with.
var errForbidden = errors.New("the address belongs to a private or special network")

// fetcher gets certificates and confirms subscriptions for adapters, which
// have checked the URL against their exact rule. It is the second belt: it
// connects to public addresses only, judged after the name was resolved, and
// follows neither redirects nor proxies.
type fetcher struct{ client *http.Client }

func newFetcher() *fetcher {
	return newFetcherWith(&net.Dialer{Timeout: fetchTimeout}, nil)
}

// newFetcherWith takes the dialer and the roots; nil: the system's.
func newFetcherWith(d *net.Dialer, t *tls.Config) *fetcher {
	d.Control = func(network, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" || !public(ap.Addr()) {
			return errForbidden
		}
		return nil
	}
	return &fetcher{&http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{DialContext: d.DialContext, TLSClientConfig: t, TLSHandshakeTimeout: fetchTimeout,
			ResponseHeaderTimeout: fetchTimeout, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fetch returns the body of a 200 answer. Its errors do not quote the URL,
// which may carry a token.
func (f *fetcher) fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("fetch: not an https URL")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("fetch: not an https URL")
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", unwrapURL(err))
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch: the answer is %d, expected 200", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, fetchBytes+1))
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if len(body) > fetchBytes {
		return nil, fmt.Errorf("fetch: the answer is longer than %d bytes", fetchBytes)
	}
	return body, nil
}

// unwrapURL takes the URL out of an error of the HTTP client: it may carry a secret.
func unwrapURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// special are the networks beyond those that netip knows by name.
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10")

// unicast6 is all of IPv6 that is in use on the public Internet (RFC 3587).
var unicast6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// public reports whether a is an ordinary address of the public Internet.
// IPv4 in the clothes of IPv6 is refused, whatever it holds.
func public(a netip.Addr) bool {
	if a.Is4In6() || a.Zone() != "" || a.Is6() && !unicast6.Contains(a) || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
