package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// endpoint is an Endpoint at work.
type endpoint struct {
	Endpoint
	secrets secretTexts
	meter   *endpointMeter
	watch   watch
	traffic traffic
}

// open reports whether anybody on this machine may post to it.
func (e *endpoint) open() bool { return e.Unsigned && !e.Guard.Active() }

// bodyLimit returns how much of a body is read before anybody has looked at it:
// of a stranger, no more than the common limit.
func (e *endpoint) bodyLimit(common int, authorization, secret string) int {
	if e.BodyLimit > common && e.Guard.Active() {
		if ok, _ := e.Guard.Check(authorization, plainSegment(secret)); !ok {
			return common
		}
	}
	return e.BodyLimit
}

func (e *endpoint) busy(cause error) error {
	e.meter.busy.Inc()
	return busy(e.Info.Busy(), cause)
}

// webhook takes one request of a provider. It answers 2xx only after the
// commit: to a provider, 2xx means that the report may be forgotten.
//
// The order is fixed here and nowhere else: guard, copy, handshake, verify,
// parse, seal, record, quarantine what could not be read, reply.
func (s *Server) webhook(c *fiber.Ctx) error {
	ep := s.endpoints[segment(c, "endpoint")]
	if ep == nil {
		return refuse(http.StatusNotFound, "no endpoint of this name is configured")
	}
	now := s.now()
	if err := s.admit(c, ep); err != nil {
		return s.reject(c, ep, now, nil, err)
	}
	r, err := s.request(c, ep, now)
	if err != nil {
		ep.meter.refused(err)
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()

	reply, err := handshake(ctx, ep, r)
	switch {
	case err != nil:
		return s.unverified(c, ep, now, r, err)
	case reply != nil:
		ep.meter.handshake.Inc()
		return send(c, reply)
	case r.Method == http.MethodHead || r.Method == http.MethodOptions:
		return refuse(http.StatusMethodNotAllowed, "this endpoint takes reports by POST or GET").head(fiber.HeaderAllow, "GET, POST")
	}
	if err := verify(ctx, ep, r); err != nil {
		return s.unverified(c, ep, now, r, err)
	}
	if err := s.take(ctx, ep, r); err != nil {
		return err
	}
	s.accepted(ep, now)
	if rp, ok := ep.Adapter.(providers.Replier); ok {
		if reply := rp.Reply(r); reply != nil {
			return send(c, reply)
		}
	}
	return c.SendStatus(http.StatusOK)
}

// unverified answers a request that Handshake or Verify did not let pass.
// Nothing unverified may be kept, so a failure of ours (a panic, a certificate
// that could not be fetched) makes the provider come again.
func (s *Server) unverified(c *fiber.Ctx, ep *endpoint, now time.Time, r *providers.Request, err error) error {
	switch {
	case errors.Is(err, errAdapterPanic):
		s.adapterPanicked(ep, err)
		return ep.busy(err)
	case errors.Is(err, providers.ErrUnauthentic):
		return s.reject(c, ep, now, r, err)
	case errors.Is(err, providers.ErrMalformed):
		ep.meter.malformed.Inc()
		return refuse(http.StatusBadRequest, err.Error())
	}
	s.log.Error("cannot verify a request now", "endpoint", ep.Name, "provider", ep.Info.Name, "err", err)
	return ep.busy(err)
}

// admit checks what stands in front of the adapter.
func (s *Server) admit(c *fiber.Ctx, ep *endpoint) error {
	ok, reason := ep.Guard.Check(string(c.Request().Header.Peek(fiber.HeaderAuthorization)), segment(c, "secret"))
	switch {
	case !ok:
		return fmt.Errorf("%w: %s", providers.ErrUnauthentic, reason)
	case ep.open() && !s.local(c):
		return fmt.Errorf("%w: this endpoint checks nothing, so it takes requests from this machine only", providers.ErrUnauthentic)
	}
	return nil
}

// request copies what the adapter sees out of Fiber's memory.
func (s *Server) request(c *fiber.Ctx, ep *endpoint, now time.Time) (*providers.Request, error) {
	h := headers(&c.Request().Header)
	body, err := inflate(append([]byte(nil), c.Context().PostBody()...), h.Values(fiber.HeaderContentEncoding),
		max(s.cfg.Limits.Inflated, ep.BodyLimit))
	if err != nil {
		return nil, err
	}
	uri := c.Context().URI()
	query := string(uri.QueryString())
	base := ep.URL
	if base == "" {
		base = strings.TrimSuffix(s.cfg.PublicURL, "/") + string(uri.PathOriginal())
	}
	base, _, _ = strings.Cut(base, "#")
	base, _, _ = strings.Cut(base, "?")
	if query != "" {
		base += "?" + query
	}
	return &providers.Request{Method: string(c.Request().Header.Method()), URL: base, RawQuery: query, Header: h, Body: body,
		Endpoint: ep.Name, ReceivedAt: now, MaxAge: ep.MaxAge, Guarded: ep.Guard.Active()}, nil
}

// headers copies a request's headers: one piece of memory holds their text, and
// another the lists of their values.
func headers(from *fasthttp.RequestHeader) http.Header {
	size, n := 0, 0
	for k, v := range from.All() {
		size += len(k) + len(v)
		n++
	}
	var b strings.Builder
	b.Grow(size)
	keep := func(p []byte) string {
		at := b.Len()
		b.Write(p) //nolint:errcheck // it never fails, and there is room: what was written before stays where it is
		return b.String()[at:]
	}
	h, values := make(http.Header, n), make([]string, n)
	for k, v := range from.All() {
		name := textproto.CanonicalMIMEHeaderKey(keep(k))
		if old, ok := h[name]; ok {
			h[name] = append(old, keep(v))
			continue
		}
		values[0] = keep(v)
		h[name], values = values[:1:1], values[1:]
	}
	return h
}

// take stores what an authentic request reports and keeps what it cannot read.
func (s *Server) take(ctx context.Context, ep *endpoint, r *providers.Request) error {
	read, err := s.read(ctx, ep, r)
	if err != nil {
		return ep.busy(err)
	}
	if read.bad != nil && ep.open() {
		ep.meter.malformed.Inc()
		return refuse(http.StatusBadRequest, read.bad.Error())
	}
	for _, h := range read.held {
		if err := s.cfg.Store.Quarantine(ctx, h); err != nil {
			s.log.Error("cannot keep an authentic request that was not understood", "endpoint", ep.Name, "reason", h.Reason, "err", err)
			return ep.busy(err)
		}
		ep.meter.quarantined.Inc()
		s.log.Warn("kept a request that was not understood", "endpoint", ep.Name, "reason", h.Reason, "err", h.Detail)
	}
	return nil
}

// reading is what came of one authentic request.
type reading struct {
	stored, duplicates int
	bad                error        // of Parse
	held               []store.Held // to be kept
}

// read parses, seals and records. Its error means "not now".
func (s *Server) read(ctx context.Context, ep *endpoint, r *providers.Request) (reading, error) {
	events, perr := parse(ep, r)
	if errors.Is(perr, errAdapterPanic) {
		s.adapterPanicked(ep, perr)
	}
	out := reading{bad: perr}
	if perr != nil {
		out.held = append(out.held, hold(ep, r, providers.ReasonOf(perr), perr.Error(), providers.QuarantineBody(perr, r.Body), recipient.Key{}))
	}
	sealed := events[:0] // in place: whoever parsed them gave them away
	nameless := 0
	for _, e := range events {
		e.Source = recipient.FromProvider
		e = s.cfg.Keyer.Seal(humble(e), ep.Name, r.ReceivedAt)
		if e.Key.IsZero() {
			nameless++
			continue
		}
		sealed = append(sealed, e)
	}
	if nameless > 0 {
		out.held = append(out.held, hold(ep, r, providers.NoRecipient, fmt.Sprintf("%d events without an address", nameless), r.Body, recipient.Key{}))
	}
	if len(sealed) == 0 {
		return out, nil
	}
	rec, err := s.cfg.Store.Record(ctx, sealed)
	if err != nil {
		return out, fmt.Errorf("record %d events: %w", len(sealed), err)
	}
	out.stored, out.duplicates = rec.Stored, rec.Duplicates
	ep.meter.spooled.Add(float64(rec.Spooled))
	ep.meter.stored.Add(float64(rec.Stored))
	ep.meter.duplicates.Add(float64(rec.Duplicates))
	if n := len(rec.Refused); n > 0 {
		ep.meter.refusedRows.Add(float64(n))
		out.held = append(out.held, hold(ep, r, providers.RefusedRow, fmt.Sprintf("the database refused %d events", n), r.Body, sameKey(rec.Refused)))
	}
	return out, nil
}

// humble takes from a provider's report what no provider may do: lift a block,
// or opt somebody in without that person's own words.
func humble(e recipient.Event) recipient.Event {
	own := e.Kind == recipient.OptIn && e.Address.Channel() == recipient.SMS && e.Evidence.Consent != nil && e.Evidence.Text != ""
	if e.Kind == recipient.Unblock || e.Kind == recipient.OptIn && !own {
		e.Kind = recipient.Reactivation
	}
	return e
}

func sameKey(events []recipient.Event) recipient.Key {
	k := events[0].Key
	for _, e := range events {
		if e.Key != k {
			return recipient.Key{}
		}
	}
	return k
}

// segment returns a path parameter, percent-decoded once, or as it stands when
// it cannot be decoded.
func segment(c *fiber.Ctx, name string) string {
	return plainSegment(strings.Clone(c.Params(name)))
}

func plainSegment(raw string) string {
	if v, err := url.PathUnescape(raw); err == nil {
		return v
	}
	return raw
}

// send writes a provider's expected answer.
func send(c *fiber.Ctx, r *providers.Reply) error {
	for k, vs := range r.Header {
		for _, v := range vs {
			c.Response().Header.Add(k, v)
		}
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	c.Status(status)
	c.Context().Response.SetBody(r.Body)
	return nil
}

// endpointAt returns the endpoint that a path leads to, nil for any other path.
func (s *Server) endpointAt(path string) *endpoint {
	first, second, _ := firstSegments(path)
	if first != "webhooks" {
		return nil
	}
	return s.endpoints[second]
}
