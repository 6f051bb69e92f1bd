package dsn

import (
	"encoding/base64"
	"io"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/recipient"
)

// What a Postfix needs to hand mail over. Any exit code but 75 would make it
// give the mail up.
const (
	script = `#!/bin/sh
curl -sf -H 'Content-Type: message/rfc822' -H "X-Original-To: $1" --data-binary @- '{url}' || exit 75`
	transport = `strikeout unix - n n - 10 pipe
  flags=DOR user=nobody argv=/usr/local/bin/to-strikeout ${recipient}`
)

// Info describes raw bounce mail.
var Info = providers.Info{
	Name:      name,
	Title:     "Bounce mail (DSN, ARF)",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://www.rfc-editor.org/rfc/rfc3464",
	Signing:   providers.SignsOption,
	BodyLimit: 20 << 20, // a whole mail with its attachments
	Settings: append([]providers.Setting{
		{Name: VerpSetting, Help: "Makes return paths that prove whose bounce a mail is, and checks them. With it set, a bounce without such a proof counts as soft and blocks nobody. The first value makes new return paths, all of them are accepted.", List: true},
	}, token.Settings("the Authorization header of whatever posts the mail")...),
	RetryNote: "It is your own mail server that posts: on 503 it should keep the mail in its queue and try again.",
	Setup: []string{
		"Give bounces a mailbox of their own on a domain whose MX is your mail server, such as bounce@bounces.example.net, and use it as the envelope sender (Return-Path) of your mail.",
		"Set verp_secret to a long random text and mint one return path for every recipient: anybody can write a mail that looks like a bounce, and without verp_secret such a mail blocks. `strikeout link ADDRESS --return-path bounce@bounces.example.net` makes one; docs/return-paths.md says how programs do.",
		"Let the mail server hand every mail to that mailbox, with all its +addresses, to Strikeout: post the whole mail with the content type message/rfc822 to {url}, the envelope recipient in the header X-Original-To; or pipe it to `strikeout dsn`.",
		"With Postfix, a script such as /usr/local/bin/to-strikeout keeps the mail in the queue while Strikeout cannot store it (exit code 75):\n" + script,
		"In master.cf the script becomes a transport, which transport_maps chooses for the domain of the mailbox; main.cf needs strikeout_destination_recipient_limit = 1:\n" + transport,
		"Inbound relays work too when they post the raw mail in a field: email (SendGrid, raw), body-mime (Mailgun), message with base64 (Postal), RawEmail (Postmark).",
		"Register the same mailbox, or one like it, at the feedback loops of Yahoo, Outlook.com (JMRP) and others; their reports are read here.",
	},
	Events: []string{"every mail to the mailbox for bounces and complaints"},
	Mapping: []providers.Mapping{
		{Report: "Action: failed, and the code or the words say that the address is faulty", Kind: recipient.HardBounce, Note: "5.1.1, 5.1.2, 5.1.3, 5.1.6, 5.1.10, 5.7.17, 5.7.18; 5.2.1 that says disabled; \"user unknown\" and the like. Never against words of policy, spam, quota. With verp_secret only with its proof"},
		{Report: "Action: failed, anything else; Action: delayed", Kind: recipient.SoftBounce},
		{Report: "Action: delivered", Kind: recipient.Delivered},
		{Report: "Action: relayed, expanded"},
		{Report: "bounces of qmail, Exim, Sendmail, Gmail, Exchange, Domino without a delivery report", Kind: recipient.SoftBounce, Note: "hard by the same codes and words, for the addresses they name"},
		{Report: "Feedback-Type abuse, fraud, virus, other or missing; Outlook.com's JMRP", Kind: recipient.Complaint},
		{Report: "Feedback-Type opt-out, opt-out-list", Kind: recipient.OptOut},
		{Report: "Feedback-Type not-spam, auth-failure, dmarc and all others; absence notes, read receipts, every other mail"},
	},
	Gaps: []string{
		"Mail is no proof. Without verp_secret a forged bounce can block an address; whoever can post to this endpoint, or mail to its mailbox, must be trusted that far.",
		"A complaint is taken without proof also when verp_secret is set: most feedback loops give none. It opts out and blocks nothing.",
		"A feedback loop that hides the recipient is understood only where our own return path or the header " + IDHeader + " comes back with the mail; else it goes to quarantine.",
		"Bounces without a delivery report are read by their English words.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: func(rand io.Reader) (providers.Settings, error) {
			s, err := token.Simulated(rand)
			if err != nil {
				return s, err
			}
			secret, err := sim.Secret(rand)
			s.Values[VerpSetting] = []string{secret}
			return s, err
		},
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: status("failed", "5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: status("failed", "5.2.2", "552 5.2.2 <{to}>: Mailbox full")},
			{Name: "delayed", Title: "Not delivered yet", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: status("delayed", "4.4.1", "421 4.4.1 connection timed out")},
			{Name: "delivered", Title: "Delivered, with a report that was asked for", Kinds: []recipient.Kind{recipient.Delivered}, Build: status("delivered", "2.0.0", "250 2.0.0 OK")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: arf("abuse")},
			{Name: "opt_out", Title: "A provider's unsubscribe button", Kinds: []recipient.Kind{recipient.OptOut}, Build: arf("opt-out")},
		},
	},
}

// status builds a delivery report as Postfix writes it.
func status(action, code, said string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, `From: MAILER-DAEMON@mx.relay.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <{id}.report@mx.relay.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset=utf-8

This is a simulated report.

--report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.relay.example

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: `+action+`
Status: `+code+`
Diagnostic-Code: smtp; `+said+`

--report
Content-Type: text/rfc822-headers

From: News <news@sender.example>
To: {to}
Message-ID: <{id}@sender.example>

--report--
`)
	}
}

// arf builds a complaint as feedback loops send it.
func arf(kind string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, `From: fbl@isp.example
Subject: FW: Simulated
Message-ID: <{id}.report@isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="report"

--report
Content-Type: message/feedback-report

Feedback-Type: `+kind+`
User-Agent: Simulated/1.0
Version: 1
Original-Mail-From: <{path}>
Original-Rcpt-To: <{to}>

--report
Content-Type: message/rfc822

From: News <news@sender.example>
To: {to}
Message-ID: <{id}@sender.example>

Simulated
--report--
`)
	}
}

// post fills a mail in and posts it, with a return path of ours when there is
// a secret to make one.
func post(s providers.Shot, text string) (*providers.Request, error) {
	path := "bounce@bounces.example.net"
	if v := NewVerp(s.Settings.All(VerpSetting)...); v.Active() {
		to, err := recipient.ParseEmail(s.To)
		if err != nil {
			return nil, err
		}
		if path, err = v.Mint(path, to); err != nil {
			return nil, err
		}
	}
	id := base64.RawURLEncoding.EncodeToString([]byte(s.ID))
	text = "Return-Path: <>\nDelivered-To: " + path + "\nDate: " + s.At.UTC().Format(time.RFC1123Z) + "\n" +
		strings.NewReplacer("{to}", s.To, "{id}", id, "{path}", path).Replace(text)
	return token.Sign(s.Settings, s.Post("message/rfc822", []byte(strings.ReplaceAll(text, "\n", "\r\n")))), nil
}
