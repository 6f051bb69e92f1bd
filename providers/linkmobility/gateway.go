package linkmobility

import (
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// gatewayCodes translates the gateway's "code" of a failed message. What is
// not listed is soft.
var gatewayCodes = map[string]recipient.Kind{
	"2": recipient.HardBounce, // invalid recipient: number invalid or unknown
}

// flat reads the gateway's forms, and Common's where the gate was set to
// key-value pairs.
func (a adapter) flat(b *providers.Batch, p sms.Params) {
	status, stamp := strings.ToUpper(p.Get("status")), wire.Text(p.Get("timestamp"))
	switch {
	case p.Get("resultCode") != "":
		c := common{ID: wire.Text(p.Get("id")), RefID: wire.Text(p.Get("refId")), Timestamp: stamp, Sent: wire.Text(p.Get("sentTimestamp")), ResultCode: wire.Text(p.Get("resultCode"))}
		if to := p.Get("customParameters.destination", "destination"); to != "" {
			c.RefID = wire.Text(sms.MSISDN(to))
		}
		a.report(b, &c)
	case status != "":
		a.state(b, p, status, stamp)
	case p.Get("source") != "" || p.Get("keyword") != "" || p.Get("text") != "":
		a.text(b, p.Get("source"), p.Get("dest"), p.Get("keyword"), p.Get("text"), stamp, "")
	default:
		b.Reject(providers.Malformed(name, "status", providers.ErrMissing))
	}
}

// state reads a report of the gateway. A WAITING message is buffered, whatever
// its code says of the reason; more reports follow.
func (a adapter) state(b *providers.Batch, p sms.Params, status string, stamp wire.Text) {
	// The message's own id is what the operator put into the report's URL.
	e := recipient.Event{At: finnish(stamp), MessageID: p.Get("mid", "msgid", "messageid", "message-id", "id"), Code: p.Get("code"), Detail: p.Get("message")}
	switch status {
	case "OK":
		e.Kind = recipient.Delivered
	case "ERROR":
		e.Kind, e.Rule = a.gateway.Judge(e.Code)
	}
	if e.Kind == "" {
		return
	}
	e.IDParts = []string{e.MessageID, status, e.Code, stamp.String()}
	b.AddTo(recipient.SMS, "dest", sms.MSISDN(p.Get("dest")), e) // original-dest is national
}

// finnish reads the gateway's time, which has no zone: Finnish local time is
// assumed. Summer time by the rule of the EU, as the zone database may not be at hand.
func finnish(stamp wire.Text) time.Time {
	local, err := time.Parse(time.DateTime, stamp.String())
	if err != nil {
		return stamp.Time()
	}
	at := local.Add(-2 * time.Hour)
	if y := at.Year(); !at.Before(lastSunday(y, time.March)) && at.Before(lastSunday(y, time.October).Add(time.Hour)) {
		at = at.Add(-time.Hour)
	}
	return at
}

// lastSunday returns 01:00 UTC of a month's last Sunday. Both months have 31 days.
func lastSunday(year int, m time.Month) time.Time {
	d := time.Date(year, m, 31, 1, 0, 0, 0, time.UTC)
	return d.AddDate(0, 0, -int(d.Weekday()))
}
