package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// A rejected request is worth a look: was it called by another URL than the one
// that is configured, signed for another endpoint, late? It is verified again
// with each of these changed, in memory, at most once in examineEvery for each
// endpoint and one at a time, so that a flood costs nothing. What is kept is a
// sentence.
const (
	examineEvery = 10 * time.Second
	examineRoom  = 4       // that wait
	examineBody  = 1 << 20 // a larger body is not hashed a hundred times
)

// suspect is a rejected request that is to be examined.
type suspect struct {
	ep     *endpoint
	r      *providers.Request
	path   string // as called
	reason string
	err    error
}

// examine looks at suspects until the server stops.
func (s *Server) examine() {
	for {
		select {
		case x := <-s.suspects:
			x.ep.traffic.explain(x.r.ReceivedAt, x.reason, s.hint(x))
		case <-s.base.Done():
			return
		}
	}
}

// suspectOf copies a request for examine; nil when it is not worth it.
func (s *Server) suspectOf(c *fiber.Ctx, ep *endpoint, r *providers.Request, err error, reason string) *suspect {
	if r == nil || len(r.Body) > examineBody {
		return nil
	}
	return &suspect{ep: ep, r: r, path: string(c.Context().URI().PathOriginal()), reason: reason, err: err}
}

// noFetch is a context in which an adapter fetches nothing.
var noFetch = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// hint says what would have made a request match; empty: nothing that was tried.
func (s *Server) hint(x *suspect) string {
	var stale *providers.StaleError
	if errors.As(x.err, &stale) && passes(x.ep, altered(x.r, func(r *providers.Request) { r.MaxAge = 0 })) {
		if stale.Age < 0 {
			return fmt.Sprintf("The signature is right, but its time is %s ahead of this server's clock. Set the clock by NTP.", span(-stale.Age))
		}
		return fmt.Sprintf("The signature is right, but it is %s old. Either this server's clock is ahead (set it by NTP), or the provider repeats old reports: max_age may be longer.", span(stale.Age))
	}
	for _, v := range s.variants(x) {
		if passes(x.ep, v.r) {
			return v.says
		}
	}
	for _, name := range s.endpointNames() {
		other := s.endpoints[name]
		if other == x.ep || other.Info.Name != x.ep.Info.Name || !proves(other, x.r) {
			continue
		}
		if passes(other, altered(x.r, func(r *providers.Request) { r.Endpoint, r.MaxAge = name, 0 })) {
			return fmt.Sprintf("It is signed for the endpoint %s: the account behind that one posts to this URL, or the secrets are mixed up.", name)
		}
	}
	return ""
}

// proves reports whether an endpoint's adapter checks anything: some accept
// every request, because a path secret stands in front of them.
func proves(ep *endpoint, r *providers.Request) bool {
	return !passes(ep, altered(r, func(r *providers.Request) {
		r.URL, r.RawQuery, r.Header, r.Body, r.MaxAge = "https://nobody.invalid/", "", http.Header{}, []byte("nothing"), 0
	}))
}

func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return d.Round(time.Second).String()
	case d < 3*time.Hour:
		return fmt.Sprintf("%d minutes", d.Round(time.Minute)/time.Minute)
	case d < 72*time.Hour:
		return fmt.Sprintf("%d hours", d.Round(time.Hour)/time.Hour)
	}
	return fmt.Sprintf("%d days", d.Round(24*time.Hour)/(24*time.Hour))
}

// altered copies a request, without what it has read already, and changes it.
func altered(r *providers.Request, change func(*providers.Request)) *providers.Request {
	n := &providers.Request{Method: r.Method, URL: r.URL, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body,
		Endpoint: r.Endpoint, ReceivedAt: r.ReceivedAt, MaxAge: r.MaxAge, Guarded: r.Guarded}
	change(n)
	return n
}

// passes verifies without fetching anything. A panic is no proof.
func passes(ep *endpoint, r *providers.Request) bool { return verify(noFetch, ep, r) == nil }

// variant is a request with something changed, and what it means if that
// matches. Says never quotes a path, which may hold a secret.
type variant struct {
	r    *providers.Request
	says string
}

func (s *Server) variants(x *suspect) []variant {
	var out []variant
	for _, u := range s.urlVariants(x) {
		out = append(out, variant{altered(x.r, func(r *providers.Request) { r.URL = u.url }), u.says})
	}
	body := string(x.r.Body)
	seen := map[string]bool{body: true}
	for _, b := range []string{strings.TrimSpace(body), body + "\n", strings.ReplaceAll(body, "\r\n", "\n"), strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n")} {
		if !seen[b] {
			seen[b] = true
			out = append(out, variant{altered(x.r, func(r *providers.Request) { r.Body = []byte(b) }),
				"It matches with other line ends or blanks at its end: something between the provider and this server changes bodies."})
		}
	}
	return out
}

type urlVariant struct{ url, says string }

// urlVariants are the addresses by which the provider may have called this
// endpoint, most alike first.
func (s *Server) urlVariants(x *suspect) []urlVariant {
	u, err := url.Parse(x.r.URL)
	if err != nil || u.Host == "" {
		return nil
	}
	paths := []string{u.EscapedPath()}
	if x.path != "" && !slices.Contains(paths, x.path) {
		paths = append(paths, x.path)
	}
	for _, p := range slices.Clone(paths) {
		if other := strings.TrimSuffix(p, "/"); other != p {
			paths = append(paths, other)
		} else {
			paths = append(paths, p+"/")
		}
	}
	hosts := []string{u.Host}
	for _, h := range append(x.r.Header.Values("X-Forwarded-Host"), x.r.Header.Get("Host")) {
		if h = strings.TrimSpace(h); h != "" && validHost(h) {
			hosts = append(hosts, h)
		}
	}
	for _, h := range slices.Clone(hosts) {
		bare := (&url.URL{Host: h}).Hostname()
		if strings.Contains(bare, ":") {
			continue // an IPv6 address
		}
		hosts = append(hosts, bare, bare+":443", bare+":80")
	}
	var out []urlVariant
	seen := map[string]bool{x.r.URL: true}
	for _, query := range slices.Compact([]string{x.r.RawQuery, ""}) {
		for _, host := range hosts {
			for _, path := range paths {
				for _, scheme := range []string{u.Scheme, "https", "http"} {
					full := scheme + "://" + host + path
					if query != "" {
						full += "?" + query
					}
					if !seen[full] {
						seen[full] = true
						out = append(out, urlVariant{full, difference(u, scheme, host, path, query, x.r.RawQuery)})
					}
				}
			}
		}
	}
	return out
}

// validHost keeps what a stranger sent from becoming a sentence of ours.
func validHost(h string) bool {
	return len(h) <= 128 && !strings.ContainsFunc(h, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:", c)
	})
}

// difference says in what a URL that matched is not the configured one.
func difference(u *url.URL, scheme, host, path, query, had string) string {
	var parts []string
	if scheme != u.Scheme {
		parts = append(parts, scheme+" instead of "+u.Scheme)
	}
	if host != u.Host {
		parts = append(parts, "the host "+host+" instead of "+u.Host)
	}
	if path != u.EscapedPath() {
		if strings.TrimSuffix(path, "/") == strings.TrimSuffix(u.EscapedPath(), "/") {
			with := "without the slash at the end"
			if strings.HasSuffix(path, "/") {
				with = "with a slash at the end"
			}
			parts = append(parts, with)
		} else {
			parts = append(parts, "the path as it was called instead of the configured one")
		}
	}
	if query != had {
		parts = append(parts, "without the query")
	}
	return "It matches when the URL is taken with " + strings.Join(parts, ", ") + ": set public_url, or this endpoint's url, to exactly what is entered at the provider."
}

// guardHint says whose path secret or Basic credentials a request carried.
func (s *Server) guardHint(c *fiber.Ctx, ep *endpoint) string {
	auth, secret := string(c.Request().Header.Peek(fiber.HeaderAuthorization)), segment(c, "secret")
	for _, name := range s.endpointNames() {
		other := s.endpoints[name]
		if other == ep || !other.Guard.Active() {
			continue
		}
		if ok, _ := other.Guard.Check(auth, secret); ok {
			return fmt.Sprintf("It carries the secret of the endpoint %s: the URLs at the provider are mixed up.", name)
		}
	}
	again, err := url.PathUnescape(secret)
	if err == nil && again != secret {
		if ok, _ := ep.Guard.Check(auth, again); ok {
			return "The path secret is percent-encoded twice in the URL at the provider."
		}
	}
	if ok, _ := ep.Guard.Check(strings.TrimSpace(auth), strings.TrimSpace(secret)); ok {
		return "The path secret has a blank at its end in the URL at the provider."
	}
	if secret == "" && ep.Guard.WantsPath() {
		return "The URL at the provider lacks the secret at its end."
	}
	if auth == "" && ep.Guard.WantsBasic() {
		return "The URL at the provider lacks the user and the password."
	}
	return ""
}

// worthALook tells a provider's request from a browser that looks in.
func worthALook(c *fiber.Ctx) bool {
	return c.Method() == http.MethodPost || len(c.Context().URI().QueryString()) > 0
}

// reasonOf is what is kept of an error of Verify: its words name no value.
func reasonOf(err error) string { return recipient.Clean(err.Error(), 255) }
