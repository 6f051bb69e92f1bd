package zeptomail

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes ZeptoMail.
var Info = providers.Info{
	Name:     name,
	Title:    "Zoho ZeptoMail",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://www.zoho.com/zeptomail/help/webhooks.html",
	Signing:  providers.SignsAlways,
	Settings: append([]providers.Setting{
		{Name: "signing_secret", Help: "The webhook's authentication key in the Agent's settings.", List: true, Verifies: true},
		{Name: testCallsSetting, Help: "Which unsigned calls are answered 200 and dropped: those without a real mail in them (samples), or all (any), for the time in which the webhook is set up.", Choices: []string{"samples", "any"}, Default: "samples"},
	}, token.Settings("the webhook's authorization header, instead of the authentication key or on top of it")...),
	RetryNote: "Zoho does not say how often it repeats a failed request.",
	MaxAge:    24 * time.Hour,
	Setup: []string{
		"Start Strikeout with this endpoint first, with any long random text as signing_secret: Zoho saves a webhook only after its test call was answered, and that call may be unsigned.",
		"In ZeptoMail open Agents, the Agent, then Webhooks, and choose Add Webhook.",
		"Enter {url} as the webhook URL, tick the events listed here, and press Verify. Where that fails, set test_calls to any, verify again, and take the setting back.",
		"Copy the authentication key into signing_secret, save the webhook, and restart.",
	},
	Events: []string{"Hard bounce", "Soft bounce", "Feedback loop", "Delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "hardbounce", Kind: recipient.HardBounce, Note: "soft when the server's reply or the reason speaks of a policy, spam, a block, a full mailbox or the size"},
		{Report: "softbounce", Kind: recipient.SoftBounce},
		{Report: "feedback loop, fbl_complaint", Kind: recipient.Complaint},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "email_open, email_link_click and all others; made-up test events"},
	},
	Gaps: []string{
		"ZeptoMail reports no unsubscribes.",
		"The signature may leave the time out: a captured request can be sent again, which changes nothing.",
		"A report on a mail with several recipients that does not name the one it is about goes to quarantine.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: reported("hardbounce", "hardbounce", "Invalid mailbox", "smtp; 550 5.1.1 User unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: reported("softbounce", "softbounce", "Mailbox full", "smtp; 452 4.2.2 Mailbox full")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: reported("feedback loop", "fbl_complaint", "", "")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: reported("delivered", "delivered", "", "")},
		},
	},
}

func reported(word, object, reason, diagnostic string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		at := s.At.UTC().Format(time.RFC3339)
		details := sim.Object{"time": at}
		if reason != "" {
			details["reason"], details["diagnostic_message"], details["bounced_recipient"] = reason, diagnostic, s.To
		}
		body := sim.JSON(sim.Object{"event_name": []string{word}, "mailagent_key": "simulated", "webhook_request_id": s.ID, "event_message": []any{sim.Object{
			"request_id": "r" + s.ID,
			"email_info": sim.Object{"to": []any{sim.Object{"email_address": sim.Object{"address": s.To, "name": ""}}}, "cc": []any{}, "bcc": []any{}, "subject": "Simulated",
				"client_reference": "simulated", "email_reference": "m" + s.ID, "processed_time": at, "from": sim.Object{"address": "news@sender.example", "name": "Shop"}},
			"event_data": []any{sim.Object{"object": object, "details": []any{details}}},
		}}})
		var headers []string
		if secret := s.Settings.Get("signing_secret", ""); secret != "" {
			mac := base64.StdEncoding.EncodeToString(sign.Sum(sha256.New, []byte(secret), body))
			headers = []string{signatureHeader, "ts=" + strconv.FormatInt(s.At.UnixMilli(), 10) + ";s=" + url.QueryEscape(mac) + ";s-algorithm=" + algorithm}
		}
		return token.Sign(s.Settings, s.Post("application/json", body, headers...)), nil
	}
}
