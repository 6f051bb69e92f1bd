package unisendergo

import (
	"crypto/md5" //nolint:gosec // the provider's scheme
	"encoding/hex"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Unisender Go and UniOne.
var Info = providers.Info{
	Name:     name,
	Title:    "Unisender Go, UniOne",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://docs.unione.io/en/web-api-ref#callback-format",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The API key of the project that the webhook belongs to, or of the account where it belongs to none.", List: true, Verifies: true},
	},
	RetryFor:  24 * time.Hour,
	RetryNote: "Repeated every 10 minutes for 24 hours; a webhook that failed for 24 hours is stopped. It waits 3 seconds for an answer.",
	Setup: []string{
		"Start Strikeout with this endpoint first: the provider tries the URL with a GET before it activates the webhook.",
		"Set a path_secret too: the signature is an MD5, which is weak, and has no time.",
		"In the account, or in the project, open Settings, Webhooks, and add one with the URL {url}.",
		"Choose the events listed here and switch the option delivery_info (details of the delivery) on: without it no bounce says why, and nothing is ever blocked.",
		"Put the API key of that project, or of the account, into signing_secret.",
	},
	Events: []string{"hard_bounced", "soft_bounced", "spam", "unsubscribed", "subscribed", "delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "hard_bounced with err_user_unknown, err_user_inactive, err_mailbox_discarded", Kind: recipient.HardBounce, Note: "err_delivery_failed too when the server's reply says that the address is faulty"},
		{Report: "hard_bounced with any other delivery_status, or none", Kind: recipient.SoftBounce, Note: "a full mailbox, spam, policy, no DNS: it only means that no more attempts are made"},
		{Report: "hard_bounced with skip_*, err_unsubscribed, err_skip_letter, err_spam_skipped, err_spam_removed, not_sent", Note: "never tried"},
		{Report: "soft_bounced", Kind: recipient.SoftBounce},
		{Report: "spam", Kind: recipient.Complaint},
		{Report: "unsubscribed", Kind: recipient.OptOut},
		{Report: "subscribed", Kind: recipient.Reactivation},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "accepted, sent, opened, clicked, transactional_spam_block and all others"},
	},
	Gaps: []string{
		"Without the option delivery_info nothing is blocked.",
		"Recipients whom the provider suppresses before sending are not reported at all.",
		"Signatures carry no time: a captured request can be sent again, which changes nothing.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: batch("hard_bounced", "err_user_unknown", "550 5.1.1 User unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: batch("hard_bounced", "err_mailbox_full", "552 5.2.2 Mailbox full")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: batch("spam", "ok_fbl", "")},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: batch("unsubscribed", "", "")},
			{Name: "reactivation", Title: "Subscribed again at the provider", Kinds: []recipient.Kind{recipient.Reactivation}, Build: batch("subscribed", "", "")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: batch("delivered", "ok_delivered", "")},
		},
	},
}

func batch(status, code, reply string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		d := sim.Object{"job_id": s.ID, "metadata": sim.Object{}, "email": s.To, "status": status, "event_time": s.At.UTC().Format(time.DateTime)}
		if code != "" {
			d["delivery_info"] = sim.Object{"delivery_status": code, "destination_response": reply}
		}
		users := []any{sim.Object{"user_id": 456, "project_id": "1", "project_name": "Simulated", "events": []any{sim.Object{"event_name": "transactional_email_status", "event_data": d}}}}
		key := s.Settings.Get("signing_secret", "")
		sum := md5.Sum(sim.JSON(sim.Object{"auth": key, "events_by_user": users})) //nolint:gosec // the provider's scheme
		return s.Post("application/json", sim.JSON(sim.Object{"auth": hex.EncodeToString(sum[:]), "events_by_user": users})), nil
	}
}
