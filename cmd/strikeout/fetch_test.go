package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"52.119.188.10": true, "2600:1f18::1": true, "1.1.1.1": true, "100.63.0.1": true, "172.32.0.1": true,
		"127.0.0.1": false, "127.9.9.9": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "100.127.255.255": false, "0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "239.1.1.1": false,
		"255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false, "192.0.2.1": false, "203.0.113.1": false, "192.0.0.170": false,
		"::": false, "::1": false, "::ffff:8.8.8.8": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false, "fe80::1": false, "fc00::1": false,
		"fd12:3456::1": false, "ff02::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false, "2001::1": false, "fec0::1": false,
		"4000::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
	if public(netip.MustParseAddr("2600::1%eth0")) || public(netip.Addr{}) {
		t.Error("a zone or no address passes")
	}
}

// spy answers every name with one address and notes what would be dialled.
type spy struct {
	answer netip.Addr
	asked  atomic.Int64 // names
	passed atomic.Int64 // connections that the fetcher's own check let through
}

// patient makes a fetcher wait as long as a slow machine needs.
func patient(t *testing.T, f *fetcher) *fetcher {
	t.Helper()
	tr, ok := f.client.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("the transport is a %T", f.client.Transport)
	}
	f.client.Timeout, tr.TLSHandshakeTimeout, tr.ResponseHeaderTimeout = time.Minute, time.Minute, time.Minute
	return f
}

// fetcher returns one whose names come from the spy and whose connections all
// end before a packet is sent.
func (s *spy) fetcher(t *testing.T) *fetcher {
	d := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: s.nameServer(t)}}
	f := patient(t, newFetcherWith(d, nil))
	own := d.Control
	d.Control = func(network, address string, c syscall.RawConn) error {
		if err := own(network, address, c); err != nil {
			return err
		}
		s.passed.Add(1)
		return errors.New("the spy connects nowhere")
	}
	return f
}

// nameServer is a DNS server in a pipe.
func (s *spy) nameServer(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close() //nolint:errcheck // the test's own end
			for {
				var size [2]byte
				if _, err := readFull(server, size[:]); err != nil {
					return
				}
				query := make([]byte, int(size[0])<<8|int(size[1]))
				if _, err := readFull(server, query); err != nil {
					return
				}
				s.asked.Add(1)
				reply := s.reply(t, query)
				if _, err := server.Write(append([]byte{byte(len(reply) >> 8), byte(len(reply))}, reply...)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

func readFull(c net.Conn, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := c.Read(b[n:])
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *spy) reply(t *testing.T, query []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Error(err)
		return nil
	}
	m.Response = true
	m.Additionals = nil
	for _, q := range m.Questions {
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
		switch {
		case q.Type == dnsmessage.TypeA && s.answer.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: s.answer.As4()}})
		case q.Type == dnsmessage.TypeAAAA && s.answer.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: s.answer.As16()}})
		}
	}
	out, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return out
}

// A name that looks right may lead anywhere: what counts is the address that
// would be dialled.
func TestFetchLooksAtTheAddressAfterDNS(t *testing.T) {
	for _, address := range []string{"169.254.169.254", "127.0.0.1", "10.1.2.3", "100.100.100.200", "::1", "fd00::1", "::ffff:169.254.169.254", "224.0.0.251"} {
		s := &spy{answer: netip.MustParseAddr(address)}
		_, err := s.fetcher(t).fetch(t.Context(), "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem")
		if !errors.Is(err, errForbidden) {
			t.Errorf("%s: got %v, want %v", address, err, errForbidden)
		}
		if s.passed.Load() != 0 || s.asked.Load() == 0 {
			t.Errorf("%s: %d connections after %d questions, want none after some", address, s.passed.Load(), s.asked.Load())
		}
	}
	s := &spy{answer: netip.MustParseAddr("52.119.188.10")}
	if _, err := s.fetcher(t).fetch(t.Context(), "https://sns.eu-west-1.amazonaws.com/x.pem"); err == nil || s.passed.Load() != 1 {
		t.Errorf("a public address: %d connections (%v), want 1", s.passed.Load(), err)
	}
}

func TestFetchRefuses(t *testing.T) {
	var hits atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/fine", http.StatusFound)
		case "/large":
			_, _ = w.Write(make([]byte, fetchBytes+1)) //nolint:errcheck // the client hangs up
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte("certificate")) //nolint:errcheck // a test server
		}
	}))
	defer server.Close()
	// The real one never gets there, proxy or not.
	t.Setenv("HTTPS_PROXY", server.URL)
	for _, u := range []string{server.URL + "/fine", "https://localhost:1/", strings.Replace(server.URL, "https", "http", 1), "https://user:pw@sns.example.com/", "file:///etc/passwd", "::"} {
		if _, err := newFetcher().fetch(t.Context(), u); err == nil {
			t.Errorf("%s was fetched", u)
		} else if strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "/fine") {
			t.Errorf("the error quotes the URL: %v", err)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("requests: got %d, want 0", n)
	}
	// With this machine allowed, what comes back is judged.
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	d := &net.Dialer{}
	f := patient(t, newFetcherWith(d, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	d.Control = nil
	for path, want := range map[string]string{"/moved": "302", "/large": "longer than", "/missing": "404", "/fine": ""} {
		body, err := f.fetch(t.Context(), server.URL+path)
		if want == "" {
			if err != nil || string(body) != "certificate" {
				t.Errorf("%s: got %q, %v", path, body, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	if n := hits.Load(); n != 4 {
		t.Errorf("requests: got %d, want 4: a redirect is not followed", n)
	}
}
