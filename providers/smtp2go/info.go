package smtp2go

import (
	"net/url"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes SMTP2GO.
var Info = providers.Info{
	Name:      name,
	Title:     "SMTP2GO",
	Channels:  []recipient.Channel{recipient.Email, recipient.SMS},
	Docs:      "https://developers.smtp2go.com/docs/webhooks-overview",
	Signing:   providers.SignsOption,
	Settings:  token.Settings("auth_header_value of the webhook (an API call sets it: /webhook/add)"),
	RetryFor:  48 * time.Hour,
	RetryNote: "Five attempts in half an hour, then hourly for a day and ever more rarely for two to four days; it waits 10 seconds for an answer.",
	Setup: []string{
		"Give this endpoint a path_secret of at least 20 random characters, or basic_auth, or auth_token: SMTP2GO signs nothing.",
		"In SMTP2GO open Settings, Webhooks, and choose Add webhook.",
		"Enter {url}; with basic_auth write the credentials into it: https://user:password@... Choose JSON or form as the output, both are read.",
		"Leave the SMTP users and API keys unrestricted, or choose those whose mail Strikeout shall hear of.",
		"Tick the events listed here and save; then use Test.",
	},
	Events: []string{"Bounced", "Spam complaint", "Unsubscribed", "Resubscribed", "Delivered (optional)", "SMS: failed, rejected, opt-out", "SMS: delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "bounce: hard", Kind: recipient.HardBounce, Note: "soft when the server's reply speaks of a policy, the content, a full mailbox or a temporary failure"},
		{Report: "bounce: soft, and any other", Kind: recipient.SoftBounce},
		{Report: "spam", Kind: recipient.Complaint},
		{Report: "unsubscribe", Kind: recipient.OptOut},
		{Report: "resubscribe", Kind: recipient.Reactivation, Note: "also when staff remove a suppression; lifts nothing here"},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "reject, processed, open, click and all others", Note: "a reject was never sent"},
		{Report: "sms_delivered", Kind: recipient.Delivered},
		{Report: "sms_failed, sms_rejected", Kind: recipient.SoftBounce, Note: "faulty numbers are not told from other failures"},
		{Report: "opt-out", Kind: recipient.OptOut, Note: "by text; the number that was answered is kept as its scope"},
	},
	Gaps: []string{
		"SMTP2GO signs nothing: whoever knows the secret can post.",
		"SMS to a number that does not exist never blocks it: the reports do not say so.",
		"Mail to an address on SMTP2GO's own list is rejected without the cause, and left out.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: token.Simulated,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.HardBounce}, Build: mailed("bounce", "bounce", "hard", "host", "mx1.example.com [192.0.2.25]", "message", "550 5.1.1 User unknown")},
			{Name: "soft", Title: "The mailbox is full", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.SoftBounce}, Build: mailed("bounce", "bounce", "soft", "host", "mx1.example.com [192.0.2.25]", "message", "452 4.2.2 Mailbox full")},
			{Name: "complaint", Title: "Marked as spam", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.Complaint}, Build: mailed("spam")},
			{Name: "opt_out", Title: "Unsubscribed", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.OptOut}, Build: mailed("unsubscribe")},
			{Name: "reactivation", Title: "Subscribed again at SMTP2GO", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.Reactivation}, Build: mailed("resubscribe")},
			{Name: "delivered", Title: "Delivered", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.Delivered}, Build: mailed("delivered", "message", "250 2.0.0 OK")},
			{Name: "sms_soft", Title: "A text could not be delivered", Channel: recipient.SMS, Kinds: []recipient.Kind{recipient.SoftBounce}, Build: texted("sms_failed")},
			{Name: "sms_opt_out", Title: "Texted STOP", Channel: recipient.SMS, Kinds: []recipient.Kind{recipient.OptOut}, Build: texted("opt-out")},
			{Name: "sms_delivered", Title: "A text was delivered", Channel: recipient.SMS, Kinds: []recipient.Kind{recipient.Delivered}, Build: texted("sms_delivered")},
		},
	},
}

func mailed(event string, more ...string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		ev := sim.Object{"event": event, "time": s.At.UTC().Format(time.RFC3339), "sendtime": s.At.UTC().Add(-10 * time.Second).Format(time.RFC3339), "sender": "news@sender.example", "from": "Shop <news@sender.example>",
			"from_address": "news@sender.example", "from_name": "Shop", "rcpt": s.To, "recipients": []string{s.To}, "auth": "simulated", "email_id": s.ID, "message-id": "<" + s.ID + "@sender.example>", "subject": "Simulated", "id": "7f00aa11"}
		for i := 0; i+1 < len(more); i += 2 {
			ev[more[i]] = more[i+1]
		}
		return token.Sign(s.Settings, s.Post("application/json", sim.JSON(ev))), nil
	}
}

func texted(event string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{}
		for k, v := range map[string]string{"event": event, "destination_number": s.To, "source_number": "+358401230000", "message_id": s.ID, "received_timestamp": s.At.UTC().Format(time.RFC3339), "region": "EU"} {
			form.Set(k, v)
		}
		return token.Sign(s.Settings, s.Post("application/x-www-form-urlencoded", []byte(form.Encode()))), nil
	}
}
