package spool

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// record is what one call was about; exactly one field is set.
type record struct {
	Events []event     `json:"events,omitempty"`
	Click  *click      `json:"click,omitempty"`
	Held   *store.Held `json:"held,omitempty"`
}

// event is a sealed event. The fingerprint stands beside it because the id
// parts it was made of need not be UTF-8, which JSON would change.
type event struct {
	recipient.Event
	Print []byte `json:"print"`
}

// click is a store.Click in the names that stay.
type click struct {
	Channel    recipient.Channel  `json:"channel"`
	Key        recipient.Key      `json:"key"`
	TokenID    string             `json:"token_id,omitempty"`
	SendOut    string             `json:"send_out,omitempty"`
	Evidence   recipient.Evidence `json:"evidence,omitzero"`
	Source     recipient.Source   `json:"source,omitempty"`
	ReceivedAt time.Time          `json:"received_at"`
	Everything bool               `json:"everything,omitempty"`
}

func encode(r record) ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil { // a text that can be no JSON; it will not become one
		return nil, fmt.Errorf("%w record: it cannot be written as JSON", store.ErrInvalid)
	}
	return b, nil
}

func decode(payload []byte) (record, error) {
	var r record
	if err := json.Unmarshal(payload, &r); err != nil {
		return r, errUnreadable // the cause quotes what it could not read
	}
	if len(r.Events) == 0 && r.Click == nil && r.Held == nil {
		return r, errUnreadable
	}
	return r, nil
}

var errUnreadable = fmt.Errorf("%w record: not one of this version", store.ErrInvalid)

func eventsRecord(events []recipient.Event) record {
	r := record{Events: make([]event, len(events))}
	for i, e := range events {
		r.Events[i] = event{e, e.Fingerprint[:]}
	}
	return r
}

// events returns the events as they were sealed. Sealed with another address
// key, which the database then turned out not to have, they are sealed again.
func (r record) events(keyer *recipient.Keyer) []recipient.Event {
	out := make([]recipient.Event, len(r.Events))
	for i, s := range r.Events {
		e := s.Event
		copy(e.Fingerprint[:], s.Print)
		if !e.Address.IsZero() && keyer.Key(e.Address) != e.Key {
			e = keyer.Seal(e, e.Endpoint, e.ReceivedAt)
		}
		out[i] = e
	}
	return out
}
