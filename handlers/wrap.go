package handlers

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// wrap is what every handler runs in: the key check, the answer to errors and
// panics, the meter and the log line.
func (s *Server) wrap(r *route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		start := time.Now()
		if readsLong(&c.Request().Header) {
			s.reading.Delete(&c.Request().Header)
		}
		err := s.guarded(r, c)
		if err != nil {
			err = s.answer(c, r, err)
		}
		if s.draining.Load() {
			c.Context().SetConnectionClose()
		}
		s.finish(c, r, start, err)
		return nil
	}
}

// guarded runs the handler; a panic becomes an error.
func (s *Server) guarded(r *route, c *fiber.Ctx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r.pattern, v)
			if ep := s.endpointAt(string(c.Context().URI().PathOriginal())); ep != nil {
				err = ep.busy(err) // not every provider comes again after a 500
			}
		}
	}()
	if r.scope != "" {
		if err := s.authorize(c, r.scope); err != nil {
			return err
		}
	}
	return r.handler(c)
}

// panicked logs a panic without its value, which may quote the request.
func (s *Server) panicked(where string, v any) error {
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(runtime.Error); ok {
		what = e.Error()
	}
	s.metrics.panics.WithLabelValues(where).Inc()
	s.log.Error("panic", "route", where, "err", what, "stack", string(debug.Stack()))
	return &problem{status: http.StatusInternalServerError, detail: "something went wrong here", cause: fmt.Errorf("panic: %s", what)}
}

// answer turns an error into the response of this route's style and returns
// what the log should say.
func (s *Server) answer(c *fiber.Ctx, r *route, err error) error {
	p := problemOf(err)
	for k, v := range p.header {
		c.Set(k, v)
	}
	var werr error
	if r != nil && r.style == asPage {
		werr = s.failPage(c, p)
	} else {
		pattern := ""
		if r != nil {
			pattern = r.pattern
		}
		werr = p.write(c, pattern)
	}
	if werr != nil {
		c.Status(http.StatusInternalServerError)
		return werr
	}
	return p
}

// unrouted answers what never reached a handler: unknown paths and methods,
// and requests that the server refused while reading them.
func (s *Server) unrouted(table []*route) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		start := time.Now()
		p := problemOf(err)
		path := s.refusedPath(c)
		r := find(table, path)
		if flooded(c) {
			status := http.StatusServiceUnavailable
			if ep := s.endpointAt(path); ep != nil {
				status = ep.Info.Busy()
				ep.meter.busy.Inc()
			}
			p = busy(status, errFlooded)
			linger(c)
		}
		switch p.status {
		case http.StatusNotFound:
			r = nil
			if isLinkPath(path) && s.badLink(c) == nil {
				s.finish(c, nil, start, nil)
				return nil
			}
		case http.StatusRequestEntityTooLarge:
			if ep := s.endpointAt(path); ep != nil {
				ep.meter.tooLarge.Inc()
			}
			linger(c)
			if first, _, _ := firstSegments(path); first == "admin" && s.hasDesk(c.App()) {
				s.cfg.Desk.TooLarge(c)
				s.finish(c, nil, start, p)
				return nil
			}
		case http.StatusBadRequest, http.StatusRequestHeaderFieldsTooLarge:
			linger(c)
		}
		err = s.answer(c, r, p)
		s.finish(c, r, start, err)
		return nil
	}
}

// refusedPath returns the path of a request that was refused while its body
// was read. The server forgets the path then, so bodyLimit noted it.
func (s *Server) refusedPath(c *fiber.Ctx) string {
	if path, ok := s.reading.LoadAndDelete(&c.Request().Header); ok {
		return path.(string)
	}
	return string(c.Context().URI().PathOriginal())
}

// finish counts and logs one answered request.
func (s *Server) finish(c *fiber.Ctx, r *route, start time.Time, err error) {
	took := time.Since(start)
	status := c.Response().StatusCode()
	pattern, meter := "other", s.metrics.other
	if r != nil {
		pattern, meter = r.pattern, r.meter
	}
	meter.count(status, took)

	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case status >= http.StatusBadRequest && r != nil && r.style == asProblem:
		level = slog.LevelInfo
	}
	if !s.log.Enabled(s.base, level) {
		return
	}
	id := s.requestID()
	c.Set(fiber.HeaderXRequestID, id)
	attrs := []any{"method", c.Method(), "route", pattern, "status", status, "took", took, "request_id", id}
	if ep := s.endpointAt(string(c.Context().URI().PathOriginal())); ep != nil {
		attrs = append(attrs, "endpoint", ep.Name)
	}
	if err != nil {
		attrs = append(attrs, "err", err.Error())
	}
	s.log.Log(s.base, level, "request", attrs...)
}

func (s *Server) requestID() string {
	var b [8]byte
	if _, err := io.ReadFull(s.cfg.Rand, b[:]); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(b[:])
}

// firstSegments returns the first three segments of a request target, as they
// are written.
func firstSegments(target string) (first, second, third string) {
	if i := strings.Index(target, "://"); i >= 0 && !strings.HasPrefix(target, "/") {
		rest := target[i+3:] // absolute form, as proxies send it
		_, target, _ = strings.Cut(rest, "/")
	}
	target, _, _ = strings.Cut(strings.TrimPrefix(target, "/"), "?")
	first, second, _ = strings.Cut(target, "/")
	second, third, _ = strings.Cut(second, "/")
	third, _, _ = strings.Cut(third, "/")
	return strings.ToLower(first), second, third
}
