package sms

import (
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

func TestMSISDN(t *testing.T) {
	for in, want := range map[string]string{
		"447700900123":      "+447700900123",
		"+447700900123":     "+447700900123",
		"00447700900123":    "00447700900123",
		" 447700900123":     "+447700900123", // a + that a query decoded
		"%2B447700900123":   "+447700900123",
		"%2b447700900123":   "+447700900123",
		"tel:+447700900123": "+447700900123",
		"44 7700 900123":    "+44 7700 900123",
		"44-7700-900123":    "+44-7700-900123",
		" 44 7700 900123 ":  "+44 7700 900123",
		"12345":             "12345", // a short code
		"12 34 56":          "12 34 56",
		"Strikeout":         "Strikeout",
		"4477009OO123":      "4477009OO123",
		"44(0)7700900123":   "44(0)7700900123",
		"%2B":               "%2B",
		"":                  "",
		" ":                 "",
	} {
		if got := MSISDN(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestKeywords(t *testing.T) {
	k := NewKeywords(nil, nil)
	for text, want := range map[string]recipient.Kind{
		"STOP": recipient.OptOut, "stop": recipient.OptOut, "\t Stop.\r\n": recipient.OptOut, "\u201cSTOP\u201d": recipient.OptOut, "STOP!!!": recipient.OptOut,
		"ＳＴＯＰ": recipient.OptOut, "\u200bSTOP\ufeff": recipient.OptOut, "STOP\u00a0ALL": recipient.OptOut, "Opt-Out": recipient.OptOut, "remove": recipient.OptOut,
		"STOP \U0001F621": recipient.OptOut, "\u270b\ufe0f stop": recipient.OptOut, "STOPP": recipient.OptOut, "Arrêt": recipient.OptOut, "ARRE\u0302T": recipient.OptOut, "ABMELDEN": recipient.OptOut, "Baja": recipient.OptOut,
		"СТОП": recipient.OptOut, "Διαγραφή": recipient.OptOut, "Odhlásit": recipient.OptOut,
		"start": recipient.OptIn, " START. ": recipient.OptIn, "\u200bUnstop": recipient.OptIn,
		"START \U0001F600": "", "please stop": "", "stop it": "", "STOP START": "", "don't stop": "", "nonstop": "", "stopped": "", "unstoppable": "", "the end": "", "STOP by at 5": "",
		"yes": "", "help": "", "td": "", "": "", "...": "", "\U0001F621": "",
	} {
		if got := k.Kind(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
