// Package mailcheck looks at a rendered message before a million of its kind are
// out: whether its unsubscribe link and the two headers of RFC 2369 and RFC 8058
// are there, right, ours, signed, and of the recipient. It asks no network.
package mailcheck

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/internal/mail"
)

// Level says how serious a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // it works, and could be better; or it could not be checked
	Fail Level = "fail" // do not send it like this
)

// Finding is one line of the list. It holds no address and no token.
type Finding struct {
	Check string `json:"check"` // which check, in one word, always the same
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Do    string `json:"do,omitempty"` // what to do about it; empty when it is OK
}

// Report is what came out, in the order in which a reader would look.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Worst is the level of the worst finding.
func (r Report) Worst() Level {
	worst := OK
	for _, f := range r.Findings {
		if f.Level == Fail || f.Level == Warn && worst == OK {
			worst = f.Level
		}
	}
	return worst
}

// Config is what a check needs. Ring and PublicURL are required.
type Config struct {
	Ring      *tokens.Ring
	PublicURL string // as links carry it
	// Keyer finds out whether a link belongs to the recipient of the message; nil:
	// not checked.
	Keyer *recipient.Keyer
	// Mailto is the address for unsubscribe mails as configured; empty: none.
	Mailto string
	// Code looks a short code up; its error is tokens.ErrInvalid where there is none.
	// Nil: short codes cannot be checked.
	Code func(code string) (tokens.Claims, error)
	Now  time.Time
}

// check is one run.
type check struct {
	Config
	base string // of our links, in lower case up to the path
	m    *mail.Message
	out  []Finding
}

// Check looks at a message.
func Check(raw []byte, c Config) Report {
	k := &check{Config: c, base: strings.TrimRight(c.PublicURL, "/") + "/u/", m: mail.Read(raw)}
	if len(k.m.Fields) == 0 {
		k.fail("message", "this is no message: it has no header", "save the message with its source, as a file that ends in .eml")
		return Report{k.out}
	}
	header := k.header()
	k.post()
	body := k.body(header)
	k.links(header, body)
	k.mailto(header)
	k.dkim()
	k.lines()
	return Report{k.out}
}

func (k *check) ok(check, text string, args ...any) {
	k.out = append(k.out, Finding{check, OK, fmt.Sprintf(text, args...), ""})
}

func (k *check) warn(check, text, do string) {
	k.out = append(k.out, Finding{check, Warn, text, do})
}

func (k *check) fail(check, text, do string) {
	k.out = append(k.out, Finding{check, Fail, text, do})
}

const (
	addHeader = "add the value of list_unsubscribe, as strikeout links and POST /v1/links give it"
	addPost   = "add List-Unsubscribe-Post: " + tokens.ListUnsubscribePost
	onceOnly  = "find out who adds another: your template, or the sending service's own unsubscribe feature, which has to be off"
)

// headerLinks are the URIs of List-Unsubscribe.
type headerLinks struct {
	link  string   // ours; empty: none
	mails []string // mailto URIs
}

// header looks at List-Unsubscribe.
func (k *check) header() (h headerLinks) {
	const name = "list-unsubscribe"
	fields := k.m.All("List-Unsubscribe")
	switch len(fields) {
	case 0:
		k.fail(name, "the header List-Unsubscribe is missing", addHeader)
		return h
	case 1:
	default:
		k.fail(name, fmt.Sprintf("the header List-Unsubscribe stands %d times: mail programs use none of them", len(fields)), onceOnly)
	}
	f := fields[0]
	if placeholder(f.Value) {
		k.fail(name, "the placeholder in List-Unsubscribe was not filled", "check its name against the columns or variables that your sending tool knows")
		return h
	}
	uris, problem := headerURIs(f)
	if problem != "" {
		k.fail(name, "List-Unsubscribe "+problem, addHeader)
		if len(uris) == 0 {
			return h
		}
	}
	var foreign, plain string
	for _, uri := range uris {
		switch scheme, _, _ := strings.Cut(uri, ":"); strings.ToLower(scheme) {
		case "mailto":
			h.mails = append(h.mails, uri)
		case "https", "http":
			switch link, how := k.ours(uri); {
			case how == isOurs && h.link == "":
				h.link = link
			case how == isPlain:
				plain = uri
			default:
				foreign = host(uri)
			}
		}
	}
	switch {
	case h.link != "" && len(fields) == 1 && problem == "":
		k.ok(name, "List-Unsubscribe stands once and goes to %s", host(k.base))
	case h.link != "":
	case plain != "":
		k.fail(name, "the link in List-Unsubscribe begins with http://, and mail programs need https://", "set public_url to the https address and make the links again")
	case foreign != "":
		k.fail(name, "List-Unsubscribe goes to "+foreign+", not to "+host(k.base), "turn the sending service's own unsubscribe header and click tracking off")
	case len(h.mails) > 0:
		k.fail(name, "List-Unsubscribe has a mailto and no link: Gmail and Yahoo want a link", addHeader)
	default:
		k.fail(name, "List-Unsubscribe has no link", addHeader)
	}
	return h
}

// headerURIs reads <uri>, <uri>. The problem completes "List-Unsubscribe ...".
func headerURIs(f mail.Field) (uris []string, problem string) {
	s := f.Value
	if strings.Contains(s, "=?") {
		problem = "is encoded (=?...?=), which mail programs do not read there"
	}
	if !strings.Contains(s, "<") {
		return nil, "has no < > around its link"
	}
	for {
		_, rest, ok := strings.Cut(s, "<")
		if !ok {
			return uris, problem
		}
		uri, rest, ok := strings.Cut(rest, ">")
		if !ok {
			return uris, "has a < without its >"
		}
		if strings.ContainsAny(uri, " \t") {
			problem = "has white space inside of a link: it may be folded at the comma only"
			uri = strings.NewReplacer(" ", "", "\t", "").Replace(uri)
		}
		uris = append(uris, uri)
		s = rest
	}
}

// post looks at List-Unsubscribe-Post.
func (k *check) post() {
	const name = "list-unsubscribe-post"
	fields := k.m.All("List-Unsubscribe-Post")
	switch {
	case len(fields) == 0:
		k.fail(name, "the header List-Unsubscribe-Post is missing: there will be no one-click (RFC 8058)", addPost)
	case len(fields) > 1:
		k.fail(name, fmt.Sprintf("the header List-Unsubscribe-Post stands %d times", len(fields)), onceOnly)
	case fields[0].Value != tokens.ListUnsubscribePost:
		k.fail(name, "List-Unsubscribe-Post has another value than "+tokens.ListUnsubscribePost, addPost+", exactly")
	default:
		k.ok(name, "List-Unsubscribe-Post stands once and has its one value")
	}
}

// Where a link goes.
type where int

const (
	elsewhere where = iota
	isOurs
	isPlain // ours, but http
	wrapped // a link of ours stands inside of it
)

// ours returns what stands behind /u/ of a link of ours.
func (k *check) ours(uri string) (link string, how where) {
	if rest, ok := cutBase(uri, k.base); ok {
		return rest, isOurs
	}
	if rest, ok := cutBase(uri, strings.Replace(k.base, "https://", "http://", 1)); ok {
		return rest, isPlain
	}
	if k.hides(uri) {
		return "", wrapped
	}
	return "", elsewhere
}

// cutBase compares scheme and host in any case.
func cutBase(uri, base string) (string, bool) {
	if len(uri) <= len(base) {
		return "", false
	}
	path := len(base) // of the base
	if u, err := url.Parse(base); err == nil {
		path = len(u.Scheme) + len("://") + len(u.Host)
	}
	if !strings.EqualFold(uri[:path], base[:path]) || uri[path:len(base)] != base[path:] {
		return "", false
	}
	return uri[len(base):], true
}

func host(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return "another place"
	}
	return strings.ToLower(u.Host)
}

// placeholder reports whether a template left one of our values unfilled.
func placeholder(s string) bool {
	s = strings.ToLower(s)
	for _, mark := range []string{"{{", "{%", "*|", "%%", "[[", "<%", "${", "-unsubscribe_url-", "%recipient."} {
		if i := strings.Index(s, mark); i >= 0 && strings.Contains(s[i:], "unsubscribe") {
			return true
		}
	}
	return false
}

// read reads the token or code of a link.
func (k *check) read(link string) (c tokens.Claims, key tokens.Key, err error) {
	if code, cerr := tokens.ParseCode(link); cerr == nil {
		if k.Code == nil {
			return c, key, errNoLookup
		}
		c, err = k.Code(code)
		return c, key, err
	}
	v, err := k.Ring.Verify(link, k.Now)
	if err != nil {
		return c, key, err //nolint:wrapcheck // looked at, and shown as it is
	}
	key, _ = k.Ring.Key(v.KeyID)
	key.State = v.State
	return v.Claims, key, nil
}

var errNoLookup = errors.New("a short link, which only a check with the database can read")

// links looks at what the links say.
func (k *check) links(h headerLinks, body []string) {
	var first *tokens.Claims
	if h.link != "" {
		first = k.token("token", "List-Unsubscribe", h.link)
	}
	for i, link := range body {
		if link == h.link { // the usual case
			if first != nil && i == 0 {
				k.ok("same-recipient", "the link of the text and that of the header belong to the same recipient")
			}
			continue
		}
		c := k.token("body-token", "the text", link)
		switch {
		case c == nil:
		case first == nil:
			first = c
		case c.Key != first.Key || c.Channel != first.Channel:
			k.fail("same-recipient", "a link of the text belongs to another recipient than that of the header", "make both from the same row or the same call")
		default:
			k.ok("same-recipient", "the link of the text and that of the header belong to the same recipient")
		}
	}
	if first != nil {
		k.recipient(*first)
	}
}

// token looks at one link; nil when it does not work.
func (k *check) token(name, place, link string) *tokens.Claims {
	c, key, err := k.read(link)
	switch {
	case errors.Is(err, errNoLookup):
		k.warn(name, "the link of "+place+" is "+err.Error(), "run the check where the database is, or post the message to /v1/links/check")
		return nil
	case errors.Is(err, tokens.ErrUnknownKey):
		k.fail(name, "the link of "+place+" was signed with a key that is not in the file of keys", "make the links with the keys of this installation, or add the minter's public key")
		return nil
	case errors.Is(err, tokens.ErrRevoked):
		k.fail(name, "the link of "+place+" was signed with a key that is revoked", "make the links again")
		return nil
	case errors.Is(err, tokens.ErrInvalid):
		k.fail(name, "the link of "+place+" does not work: "+strings.TrimPrefix(err.Error(), tokens.ErrInvalid.Error()+": "), "compare it with the link that was made: a template or a tool may have changed it")
		return nil
	case err != nil:
		k.warn(name, "the link of "+place+" could not be looked up", "try again when the database is there")
		return nil
	}
	switch {
	case c.Preview:
		k.warn(name, "the link of "+place+" is a preview: it opens the page and changes nothing", "good for test messages only; make links without --preview before you send")
	case key.State == tokens.Confirm:
		k.warn(name, "the link of "+place+" asks for confirmation: its key, "+key.ID+", may have leaked, or the link has an end that is past", "make the links with the active key")
	case strings.Trim(link, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "":
		k.warn(name, "the link of "+place+" works, but something was added to it", "turn click tracking and campaign parameters off for this link")
	case key.ID == "":
		k.ok(name, "the link of %s is a short link that works", place)
	default:
		k.ok(name, "the link of %s is valid, signed with key %s (%s)", place, key.ID, key.State)
	}
	return &c
}

// recipient compares the link with the address in To.
func (k *check) recipient(c tokens.Claims) {
	const name = "recipient"
	if k.Keyer == nil || c.Channel != recipient.Email {
		return
	}
	list, err := netmail.ParseAddressList(k.m.Get("To"))
	var a recipient.Address
	if err == nil && len(list) == 1 {
		a, err = recipient.ParseEmail(list[0].Address)
	}
	switch {
	case err != nil || a.IsZero():
		k.warn(name, "To has not exactly one address, so nobody can tell whether the link is that person's", "send one message to each recipient, each with a link of its own")
	case k.Keyer.Key(a) != c.Key && c.Preview:
		k.warn(name, "the preview link was made for another address than that in To", "nothing to do for a test message")
	case k.Keyer.Key(a) != c.Key:
		k.fail(name, "the link belongs to another address than that in To: pressing it would unsubscribe somebody else", "check how the list's rows and the links are joined")
	default:
		k.ok(name, "the link belongs to the address in To")
	}
}
