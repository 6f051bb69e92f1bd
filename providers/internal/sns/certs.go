package sns

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/strikeout/strikeout/providers"
)

// certs knows the signing certificates: those that the operator gave, else
// those that messages name, from the service's own address.
type certs struct {
	rules  Rules
	fetch  func(ctx context.Context, url string) ([]byte, error)
	pinned []*x509.Certificate // given, no authorities
	roots  []*x509.Certificate // given authorities

	flight singleflight.Group
	mu     sync.Mutex
	turn   uint64
	cache  map[string]*cachedCerts // by URL, chains too
}

type cachedCerts struct {
	list []*x509.Certificate
	at   time.Time
	used uint64 // the turn of the last use
}

// The cache is bounded because a caller chooses URLs within the rule.
const (
	maxCached = 16
	keepFor   = 24 * time.Hour
)

func newCerts(rules Rules, s providers.Settings) (*certs, error) {
	c := &certs{rules: rules, fetch: s.Fetch, cache: map[string]*cachedCerts{}}
	for _, text := range s.All(CertificatesSetting.Name) {
		list := parsePEM([]byte(text))
		if len(list) == 0 {
			return nil, providers.SettingError(CertificatesSetting.Name, "expected files with certificates in PEM")
		}
		for _, cert := range list {
			if cert.IsCA {
				c.roots = append(c.roots, cert)
			} else {
				c.pinned = append(c.pinned, cert)
			}
		}
	}
	return c, nil
}

func parsePEM(text []byte) (list []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return list
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			list = append(list, cert)
		}
	}
}

// given returns the keys of the certificates that the operator gave. An
// authority may sign messages itself: many test certificates are their own.
func (c *certs) given(now time.Time) (keys []crypto.PublicKey) {
	for _, list := range [][]*x509.Certificate{c.pinned, c.roots} {
		for _, cert := range list {
			if !now.After(cert.NotAfter) {
				keys = append(keys, cert.PublicKey)
			}
		}
	}
	return keys
}

// fetched returns the key of the certificate that the message names; none
// where the operator gave signing certificates only, to do without fetching.
func (c *certs) fetched(ctx context.Context, e *Envelope, now time.Time) ([]crypto.PublicKey, error) {
	if len(c.pinned) > 0 && len(c.roots) == 0 {
		return nil, nil
	}
	refuse := func(reason string) error { return providers.Unauthentic(c.rules.Provider, reason) }
	fetched, err := c.get(ctx, e.SigningCertURL, now)
	switch {
	case err != nil && len(c.pinned) > 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if len(fetched) == 0 {
		return nil, refuse("the SigningCertURL holds no certificate")
	}
	leaf := fetched[0]
	if now.After(leaf.NotAfter) {
		return nil, refuse("the signing certificate has expired")
	}
	if c.rules.Leaf != nil && !c.rules.Leaf(leaf) {
		return nil, refuse("the certificate at the SigningCertURL is not one that signs messages")
	}
	roots := c.roots
	if len(roots) == 0 && c.rules.ChainURL != nil {
		if roots, err = c.get(ctx, c.rules.ChainURL(region(e.TopicArn)), now); err != nil {
			return nil, err
		}
	}
	if (len(c.roots) > 0 || c.rules.ChainURL != nil) && !chains(leaf, fetched[1:], roots, now) {
		return nil, refuse("the signing certificate does not chain to the service's authority")
	}
	return []crypto.PublicKey{leaf.PublicKey}, nil
}

// chains reports whether leaf leads to one of the roots. A certificate that is
// newer than our clock, or than the capture that is read again, is accepted.
func chains(leaf *x509.Certificate, more, roots []*x509.Certificate, now time.Time) bool {
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	later := func(cert *x509.Certificate) {
		if cert.NotBefore.After(opts.CurrentTime) {
			opts.CurrentTime = cert.NotBefore
		}
	}
	later(leaf)
	for _, cert := range roots {
		opts.Roots.AddCert(cert)
		later(cert)
	}
	for _, cert := range more {
		opts.Intermediates.AddCert(cert)
	}
	_, err := leaf.Verify(opts)
	return err == nil
}

// get returns the certificates at a URL, from the cache or from the network,
// which several messages at once ask only once.
func (c *certs) get(ctx context.Context, url string, now time.Time) ([]*x509.Certificate, error) {
	list, fresh := c.cached(url, now)
	if fresh {
		return list, nil
	}
	v, err, _ := c.flight.Do(url, func() (any, error) { return c.load(ctx, url, now) })
	switch loaded, ok := v.([]*x509.Certificate); {
	case err == nil && ok:
		return loaded, nil
	case len(list) > 0: // stale, and better than none: what is at such a URL does not change
		return list, nil
	}
	return nil, notNow(c.rules.Provider, "the signing certificate")
}

func (c *certs) cached(url string, now time.Time) (list []*x509.Certificate, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.cache[url]
	if !ok {
		return nil, false
	}
	c.turn++
	known.used = c.turn
	return known.list, now.Sub(known.at) < keepFor
}

// load fetches and keeps; an error page is not kept.
func (c *certs) load(ctx context.Context, url string, now time.Time) ([]*x509.Certificate, error) {
	if list, fresh := c.cached(url, now); fresh { // another message was quicker
		return list, nil
	}
	if c.fetch == nil {
		return nil, providers.ErrNotNow
	}
	text, err := c.fetch(ctx, url)
	if err != nil {
		return nil, err
	}
	list := parsePEM(text)
	if len(list) == 0 {
		return list, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.cache[url]; !known && len(c.cache) >= maxCached {
		oldest := ""
		for u, e := range c.cache {
			if oldest == "" || e.used < c.cache[oldest].used {
				oldest = u
			}
		}
		delete(c.cache, oldest)
	}
	c.turn++
	c.cache[url] = &cachedCerts{list: list, at: now, used: c.turn}
	return list, nil
}
