package port

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/store"
)

// row is one record while it is read.
type row struct {
	p      *importer
	fields [][]byte
}

// get returns what stands in the column of a role; empty where there is none.
func (r *row) get(role role) string { return r.at(r.p.cols[role]) }

// named returns what stands in the column of a name.
func (r *row) named(name string) string {
	i, ok := r.p.named[name]
	if !ok {
		i = r.p.own(name)
		r.p.named[name] = i
	}
	return r.at(i)
}

func (r *row) at(i int) string {
	if i < 0 || i >= len(r.fields) {
		return ""
	}
	v := strings.TrimSpace(string(listcsv.Value(r.fields[i])))
	if r.p.guarded {
		v = unguard(v)
	}
	return v
}

// item is what a record comes to.
type item struct {
	line    int
	raw     []byte
	contact store.Contact
	isOne   bool // there is a contact
	ownID   bool // it has no id but one that was made of its address
	events  []recipient.Event
	consent []recipient.Event // opt-ins
	dated   bool              // when consent was given is known
}

// read turns a record into an item. An item without anything is ignored.
func (r *row) read(now time.Time) (it item, undated int, err error) {
	p := r.p
	addresses, err := r.addresses()
	if err != nil {
		return it, 0, err
	}
	if p.kind == Contacts {
		if err := r.contact(&it, addresses); err != nil {
			return it, 0, err
		}
		if err := r.consent(&it, addresses, now); err != nil {
			return it, 0, err
		}
	}
	facts, err := r.facts()
	if err != nil {
		return it, 0, err
	}
	for _, f := range facts {
		at, err := ParseTime(f.date)
		if err != nil {
			at = time.Time{} // what happened counts, even where its date cannot be read
		}
		for _, who := range about(f.kind, addresses) {
			if at.IsZero() {
				undated++
			}
			it.events = append(it.events, p.event(f, who, at, now))
		}
	}
	return it, undated, nil
}

// who is somebody that a row is about.
type who struct {
	address recipient.Address
	channel recipient.Channel
	key     recipient.Key
}

// about picks those of a row's addresses that a fact is about. A person who
// wants no messages wants none on either channel; a bounce is of a mail, where
// there is a mail address.
func about(k recipient.Kind, list []who) []who {
	switch k {
	case nothing:
		return nil
	case recipient.OptOut:
		return list
	}
	return list[:1]
}

// addresses returns whom the row is about: at least one.
func (r *row) addresses() ([]who, error) {
	p := r.p
	only := recipient.Channel("")
	if v := r.get(roleChannel); v != "" {
		switch strings.ToLower(v) {
		case "email", "e-mail", "mail":
			only = recipient.Email
		case "sms", "phone", "text", "mobile":
			only = recipient.SMS
		default:
			return nil, errChannel
		}
	}
	if p.cols[roleAddress] >= 0 {
		return r.ownAddress(only)
	}
	var out []who
	for _, c := range [2]struct {
		role    role
		channel recipient.Channel
	}{{roleEmail, recipient.Email}, {rolePhone, recipient.SMS}} {
		v := r.get(c.role)
		if v == "" {
			continue
		}
		channel := c.channel
		if p.cols[roleEmail] == p.cols[rolePhone] && !strings.Contains(v, "@") { // one column for both
			channel = recipient.SMS
		}
		if only != "" && only != channel || len(out) > 0 && p.cols[roleEmail] == p.cols[rolePhone] {
			continue
		}
		a, err := recipient.Parse(channel, v, p.cfg.Region)
		if err != nil {
			return nil, &fieldError{p.shape.Name(p.cols[c.role]), err}
		}
		out = append(out, who{a, channel, p.cfg.Keyer.Key(a)})
	}
	if len(out) == 0 {
		return nil, errNobody
	}
	return out, nil
}

// fieldError says in which column of the list something is wrong.
type fieldError struct {
	column string
	err    error
}

func (e *fieldError) Error() string { return e.column + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// ownAddress reads the address of an export of ours. Of somebody who was erased
// it holds the key alone.
func (r *row) ownAddress(channel recipient.Channel) ([]who, error) {
	if channel == "" {
		return nil, errChannel
	}
	if v := r.get(roleAddress); v != "" {
		a, err := recipient.Parse(channel, v, "")
		if err != nil {
			return nil, &fieldError{r.p.shape.Name(r.p.cols[roleAddress]), err}
		}
		return []who{{a, channel, r.p.cfg.Keyer.Key(a)}}, nil
	}
	b, err := hex.DecodeString(r.get(roleKey))
	if err != nil || len(b) != len(recipient.Key{}) || !r.p.keys {
		return nil, errKeyOnly
	}
	return []who{{channel: channel, key: recipient.Key(b)}}, nil
}

// facts returns what the row says against its addresses.
func (r *row) facts() ([]fact, error) {
	p := r.p
	if f := p.format.facts; f != nil {
		return f(r)
	}
	f := fact{kind: nothing, date: r.get(roleDate), code: r.get(roleCode), detail: r.get(roleDetail)}
	v := ""
	if p.cols[roleKind] >= 0 {
		v = r.get(roleKind)
	}
	switch {
	case v != "":
		ok := false
		if f.kind, ok = word(v); !ok {
			return nil, errWord
		}
		if f.code == "" {
			f.code = v
		}
	case p.kind == Suppressions:
		f.kind = p.cfg.As
	}
	if f.kind == nothing {
		return nil, nil
	}
	return []fact{f}, nil
}

// event is a fact in the history. Without a time it is an echo, unless it is
// known when the list was taken.
func (p *importer) event(f fact, w who, at, now time.Time) recipient.Event {
	if at.IsZero() {
		at = p.cfg.ListedAt
	}
	e := recipient.Event{Kind: f.kind, Address: w.address, Channel: w.channel, Key: w.key, At: at, Echo: at.IsZero(), Source: recipient.FromImport, Actor: p.cfg.Actor,
		Code: f.code, Rule: "list_" + p.format.name, Detail: f.detail}
	return p.seal(e, at, now, f.code)
}

// seal gives an event the fingerprint of what its row says, so that the same
// row again is the same event, whenever it comes and in whatever list.
func (p *importer) seal(e recipient.Event, at, now time.Time, parts ...string) recipient.Event {
	stamp := "undated"
	if !at.IsZero() {
		stamp = strconv.FormatInt(at.UnixMicro(), 10)
	}
	e = p.cfg.Keyer.Seal(e, "", now)
	e.Fingerprint = recipient.NewFingerprint("import", append([]string{stamp}, parts...), e.Key, e.Kind)
	return e
}

const (
	maxID   = 191
	maxName = 255
)

// contact reads who the row is about.
func (r *row) contact(it *item, addresses []who) error {
	c := store.Contact{ExternalID: r.get(roleID), Name: r.get(roleName), Language: listcsv.LanguageTag(r.get(roleLanguage))}
	if c.Name == "" {
		c.Name = strings.TrimSpace(r.get(roleFirst) + " " + r.get(roleLast))
	}
	c.Name = recipient.Clean(c.Name, maxName)
	for _, w := range addresses {
		if w.channel == recipient.Email {
			c.Email, c.EmailKey = w.address, w.key
		} else {
			c.Phone, c.PhoneKey = w.address, w.key
		}
	}
	if c.ExternalID == "" && r.p.cols[roleID] < 0 {
		// Not the address itself: an erasure would leave it there.
		it.ownID, c.ExternalID = true, "address:"+addresses[0].key.String()
	}
	if c.ExternalID == "" || len(c.ExternalID) > maxID || recipient.Clean(c.ExternalID, maxID) != c.ExternalID {
		return errBadID
	}
	it.contact, it.isOne = c, true
	return nil
}

// aDay is how far a date may lie ahead: in some places it is tomorrow already.
const aDay = 24 * time.Hour

var (
	errConsentHalf    = errors.New("consent needs both its source and its wording")
	errConsentDate    = errors.New("the date of the consent cannot be read: write 2026-11-24 or 2026-11-24T15:04:05Z")
	errConsentChannel = errors.New("consent_channel: say email, sms or both, because the row has both")
	errConsentFuture  = errors.New("the consent is dated in the future: consent counts once it was given")
	errConsentUndated = errors.New("the address is opted out, and consent without a date does not tell which came later: add consent_at")
)

// consent reads the opt-in of a row.
func (r *row) consent(it *item, addresses []who, now time.Time) error {
	c := recipient.Consent{Source: recipient.Clean(r.get(roleConsentSource), 255), Wording: recipient.Clean(r.get(roleConsentWording), recipient.MaxDetailBytes),
		Evidence: recipient.Clean(r.get(roleConsentEvidence), recipient.MaxDetailBytes)}
	if c.Source == "" && c.Wording == "" {
		return nil
	}
	if c.Source == "" || c.Wording == "" {
		return errConsentHalf
	}
	var err error
	if c.At, err = ParseTime(r.get(roleConsentAt)); err != nil {
		return errConsentDate
	}
	if c.At.After(now.Add(aDay)) { // it would count as of now, and lift what it knows nothing of
		return errConsentFuture
	}
	channel := strings.ToLower(r.get(roleConsentChannel))
	if channel == "" && len(addresses) > 1 {
		return errConsentChannel
	}
	// Consent without a date may be older than anything. So it counts as an echo,
	// which loses to every opt-out, also to one that is only heard of later.
	it.dated = !c.At.IsZero()
	for _, w := range addresses {
		if channel != "" && channel != "both" && channel != string(w.channel) {
			continue
		}
		e := recipient.Event{Kind: recipient.OptIn, Address: w.address, Channel: w.channel, Key: w.key, At: c.At, Echo: !it.dated, Source: recipient.FromImport, Actor: r.p.cfg.Actor,
			Rule: "list_" + r.p.format.name, Evidence: recipient.Evidence{Consent: &c}}
		it.consent = append(it.consent, r.p.seal(e, c.At, now, c.Source, c.Wording))
	}
	return nil
}
