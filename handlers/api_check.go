package handlers

import (
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
)

// The purposes of a check. A transactional message may reach somebody who
// wants no marketing; a blocked address takes nothing.
const (
	marketing     = "marketing"
	transactional = "transactional"
)

type suppressedJSON struct {
	Address  string `json:"address"`
	Blocked  bool   `json:"blocked"`
	OptedOut bool   `json:"opted_out"`
	Reason   string `json:"reason"` // blocked, complaint or opted_out
}

type invalidJSON struct {
	Address string `json:"address"`
	Reason  string `json:"reason"`
}

// check says which of up to 10 000 addresses must not be written to, in the
// order and the spelling of the request.
func (s *Server) check(c *fiber.Ctx) error {
	var in struct {
		Channel   recipient.Channel `json:"channel"`
		Addresses []string          `json:"addresses"`
		Purpose   string            `json:"purpose"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	switch {
	case !in.Channel.Valid():
		return invalid("channel", "use email or sms")
	case in.Purpose != "" && in.Purpose != marketing && in.Purpose != transactional:
		return invalid("purpose", "use marketing or transactional")
	case in.Addresses == nil:
		return invalid("addresses", "required")
	case len(in.Addresses) > s.cfg.Limits.Batch:
		return tooMany("addresses", s.cfg.Limits.Batch)
	}
	out := struct {
		Suppressed []suppressedJSON `json:"suppressed"`
		Checked    int              `json:"checked"`
		Invalid    []invalidJSON    `json:"invalid"`
	}{Suppressed: []suppressedJSON{}, Invalid: []invalidJSON{}}

	keys := make([]recipient.Key, len(in.Addresses)) // zero: not an address
	asked := make([]recipient.Key, 0, len(in.Addresses))
	for i, v := range in.Addresses {
		a, err := recipient.Parse(in.Channel, v, s.cfg.DefaultRegion)
		if err != nil {
			out.Invalid = append(out.Invalid, invalidJSON{v, err.Error()})
			continue
		}
		keys[i] = s.cfg.Keyer.Key(a)
		asked = append(asked, keys[i])
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	states, err := s.cfg.Store.CheckStates(ctx, asked)
	if err != nil {
		return err
	}
	out.Checked = len(asked)
	for i, k := range keys {
		st, known := states[k]
		if !known || k.IsZero() {
			continue
		}
		blocked, optedOut := st.Blocked(), st.OptedOut()
		if blocked || optedOut && in.Purpose != transactional {
			out.Suppressed = append(out.Suppressed, suppressedJSON{in.Addresses[i], blocked, optedOut, why(st)})
		}
	}
	return sendJSON(c, out)
}

// why names what weighs most.
func why(s recipient.State) string {
	switch {
	case s.Blocked():
		return "blocked"
	case s.ComplainedAt.After(s.OptedOutAt):
		return "complaint"
	}
	return "opted_out"
}

func tooMany(field string, most int) error {
	p := invalid(field, "at most "+strconv.Itoa(most)+" at once")
	p.status = http.StatusRequestEntityTooLarge
	return p
}
