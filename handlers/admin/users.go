package admin

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/strikeout/strikeout/store"
)

type usersView struct {
	Users []store.User
	Name  string
	Role  string
	Wrong string
	OIDC  string
}

func (usersView) page() string  { return "users.html" }
func (usersView) title() string { return "Users" }

type userView struct {
	Of       store.User
	Sessions []sessionLine
	Self     bool
}

func (userView) page() string    { return "user.html" }
func (v userView) title() string { return v.Of.Name }

// linkView shows a one-time link, once.
type linkView struct {
	Of   store.User
	Link string
}

func (linkView) page() string    { return "user_link.html" }
func (v linkView) title() string { return "One-time link for " + v.Of.Name }

func (s *Server) showUsers(c *Ctx) error { return s.users(c, http.StatusOK, usersView{}) }

func (s *Server) users(c *Ctx, status int, v usersView) (err error) {
	if v.Users, err = s.cfg.Store.Users(c.Std); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if s.oidc != nil {
		v.OIDC = s.oidc.Title
	}
	return s.render(c, status, v)
}

func (s *Server) addUser(c *Ctx) error {
	v := usersView{Name: c.Form("name"), Role: c.Form("role")}
	u := store.User{Name: store.UserName(v.Name), Role: store.Role(v.Role)}
	switch {
	case u.Name == "":
		v.Wrong = "Give the user a name, such as an e-mail address."
	case !u.Role.Valid():
		v.Wrong = "Choose a role."
	}
	if v.Wrong != "" {
		return s.users(c, http.StatusUnprocessableEntity, v)
	}
	u, err := s.cfg.Store.AddUser(c.Std, u, c.By())
	if errors.Is(err, store.ErrTaken) {
		v.Wrong = "There is a user of this name."
		return s.users(c, http.StatusConflict, v)
	}
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.showLink(c, u)
}

// showLink makes and shows a user's one-time link. It answers the form itself:
// after a redirect the link could not be shown without being kept.
func (s *Server) showLink(c *Ctx, u store.User) error {
	link, err := s.InviteLink(c.Std, u, c.By())
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, linkView{Of: u, Link: link})
}

func (s *Server) userOf(c *Ctx) (store.User, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return store.User{}, errNotFound
	}
	return s.cfg.Store.User(c.Std, id) //nolint:wrapcheck // it says where it comes from
}

func userPath(u store.User) string { return "/admin/users/" + strconv.FormatInt(u.ID, 10) }

func (s *Server) showUser(c *Ctx) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	v := userView{Of: u, Self: u.ID == c.User.ID}
	if v.Sessions, err = s.sessionLines(c, u.ID); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) newUserLink(c *Ctx) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	if !u.DisabledAt.IsZero() {
		return refuse(http.StatusConflict, "This user is locked out. Let the user in again first.")
	}
	return s.showLink(c, u)
}

func (s *Server) setRole(c *Ctx) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	role := store.Role(c.Form("role"))
	if !role.Valid() {
		return refuse(http.StatusUnprocessableEntity, "Choose a role.")
	}
	if err := s.cfg.Store.SetRole(c.Std, u.ID, role, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if u.ID == c.User.ID && role != u.Role {
		return s.to(c, "/admin/login", "")
	}
	return s.to(c, userPath(u), "The role of "+u.Name+" is "+string(role)+" now. Sessions from before were ended.")
}

func (s *Server) disableUser(c *Ctx) error {
	return s.setDisabled(c, true, " cannot sign in any more, and was signed out everywhere.")
}

func (s *Server) enableUser(c *Ctx) error {
	return s.setDisabled(c, false, " may sign in again.")
}

func (s *Server) setDisabled(c *Ctx, disabled bool, message string) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.SetDisabled(c.Std, u.ID, disabled, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, userPath(u), u.Name+message)
}

func (s *Server) endUserSession(c *Ctx) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	return s.endSession(c, u, userPath(u))
}
