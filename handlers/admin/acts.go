package admin

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// deed is something that a person does to an address, asked for on a page of
// its own: it explains what follows and what to know before.
type deed string

const (
	block   deed = "block"
	unblock deed = "unblock"
	optIn   deed = "opt-in"
	erase   deed = "erase"
)

// kind is the event that a deed makes.
func (d deed) kind() recipient.Kind {
	if d == optIn {
		return recipient.OptIn
	}
	return recipient.Kind(d)
}

type actView struct {
	panel
	Deed     deed
	Heading  string
	BackPath string
	Reason   string
	Consent  consentForm
	Lists    []listHint
	Wrong    map[string]string // by field
	Newer    bool              // something came in since the page was shown
}

// Seen goes into the form: what the act answers.
func (v actView) Seen() string {
	return v.recipient.State.Answered(v.Deed.kind()).Format(time.RFC3339Nano)
}

func (actView) page() string    { return "act.html" }
func (v actView) title() string { return v.Heading }

// BouncedAnew and ComplaintStands are warnings.
func (v actView) BouncedAnew() bool     { return v.bouncedAnew }
func (v actView) ComplaintStands() bool { return v.complaintStands }

func (v actView) UnblockedAt() time.Time  { return v.recipient.State.UnblockedAt }
func (v actView) BlockedAt() time.Time    { return v.recipient.State.BlockedAt }
func (v actView) ComplainedAt() time.Time { return v.recipient.State.ComplainedAt }

// actView builds the page of a deed.
func (s *Server) actView(c *Ctx, d deed) (actView, error) {
	r, err := s.addressOf(c)
	if err != nil {
		return actView{}, err
	}
	contact := contactField(c)
	v := actView{Deed: d, Wrong: map[string]string{}, BackPath: backPath(r, contact)}
	if v.panel, err = s.panelOf(c, r, contact); err != nil {
		return v, err
	}
	switch d {
	case block:
		v.Heading = "Block the " + v.Thing()
	case unblock:
		v.Heading = "Remove the block"
		v.Lists, err = s.ownLists(c, r, r.State.UnblockedAt, recipient.HardBounce)
	case optIn:
		v.Heading = "Opt in, with consent"
		v.Lists, err = s.ownLists(c, r, r.State.OptedInAt, recipient.OptOut, recipient.Complaint)
	case erase:
		v.Heading = "Erase the " + v.Thing()
	}
	return v, err
}

// contactField names the card that an act began on and returns to.
func contactField(c *Ctx) int64 {
	value := c.Query("contact")
	if changes(c.Method()) {
		value = c.Form("contact")
	}
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

func backPath(r store.Recipient, contact int64) string {
	if contact > 0 {
		return contactPath(contact)
	}
	return addressPath(r.Channel, r.Key)
}

func (s *Server) showAct(d deed) func(*Ctx) error {
	return func(c *Ctx) error {
		v, err := s.actView(c, d)
		if err != nil {
			return err
		}
		v.Consent.Date = s.now().Format(time.DateOnly)
		if d == unblock && !v.Blocked {
			return s.to(c, v.BackPath, "The "+v.Thing()+" is not blocked.")
		}
		return s.render(c, http.StatusOK, v)
	}
}

func (s *Server) act(d deed) func(*Ctx) error {
	return func(c *Ctx) error {
		v, err := s.actView(c, d)
		if err != nil {
			return err
		}
		a := store.Act{Kind: d.kind(), Channel: v.recipient.Channel, Key: v.recipient.Key, Address: v.recipient.Address, Source: recipient.FromAdmin, Actor: c.User.Name, By: c.By()}
		switch d {
		case erase:
			return s.eraseAddress(c, v)
		case optIn:
			v.Consent = readConsent(c)
			a.Evidence.Consent = v.Consent.check(s.now(), v.recipient.State, v.Wrong)
		case block, unblock:
			v.Reason = strings.TrimSpace(c.Form("reason"))
			if v.Reason == "" {
				v.Wrong["reason"] = "Write a reason: whoever looks at this address later needs it."
			}
			a.Reason = v.Reason
		}
		if len(v.Wrong) > 0 {
			return s.render(c, http.StatusUnprocessableEntity, v)
		}
		if d == unblock && !v.Blocked {
			return s.to(c, v.BackPath, "The "+v.Thing()+" is not blocked any more. Nothing was changed.")
		}
		a.Seen = seenField(c)
		out, err := s.cfg.Store.Act(c.Std, a)
		if errors.Is(err, store.ErrChanged) {
			v.Newer = true
			return s.render(c, http.StatusConflict, v)
		}
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		return s.to(c, v.BackPath, did(d, v.recipient.Channel, out.After))
	}
}

// seenField is the time of what the page showed and the act answers, so that
// nothing is lifted that came in after somebody looked. A form without it has
// seen nothing.
func seenField(c *Ctx) *time.Time {
	t, err := time.Parse(time.RFC3339Nano, c.Form("seen"))
	if err != nil {
		t = time.Time{}
	}
	return &t
}

// did says what an act led to.
func did(d deed, ch recipient.Channel, after recipient.State) string {
	what := "The " + thing(ch)
	switch d {
	case block:
		return what + " is blocked now. No message goes there until somebody removes the block."
	case unblock:
		text := "The block of the " + thing(ch) + " was removed."
		if after.OptedOut() {
			return text + " The person is still opted out."
		}
		return text + " Messages may go there again."
	case optIn:
		text := what + " is opted in now, and the consent is kept in the history."
		if after.Blocked() {
			text += " It is still blocked."
		}
		return text
	}
	return "Done."
}

// setOptedOut is the checkbox of a card. Checking it opts out; taking the check
// away leads to the consent that an opt-in needs. What the page showed comes
// along, so that whoever did not touch the box changes nothing by it.
func (s *Server) setOptedOut(c *Ctx) error {
	r, err := s.addressOf(c)
	if err != nil {
		return err
	}
	contact := contactField(c)
	back := backPath(r, contact)
	checked, was := c.Form("opted_out") != "", c.Form("was") != ""
	switch {
	case checked == was, checked && r.State.OptedOut():
		return s.to(c, back, "Nothing was changed.")
	case !checked && !r.State.OptedOut():
		return s.to(c, back, "The "+thing(r.Channel)+" is opted in already. Nothing was changed.")
	case !checked:
		to := addressPath(r.Channel, r.Key) + "/opt-in"
		if contact > 0 {
			to += "?contact=" + strconv.FormatInt(contact, 10)
		}
		return s.to(c, to, "")
	}
	_, err = s.cfg.Store.Act(c.Std, store.Act{Kind: recipient.OptOut, Channel: r.Channel, Key: r.Key, Address: r.Address, Source: recipient.FromAdmin,
		Actor: c.User.Name, By: c.By()})
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, back, "The "+thing(r.Channel)+" is opted out now.")
}

// consentForm is what a person agreed to, as typed.
type consentForm struct{ Source, Wording, Date, Evidence string }

func readConsent(c *Ctx) consentForm {
	field := func(name string) string { return strings.TrimSpace(c.Form("consent_" + name)) }
	return consentForm{Source: field("source"), Wording: field("wording"), Date: field("date"), Evidence: field("evidence")}
}

// check returns the consent, and notes what is missing or cannot be. Consent
// that is older than the opt-out it is to lift is none.
func (f consentForm) check(now time.Time, st recipient.State, wrong map[string]string) *recipient.Consent {
	ct := &recipient.Consent{Source: recipient.Clean(f.Source, recipient.MaxIDBytes), Wording: recipient.Clean(f.Wording, recipient.MaxDetailBytes),
		Evidence: recipient.Clean(f.Evidence, recipient.MaxDetailBytes)}
	for _, field := range []struct{ name, value, text string }{
		{"source", ct.Source, "Write where the person agreed, such as: phone call."},
		{"wording", ct.Wording, "Write what the person agreed to, in the words that were used."},
		{"evidence", ct.Evidence, "Write where the proof is, such as the number of a form or a ticket."},
	} {
		if field.value == "" {
			wrong[field.name] = field.text
		}
	}
	var err error
	ct.At, err = time.Parse(time.DateOnly, f.Date)
	out := st.OptedOutAt
	if st.ComplainedAt.After(out) {
		out = st.ComplainedAt
	}
	switch {
	case err != nil:
		wrong["date"] = "Write the day on which the person agreed, such as 2026-11-24."
	case ct.At.After(now):
		wrong["date"] = "This day has not come yet."
	case ct.At.Before(out.Truncate(24*time.Hour)) && st.OptedOut():
		wrong["date"] = "The person opted out on " + day(out) + ", after this day. Only consent given since counts."
	}
	return ct
}
