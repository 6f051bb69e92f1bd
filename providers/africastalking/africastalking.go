// Package africastalking reads what Africa's Talking posts about SMS: delivery
// reports, received texts, opt-outs and subscriptions, told apart by their
// fields, because all of them may come to one URL.
//
// Payloads: http://docs.africastalking.com/sms/deliveryreports and
// https://developers.africastalking.com/docs/sms/notifications (read
// 2026-11-20). Nothing is signed.
package africastalking

import (
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "africastalking"

// reasons translates "failureReason", which comes in several spellings and
// from many operators not at all. What is not listed is soft, as is a number
// that is inactive or suspended: it may come back.
var reasons = map[string]recipient.Kind{
	"userdoesnotexist":   recipient.HardBounce, // non-existent number
	"invalidphonenumber": recipient.HardBounce, // seen by others
	"userinblacklist":    recipient.OptOut,     // blacklisted from this service or short code
}

type adapter struct {
	sms.Unsigned
	reasons sms.Codes
	words   *sms.Keywords
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{reasons: sms.NewCodes(s, "africastalking-reason", reasons), words: sms.Words(s)}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.EachParams(name, r, func(b *providers.Batch, p sms.Params) {
		status, phone := p.Get("status"), sms.MSISDN(p.Get("phoneNumber"))
		switch {
		case status != "":
			a.report(b, p, status, phone)
		case p.Get("updateType") != "": // a subscription to a premium product of Africa's Talking, not to our messages
		case p.Get("senderId") != "":
			// Neither an id nor a time: the day tells a repeated request from an opt-out
			// of next month, after the person came back, which must not be lost.
			sender := p.Get("senderId")
			b.AddTo(recipient.SMS, "phoneNumber", phone, recipient.Event{
				Kind: recipient.OptOut, Code: sender, Rule: "africastalking-opt-out", IDParts: []string{"opt-out", sender, r.ReceivedAt.UTC().Format(time.DateOnly)},
			})
		case p.Get("from") != "" || p.Get("text") != "":
			a.words.Received(b, "from", sms.Inbound{Text: p.Get("text"), To: p.Get("to"), ID: p.Get("id"), Number: p.Get("from"), Parts: []string{p.Get("linkId")}}, wire.Time(p.Get("date")))
		default:
			b.Reject(providers.Malformed(name, "status", providers.ErrMissing))
		}
	})
}

func (a adapter) report(b *providers.Batch, p sms.Params, status, phone string) {
	e := recipient.Event{MessageID: p.Get("id"), Code: p.Get("failureReason"), Rule: "africastalking-status"}
	switch wire.Text(status).Lower() {
	case "success":
		e.Kind, e.Rule = recipient.Delivered, ""
	case "rejected", "failed", "expired":
		e.Kind, e.Rule = a.reasons.Judge(e.Code)
	case "absentsubscriber": // a reason that has been seen in the place of the status
		e.Kind, e.Code = recipient.SoftBounce, status
	}
	if e.Kind == "" { // Sent, Submitted, Buffered and what may come: on its way
		return
	}
	// There is no time. The number may be missing in old accounts.
	e.IDParts = []string{e.MessageID, status, e.Code}
	b.AddTo(recipient.SMS, "phoneNumber", phone, e)
}
