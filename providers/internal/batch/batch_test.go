package batch

import (
	"errors"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

type report struct {
	To string `json:"to"`
}

func read(b *providers.Batch, r *report) {
	b.AddTo(recipient.Email, "to", r.To, recipient.Event{Kind: recipient.Complaint})
}

func TestJSON(t *testing.T) {
	tests := []struct {
		name, body string
		events     int
		keep       string // "": the whole body; "-": no error
	}{
		{"empty", `[]`, 0, "-"},
		{"one object", `{"to":"a@example.com"}`, 1, "-"},
		{"all good", `[{"to":"a@example.com"},{"to":"b@example.com"}]`, 2, "-"},
		{"some bad", `[{"to":"a@example.com"}, 7, {"to":""}, {"to":"x","to":"y"}]`, 1, `[7,{"to":""},{"to":"x","to":"y"}]`},
		{"all bad", `[7]`, 0, ""},
		{"one bad object", `{"to":""}`, 0, ""},
		{"no JSON", `to=a`, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, err := JSON("acme", []byte(tt.body), read)
			if len(events) != tt.events {
				t.Errorf("%d events, want %d", len(events), tt.events)
			}
			if (err == nil) != (tt.keep == "-") || err != nil && !errors.Is(err, providers.ErrMalformed) {
				t.Fatalf("error %v", err)
			}
			if err == nil {
				return
			}
			want := tt.keep
			if want == "" {
				want = tt.body
			}
			if got := string(providers.QuarantineBody(err, []byte(tt.body))); got != want {
				t.Errorf("keeps %s, want %s", got, want)
			}
		})
	}
}
