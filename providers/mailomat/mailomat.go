// Package mailomat reads Mailomat's webhooks.
//
// The documentation, https://api.mailomat.swiss/docs/#tag/webhook, is not
// public; fields and signature are those of Symfony's bridge and of
// GHSA-rrj9-5q2j-4gvr, which quotes the section on security (read 2026-11-20).
// X-MOM-Webhook-Signature is "sha256=" and the hex HMAC-SHA256 of
// "<id>.<event>.<timestamp>", the values of three headers. The body is not
// signed.
package mailomat

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "mailomat"

// kinds translates "eventType"; types that are not listed are not about
// delivery. not_accepted is among those: Mailomat itself refused to send.
var kinds = map[string]recipient.Kind{
	"failure_perm": recipient.HardBounce, // if the server's reply is about the address
	"failure_tmp":  recipient.SoftBounce,
	"delivered":    recipient.Delivered,
}

// trustSetting says whether failure_perm needs a proof in the server's reply.
const (
	trustSetting = "failure_perm"
	byReply      = "by_reply"
	trusted      = "hard_bounce"
)

// maxAge is the usual tolerance; Mailomat does not publish its own (UNCONFIRMED).
const maxAge = 5 * time.Minute

type adapter struct {
	secrets [][]byte
	trust   bool
}

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	a := adapter{secrets: secrets}
	switch s.Get(trustSetting, byReply) {
	case byReply:
	case trusted:
		a.trust = true
	default:
		return nil, providers.SettingError(trustSetting, "expected by_reply or hard_bounce")
	}
	return a, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	id, event, ts := r.Header.Get("X-MOM-Webhook-Id"), r.Header.Get("X-MOM-Webhook-Event"), r.Header.Get("X-MOM-Webhook-Timestamp")
	signature := r.Header.Get("X-MOM-Webhook-Signature")
	if id == "" || event == "" || ts == "" || signature == "" {
		return providers.Unauthentic(name, "one of the headers X-MOM-Webhook-Id, -Event, -Timestamp and -Signature is missing")
	}
	// The algorithm is ours to choose, not the sender's (CVE-2026-48747).
	mac, ok := strings.CutPrefix(signature, "sha256=")
	if !ok {
		return providers.Unauthentic(name, "the signature is not of the kind sha256")
	}
	if !sign.HexHMAC256(a.secrets, mac, []byte(id+"."+event+"."+ts)) {
		return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the webhook's secret at Mailomat")
	}
	seconds, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || seconds <= 0 {
		return providers.Unauthentic(name, "X-MOM-Webhook-Timestamp is not a time")
	}
	return r.Fresh(time.Unix(seconds, 0))
}

type body struct {
	ID        wire.Text `json:"id"`
	Type      wire.Text `json:"eventType"`
	At        wire.Text `json:"occurredAt"`
	MessageID wire.Text `json:"messageId"`
	UUID      wire.Text `json:"messageUuid"`
	Recipient wire.Text `json:"recipient"`
	Payload   wire.Raw  `json:"payload"` // an empty array when there is nothing
}

type payload struct {
	Status wire.Raw  `json:"delivery-status"`
	Reason wire.Text `json:"reason"`
}

type delivery struct {
	Code     wire.Text `json:"code"`
	Enhanced wire.Text `json:"enhanced-code"`
	Message  wire.Text `json:"message"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m body
	if err := wire.Decode(r.Body, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	kind := m.Type.Lower()
	if kind == "" {
		kind = strings.ToLower(r.Header.Get("X-MOM-Webhook-Event"))
	}
	if kind == "" {
		return nil, providers.Malformed(name, "eventType", providers.ErrMissing)
	}
	e := recipient.Event{Kind: kinds[kind], At: m.At.Time(), EventID: m.ID.String(), MessageID: smtp.MessageID(m.MessageID.String()), Code: kind, Rule: "mailomat-event-type"}
	if e.Kind == "" {
		return nil, nil
	}
	if e.EventID == "" {
		e.EventID = r.Header.Get("X-MOM-Webhook-Id")
	}
	if e.MessageID == "" {
		e.MessageID = m.UUID.String()
	}
	if e.IDParts = []string{e.EventID}; e.EventID == "" {
		e.IDParts = []string{kind, e.MessageID, m.At.String()}
	}
	a.judge(&e, replyIn(m.Payload))
	b := providers.NewBatch(name, 1)
	b.AddTo(recipient.Email, "recipient", smtp.Bare(m.Recipient.String()), e)
	return b.Done()
}

// replyIn returns what the other server said; where that tells no reason,
// Mailomat's own goes with it.
func replyIn(raw wire.Raw) smtp.Reply {
	var p payload
	if raw.Kind() != '{' || wire.Decode(raw, &p) != nil {
		return smtp.Reply{}
	}
	reply, reason := smtp.Reply{}, p.Reason.String()
	var d delivery
	if p.Status.Kind() == '{' && wire.Decode(p.Status, &d) == nil {
		reply = smtp.Reply{Status: d.Enhanced.String(), Code: d.Code.String(), Text: d.Message.String()}
	}
	if reason != "" && smtp.Classify(reply).Kind != recipient.HardBounce && !smtp.Excuses(reply) {
		reply.Text = strings.TrimSpace(reply.Text + " " + reason)
	}
	return reply
}

// judge decides a failure_perm: permanent refusals of every cause end there.
func (a adapter) judge(e *recipient.Event, reply smtp.Reply) {
	e.Detail = reply.Text
	if e.Kind == recipient.Delivered {
		return
	}
	v := smtp.Classify(reply)
	if v.Code != "" {
		e.Code = v.Code
	}
	switch {
	case e.Kind != recipient.HardBounce:
	case a.trust && smtp.Excuses(reply):
		e.Kind = recipient.SoftBounce
	case !a.trust:
		e.Kind, e.Rule = v.Kind, v.Rule
	}
}
