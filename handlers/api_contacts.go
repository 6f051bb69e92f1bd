package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

type contactJSON struct {
	ExternalID string     `json:"external_id"`
	Name       string     `json:"name"`
	Language   string     `json:"language"`
	Email      *string    `json:"email"`
	Phone      *string    `json:"phone"`
	CreatedAt  *time.Time `json:"created_at"`
	UpdatedAt  *time.Time `json:"updated_at"`
}

func newContactJSON(c store.Contact) contactJSON {
	return contactJSON{ExternalID: c.ExternalID, Name: c.Name, Language: c.Language, Email: text(c.Email.Value()), Phone: text(c.Phone.Value()),
		CreatedAt: when(c.CreatedAt), UpdatedAt: when(c.UpdatedAt)}
}

// Limits of a contact's texts in bytes.
const (
	maxExternalID = 191
	maxName       = 255
	maxLanguage   = 35 // RFC 5646, section 4.4.1
)

// putContact creates or replaces a contact. What the old address wanted goes
// along to a new one; the store sees to that.
func (s *Server) putContact(c *fiber.Ctx) error {
	var in struct {
		Name         string  `json:"name"`
		Language     string  `json:"language"`
		Email        *string `json:"email"`
		Phone        *string `json:"phone"`
		AcceptShared bool    `json:"accept_shared"`

		Consent *consentJSON `json:"consent"`
	}
	id, err := externalID(c)
	if err != nil {
		return err
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	ct := store.Contact{ExternalID: id, Name: recipient.Clean(in.Name, maxName), Language: strings.TrimSpace(in.Language)}
	if !validLanguage(ct.Language) {
		return invalid("language", "expected a language tag such as fi or en-GB")
	}
	if in.Email != nil && *in.Email != "" {
		if ct.Email, err = recipient.ParseEmail(*in.Email); err != nil {
			return invalid("email", err.Error())
		}
		ct.EmailKey = s.cfg.Keyer.Key(ct.Email)
	}
	if in.Phone != nil && *in.Phone != "" {
		if ct.Phone, err = recipient.ParsePhone(*in.Phone, s.cfg.DefaultRegion); err != nil {
			return invalid("phone", err.Error())
		}
		ct.PhoneKey = s.cfg.Keyer.Key(ct.Phone)
	}
	o := store.PutOptions{AcceptShared: in.AcceptShared, Source: recipient.FromAPI, Actor: actor(c), By: s.by(c)}
	if in.Consent != nil {
		if o.Consent, err = s.consent(in.Consent); err != nil {
			return err
		}
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	saved, created, err := s.cfg.Store.PutContact(ctx, ct, o)
	if err != nil {
		return err
	}
	if created {
		c.Status(http.StatusCreated)
	}
	return sendJSON(c, newContactJSON(saved))
}

func (s *Server) getContact(c *fiber.Ctx) error {
	id, err := externalID(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	ct, err := s.cfg.Store.Contact(ctx, id)
	if err != nil {
		return err
	}
	return sendJSON(c, newContactJSON(ct))
}

// eraseContact erases a contact and its addresses, and keeps the suppression.
func (s *Server) eraseContact(c *fiber.Ctx) error {
	id, err := externalID(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	ct, err := s.cfg.Store.Contact(ctx, id)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.EraseContact(ctx, ct.ID, s.by(c)); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

const (
	defaultContacts = 50
	maxContacts     = 1000
)

// listContacts searches by the beginning of a name, an external id or an
// address; a whole address finds exactly its contacts.
func (s *Server) listContacts(c *fiber.Ctx) error {
	limit, err := queryInt(c, "limit", defaultContacts, maxContacts)
	if err != nil {
		return err
	}
	q := store.ContactQuery{Q: strings.TrimSpace(strings.Clone(c.Query("q"))), Limit: limit, After: strings.Clone(c.Query("after"))}
	if len(q.Q) > maxName {
		return invalid("q", "too long")
	}
	if q.Flag, err = flagOf(c); err != nil {
		return err
	}
	if a, err := recipient.ParseEmail(q.Q); err == nil {
		q.Key = s.cfg.Keyer.Key(a)
	} else if a, err := recipient.ParsePhone(q.Q, ""); err == nil {
		q.Key = s.cfg.Keyer.Key(a)
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	found, next, err := s.cfg.Store.Contacts(ctx, q)
	if err != nil {
		return err
	}
	out := struct {
		Contacts []contactJSON `json:"contacts"`
		Next     *string       `json:"next"`
	}{Contacts: []contactJSON{}, Next: text(next)}
	for _, ct := range found {
		out.Contacts = append(out.Contacts, newContactJSON(ct))
	}
	return sendJSON(c, out)
}

// flagOf reads the filter of a list; empty: all.
func flagOf(c *fiber.Ctx) (store.Flag, error) {
	f := store.Flag(strings.Clone(c.Query("flag")))
	if f != "" && !f.Valid() {
		return "", invalid("flag", "use blocked, opted_out, complained or soft_bouncing")
	}
	return f, nil
}

func externalID(c *fiber.Ctx) (string, error) {
	id := segment(c, "external_id")
	if id == "" || len(id) > maxExternalID || recipient.Clean(id, maxExternalID) != id {
		return "", invalid("external_id", "expected 1 to 191 bytes of plain text")
	}
	return id, nil
}

// validLanguage accepts the shape of a language tag, and none.
func validLanguage(tag string) bool {
	if len(tag) > maxLanguage {
		return false
	}
	for part := range strings.SplitSeq(tag, "-") {
		if tag == "" {
			return true
		}
		if part == "" || len(part) > 8 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return false
		}
	}
	return true
}
