package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/spool"
)

// healthz says that the process answers, nothing more: a database that is
// away is no reason to restart us.
func (s *Server) healthz(c *fiber.Ctx) error {
	return sendJSON(c, map[string]string{"status": "ok"})
}

const readyTimeout = 2 * time.Second

// readyz says whether requests should be sent here.
func (s *Server) readyz(c *fiber.Ctx) error {
	if s.draining.Load() {
		return refuse(http.StatusServiceUnavailable, "shutting down")
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	var stats *spool.Stats
	if s.cfg.Spool != nil {
		now := s.cfg.Spool.Stats()
		stats = &now
	}
	if err := s.cfg.Store.Ping(ctx); err != nil {
		// With a spool, reports and clicks are worth sending here all the same.
		if stats != nil && stats.Takes && errors.Is(err, store.ErrUnavailable) {
			r := s.readiness(stats)
			r.Database = "away"
			return sendJSON(c, r)
		}
		return &problem{status: http.StatusServiceUnavailable, detail: "the database cannot be reached", cause: err}
	}
	n, err := s.cfg.Store.Pending(ctx)
	switch {
	case err != nil:
		return &problem{status: http.StatusServiceUnavailable, detail: "the database's version cannot be read", cause: err}
	case n > 0:
		return refuse(http.StatusServiceUnavailable, "the database waits for migrations: run strikeout migrate").with("pending", n)
	}
	return sendJSON(c, s.readiness(stats))
}
