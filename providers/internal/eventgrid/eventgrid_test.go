package eventgrid

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// TestNoValidationByAccident: an ordinary event that speaks of a validation is
// an ordinary event, whoever sends it.
func TestNoValidationByAccident(t *testing.T) {
	g := New("azure", providers.Set())
	for _, body := range []string{
		`[{"id":"1","eventType":"Other","data":{"text":"Microsoft.EventGrid.SubscriptionValidationEvent","validationCode":"x"}}]`,
		`[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"x"}},{"id":"2","eventType":"Other"}]`,
		`Microsoft.EventGrid.SubscriptionValidationEvent`,
	} {
		reply, err := g.Handshake(t.Context(), &providers.Request{Method: "POST", Body: []byte(body), Guarded: true})
		if reply != nil || err != nil {
			t.Errorf("%s: %v, %v", body, reply, err)
		}
	}
}

// TestUnsigned: an endpoint that is explicitly unsigned answers handshakes.
func TestUnsigned(t *testing.T) {
	g := New("azure", providers.Settings{Unsigned: true})
	body := []byte(`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"a\"b"}}]`)
	reply, err := g.Handshake(t.Context(), &providers.Request{Method: "POST", Body: body})
	if err != nil || string(reply.Body) != `{"validationResponse":"a\"b"}` || reply.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v, %v", reply, err)
	}
}

func TestKeep(t *testing.T) {
	const good, bad = `{"id":"1","type":"x","data":{}}`, `{"id":"2"}`
	read := func(b *providers.Batch, _ *Event[struct{}]) { b.Add(recipient.Event{}) }
	events, err := Parse("azure", &providers.Request{Body: []byte("[" + good + "," + bad + "," + good + "]")}, read)
	if len(events) != 2 || !errors.Is(err, providers.ErrMalformed) {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if got := providers.QuarantineBody(err, nil); string(got) != "["+bad+"]" {
		t.Errorf("kept %s", got)
	}
}

func TestAt(t *testing.T) {
	e := Event[struct{}]{EventTime: "2026-01-05T10:00:01Z", Time: "2026-01-05T10:00:02Z"}
	for own, want := range map[wire.Text]int{"2026-01-05T10:00:00.1234567+00:00": 0, "": 1, "soon": 1} {
		if got := e.At(own).Second(); got != want {
			t.Errorf("At(%q) = second %d, want %d", own, got, want)
		}
	}
	if !(&Event[struct{}]{}).At("").IsZero() {
		t.Error("a time from nowhere")
	}
}

func BenchmarkParse(b *testing.B) {
	type data struct {
		To     wire.Text `json:"to,case:ignore"`
		Status wire.Text `json:"deliveryStatus,case:ignore"`
	}
	item := []byte(`{"id":"66666666-0000-4000-8000-000000000001","topic":"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg","subject":"/phonenumber/15005550001","data":{"messageId":"Outgoing_1","from":"15005550001","to":"+447700900123","deliveryStatus":"Failed","deliveryStatusDetails":"ErrorCode: 4004. ErrorMessage: x","receivedTimestamp":"2026-11-22T19:30:05.2855749Z"},"eventType":"Microsoft.Communication.SMSDeliveryReportReceived","dataVersion":"1.0","metadataVersion":"1","eventTime":"2026-11-22T19:30:05Z"}`)
	r := &providers.Request{Body: []byte("[" + strings.TrimSuffix(string(bytes.Repeat(append(item, ','), 1000)), ",") + "]")}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if _, err := Parse("azure", r, func(_ *providers.Batch, _ *Event[data]) { n++ }); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}
