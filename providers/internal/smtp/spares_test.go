package smtp

import (
	"strings"
	"testing"
)

func TestSpares(t *testing.T) {
	tests := []struct {
		reply Reply
		code  string
		want  bool
	}{
		{Reply{}, "", false},
		{Reply{Status: "5.1.1", Text: "550 5.1.1 blocked by policy"}, "5.1.1", false},
		{Reply{Status: "5.1.7", Text: "sender address rejected"}, "5.1.7", true},
		{Reply{Text: "553 5.1.8 Domain of sender address does not exist"}, "5.1.8", true},
		{Reply{Status: "5.2.1"}, "5.2.1", false},
		{Reply{Status: "5.2.1", Text: "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"}, "5.2.1", true},
		{Reply{Text: "550-5.2.1 is receiving mail too quickly"}, "5.2.1", true},
		{Reply{Text: "550 5.2.1 The account is disabled, as it sent too many messages"}, "5.2.1", false},
		{Reply{Status: "5.2.2"}, "5.2.2", true},
		{Reply{Status: "5.2.3"}, "5.2.3", true},
		{Reply{Status: "5.3.0"}, "5.3.0", false},
		{Reply{Status: "5.3.4"}, "5.3.4", true},
		{Reply{Status: "5.4.4", Text: "spam"}, "5.4.4", false},
		{Reply{Status: "5.6.1"}, "5.6.1", true},
		{Reply{Status: "5.7.1"}, "5.7.1", true},
		{Reply{Status: "4.4.7"}, "4.4.7", true},
		{Reply{Status: "4.0.0"}, "4.0.0", true},
		{Reply{Status: "5.0.0", Text: "550 5.7.1 no"}, "5.7.1", true},
		{Reply{Status: "5.0.0", Text: "550 5.1.1 no"}, "5.1.1", false},
		{Reply{Status: "5.7.1", Text: "550 5.1.1 no"}, "5.7.1", true},
		{Reply{Status: "5.1.0", Text: "550 5.7.1 no"}, "5.7.1", true},
		{Reply{Status: "5.3.0", Text: "554 5.7.1 no"}, "5.7.1", true},
		{Reply{Status: "5.4.1", Text: "550 5.1.1 no"}, "5.4.1", false},
		{Reply{Status: "4.4.0", Text: "550 5.1.1 no"}, "4.4.0", true},
		{Reply{Status: "4.0.0", Text: "550 5.1.1 no"}, "4.0.0", true},
		{Reply{Text: "550 5.1.0 sender rejected"}, "5.1.0", true},
		{Reply{Text: "550 5.1.0 the sender got: user unknown"}, "5.1.0", false},
		{Reply{Text: "550 #5.1.0 Address rejected."}, "5.1.0", false},
		{Reply{Text: "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"}, "5.4.1", false},
		{Reply{Status: "5.0.0", Text: "550 The sender's domain does not exist"}, "5.0.0", true},
		{Reply{Status: "5.0.0", Text: "550 Mailbox storage limit exceeded"}, "5.0.0", true},
		{Reply{Text: "552 1 Requested mail action aborted, mailbox not found"}, "552", false},
		{Reply{Text: "550 5.2.2 full"}, "5.2.2", true},
		{Reply{Status: "5.0.0", Text: "550 mailbox full"}, "5.0.0", true},
		{Reply{Text: "550 mailbox full"}, "550", true},
		{Reply{Text: "452 try later"}, "452", true},
		{Reply{Text: "552 no"}, "552", true},
		{Reply{Text: "550 user unknown"}, "550", false},
		{Reply{Status: "5.0.0", Text: "500 unknown recipient"}, "5.0.0", false},
		{Reply{Text: "we gave up"}, "", false},
	}
	for _, tt := range tests {
		code, got := Spares(tt.reply)
		if code != tt.code || got != tt.want {
			t.Errorf("%+v: %q, %v, want %q, %v", tt.reply, code, got, tt.code, tt.want)
		}
	}
}

func TestExcuser(t *testing.T) {
	asked := 0
	e := Excuser{Spell: func(s string) string { asked++; return strings.ReplaceAll(s, "_", " ") }}
	for _, tt := range []struct {
		text string
		want bool
	}{{"", false}, {"mailbox_full", true}, {"mailbox_full", true}, {"", false}, {"bad_mailbox", false}, {"mailbox_full", true}, {"550 5.7.1 no", true}} {
		if got := e.Excuses(tt.text); got != tt.want {
			t.Errorf("%q: %v", tt.text, got)
		}
	}
	if asked != 5 {
		t.Errorf("asked %d times, want 5: the same text again is asked about once", asked)
	}
	if plain := (Excuser{}); !plain.Excuses("mailbox full") || plain.Excuses("mailbox_full") {
		t.Error("a text that has words is taken as it is")
	}
}
