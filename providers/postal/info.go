package postal

import (
	"crypto"
	"encoding/base64"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Postal.
var Info = providers.Info{
	Name:     name,
	Title:    "Postal",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://docs.postalserver.io/developer/webhooks",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "public_key", Help: "The installation's public key: the text after p= in the output of `postal default-dkim-record`, or the JSON of https://<postal host>/.well-known/jwks.json.", List: true, Verifies: true},
		{Name: "signature_method", Help: "sha1 also accepts the signature of Postal before version 3, where a request has no other.", Choices: []string{"sha256", "sha1"}, Default: "sha256"},
	},
	RetryFor:  36 * time.Minute,
	RetryNote: "Six attempts, after 2, 3, 6, 10 and 15 minutes; then the report is dropped. It waits 5 seconds for an answer.",
	Setup: []string{
		"On the Postal server run `postal default-dkim-record` and copy the text between p= and the next semicolon into public_key.",
		"In Postal's web interface open the organization, the mail server, then Webhooks, and choose Add a new webhook.",
		"Enter {url} as the URL, tick the events listed here (or all events), enable it, and create it.",
		"One key signs for all mail servers of a Postal installation: where others use the installation too, add a path_secret to this endpoint.",
	},
	Events: []string{"MessageDeliveryFailed", "MessageDelayed", "MessageBounced", "MessageSent (optional)"},
	Mapping: []providers.Mapping{
		{Report: "MessageDeliveryFailed", Kind: recipient.HardBounce, Note: "when the server's reply proves a faulty address"},
		{Report: "MessageDeliveryFailed, all others", Kind: recipient.SoftBounce, Note: "policy, content, attempts exhausted, Postal's own checks"},
		{Report: "MessageDelayed", Kind: recipient.SoftBounce},
		{Report: "MessageBounced", Kind: recipient.SoftBounce, Note: "a bounce mail came later; its content is not in the webhook"},
		{Report: "MessageSent", Kind: recipient.Delivered},
		{Report: "MessageHeld, MessageLinkClicked, MessageLoaded, DomainDNSError, SendLimitApproaching, SendLimitExceeded, and everything about incoming mail"},
	},
	Gaps: []string{
		"Postal knows neither complaints nor unsubscribes.",
		"Bounce mails that arrive later carry no reason here; route them to an endpoint of the provider dsn to have them read.",
		"Postal repeats a failed request for 36 minutes only.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.RSA,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: event("MessageDeliveryFailed", "HardFail", "Permanent SMTP delivery error when sending to mx1.example.com (192.0.2.25)", "550 5.1.1 Recipient address rejected: User unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: event("MessageDelayed", "SoftFail", "Temporary SMTP delivery error when sending to mx1.example.com (192.0.2.25)", "452 4.2.2 Mailbox full")},
			{Name: "policy", Title: "Refused for its content", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: event("MessageDeliveryFailed", "HardFail", "Permanent SMTP delivery error when sending to mx1.example.com (192.0.2.25)", "554 5.7.1 Message rejected due to content restrictions")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: event("MessageSent", "Sent", "Message for the recipient accepted by mx1.example.com (192.0.2.25)", "250 2.0.0 OK")},
		},
	},
}

func event(kind, status, details, output string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		seconds := float64(s.At.UnixMilli()) / 1000
		body := sim.JSON(sim.Object{"event": kind, "timestamp": seconds, "uuid": sim.UUID(s.ID), "payload": sim.Object{
			"message": sim.Object{"id": 101, "token": "T" + s.ID, "direction": "outgoing", "message_id": s.ID + "@rp.postal.sender.example", "to": s.To, "from": "news@sender.example", "subject": "Simulated", "timestamp": seconds, "spam_status": "NotChecked", "tag": nil},
			"status":  status, "details": details, "output": output, "sent_with_ssl": true, "timestamp": seconds, "time": 0.41,
		}})
		new256, err := sim.SignRSA(s.Settings, crypto.SHA256, body)
		if err != nil {
			return nil, err
		}
		old, err := sim.SignRSA(s.Settings, crypto.SHA1, body)
		if err != nil {
			return nil, err
		}
		return s.Post("application/json", body, "User-Agent", "Postal/3.3.5", "X-Postal-Signature-Kid", "simulated",
			"X-Postal-Signature", base64.StdEncoding.EncodeToString(old), "X-Postal-Signature-256", base64.StdEncoding.EncodeToString(new256)), nil
	}
}
