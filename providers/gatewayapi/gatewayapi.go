// Package gatewayapi reads the delivery reports and received texts of
// GatewayAPI's REST API.
//
// Payloads: https://gatewayapi.com/docs/apis/rest/ , codes:
// https://gatewayapi.com/docs/errors/ (read 2026-11-20).
// Signature: X-Gwapi-Signature is a JSON Web Token, HS256 under the webhook's
// authentication token. Its claims are the notification itself and no hash
// covers the body, so the claims are read and the body is not: an old token in
// front of a forged body says only what it said before.
package gatewayapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name            = "gatewayapi"
	signatureHeader = "X-Gwapi-Signature"
	keywordsSetting = "keywords"
	noCodeSetting   = "undeliverable"
)

// hard are the codes that say that the number is faulty. Every other one is
// about the phone, the network, the sender, the content or the account; of
// those that look alike, 0x1012 (no SMS on the line) is reported for suspended
// lines too, and 0x1081 and 0x1082 stand twice in the documentation.
var hard = map[string]recipient.Kind{
	"0x1010": recipient.HardBounce, // HLR: unknown subscriber
	"0x1040": recipient.HardBounce, // SMSC: unidentified subscriber
	"0x1060": recipient.HardBounce, // invalid destination address
	"0x1084": recipient.HardBounce, // invalid mobile subscriber
}

type adapter struct {
	secrets  [][]byte
	codes    sms.Codes
	noCode   recipient.Kind
	words    *sms.Keywords
	keywords map[string]bool
}

// New checks signatures with "signing_secret"; without it the body is read.
func New(s providers.Settings) (providers.Adapter, error) {
	a := adapter{secrets: s.OptionalSecrets("signing_secret"), codes: sms.NewCodes(s, "gatewayapi-code", hard), words: sms.Words(s), keywords: map[string]bool{},
		noCode: recipient.Kind(s.Get(noCodeSetting, string(recipient.HardBounce)))}
	if a.noCode != recipient.HardBounce && a.noCode != recipient.SoftBounce {
		return nil, providers.SettingError(noCodeSetting, "expected hard_bounce or soft_bounce")
	}
	for _, k := range s.All(keywordsSetting) {
		a.keywords[strings.ToLower(k)] = true
	}
	return a, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	token := r.Header.Get(signatureHeader)
	if token == "" {
		return providers.Unauthentic(name, "the "+signatureHeader+" header is missing: enter signing_secret as the webhook's authentication token at GatewayAPI")
	}
	if _, ok := sign.JWT256(a.secrets, []byte(token)); !ok {
		return providers.Unauthentic(name, "the token does not match: compare signing_secret with the webhook's authentication token at GatewayAPI")
	}
	return nil
}

// notice is a delivery report, or a received text, which alone has Message.
type notice struct {
	ID       wire.Text `json:"id"`
	MSISDN   wire.Text `json:"msisdn"`
	Time     wire.Text `json:"time"`
	Status   wire.Text `json:"status"`
	Code     wire.Text `json:"code"`
	Error    wire.Text `json:"error"`
	Message  wire.Text `json:"message"`
	Receiver wire.Text `json:"receiver"`
	SentTime wire.Text `json:"senttime"`
	Prefix   wire.Text `json:"country_prefix"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	body, token := r.Body, r.Header.Get(signatureHeader)
	if len(a.secrets) > 0 && token != "" { // without it the body is one that was kept below, read again
		body = sign.JWTClaims([]byte(token)) // Verify let it pass
	}
	events, err := sms.Each(name, "body", body, nil, a.read)
	var partial *providers.PartialError
	var whole *providers.ParseError
	switch { // keep the claims, which were verified, and not a body that was not
	case errors.As(err, &partial):
		partial.Body = body
	case errors.As(err, &whole):
		err = &providers.PartialError{Items: []*providers.ParseError{whole}, Body: body}
	}
	return events, err
}

func (a adapter) read(b *providers.Batch, n *notice) {
	from := sms.MSISDN(whole(n.MSISDN))
	if n.Message != "" {
		a.text(b, n, from)
		return
	}
	e := recipient.Event{At: n.Time.Time(), MessageID: n.ID.String(), Code: code(n.Code.String()), Detail: n.Error.String()}
	status := strings.ToUpper(n.Status.String())
	switch status {
	case "DELIVERED", "ACCEPTED": // the network accepted it on the phone's behalf
		e.Kind, e.Code = recipient.Delivered, status
	case "UNDELIVERABLE", "EXPIRED", "REJECTED":
		e.Kind, e.Rule = a.codes.Judge(e.Code)
		if status == "UNDELIVERABLE" && e.Code == "" { // "permanently undeliverable, most likely due to an invalid MSISDN"
			e.Kind, e.Code, e.Rule = a.noCode, status, "gatewayapi-undeliverable"
		}
	case "":
		if n.Receiver == "" { // else an empty text
			b.Reject(providers.Malformed(name, "status", providers.ErrMissing))
		}
	}
	if e.Kind == "" { // on its way, or cancelled by its sender
		return
	}
	// One id stands for all recipients of a message; the number is part of every fingerprint.
	e.IDParts = []string{e.MessageID, status, e.Code, n.Time.String()}
	b.AddTo(recipient.SMS, "msisdn", from, e)
}

// text reads what a person wrote. On a short code that several customers
// share it begins with the keyword that leads to this one.
func (a adapter) text(b *providers.Batch, n *notice, from string) {
	in := sms.Inbound{Text: n.Message.String(), To: n.Receiver.String(), ID: n.ID.String(), Number: from}
	first, rest, _ := strings.Cut(in.Text, " ")
	switch {
	case a.keywords[strings.ToLower(first)]:
		in.Before, in.Text = first, rest
	case len(a.keywords) == 0 && shortCode(n) && a.words.Kind(rest) == recipient.OptOut:
		// We do not know the keyword. Nobody loses by a stop that was not meant for
		// this list; a start needs the whole text.
		in.Before, in.Text = first, rest
	}
	a.words.Received(b, "msisdn", in, n.SentTime.Time())
}

// shortCode reports whether the text went to a short number, which the
// provider writes with its country code: 451204 is 1204 in Denmark.
func shortCode(n *notice) bool {
	number, cut := strings.CutPrefix(whole(n.Receiver), whole(n.Prefix))
	return len(number) <= 6 || !cut && len(number) <= 8
}

// whole writes an integer without exponent or fraction, whatever the JSON writer made of it.
func whole(t wire.Text) string {
	s := t.String()
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 1 || f >= 1e15 || f != float64(int64(f)) {
		return s
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// maxCode is above every code there is (0x1904).
const maxCode = 0x1fff

// code writes a code as the documentation does: "0x1010", also where it came
// without 0x or as a decimal number. The two cannot be mixed up: no decimal
// number below 0x2000 reads as a hard code in hex and is another code in the
// list.
func code(s string) string {
	s = strings.ToLower(s)
	if s == "" || s == "null" || s == "none" {
		return ""
	}
	digits := strings.TrimPrefix(s, "0x")
	n, err := strconv.ParseUint(digits, 16, 32)
	if err == nil && n > maxCode && digits == s {
		n, err = strconv.ParseUint(s, 10, 32)
	}
	if err != nil || n > maxCode {
		return s
	}
	return fmt.Sprintf("0x%04x", n)
}
