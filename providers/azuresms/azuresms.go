// Package azuresms reads the delivery reports and received texts of Azure
// Communication Services SMS, which come through Event Grid.
//
// Payload: https://learn.microsoft.com/azure/event-grid/communication-services-telephony-sms-events
// Codes: https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/troubleshooting-codes?pivots=sms
// (read 2026-11-20).
// Signature: none; see providers/internal/eventgrid.
package azuresms

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/eventgrid"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name       = "azure-sms"
	reportType = "Microsoft.Communication.SMSDeliveryReportReceived"
	textType   = "Microsoft.Communication.SMSReceived"
)

// codes translates the code of a failed text. Codes that are not listed are
// soft: the sender, the carrier, the network.
var codes = map[string]recipient.Kind{
	"2000": recipient.Delivered,
	"4002": recipient.HardBounce, // invalid format of the destination number
	"4004": recipient.HardBounce, // the destination number does not exist
	"4007": recipient.OptOut,     // the destination opted out from this sender
	"5002": "",                   // no report from the carrier: it may have arrived
}

type adapter struct {
	*eventgrid.Receiver
	words *sms.Keywords
}

// New needs no settings: "auth_token" checks a header, "topics" restricts the
// endpoint to one's own resources.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{eventgrid.New(name, s), sms.NewKeywords(s.All(sms.StopSetting), s.All(sms.StartSetting))}, nil
}

// data is that of reports and of received texts. The first edition of the
// schema has its names in PascalCase.
type data struct {
	MessageID wire.Text `json:"messageId,case:ignore"`
	From      wire.Text `json:"from,case:ignore"`
	To        wire.Text `json:"to,case:ignore"`
	Status    wire.Text `json:"deliveryStatus,case:ignore"`
	Details   wire.Text `json:"deliveryStatusDetails,case:ignore"`
	Message   wire.Text `json:"message,case:ignore"`
	Received  wire.Text `json:"receivedTimestamp,case:ignore"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return eventgrid.Parse(name, r, a.read)
}

func (a adapter) read(b *providers.Batch, g *eventgrid.Event[data]) {
	d := &g.Data
	var e recipient.Event
	to, field := d.To.String(), "data.to"
	switch {
	case g.Is(reportType):
		switch d.Status.Lower() {
		case "delivered":
			e.Kind = recipient.Delivered
		case "failed":
			lower := d.Details.Lower()
			code := codeIn(d.Details.String(), lower)
			kind, known := codes[code]
			if !known {
				kind = recipient.SoftBounce
			}
			e.Kind, e.Rule, e.Code = kind, strings.TrimSuffix("azure-sms-"+code, "-"), code
			if strings.Contains(lower, "sender blocked for given recipient") {
				e.Kind, e.Rule = recipient.OptOut, "azure-sms-sender-blocked"
			}
			if e.Kind == recipient.OptOut {
				e.Code = sms.MSISDN(d.From.String()) // the number that the person stopped
			}
		case "":
			b.Reject(providers.Malformed(name, "data.deliveryStatus", providers.ErrMissing))
			return
		}
		e.Detail = d.Details.String()
	case g.Is(textType):
		e, _ = a.words.Event(sms.Inbound{Text: d.Message.String(), To: d.To.String(), ID: d.MessageID.String(), Number: d.From.String()})
		to, field = d.From.String(), "data.from"
	}
	if e.Kind == "" {
		return
	}
	e.At, e.EventID, e.MessageID = g.At(d.Received), g.ID.String(), d.MessageID.String()
	e.IDParts = []string{e.EventID}
	if e.EventID == "" {
		e.IDParts = []string{string(e.Kind), e.MessageID, d.Status.String(), e.Code, d.Received.String()}
	}
	b.AddTo(recipient.SMS, field, sms.MSISDN(to), e)
}

// codeIn finds the code in "ErrorCode: 4004. ErrorMessage: ..." or at the
// start of the details. Lower are the same in lower case.
func codeIn(details, lower string) string {
	if i := strings.Index(lower, "errorcode:"); i >= 0 && len(details) >= i+len("errorcode:") {
		details = strings.TrimSpace(details[i+len("errorcode:"):])
	}
	if len(details) < 4 || strings.Trim(details[:4], "0123456789") != "" {
		return ""
	}
	if len(details) > 4 && details[4] >= '0' && details[4] <= '9' {
		return ""
	}
	return details[:4]
}
