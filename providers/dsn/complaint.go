package dsn

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// feedback translates Feedback-Type (RFC 5965, RFC 6591 and old drafts). What
// is not listed is not a person's complaint.
var feedback = map[string]recipient.Kind{
	"abuse": recipient.Complaint, "fraud": recipient.Complaint, "virus": recipient.Complaint, "other": recipient.Complaint, "": recipient.Complaint,
	"opt-out": recipient.OptOut, "opt-out-list": recipient.OptOut,
}

// complaint reads a report in the Abuse Reporting Format.
func (d *reader) complaint() {
	var f header
	for rest := d.feedback[0].decoded(); len(f) == 0 && len(rest) > 0; {
		f, rest = readHeader(rest)
	}
	e := d.event
	kind := strings.ToLower(strings.TrimSpace(f.get("Feedback-Type")))
	if e.Kind = feedback[kind]; e.Kind == "" {
		return
	}
	e.Code, e.Rule = kind, "arf-feedback-type"
	e.IDParts = []string{e.EventID, "feedback", kind}
	for _, v := range f.all("Original-Mail-From") {
		for _, a := range addresses(v) {
			d.paths = append(d.paths, a)
			if p, err := recipient.ParseEmail(a); err == nil {
				d.own[p] = true
			}
		}
	}
	d.addPerson(e, "Original-Rcpt-To", f.all("Original-Rcpt-To"), f.all("Removal-Recipient"))
}

// outlook is the field in which Outlook.com's JMRP names the person who
// complained, in the returned mail.
const outlook = "X-HmXmrOriginalRecipient"

// jmrp reads a complaint of Outlook.com, which sends no feedback part.
func (d *reader) jmrp() bool {
	fields := append(d.returned.all(outlook), d.all(outlook)...)
	if len(fields) == 0 {
		return false
	}
	e := d.event
	e.Kind, e.Rule, e.IDParts = recipient.Complaint, "jmrp", []string{e.EventID, "feedback"}
	d.addPerson(e, outlook, fields)
	return true
}

// addPerson adds a complaint of the one person that our own return path or the
// fields name. Where several are named we cannot know who it was.
func (d *reader) addPerson(e recipient.Event, field string, candidates ...[]string) {
	if a, ok := d.owner(); ok {
		e.Address = a
		d.batch.Add(e)
		return
	}
	candidates = append(candidates, d.returned.all(outlook), d.returned.all("To"))
	for _, c := range candidates {
		one := d.withoutLists(d.people(c...))
		if len(one) == 1 {
			e.Address = one[0]
			d.batch.Add(e)
			return
		}
		if len(one) > 1 {
			break
		}
	}
	d.batch.Reject(providers.Unresolved(name, field))
}
