// Package smtp classifies the replies of mail servers: whether the address is
// faulty (hard) or only this attempt, this message or this sender failed (soft).
//
// Enhanced status codes: RFC 3463, RFC 5248 and the IANA registry
// https://www.iana.org/assignments/smtp-enhanced-status-codes (read
// 2026-11-20). A 5.x.x code alone is not hard: most of class 5 is about the
// sender, the message or a policy.
package smtp

import (
	"strings"

	"github.com/strikeout/strikeout/recipient"
)

// Verdict is a classification with the rule that made it.
type Verdict struct {
	Kind recipient.Kind // HardBounce or SoftBounce
	Rule string         // such as "smtp-5.1.1", "smtp-wording", "smtp-veto"
	Code string         // the enhanced code that decided, else the basic one, else empty
}

// Hard reports whether the address is faulty.
func (v Verdict) Hard() bool { return v.Kind == recipient.HardBounce }

// Reply is what a report says of one attempt. Every field may be empty.
type Reply struct {
	Status string // enhanced status code as a field of its own: "5.1.1"
	Code   string // basic code as a field of its own: "550"
	Text   string // the server's words, with codes in it or not
}

// decision is what an enhanced code of class 5 says by itself.
type decision uint8

const (
	byWording decision = iota // the words decide; soft without any
	isHard
	isSoft
	ifDisabled // hard when the words say that the mailbox was closed
	ifNoDomain // hard when the words say that the domain does not exist
)

// table holds the codes of class 5 by "subject.detail". Codes that are not
// listed follow their subject.
var table = map[string]decision{
	"1.1": isHard, "1.2": isHard, "1.3": isHard, "1.6": isHard, "1.10": isHard, // mailbox, domain, syntax, moved, null MX (RFC 7505)
	"7.17": isHard, "7.18": isHard, // the mailbox or the domain has another owner now (RFC 7293)
	"1.4": isSoft, "1.5": isSoft, "1.7": isSoft, "1.8": isSoft, "1.9": isSoft, // ambiguous; valid; the sender's address
	"2.1": ifDisabled,
	"2.2": isSoft, "2.3": isSoft, "2.4": isSoft, // full, message too long, list expansion
	"3.1": isSoft, "3.2": isSoft, "3.3": isSoft, "3.4": isSoft, "3.5": isSoft, // the mail system
	"4.2": isSoft, "4.3": isSoft, "4.5": isSoft, "4.6": isSoft, "4.7": isSoft, // network and routing
	"4.4": ifNoDomain, "4.310": ifNoDomain, // unable to route; Exchange Online: DNS domain does not exist
	"5.0": byWording, // Outlook.com says it of unknown mailboxes
}

// subjects decide what the table does not list: protocol (5), content (6) and
// policy (7) say nothing of the address.
var subjects = map[string]decision{"5": isSoft, "6": isSoft, "7": isSoft}

// otherwise reports whether a basic code names another reason than the address: a
// full mailbox (RFC 5321); we did not sign in (RFC 4954).
func otherwise(basic string) bool {
	switch basic {
	case "552", "530", "534", "535", "538":
		return true
	}
	return false
}

func decide(enhanced string) decision {
	_, sd, _ := strings.Cut(enhanced, ".")
	if d, ok := table[sd]; ok {
		return d
	}
	subject, _, _ := strings.Cut(sd, ".")
	return subjects[subject]
}

// weight says how much a code tells: of two codes of one reply the one that
// tells more counts. Some say only "failed", or only which system failed.
func weight(e string) int {
	switch {
	case e == "":
		return 0
	case e[1:] == ".0.0":
		return 1
	case e[2] == '0':
		return 2
	case e[2] == '4', e[1:] == ".1.0", e[1:] == ".2.0", e[1:] == ".3.0", e[1:] == ".5.0":
		return 3
	}
	return 4
}

// Classify judges one reply. The enhanced code decides first, then the wording;
// what neither proves hard is soft.
func Classify(r Reply) Verdict {
	j := judge(r)
	return Verdict{j.kind, j.rule + j.by + j.why, j.code}
}

// judgement is a Verdict whose rule is not put together yet.
type judgement struct {
	kind          recipient.Kind
	rule, by, why string // such as "smtp-", "5.2.1", "-disabled"
	code          string
}

const (
	byVeto   = "smtp-veto"
	bySender = "smtp-sender"
	byClass  = "smtp-class-" // and the class
)

func judge(r Reply) judgement {
	found := scan(r.Text)
	e := firstOf(EnhancedCode(r.Status), EnhancedCode(r.Code))
	if weight(found.enhanced) > weight(e) {
		e = found.enhanced
	}
	b := firstOf(BasicCode(r.Code), BasicCode(r.Status), found.basic)
	code := firstOf(e, b)

	soft := func(rule, by string) judgement { return judgement{recipient.SoftBounce, rule, by, "", code} }
	hard := func(rule, by, why string) judgement { return judgement{recipient.HardBounce, rule, by, why, code} }

	switch {
	case code != "" && code[0] != '5':
		return soft(byClass, code[:1])
	// Hosts that give up on a temporary failure, and hosts that disagree with
	// themselves ("450 5.1.1"), have not said that it is final.
	case e != "" && b != "" && b[0] == '4' && (found.placed || b != found.basic),
		found.enhanced != "" && found.enhanced[0] == '4':
		return soft(byClass, "4")
	}
	w := read(r.Text)
	if w.vetoed() {
		return soft(byVeto, "")
	}
	if e != "" {
		switch decide(e) {
		case isHard:
			return hard("smtp-", e, "")
		case isSoft:
			return soft("smtp-", e)
		case ifDisabled:
			if w.has(disabled) && !w.has(rate) {
				return hard("smtp-", e, "-disabled")
			}
			return soft("smtp-", e)
		case ifNoDomain:
			if w.has(noDomain) && !w.aboutSender() {
				return hard("smtp-", e, "-no-domain")
			}
			return soft("smtp-", e)
		}
	}
	switch {
	case w.aboutSender():
		return soft(bySender, "")
	case otherwise(b):
		return soft("smtp-", b)
	case w.faulty(), w.has(unavailable) && (strings.HasPrefix(e, "5.1.") || e == "5.5.0"):
		return hard("smtp-wording", "", "")
	// RFC 7504: the host or the domain takes no mail. Said to RCPT it is about the
	// recipient; said at connection it may be about this one host.
	case e == "" && (b == "521" || b == "556") && w.has(atRCPT):
		return hard("smtp-", b, "")
	case code == "":
		return soft("smtp-no-code", "")
	}
	return soft("smtp-", code)
}

// Excuses reports whether a reply names another reason than the address: a
// temporary failure, a full mailbox, the mail system, the content, a policy, the
// sender's address. Ask
// it of bounces that the provider already calls hard; a reply that says
// nothing excuses nothing.
func Excuses(r Reply) bool {
	j := judge(r)
	switch {
	case j.kind == recipient.HardBounce, j.code == "5.4.1" && edgeBlocked(r.Text):
		return false
	case j.code == "552" && j.rule != byVeto: // Yahoo says it of unknown mailboxes too
		return !read(r.Text).faulty()
	case j.rule == bySender, j.rule == byVeto, j.rule == byClass && j.by == "4":
		return true
	case otherwise(j.code), j.code == "5.1.7", j.code == "5.1.8":
		return true
	case len(j.code) < 5:
		return false
	}
	return j.code[2] == '2' || j.code[2] == '3' || j.code[2] == '6' || j.code[2] == '7'
}

// edgeBlocked reports whether Exchange Online refused a recipient that its
// directory does not hold. Others say the same of a policy, so that by itself it
// is not hard, and does not overrule a provider that calls it hard:
// https://learn.microsoft.com/exchange/mail-flow-best-practices/use-directory-based-edge-blocking
func edgeBlocked(text string) bool {
	return strings.Contains(strings.ToLower(text), "recipient address rejected: access denied")
}

// Excuser is Excuses for the texts of one request, which often say the same one after
// the other.
type Excuser struct {
	Spell func(text string) string // makes words of a text; nil: it has them

	last    string
	excuses bool
}

// Excuses reports whether a text names another reason than the address.
func (e *Excuser) Excuses(text string) bool {
	if text == e.last { // at first "", which excuses nothing
		return e.excuses
	}
	e.last = text
	if e.Spell != nil {
		text = e.Spell(text)
	}
	e.excuses = Excuses(Reply{Text: text})
	return e.excuses
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// Bare returns the address in "Name <user@host>", "<user@host>" or "user@host",
// without white space; "" where there is none. Several addresses come back as
// they are, which is none: nobody knows which of them is meant.
func Bare(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		one, rest, _ := strings.Cut(s[i+1:], ">")
		if several(s[:i], rest) {
			return s
		}
		s = one
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"))
}

// several reports whether another address stands before or after one in angle
// brackets. A name in quotes may hold anything.
func several(before, after string) bool {
	quoted, address := false, false
	for i := range len(before) {
		switch c := before[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '@':
			address = true
		case c == ',' || c == ';':
			if address {
				return true
			}
		}
	}
	return strings.Contains(after, "@")
}

// MessageID returns a Message-ID without its angle brackets.
func MessageID(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}
