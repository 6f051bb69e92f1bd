package sparkpost

import (
	"strconv"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes SparkPost.
var Info = providers.Info{
	Name:      name,
	Title:     "SparkPost (Bird Email)",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://developers.sparkpost.com/api/webhooks/",
	Signing:   providers.SignsOption,
	BodyLimit: 8 << 20, // 350 events "or more"
	Settings:  token.Settings("a custom header (or the bearer token that your OAuth server hands out) of the webhook in SparkPost"),
	RetryFor:  8 * time.Hour,
	RetryNote: "Twelve attempts within 8 hours after any answer but 200, then the batch is dropped; it waits 10 seconds for an answer.",
	Setup: []string{
		"Choose how SparkPost shall prove itself, because it signs nothing: set basic_auth, or auth_token (with auth_header for a header of your own), or a path_secret of at least 20 random characters. Start Strikeout with this endpoint first.",
		"In SparkPost (in the region of your account, US or EU) open Configuration, Webhooks, and choose Create Webhook.",
		"Enter {url} as the target; only the ports 80 and 443 are allowed.",
		"Choose Basic Auth and enter the user and password of basic_auth, or add the custom header; with a path secret leave it at None.",
		"Choose Select individual events, tick those listed here, and save: SparkPost posts a ping and saves only when it is answered.",
	},
	Events: []string{"bounce", "out_of_band", "delay", "spam_complaint", "list_unsubscribe", "link_unsubscribe", "policy_rejection", "generation_rejection", "delivery (optional)"},
	Mapping: []providers.Mapping{
		{Report: "bounce, out_of_band: classes 10 (Invalid Recipient) and 30 (No RCPT)", Kind: recipient.HardBounce},
		{Report: "bounce, out_of_band: every other class; delay", Kind: recipient.SoftBounce},
		{Report: "bounce, out_of_band: class 90 (Unsubscribe)", Kind: recipient.OptOut},
		{Report: "bounce, out_of_band: classes 60, 80, 100 (an automatic reply, a wish to subscribe, a challenge)"},
		{Report: "suppressed due to customer policy: Bounce Rule", Kind: recipient.HardBounce, Echo: true, Note: "class 25, or a rejection in older accounts"},
		{Report: "suppressed due to customer policy: Spam Complaint", Kind: recipient.Complaint, Echo: true},
		{Report: "suppressed due to customer policy: List Unsubscribe, Link Unsubscribe", Kind: recipient.OptOut, Echo: true},
		{Report: "suppressed for another cause, or due to system policy", Kind: recipient.SoftBounce},
		{Report: "spam_complaint", Kind: recipient.Complaint, Note: "nothing when the feedback type is not-spam"},
		{Report: "list_unsubscribe, link_unsubscribe", Kind: recipient.OptOut},
		{Report: "delivery", Kind: recipient.Delivered},
		{Report: "other policy_rejection, generation_rejection, generation_failure", Note: "about the message"},
		{Report: "injection, open, click, sms_status, relay_* and all others; pings"},
	},
	// https://developers.sparkpost.com/api/suppression-list/ (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "the suppression list",
			Kinds:   []recipient.Kind{recipient.HardBounce, recipient.Complaint, recipient.OptOut},
			Page:    "https://app.sparkpost.com/lists/suppressions",
			Command: `curl -X DELETE -H "Authorization: $SPARKPOST_API_KEY" 'https://api.sparkpost.com/api/v1/suppression-list/{address_path}'`,
			Note:    "Every subaccount has a list of its own (header X-MSYS-SUBACCOUNT); accounts of the EU are at api.eu.sparkpost.com. Entries made by SparkPost's compliance cannot be taken off.",
		},
	},
	Gaps: []string{
		"SparkPost signs nothing: whoever knows the secret can post.",
		"Late bounces whose mail names no recipient cannot be attributed and are left out.",
		"An address that its staff put on the suppression list by hand looks like one without a cause: soft.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: token.Simulated,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: sent("bounce", sim.Object{"bounce_class": "10", "error_code": "550", "raw_reason": "550 5.1.1 user unknown"})},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: sent("bounce", sim.Object{"bounce_class": "22", "error_code": "552", "raw_reason": "552 5.2.2 mailbox full"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: sent("spam_complaint", sim.Object{"fbtype": "abuse"})},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: build("unsubscribe_event", "list_unsubscribe", sim.Object{})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: sent("delivery", sim.Object{})},
			{Name: "echo", Title: "SparkPost's list holds the address because of a bounce", Kinds: []recipient.Kind{recipient.HardBounce}, Build: sent("bounce", sim.Object{"bounce_class": "25", "error_code": "554", "raw_reason": "554 5.7.1 recipient address was suppressed due to customer policy: Bounce Rule"})},
		},
	},
}

func sent(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return build("message_event", kind, more)
}

func build(class, kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		ev := sim.Object{"type": kind, "event_id": s.ID, "timestamp": strconv.FormatInt(s.At.Unix(), 10), "message_id": "m" + s.ID, "transmission_id": "t" + s.ID,
			"raw_rcpt_to": s.To, "rcpt_to": s.To, "subaccount_id": "0", "subject": "Simulated", "rcpt_meta": sim.Object{}, "rcpt_tags": []string{}}
		for k, v := range more {
			ev[k] = v
		}
		body := sim.JSON([]any{sim.Object{"msys": sim.Object{class: ev}}})
		return token.Sign(s.Settings, s.Post("application/json", body, "X-MessageSystems-Batch-ID", sim.UUID(s.ID))), nil
	}
}
