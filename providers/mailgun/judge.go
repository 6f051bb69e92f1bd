package mailgun

import (
	"strings"

	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/recipient"
)

// judgement is what a failure becomes.
type judgement struct {
	kind recipient.Kind
	echo bool
	rule string
	code string
}

// suppressions are reports that Mailgun's own lists hold the address, by
// "reason" and by code.
var suppressions = map[string]recipient.Kind{
	"suppress-bounce": recipient.HardBounce, "605": recipient.HardBounce,
	"suppress-unsubscribe": recipient.OptOut, "606": recipient.OptOut,
	"suppress-complaint": recipient.Complaint, "607": recipient.Complaint,
}

// suppressionWords are how the old form tells them, where it has no such code.
var suppressionWords = []struct {
	words string
	kind  recipient.Kind
}{
	{"previously bounced", recipient.HardBounce},
	{"unsubscribed address", recipient.OptOut},
	{"marked your messages as spam", recipient.Complaint},
	{"complained", recipient.Complaint},
}

// byCode are the reasons of a permanent failure under which the code decides.
// The others (old, espblock, blacklisted, greylisted and new ones) say nothing of
// the address: "permanent" means only that Mailgun tries no more. True: Mailgun
// itself calls it a bounce.
var byCode = map[string]bool{"bounce": true, "hardfail": true, "generic": false, "unknown": false, "": false}

// judge reads a failure: https://documentation.mailgun.com/docs/mailgun/user-manual/tracking-messages/tracking-failures
// (read 2026-11-20).
func (rep *report) judge(event string) judgement {
	s := &rep.Status.V
	severity, reason, code := rep.Severity.Lower(), rep.Reason.Lower(), smtpOrOwn(s.Code.String())
	if event != "failed" { // the old form has no severity
		severity = "permanent"
		if event == "bounced" && reason == "" {
			reason = "bounce"
		}
	}
	enhanced := enhancedOf(s.Enhanced.String(), s.BounceCode.String(), s.Message.String(), s.Code.String()) // the old form has either in "code"
	j := judgement{kind: recipient.SoftBounce, rule: "mailgun-reason", code: enhanced}
	if j.code == "" {
		j.code = code
	}
	if j.code == "" {
		j.code = reason
	}
	if severity != "permanent" {
		j.rule = "mailgun-severity"
		return j
	}
	kind, listed := suppressions[reason]
	if !listed {
		kind, listed = suppressions[code]
	}
	if !listed && event == "dropped" {
		kind, listed = suppressed(s.Description.Lower() + " " + s.Message.Lower())
	}
	if listed {
		return judgement{kind: kind, echo: true, rule: "mailgun-suppressed", code: code}
	}
	isBounce, decides := byCode[reason]
	_, spared := smtp.Spares(smtp.Reply{Status: enhanced, Code: code, Text: s.Message.String() + " " + s.Description.String()})
	switch {
	case !decides, code == "625": // 625: poor list quality
		return j
	case s.BounceType.Lower() == "soft", spared, code == "498", code == "499":
		j.rule = "mailgun-code"
		return j
	case s.BounceType.Lower() == "hard":
		j.rule = "mailgun-bounce-type"
	case enhanced != "":
		j.rule = "mailgun-code"
		if !faulty(enhanced) {
			return j
		}
	case isBounce && (code == "550" || code == "551" || code == "553"):
		j.rule = "mailgun-code"
	default:
		return j
	}
	j.kind = recipient.HardBounce
	return j
}

func suppressed(text string) (recipient.Kind, bool) {
	for _, w := range suppressionWords {
		if strings.Contains(text, w.words) {
			return w.kind, true
		}
	}
	return "", false
}

// enhancedOf returns the first enhanced code.
func enhancedOf(texts ...string) string {
	for _, t := range texts {
		if e := smtp.EnhancedCode(t); e != "" {
			return e
		}
	}
	return ""
}

// smtpOrOwn returns a code of the SMTP server or Mailgun's own (498, 499, 605
// to 607, 625), without a fraction.
func smtpOrOwn(code string) string {
	whole, _, _ := strings.Cut(code, ".")
	if len(whole) != 3 {
		return ""
	}
	return whole
}

// faulty reports whether an enhanced code says that the address or the mailbox
// is gone. 5.1.7 and 5.1.8 are about the sender's address.
func faulty(enhanced string) bool {
	if enhanced == "5.1.7" || enhanced == "5.1.8" {
		return false
	}
	return strings.HasPrefix(enhanced, "5.1.") || strings.HasPrefix(enhanced, "5.0.") || enhanced == "5.2.1"
}
