// Package socketlabs reads SocketLabs' event webhooks, as JSON or as the forms
// of endpoints made before June 2021.
//
// Payload: https://help.socketlabs.com/docs/event-webhooks-events and
// https://help.socketlabs.com/docs/event-webhooks-data-attributes
// Failure codes: FailureCodes.cs of
// https://github.com/socketlabs/SocketLabs.EventWebhooks.Extensions
// Authentication: https://help.socketlabs.com/docs/event-webhooks-authentication-and-access
// (all read 2026-11-20). Nothing is signed; every body carries the secret key.
package socketlabs

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "socketlabs"

// hardCodes say that the address is faulty: invalid, of an invalid domain,
// malformed, no longer valid. All others are soft: "Permanent" alone means that
// SocketLabs suppresses the address now, also after refusals that were not its
// fault.
var hardCodes = map[string]bool{"2001": true, "2002": true, "2003": true, "2004": true}

// openCode is "permanent, other": the server's words decide.
const openCode = "2999"

// replyCodes are answers to a mail, not failures: an auto-reply, information.
var replyCodes = map[string]bool{"5001": true, "5999": true}

// FailureType and TrackingType come as name or as number.
var (
	permanent   = map[string]bool{"permanent": true, "1": true}
	suppressed  = map[string]bool{"suppressed": true, "2": true} // not attempted
	unsubscribe = map[string]bool{"unsubscribe": true, "2": true}
)

const validation = "validation"

type adapter struct{ secrets [][]byte }

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{secrets}, nil
}

// Handshake answers the Validate button with the key it sent, as SocketLabs
// asks, if it is ours.
func (a adapter) Handshake(ctx context.Context, r *providers.Request) (*providers.Reply, error) {
	if len(a.secrets) == 0 || !bytes.Contains(bytes.ToLower(r.Body), []byte(validation)) {
		return nil, nil //nolint:nilnil // an ordinary delivery
	}
	ev, err := decode(r)
	if err != nil || ev.Type.Lower() != validation {
		return nil, nil //nolint:nilnil,nilerr // Verify refuses what cannot be read
	}
	if err := a.check(ev); err != nil {
		return nil, err
	}
	return &providers.Reply{Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(ev.SecretKey.String())}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	ev, err := decode(r)
	if err != nil {
		return providers.Unauthentic(name, "no SecretKey can be read")
	}
	return a.check(ev)
}

func (a adapter) check(ev *event) error {
	switch got := ev.SecretKey.String(); {
	case got == "":
		return providers.Unauthentic(name, "the body has no SecretKey")
	case !sign.Token(a.secrets, got):
		return providers.Unauthentic(name, "the SecretKey does not match: compare signing_secret with the webhook's secret key at SocketLabs")
	}
	return nil
}

// event is one event of any type. The case of names varies.
type event struct {
	Type      wire.Text `json:"Type,case:ignore"`
	SecretKey wire.Text `json:"SecretKey,case:ignore"`
	DateTime  wire.Text `json:"DateTime,case:ignore"`
	ServerID  wire.Text `json:"ServerId,case:ignore"`
	SubID     wire.Text `json:"SubaccountId,case:ignore"`
	MailingID wire.Text `json:"MailingId,case:ignore"` // the sender's own, as is MessageId
	MessageID wire.Text `json:"MessageId,case:ignore"`
	Address   wire.Text `json:"Address,case:ignore"`
	To        wire.Text `json:"To,case:ignore"` // of complaints: a header's text

	FailureType  wire.Text `json:"FailureType,case:ignore"`
	FailureCode  wire.Text `json:"FailureCode,case:ignore"`
	DeferralCode wire.Text `json:"DeferralCode,case:ignore"`
	BounceStatus wire.Text `json:"BounceStatus,case:ignore"`
	Diagnostic   wire.Text `json:"DiagnosticCode,case:ignore"`
	Reason       wire.Text `json:"Reason,case:ignore"`
	FBLType      wire.Text `json:"FblType,case:ignore"`
	TrackingType wire.Text `json:"TrackingType,case:ignore"`

	Data wire.Raw `json:"Data,case:ignore"` // tags and metadata, or the whole event
}

// decode reads JSON or a form. Some senders wrap the event in "data"; ordinary
// events have a member of that name too, beside their type.
func decode(r *providers.Request) (*event, error) {
	body := bytes.TrimSpace(r.Body)
	if len(body) > 0 && body[0] != '{' && body[0] != '[' {
		return decodeForm(r)
	}
	var ev event
	if err := wire.Decode(body, &ev); err != nil {
		return nil, err
	}
	if ev.Type == "" && ev.Data.Kind() == '{' {
		var inner event
		if err := wire.Decode(ev.Data, &inner); err != nil {
			return nil, err
		}
		if inner.Type != "" {
			return &inner, nil
		}
	}
	return &ev, nil
}

func decodeForm(r *providers.Request) (*event, error) {
	form, err := r.Form()
	if err != nil {
		return nil, err
	}
	low := make(url.Values, len(form))
	for k, v := range form {
		low[strings.ToLower(k)] = v
	}
	get := func(k string) wire.Text { return wire.Text(low.Get(k)) }
	return &event{Type: get("type"), SecretKey: get("secretkey"), DateTime: get("datetime"), ServerID: get("serverid"), SubID: get("subaccountid"),
		MailingID: get("mailingid"), MessageID: get("messageid"), Address: get("address"), To: get("to"), FailureType: get("failuretype"), FailureCode: get("failurecode"),
		DeferralCode: get("deferralcode"), BounceStatus: get("bouncestatus"), Diagnostic: get("diagnosticcode"), Reason: get("reason"), FBLType: get("fbltype"), TrackingType: get("trackingtype")}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	b := providers.NewBatch(name, 1)
	ev, err := decode(r)
	switch {
	case err != nil:
		b.Reject(providers.Malformed(name, "body", providers.ErrNotJSON))
	case ev.Type == "":
		b.Reject(providers.Malformed(name, "Type", providers.ErrMissing))
	default:
		ev.read(b)
	}
	return b.Done()
}

func (ev *event) read(b *providers.Batch) {
	kind := ev.Type.Lower()
	e := recipient.Event{At: ev.DateTime.Time(), MessageID: ev.MessageID.String(), Rule: "socketlabs-type"}
	to := ev.Address.String()
	switch kind {
	case "failed":
		e.Kind, e.Rule = ev.failure()
		e.Code, e.Detail = firstOf(ev.FailureCode, ev.BounceStatus, ev.FailureType), firstOf(ev.Diagnostic, ev.Reason)
	case "deferred":
		e.Kind, e.Code, e.Detail = recipient.SoftBounce, ev.DeferralCode.String(), firstOf(ev.Diagnostic, ev.Reason)
	case "complaint":
		if ev.FBLType.Lower() == "not-spam" { // RFC 6430: the opposite of a complaint
			return
		}
		e.Kind, e.Code = recipient.Complaint, ev.FBLType.String()
		if to == "" {
			to = ev.To.String()
		}
	case "tracking":
		if unsubscribe[ev.TrackingType.Lower()] {
			e.Kind = recipient.OptOut
		}
	case "unsubscribe": // as account-level webhooks have Open and Click instead of Tracking
		e.Kind = recipient.OptOut
	case "delivered", "sent":
		e.Kind = recipient.Delivered
	}
	if e.Kind == "" {
		return
	}
	// There is no event id, and the message's ids are the sender's own.
	e.IDParts = []string{kind, ev.ServerID.String(), ev.SubID.String(), e.MessageID, ev.MailingID.String(), ev.DateTime.String(), ev.FailureCode.String()}
	b.AddTo(recipient.Email, "Address", smtp.Bare(to), e)
}

func firstOf(texts ...wire.Text) string {
	for _, t := range texts {
		if s := t.String(); s != "" {
			return s
		}
	}
	return ""
}

// failure judges by SocketLabs' own code; where it says nothing, the server's
// words must prove that the address is faulty.
func (ev *event) failure() (recipient.Kind, string) {
	code, kind := ev.FailureCode.String(), ev.FailureType.Lower()
	switch {
	case suppressed[kind], replyCodes[code]:
		return "", ""
	case !permanent[kind]:
		return recipient.SoftBounce, "socketlabs-failure-type"
	case hardCodes[code]:
		return recipient.HardBounce, "socketlabs-failure-code"
	case code == openCode || code == "" || code == "0":
		v := smtp.Classify(smtp.Reply{Status: ev.BounceStatus.String(), Text: ev.Diagnostic.String() + "\n" + ev.Reason.String()})
		return v.Kind, v.Rule
	}
	return recipient.SoftBounce, "socketlabs-failure-code"
}
