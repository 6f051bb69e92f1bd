package dsn

import (
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// A mail of a megabyte, whatever it holds, must not keep the server busy.
func TestLargeMail(t *testing.T) {
	a, err := New(providers.Set(VerpSetting, "TEST-ONLY-secret"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, n/len(s)) }
	head := "Return-Path: <>\nFrom: mailer-daemon@example.net\n"
	deep := ""
	for range 200 {
		deep += "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	}
	for title, mail := range map[string]string{
		"folded":      head + "Subject: x\n" + fill(" y\n"),
		"fields":      head + fill("To: a@example.com\n"),
		"recipients":  head + "To: " + fill("a@example.com, ") + "\n",
		"groups":      head + "Content-Type: message/delivery-status\n\n" + fill("Final-Recipient: rfc822;a@example.com\nAction: failed\n\n"),
		"addresses":   head + "\n" + fill("<a@example.com>:\nuser unknown\n\n"),
		"people":      head + "\n" + manyPeople(n/100),
		"one line":    head + "\n" + fill("a@"),
		"boundaries":  head + "Content-Type: multipart/mixed; boundary=b\n\n" + fill("--b\n\n"),
		"deep":        head + deep + fill("x\n"),
		"comments":    head + "Content-Type: message/delivery-status\n\nStatus: 5.1.1\nFinal-Recipient: " + fill("(") + "\n",
		"many colons": head + "X-Failed-Recipients: " + fill(":;,<") + "\n",
	} {
		t.Run(title, func(t *testing.T) {
			r := providers.Shot{URL: "https://hooks.example.com/webhooks/test", At: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}.Post("message/rfc822", []byte(mail))
			// Where time grows with the square of the size, this does not end.
			events, _ := a.Parse(r) //nolint:errcheck // some of them name no recipient
			for _, e := range events {
				if e.Kind == recipient.HardBounce {
					t.Fatalf("an unsigned mail of %d bytes blocks somebody", len(mail))
				}
			}
		})
	}
}

func manyPeople(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<p" + strings.Repeat("q", i%9) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + "@example.com>:\nuser unknown\n\n")
	}
	return b.String()
}
