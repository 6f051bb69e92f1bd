package handlers

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// fakeAdapter reads {"to":..,"kind":..,"id":..} or an array of them, signed by
// the header X-Acme-Signature: good. Some ids make it misbehave.
type fakeAdapter struct{ open bool }

type acmeEvent struct {
	To, Kind, ID string
}

func acme(to string, kind recipient.Kind, id string) string {
	return fmt.Sprintf(`{"to":%q,"kind":%q,"id":%q}`, to, kind, id)
}

func (a fakeAdapter) Verify(_ context.Context, r *providers.Request) error {
	switch sig := r.Header.Get("X-Acme-Signature"); {
	case a.open || sig == "good":
		return nil
	case sig == "panic":
		panic("a panic that quotes " + string(r.Body))
	case sig == "later":
		return fmt.Errorf("the certificate cannot be fetched")
	}
	return providers.Unauthentic("acme", "the signature header is missing or wrong")
}

func (a fakeAdapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var items []acmeEvent
	if r.Method == "GET" {
		q := r.Query()
		items = []acmeEvent{{q.Get("to"), q.Get("kind"), q.Get("id")}}
	} else if len(r.Body) > 0 && r.Body[0] == '[' {
		if json.Unmarshal(r.Body, &items) != nil {
			return nil, providers.Malformed("acme", "body", providers.ErrNotJSON)
		}
	} else {
		items = make([]acmeEvent, 1)
		if json.Unmarshal(r.Body, &items[0]) != nil {
			return nil, providers.Malformed("acme", "body", providers.ErrNotJSON)
		}
	}
	b := providers.NewBatch("acme", len(items))
	var bad []acmeEvent
	for i, it := range items {
		switch it.ID {
		case "panic":
			panic("a panic that quotes " + it.To)
		case "ignored":
			continue
		}
		e := recipient.Event{Kind: recipient.Kind(it.Kind), IDParts: []string{it.ID}, EventID: it.ID, Code: r.Header.Get("X-Acme-Code")}
		if it.Kind == "text_start" {
			e.Kind = recipient.OptIn
			e.Evidence = recipient.Evidence{Text: "START", Consent: &recipient.Consent{Source: "sms", Wording: "START"}}
		}
		before := len(bad)
		if _, err := recipient.Parse(channelOf(it.To), it.To, ""); err != nil {
			bad = append(bad, it)
		}
		b.AddTo(channelOf(it.To), fmt.Sprintf("[%d].to", i), it.To, e)
		if len(bad) > before {
			rest, err := json.Marshal(bad)
			if err != nil {
				return nil, err
			}
			b.Keep(rest)
		}
	}
	return b.Done()
}

func channelOf(to string) recipient.Channel {
	if len(to) > 0 && to[0] == '+' {
		return recipient.SMS
	}
	return recipient.Email
}

// shaker answers handshakes over HEAD, OPTIONS, GET and POST, and every
// delivery with a fixed body.
type shaker struct{ fakeAdapter }

func (shaker) Handshake(_ context.Context, r *providers.Request) (*providers.Reply, error) {
	switch {
	case r.Header.Get("X-Handshake") == "panic":
		panic("handshake")
	case r.Header.Get("X-Handshake") == "forged":
		return nil, providers.Unauthentic("acme", "the handshake is not signed")
	case r.Header.Get("X-Handshake") == "junk":
		return nil, providers.Malformed("acme", "challenge", providers.ErrMissing)
	case r.Method == "HEAD":
		return &providers.Reply{}, nil
	case r.Method == "OPTIONS":
		return &providers.Reply{Header: map[string][]string{"Webhook-Allowed-Origin": {"*"}}}, nil
	case r.Query().Get("challenge") != "":
		return &providers.Reply{Status: 202, Body: []byte(r.Query().Get("challenge"))}, nil
	}
	return nil, nil
}

func (shaker) Reply(*providers.Request) *providers.Reply {
	return &providers.Reply{Header: map[string][]string{"Content-Type": {"text/xml"}}, Body: []byte("<ok/>")}
}
