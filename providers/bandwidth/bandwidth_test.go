package bandwidth

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func item(kind, code string) string {
	return `{"time":"2026-01-05T10:00:00Z","type":"` + kind + `","to":"+15005550009","description":"d","message":{"id":"m1","owner":"+15005550009","direction":"out","to":["+15005550009","+15005550008"],"from":"+15005550001"},"errorCode":` + code + `}`
}

func received(words, direction string) string {
	return `[{"type":"message-received","time":"2026-01-05T10:00:00Z","to":"+15005550001","message":{"id":"m1","to":["+15005550001"],"from":"+358450000013","text":"` + words + `","direction":"` + direction + `"}}]`
}

func TestKinds(t *testing.T) {
	const to = " +15005550009"
	cases := []providertest.Case{
		{Name: "RBM failed", Body: `[{"type":"message-failed","to":"+447700900123","errorCode":4720,"message":{"id":"m","to":["+447700900123"],"direction":"out","channel":"RBM"}}]`},
		{Name: "stop over RBM", Body: `[{"type":"message-received","to":"Agent","message":{"id":"m","from":"+447700900123","text":"STOP","direction":"in","channel":"RBM"}}]`},
		{Name: "channel SMS", Body: `[{"type":"message-failed","to":"+447700900123","errorCode":4720,"message":{"id":"m","to":["+447700900123"],"direction":"out","channel":"SMS"}}]`, Want: "hard_bounce +447700900123 4720"},
		{Name: "international product", Body: `{"msgId":"9325d0a8-2638-11e6-afe7-bffc7cc8fa4f","event":"UNDELIVERED","errorCode":1,"errorMessage":"Unknown subscriber","partNum":1,"numParts":1,"accountName":"testuser"}`},
		{Name: "delivered", Body: "[" + item("message-delivered", "null") + "]", Want: "delivered" + to},
		{Name: "one object", Body: item("message-delivered", "0"), Want: "delivered" + to},
		{Name: "no code", Body: "[" + item("message-failed", "null") + "]", Want: "soft_bounce" + to},
		{Name: "code in quotes", Body: "[" + item("message-failed", `"4721"`) + "]", Want: "hard_bounce" + to + " 4721"},
		{Name: "no receipt in time", Body: "[" + item("message-failed", "9902") + "]"},
		{Name: "opted out", Body: "[" + item("message-failed", "4775") + "]", Want: "opt_out" + to + " +15005550001"},
		{Name: "sending", Body: "[" + item("message-sending", "4721") + "]"},
		{Name: "a type of tomorrow", Body: "[" + item("message-read", "4721") + "]"},
		{Name: "several", Body: "[" + item("message-delivered", "0") + `,7,` + item("message-failed", "4303") + "]", Want: "delivered" + to + "; hard_bounce" + to + " 4303; !unreadable"},
		{Name: "the only one of the message", Body: `[{"type":"message-failed","errorCode":4721,"message":{"id":"m1","direction":"out","to":["+15005550009"]}}]`, Want: "hard_bounce" + to + " 4721"},
		{Name: "a group without its recipient", Body: `[{"type":"message-failed","errorCode":4721,"message":{"id":"m1","direction":"out","to":["+15005550009","+15005550008"]}}]`, Want: "!no_recipient"},
		{Name: "looped back", Body: `[{"type":"message-failed","errorCode":4721,"to":"+15005550009","message":{"id":"m1","direction":"in"}}]`},
		{Name: "other shape", Body: `{"status":"FAILED","to":"+15005550009"}`},
		{Name: "no message", Body: `[{"type":"message-failed","to":"+15005550009","errorCode":4721,"message":null,"time":"2026-01-05T10:00:00Z"}]`, Want: "hard_bounce" + to + " 4721"},
		{Name: "sent text", Body: received("STOP", "out")},
		{Name: "other text", Body: received("stop it", "in")},
		{Name: "no direction", Body: received("STOP", ""), Want: "opt_out +358450000013 +15005550001"},
		{Name: "empty list", Body: `[]`},
		{Name: "garbage", Body: `hello`, Want: "!unreadable"},
	}
	for _, c := range []string{"4303", "4406", "4720", "4721"} {
		cases = append(cases, providertest.Case{Name: "code " + c, Body: "[" + item("message-failed", c) + "]", Want: "hard_bounce" + to + " " + c})
	}
	for _, c := range []string{"4404", "4408", "4434", "4350", "4401", "4482", "4772", "4700", "4701", "4702", "4730", "4740", "4750", "4753", "4001", "4301", "4302", "4360", "4403", "4405", "4407", "4409", "4410", "4411", "4412",
		"4420", "4421", "4431", "4432", "4433", "4435", "4451", "4452", "4481", "4492", "4493", "4470", "4770", "4771", "4711", "4712", "4751", "4752", "4773", "4774", "4780", "4781", "4785", "4790", "4791", "4792", "4793", "4795",
		"5100", "5600", "5999", "9999", "4000"} {
		cases = append(cases, providertest.Case{Name: "code " + c, Body: "[" + item("message-failed", c) + "]", Want: "soft_bounce" + to + " " + c})
	}
	for _, c := range []string{"4475", "4775"} {
		cases = append(cases, providertest.Case{Name: "code " + c, Body: "[" + item("message-failed", c) + "]", Want: "opt_out" + to + " +15005550001"})
	}
	for _, w := range []string{"STOP", "stopall", "Unsubscribe", " cancel ", "END", "quit."} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: received(w, "in"), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, w := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: received(w, "in"), Want: "opt_in +358450000013 +15005550001"})
	}
	providertest.Table(t, Info, providers.Set(), cases)
	providertest.Table(t, Info, providers.Set("soft_codes", "4720"), []providertest.Case{
		{Name: "toll-free sender", Body: item("message-failed", "4720"), Want: "soft_bounce" + to + " 4720"},
	})
}
