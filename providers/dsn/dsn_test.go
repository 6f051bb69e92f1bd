package dsn

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "a token in a header vouches for the poster; the mail itself is no proof"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// dsnMail is a delivery report whose recipient groups are given.
func dsnMail(groups string) string {
	return "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: bounce@bounces.example.net\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <r1@mx.example.net>\n" +
		"Content-Type: Multipart/Report; Report-Type=Delivery-Status; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n" +
		"Reporting-MTA: dns; mx.example.net\n\n" + groups + "\n--b\nContent-Type: message/rfc822\n\nFrom: news@example.net\nTo: a@example.com\nMessage-ID: <m1@example.net>\n\nHello\n--b--\n"
}

func group(status, diagnostic string) string {
	g := "Final-Recipient: rfc822; a@example.com\nAction: failed\nStatus: " + status + "\n"
	if diagnostic != "" {
		g += "Diagnostic-Code: " + diagnostic + "\n"
	}
	return g
}

func arfMail(fields, original string) string {
	return "From: fbl@isp.example\nTo: fbl@example.net\nMessage-ID: <f1@isp.example>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
		"--b\nContent-Type: message/feedback-report\n\n" + fields + "\n--b\nContent-Type: message/rfc822\n\n" + original + "\n\nHello\n--b--\n"
}

func plainMail(head, text string) string {
	return "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: bounce@bounces.example.net\nMessage-ID: <p1@mx.example.net>\n" + head + "\n" + text
}

var asMail = []string{"Content-Type", "message/rfc822"}

func TestReports(t *testing.T) {
	hard, soft := func(code string) string { return "hard_bounce a@example.com " + code }, func(code string) string { return strings.TrimSpace("soft_bounce a@example.com " + code) }
	cases := []providertest.Case{}
	add := func(title, mail, want string) {
		cases = append(cases, providertest.Case{Name: title, Body: mail, Header: asMail, Want: want})
	}
	for _, c := range []struct{ status, diagnostic, want string }{
		{"5.1.0", "", soft("5.1.0")}, {"5.1.0", "smtp; 550 5.1.0 user unknown", hard("5.1.0")},
		{"5.1.1", "", hard("5.1.1")}, {"5.1.2", "", hard("5.1.2")}, {"5.1.3", "", hard("5.1.3")}, {"5.1.6", "", hard("5.1.6")}, {"5.1.10", "", hard("5.1.10")},
		{"5.7.17", "", hard("5.7.17")}, {"5.7.18", "", hard("5.7.18")},
		{"5.1.4", "", soft("5.1.4")}, {"5.1.5", "", ""}, {"5.1.7", "", soft("5.1.7")}, {"5.1.8", "", soft("5.1.8")}, {"5.1.9", "", soft("5.1.9")},
		{"5.2.0", "", soft("5.2.0")}, {"5.2.1", "", soft("5.2.1")}, {"5.2.1", "smtp; 550 5.2.1 The email account is disabled", hard("5.2.1")},
		{"5.2.1", "smtp; 550 5.2.1 receiving mail too quickly, disabled", soft("5.2.1")},
		{"5.2.2", "", soft("5.2.2")}, {"5.2.3", "", soft("5.2.3")}, {"5.2.4", "", soft("5.2.4")}, {"5.3.0", "", soft("5.3.0")}, {"5.3.0", "smtp; 550 5.3.0 user unknown", hard("5.3.0")},
		{"5.3.4", "", soft("5.3.4")}, {"5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied", soft("5.4.1")}, {"5.4.4", "X-Postfix; Host or domain name not found. Name service error: Host not found", hard("5.4.4")}, {"5.4.4", "", soft("5.4.4")},
		{"5.4.310", "smtp; 550 5.4.310 DNS domain gone.example does not exist [Message=InfoDomainNonexistent]", hard("5.4.310")},
		{"5.4.7", "", soft("5.4.7")}, {"4.4.7", "X-Postfix; delivery temporarily suspended", soft("4.4.7")}, {"5.5.3", "", soft("5.5.3")}, {"5.6.7", "", soft("5.6.7")},
		{"5.7.1", "", soft("5.7.1")}, {"5.7.13", "", soft("5.7.13")}, {"5.7.26", "smtp; 550-5.7.26 unauthenticated", soft("5.7.26")}, {"5.7.27", "", soft("5.7.27")},
		{"5.0.0", "", soft("5.0.0")}, {"5.0.0 (permanent failure)", "smtp; 550 no such user", hard("5.0.0")}, {"5.0.0", "smtp; 550 5.1.1 gone", hard("5.1.1")},
		{"5.1.1", "smtp; 550 5.1.1 blocked by policy", soft("5.1.1")}, {"5.1.1", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient a@example.com not found by SMTP address lookup", hard("5.1.1")},
		{"5.0.350", "smtp;550 5.0.350 Remote server returned an error -> 550 user unknown", hard("5.0.350")}, {"5.7.509", "smtp;550 5.7.509 Access denied, sending domain does not pass DMARC", soft("5.7.509")},
		{"5.5.0", "smtp;550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", hard("5.5.0")}, {"5.7.1", "smtp;550 5.7.1 part of your network is on our block list (S3140)", soft("5.7.1")},
		{"5.0.0", "smtp; 554 delivery error: dd This user doesn't have a yahoo.com account (a@example.com) [-5]", hard("5.0.0")},
		{"5.0.0", "smtp; 554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30).", hard("5.0.0")},
		{"5.0.0", "x-unix; user unknown 550", hard("5.0.0")}, {"5.0.0", "smtp; 552 a", soft("5.0.0")}, {"", "smtp; 521 host takes no mail at RCPT TO", hard("521")},
		{"5.1.1", "smtp; 550 5.1.1 <spam.policy@example.com>: User unknown", hard("5.1.1")},
	} {
		add("status "+c.status+" "+c.diagnostic, dsnMail(group(c.status, c.diagnostic)), c.want)
	}
	for action, want := range map[string]string{"failed": "hard_bounce a@example.com 5.1.1", "FAILED": "hard_bounce a@example.com 5.1.1", "failed (gave up)": "hard_bounce a@example.com 5.1.1",
		"delayed": "soft_bounce a@example.com 5.1.1", "Delayed": "soft_bounce a@example.com 5.1.1", "delivered": "delivered a@example.com 5.1.1", "relayed": "", "expanded": "", "": "hard_bounce a@example.com 5.1.1"} {
		add("action "+action, dsnMail("Final-Recipient: rfc822; a@example.com\nAction: "+action+"\nStatus: 5.1.1\n"), want)
	}
	for field, want := range map[string]string{
		"Original-Recipient: rfc822;b@example.com\nFinal-Recipient: rfc822;a@example.com":                   "hard_bounce b@example.com 5.1.1",
		"Final-Recipient: RFC822; <a@example.com>":                                                          "hard_bounce a@example.com 5.1.1",
		"Final-Recipient:rfc822;a@example.com (Alice)":                                                      "hard_bounce a@example.com 5.1.1",
		"Final-Recipient: a@EXAMPLE.com":                                                                    "hard_bounce a@example.com 5.1.1",
		"Final-Recipient: unknown; a@example.com":                                                           "hard_bounce a@example.com 5.1.1",
		"Original-Recipient: rfc822;a+2Btag@example.com\nFinal-Recipient: rfc822;x@example.org":             "hard_bounce a+tag@example.com 5.1.1",
		"Original-Recipient: rfc822;a+22@example.com\nFinal-Recipient: rfc822;x@example.org":                "hard_bounce a+22@example.com 5.1.1",
		"Final-Recipient: utf-8; j\\x{f6}rg@example.com\nOriginal-Recipient: utf-8; j\\x{f6}rg@example.com": "hard_bounce jörg@example.com 5.1.1",
		"Final-Recipient: x400; /C=FI/A=x\nX-Actual-Recipient: rfc822; a@example.com":                       "hard_bounce a@example.com 5.1.1",
		"Final-Recipient: x400; /C=FI/A=x":                                                                  "hard_bounce a@example.com 5.1.1", // the mail went to one person
		"Final-Recipient: rfc822; forward@example.org":                                                      "soft_bounce forward@example.org 5.1.1",
		"Final-Recipient: rfc822; *@example.com":                                                            "hard_bounce a@example.com 5.1.1",
	} {
		add("recipient "+field, dsnMail(field+"\nAction: failed\nStatus: 5.1.1\n"), want)
	}
	add("two recipients", dsnMail("Final-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@example.com\nAction: delayed\nStatus: 4.2.2\n\nFinal-Recipient: rfc822; c@example.com\nAction: delivered\nStatus: 2.0.0\n"),
		"hard_bounce a@example.com 5.1.1; soft_bounce b@example.com 4.2.2; delivered c@example.com 2.0.0")
	add("two recipients, one unnamed", dsnMail("Final-Recipient: rfc822; b@example.com\nAction: failed\nStatus: 4.2.2\n\nAction: failed\nStatus: 5.1.1\n"), "soft_bounce b@example.com 4.2.2; !no_recipient")
	add("sendmail transcript", strings.Replace(dsnMail(group("5.0.0", "")), "Sorry.", "   ----- Transcript of session follows -----\n>>> RCPT To:<a@example.com>\n<<< 550 5.1.1 user unknown", 1), hard("5.1.1"))
	add("several in the original, none named", strings.Replace(dsnMail("Action: failed\nStatus: 5.1.1\n"), "To: a@example.com", "To: a@example.com, b@example.com", 1), "!no_recipient")
	add("returned mail is a report itself", "From: x@example.org\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\nLook at this.\n--o\nContent-Type: message/rfc822\n\n"+dsnMail(group("5.1.1", ""))+"\n--o--\n", "")
	add("bare status part", "From: gw@example.org\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"+group("5.1.1", ""), hard("5.1.1"))
	add("base64 status part", "From: gw@example.org\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte("Reporting-MTA: dns; x\n\n"+group("5.1.1", ""))), hard("5.1.1"))
	add("quoted-printable status part", "From: gw@example.org\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\n"+strings.ReplaceAll(group("5.1.1", ""), "@", "=40"), hard("5.1.1"))
	add("boundary without quotes", strings.Replace(strings.ReplaceAll(dsnMail(group("5.1.1", "")), "--b", "--b/1:2"), `"b"`, "b/1:2", 1), hard("5.1.1"))
	add("a broken header line", strings.Replace(dsnMail(group("5.1.1", "")), "From:", "this is no field\nFrom:", 1), hard("5.1.1"))
	add("mbox separator", "From MAILER-DAEMON Mon Jan  5 10:00:00 2026\n"+dsnMail(group("5.1.1", "")), hard("5.1.1"))
	add("no end", strings.TrimSuffix(dsnMail(group("5.1.1", "")), "--b--\n"), hard("5.1.1"))
	add("deep in other parts", "From: x@example.org\nContent-Type: multipart/mixed; boundary=o\n\n--o\n"+dsnMail(group("5.1.1", ""))+"\n--o--\n", hard("5.1.1"))
	add("read receipt", "From: x@example.org\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@example.com\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n", "")
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestComplaints(t *testing.T) {
	cases := []providertest.Case{}
	add := func(title, mail, want string) {
		cases = append(cases, providertest.Case{Name: title, Body: mail, Header: asMail, Want: want})
	}
	original := "From: news@example.net\nTo: a@example.com"
	for kind, want := range map[string]string{"abuse": "complaint", "Fraud": "complaint", "virus": "complaint", "other": "complaint", "": "complaint", "opt-out": "opt_out", "opt-out-list": "opt_out",
		"not-spam": "", "auth-failure": "", "dmarc": "", "new": ""} {
		if want != "" {
			want = strings.TrimSpace(want + " a@example.com " + strings.ToLower(kind))
		}
		add("type "+kind, arfMail("Feedback-Type: "+kind+"\nOriginal-Rcpt-To: <a@example.com>\n", original), want)
	}
	add("no type", arfMail("Version: 1\nOriginal-Rcpt-To: a@example.com\n", original), "complaint a@example.com")
	add("recipient missing", arfMail("Feedback-Type: abuse\n", original), "complaint a@example.com abuse")
	add("post to a list", arfMail("Feedback-Type: abuse\n", "From: owner@example.net\nTo: list@lists.example.net\nX-BeenThere: list@lists.example.net"), "!no_recipient")
	add("recipient hidden", arfMail("Feedback-Type: abuse\nOriginal-Rcpt-To: <*@example.com>\n", "From: news@example.net\nTo: redacted@example.com"), "!no_recipient")
	add("recipient twice", arfMail("Feedback-Type: abuse\nOriginal-Rcpt-To: <a@example.com>\nOriginal-Rcpt-To: A@example.com\n", original), "complaint a@example.com abuse")
	add("two recipients", arfMail("Feedback-Type: abuse\nOriginal-Rcpt-To: <a@example.com>\nOriginal-Rcpt-To: <b@example.com>\n", original), "!no_recipient")
	add("only our own addresses", arfMail("Feedback-Type: abuse\nOriginal-Rcpt-To: <fbl@example.net>\n", "From: news@example.net\nTo: news@example.net"), "!no_recipient")
	add("hidden, our return path knows", arfMail("Feedback-Type: abuse\nOriginal-Rcpt-To: <*@example.com>\nOriginal-Mail-From: <bounce+a=example.com@bounces.example.net>\n", "From: news@example.net\nTo: x"), "complaint a@example.com abuse")
	add("hidden, our header knows", arfMail("Feedback-Type: abuse\n", "From: news@example.net\nX-Strikeout-Id: a=example.com-abcdefghijklmnop"), "!no_recipient")
	add("jmrp", "From: staff@hotmail.example\nTo: fbl@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: <a@example.com>\nFrom: news@example.net\nTo: b@example.com\n\nHello\n--b--\n", "complaint a@example.com")
	add("jmrp as the mail itself", "From: news@example.net\nX-HmXmrOriginalRecipient: a@example.com\n\nHello", "complaint a@example.com")
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestPlain(t *testing.T) {
	const qmail = "Subject: failure notice\n"
	hi := "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
	copyOf := "\n--- Below this line is a copy of the message.\n\nReturn-Path: <news@example.net>\nFrom: news@example.net\nTo: a@example.com\nMessage-ID: <m1@example.net>\n\nuser unknown b@example.com\n"
	cases := []providertest.Case{}
	add := func(title, mail, want string) {
		cases = append(cases, providertest.Case{Name: title, Body: mail, Header: asMail, Want: want})
	}
	add("qmail no mailbox", plainMail(qmail, hi+"<a@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n"+copyOf), "hard_bounce a@example.com 5.1.1")
	add("qmail remote", plainMail(qmail, hi+"<a@example.com>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n"+copyOf), "hard_bounce a@example.com 5.1.1")
	add("qmail queue", plainMail(qmail, hi+"<a@example.com>:\nI'm not going to try again; this message has been in the queue too long. 550 user unknown\n"+copyOf), "soft_bounce a@example.com 550")
	add("qmail cname", plainMail(qmail, hi+"<a@example.com>:\nCNAME lookup failed temporarily. (#4.4.3)\n"+copyOf), "soft_bounce a@example.com 4.4.3")
	add("qmail host", plainMail(qmail, hi+"<a@example.com>:\nSorry, I couldn't find any host named example.com. (#5.1.2)\n"+copyOf), "hard_bounce a@example.com 5.1.2")
	add("qmail two", plainMail(qmail, hi+"<a@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n<b@example.com>:\nMailbox full (#5.2.2)\n"+copyOf), "hard_bounce a@example.com 5.1.1; soft_bounce b@example.com 5.2.2")
	exim := "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
	add("exim", plainMail("X-Failed-Recipients: a@example.com\nAuto-Submitted: auto-replied\n", exim+"  a@example.com\n    host mx1.example.com [192.0.2.25]\n    SMTP error from remote mail server after RCPT TO:<a@example.com>:\n    550 5.1.1 User unknown\n\n------ This is a copy of the message, including all the headers. ------\n\nFrom: news@example.net\nTo: a@example.com\n"), "hard_bounce a@example.com 5.1.1")
	add("exim unrouteable", plainMail("X-Failed-Recipients: a@example.com\n", exim+"  a@example.com\n    Unrouteable address\n"), "soft_bounce a@example.com")
	add("exim unknown local part", plainMail("X-Failed-Recipients: a@example.com\n", exim+"  a@example.com\n    unknown local-part \"a\" in domain \"example.com\"\n"), "hard_bounce a@example.com")
	add("exim timeout", plainMail("X-Failed-Recipients: a@example.com\n", exim+"  a@example.com\n    retry timeout exceeded\n"), "soft_bounce a@example.com")
	add("exim forward", plainMail("X-Failed-Recipients: f@example.org\n", exim+"  f@example.org\n    (generated from a@example.com)\n    550 5.1.1 User unknown\n"), "soft_bounce f@example.org 5.1.1")
	add("exim two", plainMail("X-Failed-Recipients: a@example.com, b@example.com\n", exim+"  a@example.com\n    550 5.1.1 User unknown\n\n  b@example.com\n    452 4.2.2 over quota\n"), "hard_bounce a@example.com 5.1.1; soft_bounce b@example.com 4.2.2")
	add("exim two, words after both", plainMail("X-Failed-Recipients: a@example.com, b@example.com\n", exim+"  a@example.com\n  b@example.com\n\n550 5.1.1 User unknown\n"), "soft_bounce a@example.com; soft_bounce b@example.com")
	add("gmail", plainMail("X-Failed-Recipients: a@example.com\nSubject: Delivery Status Notification (Failure)\n", "Delivery to the following recipient failed permanently:\n\n     a@example.com\n\nTechnical details of permanent failure:\nThe error that the other server returned was:\n550-5.1.1 The email account that you tried to reach does not exist. Please try\n550 5.1.1 double-checking\n\n----- Original message -----\n\nFrom: news@example.net\n"), "hard_bounce a@example.com 5.1.1")
	add("gmail delay", plainMail("X-Failed-Recipients: a@example.com\nSubject: Delivery Status Notification (Delay)\n", "This is an automatically generated Delivery Status Notification\n\nDelivery to the following recipient has been delayed:\n\n     a@example.com\n\nThe error was: 550 5.1.1 user unknown\n"), "soft_bounce a@example.com 5.1.1")
	add("sendmail", plainMail("Subject: Returned mail: see transcript for details\n", "   ----- The following addresses had permanent fatal errors -----\n<a@example.com>\n    (reason: 550 5.1.1 <a@example.com>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.com.:\n>>> RCPT To:<a@example.com>\n<<< 550 5.1.1 <a@example.com>... User unknown\n"), "hard_bounce a@example.com 5.1.1")
	add("sendmail two, only one unknown", plainMail("Subject: Returned mail: see transcript for details\n", "   ----- The following addresses had permanent fatal errors -----\n<a@example.com>\n    (reason: 550 5.1.1 <a@example.com>... User unknown)\n<b@example.com>\n    (reason: 552 5.2.2 full)\n\n   ----- Transcript of session follows -----\n<<< 550 5.1.1 <a@example.com>... User unknown\n"), "hard_bounce a@example.com 5.1.1; soft_bounce b@example.com 5.2.2")
	add("yahoo", plainMail("Subject: Failure Notice\n", "Sorry, we were unable to deliver your message to the following address.\n\n<a@example.com>:\n554: delivery error: dd This user doesn't have a yahoo.com account (a@example.com) [0]\n"), "hard_bounce a@example.com 554")
	add("domino", plainMail("Subject: DELIVERY FAILURE\n", "Your message\n\n  Subject: Hi\n\nwas not delivered to:\n\n  a@example.com\n\nbecause:\n\n  No such user here\n"), "hard_bounce a@example.com")
	add("zoho", plainMail("Subject: Undelivered Mail Returned to Sender\n", "A message that you sent could not be delivered to one or more of its recipients.\n\na@example.com, ERROR CODE :550 - 5.1.1 no such user\n"), "hard_bounce a@example.com 5.1.1")
	add("zoho, other words", plainMail("Subject: Undelivered Mail Returned to Sender\n", "A message that you sent could not be delivered to one or more of its recipients.\n\na@example.com Invalid Address, ERROR_CODE :550, ERROR_CODE :Requested action not taken: mailbox unavailable\n"), "soft_bounce a@example.com 550")
	add("exchange 5.5, another date", plainMail("Subject: Undeliverable: Hi\n", "Your message\n\n  To:      list@example.net\n  Subject: Hi\n\ndid not reach the following recipient(s):\n\na@example.com on Fri, 20 Jul 2001 11:08:59 -0700\n    The recipient name is not recognized\n\tMSEXCH:IMS:Example:MAIN:MX 0 (000C05A6) Unknown Recipient\n"), "hard_bounce a@example.com")
	add("post to a list", "From: ndr@mx.example.org\nReturn-Path: <>\nTo: list-bounces@example.net\nSubject: Mail delivery failed: returning message to sender\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nThis message was created automatically by mail delivery software.\n\nOne or more of the recipients are not a valid user of the system.\n--b\nContent-Type: message/rfc822\n\nFrom: owner@example.net\nTo: Our list <list@lists.example.net>\nList-Post: <mailto:list@lists.example.net>\nMessage-ID: <m1@example.net>\n\nHello\n--b--\n", "!no_recipient")
	add("exchange 5.5", plainMail("Subject: Undeliverable: Hi\n", "The following recipient(s) could not be reached:\n\n      a@example.com on 1/5/26 11:34:45 PM\n            Recipient Not Found\n            MSEXCH:IMC:SITE\n"), "hard_bounce a@example.com")
	add("an address in a sentence", plainMail("Subject: Undeliverable: Hi\n", "Please write to\nb@example.com on Monday 1/5/26.\n"), "!no_recipient")
	add("unnamed, one in the original", plainMail(qmail, "The mail system could not deliver it: 550 5.1.1 user unknown\n"+copyOf), "hard_bounce a@example.com 5.1.1")
	add("unnamed, several in the original", plainMail(qmail, "550 5.1.1 user unknown\n"+strings.Replace(copyOf, "To: a@example.com", "To: a@example.com, c@example.com", 1)), "!no_recipient")
	add("null return path, a person", "Return-Path: <>\nFrom: bob@example.org\nTo: news@example.net\n\nWrite to\n\nb@example.com\n\nmy old mailbox does not exist.\n", "soft_bounce b@example.com")
	add("a person about a parcel", "Return-Path: <bob@example.org>\nFrom: bob@example.org\n\nMy parcel was not delivered to\n\nb@example.com\n\nuser unknown\n", "")
	add("our return path knows better", plainMail("Delivered-To: bounce+q=example.com@bounces.example.net\n", hi+"<forward@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n"), "hard_bounce q@example.com 5.1.1")
	add("sendmail warning", plainMail("Subject: Warning: could not send message for past 4 hours\n", "The original message was received\n\n   ----- The following addresses had transient non-fatal errors -----\n<a@example.com>\n\n   ----- Transcript of session follows -----\n451 example.com: Name server timeout\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n"), "soft_bounce a@example.com 451")
	add("no daemon", "From: bob@example.org\nSubject: failure notice\n\na@example.com: 550 5.1.1 user unknown\n", "")
	for _, head := range []string{"Auto-Submitted: auto-replied\n", "X-Auto-Response-Suppress: All\n", "Precedence: auto_reply\n", "X-Autoreply: yes\n", "Subject: Out of office: x\n", "Subject: Abwesenheitsnotiz\n"} {
		add("auto reply "+head, "Return-Path: <>\nFrom: bob@example.org\nTo: news@example.net\n"+head+"\nMy old address\na@example.com\ndoes not exist any more.\n", "")
	}
	add("ordinary mail", "From: bob@example.org\nTo: news@example.net\nSubject: Question\n\nDoes a@example.com not exist?\n", "")
	add("header only", "From: bob@example.org\n", "")
	add("no mail", "hello", "!unreadable")
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestRelays(t *testing.T) {
	mail := dsnMail(group("5.1.1", ""))
	b64 := base64.StdEncoding.EncodeToString([]byte(mail))
	quoted := strings.NewReplacer("\n", `\n`, `"`, `\"`).Replace(mail)
	multi := "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + mail + "\r\n--x--\r\n"
	file := "--x\r\nContent-Disposition: form-data; name=\"message\"; filename=\"b.eml\"\r\n\r\n" + mail + "\r\n--x--\r\n"
	want := "hard_bounce a@example.com 5.1.1"
	providertest.Table(t, Info, providers.Set(), []providertest.Case{
		{Name: "text/plain", Body: mail, Header: []string{"Content-Type", "text/plain"}, Want: want},
		{Name: "octets", Body: mail, Header: []string{"Content-Type", "application/octet-stream"}, Want: want},
		{Name: "crlf", Body: strings.ReplaceAll(mail, "\n", "\r\n"), Header: asMail, Want: want},
		{Name: "curl's form", Body: mail, Header: []string{"Content-Type", "application/x-www-form-urlencoded"}, Want: want},
		{Name: "multipart", Body: multi, Header: []string{"Content-Type", "multipart/form-data; boundary=x"}, Want: want},
		{Name: "file", Body: file, Header: []string{"Content-Type", "multipart/form-data; boundary=x"}, Want: want},
		{Name: "json", Body: `{"body-mime":"` + quoted + `","recipient":"bounce@bounces.example.net"}`, Want: want},
		{Name: "json base64", Body: `{"id":1,"rcpt_to":"x@example.net","message":"` + b64 + `","base64":true}`, Want: want},
		{Name: "json of Postmark", Body: `{"OriginalRecipient":"bounce@bounces.example.net","RawEmail":"` + quoted + `"}`, Want: want},
		{Name: "json base64 unsaid", Body: `{"message":"` + b64 + `"}`, Want: want},
		{Name: "json without a mail", Body: `{"a":1}`, Want: "!unreadable"},
		{Name: "not json", Body: `{"a":`, Want: "!unreadable"},
		{Name: "envelope names the recipient", Body: strings.Replace(mail, "Final-Recipient: rfc822; a@example.com\n", "Final-Recipient: rfc822; z@example.org\n", 1),
			Header: []string{"Content-Type", "message/rfc822", "X-Original-To", "bounce+q=example.com@bounces.example.net"}, Want: "hard_bounce q@example.com 5.1.1"},
	})
}
