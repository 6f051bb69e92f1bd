package dsn

import (
	"regexp"
	"strings"

	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/recipient"
)

var (
	// known are the words by which mail servers that send no delivery report
	// begin: qmail, Exim, Sendmail, Gmail, Yahoo, Exchange and IIS, Domino.
	known = regexp.MustCompile(`(?i)this is the qmail-send program|a message that you sent (could not be delivered|has not yet been delivered)|` +
		`the following addresses had (permanent|transient)|transcript of session follows|delivery to the following recipients? (failed|has been delayed)|` +
		`we were unable to deliver your message|your message wasn't delivered to|your message did not reach|was not delivered to|undeliverable mail|could not be delivered to`)
	daemon  = regexp.MustCompile(`(?i)mailer-?daemon|postmaster|mail delivery (sub)?system`)
	subject = regexp.MustCompile(`(?i)undeliver|returned mail|returned to sender|failure notice|delivery (status notification|failure|failed|problem|has failed)|mail delivery failed|delayed|could not be delivered|nondeliverable`)
	// waiting says that the server still tries, or gave up only because of time.
	waiting = regexp.MustCompile(`(?i)queue too long|retry timeout exceeded|(has )?not yet been delivered|been delayed|warning message only|will (be retried|keep trying|continue to (try|attempt))|delay notification|\(delay\)|retry time not reached`)
	// copied opens the returned original.
	copied = regexp.MustCompile(`(?im)^[ \t]*-{2,}.*(copy of the message|original message|original headers|message headers?|message header follows|unsent message|message's header|returned message).*$`)
	// addressLine is an address alone on its line, perhaps with the reason behind it.
	addressLine = regexp.MustCompile(`^[ \t]*(?:rfc822;[ \t]*)?(?:<([^\s<>]+@[^\s<>]+)>|"?([^\s<>"',;:()]+@[^\s<>"',;:()]+?)"?)[ \t]*(?:(?::|\.\.\.)(.*)|(\(.*)|)$`)
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
	maxPlainBytes = 256 << 10
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
	from := d.get("From")
	failed := d.failed()
	sure := len(failed) > 0 || known.MatchString(text)
	if !sure {
		fromServer := daemon.MatchString(from) || strings.TrimSpace(d.get("Return-Path")) == "<>"
		if !fromServer || d.automatic() {
			return
		}
	}
	sections := d.sections(text)
	if len(failed) > 0 { // the server lists them; other addresses in the text are not about failures
		sections = only(sections, failed)
	}
	single := len(sections) == 1
	late := waiting.MatchString(d.get("Subject"))
	for _, s := range sections {
		reason := s.text.String()
		if v := smtp.Classify(smtp.Reply{Text: reason}); single && !v.Hard() && (v.Code == "" || v.Rule == "smtp-no-code") {
			reason = s.all.String()
		}
		d.said(s.to, reason, late, sure)
	}
	if len(sections) > 0 {
		return
	}
	e, ok := d.judge(text, late, sure)
	if !ok {
		return
	}
	if owner, owned := d.owner(); owned {
		d.bounce(owner, e, true)
		return
	}
	d.lastResort(e)
}

// said adds what was said of one address.
func (d *reader) said(to recipient.Address, reason string, late, sure bool) {
	e, ok := d.judge(reason, late, sure)
	if !ok {
		return
	}
	if strings.Contains(reason, "(generated from ") && e.Kind == recipient.HardBounce { // Exim: a forward of somebody else
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-forwarded"
	}
	d.bounce(to, e, true)
}

// judge classifies a reason. Words alone count; ok is false when nothing shows
// that this is a bounce at all.
func (d *reader) judge(reason string, late, sure bool) (recipient.Event, bool) {
	e := d.event
	e.Detail = strings.TrimSpace(reason)
	v := smtp.Classify(smtp.Reply{Text: reason})
	e.Kind, e.Rule, e.Code = v.Kind, v.Rule, v.Code
	if late || waiting.MatchString(reason) {
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-gave-up"
	}
	e.IDParts = []string{e.EventID, "plain"}
	return e, sure || v.Hard() || v.Code != "" || subject.MatchString(d.get("Subject"))
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
				cur.add(m[3] + m[4])
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
