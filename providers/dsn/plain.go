package dsn

import (
	"regexp"
	"strings"

	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/recipient"
)

var (
	// known are the words by which mail servers that send no delivery report
	// begin: qmail, Exim, Sendmail, Gmail, Yahoo.
	known = regexp.MustCompile(`(?i)this is the qmail-send program|a message that you sent (could not be delivered|has not yet been delivered)|` +
		`the following addresses had (permanent|transient)|transcript of session follows|delivery to the following recipients? (failed|has been delayed)|` +
		`we were unable to deliver your message to the following`)
	// hint are words of Exchange, Domino and others, which people write too.
	hint    = regexp.MustCompile(`(?i)(was not|wasn't|could not be|couldn't be) delivered to|did not reach|undeliverable`)
	daemon  = regexp.MustCompile(`(?i)mailer-?daemon|postmaster|mail delivery (sub)?system`)
	subject = regexp.MustCompile(`(?i)undeliver|returned mail|returned to sender|failure notice|delivery (status notification|failure|failed|problem|has failed)|mail delivery failed|delayed|could not be delivered|nondeliverable`)
	// waiting says that the server still tries, or gave up only because of time.
	waiting = regexp.MustCompile(`(?i)queue too long|retry timeout exceeded|(has )?not yet been delivered|been delayed|warning message only|delivery delayed|delayed mail|still (being retried|undelivered)|will (be retried|keep trying|continue to (try|attempt))|delay notification|\(delay\)|retry time not reached`)
	// copied opens the returned original.
	copied = regexp.MustCompile(`(?im)^[ \t]*-{2,}.*(copy of the message|original message|original headers|message headers?|message header follows|unsent message|message's header|returned message).*$`)
	// addressLine is an address alone on its line, perhaps with the reason behind
	// it. Zoho writes "ERROR CODE" there, old Exchange servers the time.
	addressLine = regexp.MustCompile(`^[ \t]*(?:rfc822;[ \t]*)?(?:<([^\s<>]+@[^\s<>]+)>|"?([^\s<>"',;:()]+@[^\s<>"',;:()]+?)"?)[ \t]*(?:(?::|\.\.\.)(.*)|(\(.*)|,?[ \t]((?:Invalid Address, )?ERROR[ _]CODE.*)|[ \t]on (?:\d{1,2}/\d{1,2}/\d{2,4}|\w{3}, \d{1,2} \w{3} \d{4}) .*|)$`)
	absence     = regexp.MustCompile(`(?i)out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response)|autoreply|vacation|abwesen|automatische antwort|absence|poissa|frånvaro|afwezig|réponse automatique|respuesta automática`)
)

// section is what a plain bounce says of one address.
type section struct {
	to   recipient.Address
	text strings.Builder // up to the next empty line
	all  strings.Builder // up to the next address
	done bool
}

// Limits of a bounce written for people: nobody lists more by hand.
const (
	maxPlainBytes = 64 << 10
	maxLineBytes  = 1000 // RFC 5322 allows 998
)

// plain reads bounces that are written for people only.
func (d *reader) plain() {
	text, copyOf := d.text[:min(len(d.text), maxPlainBytes)], ""
	if at := copied.FindStringIndex(text); at != nil {
		text, copyOf = text[:at[0]], text[at[1]:]
	}
	if d.returned == nil && copyOf != "" {
		d.returned, _ = readHeader([]byte(strings.TrimLeft(copyOf, "\r\n")))
		d.event.MessageID = smtp.MessageID(d.returned.get("Message-ID"))
		d.collectPaths(d.paths)
	}
	failed := d.failed()
	how := manner{late: waiting.MatchString(d.get("Subject")), sure: len(failed) > 0 || known.MatchString(text), server: daemon.MatchString(d.get("From"))}
	if !how.sure && (!how.server && strings.TrimSpace(d.get("Return-Path")) != "<>" || d.automatic()) {
		return
	}
	sections := d.sections(text)
	if len(failed) > 0 { // the server lists them; other addresses in the text are not about failures
		sections = only(sections, failed)
	}
	single := len(sections) == 1
	owner, owned := d.owner()
	for _, s := range sections {
		reason := s.text.String()
		if v := smtp.Classify(smtp.Reply{Text: reason}); single && !v.Hard() && (v.Code == "" || v.Rule == "smtp-no-code") {
			reason = s.all.String()
		}
		e, ok := d.judge(reason, how)
		switch {
		case !ok:
		case single && owned && s.to != owner: // forwarded: see addGroup
			d.bounce(owner, e, false)
		default:
			d.bounce(s.to, e, true)
		}
	}
	if len(sections) > 0 {
		return
	}
	e, ok := d.judge(text, how)
	if !ok {
		return
	}
	if owned {
		d.bounce(owner, e, true)
		return
	}
	d.lastResort(e)
}

// manner is what a plain bounce as a whole looks like.
type manner struct {
	late   bool // it says that the server still tries
	sure   bool // a mail server's own words
	server bool // it says that it comes from one
}

// judge classifies a reason. Words alone count; ok is false when nothing shows
// that this is a bounce at all.
func (d *reader) judge(reason string, how manner) (e recipient.Event, ok bool) {
	e = d.event
	e.Detail, e.IDParts = strings.TrimSpace(reason), []string{e.EventID, "plain"}
	v := smtp.Classify(smtp.Reply{Text: reason})
	e.Kind, e.Rule, e.Code = v.Kind, v.Rule, v.Code
	switch {
	case how.late, waiting.MatchString(reason):
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-gave-up"
	case v.Hard() && !how.sure && !how.server: // perhaps a person: "my old mailbox does not exist"
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-unknown-form"
	case v.Hard() && strings.Contains(reason, "(generated from "): // Exim: somebody's forward
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-forwarded"
	}
	return e, how.sure || v.Hard() || v.Code != "" || subject.MatchString(d.get("Subject")) || hint.MatchString(reason)
}

// sections cuts a text at its address lines.
func (d *reader) sections(text string) (out []*section) {
	var cur *section
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := addressIn(line); m != nil {
			a, err := recipient.ParseEmail(m[1] + m[2])
			if err == nil && !d.own[a] && len(out) < maxParts {
				if cur = find(out, a); cur == nil {
					cur = &section{to: a}
					out = append(out, cur)
				}
				cur.add(m[3] + m[4] + m[5])
				continue
			}
		}
		if cur != nil {
			cur.add(line)
		}
	}
	return out
}

func addressIn(line string) []string {
	if len(line) > maxLineBytes || !strings.Contains(line, "@") {
		return nil
	}
	return addressLine.FindStringSubmatch(line)
}

func (s *section) add(line string) {
	s.all.WriteString(line + "\n")
	line = strings.TrimSpace(line)
	// What stands after an empty line may be about every address.
	if started := s.text.Len() > 0; s.done || started && line == "" || strings.HasPrefix(line, "-----") {
		s.done = true
		return
	}
	s.text.WriteString(line + "\n")
}

func find(sections []*section, a recipient.Address) *section {
	for _, s := range sections {
		if s.to == a {
			return s
		}
	}
	return nil
}

// only keeps one section for each listed address, an empty one where the text
// does not speak of it.
func only(sections []*section, listed []recipient.Address) (out []*section) {
	for _, a := range listed {
		s := find(sections, a)
		if s == nil {
			s = &section{to: a}
			if len(listed) == 1 && len(sections) > 0 {
				s = sections[0]
				s.to = a
			}
		}
		out = append(out, s)
	}
	return out
}

// automatic reports whether a person's software answered: an absence, a ticket
// number, a challenge.
func (d *reader) automatic() bool {
	auto := strings.ToLower(d.get("Auto-Submitted"))
	precedence := strings.ToLower(d.get("Precedence"))
	return strings.HasPrefix(auto, "auto-") || precedence == "auto_reply" || precedence == "auto-reply" ||
		d.get("X-Auto-Response-Suppress") != "" || d.get("X-Autoreply") != "" || d.get("X-Autorespond") != "" || absence.MatchString(d.get("Subject"))
}
