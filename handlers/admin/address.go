package admin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// addressLine is an address as a list shows it: struck out where messages must
// not go, with words beside the colour.
type addressLine struct {
	Shown             string // readable or masked
	Path              string
	Class             string
	Blocked, OptedOut bool
	Tags              []tag
}

type tag struct{ Text, Class string }

func (l addressLine) Known() bool  { return l.Path != "" }
func (l addressLine) Struck() bool { return l.Blocked || l.OptedOut }

func newLine(c *Ctx, r store.Recipient) addressLine {
	l := addressLine{Shown: shown(c, r), Path: addressPath(r.Channel, r.Key), Class: "address", Blocked: r.State.Blocked(), OptedOut: r.State.OptedOut()}
	if l.Blocked {
		l.Class += " blocked"
		l.Tags = append(l.Tags, tag{"Blocked", "bad"})
	}
	if l.OptedOut {
		l.Class += " opted-out"
		text := "Opted out"
		if store.FlagComplained.Of(r.State) {
			text = "Opted out: reported as spam"
		}
		l.Tags = append(l.Tags, tag{text, "mind"})
	}
	if !l.Struck() && store.FlagSoftBouncing.Of(r.State) {
		l.Tags = append(l.Tags, tag{"Soft-bouncing", ""})
	}
	return l
}

// shown is an address as this user may see it.
func shown(c *Ctx, r store.Recipient) string {
	switch {
	case !r.ErasedAt.IsZero() && r.Address.IsZero():
		return "an erased address"
	case r.Address.IsZero():
		return "the address this message was sent to"
	case c.User.Can(operator):
		return r.Address.Value()
	}
	return r.Address.Mask()
}

// panel is all that a card says of one address.
type panel struct {
	addressLine
	Title           string // "E-mail", "Phone"
	ID              string // of its heading
	Contact         int64  // whose card this is; 0: the page of the address
	Why             string // it is blocked: "the mailbox does not exist"
	WhyMore         string // who said so, when
	Out             string
	OutMore         string
	Erased          bool
	SoftAt          time.Time
	DeliveredAt     time.Time
	Others          int // contacts that have it too
	Unblocked       string
	recipient       store.Recipient
	causes          store.Causes
	bouncedAnew     bool
	complaintStands bool
}

// Thing is what sentences call the address.
func (p panel) Thing() string { return thing(p.recipient.Channel) }

// panelOf builds the panel of an address. Contact is 0 on its own page.
func (s *Server) panelOf(c *Ctx, r store.Recipient, contact int64) (panel, error) {
	p := panel{addressLine: newLine(c, r), Title: channelTitle(r.Channel), ID: string(r.Channel), Contact: contact, recipient: r,
		Erased: !r.ErasedAt.IsZero() && r.Address.IsZero(), SoftAt: r.State.SoftBouncedAt, DeliveredAt: r.State.DeliveredAt}
	var err error
	if p.causes, err = s.cfg.Store.Causes(c.Std, r.Key, r.State); err != nil {
		return p, err //nolint:wrapcheck // it says where it comes from
	}
	if p.Others, err = s.cfg.Store.Sharing(c.Std, r.Channel, r.Key); err != nil {
		return p, err //nolint:wrapcheck // it says where it comes from
	}
	if contact != 0 && p.Others > 0 {
		p.Others--
	}
	st := r.State
	if p.Blocked {
		p.Why = whyBlocked(p.causes.Block)
		if !c.User.Can(operator) {
			p.Why = veiled(recipient.Redact(p.Why, r.Address))
		}
		p.WhyMore = s.said(p.causes.Block)
		p.bouncedAnew = !st.UnblockedAt.IsZero() && p.causes.Block != nil && p.causes.Block.Kind == recipient.HardBounce
	} else if !st.UnblockedAt.IsZero() && !st.BlockedAt.IsZero() {
		p.Unblocked = s.said(p.causes.Unblock)
	}
	p.complaintStands = store.FlagComplained.Of(st)
	if p.OptedOut {
		cause := p.causes.OptOut
		if p.complaintStands && (cause == nil || st.ComplainedAt.After(st.OptedOutAt)) {
			cause = p.causes.Complaint
		}
		p.Out, p.OutMore = whyOut(cause), s.said(cause)
	}
	return p, nil
}

func channelTitle(ch recipient.Channel) string {
	if ch == recipient.SMS {
		return "Phone"
	}
	return "E-mail"
}

// thing is what sentences call an address.
func thing(ch recipient.Channel) string {
	if ch == recipient.SMS {
		return "phone number"
	}
	return "e-mail address"
}

type addressView struct {
	panel
	Contacts []contactLine
	History  historyView
}

func (addressView) page() string    { return "address.html" }
func (v addressView) title() string { return "One " + thing(v.recipient.Channel) }

// addressOf reads the address of the path. One of which nothing is known has a
// page, too: links to it may be older than an import.
func (s *Server) addressOf(c *Ctx) (store.Recipient, error) {
	ch := recipient.Channel(c.Param("channel"))
	key, err := recipient.ParseKey(c.Param("key"))
	if !ch.Valid() || err != nil {
		return store.Recipient{}, errNotFound
	}
	r, err := s.cfg.Store.Recipient(c.Std, key)
	if errors.Is(err, store.ErrNotFound) {
		return r, refuse(http.StatusNotFound, "Nothing is known of this address.")
	}
	if err == nil && r.Channel != ch {
		err = errNotFound
	}
	return r, err //nolint:wrapcheck // it says where it comes from
}

func (s *Server) showAddress(c *Ctx) error {
	r, err := s.addressOf(c)
	if err != nil {
		return err
	}
	v := addressView{}
	if v.panel, err = s.panelOf(c, r, 0); err != nil {
		return err
	}
	owners, err := s.cfg.Store.ContactsOf(c.Std, r.Key)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if v.Contacts, err = s.contactLines(c, owners); err != nil {
		return err
	}
	if v.History, err = s.history(c, []panel{v.panel}, addressPath(r.Channel, r.Key)); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

// addAddress opts out or blocks an address that nobody has heard of, because
// somebody asked for it by telephone or in a letter.
func (s *Server) addAddress(c *Ctx) error {
	a, ok := s.typed(strings.TrimSpace(c.Form("address")))
	if !ok {
		return refuse(http.StatusUnprocessableEntity, "Write a whole e-mail address, or a phone number with its country code.")
	}
	kind := recipient.Kind(c.Form("kind"))
	if kind != recipient.OptOut && kind != recipient.Block {
		return refuse(http.StatusUnprocessableEntity, "Choose whether to opt the address out or to block it.")
	}
	reason := strings.TrimSpace(c.Form("reason"))
	if reason == "" {
		return refuse(http.StatusUnprocessableEntity, "Say why, so that others understand it later. Go back and write a reason.")
	}
	key := s.cfg.Keyer.Key(a)
	_, err := s.cfg.Store.Act(c.Std, store.Act{Kind: kind, Channel: a.Channel(), Key: key, Address: a, Source: recipient.FromAdmin,
		Actor: c.User.Name, Reason: reason, By: c.By()})
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	did := "The " + thing(a.Channel()) + " is opted out now."
	if kind == recipient.Block {
		did = "The " + thing(a.Channel()) + " is blocked now."
	}
	return s.to(c, addressPath(a.Channel(), key), did)
}
