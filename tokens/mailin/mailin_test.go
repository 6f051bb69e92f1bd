package mailin

import (
	"fmt"
	"strings"
	"testing"
)

const (
	code  = "abcdefghijklmnopqrstuvwxyz"
	code2 = "zyxwvutsrqponmlkjihgfedcba"
)

func TestRead(t *testing.T) {
	to := "To: u-" + code + "@unsub.example.com\r\n"
	from := "From: Somebody <me@example.org>\r\n"
	tests := []struct {
		name     string
		mail     string
		envelope []string
		pattern  string
		want     string
	}{
		// Apple Mail: no subject, a fixed line of text, any of the owner's addresses.
		{"Apple Mail", from + to + "Subject: \r\nX-Mailer: iPhone Mail (21A329)\r\n\r\nApple Mail sent this email to unsubscribe from the message \"News\"\r\n", nil, "", "opt-out [" + code + "] me@example.org"},
		{"with a subject", from + to + "Subject: unsubscribe\r\n\r\n", nil, "", "opt-out [" + code + "] me@example.org"},
		{"upper case", strings.ToUpper(to) + "\n", nil, "", "opt-out [" + code + "] "},
		{"the envelope", from + "To: undisclosed-recipients:;\n\n", []string{"u-" + code + "@elsewhere.example.net"}, "", "opt-out [" + code + "] me@example.org"},
		{"the envelope in the header", from + "Delivered-To: <u-" + code + "@unsub.example.com>\nTo: list@example.com\n\n", nil, "", "opt-out [" + code + "] me@example.org"},
		{"two lists at once", from + "To: u-" + code + "@a.example.com, \"x\" <u-" + code2 + "@a.example.com>\n\n", []string{"u-" + code2 + "@a.example.com"}, "", "opt-out [" + code2 + " " + code + "] me@example.org"},
		{"a header nobody can parse", from + "To: u-" + code + "@unsub.example.com;; <oops\n\n", nil, "", "opt-out [" + code + "] me@example.org"},
		{"a button, reported as generated", from + to + "Auto-Submitted: auto-generated\nSubject: Unsubscribe\n\n", nil, "", "opt-out [" + code + "] me@example.org"},
		{"a plus address", from + "To: unsub+" + code + "@example.com\n\n", nil, "unsub+{code}@example.com", "opt-out [" + code + "] me@example.org"},
		{"a mark behind", from + "To: " + code + "-off@example.com\n\n", nil, "mailto:{code}-off@example.com?subject=x", "opt-out [" + code + "] me@example.org"},
		{"no code", from + "To: unsubscribe@example.com\n\nPlease stop", nil, "", "unknown [] me@example.org"},
		{"addresses without codes", from + to + "\n", nil, "unsubscribe@example.com", "unknown [] me@example.org"},
		{"half a code", "To: u-" + code[:20] + "@unsub.example.com\n\n", nil, "", "unknown [] "},
		{"code in the subject alone", from + "Subject: " + code + "\n\n", nil, "", "unknown [] me@example.org"},
		{"two senders", "From: a@example.com, b@example.com\nTo: x@example.com\n\n", nil, "", "unknown [] "},
		{"out of office", from + to + "Auto-Submitted: auto-replied (vacation)\n\n", nil, "", "auto-reply [] me@example.org"},
		{"with a parameter", from + to + "auto-submitted: Auto-Replied; owner-token=x\n\n", nil, "", "auto-reply [] me@example.org"},
		{"generated", from + to + "Auto-Submitted: auto-generated\nSubject: Ticket opened\n\n", nil, "", "auto-reply [] me@example.org"},
		{"not generated", from + to + "Auto-Submitted: no\n\n", nil, "", "opt-out [" + code + "] me@example.org"},
		{"old autoresponder", from + to + "X-Autoreply: yes\n\n", nil, "", "auto-reply [] me@example.org"},
		{"precedence", from + to + "Precedence: auto_reply\n\n", nil, "", "auto-reply [] me@example.org"},
		{"bounce", "From: MAILER-DAEMON@mx.example.net\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n" + to + "\n--b--\n", nil, "", "bounce [] mailer-daemon@mx.example.net"},
		{"null sender", "Return-Path: <>\n" + from + to + "\n", nil, "", "bounce [] me@example.org"},
		{"nothing", "", nil, "", "unknown [] "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pattern := tt.pattern
			if pattern == "" {
				pattern = "u-{code}@unsub.example.com"
			}
			m := Read([]byte(tt.mail), tt.envelope, NewPattern(pattern))
			if got := fmt.Sprintf("%s %v %s", m.Kind, m.Codes, m.From.Value()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCodesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("To: ")
	for i := range 26 {
		fmt.Fprintf(&b, "u-%s@example.com, ", strings.Repeat(string(rune('a'+i)), 26))
	}
	if m := Read([]byte(b.String()+"x@example.com\n\n"), nil, NewPattern("u-{code}@example.com")); len(m.Codes) != maxCodes {
		t.Errorf("got %d codes", len(m.Codes))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("From: a@example.com\r\nTo: u-"+code+"@example.com\r\n\r\nx"), "u-{code}@example.com")
	f.Add([]byte("Content-Type: multipart/report\n folded\n\n"), "")
	f.Fuzz(func(t *testing.T, raw []byte, mailto string) {
		m := Read(raw, []string{string(raw)}, NewPattern(mailto))
		if (m.Kind == OptOut) != (len(m.Codes) > 0) {
			t.Errorf("%s with codes %q", m.Kind, m.Codes)
		}
	})
}
