package sns

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
)

var amazon = Rules{
	Provider:     "amazon",
	CertURL:      func(u *url.URL, region string) bool { return u.Hostname() == "sns."+region+".amazonaws.com" },
	SubscribeURL: func(u *url.URL, region string) bool { return u.Hostname() == "sns."+region+".amazonaws.com" },
}

func file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name) //nolint:gosec // our own testdata
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func request(body string) *providers.Request {
	return &providers.Request{Body: []byte(body), ReceivedAt: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
}

func checker(t *testing.T, rules Rules, body string, fetch func(context.Context, string) ([]byte, error), certs ...string) *Checker {
	t.Helper()
	e, err := Read(request(body))
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(rules, providers.Settings{Values: map[string][]string{"topics": {"arn:other", e.TopicArn}, "certificates": certs}, Fetch: fetch})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// samples are truly signed with the key of a test certificate.
var samples = []string{"sns-v1-complaint.json", "sns-v1-unsubscribe-confirmation.json", "sns-v2-bounce-permanent.json", "sns-v2-subscription-confirmation.json"}

func TestSamples(t *testing.T) {
	cert := file(t, "TEST-ONLY-signing-cert.pem")
	fetches := 0
	fetch := func(context.Context, string) ([]byte, error) { fetches++; return []byte(cert), nil }
	for _, name := range samples {
		body := file(t, name)
		for how, c := range map[string]*Checker{"fetched": checker(t, amazon, body, fetch), "given": checker(t, amazon, body, nil, cert)} {
			fetches = 0
			for range 2 {
				if err := c.Verify(t.Context(), request(body)); err != nil {
					t.Errorf("%s, %s: %v", name, how, err)
				}
			}
			if fetches > 1 {
				t.Errorf("%s: fetched %d times", name, fetches)
			}
			for _, member := range []string{"Message", "MessageId", "Timestamp", "Type", "SignatureVersion"} {
				i := strings.Index(body, `"`+member+`"`)
				i += strings.Index(body[i+len(member)+2:], `"`) + len(member) + 4
				changed := body[:i] + string(body[i]^1) + body[i+1:]
				if err := c.Verify(t.Context(), request(changed)); !errors.Is(err, providers.ErrUnauthentic) {
					t.Errorf("%s, %s: accepted with another %s (%v)", name, how, member, err)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	body, cert := file(t, samples[2]), file(t, "TEST-ONLY-signing-cert.pem")
	serve := func(text string, err error) func(context.Context, string) ([]byte, error) {
		return func(context.Context, string) ([]byte, error) { return []byte(text), err }
	}
	chained := amazon
	chained.ChainURL = func(string) string { return "https://authority.example/" }
	tests := []struct {
		name  string
		c     *Checker
		body  string
		later time.Duration
		want  error
	}{
		{"network down", checker(t, amazon, body, serve("", errors.New("down"))), body, 0, providers.ErrNotNow},
		{"no network", checker(t, amazon, body, nil), body, 0, providers.ErrNotNow},
		{"an error page", checker(t, amazon, body, serve("<html>", nil)), body, 0, providers.ErrUnauthentic},
		{"another certificate", checker(t, amazon, body, nil, authority(t)[1]), body, 0, providers.ErrUnauthentic},
		{"not from the given authority", checker(t, amazon, body, serve(cert, nil), authority(t)[0]), body, 0, providers.ErrUnauthentic},
		{"not from the published authority", checker(t, chained, body, func(_ context.Context, u string) ([]byte, error) {
			if u == "https://authority.example/" {
				return []byte(authority(t)[0]), nil
			}
			return []byte(cert), nil
		}), body, 0, providers.ErrUnauthentic},
		{"expired", checker(t, amazon, body, serve(cert, nil)), body, 200 * 365 * 24 * time.Hour, providers.ErrUnauthentic},
		{"given and expired", checker(t, amazon, body, nil, cert), body, 200 * 365 * 24 * time.Hour, providers.ErrUnauthentic},
		{"http", checker(t, amazon, body, serve(cert, nil)), strings.Replace(body, `https://sns.`, `http://sns.`, 1), 0, providers.ErrUnauthentic},
		{"another host", checker(t, amazon, body, serve(cert, nil)), strings.Replace(body, `.amazonaws.com/`, `.evil.example/`, 1), 0, providers.ErrUnauthentic},
		{"no JSON", checker(t, amazon, body, serve(cert, nil)), "{", 0, providers.ErrUnauthentic},
		{"not an envelope", checker(t, amazon, body, serve(cert, nil)), `{"eventType":"Bounce"}`, 0, providers.ErrUnauthentic},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.body)
			r.ReceivedAt = r.ReceivedAt.Add(tt.later)
			if err := tt.c.Verify(t.Context(), r); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// authority returns the PEM of a fresh authority and of a leaf it issued.
func authority(t *testing.T) [2]string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: ca.NotAfter}
	var out [2]string
	for i, c := range []*x509.Certificate{ca, leaf} {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return out
}

func TestHandshake(t *testing.T) {
	body, cert := file(t, samples[3]), file(t, "TEST-ONLY-signing-cert.pem")
	var fetched []string
	fetch := func(_ context.Context, u string) ([]byte, error) {
		fetched = append(fetched, u)
		return []byte("<ok/>"), nil
	}
	c := checker(t, amazon, body, fetch, cert)
	reply, err := c.Handshake(t.Context(), request(body))
	if err != nil || reply == nil || reply.Status != 200 || len(fetched) != 1 || !strings.Contains(fetched[0], "Action=ConfirmSubscription") {
		t.Errorf("%v, %v, %d fetched", reply, err, len(fetched))
	}
	fetched = nil
	for _, name := range samples[:3] {
		if reply, err := c.Handshake(t.Context(), request(file(t, name))); reply != nil || err != nil {
			t.Errorf("%s: %v, %v", name, reply, err)
		}
	}
	for name, c := range map[string]*Checker{
		"another topic": {rules: amazon, topics: map[string]bool{"arn:other": true}, certs: c.certs},
		"unsigned":      {rules: amazon, unsigned: true, topics: map[string]bool{}, certs: c.certs},
		"another host":  {rules: Rules{Provider: "x", CertURL: amazon.CertURL, SubscribeURL: func(*url.URL, string) bool { return false }}, topics: c.topics, certs: c.certs},
	} {
		if reply, err := c.Handshake(t.Context(), request(body)); reply != nil || !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("%s: %v, %v", name, reply, err)
		}
	}
	if len(fetched) != 0 {
		t.Errorf("fetched %d times for others", len(fetched))
	}
	down := checker(t, amazon, body, func(context.Context, string) ([]byte, error) { return nil, errors.New("down") }, cert)
	if _, err := down.Handshake(t.Context(), request(body)); !errors.Is(err, providers.ErrNotNow) || errors.Is(err, providers.ErrUnauthentic) {
		t.Errorf("network down: %v", err)
	}
}

func TestNew(t *testing.T) {
	if _, err := New(amazon, providers.Set()); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("no topics: %v", err)
	}
	if _, err := New(amazon, providers.Set("topics", "arn", "certificates", "rubbish")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("no certificate: %v", err)
	}
}

func TestRegion(t *testing.T) {
	for arn, want := range map[string]string{"arn:aws:sns:eu-west-1:123456789012:bounces": "eu-west-1", "arn:scw:sns:fr-par:project-1:x": "fr-par", "arn:aws:sns": "", "": ""} {
		if got := region(arn); got != want {
			t.Errorf("region(%q) = %q, want %q", arn, got, want)
		}
	}
}
