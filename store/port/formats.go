package port

import (
	"slices"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
)

// format is whose list it is, told by the header.
type format struct {
	name string
	kind Kind
	need []string        // these columns are there (listcsv.Plain)
	only bool            // and no other
	cols map[role]string // roles of columns, where the names alone would not tell
	// facts reads what a row says; nil: by the column of kinds.
	facts func(r *row) ([]fact, error)
}

// fact is one thing that a row says about its addresses.
type fact struct {
	kind   recipient.Kind
	date   string // as it stands there
	code   string
	detail string
}

// formats are tried in this order.
//
// Where the headers come from: documentation as it is known to us, not always an
// export that we made ourselves. Tools rename columns now and then; what does not
// fit any more is a plain list, whose columns can be named, and a row of which
// nothing can be used is rejected, with its reason.
//
//   - Strikeout: export.go of this package.
//   - Amazon SES: the members of ListSuppressedDestinations, which its console and
//     "aws sesv2 list-suppressed-destinations" print: EmailAddress, Reason (BOUNCE
//     or COMPLAINT), LastUpdateTime.
//     https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SuppressedDestinationSummary.html
//   - Postmark: GET /message-streams/{id}/suppressions/dump: EmailAddress,
//     SuppressionReason (HardBounce, SpamComplaint, ManualSuppression), Origin
//     (Recipient, Customer, Admin), CreatedAt.
//     https://postmarkapp.com/developer/api/suppressions-api
//   - SendGrid: "Download as CSV" of Suppressions: bounces and blocks have the same
//     columns status, reason, email, created (seconds since 1970); invalid emails
//     lack status; spam reports have ip, email, created; unsubscribes email, created.
//     https://github.com/SparkPost/sparkpost-cli/blob/master/sendgrid-suppresions.md
//   - Mailgun: the members of its suppressions API, which its CSV import takes:
//     address, code, error, created_at; address, tags, created_at; address,
//     created_at. Dates are RFC 1123.
//     https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/suppressions
//   - listmonk: cmd/subscribers.go writes uuid, email, name, attributes, status,
//     created_at, updated_at; a bounce has type (hard, soft, complaint) and source.
//     https://github.com/knadh/listmonk
//   - Mautic: table lead_donotcontact; reason is 0 contactable, 1 unsubscribed,
//     2 bounced, 3 manual (LeadBundle/Entity/DoNotContact.php).
//     https://github.com/mautic/mautic
var formats = []format{
	{name: "strikeout_suppressions", kind: Suppressions, need: suppressionHeader, facts: ownFacts},
	{name: "strikeout_contacts", kind: Contacts, need: contactHeader},
	{name: "ses", kind: Suppressions, need: []string{"emailaddress", "reason", "lastupdatetime"}, cols: map[role]string{roleKind: "reason", roleDate: "lastupdatetime"}},
	{name: "postmark", kind: Suppressions, need: []string{"emailaddress", "suppressionreason", "origin"}, cols: map[role]string{roleKind: "suppressionreason", roleDate: "createdat"}, facts: postmarkFacts},
	{name: "sendgrid_bounces", kind: Suppressions, need: []string{"status", "reason", "email", "created"}, cols: sendgridColumns, facts: sendgridFacts},
	{name: "sendgrid_invalid_emails", kind: Suppressions, need: []string{"reason", "email", "created"}, only: true, cols: sendgridColumns, facts: always(recipient.HardBounce)},
	{name: "sendgrid_spam_reports", kind: Suppressions, need: []string{"ip", "email", "created"}, only: true, cols: sendgridColumns, facts: always(recipient.Complaint)},
	{name: "sendgrid_unsubscribes", kind: Suppressions, need: []string{"email", "created"}, only: true, cols: sendgridColumns, facts: always(recipient.OptOut)},
	{name: "mailgun_bounces", kind: Suppressions, need: []string{"address", "code", "error"}, cols: mailgunColumns, facts: always(recipient.HardBounce)},
	{name: "mailgun_unsubscribes", kind: Suppressions, need: []string{"address", "tags"}, cols: mailgunColumns, facts: always(recipient.OptOut)},
	{name: "mailgun_unsubscribes", kind: Suppressions, need: []string{"address", "tag"}, cols: map[role]string{roleEmail: "address", roleDate: "createdat", roleCode: "tag"}, facts: always(recipient.OptOut)},
	{name: "mailgun_complaints", kind: Suppressions, need: []string{"address", "createdat"}, only: true, cols: mailgunColumns, facts: always(recipient.Complaint)},
	{name: "listmonk_subscribers", kind: Contacts, need: []string{"uuid", "email", "name", "attributes", "status"}, cols: map[role]string{roleID: "uuid", roleKind: "status", roleDate: "updatedat"}},
	{name: "listmonk_bounces", kind: Suppressions, need: []string{"email", "type", "source", "createdat"}, cols: map[role]string{roleKind: "type", roleDate: "createdat"}},
	{name: "mautic_do_not_contact", kind: Suppressions, need: []string{"reason", "channel", "dateadded"}, cols: map[role]string{roleKind: "reason", roleChannel: "channel", roleDate: "dateadded", roleDetail: "comments"}, facts: mauticFacts},
}

var (
	sendgridColumns = map[role]string{roleDate: "created", roleDetail: "reason", roleCode: "status"}
	mailgunColumns  = map[role]string{roleEmail: "address", roleDate: "createdat", roleDetail: "error", roleCode: "code"}
)

// recognise returns the format that a header belongs to.
func recognise(header []string) *format {
	plain := make([]string, len(header))
	for i, n := range header {
		plain[i] = listcsv.Plain(n)
	}
	for i := range formats {
		f := &formats[i]
		fits := func(n string) bool { return slices.Contains(plain, listcsv.Plain(n)) }
		if !slices.ContainsFunc(f.need, func(n string) bool { return !fits(n) }) && (!f.only || len(plain) == len(f.need)) {
			return f
		}
	}
	return nil
}

// always reads lists that hold one thing.
func always(k recipient.Kind) func(*row) ([]fact, error) {
	return func(r *row) ([]fact, error) {
		return []fact{{kind: k, date: r.get(roleDate), code: r.get(roleCode), detail: r.get(roleDetail)}}, nil
	}
}

// postmarkFacts: what the recipient did by hand is an unsubscribe, what the
// customer did is a wish not to write; both opt out.
func postmarkFacts(r *row) ([]fact, error) {
	k, ok := word(r.get(roleKind))
	if !ok {
		return nil, errWord
	}
	return []fact{{kind: k, date: r.get(roleDate), code: r.get(roleKind)}}, nil
}

// sendgridFacts tells bounces from blocks, which have the same columns: by the
// name of the file where that says it, else by the status. A block is about the
// sender or the moment and blocks nobody; of bounces those are hard that are not
// about policy (5.7.x) and not temporary (RFC 3463).
func sendgridFacts(r *row) ([]fact, error) {
	status, name := r.get(roleCode), strings.ToLower(r.p.cfg.FileName)
	f := fact{kind: recipient.SoftBounce, date: r.get(roleDate), code: status, detail: r.get(roleDetail)}
	policy := strings.HasPrefix(status, "4") || strings.HasPrefix(status, "5.7.")
	switch {
	case strings.Contains(name, "block"), policy:
	case strings.Contains(name, "bounce"), strings.HasPrefix(status, "5.1."), strings.HasPrefix(status, "5.4."), status == "5.2.1", status == "5.0.0" && mentionsMailbox(f.detail):
		f.kind = recipient.HardBounce
	}
	return []fact{f}, nil
}

// mentionsMailbox reports whether a server's words are about an address that does
// not exist.
func mentionsMailbox(s string) bool {
	s = strings.ToLower(s)
	for _, w := range []string{"user unknown", "unknown user", "does not exist", "no such user", "mailbox unavailable", "mailbox not found", "recipient not found", "invalid recipient", "no such recipient"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// mauticFacts reads the number of the table, or the words of a report.
func mauticFacts(r *row) ([]fact, error) {
	v := r.get(roleKind)
	k, ok := map[string]recipient.Kind{"0": nothing, "1": recipient.OptOut, "2": recipient.HardBounce, "3": recipient.OptOut}[v]
	if !ok {
		if k, ok = word(v); !ok {
			return nil, errWord
		}
	}
	return []fact{{kind: k, date: r.get(roleDate), code: v, detail: r.get(roleDetail)}}, nil
}

// ownFacts reads what this package exports. A suppression without a time came
// from an echo and is one again.
func ownFacts(r *row) ([]fact, error) {
	var out []fact
	if yes(r.named("blocked")) {
		out = append(out, fact{kind: recipient.Block, date: r.named("blocked_at")})
	}
	if !yes(r.named("opted_out")) {
		return out, nil
	}
	at, complained := r.named("opted_out_at"), r.named("complained_at")
	if complained != "" {
		out = append(out, fact{kind: recipient.Complaint, date: complained})
	}
	if at != "" || complained == "" {
		out = append(out, fact{kind: recipient.OptOut, date: at})
	}
	return out, nil
}
