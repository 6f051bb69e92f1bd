package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
)

// Ctx is one request of the desk.
type Ctx struct {
	*fiber.Ctx
	// Std ends when the request has waited long enough for the database.
	Std  context.Context //nolint:containedctx // it lives as long as the request
	User User            // zero: nobody is signed in
	Lang string          // of the page; English for now
	Log  *slog.Logger    // names the route and the user

	row     *row
	session store.Session
	secret  string // of the session's cookie
}

// User is who is signed in.
type User struct {
	ID   int64
	Name string
	Role store.Role
	// CSRF goes into every form (field "csrf") or into the header X-CSRF-Token.
	CSRF string
}

// Can reports whether the user has at least this role.
func (u User) Can(least store.Role) bool { return u.Role.Includes(least) }

// By names the user for the audit log.
func (c *Ctx) By() store.By { return store.By{Actor: c.User.Name, Network: c.network()} }

func (c *Ctx) network() string {
	if a := clientOf(c.Ctx); a.IsValid() {
		return a.String()
	}
	return ""
}

// Form returns a field of the posted form, copied: Fiber reuses the memory of a
// request.
func (c *Ctx) Form(name string) string { return strings.Clone(c.FormValue(name)) }

// Query returns a parameter of the URL, copied.
func (c *Ctx) Query(name string) string { return strings.Clone(c.Ctx.Query(name)) }

// Param returns a segment of the path, decoded once and copied.
func (c *Ctx) Param(name string) string {
	v := strings.Clone(c.Params(name))
	if s, err := url.PathUnescape(v); err == nil {
		return s
	}
	return v
}

// failure is an answer that is not a success, with what the page says.
type failure struct {
	status int
	text   string
	wait   time.Duration // when to try again
	cause  error         // for the log
}

func (f *failure) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%d: %v", f.status, f.cause)
	}
	return fmt.Sprintf("%d: %s", f.status, f.text)
}

func (f *failure) Unwrap() error { return f.cause }

// refuse answers with a page that says text.
func refuse(status int, text string) error { return &failure{status: status, text: text} }

var (
	errNotFound  = refuse(http.StatusNotFound, "There is nothing at this address.")
	errForbidden = refuse(http.StatusForbidden, "Your role does not allow this. An administrator can change it.")
	errForeign   = refuse(http.StatusForbidden, "This form did not come from this site, or your session has changed since it was shown. Go back, load the page again and repeat what you did.")
)

// wrap is what every page runs in.
func (s *Server) wrap(r *row) fiber.Handler {
	return func(f *fiber.Ctx) error {
		start := time.Now()
		c := &Ctx{Ctx: f, Lang: "en", row: r, Log: s.log.With("route", r.path)}
		var cancel context.CancelFunc
		c.Std, cancel = context.WithCancel(context.Background())
		if !r.slow {
			c.Std, cancel = context.WithTimeout(context.Background(), s.cfg.Timeout)
		}
		defer cancel()
		s.headers(c)
		err := s.guarded(c)
		if err != nil {
			s.fail(c, err)
		}
		s.report(c, time.Since(start), err)
		return nil
	}
}

// guarded decides who may pass and runs the page; a panic becomes an error.
func (s *Server) guarded(c *Ctx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			what := fmt.Sprintf("%T", v) // its value may quote the request
			if e, ok := v.(runtime.Error); ok {
				what = e.Error()
			}
			c.Log.Error("panic", "err", what, "stack", string(debug.Stack()))
			err = &failure{status: http.StatusInternalServerError, text: "Something went wrong here. It was written to the log.", cause: fmt.Errorf("panic: %s", what)}
		}
	}()
	if !s.sameSite(c) {
		return errForeign
	}
	if err := s.identify(c); err != nil {
		return err
	}
	if c.row.role == anybody {
		return c.row.handler(c)
	}
	if c.User.ID == 0 {
		return s.askToSignIn(c)
	}
	if !c.User.Can(c.row.role) {
		return errForbidden
	}
	if changes(c.Method()) && !s.validCSRF(c) {
		return errForeign
	}
	return c.row.handler(c)
}

// fail answers an error with a page.
func (s *Server) fail(c *Ctx, err error) {
	var f *failure
	switch {
	case errors.As(err, &f):
	case errors.Is(err, store.ErrNotFound):
		f = &failure{status: http.StatusNotFound, text: "There is no such record. Somebody may have removed it."}
	case errors.Is(err, store.ErrLastAdmin):
		f = &failure{status: http.StatusConflict, text: "This is the last administrator who can sign in. Make another one first."}
	case errors.Is(err, store.ErrInvalid) && !changes(c.Method()):
		f = &failure{status: http.StatusUnprocessableEntity, text: "The address of this page is cut off or was changed. Go back to the desk and begin again."}
	case errors.Is(err, store.ErrInvalid):
		f = &failure{status: http.StatusUnprocessableEntity, text: "This cannot be stored as it is."}
	default:
		f = &failure{status: http.StatusServiceUnavailable, text: "The database does not answer. Nothing was changed that this page does not show. Please try again in a moment.", wait: 10 * time.Second}
	}
	if f.wait > 0 {
		c.Set(fiber.HeaderRetryAfter, fmt.Sprint(int((f.wait+time.Second-1)/time.Second)))
	}
	if err := s.render(c, f.status, failView{Status: f.status, Text: f.text}); err != nil {
		c.Status(f.status)
		c.Log.Error("cannot render a page", "err", err)
	}
}

type failView struct {
	Status int
	Text   string
}

func (failView) page() string    { return "failed.html" }
func (v failView) title() string { return http.StatusText(v.Status) }

func (s *Server) report(c *Ctx, took time.Duration, err error) {
	status := c.Response().StatusCode()
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case status >= http.StatusBadRequest && changes(c.Method()):
		level = slog.LevelInfo
	}
	attrs := []any{"method", c.Method(), "status", status, "took", took}
	if c.User.ID != 0 {
		attrs = append(attrs, "user_id", c.User.ID)
	}
	if err != nil {
		attrs = append(attrs, "err", err.Error())
	}
	c.Log.Log(c.Std, level, "desk", attrs...)
}

// to answers a form: the browser loads path next, so that reloading does not
// repeat the change. The page shows message, where there is one.
func (s *Server) to(c *Ctx, path, message string) error {
	if message != "" && c.User.ID != 0 {
		if err := s.cfg.Store.SetFlash(c.Std, c.session.Hash, message); err != nil {
			c.Log.Warn("cannot keep a message", "err", err)
		}
	}
	c.Set(fiber.HeaderLocation, s.at(path))
	c.Status(http.StatusSeeOther)
	return nil
}
