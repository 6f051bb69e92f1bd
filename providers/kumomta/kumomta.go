// Package kumomta reads the log records that a KumoMTA server posts: one
// object, an array, or one object a line.
//
// Records: https://docs.kumomta.com/reference/log_record/ and
// https://docs.kumomta.com/userguide/operation/webhooks/; labels:
// https://docs.kumomta.com/reference/kumo/configure_bounce_classifier/ (read
// 2026-11-20). KumoMTA signs nothing; the operator's policy adds a header.
package kumomta

import (
	"bytes"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/verp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "kumomta"

// kinds translates "type"; types that are not listed are not about delivery:
// AdminBounce is the operator's own act, Rejection is about those who mail us.
var kinds = map[string]recipient.Kind{
	"bounce":           recipient.HardBounce, // if judge agrees
	"oob":              recipient.HardBounce, // a bounce mail that came later; if judge agrees
	"transientfailure": recipient.SoftBounce,
	"expiration":       recipient.SoftBounce,
	"feedback":         recipient.Complaint, // if its feedback_type is one
	"delivery":         recipient.Delivered,
}

// feedback translates feedback_type (RFC 5965). What is not listed is not a
// person's complaint.
var feedback = map[string]recipient.Kind{
	"abuse": recipient.Complaint, "fraud": recipient.Complaint, "virus": recipient.Complaint, "other": recipient.Complaint, "": recipient.Complaint,
	"opt-out": recipient.OptOut, "opt-out-list": recipient.OptOut,
}

type adapter struct {
	token.Header
	verp verp.Verp
}

// New takes the settings "auth_token" and "verp_secret", both optional.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{token.New(name, s), verp.New(s.All(verp.Setting)...)}, nil
}

type record struct {
	Type      wire.Text `json:"type"`
	ID        wire.Text `json:"id"`
	Sender    wire.Text `json:"sender"`
	Recipient wire.List `json:"recipient"` // one, or several since 2025.12
	Response  response  `json:"response"`
	EventTime wire.Text `json:"event_time"` // since 2025.10
	Timestamp wire.Text `json:"timestamp"`
	Attempts  wire.Text `json:"num_attempts"`
	Label     wire.Text `json:"bounce_classification"`
	Node      wire.Text `json:"nodeid"`
	Report    *report   `json:"feedback_report"`
}

type response struct {
	Code     wire.Text `json:"code"`
	Enhanced wire.Raw  `json:"enhanced_code"` // often null
	Content  wire.Text `json:"content"`
}

type enhanced struct {
	Class   wire.Text `json:"class"`
	Subject wire.Text `json:"subject"`
	Detail  wire.Text `json:"detail"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	items, err := split(r.Body)
	if err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	b := providers.NewBatch(name, len(items))
	var bad []wire.Raw
	for _, raw := range items {
		before := b.Rejected()
		var rec record
		if wire.Decode(raw, &rec) != nil || rec.Type == "" {
			b.Reject(providers.Malformed(name, "type", providers.ErrNotJSON))
		} else {
			a.add(b, &rec)
		}
		if b.Rejected() > before {
			bad = append(bad, raw)
		}
	}
	if len(bad) > 0 {
		b.Keep(wire.Join(bad))
	}
	return b.Done()
}

// split returns the records of a body.
func split(body []byte) ([]wire.Raw, error) {
	items, err := wire.Array(body)
	if err == nil {
		return items, nil
	}
	for line := range bytes.Lines(body) { // home-made hooks write one record a line
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if line[0] != '{' {
			return nil, err
		}
		items = append(items, line)
	}
	if len(items) < 2 {
		return nil, err
	}
	return items, nil
}

func (a adapter) add(b *providers.Batch, rec *record) {
	kind, at := rec.Type.Lower(), rec.EventTime
	if at == "" {
		at = rec.Timestamp
	}
	e := recipient.Event{
		Kind: kinds[kind], At: at.Time(), MessageID: rec.ID.String(), Code: kind, Rule: "kumomta-type", Detail: rec.Response.Content.String(),
		IDParts: []string{rec.Node.String(), kind, rec.ID.String(), rec.Attempts.String(), at.String()},
	}
	switch {
	case e.Kind == "":
		return
	case kind == "feedback":
		a.complaint(b, rec, e)
		return
	case e.Kind == recipient.HardBounce:
		rec.judge(&e, kind == "oob")
	case e.Kind == recipient.SoftBounce:
		if c := smtp.Classify(rec.Response.reply()).Code; c != "" {
			e.Code = c
		}
	}
	if e.Kind == "" {
		return
	}
	to := []string(rec.Recipient)
	if len(to) == 0 && kind == "oob" { // the mail was sent to our own return path
		if owner, ok := a.verp.Open(smtp.Bare(rec.Sender.String())); ok {
			to = []string{owner.Value()}
		}
	}
	if len(to) == 0 {
		to = []string{""}
	}
	for _, one := range to {
		e := e
		if kind == "oob" && e.Kind == recipient.HardBounce && !a.proven(rec, smtp.Bare(one)) {
			e.Kind, e.Rule = recipient.SoftBounce, "kumomta-unproven"
		}
		b.AddTo(recipient.Email, "recipient", smtp.Bare(one), e)
	}
}

// proven reports whether a bounce mail proves whose bounce it is. Anybody can
// mail one; without verp_secret there is nothing to prove it by.
func (a adapter) proven(rec *record, to string) bool {
	if !a.verp.Active() {
		return true
	}
	addr, err := recipient.ParseEmail(to)
	return err == nil && a.verp.Proves(smtp.Bare(rec.Sender.String()), addr)
}
