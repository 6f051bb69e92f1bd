package admin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
)

// policy lets pages use the assets of this package and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) headers(c *Ctx) {
	for name, value := range map[string]string{
		fiber.HeaderContentSecurityPolicy: policy,
		// Not "no-referrer": browsers would then send "Origin: null" with forms.
		fiber.HeaderReferrerPolicy:      "same-origin",
		fiber.HeaderXContentTypeOptions: "nosniff",
		fiber.HeaderXFrameOptions:       "DENY",
		"Cross-Origin-Opener-Policy":    "same-origin",
		"Cross-Origin-Resource-Policy":  "same-origin",
		fiber.HeaderCacheControl:        "no-store",
		"X-Robots-Tag":                  "noindex",
	} {
		c.Set(name, value)
	}
	if s.secure {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// changes reports whether a method may change something.
func changes(method string) bool {
	return method != fiber.MethodGet && method != fiber.MethodHead
}

// sameSite reports whether a request that may change something was made by a
// page of this very origin, as net/http's CrossOriginProtection decides it.
// Browsers send Sec-Fetch-Site to https and loopback, Origin with every form.
func (s *Server) sameSite(c *Ctx) bool {
	if !changes(c.Method()) {
		return true
	}
	switch string(c.Request().Header.Peek("Sec-Fetch-Site")) {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := string(c.Request().Header.Peek(fiber.HeaderOrigin))
	if origin == "" {
		return true // no browser: the session's token decides
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	// A proxy may have rewritten Host, so the configured name counts too.
	host := string(c.Request().Header.Host())
	return strings.EqualFold(u.Host, host) || strings.EqualFold(u.Host, s.host)
}

// cookieName is bound to https and this host where there is https. Browsers
// refuse such a cookie over plain http.
func (s *Server) cookieName() string { return s.boundName("so") }

func (s *Server) boundName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) setCookie(c *Ctx, name, value string, life time.Duration) {
	ck := &fiber.Cookie{Name: name, Value: value, Path: "/", HTTPOnly: true, Secure: s.secure, SameSite: fiber.CookieSameSiteLaxMode, MaxAge: int(life.Seconds())}
	if life <= 0 {
		ck.MaxAge, ck.Expires = 0, time.Unix(1, 0)
	}
	c.Cookie(ck)
}

// newSecret makes 32 random bytes as text, and what is kept of them.
func (s *Server) newSecret() (secret string, hash [32]byte, err error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		return "", hash, fmt.Errorf("random source: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, sha256.Sum256([]byte(secret)), nil
}

// session finds the session of a cookie.
func (s *Server) session(ctx context.Context, secret string) (store.Session, store.User, error) {
	if len(secret) != base64.RawURLEncoding.EncodedLen(32) {
		return store.Session{}, store.User{}, store.ErrNotFound
	}
	return s.cfg.Store.Session(ctx, sha256.Sum256([]byte(secret))) //nolint:wrapcheck // it says where it comes from
}

// identify fills in who is signed in, if anybody is.
func (s *Server) identify(c *Ctx) error {
	c.secret = strings.Clone(c.Cookies(s.cookieName()))
	if c.secret == "" || strings.HasPrefix(c.row.path, "/admin/assets/") {
		return nil
	}
	sess, u, err := s.session(c.Std, c.secret)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	c.session = sess
	c.User = User{ID: u.ID, Name: u.Name, Role: u.Role, CSRF: csrfToken(c.secret)}
	return nil
}

// csrfToken follows from the session's secret, so nothing has to be kept, and
// it changes with every sign-in.
func csrfToken(secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("form")) //nolint:errcheck // a hash never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (s *Server) validCSRF(c *Ctx) bool {
	got := string(c.Request().Header.Peek("X-CSRF-Token"))
	if got == "" {
		got = c.Form("csrf")
	}
	return hmac.Equal([]byte(got), []byte(c.User.CSRF))
}

// askToSignIn sends a browser to the login page and back afterwards. A form is
// not repeated: what it would do is for its user to decide again.
func (s *Server) askToSignIn(c *Ctx) error {
	if changes(c.Method()) {
		return refuse(http.StatusUnauthorized, "You are not signed in, or your session has ended. Sign in and do it again.")
	}
	c.Set(fiber.HeaderLocation, s.at("/admin/login?next="+url.QueryEscape(string(c.Context().URI().RequestURI()))))
	c.Status(http.StatusSeeOther)
	return nil
}

// localPath keeps a page to return to within the desk.
func localPath(next string) string {
	if next == "/admin" || (strings.HasPrefix(next, "/admin/") || strings.HasPrefix(next, "/admin?")) && !strings.ContainsAny(next, "\\\r\n") && !strings.HasPrefix(next, "/admin/login") {
		return next
	}
	return "/admin"
}
