package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
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
	if err := s.cfg.Store.Ping(ctx); err != nil {
		return &problem{status: http.StatusServiceUnavailable, detail: "the database cannot be reached", cause: err}
	}
	n, err := s.cfg.Store.Pending(ctx)
	switch {
	case err != nil:
		return &problem{status: http.StatusServiceUnavailable, detail: "the database's version cannot be read", cause: err}
	case n > 0:
		return refuse(http.StatusServiceUnavailable, "the database waits for migrations: run strikeout migrate").with("pending", n)
	}
	return sendJSON(c, map[string]string{"status": "ready"})
}
