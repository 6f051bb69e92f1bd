// Package eventgrid reads what Azure Event Grid posts: arrays in its own schema
// and CloudEvents 1.0, with the handshakes of both.
//
// https://learn.microsoft.com/azure/event-grid/webhook-event-delivery and
// https://github.com/cloudevents/spec/blob/v1.0.1/http-webhook.md (read
// 2026-11-20). Event Grid signs nothing: who calls is proven by the endpoint's
// guard, or by a header that the operator adds to the subscription.
package eventgrid

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// RetryFor and RetryNote describe Event Grid's delivery, which all its sources share.
const (
	RetryFor  = 24 * time.Hour
	RetryNote = "Up to 30 attempts within 24 hours, first after 10 and 30 seconds, 1, 5, 10 and 30 minutes, then hourly; after a 401 it waits 5 minutes or more."
)

const topicsSetting = "topics"

// Options are the settings that New reads.
func Options() []providers.Setting {
	return append([]providers.Setting{{
		Name: topicsSetting, List: true,
		Help: "Optional: the resource id of the Communication Services resource (/subscriptions/.../communicationServices/NAME). Events of other resources are refused.",
	}}, token.Settings("a static delivery property of the subscription, marked as secret")...)
}

// Setup are the steps that all sources share.
func Setup(event string) []string {
	return []string{
		"Give this endpoint a path_secret of at least 20 random characters: Event Grid signs nothing, the address is the secret. Instead, or as well, set auth_token and add it under Delivery Properties as a static header, marked as secret; whether Azure sends such a header when it checks the address is not documented.",
		"In the Azure portal open the Communication Services resource, then Events, and choose + Event Subscription.",
		"Choose either Event Grid Schema or Cloud Event Schema v1.0; both are read.",
		"Under Filter to Event Types tick only: " + event + ".",
		"Choose Web Hook as the endpoint type and enter {url}. Azure checks the address when you press Create; Strikeout answers the check by itself.",
	}
}

// Event is one event in either schema, with the members of both.
type Event[T any] struct {
	ID        wire.Text `json:"id"`
	EventType wire.Text `json:"eventType"`
	Type      wire.Text `json:"type"` // CloudEvents
	EventTime wire.Text `json:"eventTime"`
	Time      wire.Text `json:"time"` // CloudEvents
	Topic     wire.Text `json:"topic"`
	Source    wire.Text `json:"source"` // CloudEvents
	Data      T         `json:"data"`
}

// Is reports whether the event is of the given type.
func (e *Event[T]) Is(kind string) bool {
	own := e.kind()
	return own == kind || strings.EqualFold(own, kind)
}

func (e *Event[T]) kind() string {
	if e.EventType != "" {
		return e.EventType.String()
	}
	return e.Type.String()
}

// At returns when the event happened, from the first of its times that can be read.
func (e *Event[T]) At(own wire.Text) time.Time {
	for _, t := range []wire.Text{own, e.EventTime, e.Time} {
		if at := t.Time(); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// Receiver answers handshakes and checks the source of events.
type Receiver struct {
	provider string
	unsigned bool
	token    token.Header
	topics   map[string]bool
}

// New reads the settings of Options, all of them optional.
func New(provider string, s providers.Settings) *Receiver {
	r := &Receiver{provider: provider, unsigned: s.Unsigned, token: token.New(provider, s), topics: map[string]bool{}}
	for _, t := range s.All(topicsSetting) {
		r.topics[fold(t)] = true
	}
	return r
}

// fold makes resource ids comparable: Azure writes them in any case.
func fold(resource string) string { return strings.ToLower(strings.TrimRight(resource, "/")) }

// Verify checks the token, where there is one, and refuses events of other
// resources, where the operator named his own.
func (g *Receiver) Verify(ctx context.Context, r *providers.Request) error {
	if err := g.token.Verify(ctx, r); err != nil || len(g.topics) == 0 {
		return err
	}
	items, err := wire.Array(r.Body)
	if err != nil {
		return providers.Unauthentic(g.provider, "the body names no topic")
	}
	for _, raw := range items {
		var e Event[struct{}]
		if wire.Decode(raw, &e) != nil || !g.topics[fold(e.Topic.String())] && !g.topics[fold(e.Source.String())] {
			return providers.Unauthentic(g.provider, "the event's topic is not one of the setting topics")
		}
	}
	return nil
}

// origins are the clouds that may ask for permission to post CloudEvents.
var origins = map[string]bool{"eventgrid.azure.net": true, "eventgrid.azure.us": true, "eventgrid.azure.cn": true}

const validation = "Microsoft.EventGrid.SubscriptionValidationEvent"

// Handshake answers the validation of a new subscription, in either schema,
// but only on an endpoint whose guard or token matched: else strangers could
// attach their own sources. It fetches nothing.
func (g *Receiver) Handshake(ctx context.Context, r *providers.Request) (*providers.Reply, error) {
	if r.Method == http.MethodOptions {
		origin := strings.ToLower(r.Header.Get("WebHook-Request-Origin"))
		if !origins[origin] || !g.trusts(ctx, r) {
			return nil, providers.Unauthentic(g.provider, "a request for permission that does not come from Event Grid")
		}
		h := http.Header{}
		h.Set("WebHook-Allowed-Origin", origin)
		h.Set("WebHook-Allowed-Rate", "*")
		return &providers.Reply{Header: h}, nil
	}
	if !strings.EqualFold(r.Header.Get("Aeg-Event-Type"), "SubscriptionValidation") && !bytes.Contains(r.Body, []byte(validation)) {
		return nil, nil
	}
	items, err := wire.Array(r.Body)
	if err != nil || len(items) != 1 {
		return nil, nil // not a validation; Parse says what is wrong
	}
	var e Event[struct {
		Code wire.Text `json:"validationCode,case:ignore"`
	}]
	if wire.Decode(items[0], &e) != nil || !e.Is(validation) {
		return nil, nil
	}
	switch {
	case !g.trusts(ctx, r):
		return nil, providers.Unauthentic(g.provider, "a subscription is answered only on an endpoint with a path_secret, basic_auth or auth_token that matches")
	case e.Data.Code == "":
		return nil, providers.Malformed(g.provider, "data.validationCode", providers.ErrMissing)
	}
	body, err := json.Marshal(map[string]string{"validationResponse": e.Data.Code.String()})
	if err != nil {
		return nil, providers.Malformed(g.provider, "data.validationCode", providers.ErrNotJSON)
	}
	return &providers.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, nil
}

func (g *Receiver) trusts(ctx context.Context, r *providers.Request) bool {
	if g.token.Active() {
		return g.token.Verify(ctx, r) == nil
	}
	return r.Guarded || g.unsigned
}

// Parse calls read with every event of a request. An event that read rejects,
// or whose data has another form, does not cost the others.
func Parse[T any](provider string, r *providers.Request, read func(*providers.Batch, *Event[T])) ([]recipient.Event, error) {
	return batch.JSON(provider, r.Body, func(b *providers.Batch, e *Event[T]) {
		if e.kind() == "" {
			b.Reject(providers.Malformed(provider, "[].eventType", providers.ErrMissing))
			return
		}
		read(b, e)
	})
}

// Settings makes the settings of a simulated endpoint.
func Settings(rand io.Reader) (providers.Settings, error) { return token.Simulated(rand) }

// Post builds a simulated delivery of one event.
func Post(s providers.Shot, kind string, data sim.Object) (*providers.Request, error) {
	body := sim.JSON([]sim.Object{{
		"id": sim.UUID(s.ID), "topic": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Communication/communicationServices/simulated",
		"subject": "simulated", "data": data, "eventType": kind, "dataVersion": "1.0", "metadataVersion": "1", "eventTime": Stamp(s.At),
	}})
	return token.Sign(s.Settings, s.Post("application/json; charset=utf-8", body, "Aeg-Event-Type", "Notification", "Aeg-Subscription-Name", "SIMULATED")), nil
}

// Stamp writes a time with Azure's seven digits.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
