package dsn

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/verp"
	"github.com/strikeout/strikeout/recipient"
)

// reader turns one letter into events.
type reader struct {
	*letter
	verp  verp.Verp
	batch *providers.Batch
	event recipient.Event            // what all events of the letter share
	paths []string                   // return paths and ids the mail may have been sent with
	own   map[recipient.Address]bool // the mailbox for reports and our senders: never recipients
}

// maxPaths bounds how many addresses of one mail are tried for a proof.
const maxPaths = 100

// collectPaths notes where a return path of ours can stand.
func (d *reader) collectPaths(envelope []string) {
	d.own = map[recipient.Address]bool{}
	note := func(own bool, values ...string) {
		for _, v := range values {
			for _, a := range addresses(v) {
				if len(d.paths) == maxPaths {
					return
				}
				d.paths = append(d.paths, a)
				if p, err := recipient.ParseEmail(a); err == nil && own {
					d.own[p] = true
				}
			}
		}
	}
	note(true, envelope...)
	for _, f := range []string{"X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To"} {
		note(true, d.all(f)...)
	}
	for _, f := range []string{"Return-Path", "From", "Sender", "Reply-To", "Errors-To"} {
		note(true, d.returned.all(f)...)
	}
	d.paths = append(d.paths, d.returned.all(IDHeader)...)
}

// owner returns the address that our own return path names.
func (d *reader) owner() (recipient.Address, bool) {
	for _, p := range d.paths {
		if a, ok := d.verp.Open(p); ok {
			return a, true
		}
	}
	return recipient.Address{}, false
}

func (d *reader) proven(to recipient.Address) bool {
	for _, p := range d.paths {
		if d.verp.Proves(p, to) {
			return true
		}
	}
	return false
}

// bounce adds a bounce. Named says that the report, or our return path, names
// this address as the one that failed.
func (d *reader) bounce(to recipient.Address, e recipient.Event, named bool) {
	if e.Kind == recipient.HardBounce && d.verp.Active() && !(named && d.proven(to)) {
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-unproven"
	}
	e.Address = to
	d.batch.Add(e)
}

// deliveryReport reads the parts of RFC 3464; false when they hold no
// recipient, as some gateways write free text there.
func (d *reader) deliveryReport() bool {
	var groups []header
	for _, p := range d.status {
		for rest := p.decoded(); len(rest) > 0 && len(groups) < maxParts; {
			var g header
			g, rest = readHeader(rest)
			switch {
			case g.get("Final-Recipient") != "", g.get("Original-Recipient") != "", g.get("Action") != "", g.get("Status") != "":
				groups = append(groups, g)
			default:
				for _, v := range g.all("X-Postfix-Sender") {
					d.paths = append(d.paths, typed(v))
				}
			}
		}
	}
	for _, g := range groups {
		d.group(g, len(groups) > 1)
	}
	return len(groups) > 0
}

// group reads the fields about one recipient.
func (d *reader) group(g header, several bool) {
	e := d.event
	action, _, _ := strings.Cut(strings.ToLower(g.get("Action")), " ")
	status, diagnostic := g.get("Status"), g.get("Diagnostic-Code")
	class := smtp.EnhancedCode(status)
	e.Detail, e.Code, e.IDParts = diagnostic, class, []string{e.EventID, action}
	if at := date(g.get("Last-Attempt-Date")); !at.IsZero() {
		e.At = at
	}
	reply := smtp.Reply{Status: status, Text: words(diagnostic)}
	if diagnostic == "" && !several {
		reply.Text = transcript(d.text)
		e.Detail = reply.Text
	}
	switch {
	case action == "delivered":
		e.Kind, e.Rule = recipient.Delivered, "dsn-delivered"
	case action == "relayed", action == "expanded", action == "" && strings.HasPrefix(class, "2"):
		return
	case action == "delayed":
		e.Kind, e.Rule = recipient.SoftBounce, "dsn-delayed"
	default:
		v := smtp.Classify(reply)
		e.Kind, e.Rule, e.Code = v.Kind, v.Rule, v.Code
		if v.Rule == "smtp-5.1.5" { // "the address is valid"
			return
		}
	}
	d.addGroup(g, several, e)
}

// addGroup finds out whom a group is about: our own return path knows best, then
// the address as we sent it, then the one at the failing host.
func (d *reader) addGroup(g header, several bool, e recipient.Event) {
	var named []recipient.Address
	for _, f := range []string{"Original-Recipient", "Final-Recipient", "X-Actual-Recipient"} {
		if a, err := recipient.ParseEmail(typed(g.get(f))); err == nil && !redacted(a) {
			named = append(named, a)
		}
	}
	owner, owned := d.owner()
	for _, a := range named {
		if owned && a == owner || d.verp.Active() && d.proven(a) {
			d.bounce(a, e, true)
			return
		}
	}
	switch {
	case owned && !several:
		// Forwarded: the report names where the mail went on to. With a secret the
		// two must agree before anybody is blocked.
		d.bounce(owner, e, len(named) == 0)
	case len(named) > 0:
		if e.Kind == recipient.HardBounce && g.get("Original-Recipient") == "" && d.forwarded(named[0]) {
			e.Kind, e.Rule = recipient.SoftBounce, "dsn-forwarded"
		}
		d.bounce(named[0], e, true)
	case !several:
		d.lastResort(e)
	default:
		d.batch.Reject(providers.Unresolved(name, "Final-Recipient"))
	}
}

// forwarded reports whether the mail went to somebody else and that person's
// host sent it on: the returned original names one other recipient, who is not
// in the sender's own domain as a list address would be.
func (d *reader) forwarded(failed recipient.Address) bool {
	to := d.originalTo()
	if len(to) != 1 || to[0] == failed {
		return false
	}
	for _, f := range addresses(d.returned.get("From")) {
		if from, err := recipient.ParseEmail(f); err == nil && domain(from) == domain(to[0]) {
			return false
		}
	}
	return true
}

func domain(a recipient.Address) string {
	_, d, _ := strings.Cut(a.Value(), "@")
	return d
}

// lastResort takes the recipient of a mail to one person.
func (d *reader) lastResort(e recipient.Event) {
	for _, one := range [][]recipient.Address{d.failed(), d.withoutLists(d.originalTo())} {
		if len(one) == 1 {
			d.bounce(one[0], e, true)
			return
		}
		if len(one) > 1 {
			break
		}
	}
	d.batch.Reject(providers.Unresolved(name, "recipient"))
}

// failed returns what Exim and Gmail list.
func (d *reader) failed() []recipient.Address { return d.people(d.all("X-Failed-Recipients")...) }

// originalTo returns the recipients that the returned original names.
func (d *reader) originalTo() []recipient.Address {
	return d.people(append(d.returned.all("To"), d.returned.all("Cc")...)...)
}

// withoutLists leaves out the address of a mailing list by which the original
// went to its members: it names none of them.
func (d *reader) withoutLists(people []recipient.Address) (out []recipient.Address) {
	lists := d.people(append(d.returned.all("List-Post"), d.returned.all("X-BeenThere")...)...)
	for _, p := range people {
		if !slices.Contains(lists, p) {
			out = append(out, p)
		}
	}
	return out
}

// people returns the different addresses of the fields, without our own and
// without those that the reporter hid.
func (d *reader) people(fields ...string) (out []recipient.Address) {
	seen := map[recipient.Address]bool{}
	for _, f := range fields {
		for _, s := range addresses(f) {
			a, err := recipient.ParseEmail(s)
			if err != nil || seen[a] || d.own[a] || redacted(a) {
				continue
			}
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

var looseAddress = regexp.MustCompile(`[^\s<>"',;:()\[\]{}\\]+@[^\s<>"',;:()\[\]{}\\]+`)

// addresses returns the addresses of a header field, whatever its form.
func addresses(field string) (out []string) {
	if list, err := mail.ParseAddressList(field); err == nil {
		for _, a := range list {
			out = append(out, a.Address)
		}
		return out
	}
	return looseAddress.FindAllString(field, 20)
}

// redacted reports whether a reporter hid the address: "*@example.com".
func redacted(a recipient.Address) bool {
	local, _, _ := strings.Cut(a.Value(), "@")
	return strings.Contains(local, "*") || strings.Contains(local, "redacted") || strings.Trim(local, "x") == "" && len(local) > 2
}

var (
	comment = regexp.MustCompile(`\([^()]*\)`)
	hexRune = regexp.MustCompile(`\\x\{([0-9A-Fa-f]{2,6})\}`) // RFC 6533
)

// typed returns the address of "rfc822; <user@example.com> (comment)".
func typed(field string) string {
	kind, rest, ok := strings.Cut(field, ";")
	if !ok || strings.Contains(kind, "@") {
		kind, rest = "", field
	}
	rest = strings.TrimSpace(comment.ReplaceAllString(rest, ""))
	rest = strings.Trim(smtp.Bare(rest), `"' `)
	if strings.Contains(strings.ToLower(kind), "utf-8") {
		rest = hexRune.ReplaceAllStringFunc(rest, func(m string) string {
			n, err := strconv.ParseInt(m[3:len(m)-1], 16, 32)
			if err != nil {
				return m
			}
			return string(rune(n))
		})
	}
	// In xtext (RFC 3461) a plus and an equals sign are always written as codes.
	// Others are left: bob+22 is more likely a tag than a quotation mark.
	return strings.NewReplacer("+2B", "+", "+3D", "=").Replace(rest)
}

var digits = regexp.MustCompile(`[0-9]`)

// words returns the text of a Diagnostic-Code. Only the type smtp, or none,
// holds the codes of SMTP; other numbers mean something else.
func words(diagnostic string) string {
	kind, rest, ok := strings.Cut(diagnostic, ";")
	switch {
	case !ok:
		return diagnostic
	case strings.EqualFold(strings.TrimSpace(kind), "smtp"):
		return rest
	case strings.HasPrefix(strings.ToLower(strings.TrimSpace(kind)), "x-"):
		return digits.ReplaceAllString(rest, "")
	}
	return diagnostic
}

// transcript returns the last thing that the other server said in Sendmail's
// transcript of the session.
func transcript(text string) (said string) {
	for line := range strings.Lines(text) {
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), "<<< "); ok && smtp.BasicCode(s) != "" && s[0] >= '4' {
			said = s
		}
	}
	return said
}
