// Package scaleway reads the webhooks of Scaleway Transactional Email, which
// come through Topics and Events in the format of Amazon SNS.
//
// Payload: https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads
// Signature: https://www.scaleway.com/en/docs/topics-and-events/reference-content/verifying-webhooks
// (read 2026-11-20).
package scaleway

import (
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/sns"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "scaleway"

// kinds translates "type"; types that are not listed (queued, blocklists) are
// not about delivery or repeat an older event.
var kinds = map[string]recipient.Kind{
	"email_mailbox_not_found": recipient.HardBounce,
	"email_dropped":           recipient.SoftBounce, // any definitive refusal; hard when the reply proves a faulty address
	"email_deferred":          recipient.SoftBounce,
	"email_spam":              recipient.SoftBounce, // by a filter or by the recipient: no proof of a complaint
	"email_delivered":         recipient.Delivered,
}

// rules pin the hosts: anybody can own a bucket somewhere below scw.cloud.
var rules = sns.Rules{
	Provider: name,
	CertURL: func(u *url.URL, _ string) bool {
		r, ok := between(u.Hostname(), "messaging.s3.", ".scw.cloud")
		return ok && isRegion(r) && strings.HasSuffix(u.Path, ".pem")
	},
	SubscribeURL: func(u *url.URL, region string) bool {
		r, ok := between(u.Hostname(), "sns.mnq.", ".scaleway.com")
		return ok && isRegion(r) && r == region
	},
	ChainURL: func(region string) string {
		if !isRegion(region) {
			region = "fr-par"
		}
		return "https://messaging.s3.fr-par.scw.cloud/" + region + "/sns/sns-trust-chain.pem"
	},
}

func between(s, before, after string) (string, bool) {
	s, ok := strings.CutPrefix(s, before)
	s, end := strings.CutSuffix(s, after)
	return s, ok && end
}

// isRegion knows the form of "fr-par".
func isRegion(s string) bool {
	if len(s) != 6 || s[2] != '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == "" && strings.Count(s, "-") == 1
}

// spamSetting lets the operator read email_spam as a complaint.
const spamSetting = "spam"

type adapter struct {
	*sns.Checker
	spam recipient.Kind
}

// New needs the setting "topics".
func New(s providers.Settings) (providers.Adapter, error) {
	c, err := sns.New(rules, s)
	if err != nil {
		return nil, err
	}
	a := adapter{c, recipient.Kind(s.Get(spamSetting, string(recipient.SoftBounce)))}
	if a.spam != recipient.SoftBounce && a.spam != recipient.Complaint {
		return nil, providers.SettingError(spamSetting, "expected soft_bounce or complaint")
	}
	return a, nil
}

type event struct {
	ID        wire.Text `json:"id"`
	Type      wire.Text `json:"type"`
	CreatedAt wire.Text `json:"created_at"`
	EmailID   wire.Text `json:"email_id"`
	To        wire.Text `json:"email_to"`
	Code      wire.Text `json:"email_response_code"`
	Message   wire.Text `json:"email_response_message"`
	Error     wire.Text `json:"email_error"` // deprecated, the same in one
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	outer, err := sns.Unwrap(name, r)
	if err != nil || outer.Body == nil { // nil: a confirmation, or a test in plain words
		return nil, err
	}
	var ev event
	if err := wire.Decode(outer.Body, &ev); err != nil {
		return nil, providers.Malformed(name, "Message", providers.ErrNotJSON)
	}
	if ev.Type == "" {
		return nil, providers.Malformed(name, "Message.type", providers.ErrMissing)
	}
	e := recipient.Event{
		Kind: kinds[ev.Type.Lower()], At: ev.CreatedAt.Time(), EventID: ev.ID.String(), MessageID: ev.EmailID.String(),
		Code: ev.Type.String(), Rule: "scaleway-type", Detail: ev.detail(),
	}
	if e.EventID == "" {
		e.EventID = outer.ID
	}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" {
		e.IDParts = []string{e.MessageID, e.Code, ev.CreatedAt.String()}
	}
	switch code := smtp.BasicCode(ev.Code.String()); ev.Type.Lower() {
	case "email_mailbox_not_found":
		// A temporary reply is no proof, whatever the event is called.
		if strings.HasPrefix(code, "4") {
			e.Kind, e.Rule = recipient.SoftBounce, "scaleway-class-4"
		}
	case "email_dropped":
		v := smtp.Classify(smtp.Reply{Code: ev.Code.String(), Text: ev.words()})
		e.Kind, e.Rule = v.Kind, v.Rule
	case "email_spam":
		// With a reply it was the server that refused.
		if code == "" {
			e.Kind = a.spam
		}
	}
	b := providers.NewBatch(name, 1)
	if e.Kind != "" {
		b.AddTo(recipient.Email, "Message.email_to", smtp.Bare(ev.To.String()), e)
	}
	return b.Done()
}

func (ev *event) words() string {
	if ev.Message != "" {
		return ev.Message.String()
	}
	return ev.Error.String()
}

func (ev *event) detail() string {
	if ev.Message == "" || smtp.BasicCode(ev.Code.String()) == "" {
		return ev.words()
	}
	return ev.Code.String() + " " + ev.Message.String()
}
