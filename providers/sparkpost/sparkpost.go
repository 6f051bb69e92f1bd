// Package sparkpost reads the event webhooks of SparkPost, also called Bird
// Email.
//
// Payload: https://developers.sparkpost.com/api/webhooks/ and
// https://support.sparkpost.com/docs/tech-resources/sparkpost-event-definitions
// Bounce classes: https://support.sparkpost.com/docs/deliverability/bounce-classification-codes
// Suppressions: https://support.sparkpost.com/docs/tech-resources/preparing-for-async-suppressions
// (all read 2026-11-20). Signature: none; Basic auth, a bearer token or a header
// of one's own.
package sparkpost

import (
	"bytes"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "sparkpost"

// oldTokenHeader carries the token of webhooks that were made before SparkPost
// offered other ways.
const oldTokenHeader = "X-MessageSystems-Webhook-Token"

// meaning is what a bounce becomes; the zero meaning is no event.
type meaning struct {
	kind recipient.Kind
	echo bool
	rule string
}

var soft = meaning{kind: recipient.SoftBounce, rule: "sparkpost-bounce-class"}

// classes translates "bounce_class". Classes that are not listed are soft. The
// SMTP code decides nothing: SparkPost reports 554 for nearly everything.
var classes = map[string]meaning{
	"10": {kind: recipient.HardBounce, rule: "sparkpost-bounce-class"}, // Invalid Recipient
	"30": {kind: recipient.HardBounce, rule: "sparkpost-bounce-class"}, // Generic Bounce: No RCPT
	"90": {kind: recipient.OptOut, rule: "sparkpost-bounce-class"},     // Unsubscribe: a reply that asked for it; the address works
	// A person or a machine answered, which is no failure: Auto-Reply, Subscribe (no
	// proof of consent), Challenge-Response.
	"60": {}, "80": {}, "100": {},
}

// classSuppressed is Admin Failure: SparkPost did not send, mostly because its
// suppression list holds the address.
const classSuppressed = "25"

// suppressed begins the reason of mail that SparkPost did not send; whose policy
// it was and the cause follow.
const (
	suppressed = "recipient address was suppressed due to "
	byCustomer = "customer policy"
)

// causes are the entries of the suppression list, all older events.
var causes = []struct {
	words string
	meaning
}{
	{"bounce rule", meaning{recipient.HardBounce, true, "sparkpost-suppressed-bounce"}},
	{"spam complaint", meaning{recipient.Complaint, true, "sparkpost-suppressed-complaint"}},
	{"list unsubscribe", meaning{recipient.OptOut, true, "sparkpost-suppressed-unsubscribe"}},
	{"link unsubscribe", meaning{recipient.OptOut, true, "sparkpost-suppressed-unsubscribe"}},
}

type adapter struct{ token.Header }

// New needs no settings; without "auth_token" the endpoint must have basic_auth
// or a path_secret.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{token.New(name, s, oldTokenHeader)}, nil
}

// item is one element of the batch: the event under the name of its class, or
// nothing in a ping.
type item struct {
	Msys wire.Members[wire.Object[event]] `json:"msys"`
}

type event struct {
	Type         wire.Text `json:"type"`
	ID           wire.Text `json:"event_id"`
	Timestamp    wire.Text `json:"timestamp"`
	Class        wire.Text `json:"bounce_class"`
	RawReason    wire.Text `json:"raw_reason"`
	Reason       wire.Text `json:"reason"` // without addresses
	FeedbackType wire.Text `json:"fbtype"`
	RawTo        wire.Text `json:"raw_rcpt_to"` // with its case
	To           wire.Text `json:"rcpt_to"`
	MessageID    wire.Text `json:"message_id"`
	Transmission wire.Text `json:"transmission_id"`
	Subaccount   wire.Text `json:"subaccount_id"`
}

// samples is what the API answers who asks for sample events, to be posted by hand.
type samples struct {
	Results wire.Raw `json:"results"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	body := r.Body
	var s samples
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && wire.Outer(body, &s) == nil && s.Results.Kind() == '[' {
		body = s.Results
	}
	return batch.JSON(name, body, func(b *providers.Batch, it *item) {
		for i := range it.Msys {
			class, ev := it.Msys[i].Name, &it.Msys[i].V.V
			if ev.Type == "" && (class == "message_event" || class == "unsubscribe_event") {
				b.Reject(providers.Malformed(name, "msys.type", providers.ErrMissing))
				continue
			}
			ev.read(b)
		}
	})
}

func (ev *event) read(b *providers.Batch) {
	kind := ev.Type.Lower()
	m := ev.meaning(kind)
	if m.kind == "" {
		return
	}
	e := recipient.Event{
		Kind: m.kind, Echo: m.echo, Rule: m.rule, At: ev.Timestamp.Time(), EventID: ev.ID.String(), MessageID: ev.MessageID.String(),
		Code: ev.Class.String(), Detail: ev.RawReason.String(), IDParts: []string{ev.ID.String()},
	}
	if e.MessageID == "" {
		e.MessageID = ev.Transmission.String()
	}
	if e.Detail == "" {
		e.Detail = ev.Reason.String()
	}
	if e.EventID == "" {
		e.IDParts = []string{kind, e.MessageID, e.Code, ev.Timestamp.String()}
	}
	switch {
	case e.Echo && e.Code == "": // a rejection
		e.Code = classSuppressed
	case kind == "spam_complaint":
		e.Code = ev.FeedbackType.String()
	case kind == "list_unsubscribe" || kind == "link_unsubscribe":
		e.Code = ev.scope()
	}
	to := ev.RawTo.String()
	if to == "" {
		to = ev.To.String()
	}
	if to == "" && kind == "out_of_band" {
		return // real, and about nobody: the bounce mail named no recipient
	}
	b.AddTo(recipient.Email, "raw_rcpt_to", smtp.Bare(to), e)
}

// scope names the subaccount, which has a suppression list of its own.
func (ev *event) scope() string {
	if s := ev.Subaccount.String(); s != "" && s != "0" {
		return "subaccount " + s
	}
	return ""
}

// meaning tells what an event says of the address. Types that are not listed
// (injections, opens, clicks, relayed and inbound mail, SMS) say nothing.
func (ev *event) meaning(kind string) meaning {
	switch kind {
	case "bounce", "out_of_band":
		class := ev.Class.String()
		if class == classSuppressed {
			return ev.suppression()
		}
		if m, ok := classes[class]; ok {
			return m
		}
		return soft
	case "delay":
		return soft // whatever the class: SparkPost tries again
	case "spam_complaint":
		if ev.FeedbackType.Lower() == "not-spam" {
			return meaning{}
		}
		return meaning{kind: recipient.Complaint}
	case "list_unsubscribe", "link_unsubscribe":
		return meaning{kind: recipient.OptOut}
	case "delivery":
		return meaning{kind: recipient.Delivered}
	case "policy_rejection", "generation_rejection", "generation_failure":
		// About the message, except in accounts that still report suppressions so.
		if _, ok := ev.afterSuppressed(); ok {
			return ev.suppression()
		}
	}
	return meaning{}
}

// suppression tells why the list holds the address. Entries without a cause, and
// SparkPost's own list of role accounts and misspelt domains ("system policy"),
// are soft.
func (ev *event) suppression() meaning {
	why, _ := ev.afterSuppressed()
	if cause, ok := strings.CutPrefix(why, byCustomer); ok {
		for _, c := range causes {
			if strings.Contains(cause, c.words) {
				return c.meaning
			}
		}
	}
	return soft
}

// afterSuppressed returns what follows the words of a suppression, in lower
// case: their case differs between SparkPost's own pages. Either reason may be
// the one with the cause.
func (ev *event) afterSuppressed() (why string, ok bool) {
	_, why, ok = strings.Cut(ev.RawReason.Lower()+"\n"+ev.Reason.Lower(), suppressed)
	return why, ok
}
