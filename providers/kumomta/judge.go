package kumomta

import (
	"net/mail"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// labels translates "bounce_classification" where the reply itself does not
// decide. What is not listed, the operator's own labels among them, is soft.
var labels = map[string]recipient.Kind{
	"invalidrecipient": recipient.HardBounce,
	"baddomain":        recipient.HardBounce, // null MX (5.1.10), the domain's owner changed (5.7.18)
	"unsubscribe":      recipient.OptOut,     // by rules of the operator
}

// answers are the labels of replies that a person's software wrote.
var answers = map[string]bool{"autoreply": true, "challengeresponse": true, "subscribe": true}

// reply returns the server's words with the codes that stand beside them.
func (r *response) reply() smtp.Reply {
	out := smtp.Reply{Code: r.Code.String(), Text: r.Content.String()}
	switch r.Enhanced.Kind() {
	case '{':
		var e enhanced
		if wire.Decode(r.Enhanced, &e) == nil {
			out.Status = e.Class.String() + "." + e.Subject.String() + "." + e.Detail.String()
		}
	case '"':
		out.Status = strings.Trim(string(r.Enhanced), `"`)
	}
	return out
}

// judge decides a bounce: the reply first, then the label, else it is soft. The
// label alone will not do: it is "Uncategorized" where no classifier is
// configured, and its rules know neither every code nor the class.
func (rec *record) judge(e *recipient.Event, oob bool) {
	reply := rec.Response.reply()
	v := smtp.Classify(reply)
	e.Kind, e.Rule = v.Kind, v.Rule
	if v.Code != "" {
		e.Code = v.Code
	}
	label := rec.Label.Lower()
	switch {
	case oob && reply.Text == "":
		// A report without the server's words; KumoMTA made the code up.
		e.Kind, e.Rule = recipient.SoftBounce, "kumomta-no-reply"
	case v.Hard():
	case answers[label]:
		e.Kind = ""
	case labels[label] == recipient.OptOut:
		e.Kind, e.Rule, e.Code = recipient.OptOut, "kumomta-label", ""
	case labels[label] == recipient.HardBounce && undecided(v) && strings.HasPrefix(reply.Code, "5"):
		e.Kind, e.Rule = recipient.HardBounce, "kumomta-"+label
	}
}

// undecided reports whether a reply said no more than that it failed.
func undecided(v smtp.Verdict) bool {
	return v.Rule == "smtp-no-code" || v.Rule == "smtp-"+v.Code && (len(v.Code) == 3 || strings.HasSuffix(v.Code, ".0"))
}

// report is a complaint in the Abuse Reporting Format.
type report struct {
	Type     wire.Text `json:"feedback_type"`
	MailFrom wire.Text `json:"original_mail_from"`
	RcptTo   wire.List `json:"original_rcpto_to"` // so spelled by KumoMTA
	Rcpt     wire.List `json:"original_rcpt_to"`
	Original wire.Raw  `json:"original_message"` // text, or its bytes as numbers
	Trace    *struct {
		Recipient wire.List `json:"recipient"`
	} `json:"supplemental_trace"`
}

// complaint adds what one feedback report says. Its recipient is the mailbox
// for such reports; who complained stands in the trace headers that KumoMTA put
// into the mail, in the report, or only in the returned mail.
func (a adapter) complaint(b *providers.Batch, rec *record, e recipient.Event) {
	f := rec.Report
	if f == nil {
		f = &report{}
	}
	kind := f.Type.Lower()
	if e.Kind = feedback[kind]; e.Kind == "" {
		return
	}
	e.Code, e.Rule, e.Detail = kind, "arf-feedback-type", ""
	var traced []string
	if f.Trace != nil {
		traced = f.Trace.Recipient
	}
	ours := people(nil, append([]string{rec.Sender.String(), f.MailFrom.String()}, rec.Recipient...))
	if owner, ok := a.verp.Open(smtp.Bare(f.MailFrom.String())); ok && len(traced) == 0 {
		traced = []string{owner.Value()}
	}
	for _, candidates := range [][]string{traced, f.RcptTo, f.Rcpt, originalTo(f.Original)} {
		one := people(ours, candidates)
		if len(one) > 1 {
			break // one of them complained, and we cannot know which
		}
		for e.Address = range one {
			b.Add(e)
			return
		}
	}
	b.Reject(providers.Unresolved(name, "feedback_report.original_rcpto_to"))
}

// people returns the different addresses of a list, without those to leave out
// and without those that the reporter hid.
func people(without map[recipient.Address]bool, list []string) map[recipient.Address]bool {
	out := map[recipient.Address]bool{}
	for _, s := range list {
		a, err := recipient.ParseEmail(smtp.Bare(s))
		if err == nil && !without[a] && !strings.Contains(s, "*") {
			out[a] = true
		}
	}
	return out
}

// originalTo returns the recipients in the header of the returned mail.
func originalTo(raw wire.Raw) (out []string) {
	var text wire.Text
	switch raw.Kind() {
	case '"':
		if wire.Decode(raw, &text) != nil {
			return nil
		}
	case '[':
		var numbers []uint16 // []byte would be base64
		if wire.Decode(raw, &numbers) != nil {
			return nil
		}
		b := make([]byte, len(numbers))
		for i, n := range numbers {
			b[i] = byte(n & 0xff)
		}
		text = wire.Text(b)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(text) + "\n\n")) // perhaps only a header
	if err != nil {
		return nil
	}
	list, err := m.Header.AddressList("To")
	if err != nil {
		return nil
	}
	for _, a := range list {
		out = append(out, a.Address)
	}
	return out
}
