package handlers

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// hold makes the quarantine row of an authentic request: what a replay needs,
// without anything that could be used to call us or the provider.
func hold(ep *endpoint, r *providers.Request, why providers.Reason, detail string, body []byte, key recipient.Key) store.Held {
	header := map[string][]string{}
	for name, values := range r.Header {
		if !secretName(name) && !hopHeader[name] && !slices.ContainsFunc(values, ep.secrets.in) {
			header[name] = values
		}
	}
	target := "/webhooks/" + url.PathEscape(ep.Name)
	if q := harmlessQuery(r.RawQuery, ep.secrets); q != "" {
		target += "?" + q
	}
	return store.Held{Endpoint: ep.Name, Provider: ep.Info.Name, Reason: string(why), Method: r.Method, URL: target,
		Header: header, Body: ep.secrets.without(body), ReceivedAt: r.ReceivedAt, Key: key, Detail: recipient.Clean(detail, recipient.MaxDetailBytes)}
}

// hopHeader lists headers that say nothing about the report: the body is kept
// inflated, and who forwarded it is nobody's business.
var hopHeader = map[string]bool{
	"Connection": true, "Content-Encoding": true, "Content-Length": true, "Expect": true, "Forwarded": true, "Host": true,
	"Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Via": true,
	"X-Forwarded-For": true, "X-Forwarded-Host": true, "X-Forwarded-Port": true, "X-Forwarded-Proto": true, "X-Real-Ip": true,
}

// secretName reports whether a header or a query parameter of this name may
// carry a credential or a signature.
func secretName(name string) bool {
	n := strings.ToLower(name)
	if n == "sig" || n == "hash" || n == "key" || n == "pass" || n == "pwd" || strings.HasSuffix(n, "-sig") || strings.HasSuffix(n, "_sig") {
		return true
	}
	for _, part := range []string{"authorization", "cookie", "signature", "secret", "token", "password", "hmac", "api-key", "api_key", "apikey", "x-auth", "credential"} {
		if strings.Contains(n, part) {
			return true
		}
	}
	return false
}

// secretTexts are the ways in which an endpoint's secrets may stand in a
// request: some providers send theirs in the body, or in a header of the
// operator's choice.
type secretTexts []string

// leastSecret is the shortest that is looked for: less is found in any text.
const leastSecret = 6

func newSecretTexts(values []string) secretTexts {
	var out secretTexts
	for _, v := range values {
		if len(v) < leastSecret {
			continue
		}
		quoted, _ := json.Marshal(v) //nolint:errcheck // a string can be marshaled
		inJSON := string(quoted[1 : len(quoted)-1])
		for _, s := range []string{v, inJSON, strings.ReplaceAll(inJSON, "/", `\/`), url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v))} {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	// The longest first: one secret may begin with another.
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// in reports whether a text holds a secret.
func (s secretTexts) in(text string) bool {
	return slices.ContainsFunc(s, func(secret string) bool { return strings.Contains(text, secret) })
}

// without takes the secrets out of a body, which stays readable.
func (s secretTexts) without(body []byte) []byte {
	for _, secret := range s {
		body = bytes.ReplaceAll(body, []byte(secret), []byte("-"))
	}
	return body
}

// harmlessQuery drops the parameters that may carry a secret and keeps the
// others as they were written.
func harmlessQuery(raw string, secrets secretTexts) string {
	var kept []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		whole, _ := url.QueryUnescape(pair) //nolint:errcheck // nothing then
		if pair == "" || err != nil || secretName(plain) || secrets.in(pair) || secrets.in(whole) {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}

// ReplayResult says what came of a request that was read again.
type ReplayResult struct {
	Stored, Duplicates int
	// Held is what still cannot be read; empty means that the row may go. The row
	// itself stays untouched: what to keep instead is the caller's to decide.
	Held []store.Held
}

// Done reports whether everything in the request was understood and stored.
func (r ReplayResult) Done() bool { return len(r.Held) == 0 }

// Replay reads a quarantined request again, as received when it was received:
// it was verified then, so neither the signature nor the replay window is
// checked now. An error means that nothing is known: the endpoint is gone or
// the database cannot store.
func (s *Server) Replay(ctx context.Context, h store.Held) (ReplayResult, error) {
	ep := s.endpoints[h.Endpoint]
	if ep == nil {
		return ReplayResult{}, fmt.Errorf("handlers: replay: %w: %q", admin.ErrNoEndpoint, h.Endpoint)
	}
	_, query, _ := strings.Cut(h.URL, "?")
	r := &providers.Request{Method: h.Method, URL: strings.TrimSuffix(s.cfg.PublicURL, "/") + h.URL, RawQuery: query,
		Header: map[string][]string{}, Body: h.Body, Endpoint: ep.Name, ReceivedAt: recipient.Micro(h.ReceivedAt), Guarded: true}
	for name, values := range h.Header {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	read, err := s.read(ctx, ep, r)
	if err != nil {
		return ReplayResult{}, fmt.Errorf("handlers: replay: %w", err)
	}
	return ReplayResult{Stored: read.stored, Duplicates: read.duplicates, Held: read.held}, nil
}

// ReplayHeld reads one quarantined request again. What was understood leaves
// quarantine; of what was not, the smallest part that holds what is bad stays.
func (s *Server) ReplayHeld(ctx context.Context, id int64, by store.By) (admin.Replayed, error) {
	h, err := s.cfg.Store.Held(ctx, id)
	if err != nil {
		return admin.Replayed{}, err //nolint:wrapcheck // problemOf knows the store's errors
	}
	res, err := s.Replay(ctx, h)
	if err != nil {
		return admin.Replayed{}, err
	}
	out := admin.Replayed{Stored: res.Stored, Duplicates: res.Duplicates, Understood: res.Done()}
	if res.Done() {
		err := s.cfg.Store.DropHeld(ctx, id, by)
		if errors.Is(err, store.ErrNotFound) {
			err = nil // somebody else replayed it at the same time
		}
		return out, err //nolint:wrapcheck // likewise
	}
	rest := res.Held[0]
	out.Detail = rest.Detail
	h.Reason, h.Detail = rest.Reason, rest.Detail
	if len(res.Held) == 1 {
		h.Body = rest.Body // of several troubles the whole stays
	}
	return out, s.cfg.Store.UpdateHeld(ctx, h, by) //nolint:wrapcheck // likewise
}
