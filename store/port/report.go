package port

import (
	"errors"
	"fmt"

	"github.com/strikeout/strikeout/store"
)

// ErrNoKind says that neither the list nor its Config tells what it holds.
var ErrNoKind = errors.New("the list does not say what it holds: say contacts or suppressions")

var formatTitles = map[string]string{"strikeout_suppressions": "our own export of suppressions", "strikeout_contacts": "our own export of contacts", "ses": "Amazon SES, suppression list",
	"postmark": "Postmark, suppressions", "sendgrid_bounces": "SendGrid, bounces or blocks", "sendgrid_invalid_emails": "SendGrid, invalid e-mails", "sendgrid_spam_reports": "SendGrid, spam reports",
	"sendgrid_unsubscribes": "SendGrid, unsubscribes", "mailgun_bounces": "Mailgun, bounces", "mailgun_unsubscribes": "Mailgun, unsubscribes", "mailgun_complaints": "Mailgun, complaints",
	"listmonk_subscribers": "listmonk, subscribers", "listmonk_bounces": "listmonk, bounces", "mautic_do_not_contact": "Mautic, do not contact", "list": "a list of your own"}

// Title says for people whose list it is.
func (s Summary) Title() string { return formatTitles[s.Format] }

// Lines says for people what became of the list, or what would.
func (s Summary) Lines() []string {
	would := func(done, plan string) string {
		if s.DryRun {
			return plan
		}
		return done
	}
	lines := []string{fmt.Sprintf("%d records of %s: %s", s.Rows, s.Kind, s.Title())}
	add := func(always bool, n int, text string) {
		if n > 0 || always {
			lines = append(lines, fmt.Sprintf("%d %s", n, text))
		}
	}
	if s.Kind == Contacts {
		add(true, s.Created, "contacts "+would("added", "would be added"))
		add(true, s.Changed, "contacts "+would("changed", "would change"))
		add(true, s.Unchanged, "contacts stay as they are")
		add(false, s.Carried, "opt-outs "+would("went", "would go")+" along to a new address")
	}
	if s.Kind == Suppressions || s.Events+s.Known > 0 {
		most := ""
		if s.AtMost {
			most = ", at most: the list is long, and an address that is in it twice may count twice"
		}
		add(true, s.Blocked, "addresses "+would("are", "would be")+" newly blocked"+most)
		add(true, s.OptedOut, "addresses "+would("are", "would be")+" newly opted out"+most)
		add(false, s.OptedIn, "addresses "+would("are", "would be")+" opted in again, by dated consent")
		add(true, s.Events, would("new entries in the history", "entries would be new in the history"))
		add(true, s.Known, "entries are in the history already")
		add(false, s.Outweighed, "entries "+would("stand", "would stand")+" in the history alone: something later counts more")
		add(false, s.Undated, "entries have no date that can be read")
	}
	add(false, s.Ignored, "records say nothing against an address")
	return lines
}

// begun is the line of the audit log before an import. Like the others it names
// the file and numbers, never what it holds.
func begun(c Config, kind Kind) store.AuditEntry {
	return store.AuditEntry{Actor: c.By.Actor, Network: c.By.Network, Action: "import.begin", Object: string(kind), Detail: c.FileName}
}

// Ended is the line of the audit log after an import, whichever its end.
func Ended(name string, s Summary, err error, by store.By) store.AuditEntry {
	e := store.AuditEntry{Actor: by.Actor, Network: by.Network, Action: "import.end", Object: string(s.Kind),
		Detail: fmt.Sprintf("%s: %d records, %d rejected, %d contacts added, %d changed, %d newly blocked, %d newly opted out, %d opted in", name, s.Rows, s.Rejected, s.Created, s.Changed, s.Blocked, s.OptedOut, s.OptedIn)}
	if err != nil {
		e.Detail += "; it broke off"
	}
	return e
}

// Exported comes before the first byte.
func Exported(what Kind, by store.By) store.AuditEntry {
	return store.AuditEntry{Actor: by.Actor, Network: by.Network, Action: "export", Object: string(what)}
}
