package providers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

func TestUnauthentic(t *testing.T) {
	err := Unauthentic("acme", "the signature is wrong")
	if !errors.Is(err, ErrUnauthentic) || errors.Is(err, ErrMalformed) {
		t.Errorf("wraps the wrong errors: %v", err)
	}
	if got, want := err.Error(), "acme: the request is not authentic: the signature is wrong"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		err    error
		text   string
		cause  error
		reason Reason
	}{
		{Malformed("acme", "ts", ErrNotTime), "acme: ts: not a time", ErrNotTime, Unreadable},
		{Unresolved("acme", "to"), "acme: to: it names no recipient", ErrNoRecipient, NoRecipient},
		{&ParseError{Provider: "acme", Field: "to", Err: ErrMissing}, "acme: to: missing", ErrMissing, Unreadable},
		{&PartialError{Items: []*ParseError{Unresolved("acme", "to"), Malformed("acme", "x", ErrNotJSON)}}, "acme: to: it names no recipient (and 1 more)", ErrNoRecipient, NoRecipient},
		{fmt.Errorf("replay: %w", Unresolved("acme", "to")), "replay: acme: to: it names no recipient", ErrNoRecipient, NoRecipient},
		{ErrMalformed, "the request cannot be read", ErrMalformed, Unreadable},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.text {
			t.Errorf("got %q, want %q", got, tt.text)
		}
		if !errors.Is(tt.err, ErrMalformed) || !errors.Is(tt.err, tt.cause) || errors.Is(tt.err, ErrUnauthentic) {
			t.Errorf("%v wraps the wrong errors", tt.err)
		}
		if got := ReasonOf(tt.err); got != tt.reason {
			t.Errorf("%v: reason %q, want %q", tt.err, got, tt.reason)
		}
	}
}

func TestBatch(t *testing.T) {
	event := recipient.Event{Kind: recipient.SoftBounce, IDParts: []string{"1"}}
	b := NewBatch("acme", 2)
	b.AddTo(recipient.Email, "to", "Nobody@Example.COM", event)
	b.AddTo(recipient.SMS, "to", "+15551230100", event)
	events, err := b.Done()
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if got := events[0].Address.Value(); got != "nobody@example.com" {
		t.Errorf("the address is not in normal form")
	}
	if _, err := NewBatch("acme", 0).Done(); err != nil {
		t.Errorf("an empty batch: %v", err)
	}

	b.AddTo(recipient.Email, "to", "", event)
	b.AddTo(recipient.Email, "cc", "secret-name", event)
	b.AddTo(recipient.SMS, "phone", "12345", event)
	events, err = b.Done()
	if len(events) != 2 || !errors.Is(err, ErrMalformed) {
		t.Fatalf("%d events, %v", len(events), err)
	}
	var partial *PartialError
	if !errors.As(err, &partial) || len(partial.Items) != 3 {
		t.Fatalf("not a PartialError of three: %v", err)
	}
	for i, want := range []Reason{NoRecipient, BadRecipient, BadRecipient} {
		if got := partial.Items[i].Reason; got != want {
			t.Errorf("item %d: %s, want %s", i, got, want)
		}
		if text := partial.Items[i].Error(); strings.Contains(text, "secret-name") || strings.Contains(text, "12345") {
			t.Errorf("item %d shows the value", i)
		}
	}
	whole := []byte("whole")
	if got := string(QuarantineBody(err, whole)); got != "whole" {
		t.Errorf("body %q, want the whole", got)
	}
	b.Keep([]byte("part"))
	_, err = b.Done()
	if got := string(QuarantineBody(fmt.Errorf("x: %w", err), whole)); got != "part" {
		t.Errorf("body %q, want the part", got)
	}
	if got := string(QuarantineBody(Malformed("acme", "x", ErrNotJSON), whole)); got != "whole" {
		t.Errorf("body %q, want the whole", got)
	}
}
