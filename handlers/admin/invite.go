package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"github.com/strikeout/strikeout/store"
)

// SetupLink makes the one-time link by which the first administrator is made;
// it works for store.SetupLife. It returns "" where an administrator exists.
func (s *Server) SetupLink(ctx context.Context) (string, error) {
	has, err := s.cfg.Store.HasAdmin(ctx)
	if err != nil || has {
		return "", err //nolint:wrapcheck // it says where it comes from
	}
	link, err := s.invite(ctx, nil, store.By{Actor: store.CommandLine})
	if errors.Is(err, store.ErrInvalid) { // somebody was quicker
		return "", nil
	}
	return link, err
}

// InviteLink makes the one-time link by which a user chooses a password; it
// works for store.InviteLife.
func (s *Server) InviteLink(ctx context.Context, u store.User, by store.By) (string, error) {
	return s.invite(ctx, &u, by)
}

func (s *Server) invite(ctx context.Context, u *store.User, by store.By) (string, error) {
	secret, hash, err := s.newSecret()
	if err != nil {
		return "", err
	}
	if err := s.cfg.Store.AddInvite(ctx, hash, u, by); err != nil {
		return "", err //nolint:wrapcheck // it says where it comes from
	}
	return s.Address("/admin/start/" + secret), nil
}

type startView struct {
	Token string
	Setup bool // the first administrator, who chooses a name too
	Name  string
	Wrong string
	Least int // characters of a password
}

func (startView) page() string { return "start.html" }
func (v startView) title() string {
	if v.Setup {
		return "Make the first administrator"
	}
	return "Choose a password"
}

var errLink = refuse(http.StatusNotFound, "This link does not work any more: it was used, replaced, or has expired. "+
	"Ask an administrator for a new one. Where there is no administrator yet, restart the service: it prints a new link.")

func (s *Server) startView(c *Ctx) (startView, [32]byte, error) {
	v := startView{Token: c.Param("token"), Least: minPasswordRunes}
	hash := sha256.Sum256([]byte(v.Token))
	i, err := s.cfg.Store.Invite(c.Std, hash)
	if errors.Is(err, store.ErrNotFound) {
		err = errLink
	}
	v.Setup, v.Name = i.Kind == store.InviteSetup, i.User.Name
	return v, hash, err //nolint:wrapcheck // it says where it comes from
}

// showStart is looked at by mail scanners too, so it uses nothing up.
func (s *Server) showStart(c *Ctx) error {
	v, _, err := s.startView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) start(c *Ctx) error {
	v, hash, err := s.startView(c)
	if err != nil {
		return err
	}
	name := v.Name
	if v.Setup {
		v.Name = c.Form("name")
		name = store.UserName(v.Name)
	}
	if name == "" {
		v.Wrong = "Choose a name, such as your e-mail address."
		return s.render(c, http.StatusUnprocessableEntity, v)
	}
	encoded, wrong, err := s.newPassword(c, name)
	if err != nil {
		return err
	}
	if wrong != "" {
		v.Wrong = wrong
		return s.render(c, http.StatusUnprocessableEntity, v)
	}
	u, err := s.cfg.Store.UseInvite(c.Std, hash, name, encoded, c.network())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errLink
	case errors.Is(err, store.ErrTaken):
		v.Wrong = "This name is taken."
		return s.render(c, http.StatusConflict, v)
	case err != nil:
		return err //nolint:wrapcheck // it says where it comes from
	}
	if err := s.signIn(c, u, "password"); err != nil {
		return err
	}
	return s.to(c, "/admin", "Welcome. Your password is set.")
}

// newPassword reads and hashes a new password of the form, typed twice. Wrong
// says what the user should change.
func (s *Server) newPassword(c *Ctx, name string) (hash, wrong string, err error) {
	password := c.Form("password")
	if err := checkPassword(password, name); err != nil {
		return "", sentence(err), nil
	}
	if password != c.Form("again") {
		return "", "The two passwords are not the same.", nil
	}
	hash, err = s.hash.hash(c.Std, s.cfg.Rand, password)
	return hash, "", err
}

// sentence writes an error of ours for people.
func sentence(err error) string {
	t := err.Error()
	return fmt.Sprintf("%c%s.", t[0]-'a'+'A', t[1:])
}
