package handlers

import (
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/handlers/admin"
)

// deskPath is what the administrators' desk is called in metrics: one name for
// all of it. The desk writes its own log.
const deskPath = "/admin"

// mountDesk puts the administrators' pages into an app.
func (s *Server) mountDesk(app *fiber.App) {
	meter := s.metrics.route(deskPath)
	app.Use(deskPath, func(c *fiber.Ctx) error {
		start := time.Now()
		c.Locals(admin.ClientKey, s.client(c))
		err := c.Next()
		if s.draining.Load() {
			c.Context().SetConnectionClose()
		}
		meter.count(c.Response().StatusCode(), time.Since(start))
		return err //nolint:wrapcheck // Fiber's own
	})
	s.cfg.Desk.Mount(app)
}

// hasDesk reports whether an app serves the administrators' pages.
func (s *Server) hasDesk(app *fiber.App) bool {
	return s.cfg.Desk != nil && (app == s.deskApp || !s.cfg.SeparateDesk)
}

// ServeDesk answers the administrators' pages and the health routes from ln
// until Shutdown.
func (s *Server) ServeDesk(ln net.Listener) error {
	if err := s.deskApp.Listener(s.lingering(ln)); err != nil {
		return fmt.Errorf("handlers: serve the desk: %w", err)
	}
	return nil
}
