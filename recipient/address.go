// Package recipient is the ground floor of Strikeout: what an address is, what
// can happen to it, and what follows from that. It is pure: no clock, no
// network, no database.
//
// E-mail addresses follow RFC 5321 and RFC 6532, domains UTS #46; phone
// numbers follow ITU-T E.164.
package recipient

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Channel is the road a message takes to a person.
type Channel string

// The channels Strikeout knows.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
)

// Valid reports whether c is one of the known channels.
func (c Channel) Valid() bool { return c == Email || c == SMS }

// Errors of the address parsers. None of them quotes the input: an address
// must not reach a log.
var (
	ErrChannel   = errors.New("unknown channel: use email or sms")
	ErrAddress   = errors.New("not a valid address")
	ErrShortCode = errors.New("a short code is a service, not a recipient")
)

func invalid(why string) error { return fmt.Errorf("%w: %s", ErrAddress, why) }

// Address is one e-mail address or phone number in its normal form. It is
// comparable; the zero Address is "no address". Its String is masked, so that
// printing one by accident shows nobody.
type Address struct {
	channel Channel
	value   string
}

// Limits of an e-mail address in octets (RFC 5321, section 4.5.3.1) and of a
// phone number in digits (E.164; shorter numbers are short codes).
const (
	maxLocalBytes = 64
	maxEmailBytes = 254
	minDigits     = 7
	maxDigits     = 15

	// maxInputBytes bounds what is looked at: blanks and decomposed letters make
	// an address longer than its normal form, and Punycode is slow on long input.
	maxInputBytes = 1024
)

// blank is what people and spreadsheets leave around an address: white space,
// and invisible characters such as a byte order mark.
func blank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// Parse reads s as an address of channel c. Region is the ISO 3166 code that
// completes national phone numbers ("FI"); empty means that a number must
// carry its country code.
func Parse(c Channel, s, region string) (Address, error) {
	switch c {
	case Email:
		return ParseEmail(s)
	case SMS:
		return ParsePhone(s, region)
	}
	return Address{}, ErrChannel
}

// domains maps to A-labels without the transitional rules (ß stays ß). Labels
// are checked by hand because real mail domains carry underscores.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false))

// ParseEmail returns the normal form of an e-mail address: white space around
// it trimmed; local part in NFC with ASCII A-Z lowered and nothing else (dots
// and plus tags are kept: elsewhere they are other people); domain as lower
// case A-labels. Errors wrap ErrAddress.
func ParseEmail(s string) (Address, error) {
	if a, ok := plainEmail(s); ok {
		return a, nil
	}
	return parseEmail(s)
}

func parseEmail(s string) (Address, error) {
	if len(s) > maxInputBytes {
		return Address{}, invalid("it is longer than 254 bytes")
	}
	s = strings.TrimFunc(s, blank)
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		return Address{}, invalid("it is not UTF-8")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 {
		return Address{}, invalid("expected name@domain")
	}
	// NFC once more after lowering: h with a line below is one character, H with
	// one is two.
	local := norm.NFC.String(lowerASCII(norm.NFC.String(s[:at])))
	if len(local) > maxLocalBytes {
		return Address{}, invalid("the part before @ is longer than 64 bytes")
	}
	if err := checkLocal(local); err != nil {
		return Address{}, err
	}
	domain, err := domains.ToASCII(s[at+1:])
	if err != nil {
		return Address{}, invalid("the domain cannot be written in ASCII")
	}
	if domain = lowerASCII(domain); !validDomain(domain) {
		return Address{}, invalid("the domain is not a host name")
	}
	if len(local)+1+len(domain) > maxEmailBytes {
		return Address{}, invalid("it is longer than 254 bytes")
	}
	return Address{Email, local + "@" + domain}, nil
}

// checkLocal accepts a dot-string or a quoted string of RFC 5321 with the
// letters of RFC 6532. Dots at odd places pass: some providers hand out such
// addresses.
func checkLocal(local string) error {
	if strings.HasPrefix(local, `"`) {
		return checkQuoted(local)
	}
	for _, r := range local {
		if r <= ' ' || unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`"(),:;<>@[\]`, r) {
			return invalid("a character before @ that needs quotes")
		}
		if unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' {
			return invalid("an invisible character before @")
		}
	}
	return nil
}

// checkQuoted accepts a quoted string: quotes and backslashes inside it stand
// after a backslash.
func checkQuoted(local string) error {
	if len(local) < 3 || !strings.HasSuffix(local, `"`) {
		return invalid("the quotes before @ do not match")
	}
	escaped := false
	for _, r := range local[1 : len(local)-1] {
		switch {
		case unicode.IsControl(r):
			return invalid("a control character before @")
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d':
			return invalid("an invisible character before @")
		case r == '"' && !escaped:
			return invalid("the quotes before @ do not match")
		}
		escaped = r == '\\' && !escaped
	}
	if escaped {
		return invalid("the quotes before @ do not match")
	}
	return nil
}

func validDomain(d string) bool {
	labels := strings.Split(d, ".")
	if len(labels) < 2 || len(d) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			if c := l[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	// An IPv4 address is not a domain: no top-level domain is a number.
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// lowerASCII works on bytes, so that it never changes the length or anything
// but A-Z, in text that is not UTF-8 too.
func lowerASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			var b strings.Builder
			b.Grow(len(s))
			b.WriteString(s[:i])
			for ; i < len(s); i++ {
				if c = s[i]; 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				b.WriteByte(c)
			}
			return b.String()
		}
	}
	return s
}

// ParsePhone returns the E.164 form of a phone number. A number that starts
// with + or 00 becomes + and its digits and is never rewritten by metadata,
// because keys must not change with a library's version. Any other needs a
// region and is completed by it; metadata never refuses a number. Errors wrap
// ErrAddress or are ErrShortCode.
func ParsePhone(s, region string) (Address, error) {
	if a, ok := plainPhone(s); ok {
		return a, nil
	}
	return parsePhone(s, region)
}

func parsePhone(s, region string) (Address, error) {
	if len(s) > maxInputBytes {
		return Address{}, invalid("more than 15 digits")
	}
	digits, plus, err := phoneDigits(s)
	if err != nil {
		return Address{}, err
	}
	if !plus && strings.HasPrefix(digits, "00") {
		digits, plus = digits[2:], true
	}
	switch {
	case plus && strings.Contains(s, "(0)"):
		// Most countries drop this zero and Italy keeps it: a guess may be somebody
		// else's number.
		return Address{}, invalid("write it with the country code and without (0)")
	case plus:
	case len(digits) < minDigits:
		return Address{}, ErrShortCode
	case region == "":
		return Address{}, invalid("the number has no country code; write it with +")
	default:
		n, err := phonenumbers.Parse(digits, strings.ToUpper(region))
		if err != nil {
			return Address{}, invalid("the number does not fit the default region")
		}
		digits = strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+")
	}
	switch {
	case len(digits) < minDigits:
		return Address{}, ErrShortCode
	case len(digits) > maxDigits:
		return Address{}, invalid("more than 15 digits")
	case digits[0] == '0':
		return Address{}, invalid("no country code starts with 0")
	}
	return Address{SMS, "+" + digits}, nil
}

// phoneDigits drops what people write around and between digits.
func phoneDigits(s string) (digits string, plus bool, err error) {
	var b strings.Builder
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			b.WriteRune(r)
		case r == '+' && !plus && b.Len() == 0:
			plus = true
		case blank(r) || strings.ContainsRune("-./()\u2010\u2011\u2012\u2013", r):
		default:
			return "", false, invalid("a character that is not part of a phone number")
		}
	}
	if b.Len() == 0 {
		return "", false, invalid("it has no digits")
	}
	return b.String(), plus, nil
}

// Stored rebuilds an Address from its stored normal form without checking it
// again: what was accepted once stays readable under every later version.
func Stored(c Channel, value string) Address {
	if value == "" {
		return Address{}
	}
	return Address{c, value}
}

// Channel returns the channel of the address, empty for the zero Address.
func (a Address) Channel() Channel { return a.channel }

// Value returns the readable normal form, such as "nobody@example.com" or
// "+15551230100". It is personal data: keep it out of logs and error texts.
func (a Address) Value() string { return a.value }

// IsZero reports whether a is no address.
func (a Address) IsZero() bool { return a.value == "" }

// String returns the masked form.
func (a Address) String() string { return a.Mask() }

// GoString returns the masked form, so that %#v is as harmless as %v.
func (a Address) GoString() string { return "recipient.Address(" + a.Mask() + ")" }

// Mask returns a form that shows its owner which address is meant and nobody
// else whose it is: "m•••@e•••.fi", "+358 •• ••• ••67".
func (a Address) Mask() string {
	switch a.channel {
	case Email:
		at := strings.LastIndexByte(a.value, '@')
		if at < 0 {
			return dots
		}
		domain := a.value[at+1:]
		if u, err := idna.Display.ToUnicode(domain); err == nil {
			domain = u
		}
		first, top := domain, ""
		if dot := strings.LastIndexByte(domain, '.'); dot >= 0 {
			first, top = domain[:dot], domain[dot:]
		}
		return firstRune(strings.TrimPrefix(a.value[:at], `"`)) + dots + "@" + firstRune(first) + dots + strings.ToValidUTF8(top, "")
	case SMS:
		if len(a.value) < 1+minDigits || a.value[0] != '+' {
			return "+" + dots
		}
		cc := a.value[1:3]
		if n, err := phonenumbers.Parse(a.value, ""); err == nil {
			cc = fmt.Sprint(n.GetCountryCode())
		}
		return "+" + cc + " •• ••• ••" + a.value[len(a.value)-2:]
	}
	return ""
}

const dots = "•••"

func firstRune(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return ""
	}
	return string(r)
}

// MarshalText writes "email:nobody@example.com": goldens and quarantine keep
// channel and value together.
func (a Address) MarshalText() ([]byte, error) {
	if a.IsZero() {
		return nil, nil
	}
	return []byte(string(a.channel) + ":" + a.value), nil
}

// UnmarshalText reads what MarshalText wrote.
func (a *Address) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	c, v, ok := strings.Cut(string(b), ":")
	if !ok || !Channel(c).Valid() {
		return ErrChannel
	}
	*a = Stored(Channel(c), v)
	return nil
}
