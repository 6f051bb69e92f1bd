package recipient

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// Kind is what happened to an address.
type Kind string

// The kinds. Only the first, Block, and nothing else blocks; only Unblock
// lifts a block; only OptIn lifts an opt-out or a complaint.
const (
	HardBounce   Kind = "hard_bounce"  // the address is faulty: blocks
	SoftBounce   Kind = "soft_bounce"  // temporary: never blocks
	Complaint    Kind = "complaint"    // "this is spam" (RFC 5965): opts out
	OptOut       Kind = "opt_out"      // the person wants no more
	OptIn        Kind = "opt_in"       // with consent, which is recorded
	Reactivation Kind = "reactivation" // a provider's resubscribe: history only, lifts nothing
	Block        Kind = "block"        // an administrator or a rule
	Unblock      Kind = "unblock"      // "Remove block"
	Delivered    Kind = "delivered"    // lifts nothing
)

// Kinds lists every kind.
var Kinds = []Kind{HardBounce, SoftBounce, Complaint, OptOut, OptIn, Reactivation, Block, Unblock, Delivered}

// Valid reports whether k is one of Kinds.
func (k Kind) Valid() bool {
	for _, o := range Kinds {
		if k == o {
			return true
		}
	}
	return false
}

// Source is who told us.
type Source string

// The sources of events.
const (
	FromProvider Source = "provider"
	FromLink     Source = "link"
	FromAdmin    Source = "admin"
	FromAPI      Source = "api"
	FromImport   Source = "import"
	FromRule     Source = "rule"
)

// Event is one thing that happened to one address.
type Event struct {
	Kind    Kind    `json:"kind"`
	Echo    bool    `json:"echo,omitempty"`    // the provider's list holds the address because of something older
	Address Address `json:"address,omitzero"`  // zero where only the key is known (a click)
	Channel Channel `json:"channel,omitempty"` // filled by Seal from Address
	Key     Key     `json:"key,omitzero"`      // filled by Seal

	At         time.Time `json:"at,omitzero"`          // when it happened; zero: the provider did not say
	ReceivedAt time.Time `json:"received_at,omitzero"` // when we heard; filled by Seal
	Source     Source    `json:"source,omitempty"`
	Endpoint   string    `json:"endpoint,omitempty"` // filled by Seal

	// IDParts tell this event from every other of its endpoint, the same on each
	// retry: the provider's stable id or, where there is none, message id, raw
	// status, raw code and the provider's time. Never ReceivedAt.
	IDParts     []string    `json:"id_parts,omitempty"`
	Fingerprint Fingerprint `json:"-"` // filled by Seal

	EventID   string   `json:"event_id,omitempty"`   // the provider's id of the event
	MessageID string   `json:"message_id,omitempty"` // the provider's id of the message
	Code      string   `json:"code,omitempty"`       // the provider's own code, or the scope of an opt-out
	Rule      string   `json:"rule,omitempty"`       // short name of the rule that chose Kind
	Detail    string   `json:"detail,omitempty"`     // the provider's words, at most MaxDetailBytes
	SendOut   string   `json:"send_out,omitempty"`
	Actor     string   `json:"actor,omitempty"` // the user or API key that acted
	Evidence  Evidence `json:"evidence,omitzero"`
}

// Evidence is what proves an opt-out or an opt-in.
type Evidence struct {
	Consent        *Consent `json:"consent,omitempty"`
	Via            string   `json:"via,omitempty"` // one_click, form, bare, undo, text, mail, request
	KeyID          string   `json:"key_id,omitempty"`
	IssuedAt       string   `json:"issued_at,omitempty"`        // of the link, RFC 3339
	Wording        string   `json:"wording,omitempty"`          // what the page said that the button means
	WordingVersion string   `json:"wording_version,omitempty"`  // of the pages in force, whether or not one was looked at
	Language       string   `json:"language,omitempty"`         // of the page
	IP             string   `json:"ip,omitempty"`               // kept only when the configuration says so
	UserAgent      string   `json:"user_agent,omitempty"`       // likewise
	Suspicious     string   `json:"suspicious,omitempty"`       // why a program may have pressed the button; it counts all the same
	Text           string   `json:"text,omitempty"`             // an SMS keyword, whole
	OptedOutBefore bool     `json:"opted_out_before,omitempty"` // an undo would lift more than this click did
}

// IsZero reports whether there is no evidence.
func (e Evidence) IsZero() bool { return e == Evidence{} }

// Consent is a person's explicit wish to receive messages again.
type Consent struct {
	Source   string    `json:"source"`  // where it was given: "phone call", "web form", "sms"
	Wording  string    `json:"wording"` // what the person agreed to
	At       time.Time `json:"at,omitzero"`
	Evidence string    `json:"evidence,omitempty"` // a reference: form id, recording, ticket
}

// Limits of an event's texts in bytes. Seal cuts what is longer.
const (
	MaxDetailBytes = 2048
	MaxIDBytes     = 255
	MaxCodeBytes   = 128
)

// Redacted stands where an address stood in a provider's words.
const Redacted = "‹address›"

// EffectiveAt is the time the event counts as in the fold.
func (e Event) EffectiveAt() time.Time {
	if e.Echo {
		return EchoAt
	}
	return e.At
}

// oldest is the earliest plausible time of an event; anything before it is a
// provider's zero value.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Seal completes an event that an adapter read, or a person caused: channel,
// key, endpoint, fingerprint and times. At is clamped to receivedAt, because a
// date in the future must not outrank a later unblock; an event without a
// time happened when we heard of it. The address disappears from Detail.
func (k *Keyer) Seal(e Event, endpoint string, receivedAt time.Time) Event {
	e.ReceivedAt = Micro(receivedAt)
	e.At = Micro(e.At)
	if e.At.Before(oldest) || e.At.After(e.ReceivedAt) {
		e.At = e.ReceivedAt
	}
	if !e.Address.IsZero() {
		e.Key, e.Channel = k.Key(e.Address), e.Address.Channel()
	}
	e.Endpoint = endpoint
	e.Fingerprint = NewFingerprint(endpoint, e.IDParts, e.Key, e.Kind)
	e.Detail = sealText(e.Detail, e.Address, MaxDetailBytes, Redact)
	e.EventID = sealText(e.EventID, e.Address, MaxIDBytes, redactWhole)
	e.MessageID = sealText(e.MessageID, e.Address, MaxIDBytes, redactWhole)
	e.Code = sealText(e.Code, e.Address, MaxCodeBytes, redactWhole)
	e.Rule = Clean(e.Rule, MaxCodeBytes)
	e.SendOut = sealText(e.SendOut, e.Address, MaxCodeBytes, redactWhole)
	return e
}

// sealText redacts what is clean, because an invisible character would hide an
// address from redact and then disappear; and cuts last, because half an
// address is not found.
func sealText(s string, a Address, most int, redact func(string, Address) string) string {
	if s == "" {
		return s
	}
	return Clean(redact(Clean(s, 4*most), a), most)
}

// Redact replaces the address, and its local part where that stands as a word
// of its own, by Redacted. Of a phone number it replaces the bare digits and
// the national forms too.
func Redact(s string, a Address) string {
	if s == "" || a.IsZero() {
		return s
	}
	needles := []string{a.value}
	switch a.channel {
	case Email:
		at := strings.LastIndexByte(a.value, '@')
		if at < 0 {
			break
		}
		if strings.Contains(a.value[at:], "xn--") { // else it has no other form
			if u, err := domains.ToUnicode(a.value[at+1:]); err == nil && u != a.value[at+1:] {
				needles = append(needles, a.value[:at+1]+u)
			}
		}
		if local := a.value[:at]; len(local) > 1 { // a single letter shows nobody and stands everywhere
			needles = append(needles, local)
		}
	case SMS:
		digits := strings.TrimPrefix(a.value, "+")
		needles = append(needles, digits, "00"+digits)
		if n, err := phonenumbers.Parse(a.value, ""); err == nil {
			if national := strings.TrimPrefix(digits, strconv.Itoa(int(n.GetCountryCode()))); len(national) >= minDigits {
				needles = append(needles, "0"+national, national)
			}
		}
	}
	low := lowerASCII(s)
	for i, n := range needles {
		if r := replaceFold(s, low, n, i > 0); r != s {
			s, low = r, lowerASCII(r)
		}
	}
	return s
}

// redactWhole replaces the whole address only: an id may hold a local part such
// as "info" by chance and must stay what the provider calls it.
func redactWhole(s string, a Address) string {
	if a.IsZero() {
		return s
	}
	return replaceFold(s, lowerASCII(s), a.value, false)
}

// replaceFold replaces needle without regard to ASCII case; as a word it must
// not touch a letter or digit on either side. Low is s in lower case.
func replaceFold(s, low, needle string, word bool) string {
	if needle == "" {
		return s
	}
	needle = lowerASCII(needle)
	var b strings.Builder
	from := 0
	for from <= len(s) {
		i := strings.Index(low[from:], needle)
		if i < 0 {
			break
		}
		start, end := from+i, from+i+len(needle)
		before, _ := utf8.DecodeLastRuneInString(s[:start])
		after, _ := utf8.DecodeRuneInString(s[end:])
		done := before == '‹' && after == '›' // such as "address", in what was put there
		if word && (done || start > 0 && isWord(before) || end < len(s) && isWord(after)) {
			b.WriteString(s[from : start+1])
			from = start + 1
			continue
		}
		b.WriteString(s[from:start])
		b.WriteString(Redacted)
		from = end
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Clean makes hostile text storable and showable: valid UTF-8, no control or
// bidirectional formatting characters, white space folded to single spaces,
// at most max bytes.
func Clean(s string, max int) string {
	if s == "" {
		return s
	}
	if isClean(s) && len(s) <= max {
		return s
	}
	if len(s) > 4*max {
		s = s[:4*max]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > max {
		cut := max
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = strings.TrimRight(s[:cut], " ")
	}
	return s
}

// isClean is the quick answer for the plain ASCII that nearly every text is.
func isClean(s string) bool {
	space := true // a leading space is not clean
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space
}
