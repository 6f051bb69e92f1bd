package smsbox

import (
	"errors"
	"strconv"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestKinds(t *testing.T) {
	const rest = "&reference=250123456789&ts=1795375805"
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := []providertest.Case{
		{Name: "with a plus", Body: "numero=%2B33600123456&accuse=0" + rest, Want: "delivered +33600123456 0"},
		{Name: "with zeros", Body: "numero=0033600123456&accuse=0" + rest, Want: "delivered +33600123456 0"},
		{Name: "national", Body: "numero=0600123456&accuse=2" + rest, Want: "soft_bounce +33600123456 2"},
		{Name: "code with a sign", Body: "numero=33600123456&accuse=%2B2" + rest, Want: "soft_bounce +33600123456 2"},
		{Name: "code that is a word", Body: "numero=33600123456&accuse=lost" + rest, Want: "soft_bounce +33600123456 lost"},
		{Name: "sandbox", Body: "numero=99900000001&accuse=2" + rest},
		{Name: "sandbox with a plus", Body: "numero=%2B99930000001&accuse=3" + rest},
		{Name: "JSON", Body: `{"numero":33600123456,"reference":"r","accuse":0,"ts":1795375805}`, Want: "delivered +33600123456 0"},
		{Name: "no number", Body: "accuse=2" + rest, Want: "!no_recipient"},
		{Name: "no number, on its way", Body: "accuse=9" + rest},
		{Name: "no code", Body: "numero=33600123456" + rest, Want: "!unreadable"},
		{Name: "empty code", Body: "numero=33600123456&accuse=" + rest, Want: "!unreadable"},
		{Name: "no reference", Body: "numero=33600123456&accuse=2&ts=1795375805", Want: "!unreadable"},
		{Name: "no time", Body: "numero=33600123456&accuse=2&reference=r", Want: "!unreadable"},
		{Name: "somebody followed the link", Want: "!unreadable"},
		{Name: "a reply", Body: "numero=33600123456&message=STOP", Want: "!unreadable"},
	}
	for code := -4; code <= 12; code++ {
		c := providertest.Case{Name: "code " + strconv.Itoa(code), Body: "numero=33600123456&accuse=" + strconv.Itoa(code) + rest, Want: "soft_bounce +33600123456 " + strconv.Itoa(code)}
		switch code {
		case 0:
			c.Want = "delivered +33600123456 0"
		case -1, 9, 10:
			c.Want = ""
		}
		cases = append(cases, c)
	}
	for i := range cases {
		cases[i].Header = form
	}
	providertest.Table(t, Info, providers.Set(), cases)
	providertest.Table(t, Info, providers.Set("region", "be", "hard_codes", "5", "ignored_codes", "-3", "opt_out_codes", "6"), []providertest.Case{
		{Name: "Belgian", Body: "numero=0470123456&accuse=2" + rest, Header: form, Want: "soft_bounce +32470123456 2"},
		{Name: "own hard code", Body: "numero=33600123456&accuse=5" + rest, Header: form, Want: "hard_bounce +33600123456 5"},
		{Name: "own ignored code", Body: "numero=33600123456&accuse=-3" + rest, Header: form},
		{Name: "own opt-out code", Body: "numero=33600123456&accuse=6" + rest, Header: form, Want: "opt_out +33600123456 6"},
	})
	if _, err := New(providers.Set("region", "France")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("err = %v", err)
	}
}
