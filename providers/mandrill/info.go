package mandrill

import (
	"crypto/sha1" //nolint:gosec // Mandrill signs with HMAC-SHA1, which is not broken
	"encoding/base64"
	"net/url"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Mailchimp Transactional.
var Info = providers.Info{
	Name:      name,
	Title:     "Mailchimp Transactional (Mandrill)",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://mailchimp.com/developer/transactional/docs/webhooks/",
	Signing:   providers.SignsAlways,
	BodyLimit: 16 << 20, // a thousand events, as a form
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The webhook's Key on the Webhooks page of Mandrill (not an API key).", List: true, Verifies: true},
	},
	RetryNote: "A failed batch is sent again, with newer events waiting behind it, until somebody gives it up on the Webhooks page; Mandrill does not say how often or for how long.",
	Setup: []string{
		"Start Strikeout with this endpoint first, with any long random text as signing_secret: Mandrill shows the key only after its probe of the URL was answered, and that needs no key.",
		"In Mandrill open Settings, Webhooks, and choose Add a Webhook.",
		"Tick the events listed here, enter {url} as the Post To URL, and create the webhook.",
		"Copy its Key into signing_secret, and restart. The URL is part of the signature: where it was entered otherwise than Strikeout shows it (another host, a trailing slash, credentials), set url to exactly that.",
		"Press Send Test: it must show a 200.",
	},
	Events: []string{"Message Is Bounced", "Message Is Soft-Bounced", "Message Is Delayed", "Message Is Marked As Spam", "Message Recipient Unsubscribes", "Message Is Rejected", "Denylist changes", "Message Is Delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "hard_bounce", Kind: recipient.HardBounce, Note: "soft when the server's reply or the description speaks of a full mailbox, the size, a policy or a temporary failure"},
		{Report: "soft_bounce, deferral", Kind: recipient.SoftBounce},
		{Report: "spam", Kind: recipient.Complaint},
		{Report: "unsub", Kind: recipient.OptOut},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "reject or denylist: hard-bounce", Kind: recipient.HardBounce, Echo: true},
		{Report: "reject or denylist: spam", Kind: recipient.Complaint, Echo: true},
		{Report: "reject or denylist: unsub", Kind: recipient.OptOut, Echo: true},
		{Report: "reject: invalid", Kind: recipient.HardBounce, Note: "the address is not valid; on the denylist an echo"},
		{Report: "reject or denylist: soft-bounce, custom", Kind: recipient.SoftBounce},
		{Report: "reject: invalid-sender, test-mode-limit, unsigned, rule and all others", Note: "the sender's side"},
		{Report: "denylist: remove; allowlist; send, open, click, inbound and all others", Note: "an expiry is no consent"},
	},
	// https://mailchimp.com/developer/transactional/api/rejects/delete-email-from-denylist/ (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "the rejection denylist",
			Kinds:   []recipient.Kind{recipient.HardBounce, recipient.Complaint, recipient.OptOut},
			Page:    "https://mandrillapp.com/settings/rejections",
			Command: `curl -X POST https://mandrillapp.com/api/1.0/rejects/delete -H 'Content-Type: application/json' -d '{"key":"'"$MANDRILL_KEY"'","email":"{address_json}"}'`,
			Note:    "Taking many addresses off harms the account's reputation.",
		},
	},
	Gaps: []string{
		"Signatures carry no time: a captured request can be sent again, which changes nothing.",
		"Accounts that report only send, and never delivered, show no deliveries here.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: message("hard_bounce", sim.Object{"state": "bounced", "bounce_description": "bad_mailbox", "bgtools_code": 10, "diag": "smtp;550 5.1.1 user unknown"})},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: message("soft_bounce", sim.Object{"state": "soft-bounced", "bounce_description": "mailbox_full", "bgtools_code": 22, "diag": "smtp;552 5.2.2 Over quota"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: message("spam", sim.Object{"state": "sent"})},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: message("unsub", sim.Object{"state": "sent"})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: message("delivered", sim.Object{"state": "delivered"})},
			{Name: "echo", Title: "Mandrill's denylist holds the address because of a bounce", Kinds: []recipient.Kind{recipient.HardBounce}, Build: denied},
		},
	},
}

func message(kind string, msg sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		m := sim.Object{"_id": s.ID, "ts": s.At.Unix() - 10, "email": s.To, "sender": "news@sender.example", "subject": "Simulated", "tags": []string{}, "metadata": []string{}}
		for k, v := range msg {
			m[k] = v
		}
		return post(s, sim.Object{"event": kind, "_id": s.ID, "ts": s.At.Unix(), "msg": m})
	}
}

func denied(s providers.Shot) (*providers.Request, error) {
	at := s.At.UTC().Format("2006-01-02 15:04:05")
	return post(s, sim.Object{"type": "blacklist", "action": "add", "ts": s.At.Unix(), "reject": sim.Object{"reason": "hard-bounce", "detail": "550 5.1.1 user unknown", "email": s.To,
		"last_event_at": at, "created_at": at, "expires_at": nil, "expired": false, "subaccount": nil, "sender": nil}})
}

func post(s providers.Shot, ev sim.Object) (*providers.Request, error) {
	form := url.Values{field: {string(sim.JSON([]any{ev}))}}
	mac := sign.Sum(sha1.New, []byte(s.Settings.Get("signing_secret", "")), []byte(s.URL), signedFields(form))
	return s.Post("application/x-www-form-urlencoded", []byte(form.Encode()), signatureHeader, base64.StdEncoding.EncodeToString(mac)), nil
}
