package admin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/strikeout/strikeout/store"
)

type loginView struct {
	Next  string
	Name  string
	Wrong string // what went wrong; empty at first
	OIDC  string // the title of the identity provider; empty: none
}

func (loginView) page() string  { return "login.html" }
func (loginView) title() string { return "Sign in" }

func (s *Server) showLogin(c *Ctx) error {
	if c.User.ID != 0 {
		return s.to(c, "/admin", "")
	}
	return s.render(c, http.StatusOK, loginView{Next: localPath(c.Query("next"))})
}

func (s *Server) login(c *Ctx) error {
	v := loginView{Next: localPath(c.Form("next")), Name: c.Form("name")}
	name := store.UserName(v.Name)
	u, err := s.cfg.Store.UserByName(c.Std, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	ok, _, err := s.hash.verify(c.Std, u.PasswordHash, c.Form("password"))
	if err != nil {
		return err
	}
	if !ok || !u.DisabledAt.IsZero() {
		v.Wrong = "The name or the password is not right."
		return s.render(c, http.StatusUnauthorized, v)
	}
	if err := s.signIn(c, u, "password"); err != nil {
		return err
	}
	return s.to(c, v.Next, "")
}

// signIn gives the browser a new session, whatever it had before: an id that
// somebody else chose must not become a signed-in one.
func (s *Server) signIn(c *Ctx, u store.User, method string) error {
	secret, hash, err := s.newSecret()
	if err != nil {
		return err
	}
	sess := store.Session{Hash: hash, UserID: u.ID, Method: method, Network: c.network(), Agent: strings.Clone(c.Get("User-Agent"))}
	if err := s.cfg.Store.AddSession(c.Std, sess, c.session.Hash, store.By{Actor: u.Name, Network: c.network()}); err != nil {
		return err
	}
	s.setCookie(c, s.cookieName(), secret, store.SessionLife)
	return nil
}

func (s *Server) logout(c *Ctx) error {
	if c.User.ID != 0 {
		if !s.validCSRF(c) {
			return errForeign
		}
		if err := s.cfg.Store.EndSession(c.Std, c.session.Hash, c.By()); err != nil {
			return err
		}
	}
	s.setCookie(c, s.cookieName(), "", 0)
	return s.to(c, "/admin/login", "")
}
