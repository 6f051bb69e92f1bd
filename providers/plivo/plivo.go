// Package plivo reads Plivo's message status callbacks and received texts, as
// POST forms or GET queries.
//
// Callbacks: https://www.plivo.com/docs/messaging/api/message/message-status-callbacks
// Codes: https://www.plivo.com/docs/messaging/troubleshooting/error-codes
// Signatures: https://www.plivo.com/docs/messaging/concepts/signature-validation
// and github.com/plivo/plivo-go (read 2026-11-20).
package plivo

import (
	"context"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "plivo"

type meaning struct {
	kind  recipient.Kind
	words string
}

// codes translates ErrorCode. What is not listed is soft.
var codes = map[string]meaning{
	"50":   {recipient.HardBounce, "invalid destination number"},
	"70":   {recipient.HardBounce, "destination permanently unavailable"},
	"200":  {recipient.OptOut, "source blocked by STOP from the destination"},
	"10":   {recipient.SoftBounce, "invalid message"},
	"20":   {recipient.SoftBounce, "network error"},
	"30":   {recipient.SoftBounce, "spam detected"},
	"40":   {recipient.SoftBounce, "invalid source number"},
	"60":   {recipient.SoftBounce, "loop detected"},
	"80":   {recipient.SoftBounce, "destination temporarily unavailable"},
	"90":   {recipient.SoftBounce, "no route available"},
	"100":  {recipient.SoftBounce, "prohibited by carrier"}, // a network without SMS
	"110":  {recipient.SoftBounce, "message too long"},
	"201":  {recipient.SoftBounce, "toll-free to Canada blocked"},
	"300":  {recipient.SoftBounce, "failed to dispatch message"},
	"420":  {recipient.SoftBounce, "message expired"},
	"900":  {recipient.SoftBounce, "insufficient credit"},
	"910":  {recipient.SoftBounce, "account disabled"},
	"1000": {recipient.SoftBounce, "unknown error"},
}

type adapter struct {
	sms.Silent // an answer to a received text would be executed as Plivo XML
	secrets    [][]byte
	words      *sms.Keywords
}

// New needs the setting "signing_secret", the account's Auth Token.
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{secrets: secrets, words: sms.Words(s)}, nil
}

// Verify prefers the V3 signature, which covers everything. V2 covers the
// address alone, and is all that messaging callbacks often have. The oldest
// one, X-Plivo-Signature, is not accepted.
func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	version, text := "V3", signedV3
	if !signed(r.Header, "V3") {
		version, text = "V2", signedV2
	}
	nonce := r.Header.Get("X-Plivo-Signature-" + version + "-Nonce")
	if !signed(r.Header, version) || nonce == "" {
		return providers.Unauthentic(name, "the X-Plivo-Signature-V3 (or V2) header or its nonce is missing")
	}
	message, err := text(r)
	if err != nil {
		return providers.Unauthentic(name, "the request cannot be read as it was signed")
	}
	// Ma is made with the main account's token, the other with the subaccount's.
	for _, header := range []string{"X-Plivo-Signature-" + version, "X-Plivo-Signature-Ma-" + version} {
		for one := range strings.SplitSeq(r.Header.Get(header), ",") { // several while the token rotates
			if sign.Base64HMAC256(a.secrets, strings.TrimSpace(one), []byte(message), []byte(nonce)) {
				return nil
			}
		}
	}
	return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the Auth Token, and the endpoint's url with the one that Plivo calls")
}

func signed(h http.Header, version string) bool {
	return h.Get("X-Plivo-Signature-"+version) != "" || h.Get("X-Plivo-Signature-Ma-"+version) != ""
}

func signedV2(r *providers.Request) (string, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath(), nil
}

func signedV3(r *providers.Request) (string, error) {
	base, err := signedV2(r)
	if err != nil {
		return "", err
	}
	query := join(r.Query(), "=", "&")
	if r.Method == http.MethodGet {
		if query != "" {
			base += "?" + query
		}
		return base + ".", nil
	}
	form, err := r.Form()
	if err != nil {
		return "", err
	}
	params := join(form, "", "")
	switch {
	case query != "":
		base = strings.TrimRight(base+"?"+query+"."+params, ".")
	case params != "":
		base += "?" + params
	}
	return base + ".", nil
}

// join writes the first value of each parameter, sorted by name.
func join(v url.Values, equals, and string) string {
	names, size := make([]string, 0, len(v)), 0
	for n, values := range v {
		names = append(names, n)
		size += len(n) + len(equals) + len(values[0]) + len(and)
	}
	sort.Strings(names)
	out := make([]byte, 0, size)
	for i, n := range names {
		if i > 0 {
			out = append(out, and...)
		}
		out = append(append(append(out, n...), equals...), v[n][0]...)
	}
	return string(out)
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.EachParams(name, r, a.read)
}

func (a adapter) read(b *providers.Batch, p sms.Params) {
	if kind := strings.ToLower(p.Get("Type")); kind != "" && kind != "sms" && kind != "mms" { // WhatsApp says nothing of texts
		return
	}
	id, status := p.Get("MessageUUID", "ParentMessageUUID"), strings.ToLower(p.Get("Status"))
	at := wire.Time(p.Get("DeliveryReportTime", "SentTime", "QueuedTime", "MessageTime")) // UTC is assumed: no zone is stated
	if text := p.Get("Text"); text != "" && (status == "" || status == "received") {
		a.words.Received(b, "From", sms.Inbound{Text: text, To: p.Get("To"), ID: id, Number: p.Get("From")}, at)
		return
	}
	e := recipient.Event{At: at, MessageID: id}
	switch status {
	case "delivered":
		e.Kind = recipient.Delivered
	case "undelivered", "failed", "rejected":
		e.Code = strings.TrimLeft(p.Get("ErrorCode"), "0")
		m, known := codes[e.Code]
		if !known {
			m.kind = recipient.SoftBounce
		}
		e.Kind, e.Detail, e.Rule = m.kind, m.words, "plivo-code"
	case "":
		if id == "" && !p.Empty() {
			b.Reject(providers.Malformed(name, "Status", providers.ErrMissing))
		}
		return
	default: // queued, sent, read
		return
	}
	// One report for each status and message; the times differ between editions.
	e.IDParts = []string{id, status, e.Code}
	if id == "" {
		e.IDParts = append(e.IDParts, p.Get("DeliveryReportTime", "SentTime", "QueuedTime", "MessageTime"))
	}
	if e.Kind == recipient.OptOut {
		e.Code = sms.MSISDN(p.Get("From")) // the number that the person stopped
	}
	// Several numbers in one To, joined with <, are refused there: code 50 then
	// speaks of the joining.
	b.AddTo(recipient.SMS, "To", sms.MSISDN(p.Get("To")), e)
}
