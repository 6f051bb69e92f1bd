package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
)

type loginView struct {
	Next     string
	Name     string
	Wrong    string // what went wrong; empty at first
	Password bool   // people may sign in by password
	OIDC     string // the title of the identity provider; empty: none
	Nobody   bool   // there is no administrator yet
}

func (loginView) page() string  { return "login.html" }
func (loginView) title() string { return "Sign in" }

func (s *Server) loginView(next string) loginView {
	v := loginView{Next: localPath(next), Password: true}
	if s.oidc != nil {
		v.OIDC, v.Password = s.oidc.Title, !s.oidc.NoPassword
	}
	return v
}

func (s *Server) showLogin(c *Ctx) error {
	if c.User.ID != 0 {
		return s.to(c, "/admin", "")
	}
	v := s.loginView(c.Query("next"))
	has, err := s.cfg.Store.HasAdmin(c.Std)
	if err != nil {
		return err
	}
	v.Nobody = !has
	return s.render(c, http.StatusOK, v)
}

func (s *Server) login(c *Ctx) error {
	v := s.loginView(c.Form("next"))
	v.Name = c.Form("name")
	if !v.Password {
		return refuse(http.StatusForbidden, "Signing in by password is switched off. Use "+v.OIDC+".")
	}
	u, err := s.authenticate(c, v.Name, c.Form("password"))
	var f *failure
	if errors.As(err, &f) && (f.status == http.StatusUnauthorized || f.status == http.StatusTooManyRequests) {
		v.Wrong = f.text
		if f.wait > 0 {
			c.Set(fiber.HeaderRetryAfter, fmt.Sprint(seconds(f.wait)))
		}
		return s.render(c, f.status, v)
	}
	if err != nil {
		return err
	}
	if err := s.signIn(c, u, "password"); err != nil {
		return err
	}
	return s.to(c, v.Next, "")
}

var errWrongPassword = refuse(http.StatusUnauthorized, "The name or the password is not right.")

// authenticate checks a password. Whether the user exists changes neither the
// answer nor the work: an unknown name costs a lookup and a hash as well.
func (s *Server) authenticate(c *Ctx, typed, password string) (store.User, error) {
	name := store.UserName(typed)
	wait, err := s.cfg.Store.BeginLogin(c.Std, name, clientOf(c.Ctx))
	if err != nil {
		return store.User{}, err //nolint:wrapcheck // it says where it comes from
	}
	if wait > 0 {
		return store.User{}, &failure{status: http.StatusTooManyRequests, wait: wait, text: "Too many attempts to sign in. Please wait " + waitText(wait) + "."}
	}
	u, err := s.cfg.Store.UserByName(c.Std, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err //nolint:wrapcheck // it says where it comes from
	}
	ok, old, err := s.hash.verify(c.Std, u.PasswordHash, password)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return store.User{}, &failure{status: http.StatusServiceUnavailable, wait: 10 * time.Second, text: "Too many people are signing in at this moment. Please try again.", cause: err}
	case errors.Is(err, errHash):
		c.Log.Error("a user's password cannot be checked", "user_id", u.ID, "err", err)
	case err != nil:
		return store.User{}, err
	}
	if !ok || !u.DisabledAt.IsZero() {
		// What was typed is not written down: it may be a password in the wrong field.
		who := "unknown"
		if u.ID != 0 {
			who = u.Name
		}
		entry := store.AuditEntry{Actor: who, Action: "login.failed", Network: c.network()}
		if err := s.cfg.Store.Audit(c.Std, entry); err != nil {
			return store.User{}, err //nolint:wrapcheck // it says where it comes from
		}
		return store.User{}, errWrongPassword
	}
	if err := s.cfg.Store.LoginSucceeded(c.Std, name, clientOf(c.Ctx)); err != nil {
		return store.User{}, err //nolint:wrapcheck // it says where it comes from
	}
	if old {
		s.rehash(c, u, password)
	}
	return u, nil
}

// rehash brings a hash to today's costs. The sign-in does not depend on it.
func (s *Server) rehash(c *Ctx, u store.User, password string) {
	hash, err := s.hash.hash(c.Std, s.cfg.Rand, password)
	if err == nil {
		err = s.cfg.Store.Rehash(c.Std, u.ID, u.PasswordHash, hash)
	}
	if err != nil {
		c.Log.Warn("cannot hash a password anew", "err", err)
	}
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func waitText(d time.Duration) string {
	n, unit := seconds(d), "second"
	if n >= 120 {
		n, unit = (n+59)/60, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprint(n, " ", unit)
}

// signIn gives the browser a new session, whatever it had before: an id that
// somebody else chose must not become a signed-in one.
func (s *Server) signIn(c *Ctx, u store.User, method string) error {
	secret, hash, err := s.newSecret()
	if err != nil {
		return err
	}
	sess := store.Session{Hash: hash, UserID: u.ID, Method: method, Network: c.network(), Agent: strings.Clone(c.Get(fiber.HeaderUserAgent))}
	if err := s.cfg.Store.AddSession(c.Std, sess, c.session.Hash, store.By{Actor: u.Name, Network: c.network()}); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	s.setCookie(c, s.cookieName(), secret, store.SessionLife)
	c.secret, c.session = secret, sess
	c.User = User{ID: u.ID, Name: u.Name, Role: u.Role, CSRF: csrfToken(secret)}
	return nil
}

type goodbyeView struct {
	OIDC string // the identity provider's title
	URL  string // where to sign out there too; empty: it has no such page
}

func (goodbyeView) page() string  { return "goodbye.html" }
func (goodbyeView) title() string { return "Signed out" }

func (s *Server) logout(c *Ctx) error {
	method := c.session.Method
	if c.User.ID != 0 {
		if !s.validCSRF(c) {
			return errForeign
		}
		if err := s.cfg.Store.EndSession(c.Std, c.session.Hash, c.By()); err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
	}
	s.setCookie(c, s.cookieName(), "", 0)
	c.User, c.session = User{}, store.Session{}
	v := goodbyeView{}
	if method == methodOIDC && s.oidc != nil {
		v.OIDC, v.URL = s.oidc.Title, s.oidc.logoutURL(s.Address("/admin/login"))
	}
	return s.render(c, http.StatusOK, v)
}
