package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// cardView is the contact card.
type cardView struct {
	contactLine
	Language             string
	CreatedAt, UpdatedAt time.Time
	Panels               []panel
	History              historyView
}

func (cardView) page() string    { return "contact.html" }
func (v cardView) title() string { return v.Name }

// contactOf reads the contact of the path.
func (s *Server) contactOf(c *Ctx) (store.Contact, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return store.Contact{}, errNotFound
	}
	return s.cfg.Store.ContactByID(c.Std, id) //nolint:wrapcheck // it says where it comes from
}

func (s *Server) showContact(c *Ctx) error {
	ct, err := s.contactOf(c)
	if err != nil {
		return err
	}
	v := cardView{contactLine: nameOf(c, ct), Language: ct.Language, CreatedAt: ct.CreatedAt, UpdatedAt: ct.UpdatedAt}
	if v.Panels, err = s.panels(c, ct); err != nil {
		return err
	}
	if v.History, err = s.history(c, v.Panels, contactPath(ct.ID)); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

// panels are the addresses of a contact.
func (s *Server) panels(c *Ctx, ct store.Contact) ([]panel, error) {
	var keys []recipient.Key
	for _, k := range []recipient.Key{ct.EmailKey, ct.PhoneKey} {
		if !k.IsZero() {
			keys = append(keys, k)
		}
	}
	known, err := s.cfg.Store.Recipients(c.Std, keys)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says where it comes from
	}
	var out []panel
	for _, k := range keys {
		r, ok := known[k]
		if !ok { // saving a contact makes the row, so somebody changed the tables by hand
			continue
		}
		p, err := s.panelOf(c, r, ct.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
