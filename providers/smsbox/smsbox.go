// Package smsbox reads the delivery reports (accusés) of SMSBOX, which come as
// queries.
//
// API and sandbox: https://docs.smsbox.dev/sms and
// https://www.smsbox.net/en/tools-development#doc-sms-accusees (read
// 2026-11-20). Nothing is signed.
//
// Of the codes only three are documented, in the sandbox's rules. One of the
// others may mean an unknown number; which one is not known, so nothing blocks
// until the operator asks SMSBOX and fills hard_codes.
package smsbox

import (
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name          = "smsbox"
	regionSetting = "region"
	sandbox       = "+999" // numbers with simulated reports
)

// codes translates "accuse"; what is not listed is a failure, and soft: 1
// (transmission), 2 (rejected), 3 to 8 and -3, whose meaning is not documented.
var codes = map[string]recipient.Kind{
	"0":  recipient.Delivered,
	"-1": "", "9": "", "10": "", // on its way
}

type adapter struct {
	sms.Unsigned
	codes  sms.Codes
	region string
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	region := strings.ToUpper(s.Get(regionSetting, "FR"))
	if len(region) != 2 {
		return nil, providers.SettingError(regionSetting, "expected the two letters of a country, such as FR")
	}
	return adapter{codes: sms.NewCodes(s, "smsbox-accuse", codes), region: region}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.EachParams(name, r, a.read)
}

func (a adapter) read(b *providers.Batch, p sms.Params) {
	// A GET that changes something: whoever follows links must not be taken for
	// SMSBOX, so the report has to be complete.
	for _, field := range []string{"accuse", "reference", "ts"} {
		if p.Get(field) == "" { // "0" is a value
			b.Reject(providers.Malformed(name, field, providers.ErrMissing))
			return
		}
	}
	code := p.Get("accuse")
	if n, err := strconv.Atoi(code); err == nil {
		code = strconv.Itoa(n)
	}
	kind, rule := a.codes.Judge(code)
	to := sms.MSISDN(p.Get("numero"))
	if digits := strings.TrimPrefix(to, "+"); strings.HasPrefix(digits, "0") && !strings.HasPrefix(digits, "00") {
		// As the operator wrote it, for the account's own country.
		if n, err := recipient.ParsePhone(digits, a.region); err == nil {
			to = n.Value()
		}
	}
	if kind == "" || strings.HasPrefix(to, sandbox) {
		return
	}
	// Several recipients may share a reference; the number is part of every fingerprint.
	reference := p.Get("reference")
	b.AddTo(recipient.SMS, "numero", to, recipient.Event{
		Kind: kind, At: wire.Time(p.Get("ts")), MessageID: reference, Code: code, Rule: rule, IDParts: []string{reference, code},
	})
}
