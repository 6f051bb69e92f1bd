package smtp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
)

const (
	hard = recipient.HardBounce
	soft = recipient.SoftBounce
)

// TestEnhancedCodes goes through the registry's codes, each without words and
// with words that say the address is faulty.
func TestEnhancedCodes(t *testing.T) {
	tests := []struct {
		codes       string
		alone, with recipient.Kind // without words; with "user unknown"
	}{
		{"5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.7.17 5.7.18", hard, hard},
		{"5.1.0 5.1.11 5.1.90 5.1.351", soft, hard},
		{"5.1.4 5.1.5 5.1.7 5.1.8 5.1.9", soft, soft},
		{"5.2.0 5.2.5 5.2.121", soft, hard},
		{"5.2.1 5.2.2 5.2.3 5.2.4", soft, soft},
		{"5.3.0", soft, hard},
		{"5.3.1 5.3.2 5.3.3 5.3.4 5.3.5", soft, soft},
		{"5.4.0 5.4.1 5.4.316", soft, hard},
		{"5.4.2 5.4.3 5.4.4 5.4.5 5.4.6 5.4.7 5.4.310", soft, soft},
		{"5.5.0", soft, hard},
		{"5.5.1 5.5.2 5.5.3 5.5.4 5.5.5 5.5.6 5.5.7 5.5.99", soft, soft},
		{"5.6.0 5.6.1 5.6.2 5.6.3 5.6.4 5.6.5 5.6.6 5.6.7 5.6.8 5.6.9 5.6.10", soft, soft},
		{"5.7.0 5.7.1 5.7.2 5.7.3 5.7.4 5.7.5 5.7.6 5.7.7 5.7.8 5.7.9 5.7.10 5.7.11 5.7.12 5.7.13 5.7.14 5.7.15 5.7.16", soft, soft},
		{"5.7.19 5.7.20 5.7.21 5.7.22 5.7.23 5.7.24 5.7.25 5.7.26 5.7.27 5.7.28 5.7.29 5.7.30", soft, soft},
		{"5.7.133 5.7.134 5.7.509 5.7.606", soft, soft},
		{"5.0.0 5.0.350 5.8.1 5.9.9", soft, hard},
		{"4.0.0 4.1.1 4.1.10 4.2.1 4.2.2 4.4.1 4.4.7 4.7.0 4.7.17", soft, soft},
		{"2.0.0 2.1.5", soft, soft},
	}
	for _, tt := range tests {
		for _, code := range strings.Fields(tt.codes) {
			for text, want := range map[string]recipient.Kind{"": tt.alone, "user unknown": tt.with} {
				for how, r := range map[string]Reply{
					"field":   {Status: code, Text: text},
					"comment": {Status: code + " (status)", Text: text},
					"text":    {Text: strings.TrimSpace("550 " + code + " " + text)},
					"dsn":     {Status: code[:2] + "0.0", Text: strings.TrimSpace("smtp;550-" + code + " " + text)},
					"code":    {Code: code, Text: text},
				} {
					got := Classify(r)
					if got.Kind != want {
						t.Errorf("%s %s %q: got %s by %s, want %s", how, code, text, got.Kind, got.Rule, want)
					}
					if got.Code != code {
						t.Errorf("%s %s %q: Code %q", how, code, text, got.Code)
					}
				}
			}
		}
	}
}

// TestHardWords: each proves the fault under a code that says nothing, with a
// bare 550 and without any code; none counts in class 4 or beside a policy code.
func TestHardWords(t *testing.T) {
	n := 0
	for _, p := range phrases {
		if p.mark != faulty {
			continue
		}
		for _, w := range p.words {
			n++
			for how, tt := range map[string]struct {
				r    Reply
				want recipient.Kind
			}{
				"5.0.0":  {Reply{Status: "5.0.0", Text: w}, hard},
				"upper":  {Reply{Status: "5.0.0", Text: "smtp; 550 " + strings.ToUpper(w)}, hard},
				"550":    {Reply{Text: "550 " + w}, hard},
				"551":    {Reply{Text: "551 " + w}, hard},
				"553":    {Reply{Code: "553", Text: w}, hard},
				"554":    {Reply{Code: "554", Text: w}, hard},
				"bare":   {Reply{Text: w}, hard},
				"552":    {Reply{Text: "552 " + w}, soft},
				"450":    {Reply{Text: "450 " + w}, soft},
				"4.1.1":  {Reply{Status: "4.1.1", Text: w}, soft},
				"5.7.1":  {Reply{Status: "5.7.1", Text: w}, soft},
				"veto":   {Reply{Status: "5.0.0", Text: w + ", rejected by policy"}, soft},
				"sender": {Reply{Status: "5.0.0", Text: "sender: " + w}, soft},
			} {
				if got := Classify(tt.r); got.Kind != tt.want {
					t.Errorf("%s %q: got %s by %s, want %s", how, w, got.Kind, got.Rule, tt.want)
				}
			}
		}
	}
	if n < 30 {
		t.Fatalf("only %d words", n)
	}
}

// TestVetoWords: each turns even a 5.1.1 soft.
func TestVetoWords(t *testing.T) {
	for _, lists := range [][]struct {
		mark  mark
		words []string
	}{phrases, wholeWords} {
		for _, p := range lists {
			if p.mark != veto {
				continue
			}
			for _, w := range p.words {
				for _, text := range []string{w, "550 5.1.1 user unknown; (" + strings.ToUpper(w) + ")", "said: " + w + "."} {
					if got := Classify(Reply{Status: "5.1.1", Text: text}); got.Kind != soft || got.Rule != "smtp-veto" {
						t.Errorf("%q: got %s by %s", text, got.Kind, got.Rule)
					}
				}
			}
		}
	}
}

// TestWholeWords: short words count only when they stand alone.
func TestWholeWords(t *testing.T) {
	for _, text := range []string{"successfully looked up: user unknown", "fullname: no such user", "linked account: user unknown", "curl", "hurls", "_full_", "spf2"} {
		if got := Classify(Reply{Status: "5.1.1", Text: text}); got.Kind != hard {
			t.Errorf("%q: got %s by %s", text, got.Kind, got.Rule)
		}
	}
}

// TestSenders: what the words say of us, they do not say of the recipient.
func TestSenders(t *testing.T) {
	for _, text := range []string{
		"550 HELO domain does not exist", "550 From domain does not exist", "550 Your domain example.com does not exist",
		"550 the sending domain does not exist", "535 not a valid user or password", "530 unknown user", "550 the domain of the envelope from does not exist", "550 MAIL FROM: no such domain", "550 the sender does not exist", "550 EHLO host unknown",
	} {
		if got := Classify(Reply{Text: text}); got.Kind != soft {
			t.Errorf("%q: got %s by %s", text, got.Kind, got.Rule)
		}
	}
}

// TestHosts: the name of the server that said it is not what it said.
func TestHosts(t *testing.T) {
	for text, want := range map[string]recipient.Kind{
		"host d1.ess.barracudanetworks.com[192.0.2.1] said: 550 5.1.1 <a@example.com>: no such user (in reply to RCPT TO command)": hard,
		"Host MX1.SpamFilter.example[2001:db8::1] said: 550 5.1.1 user unknown":                                                    hard,
		"host mx.example.com[192.0.2.1] said: 550 5.1.1 blocked by spamfilter.example":                                             soft,
		"host spamhaus.example said: 550 5.1.1 user unknown":                                                                       soft,
		"550 5.4.4 host not found [spam]":                                                                                          soft,
		"550 5.1.2 host unknown":                                                                                                   hard,
		"host [":                                                                                                                   soft, "host x]": soft, "host ": soft, "host": soft,
	} {
		if got := Classify(Reply{Text: text}); got.Kind != want {
			t.Errorf("%q: got %s by %s", text, got.Kind, got.Rule)
		}
	}
}

func TestReplies(t *testing.T) {
	tests := []struct {
		name  string
		reply Reply
		want  Verdict
	}{
		{"nothing", Reply{}, Verdict{soft, "smtp-no-code", ""}},
		{"only 550", Reply{Code: "550"}, Verdict{soft, "smtp-550", "550"}},
		{"only 553", Reply{Text: "553 sorry"}, Verdict{soft, "smtp-553", "553"}},
		{"551 forward", Reply{Text: "551 User not local; please try <bob@example.net>"}, Verdict{soft, "smtp-551", "551"}},
		{"552", Reply{Text: "552 Requested mail action aborted"}, Verdict{soft, "smtp-552", "552"}},
		{"521 at connection", Reply{Text: "521 example.com does not accept mail"}, Verdict{soft, "smtp-521", "521"}},
		{"521 at RCPT", Reply{Text: "SMTP error from remote mail server after RCPT TO:<a@example.com>: 521 no mail here"}, Verdict{hard, "smtp-521", "521"}},
		{"556 at RCPT", Reply{Code: "556", Text: "RCPT TO: Domain does not accept mail"}, Verdict{hard, "smtp-556", "556"}},
		{"556 alone", Reply{Code: "556", Text: "Domain does not accept mail"}, Verdict{soft, "smtp-556", "556"}},
		{"556 null MX", Reply{Text: "556 5.1.10 Recipient address has null MX"}, Verdict{hard, "smtp-5.1.10", "5.1.10"}},
		{"null MX of the sender", Reply{Text: "550 5.7.27 Sender address has null MX"}, Verdict{soft, "smtp-5.7.27", "5.7.27"}},

		// Gmail, https://support.google.com/a/answer/3726730
		{"gmail unknown", Reply{Text: "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the recipient's email address for typos or\n550-5.1.1 unnecessary spaces. Learn more at\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser 4si123 - gsmtp"},
			Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"gmail disabled", Reply{Text: "550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser"},
			Verdict{hard, "smtp-5.2.1-disabled", "5.2.1"}},
		{"gmail rate", Reply{Text: "550-5.2.1 The user you are trying to contact is receiving mail at a rate that\n550 5.2.1 prevents additional messages from being delivered."}, Verdict{soft, "smtp-5.2.1", "5.2.1"}},
		{"gmail too quickly", Reply{Text: "450-4.2.1 The user you are trying to contact is receiving mail too quickly."}, Verdict{soft, "smtp-class-4", "4.2.1"}},
		{"gmail full", Reply{Text: "552-5.2.2 The email account that you tried to reach is over quota."}, Verdict{soft, "smtp-veto", "5.2.2"}},
		{"gmail out of space", Reply{Text: "452-4.2.2 The recipient's inbox is out of storage space."}, Verdict{soft, "smtp-class-4", "4.2.2"}},
		{"gmail unauthenticated", Reply{Text: "550-5.7.26 This mail has been blocked because the sender is unauthenticated."}, Verdict{soft, "smtp-veto", "5.7.26"}},
		{"gmail words split over lines", Reply{Status: "5.0.0", Text: "550-The account does not\r\n550 exist"}, Verdict{hard, "smtp-wording", "5.0.0"}},
		{"gmail lines joined", Reply{Status: "5.0.0", Text: "550-5.0.0 The account does not 550-5.0.0 exist here"}, Verdict{hard, "smtp-wording", "5.0.0"}},

		// Exchange and Microsoft 365, https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online
		{"exchange not found", Reply{Status: "5.1.10", Text: "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"}, Verdict{hard, "smtp-5.1.10", "5.1.10"}},
		{"exchange not found old", Reply{Text: "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"exchange wording only", Reply{Status: "5.0.0", Text: "RESOLVER.ADR.RecipientNotFound; not found"}, Verdict{hard, "smtp-wording", "5.0.0"}},
		{"edge blocking", Reply{Text: "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"}, Verdict{soft, "smtp-veto", "5.4.1"}},
		{"members only", Reply{Text: "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"}, Verdict{soft, "smtp-veto", "5.7.133"}},
		{"restricted", Reply{Text: "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox"}, Verdict{soft, "smtp-5.7.134", "5.7.134"}},
		{"banned IP", Reply{Text: "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"}, Verdict{soft, "smtp-veto", "5.7.606"}},
		{"dmarc", Reply{Text: "550 5.7.509 Access denied, sending domain does not pass DMARC verification"}, Verdict{soft, "smtp-veto", "5.7.509"}},
		{"remote text inside", Reply{Text: "550 5.0.350 Remote server returned an error -> 550 5.1.1 <a@example.com>: User unknown"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"remote text inside, temporary", Reply{Text: "550 5.0.350 Remote server returned an error -> 450 4.7.1 please wait"}, Verdict{soft, "smtp-class-4", "4.7.1"}},
		{"no domain", Reply{Text: "550 5.4.310 DNS domain nowhere.example does not exist [Message=InfoDomainNonexistent]"}, Verdict{hard, "smtp-5.4.310-no-domain", "5.4.310"}},
		{"no route", Reply{Text: "554 5.4.4 unable to route"}, Verdict{soft, "smtp-5.4.4", "5.4.4"}},
		{"no host", Reply{Status: "5.4.4", Text: "X-Postfix; Host or domain name not found. Name service error for name=nowhere.example type=A: Host not found"}, Verdict{hard, "smtp-5.4.4-no-domain", "5.4.4"}},
		{"nxdomain", Reply{Status: "5.4.4", Text: "DNS lookup failed: NXDOMAIN"}, Verdict{hard, "smtp-5.4.4-no-domain", "5.4.4"}},
		{"loop", Reply{Text: "554 5.4.14 Hop count exceeded - possible mail loop"}, Verdict{soft, "smtp-5.4.14", "5.4.14"}},
		{"group full", Reply{Text: "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient"}, Verdict{soft, "smtp-veto", "5.2.3"}},

		// Yahoo and AOL
		{"yahoo no account", Reply{Status: "5.0.0", Text: "554 delivery error: dd This user doesn't have a yahoo.com account (gone@yahoo.com) [0] - mta1.mail.bf1.yahoo.com"}, Verdict{hard, "smtp-wording", "5.0.0"}},
		{"yahoo no account, typographic", Reply{Code: "554", Text: "delivery error: dd This user doesn’t have an aol.com account"}, Verdict{hard, "smtp-wording", "554"}},
		{"yahoo disabled", Reply{Text: "554 30 Sorry, your message to gone@yahoo.com cannot be delivered. This mailbox is disabled (554.30)."}, Verdict{hard, "smtp-wording", "554"}},
		{"yahoo disabled, short", Reply{Text: "This mailbox is disabled (554.30)"}, Verdict{hard, "smtp-wording", "554"}},
		{"yahoo TSS", Reply{Text: "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints"}, Verdict{soft, "smtp-class-4", "4.7.0"}},
		{"yahoo TSS 553", Reply{Text: "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1"}, Verdict{soft, "smtp-5.7.1", "5.7.1"}},

		// Outlook.com, https://learn.microsoft.com/en-us/outlook/troubleshoot
		{"outlook unavailable", Reply{Text: "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)."}, Verdict{hard, "smtp-wording", "5.5.0"}},
		{"outlook reputation", Reply{Text: "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150)."}, Verdict{soft, "smtp-veto", "5.7.1"}},
		{"unavailable with 5.1.0", Reply{Text: "550 5.1.0 mailbox unavailable"}, Verdict{hard, "smtp-wording", "5.1.0"}},
		{"unavailable with bare 550", Reply{Text: "550 Requested action not taken: mailbox unavailable"}, Verdict{soft, "smtp-550", "550"}},
		{"unavailable with 5.2.0", Reply{Text: "550 5.2.0 mailbox unavailable"}, Verdict{soft, "smtp-5.2.0", "5.2.0"}},

		// Postfix, Exim, qmail, Sendmail
		{"postfix", Reply{Status: "5.1.1", Text: "smtp; 550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"postfix expired", Reply{Status: "4.4.1", Text: "X-Postfix; connect to mx.example.com[192.0.2.1]:25: Connection timed out"}, Verdict{soft, "smtp-class-4", "4.4.1"}},
		{"postfix host said", Reply{Text: "host mx.example.com[192.0.2.1] said: 550 No such user here (in reply to RCPT TO command)"}, Verdict{hard, "smtp-wording", "550"}},
		{"postfix relay", Reply{Text: "554 5.7.1 <a@example.com>: Relay access denied"}, Verdict{soft, "smtp-veto", "5.7.1"}},
		{"exim unrouteable", Reply{Text: "Unrouteable address"}, Verdict{soft, "smtp-no-code", ""}},
		{"exim unrouteable unknown", Reply{Text: "550 Unrouteable address: unknown local part"}, Verdict{hard, "smtp-wording", "550"}},
		{"exim no such", Reply{Text: "550-Unrouteable address\n550 (no such mailbox here)"}, Verdict{hard, "smtp-wording", "550"}},
		{"exim retry timeout", Reply{Text: "retry timeout exceeded"}, Verdict{soft, "smtp-no-code", ""}},
		{"exim sender verify", Reply{Text: "550-Verification failed for <a@sender.example>\n550-No such user here\n550 Sender verify failed"}, Verdict{soft, "smtp-veto", "550"}},
		{"exim banner", Reply{Text: "220 mx ESMTP Exim 4.94.2: 550 no such user"}, Verdict{soft, "smtp-class-2", "220"}},
		{"qmail", Reply{Text: "Sorry, no mailbox here by that name. (#5.1.1)"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"qmail gave up", Reply{Text: "I'm not going to try again; this message has been in the queue too long."}, Verdict{soft, "smtp-veto", ""}},
		{"qmail cname", Reply{Text: "CNAME lookup failed temporarily. (#4.4.3)"}, Verdict{soft, "smtp-class-4", "4.4.3"}},
		{"qmail no host", Reply{Text: "Sorry, I couldn't find any host named nowhere.example. (#5.1.2)"}, Verdict{hard, "smtp-5.1.2", "5.1.2"}},
		{"qmail no host without code", Reply{Text: "Sorry, I couldn’t find any host named nowhere.example."}, Verdict{hard, "smtp-wording", ""}},
		{"sendmail", Reply{Status: "5.3.0", Text: "X-Unix; 67"}, Verdict{soft, "smtp-5.3.0", "5.3.0"}},
		{"sendmail user unknown", Reply{Status: "5.3.0", Text: "550 5.3.0 <nobody@example.com>... User unknown"}, Verdict{hard, "smtp-wording", "5.3.0"}},
		{"sendmail sender domain", Reply{Text: "553 5.1.8 <a@sender.example>... Domain of sender address a@sender.example does not exist"}, Verdict{soft, "smtp-5.1.8", "5.1.8"}},
		{"sender domain without code", Reply{Text: "553 sorry, your envelope sender domain does not exist"}, Verdict{soft, "smtp-sender", "553"}},
		{"return path", Reply{Text: "550 Return-Path domain does not exist"}, Verdict{soft, "smtp-sender", "550"}},
		{"sender refused under 5.1.1", Reply{Text: "550 5.1.1 Rejected: this sender is not welcome"}, Verdict{soft, "smtp-veto", "5.1.1"}},
		{"sender far from the refusal", Reply{Text: "550 5.1.1 Recipient address rejected: User unknown. Whoever reads this may well tell the sender."}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"policy under 5.1.1", Reply{Text: "550 5.1.1 blocked by policy"}, Verdict{soft, "smtp-veto", "5.1.1"}},
		{"submitting account disabled", Reply{Text: "550 5.7.13 account has been disabled"}, Verdict{soft, "smtp-5.7.13", "5.7.13"}},

		// Two codes
		{"status generic, text knows", Reply{Status: "5.0.0", Text: "smtp; 550 5.1.1 x"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"status generic 5.4.1, text knows", Reply{Status: "5.4.1", Text: "smtp; 550 5.1.1 x"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"status generic, text temporary", Reply{Status: "5.0.0", Text: "smtp; 452 4.2.2 x"}, Verdict{soft, "smtp-class-4", "4.2.2"}},
		{"status specific, text other", Reply{Status: "5.2.2", Text: "smtp; 550 5.1.1 x"}, Verdict{soft, "smtp-5.2.2", "5.2.2"}},
		{"both generic", Reply{Status: "5.5.0", Text: "smtp; 550 5.0.0 user unknown"}, Verdict{hard, "smtp-wording", "5.5.0"}},
		{"gave up on a temporary failure", Reply{Status: "5.1.2", Text: "smtp; 450 4.1.2 Domain not found"}, Verdict{soft, "smtp-class-4", "5.1.2"}},
		{"temporary basic code", Reply{Text: "450 5.1.1 <a@example.com>: Recipient address rejected: User unknown"}, Verdict{soft, "smtp-class-4", "5.1.1"}},
		{"temporary code field", Reply{Status: "5.1.1", Code: "451"}, Verdict{soft, "smtp-class-4", "5.1.1"}},
		{"a number is no code", Reply{Status: "5.1.1", Text: "user unknown after 450 ms"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"basic code in the status field", Reply{Status: "550", Text: "No such user"}, Verdict{hard, "smtp-wording", "550"}},

		// Words in quoted addresses
		{"veto words in angle brackets", Reply{Text: "550 5.1.1 <Spam.Policy.Full@example.com>: User unknown"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"veto words in a bare address", Reply{Text: "550 5.1.1 spam+quota@virus.example: User unknown"}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"veto words in a quoted local part", Reply{Text: `550 5.1.1 <"spam policy"@example.com> User unknown`}, Verdict{hard, "smtp-5.1.1", "5.1.1"}},
		{"veto words after rfc822;", Reply{Text: "rfc822;full@spam.example (550 user unknown)"}, Verdict{hard, "smtp-wording", "550"}},
		{"veto words in parentheses", Reply{Text: "554 This user doesn't have a yahoo.com account (content@example.com)"}, Verdict{hard, "smtp-wording", "554"}},
		{"hard words in an address", Reply{Text: "550 <no-such-user@nxdomain.example> not now"}, Verdict{soft, "smtp-550", "550"}},
		{"hard words in a bare address", Reply{Text: "550 nxdomain@example.com not now"}, Verdict{soft, "smtp-550", "550"}},
		{"address between words", Reply{Text: "550 user <a@example.com> unknown"}, Verdict{hard, "smtp-wording", "550"}},
		{"bare address between words", Reply{Text: "550 user a@example.com unknown"}, Verdict{hard, "smtp-wording", "550"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Classify(tt.reply)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.want.Kind == hard != Classify(tt.reply).Hard() {
				t.Error("Hard disagrees with Kind")
			}
		})
	}
}

func TestExcuses(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{"", false}, {"550", false}, {"bounced", false}, {"550 5.1.1 user unknown", false}, {"550 5.0.0 no such user", false}, {"550 5.5.0 x", false},
		{"550 5.4.4 Host or domain name not found", false}, {"550 5.2.1 disabled", false}, {"554 5.0.0 x", false}, {"550 5.7.17 new owner", false},
		{"450 try later", true}, {"4.4.7 expired", true}, {"550 5.2.2 x", true}, {"550 5.2.1 x", true}, {"552 x", true}, {"535 x", true}, {"554 5.3.4 x", true}, {"554 5.6.0 x", true},
		{"550 5.7.1 x", true}, {"553 5.1.8 x", true}, {"550 Administrative prohibition", true}, {"550 5.1.1 blocked by policy", true}, {"mailbox full", true}, {"rejected as spam", true},
		{"550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", false}, {"550 5.4.1 [a@example.com]: Recipient address rejected: Access denied", false},
		{"550 5.4.1 All recipient addresses rejected : Access denied", true}, {"550 5.7.1 Recipient address rejected: Access denied", true},
		{"552 1 Requested mail action aborted, mailbox not found", false}, {"552 Mailbox not found, or over quota", true}, {"552 Requested mail action aborted: exceeded storage allocation", true},
		{"550 The sender's domain does not exist", true}, {"553 Return-Path domain does not exist", true},
		{"550 Recipient mailbox storage limit exceeded", true}, {"The recipient's inbox is out of storage space", true}, {"550 insufficient disk space", true},
		{"554 Message size exceeds the limit", true}, {"550 Domain frequency limited", true}, {"554 5.0.0 Delivery attempts timed out", true},
	}
	for _, tt := range tests {
		if got := Excuses(Reply{Text: tt.text}); got != tt.want {
			t.Errorf("Excuses(%q) = %v", tt.text, got)
		}
	}
}

func TestEnhancedCode(t *testing.T) {
	tests := []struct{ in, want string }{
		{"5.1.1", "5.1.1"}, {"550 5.1.1 x", "5.1.1"}, {"550-5.1.10 x", "5.1.10"}, {"(#5.1.1)", "5.1.1"}, {"smtp;5.4.310", "5.4.310"},
		{"5.1.1.", "5.1.1"}, {"5.1.1. Bad", "5.1.1"}, {"4.4.7 (expired)", "4.4.7"}, {"[2.1.5]", "2.1.5"}, {"code=5.7.1,", "5.7.1"},
		{"", ""}, {"5", ""}, {"5.1", ""}, {"5.1.", ""}, {"3.1.1", ""}, {"15.1.1", ""}, {"5.1.1.1", ""}, {"1.5.1.1", ""}, {"192.0.5.1", ""},
		{"5.2.0.1 5.1.1", "5.1.1"}, {"Exim 4.94.2", ""}, {"v5.1.1", ""}, {"5.1.1111", ""}, {"5.0.2195.6713", ""},
	}
	for _, tt := range tests {
		if got := EnhancedCode(tt.in); got != tt.want {
			t.Errorf("EnhancedCode(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestBasicCode(t *testing.T) {
	tests := []struct{ in, want string }{
		{"550", "550"}, {"550 x", "550"}, {"550-5.1.1", "550"}, {"550: x", "550"}, {"(550) x", "550"}, {"550. x", "550"}, {"554.30", "554"},
		{"smtp;550 x", "550"}, {"said: 421 x", "421"}, {"<<< 550 x", "550"}, {"server answered 550 x", "550"}, {"250 ok", "250"}, {"550\r\nx", "550"},
		{"after 450 seconds: 550 x", "550"}, {"Error 550", "550"},
		{"", ""}, {"55", ""}, {"5500", ""}, {"1550", ""}, {"550x", ""}, {"x550", ""}, {"350 x", ""}, {"250.1.2.3", ""}, {"1.250", ""}, {"2026-450 ", ""}, {"599", "599"},
	}
	for _, tt := range tests {
		if got := BasicCode(tt.in); got != tt.want {
			t.Errorf("BasicCode(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestBare(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a@example.com", "a@example.com"}, {" <a@example.com> ", "a@example.com"}, {"A B <a@example.com>", "a@example.com"},
		{`"B <x>" <a@example.com>`, "a@example.com"}, {"<mailto:a@example.com>", "a@example.com"}, {"<a@example.com", "a@example.com"},
		{"", ""}, {"<>", ""}, {"  ", ""},
		{`"B, b@example.com" <a@example.com>`, "a@example.com"}, {"b@example.com <a@example.com>", "a@example.com"}, {"B, A <a@example.com>", "a@example.com"}, {"<a@example.com> (A)", "a@example.com"},
		{"B <b@example.com>, A <a@example.com>", "B <b@example.com>, A <a@example.com>"}, {`"B" <b@example.com>; "A" <a@example.com>`, `"B" <b@example.com>; "A" <a@example.com>`},
		{"b@example.com, A <a@example.com>", "b@example.com, A <a@example.com>"}, {"A <a@example.com>, b@example.com", "A <a@example.com>, b@example.com"},
	}
	for _, tt := range tests {
		if got := Bare(tt.in); got != tt.want {
			t.Errorf("Bare(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMessageID(t *testing.T) {
	for in, want := range map[string]string{"<a@b>": "a@b", " <a@b>\r\n": "a@b", "a@b": "a@b", "<a": "<a", "<>": "", "": "", "<": "<", ">": ">"} {
		if got := MessageID(in); got != want {
			t.Errorf("MessageID(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestLongReply: a transcript of any size is read in bounded time, and what
// stands beyond the limit does not count.
func TestLongReply(t *testing.T) {
	long := "550 " + strings.Repeat("x ", maxText) + "user unknown"
	if got := Classify(Reply{Text: long}); got.Kind != soft {
		t.Errorf("got %s by %s", got.Kind, got.Rule)
	}
	if got := Classify(Reply{Text: "550 user unknown " + strings.Repeat("@", maxText)}); got.Kind != hard {
		t.Errorf("got %s by %s", got.Kind, got.Rule)
	}
}

// TestAutomaton holds the one-pass search against the plain one.
func TestAutomaton(t *testing.T) {
	for _, p := range phrases {
		for _, w := range p.words {
			text := "..." + w + "..."
			var want mark
			for _, q := range phrases {
				for _, v := range q.words {
					if strings.Contains(text, v) {
						want |= q.mark
					}
				}
			}
			for _, q := range wholeWords {
				for _, v := range q.words {
					if strings.Contains(" "+strings.NewReplacer(".", " ", "-", " ").Replace(text)+" ", " "+v+" ") {
						want |= q.mark
					}
				}
			}
			if got := read(text).marks; got != want {
				t.Errorf("%q: marks %b, want %b", w, got, want)
			}
		}
	}
	for _, p := range phrases {
		for _, w := range p.words {
			for i := range len(w) {
				if class[w[i]] == 0 || class[w[i]] >= classes {
					t.Errorf("%q: byte %q has no class", w, w[i])
				}
			}
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"550 5.1.1 user unknown", "smtp;550-5.1.1 a\r\n550 5.1.1 b", "<a@b>", "@", "doesn’t", "<\"a b\"@c> full", "5.0.350 -> 450 4.7.1"} {
		f.Add("5.0.0", "550", s)
	}
	f.Fuzz(func(t *testing.T, status, code, text string) {
		v := Classify(Reply{Status: status, Code: code, Text: text})
		if v.Kind != hard && v.Kind != soft || !strings.HasPrefix(v.Rule, "smtp-") {
			t.Errorf("%+v", v)
		}
		if v.Hard() && v.Code != "" && v.Code[0] != '5' {
			t.Errorf("hard by class %s", v.Code)
		}
		if w := Classify(Reply{Status: status, Code: code, Text: text + " blocked by policy"}); w.Hard() && len(text) < maxText-100 {
			t.Errorf("hard in spite of a veto: %+v", w)
		}
		for _, c := range []string{EnhancedCode(text), BasicCode(text), Bare(text), MessageID(text)} {
			if !strings.Contains(text, c) {
				t.Errorf("%q is not in the text", c)
			}
		}
		line := string(plain(nil, text))
		if strings.Contains(line, "  ") || strings.ContainsAny(line, "\r\n\t") {
			t.Errorf("not one line: %q", line)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	for name, r := range map[string]Reply{
		"short":   {Status: "5.1.1", Code: "550", Text: "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown"},
		"gmail":   {Text: "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the recipient's email address for typos or\n550-5.1.1 unnecessary spaces. Learn more at\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser 4si123 - gsmtp"},
		"wording": {Code: "554", Text: "delivery error: dd This user doesn't have a yahoo.com account (gone@yahoo.com) [0] - mta1.mail.bf1.yahoo.com"},
		"empty":   {},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Classify(r)
			}
		})
	}
}
