package admin

import (
	"net/http"
)

// Erasing takes what is readable about a person away and keeps the suppression.

const eraseWord = "erase"

const notConfirmed = "Write the word erase into the field, so that it does not happen by accident."

// eraseAddress ends the page of that deed.
func (s *Server) eraseAddress(c *Ctx, v actView) error {
	if c.Form("confirm") != eraseWord {
		v.Wrong["confirm"] = notConfirmed
		return s.render(c, http.StatusUnprocessableEntity, v)
	}
	if err := s.cfg.Store.Erase(c.Std, v.recipient.Key, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, v.BackPath, "The "+v.Thing()+" was erased. Its blocks and opt-outs stay.")
}

type eraseView struct {
	contactLine
	Panels []panel
	Wrong  string
}

func (eraseView) page() string  { return "erase.html" }
func (eraseView) title() string { return "Erase a person" }

func (s *Server) eraseView(c *Ctx) (eraseView, error) {
	ct, err := s.contactOf(c)
	if err != nil {
		return eraseView{}, err
	}
	v := eraseView{contactLine: nameOf(c, ct)}
	v.Panels, err = s.panels(c, ct)
	return v, err
}

func (s *Server) showEraseContact(c *Ctx) error {
	v, err := s.eraseView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) eraseContact(c *Ctx) error {
	v, err := s.eraseView(c)
	if err != nil {
		return err
	}
	if c.Form("confirm") != eraseWord {
		v.Wrong = notConfirmed
		return s.render(c, http.StatusUnprocessableEntity, v)
	}
	if err := s.cfg.Store.EraseContact(c.Std, v.ID, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, "/admin/contacts", "The person was erased. Blocks and opt-outs of the addresses stay.")
}
