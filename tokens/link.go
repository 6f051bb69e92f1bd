package tokens

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// ListUnsubscribePost is the value of the header of that name (RFC 8058,
// section 3.1): mail programs may unsubscribe with one POST.
const ListUnsubscribePost = "List-Unsubscribe=One-Click"

// CodePlaceholder stands in LinkerConfig.Mailto where the short code of a
// recipient goes.
const CodePlaceholder = "{code}"

// LinkerConfig is what a Linker needs. Ring, Keyer and PublicURL are required.
type LinkerConfig struct {
	// Ring returns the current ring and is asked for each link: Watcher.Ring, or
	// a function that returns a fixed one.
	Ring func() *Ring
	// Keyer holds the address key of the installation that will read the links.
	Keyer *recipient.Keyer
	// PublicURL is where recipients reach that installation, with any path:
	// "https://u.example.com" or "https://example.com/mail". HTTPS, but for hosts
	// of the local network; mail programs ignore one-click links without it.
	PublicURL string
	// Mailto is the address that takes unsubscribe mails, for programs that know
	// no HTTPS links: "unsubscribe@example.com" or "u-{code}@example.com". Empty:
	// no mailto in the header.
	Mailto string
	// Now is the clock of the tokens' times; nil: time.Now.
	Now func() time.Time
}

// Linker builds unsubscribe links. It is safe for concurrent use.
type Linker struct {
	ring   func() *Ring
	keyer  *recipient.Keyer
	base   string // with the slash before the token
	mailto string // URI, perhaps with CodePlaceholder; empty: none
	now    func() time.Time
}

// NewLinker checks the configuration; its errors name the field.
func NewLinker(c LinkerConfig) (*Linker, error) {
	l := &Linker{ring: c.Ring, keyer: c.Keyer, now: c.Now}
	if c.Ring == nil {
		return nil, errors.New("ring: required")
	}
	if c.Keyer == nil {
		return nil, errors.New("address key: required")
	}
	if l.now == nil {
		l.now = time.Now
	}
	base, err := baseURL(c.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("public_url: %w", err)
	}
	l.base = base + "/u/"
	if l.mailto, err = mailtoURI(c.Mailto); err != nil {
		return nil, fmt.Errorf("mailto: %w", err)
	}
	return l, nil
}

// maxBase keeps a header line with the longest token below 998 octets (RFC
// 5322, section 2.1.1).
const maxBase = 512

func baseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "", errors.New("expected a URL such as https://u.example.com")
	case u.Scheme != "https" && !(u.Scheme == "http" && unpublic(u.Hostname())):
		return "", errors.New("mail programs need https")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return "", errors.New("no user, query or fragment in it")
	case len(s) > maxBase:
		return "", errors.New("longer than 512 bytes")
	}
	// What is not plain would need escapes in HTML, in a header or in both.
	if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._~-[]%") != "" {
		return "", errors.New("only letters, digits and : / . _ ~ - in it; write a host in other scripts as xn--")
	}
	return strings.TrimRight(s, "/"), nil
}

// unpublic reports whether a host cannot be reached from the internet: those of
// demos, tests and local networks, where nobody has a certificate.
func unpublic(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	top := host[strings.LastIndexByte(host, '.')+1:]
	return top == host || top == "localhost" || top == "local" || top == "internal" || top == "test"
}

func mailtoURI(s string) (string, error) {
	s = strings.TrimPrefix(s, "mailto:")
	if s == "" {
		return "", nil
	}
	address, query, _ := strings.Cut(s, "?")
	// The placeholder stands for a code, which is plain letters and digits.
	a, err := recipient.ParseEmail(strings.Replace(address, CodePlaceholder, "abcdefghijklmnopqrstuvwxyz", 1))
	if err != nil {
		return "", errors.New("expected an address such as unsubscribe@example.com")
	}
	plain := func(s, more string) bool {
		return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"+more) == ""
	}
	if !plain(a.Value(), "@+") || !plain(query, "=&%") {
		return "", errors.New("only letters, digits and . _ - + in the address")
	}
	if query == "" {
		query = "subject=unsubscribe"
	}
	return "mailto:" + strings.ReplaceAll(address, "+", "%2B") + "?" + query, nil
}

// LinkOptions say what a link belongs to. The zero value is fine.
type LinkOptions struct {
	SendOut  string // the campaign: up to MaxSendOut of A-Z a-z 0-9 _ . -
	Language string // of the page: a language tag; empty: the reader's browser decides
	Code     string // the recipient's short code, for a Mailto with CodePlaceholder
	Preview  bool   // for test and preview messages: the page opens and changes nothing
}

// Link is the unsubscribe link of one recipient, and the values of the two
// message headers that let mail programs unsubscribe.
type Link struct {
	URL                 string
	ListUnsubscribe     string // value of List-Unsubscribe (RFC 2369), on one line
	ListUnsubscribePost string // value of List-Unsubscribe-Post (RFC 8058)
	Token               string
}

// Header returns both headers as they stand in a message, with CRLF line ends,
// folded at the comma only: inside a URI white space would break it. The DKIM
// signature of the message has to cover both.
func (l Link) Header() string {
	return "List-Unsubscribe: " + strings.Replace(l.ListUnsubscribe, ", ", ",\r\n ", 1) + "\r\n" +
		"List-Unsubscribe-Post: " + l.ListUnsubscribePost + "\r\n"
}

// ErrNoAddress is returned for the link of no address.
var ErrNoAddress = errors.New("no address")

// Link returns the link of an address. It fails on the zero Address, on options
// that do not fit a token, and with ErrNoActiveKey.
func (l *Linker) Link(a recipient.Address, o LinkOptions) (Link, error) {
	if a.IsZero() {
		return Link{}, ErrNoAddress
	}
	var buf [maxBase + 320]byte
	b, err := l.AppendURL(buf[:0], l.keyer.Key(a), a.Channel(), o)
	if err != nil {
		return Link{}, err
	}
	return l.link(b, o.Code)
}

// ShortLink returns the link of a short code, which somebody keeps in a table;
// mailCode, which may be the same, is the one for a Mailto with CodePlaceholder.
// Its Token is the code.
func (l *Linker) ShortLink(code, mailCode string) (Link, error) {
	if c, err := ParseCode(code); err != nil || c != code {
		return Link{}, ErrCode
	}
	var buf [maxBase + 320]byte
	return l.link(l.AppendShortURL(buf[:0], code), mailCode)
}

func (l *Linker) link(url []byte, mailCode string) (Link, error) {
	if mailCode != "" {
		if c, err := ParseCode(mailCode); err != nil || c != mailCode {
			return Link{}, ErrCode
		}
	}
	// One string backs all three.
	n := len(url)
	s := string(l.AppendListUnsubscribe(url, url, mailCode))
	return Link{URL: s[:n], ListUnsubscribe: s[n:], ListUnsubscribePost: ListUnsubscribePost, Token: s[len(l.base):n]}, nil
}

// NeedsCode reports whether the Mailto carries a code, which each recipient of
// a List-Unsubscribe with a mailto needs.
func (l *Linker) NeedsCode() bool { return strings.Contains(l.mailto, CodePlaceholder) }

// AppendListUnsubscribe appends the value of the header for a URL. Without the
// code that a Mailto with CodePlaceholder needs, it has no mailto.
func (l *Linker) AppendListUnsubscribe(dst, url []byte, code string) []byte {
	dst = append(append(append(dst, '<'), url...), '>')
	mailto := l.mailto
	if l.NeedsCode() {
		if code == "" {
			return dst
		}
		mailto = strings.Replace(mailto, CodePlaceholder, code, 1)
	}
	if mailto == "" {
		return dst
	}
	return append(append(append(dst, ", <"...), mailto...), '>')
}

// AppendShortURL appends the URL of a short code.
func (l *Linker) AppendShortURL(dst []byte, code string) []byte {
	return append(append(dst, l.base...), code...)
}

// AppendURL appends the URL of a link to dst: for programs that make millions
// and know the keys.
func (l *Linker) AppendURL(dst []byte, key recipient.Key, c recipient.Channel, o LinkOptions) ([]byte, error) {
	r := l.ring()
	if r == nil {
		return dst, ErrNoActiveKey
	}
	return r.AppendMint(append(dst, l.base...), Claims{Key: key, Channel: c, IssuedAt: l.now(), SendOut: o.SendOut, Language: o.Language, Preview: o.Preview})
}

// LinkTo is Link for an address as text: what holds an @ is an e-mail address,
// anything else a phone number with its country code.
func (l *Linker) LinkTo(address string, o LinkOptions) (Link, error) {
	a, err := readAddress(address)
	if err != nil {
		return Link{}, err
	}
	return l.Link(a, o)
}

func readAddress(s string) (recipient.Address, error) {
	if strings.Contains(s, "@") {
		return recipient.ParseEmail(s)
	}
	return recipient.ParsePhone(s, "")
}

// Funcs returns the functions of a template, for html/template and
// text/template alike:
//
//	{{unsubscribeURL .Email}}   the link, for the text of the message
//	{{listUnsubscribe .Email}}  the value of the header List-Unsubscribe
//	{{listUnsubscribePost}}     the value of the header List-Unsubscribe-Post
//
// The argument is an address as text (see LinkTo) or a recipient.Address.
// Headers belong into a text/template: html/template would escape their < and >.
func (l *Linker) Funcs(o LinkOptions) map[string]any {
	link := func(address any) (Link, error) {
		switch a := address.(type) {
		case recipient.Address:
			return l.Link(a, o)
		case string:
			return l.LinkTo(a, o)
		}
		return Link{}, fmt.Errorf("expected an address as text, got %T", address)
	}
	return map[string]any{
		"unsubscribeURL":      func(address any) (string, error) { k, err := link(address); return k.URL, err },
		"listUnsubscribe":     func(address any) (string, error) { k, err := link(address); return k.ListUnsubscribe, err },
		"listUnsubscribePost": func() string { return ListUnsubscribePost },
	}
}

// Sub returns what a token says instead of the address: its key as 22
// characters of base64url. Outside minters get these from us and never see the
// address key.
func Sub(k *recipient.Keyer, a recipient.Address) string { return k.Key(a).String() }

// OpenLinker is a Linker for other programs: it signs with the keys of
// keysFile, which it reads again when it changes, and names recipients with
// addressKey, the base64 of the installation's address key.
func OpenLinker(publicURL, keysFile, addressKey string) (*Linker, error) {
	secret, err := DecodeAddressKey(addressKey)
	if err != nil {
		return nil, err
	}
	keyer, err := recipient.NewKeyer(secret)
	if err != nil {
		return nil, err //nolint:wrapcheck // says it all
	}
	w, err := NewWatcher(WatcherConfig{Path: keysFile})
	if err != nil {
		return nil, err
	}
	return NewLinker(LinkerConfig{Ring: w.Ring, Keyer: keyer, PublicURL: publicURL})
}

// DecodeAddressKey reads the base64 of an address key, in either alphabet, with
// or without padding. It refuses those that stand in documentation.
func DecodeAddressKey(s string) ([]byte, error) {
	b, err := decodeBase64(s)
	if err != nil {
		return nil, errors.New("the address key is not base64")
	}
	if isPublished(b) {
		return nil, errors.New("the address key is an example from a documentation")
	}
	return b, nil
}

func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", "/", "_", "=", "", "\n", "", "\r", "", " ", "").Replace(s)
	return base64.RawURLEncoding.DecodeString(s) //nolint:wrapcheck // callers name the field
}
