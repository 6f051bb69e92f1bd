// Package smtp classifies the replies of mail servers: whether the address is
// faulty (hard) or only this attempt, this message or this sender failed (soft).
//
// Enhanced status codes: RFC 3463, RFC 5248 and the IANA registry
// https://www.iana.org/assignments/smtp-enhanced-status-codes (read
// 2026-11-20). A 5.x.x code alone is not hard: most of class 5 is about the
// sender, the message or a policy.
package smtp

import (
	"regexp"
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

var (
	enhanced = regexp.MustCompile(`(?:^|[^0-9.])([245])\.(\d{1,3})\.(\d{1,3})(?:[^0-9.]|\.?$|\.[^0-9])`)
	basic    = regexp.MustCompile(`(?:^|[^0-9.])([245]\d\d)(?:[ \-#:;,]|$)`)
	quoted   = regexp.MustCompile(`<[^<>\s]+@[^<>\s]+>|[^\s<>"'(),;:]+@[^\s<>"'(),;:]+`)
)

// EnhancedCode returns the first enhanced status code in s, "" where there is none.
func EnhancedCode(s string) string {
	if m := enhanced.FindStringSubmatch(s); m != nil {
		return m[1] + "." + m[2] + "." + m[3]
	}
	return ""
}

// BasicCode returns the first three-digit reply code in s, "" where there is none.
func BasicCode(s string) string {
	if m := basic.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// table holds the codes of class 5 that decide alone, by "subject.detail".
// What is not listed is decided by the wording, and soft without any.
var table = map[string]bool{ // true: hard
	"1.1": true, "1.2": true, "1.3": true, "1.6": true, "1.10": true, // mailbox, domain, syntax, moved, null MX (RFC 7505)
	"7.17": true, "7.18": true, // the mailbox or domain has another owner now (RFC 7293)
	"1.4": false, "1.5": false, "1.7": false, "1.8": false, "1.9": false, // ambiguous; valid; sender's address
	"2.2": false, "2.3": false, "2.4": false, // full, message too long, list expansion
	"3.1": false, "3.2": false, "3.3": false, "3.4": false, "3.5": false, // the mail system
	"4.1": false, "4.2": false, "4.3": false, "4.5": false, "4.6": false, "4.7": false, // network and routing
	"5.1": false, "5.2": false, "5.3": false, "5.4": false, "5.5": false, "5.6": false, // protocol
}

// softSubjects decide whole subjects: content and policy say nothing of the address.
var softSubjects = map[string]bool{"6": true, "7": true}

// hardWords prove that the address is faulty, in a reply of class 5.
var hardWords = []string{
	"user unknown", "unknown user", "no such user", "no such recipient", "does not exist", "doesn't exist",
	"no mailbox here by that name", "mailbox not found", "invalid recipient", "invalid mailbox",
	"recipient not found", "address not found", "recipientnotfound", "not a valid mailbox",
	"account has been disabled", "account has been deactivated", "account has been closed",
	"domain not found", "nxdomain", "unknown local-part", "unknown local part", "unknown recipient", "no such mailbox", "user not found",
	"couldn't find any host named", "no such domain", "host unknown", "unknown host", "mailbox is disabled",
	"no such address", "unknown address", "recipient unknown", "null mx", "unknown mailbox",
}

// noAccount is Yahoo's wording: "This user doesn't have a yahoo.com account".
var noAccount = regexp.MustCompile(`user doesn't have an? .{0,80}account`)

// vetoWords turn every class 5 reply soft: the address was not the reason.
var vetoWords = []string{
	"spam", "blocked", "block list", "blocklist", "blacklist", "black list", "policy", "reputation", "rate limit", "ratelimit",
	"throttl", "greylist", "graylist", "grey list", "quota", "over limit", "too large", "content", "virus", "dmarc", "dkim",
	"relaying denied", "relay denied", "relay access denied", "relaying not allowed", "relay not permitted", "authentication",
	"temporar", "try again", "access denied", "listed at", "spamhaus", "barracuda", "sorbs", "spamcop",
	"sender address rejected", "sender rejected", "sender denied", "too many", "too quickly", "malware", "phish",
}

// vetoWhole are short words that must stand alone.
var vetoWhole = regexp.MustCompile(`\b(full|spf|rbl|dnsbl|urls?|links?)\b`)

var sender = regexp.MustCompile(`sender (address )?(rejected|denied|refused|verify|verification)|verify sender|rejected.{0,20}sender`)

// disabled are the words that make 5.2.1 hard.
var disabled = regexp.MustCompile(`disabled|deactivated|inactive|closed|terminated|suspended`)

// nodomain are the words that make 5.4.4 and its kin hard.
var nodomain = regexp.MustCompile(`does not exist|doesn't exist|nxdomain|domain not found|no such domain|host (or domain name )?not found|unknown host|host unknown`)

// Classify judges one reply. The enhanced code decides first, then the wording;
// what neither proves hard is soft.
func Classify(r Reply) Verdict {
	e, inText := EnhancedCode(r.Status), EnhancedCode(r.Text)
	if e == "" || generic(e) && inText != "" && !generic(inText) {
		e = firstOf(inText, e)
	}
	b := firstOf(BasicCode(r.Code), BasicCode(r.Text))
	code := firstOf(e, b)
	text := strings.ToLower(strings.Join(strings.Fields(quoted.ReplaceAllString(multiline(r.Text), " ")), " "))

	soft := func(rule string) Verdict { return Verdict{recipient.SoftBounce, rule, code} }
	hard := func(rule string) Verdict { return Verdict{recipient.HardBounce, rule, code} }

	class := "5"
	if code != "" {
		class = code[:1]
	}
	switch {
	case class != "5":
		return soft("smtp-class-" + class)
	case vetoed(text):
		return soft("smtp-veto")
	}
	if e != "" {
		_, sd, _ := strings.Cut(e, ".")
		subject, _, _ := strings.Cut(sd, ".")
		if isHard, ok := table[sd]; ok {
			if isHard {
				return hard("smtp-" + e)
			}
			return soft("smtp-" + e)
		}
		switch {
		case softSubjects[subject]:
			return soft("smtp-" + e)
		case sd == "2.1":
			if disabled.MatchString(text) {
				return hard("smtp-" + e + "-disabled")
			}
			return soft("smtp-" + e)
		case subject == "4":
			if nodomain.MatchString(text) {
				return hard("smtp-" + e + "-no-domain")
			}
			return soft("smtp-" + e)
		}
	}
	switch {
	case b == "552" || b == "551" && !worded(text):
		return soft("smtp-" + b)
	case e == "" && (b == "521" || b == "556") && !worded(text):
		// RFC 7504: the host accepts no mail. Without knowing that this was said of
		// the recipient it does not block.
		return soft("smtp-" + b)
	case worded(text):
		return hard("smtp-wording")
	// Outlook.com says so of unknown mailboxes, with a support code S20...
	case (strings.HasPrefix(e, "5.1.") || e == "5.5.0") && strings.Contains(text, "mailbox unavailable"):
		return hard("smtp-wording")
	}
	if code == "" {
		return soft("smtp-no-code")
	}
	return soft("smtp-" + code)
}

// generic codes say only "failed"; the text knows more.
func generic(e string) bool {
	return strings.HasSuffix(e, ".0.0") || e == "5.5.0" || e == "5.3.0" || strings.HasPrefix(e, "5.4.") || e == "5.1.0" || e == "5.2.0"
}

func worded(text string) bool {
	for _, w := range hardWords {
		if strings.Contains(text, w) {
			return true
		}
	}
	if noAccount.MatchString(text) {
		return true
	}
	return strings.Contains(text, "unrouteable address") && (strings.Contains(text, "unknown") || strings.Contains(text, "no such"))
}

func vetoed(text string) bool {
	for _, w := range vetoWords {
		if strings.Contains(text, w) {
			return true
		}
	}
	return vetoWhole.MatchString(text) || sender.MatchString(text)
}

var continued = regexp.MustCompile(`(?m)[\r\n]+\s*\d{3}[- ](\d\.\d{1,3}\.\d{1,3} )?`)

// multiline joins the lines of a reply, dropping the codes each repeats:
// Gmail wraps inside words of its own sentences.
func multiline(s string) string { return continued.ReplaceAllString(s, " ") }

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Bare returns the address in "Name <user@host>", "<user@host>" or "user@host",
// without white space; "" where there is none.
func Bare(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = s[i+1:]
		if j := strings.IndexByte(s, '>'); j >= 0 {
			s = s[:j]
		}
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"))
}

// MessageID returns a Message-ID without its angle brackets.
func MessageID(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		return s[1 : len(s)-1]
	}
	return s
}
