package admin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

const (
	contactsPage  = 50
	maxQueryBytes = 255
)

// flagNames are the filters in words.
var flagNames = []struct {
	Flag store.Flag
	Name string
}{
	{store.FlagBlocked, "Blocked"},
	{store.FlagOptedOut, "Opted out"},
	{store.FlagComplained, "Reported as spam"},
	{store.FlagSoftBouncing, "Soft-bouncing"},
}

type flagLink struct {
	Name, Path string
	Value      string
	Current    bool
}

type contactsView struct {
	Q, Flag  string
	Flags    []flagLink
	Contacts []contactLine
	Listed   []listedLine // addresses, where only a filter was chosen
	ByFlag   bool
	Older    string // the next page
	Unknown  bool   // a whole address of which nothing is known
	Masked   bool
}

// contactLine is one contact in a list.
type contactLine struct {
	ID               int64
	Name, ExternalID string
	Email, Phone     addressLine
}

// listedLine is one address in a list, and whose it is.
type listedLine struct {
	addressLine
	Contacts []contactLine
}

func (contactsView) page() string  { return "contacts.html" }
func (contactsView) title() string { return "Contacts" }

// query is what somebody searches for. A search goes into URLs sealed: what was
// typed is often an address, and so is the cursor of a page.
type query struct {
	Q     string     `json:"q,omitempty"`
	Flag  store.Flag `json:"f,omitempty"`
	After string     `json:"a,omitempty"`
}

func (s *Server) searchSeal(c *Ctx) (cipher.AEAD, error) {
	m := hmac.New(sha256.New, []byte(c.secret))
	m.Write([]byte("search")) //nolint:errcheck // a hash never fails
	b, err := aes.NewCipher(m.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("seal a search: %w", err)
	}
	return cipher.NewGCM(b) //nolint:wrapcheck // it cannot fail for AES
}

// path returns the page of a search. It works for this session alone.
func (s *Server) path(c *Ctx, q query) (string, error) {
	if q == (query{}) {
		return "/admin/contacts", nil
	}
	text, err := json.Marshal(q)
	if err != nil {
		return "", fmt.Errorf("seal a search: %w", err)
	}
	seal, err := s.searchSeal(c)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, seal.NonceSize())
	if _, err := io.ReadFull(s.cfg.Rand, nonce); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return "/admin/contacts?s=" + base64.RawURLEncoding.EncodeToString(seal.Seal(nonce, nonce, text, nil)), nil
}

// asked reads the search of a URL; one of another session is an empty one.
func (s *Server) asked(c *Ctx) (query, bool) {
	var q query
	sealed := c.Query("s")
	if sealed == "" {
		return q, true
	}
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return q, false
	}
	seal, err := s.searchSeal(c)
	if err != nil || len(b) < seal.NonceSize() {
		return q, false
	}
	n := seal.NonceSize()
	text, err := seal.Open(nil, b[:n], b[n:], nil)
	return q, err == nil && json.Unmarshal(text, &q) == nil
}

// search answers the form. A whole address leads to what is known of it.
func (s *Server) search(c *Ctx) error {
	q := query{Q: strings.TrimSpace(c.Form("q")), Flag: store.Flag(c.Form("flag"))}
	switch {
	case len(q.Q) > maxQueryBytes:
		return refuse(http.StatusUnprocessableEntity, "This is too long to search for.")
	case q.Flag != "" && !q.Flag.Valid():
		return refuse(http.StatusUnprocessableEntity, "There is no such filter.")
	}
	if a, ok := s.typed(q.Q); ok && q.Flag == "" {
		to, err := s.whereIs(c, a)
		if err != nil {
			return err
		}
		if to != "" {
			return s.to(c, to, "")
		}
	}
	to, err := s.path(c, q)
	if err != nil {
		return err
	}
	return s.to(c, to, "")
}

// typed reads a whole address as people write it.
func (s *Server) typed(q string) (recipient.Address, bool) {
	if a, err := recipient.ParseEmail(q); err == nil {
		return a, true
	}
	a, err := recipient.ParsePhone(q, s.cfg.DefaultRegion)
	return a, err == nil
}

// whereIs returns the page of an address: the card, where one contact has it.
// Empty: nothing is known.
func (s *Server) whereIs(c *Ctx, a recipient.Address) (string, error) {
	key := s.cfg.Keyer.Key(a)
	contacts, _, err := s.cfg.Store.Contacts(c.Std, store.ContactQuery{Key: key, Limit: 2})
	if err != nil {
		return "", err //nolint:wrapcheck // it says where it comes from
	}
	if len(contacts) == 1 {
		return contactPath(contacts[0].ID), nil
	}
	if _, err := s.cfg.Store.Recipient(c.Std, key); errors.Is(err, store.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", err //nolint:wrapcheck // it says where it comes from
	}
	return addressPath(a.Channel(), key), nil
}

func contactPath(id int64) string { return "/admin/contacts/" + strconv.FormatInt(id, 10) }

func addressPath(ch recipient.Channel, key recipient.Key) string {
	return "/admin/addresses/" + url.PathEscape(string(ch)) + "/" + key.String()
}

func (s *Server) showContacts(c *Ctx) error {
	q, ok := s.asked(c)
	if !ok {
		return s.to(c, "/admin/contacts", "That search belonged to another session. Please search again.")
	}
	if f := store.Flag(c.Query("flag")); f != "" {
		q = query{Flag: f, After: c.Query("after")}
	}
	if q.Flag != "" && !q.Flag.Valid() {
		return refuse(http.StatusUnprocessableEntity, "There is no such filter.")
	}
	v := contactsView{Q: q.Q, Flag: string(q.Flag), Masked: !c.User.Can(operator), ByFlag: q.Q == "" && q.Flag != ""}
	for _, f := range flagNames {
		v.Flags = append(v.Flags, flagLink{f.Name, s.at("/admin/contacts?flag=" + string(f.Flag)), string(f.Flag), q.Flag == f.Flag})
	}
	var err error
	if v.ByFlag {
		err = s.listFlagged(c, q, &v)
	} else {
		err = s.listContacts(c, q, &v)
	}
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

// listContacts fills in the contacts of a search.
func (s *Server) listContacts(c *Ctx, q query, v *contactsView) error {
	ask := store.ContactQuery{Limit: contactsPage, Flag: q.Flag, HideAddresses: v.Masked}
	a, whole := s.typed(q.Q)
	if whole {
		ask.Key, ask.After = s.cfg.Keyer.Key(a), q.After
	}
	var found []store.Contact
	var next string
	var err error
	if whole {
		found, next, err = s.cfg.Store.Contacts(c.Std, ask)
	}
	if err == nil && len(found) == 0 {
		// Digits may be an external id as well as a number.
		ask.Q, ask.Key, ask.After = q.Q, recipient.Key{}, q.After
		found, next, err = s.cfg.Store.Contacts(c.Std, ask)
	}
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if whole && len(found) == 0 && q.After == "" && q.Flag == "" {
		v.Unknown = true
	}
	if v.Contacts, err = s.contactLines(c, found); err != nil || next == "" {
		return err
	}
	q.After = next
	path, err := s.path(c, q)
	v.Older = s.at(path)
	return err
}

// listFlagged fills in the addresses that have a flag.
func (s *Server) listFlagged(c *Ctx, q query, v *contactsView) error {
	list, next, err := s.cfg.Store.Flagged(c.Std, q.Flag, contactsPage, q.After)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	keys := make([]recipient.Key, len(list))
	for i, r := range list {
		keys[i] = r.Key
	}
	owners, err := s.cfg.Store.ContactsAt(c.Std, keys)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	for _, r := range list {
		line := listedLine{addressLine: newLine(c, r)}
		for _, o := range owners[r.Key] {
			line.Contacts = append(line.Contacts, nameOf(c, o))
		}
		v.Listed = append(v.Listed, line)
	}
	if next != "" {
		v.Older = s.at("/admin/contacts?flag=" + string(q.Flag) + "&after=" + url.QueryEscape(next))
	}
	return nil
}

// mailLike finds what looks like an e-mail address, phoneLike what looks like a
// number with its country code; without the plus it may be any id.
var (
	mailLike  = regexp.MustCompile(`[^\s<>"'(),;:]+@[^\s<>"'(),;:]+`)
	phoneLike = regexp.MustCompile(`\+[0-9][0-9 ()./-]{5,}[0-9]`)
)

// veiled hides all addresses of a text from those who see them masked: not only
// that which the text is about, but also one of former times, or another's.
func veiled(text string) string {
	return phoneLike.ReplaceAllString(mailLike.ReplaceAllString(text, recipient.Redacted), recipient.Redacted)
}

// nameOf is a contact as this user may see it: names and external ids often
// hold the address.
func nameOf(c *Ctx, ct store.Contact) contactLine {
	l := contactLine{ID: ct.ID, Name: ct.Name, ExternalID: ct.ExternalID}
	if !c.User.Can(operator) {
		for _, a := range []recipient.Address{ct.Email, ct.Phone} {
			l.Name, l.ExternalID = recipient.Redact(l.Name, a), recipient.Redact(l.ExternalID, a)
		}
		l.Name, l.ExternalID = veiled(l.Name), veiled(l.ExternalID)
	}
	if l.Name == "" {
		l.Name = l.ExternalID
	}
	return l
}

func (s *Server) contactLines(c *Ctx, list []store.Contact) ([]contactLine, error) {
	var keys []recipient.Key
	for _, ct := range list {
		for _, k := range []recipient.Key{ct.EmailKey, ct.PhoneKey} {
			if !k.IsZero() {
				keys = append(keys, k)
			}
		}
	}
	known, err := s.cfg.Store.Recipients(c.Std, keys)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says where it comes from
	}
	out := make([]contactLine, len(list))
	for i, ct := range list {
		out[i] = nameOf(c, ct)
		if !ct.EmailKey.IsZero() {
			out[i].Email = newLine(c, known[ct.EmailKey])
		}
		if !ct.PhoneKey.IsZero() {
			out[i].Phone = newLine(c, known[ct.PhoneKey])
		}
	}
	return out, nil
}
