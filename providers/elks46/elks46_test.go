package elks46

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestKinds(t *testing.T) {
	const to = "&to=%2B358450000012"
	cases := []providertest.Case{
		{Name: "failed", Body: "id=s1&status=failed" + to, Want: "soft_bounce +358450000012 failed"},
		{Name: "delivered", Body: "id=s1&status=delivered" + to, Want: "delivered +358450000012 delivered"},
		{Name: "sent", Body: "id=s1&status=sent" + to},
		{Name: "sent to nobody", Body: "id=s1&status=sent"},
		{Name: "created", Body: "id=s1&status=created" + to},
		{Name: "upper case", Body: "id=s1&status=Failed" + to, Want: "soft_bounce +358450000012 failed"},
		{Name: "nobody", Body: "id=s1&status=failed", Want: "!no_recipient"},
		{Name: "delivered to nobody", Body: "id=s1&status=delivered&delivered=2026-11-22T19%3A30%3A05.123000", Want: "!no_recipient"},
		{Name: "raw plus", Body: "id=s1&status=failed&to=+358450000012", Want: "soft_bounce +358450000012 failed"},
		{Name: "no plus", Body: "id=s1&status=failed&to=358450000012", Want: "soft_bounce +358450000012 failed"},
		{Name: "no number", Body: "id=s1&status=failed&to=Strikeout", Want: "!bad_recipient"},
		{Name: "JSON", Body: `{"id":"s1","status":"failed","to":"+358450000012"}`, Want: "soft_bounce +358450000012 failed"},
		{Name: "the operator's own words in the address", Body: "id=s1&status=failed&message=STOP" + to, Want: "soft_bounce +358450000012 failed"},
		{Name: "no status", Body: "id=s1" + to, Want: "!unreadable"},
		{Name: "nothing", Want: "!unreadable"},
		{Name: "picture without words", Body: "direction=incoming&id=s1&from=%2B358450000013&to=%2B358450000001&image=x"},
		{Name: "text without a sender", Body: "direction=incoming&id=s1&message=STOP", Want: "!no_recipient"},
	}
	for _, word := range []string{"STOP", "stopp", "Avsluta", "AVREGISTRERA", "UNSUBSCRIBE", "Schluss"} {
		cases = append(cases, providertest.Case{Name: word, Body: "direction=incoming&id=s1&from=%2B358450000013&to=%2B358450000001&message=" + word, Want: "opt_out +358450000013 +358450000001"})
	}
	cases = append(cases, providertest.Case{Name: "START", Body: "direction=incoming&id=s1&from=%2B358450000013&to=%2B358450000001&message=START", Want: "opt_in +358450000013 +358450000001"})
	for _, text := range []string{"Hej", "please+stop", "STOP+it", "status"} {
		cases = append(cases, providertest.Case{Name: "text " + text, Body: "direction=incoming&id=s1&from=%2B358450000013&to=%2B358450000001&message=" + text})
	}
	for i := range cases {
		if cases[i].Body != "" && cases[i].Body[0] != '{' {
			cases[i].Header = []string{"Content-Type", "application/x-www-form-urlencoded"}
		}
	}
	providertest.Table(t, Info, providers.Set("stop_words", "Schluss"), cases)
}
