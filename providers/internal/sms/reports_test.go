package sms

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

func request(query, body string) *providers.Request {
	return &providers.Request{Method: "POST", RawQuery: query, Header: http.Header{}, Body: []byte(body)}
}

func TestEachParams(t *testing.T) {
	tests := []struct {
		name, query, body string
		want              []string // values of "to" or "To", joined with those of "n"
		ok                bool
	}{
		{"query", "to=%2B1&n=2", "", []string{"+1 2"}, true},
		{"form", "", "to=1&n=2&n=3", []string{"1 2"}, true},
		{"form before query", "to=9&n=2", "to=1", []string{"1 2"}, true},
		{"an alias in the form before the name in the query", "to=9", "To=1", []string{"1 "}, true},
		{"object", "n=2", `{"to":447700900123,"n":null}`, []string{"447700900123 2"}, true},
		{"byte order mark", "", "\xef\xbb\xbf{\"To\":\"1\"}", []string{"1 "}, true},
		{"array", "", `[{"to":"1","n":true},{"To":" 2 ","n":{"x":1}}]`, []string{"1 true", "2 "}, true},
		{"nothing", "", "", []string{" "}, true},
		{"one bad item", "", `[{"to":"1"},7]`, []string{"1 "}, false},
		{"broken", "", `{"to":`, nil, false},
		{"bad escape", "", `to=%zz`, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			_, err := EachParams("acme", request(tt.query, tt.body), func(_ *providers.Batch, p Params) {
				got = append(got, p.Get("to", "To")+" "+p.Get("n"))
				if want := tt.query+tt.body == ""; p.Empty() != want {
					t.Errorf("Empty() = %v", p.Empty())
				}
			})
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("err = %v", err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %q, want %q", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestEachKeepsTheBadOnly(t *testing.T) {
	_, err := EachParams("acme", request("", `[{"to":"+15551230100"},7]`), func(b *providers.Batch, p Params) {
		b.AddTo(recipient.SMS, "to", p.Get("to"), recipient.Event{})
	})
	if got := string(providers.QuarantineBody(err, nil)); got != `[7]` {
		t.Errorf("kept %s", got)
	}
}

func TestReceived(t *testing.T) {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	k := Words(providers.Set(StopSetting, "Schluss"))
	tests := []struct {
		name  string
		in    Inbound
		kind  recipient.Kind
		parts int
	}{
		{"stop", Inbound{Text: "Stop.", To: "15551230100", ID: "m", Number: "358450000013"}, recipient.OptOut, 2},
		{"start", Inbound{Text: " START", To: "15551230100", ID: "m", Number: "+358450000013"}, recipient.OptIn, 2},
		{"own word", Inbound{Text: "schluss", Number: "358450000013"}, recipient.OptOut, 4},
		{"other", Inbound{Text: "please stop by", Number: "358450000013"}, "", 0},
	}
	for _, tt := range tests {
		b := providers.NewBatch("acme", 1)
		k.Received(b, "from", tt.in, at)
		events, err := b.Done()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.kind == "" {
			if len(events) > 0 {
				t.Errorf("%s: %v", tt.name, events)
			}
			continue
		}
		if len(events) != 1 || events[0].Kind != tt.kind || events[0].Address.Value() != "+358450000013" || !events[0].At.Equal(at) || len(events[0].IDParts) != tt.parts {
			t.Errorf("%s: %+v", tt.name, events)
		}
	}
	b := providers.NewBatch("acme", 1)
	k.Received(b, "from", Inbound{Text: "stop"}, at)
	if _, err := b.Done(); providers.ReasonOf(err) != providers.NoRecipient {
		t.Errorf("a text from nobody: %v", err)
	}
}
