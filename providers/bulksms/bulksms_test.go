package bulksms

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func sent(state string) string {
	return `{"id":"400001","type":"SENT","from":"Strikeout","to":"358450000012","body":"Hello","submission":{"id":"1-0","date":"2026-11-22T19:30:00Z"},"status":` + state + `,"new":{"a":[1]}}`
}

func received(text string) string {
	return `[{"id":"500001","type":"RECEIVED","from":"358450000013","to":"15005550001","body":"` + text + `","submission":{"id":"0","date":"2026-11-22T19:33:00Z"},"status":{"id":"UNKNOWN.null","type":"UNKNOWN","subtype":null}}]`
}

func TestKinds(t *testing.T) {
	const to = " +358450000012"
	cases := []providertest.Case{
		{Name: "probe", Body: `[]`},
		{Name: "one object", Body: sent(`{"id":"FAILED.EXPIRED","type":"FAILED","subtype":"EXPIRED"}`), Want: "soft_bounce" + to + " FAILED.EXPIRED"},
		{Name: "only the id", Body: sent(`{"id":"FAILED.BLOCKED"}`), Want: "opt_out" + to + " FAILED.BLOCKED"},
		{Name: "only the id, no subtype", Body: sent(`{"id":"DELIVERED.null"}`), Want: "delivered" + to + " DELIVERED"},
		{Name: "no id", Body: sent(`{"type":"FAILED","subtype":"BLOCKED"}`), Want: "opt_out" + to + " FAILED.BLOCKED"},
		{Name: "subtype null", Body: sent(`{"id":"FAILED.null","type":"FAILED","subtype":null}`), Want: "soft_bounce" + to + " FAILED"},
		{Name: "subtype as the text null", Body: sent(`{"id":"FAILED.null","type":"FAILED","subtype":"null"}`), Want: "soft_bounce" + to + " FAILED.NULL"},
		{Name: "lower case", Body: sent(`{"id":"failed.blocked","type":"failed","subtype":"blocked"}`), Want: "opt_out" + to + " FAILED.BLOCKED"},
		{Name: "status null", Body: sent(`null`), Want: "!unreadable"},
		{Name: "no status", Body: `[{"id":"1","type":"SENT","to":"358450000012"}]`, Want: "!unreadable"},
		{Name: "no type", Body: `[{"id":"1","to":"358450000012","status":{"type":"FAILED","subtype":"BLOCKED"}}]`, Want: "!unreadable"},
		{Name: "new type", Body: `[{"id":"1","type":"CALL","to":"358450000012","status":{"type":"FAILED"}}]`},
		{Name: "nobody", Body: `[{"id":"1","type":"SENT","status":{"type":"FAILED"}}]`, Want: "!no_recipient"},
		{Name: "with a plus", Body: `[{"id":1234567890123456789,"type":"SENT","to":"+358450000012","status":{"type":"DELIVERED"}}]`, Want: "delivered" + to + " DELIVERED"},
		{Name: "number as a number", Body: `[{"id":1,"type":"SENT","to":358450000012,"status":{"type":"DELIVERED"}}]`, Want: "delivered" + to + " DELIVERED"},
		{Name: "a bad item between", Body: `[` + sent(`{"type":"DELIVERED"}`) + `,null,` + sent(`{"type":"FAILED"}`) + `]`, Want: "delivered" + to + " DELIVERED; soft_bounce" + to + " FAILED; !unreadable"},
		{Name: "STOP", Body: received("STOP"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "unsubscribe", Body: received("Unsubscribe"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "START", Body: received("Start"), Want: "opt_in +358450000013 +15005550001"},
		{Name: "hello", Body: received("hello")},
		{Name: "stop it", Body: received("stop it")},
	}
	for _, state := range []string{"ACCEPTED", "SCHEDULED", "SENT", "UNKNOWN", "NEW"} {
		cases = append(cases, providertest.Case{Name: "state " + state, Body: sent(`{"id":"` + state + `.null","type":"` + state + `","subtype":null}`)})
	}
	for _, sub := range []string{"EXPIRED", "HANDSET_ERROR", "NOT_SENT", "SOMETHING"} {
		cases = append(cases, providertest.Case{Name: "failed " + sub, Body: sent(`{"id":"FAILED.` + sub + `","type":"FAILED","subtype":"` + sub + `"}`), Want: "soft_bounce" + to + " FAILED." + sub})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestLongIDs(t *testing.T) {
	a, err := New(providers.Set())
	if err != nil {
		t.Fatal(err)
	}
	events, err := a.Parse(&providers.Request{Body: []byte(`[{"id":1234567890123456788,"type":"SENT","to":"358450000012","status":{"type":"DELIVERED"}},{"id":1234567890123456789,"type":"SENT","to":"358450000012","status":{"type":"DELIVERED"}}]`)})
	if err != nil || len(events) != 2 || events[0].MessageID != "1234567890123456788" || events[1].MessageID != "1234567890123456789" {
		t.Errorf("%v, %v", events, err)
	}
}

func TestOwnDecisions(t *testing.T) {
	providertest.Table(t, Info, providers.Set("hard_codes", "FAILED.NOT_SENT"), []providertest.Case{
		{Name: "not sent", Body: sent(`{"id":"FAILED.NOT_SENT","type":"FAILED","subtype":"NOT_SENT"}`), Want: "hard_bounce +358450000012 FAILED.NOT_SENT"},
	})
}
