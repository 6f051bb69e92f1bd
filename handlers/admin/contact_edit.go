package admin

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// Limits of a contact's texts in bytes, the store's own.
const (
	maxExternalID = 191
	maxName       = 255
	maxLanguage   = 35
)

// contactForm is a contact as typed.
type contactForm struct {
	ID                         int64 // 0: a new one
	ExternalID, Name, Language string
	Email, Phone               string
	Seen                       string // the state that was edited, so that nobody undoes a colleague's work
	UnreadEmail, UnreadPhone   bool   // the contact has one that was erased, and keeps it unless another is typed
	Shared                     *store.SharedError
	Erased                     []string // channels whose address was erased and may not be read
	Consent                    consentForm
	Wrong                      map[string]string // by field
}

func (contactForm) page() string { return "contact_form.html" }
func (v contactForm) title() string {
	if v.ID == 0 {
		return "New contact"
	}
	return "Edit the contact"
}

func (s *Server) showNewContact(c *Ctx) error {
	return s.render(c, http.StatusOK, contactForm{})
}

func (s *Server) showEditContact(c *Ctx) error {
	ct, err := s.contactOf(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, contactForm{ID: ct.ID, ExternalID: ct.ExternalID, Name: recipient.Clean(ct.Name, maxName),
		Language: recipient.Clean(ct.Language, maxLanguage), Email: ct.Email.Value(), Phone: ct.Phone.Value(), Seen: seen(ct)}.unread(ct))
}

// unread notes which addresses of the contact were erased: a form cannot show them.
func (v contactForm) unread(ct store.Contact) contactForm {
	v.UnreadEmail = ct.Email.IsZero() && !ct.EmailKey.IsZero()
	v.UnreadPhone = ct.Phone.IsZero() && !ct.PhoneKey.IsZero()
	return v
}

func seen(ct store.Contact) string { return ct.UpdatedAt.Format(time.RFC3339Nano) }

func (s *Server) addContact(c *Ctx) error {
	v := readContact(c)
	v.ExternalID = recipient.Clean(c.Form("external_id"), 2*maxExternalID)
	if v.ExternalID == "" {
		// Contacts made here need not be known elsewhere.
		v.ExternalID = "desk-" + strings.ToLower(rand.Text()[:12])
	}
	if len(v.ExternalID) > maxExternalID {
		v.Wrong["external_id"] = "This is longer than 191 bytes."
	}
	return s.saveContact(c, v, store.Contact{}, store.PutOptions{OnlyNew: true})
}

func (s *Server) editContact(c *Ctx) error {
	ct, err := s.contactOf(c)
	if err != nil {
		return err
	}
	v := readContact(c).unread(ct)
	v.ID, v.ExternalID = ct.ID, ct.ExternalID
	o := store.PutOptions{KeepUnread: true}
	if o.Seen, err = time.Parse(time.RFC3339Nano, v.Seen); err != nil {
		return refuse(http.StatusUnprocessableEntity, "This form is incomplete. Load the page again.")
	}
	return s.saveContact(c, v, ct, o)
}

func readContact(c *Ctx) contactForm {
	field := func(name string) string { return strings.TrimSpace(c.Form(name)) }
	return contactForm{Name: recipient.Clean(c.Form("name"), 2*maxName), Language: field("language"), Email: field("email"), Phone: field("phone"),
		Seen: field("seen"), Consent: readConsent(c), Wrong: map[string]string{}}
}

// contact checks what was typed and notes what is wrong.
func (s *Server) contact(v *contactForm) store.Contact {
	ct := store.Contact{ExternalID: v.ExternalID, Name: v.Name, Language: v.Language}
	var err error
	if len(v.Name) > maxName {
		v.Wrong["name"] = "This is longer than 255 bytes."
	}
	if v.Language != "" {
		var unknown language.ValueError // of the right shape, but nothing we have heard of
		if _, err := language.Parse(v.Language); err != nil && !errors.As(err, &unknown) || len(v.Language) > maxLanguage || strings.Contains(v.Language, "_") {
			v.Wrong["language"] = "Write a language tag such as fi or en-GB."
		}
	}
	if v.Email != "" {
		if ct.Email, err = recipient.ParseEmail(v.Email); err != nil {
			v.Wrong["email"] = sentence(err)
		}
	}
	if v.Phone != "" {
		if ct.Phone, err = recipient.ParsePhone(v.Phone, s.cfg.DefaultRegion); err != nil {
			v.Wrong["phone"] = sentence(err)
		}
	}
	return ct
}

// saveContact stores what was typed; was is the contact before, zero for a new
// one.
func (s *Server) saveContact(c *Ctx, v contactForm, was store.Contact, o store.PutOptions) error {
	ct := s.contact(&v)
	if len(v.Wrong) == 0 {
		if err := s.revival(c, &v, ct, &o); err != nil {
			return err
		}
	}
	if len(v.Wrong) > 0 {
		return s.render(c, http.StatusUnprocessableEntity, v)
	}
	o.AcceptShared = c.Form("accept_shared") != ""
	o.Source, o.Actor, o.By = recipient.FromAdmin, c.User.Name, c.By()
	saved, created, err := s.cfg.Store.PutContact(c.Std, ct, o)
	switch {
	case errors.As(err, &v.Shared):
		return s.render(c, http.StatusConflict, v)
	case errors.Is(err, store.ErrExists):
		v.Wrong["external_id"] = "Another contact has this external id."
		return s.render(c, http.StatusConflict, v)
	case errors.Is(err, store.ErrChanged):
		return refuse(http.StatusConflict, "Somebody else saved this contact since you opened it. Load its page again; nothing of yours was saved.")
	case err != nil:
		return err //nolint:wrapcheck // it says where it comes from
	}
	if created {
		return s.to(c, contactPath(saved.ID), "The contact was added.")
	}
	text, err := s.carried(c, was, saved)
	if err != nil {
		c.Log.Warn("cannot tell what went along to a new address", "err", err)
	}
	return s.to(c, contactPath(saved.ID), "The contact was saved."+text)
}

// carried says which opt-outs went along to new addresses.
func (s *Server) carried(c *Ctx, was, saved store.Contact) (string, error) {
	known, err := s.cfg.Store.Recipients(c.Std, []recipient.Key{was.EmailKey, was.PhoneKey, saved.EmailKey, saved.PhoneKey})
	if err != nil {
		return "", err //nolint:wrapcheck // it says where it comes from
	}
	text := ""
	for _, k := range [][2]recipient.Key{{was.EmailKey, saved.EmailKey}, {was.PhoneKey, saved.PhoneKey}} {
		if k[0] != k[1] && known[k[0]].State.OptedOut() && known[k[1]].State.OptedOut() {
			text += " The new " + thing(known[k[1]].Channel) + " is opted out, as the one before was."
		}
	}
	return text, nil
}

// revival sees to addresses that were erased: without consent given since they
// stay unreadable, and whoever saves the contact has to know it.
func (s *Server) revival(c *Ctx, v *contactForm, ct store.Contact, o *store.PutOptions) error {
	var keys []recipient.Key
	for _, a := range []recipient.Address{ct.Email, ct.Phone} {
		if !a.IsZero() {
			keys = append(keys, s.cfg.Keyer.Key(a))
		}
	}
	known, err := s.cfg.Store.Recipients(c.Std, keys)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	var last recipient.State
	var erased time.Time
	for _, k := range keys {
		if r := known[k]; !r.ErasedAt.IsZero() && !r.State.OptedInAt.After(r.ErasedAt) {
			v.Erased = append(v.Erased, thing(r.Channel))
			last = last.Join(r.State)
			if r.ErasedAt.After(erased) {
				erased = r.ErasedAt
			}
		}
	}
	if len(v.Erased) == 0 || c.Form("unreadable") != "" {
		return nil
	}
	if v.Consent == (consentForm{}) { // asked for the first time
		v.Wrong["erased"] = "The " + strings.Join(v.Erased, " and the ") + " was erased at the person's wish."
		return nil
	}
	o.Consent = v.Consent.check(s.now(), last, v.Wrong)
	if v.Wrong["date"] == "" && o.Consent.At.Before(erased.Truncate(24*time.Hour)) {
		v.Wrong["date"] = "The address was erased on " + day(erased) + ", after this day. Only consent given since counts."
	}
	return nil
}
