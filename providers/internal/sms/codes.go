package sms

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// codeSettings are the operator's own lists, and what they make of a code.
var codeSettings = []struct {
	name, help string
	kind       recipient.Kind
}{
	{"hard_codes", "Codes that mean a faulty number, whatever the built-in table says. They block.", recipient.HardBounce},
	{"soft_codes", "Codes that are a soft bounce, whatever the built-in table says.", recipient.SoftBounce},
	{"opt_out_codes", "Codes that mean that the person wants no messages, whatever the built-in table says.", recipient.OptOut},
	{"ignored_codes", "Codes to leave out, whatever the built-in table says.", ""},
}

// CodeSettings are the settings of an adapter whose provider leaves open what
// its codes mean: the operator may know better than the table.
var CodeSettings = func() (out []providers.Setting) {
	for _, c := range codeSettings {
		out = append(out, providers.Setting{Name: c.name, Help: c.help, List: true})
	}
	return out
}()

// Codes says what the code of a failed report becomes.
type Codes struct {
	rule  string
	table map[string]recipient.Kind
	own   map[string]int // index in codeSettings
}

// NewCodes puts the operator's lists before a table whose keys are in lower
// case. Rule names the table in events.
func NewCodes(s providers.Settings, rule string, table map[string]recipient.Kind) Codes {
	c := Codes{rule, table, map[string]int{}}
	for i, setting := range codeSettings {
		for _, v := range s.All(setting.name) {
			c.own[strings.ToLower(v)] = i
		}
	}
	return c
}

// Judge returns the kind for a code, "" for no event, and the rule that made
// it. A code that nobody lists is soft.
func (c Codes) Judge(code string) (recipient.Kind, string) {
	code = strings.ToLower(strings.TrimSpace(code))
	if i, ok := c.own[code]; ok && code != "" {
		return codeSettings[i].kind, "setting-" + codeSettings[i].name
	}
	if kind, ok := c.table[code]; ok {
		return kind, c.rule
	}
	return recipient.SoftBounce, c.rule
}

// NumberIn returns the phone number that the operator wrote into a reference,
// such as "+358450000012;campaign-42", for providers whose reports name no
// recipient. Only a part with its + counts: bare digits may be an order number.
func NumberIn(reference string) string {
	for _, part := range strings.FieldsFunc(reference, func(r rune) bool { return strings.ContainsRune(";,| \t\r\n", r) }) {
		if rest, ok := strings.CutPrefix(strings.ToLower(part), "%2b"); ok { // encoded once too often
			part = "+" + rest
		}
		digits, ok := strings.CutPrefix(part, "+")
		if ok && len(digits) >= 7 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == "" {
			return part
		}
	}
	return ""
}
