package africastalking

import (
	"net/url"
	"slices"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Africa's Talking.
var Info = providers.Info{
	Name:      name,
	Title:     "Africa's Talking",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://developers.africastalking.com/docs/sms/notifications",
	Signing:   providers.SignsNever,
	Settings:  slices.Concat(sms.CodeSettings, sms.WordSettings),
	RetryNote: "Africa's Talking does not say whether it repeats a failed request.",
	Setup: []string{
		sms.GuardStep,
		"In the Africa's Talking dashboard open your app, then SMS, then SMS Callback URLs.",
		"Enter {url} under Delivery Reports, Incoming Messages and Bulk SMS Opt Out; Strikeout tells them apart.",
	},
	Events: []string{"Delivery Reports", "Incoming Messages", "Bulk SMS Opt Out"},
	Mapping: []providers.Mapping{
		{Report: "Failed, Rejected, Expired: UserDoesNotExist, InvalidPhoneNumber", Kind: recipient.HardBounce},
		{Report: "Failed, Rejected, Expired: UserInBlackList", Kind: recipient.OptOut, Note: "blacklisted from this service or short code"},
		{Report: "Failed, Rejected, Expired: every other reason, or none", Kind: recipient.SoftBounce},
		{Report: "AbsentSubscriber as the status", Kind: recipient.SoftBounce},
		{Report: "Success", Kind: recipient.Delivered},
		{Report: "Sent, Submitted, Buffered", Note: "on its way"},
		{Report: "Bulk SMS Opt Out", Kind: recipient.OptOut, Note: "from one sender id, which is kept as its scope"},
		{Report: "incoming text: STOP and its kin", Kind: recipient.OptOut},
		{Report: "incoming text: START", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "subscription notifications, other texts and states"},
	},
	Gaps: []string{
		"Many operators give no reason, and then a faulty number stays a soft bounce.",
		"Reports have no time: they happened when we heard of them.",
		"A report without phoneNumber, as old accounts get it, goes to quarantine.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("Failed", "UserDoesNotExist")},
			{Name: "soft", Title: "The phone cannot be reached", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("Failed", "AbsentSubscriber")},
			{Name: "opt_out", Title: "Opted out of a sender id", Kinds: []recipient.Kind{recipient.OptOut}, Build: optOut},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("Success", "")},
		},
	},
}

func post(s providers.Shot, form url.Values) (*providers.Request, error) {
	return s.Post("application/x-www-form-urlencoded", []byte(form.Encode())), nil
}

func report(status, reason string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{"id": {"ATXid_" + s.ID}, "status": {status}, "phoneNumber": {s.To}, "networkCode": {"99999"}, "retryCount": {"0"}}
		if reason != "" {
			form.Set("failureReason", reason)
		}
		return post(s, form)
	}
}

func optOut(s providers.Shot) (*providers.Request, error) {
	return post(s, url.Values{"senderId": {"STRIKEOUT"}, "phoneNumber": {s.To}})
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, url.Values{"id": {sim.UUID(s.ID)}, "linkId": {"Link" + s.ID}, "text": {words}, "from": {s.To}, "to": {"12345"}, "date": {s.At.UTC().Format(time.RFC3339)}})
	}
}
