package sendgrid

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Twilio SendGrid.
var Info = providers.Info{
	Name:      name,
	Title:     "Twilio SendGrid",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event",
	Signing:   providers.SignsOption,
	BodyLimit: 4 << 20, // a thousand events with their custom arguments
	Settings: []providers.Setting{
		{Name: "public_key", Help: "The verification key of the Event Webhook's signature verification. Each webhook and each subuser has its own: list all that post here.", List: true, Verifies: true},
	},
	RetryFor:  24 * time.Hour,
	RetryNote: "Every answer but 2xx is followed by the whole batch again, at growing intervals, for 24 hours after the event.",
	Setup: []string{
		"In SendGrid open Settings, Mail Settings, Event Webhooks, and choose Create new webhook.",
		"Enter {url} as the Post URL and tick the events listed here; leave OAuth empty.",
		"Under Security features switch on Signed Event Webhook and save. Open the webhook again and copy its verification key into public_key; then restart.",
		"Without the signature give this endpoint a path_secret and enter the address with it.",
		"In Settings, Mail Settings keep bounce classification switched on where it is offered: with it Strikeout tells a refused message from a faulty address.",
		"Press Test Integration: SendGrid posts one made-up event of each kind about example@test.com.",
	},
	Events: []string{"Dropped", "Deferred", "Bounced", "Delivered (optional)", "Spam Reports", "Unsubscribes", "Group Unsubscribes", "Group Resubscribes"},
	Mapping: []providers.Mapping{
		{Report: "bounce, type bounce", Kind: recipient.HardBounce, Note: "soft when the class is Content, Reputation, Technical or Frequency or Volume Too High, or the code speaks of quota, size, content, policy or a temporary failure"},
		{Report: "bounce, class Mailbox Unavailable or Unclassified", Kind: recipient.SoftBounce, Note: "hard when the code is 5.1.x"},
		{Report: "bounce, type blocked or expired; blocked; deferred", Kind: recipient.SoftBounce},
		{Report: "dropped: Invalid", Kind: recipient.HardBounce},
		{Report: "dropped: Bounced Address", Kind: recipient.HardBounce, Echo: true},
		{Report: "dropped: Unsubscribed Address", Kind: recipient.OptOut, Echo: true},
		{Report: "dropped: Spam Reporting Address", Kind: recipient.Complaint, Echo: true},
		{Report: "dropped: every other reason", Note: "about the message or the account"},
		{Report: "spamreport", Kind: recipient.Complaint},
		{Report: "unsubscribe", Kind: recipient.OptOut},
		{Report: "group_unsubscribe", Kind: recipient.OptOut, Note: "counts as a full opt-out; the group is kept as its scope"},
		{Report: "group_resubscribe", Kind: recipient.Reactivation, Note: "lifts nothing here"},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "processed, open, click, account events and all others"},
	},
	// https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/delete-a-bounce (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "bounces",
			Kinds:   []recipient.Kind{recipient.HardBounce},
			Page:    "https://app.sendgrid.com/suppressions/bounces",
			Command: `curl -X DELETE -H "Authorization: Bearer $SENDGRID_API_KEY" 'https://api.sendgrid.com/v3/suppression/bounces/{address_path}'`,
		},
		{
			Title:   "invalid addresses",
			Kinds:   []recipient.Kind{recipient.HardBounce},
			Page:    "https://app.sendgrid.com/suppressions/invalid_emails",
			Command: `curl -X DELETE -H "Authorization: Bearer $SENDGRID_API_KEY" 'https://api.sendgrid.com/v3/suppression/invalid_emails/{address_path}'`,
		},
		{
			Title:   "spam reports",
			Kinds:   []recipient.Kind{recipient.Complaint},
			Page:    "https://app.sendgrid.com/suppressions/spam_reports",
			Command: `curl -X DELETE -H "Authorization: Bearer $SENDGRID_API_KEY" 'https://api.sendgrid.com/v3/suppression/spam_reports/{address_path}'`,
		},
		{
			Title:   "global unsubscribes",
			Kinds:   []recipient.Kind{recipient.OptOut},
			Page:    "https://app.sendgrid.com/suppressions/global_unsubscribes",
			Command: `curl -X DELETE -H "Authorization: Bearer $SENDGRID_API_KEY" 'https://api.sendgrid.com/v3/asm/suppressions/global/{address_path}'`,
			Note:    "Unsubscribe groups have lists of their own.",
		},
	},
	Gaps: []string{
		"SendGrid does not say whether a repeated request is signed afresh, so the replay window is off; a request sent twice changes nothing.",
		"The OAuth token that SendGrid can send instead of a signature is not checked.",
		"A dropped message does not tell a global unsubscribe from one of a group.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.ECDSA,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: shot("bounce", sim.Object{"type": "bounce", "bounce_classification": "Invalid Address", "status": "5.1.1", "reason": "550 5.1.1 The email account that you tried to reach does not exist."})},
			{Name: "soft", Title: "Deferred", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: shot("deferred", sim.Object{"response": "452 4.2.2 mailbox full", "attempt": "1"})},
			{Name: "blocked", Title: "Refused for the sender's reputation", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: shot("bounce", sim.Object{"type": "blocked", "bounce_classification": "Reputation", "status": "5.7.1", "reason": "550 5.7.1 refused, see our block list"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: shot("spamreport", nil)},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: shot("unsubscribe", nil)},
			{Name: "group_opt_out", Title: "Unsubscribed from a group", Kinds: []recipient.Kind{recipient.OptOut}, Build: shot("group_unsubscribe", sim.Object{"asm_group_id": 10})},
			{Name: "reactivation", Title: "Subscribed to a group again", Kinds: []recipient.Kind{recipient.Reactivation}, Build: shot("group_resubscribe", sim.Object{"asm_group_id": 10})},
			{Name: "echo", Title: "Dropped because of an older bounce", Kinds: []recipient.Kind{recipient.HardBounce}, Build: shot("dropped", sim.Object{"reason": "Bounced Address"})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: shot("delivered", sim.Object{"response": "250 2.0.0 OK"})},
		},
	},
}

func shot(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		ev := sim.Object{"email": s.To, "timestamp": s.At.Unix(), "event": kind, "sg_event_id": "ev-" + s.ID, "sg_message_id": s.ID + ".recvd-simulated-1.0", "smtp-id": "<" + s.ID + "@simulated>", "category": []string{"simulated"}}
		for k, v := range more {
			ev[k] = v
		}
		body, at := append(sim.JSON([]sim.Object{ev}), "\r\n"...), strconv.FormatInt(s.At.Unix(), 10)
		signature, err := sim.SignECDSA(s.Settings, append([]byte(at), body...))
		if err != nil {
			return nil, err
		}
		return s.Post("application/json", body, "User-Agent", "SendGrid Event API", signatureHeader, base64.StdEncoding.EncodeToString(signature), timestampHeader, at), nil
	}
}
