package admin

import (
	"errors"
	"net/http"

	"github.com/strikeout/strikeout/store"
)

type accountView struct {
	Sessions    []sessionLine
	HasPassword bool
	Linked      string // the identity provider's title, when the user signs in by it
	Wrong       string
	Least       int
}

func (accountView) page() string  { return "account.html" }
func (accountView) title() string { return "Your account" }

type sessionLine struct {
	store.Session
	Current bool
}

func (s *Server) sessionLines(c *Ctx, userID int64) ([]sessionLine, error) {
	list, err := s.cfg.Store.SessionsOf(c.Std, userID)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says where it comes from
	}
	out := make([]sessionLine, len(list))
	for i, l := range list {
		out[i] = sessionLine{l, l.Hash == c.session.Hash}
	}
	return out, nil
}

func (s *Server) showAccount(c *Ctx) error { return s.account(c, http.StatusOK, "") }

func (s *Server) account(c *Ctx, status int, wrong string) error {
	u, err := s.cfg.Store.User(c.Std, c.User.ID)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	v := accountView{HasPassword: u.PasswordHash != "", Wrong: wrong, Least: minPasswordRunes}
	if u.Subject != "" {
		v.Linked = "the identity provider"
		if s.oidc != nil {
			v.Linked = s.oidc.Title
		}
	}
	if v.Sessions, err = s.sessionLines(c, c.User.ID); err != nil {
		return err
	}
	return s.render(c, status, v)
}

// changePassword asks for the old one: a browser left open must not be enough.
// All sessions end, and this browser gets a new one.
func (s *Server) changePassword(c *Ctx) error {
	u, err := s.authenticate(c, c.User.Name, c.Form("current"))
	var f *failure
	switch {
	case errors.Is(err, errWrongPassword):
		return s.account(c, http.StatusUnprocessableEntity, "The current password is not right.")
	case errors.As(err, &f) && f.status == http.StatusTooManyRequests:
		return s.account(c, f.status, f.text)
	case err != nil:
		return err
	}
	hash, wrong, err := s.newPassword(c, c.User.Name)
	if err != nil {
		return err
	}
	if wrong != "" {
		return s.account(c, http.StatusUnprocessableEntity, wrong)
	}
	if err := s.cfg.Store.SetPassword(c.Std, u.ID, hash, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if err := s.signIn(c, u, "password"); err != nil {
		return err
	}
	return s.to(c, "/admin/account", "Your password is changed. Other browsers were signed out.")
}

// endOwnSession ends one session, or with the id "others" all but this one.
func (s *Server) endOwnSession(c *Ctx) error {
	return s.endSession(c, store.User{ID: c.User.ID, Name: c.User.Name}, "/admin/account")
}

func (s *Server) endSession(c *Ctx, u store.User, back string) error {
	id, keep := c.Param("session"), c.session.Hash
	if id == "others" {
		id = ""
	} else {
		keep = [32]byte{}
	}
	if err := s.cfg.Store.EndSessionsOf(c.Std, u, id, keep, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, back, "Signed out there.")
}
