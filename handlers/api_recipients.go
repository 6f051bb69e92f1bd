package handlers

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// stateJSON is an address's state and history. Times are null for never; an
// echo's block has no time of its own, so blocked may be true and blocked_at null.
type stateJSON struct {
	Channel recipient.Channel `json:"channel"`
	Address string            `json:"address"`
	Known   bool              `json:"known"`
	stateTimes
	Events []eventJSON `json:"events"`
	Next   *string     `json:"next"` // the "before" of the next page
}

// listedJSON is one address of a list; its address is null where only the key
// is known, or where the person was erased.
type listedJSON struct {
	Channel recipient.Channel `json:"channel"`
	Address *string           `json:"address"`
	stateTimes
}

type stateTimes struct {
	Blocked       bool       `json:"blocked"`
	BlockedAt     *time.Time `json:"blocked_at"`
	UnblockedAt   *time.Time `json:"unblocked_at"`
	OptedOut      bool       `json:"opted_out"`
	OptedOutAt    *time.Time `json:"opted_out_at"`
	OptedInAt     *time.Time `json:"opted_in_at"`
	ComplainedAt  *time.Time `json:"complained_at"`
	SoftBouncedAt *time.Time `json:"soft_bounced_at"`
	DeliveredAt   *time.Time `json:"delivered_at"`
}

func newStateTimes(st recipient.State) stateTimes {
	return stateTimes{Blocked: st.Blocked(), BlockedAt: when(st.BlockedAt), UnblockedAt: when(st.UnblockedAt),
		OptedOut: st.OptedOut(), OptedOutAt: when(st.OptedOutAt), OptedInAt: when(st.OptedInAt), ComplainedAt: when(st.ComplainedAt),
		SoftBouncedAt: when(st.SoftBouncedAt), DeliveredAt: when(st.DeliveredAt)}
}

type eventJSON struct {
	Kind       recipient.Kind      `json:"kind"`
	Echo       bool                `json:"echo"`
	At         *time.Time          `json:"at"`
	ReceivedAt *time.Time          `json:"received_at"`
	Source     recipient.Source    `json:"source"`
	Endpoint   *string             `json:"endpoint"`
	EventID    *string             `json:"event_id"`
	MessageID  *string             `json:"message_id"`
	Code       *string             `json:"code"`
	Rule       *string             `json:"rule"`
	Detail     *string             `json:"detail"`
	SendOut    *string             `json:"send_out"`
	Actor      *string             `json:"actor"`
	Evidence   *recipient.Evidence `json:"evidence"`
}

func newEventJSON(e recipient.Event) eventJSON {
	j := eventJSON{Kind: e.Kind, Echo: e.Echo, At: when(e.At), ReceivedAt: when(e.ReceivedAt), Source: e.Source,
		Endpoint: text(e.Endpoint), EventID: text(e.EventID), MessageID: text(e.MessageID), Code: text(e.Code), Rule: text(e.Rule),
		Detail: text(e.Detail), SendOut: text(e.SendOut), Actor: text(e.Actor)}
	if !e.Evidence.IsZero() {
		j.Evidence = &e.Evidence
	}
	return j
}

const (
	defaultEvents = 100
	maxEvents     = 1000
)

// getRecipient answers GET /v1/recipients/{channel}/{address}.
func (s *Server) getRecipient(c *fiber.Ctx) error {
	a, err := s.pathAddress(c)
	if err != nil {
		return err
	}
	limit, err := queryInt(c, "limit", defaultEvents, maxEvents)
	if err != nil {
		return err
	}
	return s.sendState(c, a, limit, strings.Clone(c.Query("before")))
}

// lookup is getRecipient with the address in the body, where no proxy logs it.
func (s *Server) lookup(c *fiber.Ctx) error {
	var in struct {
		Channel recipient.Channel `json:"channel"`
		Address string            `json:"address"`
		Limit   *int              `json:"limit"`
		Before  string            `json:"before"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	a, err := s.address(in.Channel, in.Address, "")
	if err != nil {
		return err
	}
	limit := defaultEvents
	if in.Limit != nil {
		if limit = *in.Limit; limit < 1 || limit > maxEvents {
			return invalid("limit", "a number from 1 to 1000")
		}
	}
	return s.sendState(c, a, limit, in.Before)
}

// sendState writes what is known of an address.
func (s *Server) sendState(c *fiber.Ctx, a recipient.Address, limit int, before string) error {
	ctx, cancel := s.withTimeout()
	defer cancel()
	out := stateJSON{Channel: a.Channel(), Address: a.Value(), Events: []eventJSON{}}
	key := s.cfg.Keyer.Key(a)
	r, err := s.cfg.Store.Recipient(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound) && before == "":
		return sendJSON(c, out)
	case errors.Is(err, store.ErrNotFound): // a cursor is judged whoever it is about
		if _, _, err := s.cfg.Store.History(ctx, key, limit, before); err != nil {
			return err
		}
		return sendJSON(c, out)
	case err != nil:
		return err
	}
	events, next, err := s.cfg.Store.History(ctx, key, limit, before)
	if err != nil {
		return err
	}
	out.Known, out.stateTimes = true, newStateTimes(r.State)
	for _, e := range events {
		out.Events = append(out.Events, newEventJSON(e.Event))
	}
	out.Next = text(next)
	return sendJSON(c, out)
}

// listRecipients lists the addresses that have a flag, those first of which
// something bad was heard last.
func (s *Server) listRecipients(c *fiber.Ctx) error {
	f, err := flagOf(c)
	if err != nil {
		return err
	}
	if f == "" {
		return invalid("flag", "required: blocked, opted_out, complained or soft_bouncing")
	}
	limit, err := queryInt(c, "limit", defaultContacts, maxContacts)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	found, next, err := s.cfg.Store.Flagged(ctx, f, limit, strings.Clone(c.Query("after")))
	if err != nil {
		return err
	}
	out := struct {
		Recipients []listedJSON `json:"recipients"`
		Next       *string      `json:"next"`
	}{Recipients: []listedJSON{}, Next: text(next)}
	for _, r := range found {
		out.Recipients = append(out.Recipients, listedJSON{Channel: r.Channel, Address: text(r.Address.Value()), stateTimes: newStateTimes(r.State)})
	}
	return sendJSON(c, out)
}

func (s *Server) block(c *fiber.Ctx) error   { return s.act(c, recipient.Block) }
func (s *Server) unblock(c *fiber.Ctx) error { return s.act(c, recipient.Unblock) }
func (s *Server) optOut(c *fiber.Ctx) error  { return s.act(c, recipient.OptOut) }
func (s *Server) optIn(c *fiber.Ctx) error   { return s.act(c, recipient.OptIn) }

// act records what the holder of an API key did, and answers with the state
// that follows.
func (s *Server) act(c *fiber.Ctx, kind recipient.Kind) error {
	a, err := s.pathAddress(c)
	if err != nil {
		return err
	}
	var in struct {
		Reason  string       `json:"reason"`
		SendOut string       `json:"send_out"`
		Consent *consentJSON `json:"consent"`
	}
	if err := readJSON(c, &in, true); err != nil { // an opt-in without consent is refused below
		return err
	}
	act := store.Act{Kind: kind, Channel: a.Channel(), Key: s.cfg.Keyer.Key(a), Address: a, Source: recipient.FromAPI, Actor: actor(c),
		Reason:  recipient.Clean(recipient.Redact(in.Reason, a), recipient.MaxDetailBytes),
		SendOut: recipient.Clean(recipient.Redact(in.SendOut, a), recipient.MaxCodeBytes)}
	if kind == recipient.OptIn {
		if in.Consent == nil {
			return invalid("consent", "an opt-in needs the consent it rests on")
		}
		if act.Evidence.Consent, err = s.consent(in.Consent); err != nil {
			return err
		}
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	if _, err := s.cfg.Store.Act(ctx, act); err != nil {
		return err
	}
	return s.sendState(c, a, defaultEvents, "")
}

// consentJSON is what a person agreed to.
type consentJSON struct {
	Source   string     `json:"source"`
	Wording  string     `json:"wording"`
	At       *time.Time `json:"at"`
	Evidence string     `json:"evidence"`
}

// consent checks what an opt-in rests on. Without a time it was given now.
func (s *Server) consent(in *consentJSON) (*recipient.Consent, error) {
	given := recipient.Consent{Source: recipient.Clean(in.Source, recipient.MaxIDBytes), Wording: recipient.Clean(in.Wording, recipient.MaxDetailBytes),
		Evidence: recipient.Clean(in.Evidence, recipient.MaxDetailBytes), At: s.now()}
	switch {
	case given.Source == "":
		return nil, invalid("consent.source", "required: where the person agreed")
	case given.Wording == "":
		return nil, invalid("consent.wording", "required: what the person agreed to")
	}
	if in.At != nil && !in.At.IsZero() {
		given.At = recipient.Micro(*in.At)
		if given.At.After(s.now().Add(24 * time.Hour)) { // clocks and time zones differ, but not by more
			return nil, invalid("consent.at", "lies in the future: consent counts once it was given")
		}
	}
	return &given, nil
}

// pathAddress reads the address of the path, percent-decoded once; a plus is a plus.
func (s *Server) pathAddress(c *fiber.Ctx) (recipient.Address, error) {
	return s.address(recipient.Channel(segment(c, "channel")), segment(c, "address"), "")
}

// address reads an address of API input. Prefix is where it stands, such as "recipients[3].".
func (s *Server) address(ch recipient.Channel, value, prefix string) (recipient.Address, error) {
	if !ch.Valid() {
		return recipient.Address{}, invalid(prefix+"channel", "use email or sms")
	}
	a, err := recipient.Parse(ch, value, s.cfg.DefaultRegion)
	if err != nil {
		return a, invalid(prefix+"address", err.Error())
	}
	return a, nil
}

func queryInt(c *fiber.Ctx, name string, fallback, most int) (int, error) {
	v := c.Query(name)
	if v == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return 0, invalid(name, "a number from 1 to "+strconv.Itoa(most))
	}
	return n, nil
}
