package gatewayapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options = providertest.Options{
		Signature:    []string{"header:X-Gwapi-Signature"},
		BodyUnsigned: "the token's claims are the notification; the body is not read",
	}
	settings = providers.Set("signing_secret", "strikeout-gatewayapi-token-01")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

// FuzzBody reads the body, which FuzzAdapter, with its signed claims, does not.
func FuzzBody(f *testing.F) {
	info := Info
	info.Simulate.Settings = func(io.Reader) (providers.Settings, error) { return providers.Set(), nil }
	providertest.Fuzz(f, info, options)
}

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// TestClaims: what the body says is nothing, what the token says is all.
func TestClaims(t *testing.T) {
	a, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	r := providers.Shot{URL: "https://hooks.example.com/webhooks/test"}.Post("application/json",
		[]byte(`{"id":1,"msisdn":447700900123,"status":"UNDELIVERABLE","code":"0x1010"}`),
		signatureHeader, sign.NewJWT256([]byte("strikeout-gatewayapi-token-01"), []byte(`{"id":1,"msisdn":358450000012,"time":1,"status":"DELIVERED"}`)))
	if err := a.Verify(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	events, err := a.Parse(r)
	if got, want := providertest.Outcome(events, err), "delivered +358450000012 DELIVERED"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.Header.Set(signatureHeader, "strikeout-gatewayapi-token-01") // the secret itself is no token
	if err := a.Verify(context.Background(), r); !errors.Is(err, providers.ErrUnauthentic) {
		t.Errorf("the bare secret: %v", err)
	}
}

func TestSettings(t *testing.T) {
	if _, err := New(providers.Set("undeliverable", "block")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("err = %v", err)
	}
}

func dsn(status, code string) string {
	return `{"id":1000001,"msisdn":358450000019,"time":1795375805,"status":"` + status + `","error":"x","code":` + code + `}`
}

func received(receiver, text string) string {
	return `{"id":1000003,"msisdn":358450000013,"receiver":` + receiver + `,"message":"` + text + `","senttime":1795375900,"country_code":"DK","country_prefix":45}`
}

func TestKinds(t *testing.T) {
	const to = "bounce +358450000019 "
	cases := []providertest.Case{
		{Name: "undeliverable without a code", Body: dsn("UNDELIVERABLE", "null"), Want: "hard_" + to + "UNDELIVERABLE"},
		{Name: "undeliverable with an empty code", Body: dsn("UNDELIVERABLE", `""`), Want: "hard_" + to + "UNDELIVERABLE"},
		{Name: "undeliverable, code absent", Body: `{"id":1,"msisdn":358450000019,"status":"UNDELIVERABLE"}`, Want: "hard_" + to + "UNDELIVERABLE"},
		{Name: "rejected without a code", Body: dsn("REJECTED", "null"), Want: "soft_bounce +358450000019"},
		{Name: "expired without a code", Body: dsn("EXPIRED", "null"), Want: "soft_bounce +358450000019"},
		{Name: "expired, unknown subscriber", Body: dsn("EXPIRED", `"0x1010"`), Want: "hard_" + to + "0x1010"},
		{Name: "rejected, unknown subscriber", Body: dsn("REJECTED", `"0x1010"`), Want: "hard_" + to + "0x1010"},
		{Name: "state in lower case", Body: dsn("undeliverable", `"0x1010"`), Want: "hard_" + to + "0x1010"},
		{Name: "code without 0x", Body: dsn("UNDELIVERABLE", `"1010"`), Want: "hard_" + to + "0x1010"},
		{Name: "code in capitals", Body: dsn("UNDELIVERABLE", `"0X102a"`), Want: "soft_" + to + "0x102a"},
		{Name: "code as an integer", Body: dsn("UNDELIVERABLE", `4112`), Want: "hard_" + to + "0x1010"},
		{Name: "code as an integer in quotes", Body: dsn("UNDELIVERABLE", `"4228"`), Want: "hard_" + to + "0x1084"},
		{Name: "soft code as an integer", Body: dsn("UNDELIVERABLE", `4115`), Want: "soft_" + to + "0x1013"},
		{Name: "code zero", Body: dsn("UNDELIVERABLE", `"0x0000"`), Want: "soft_" + to + "0x0000"},
		{Name: "code that is a word", Body: dsn("UNDELIVERABLE", `"gone"`), Want: "soft_" + to + "gone"},
		{Name: "huge code", Body: dsn("UNDELIVERABLE", `"0x10100000000000"`), Want: "soft_" + to + "0x10100000000000"},
		{Name: "delivered", Body: dsn("DELIVERED", "null"), Want: "delivered +358450000019 DELIVERED"},
		{Name: "delivered with a code", Body: dsn("DELIVERED", `"0x1010"`), Want: "delivered +358450000019 DELIVERED"},
		{Name: "accepted", Body: dsn("ACCEPTED", "null"), Want: "delivered +358450000019 ACCEPTED"},
		{Name: "number in quotes", Body: `{"id":"1","msisdn":"358450000019","status":"DELIVERED"}`, Want: "delivered +358450000019 DELIVERED"},
		{Name: "number with a plus", Body: `{"id":"1","msisdn":"+358450000019","status":"DELIVERED"}`, Want: "delivered +358450000019 DELIVERED"},
		{Name: "number with an exponent", Body: `{"id":1,"msisdn":3.58450000019e11,"status":"DELIVERED"}`, Want: "delivered +358450000019 DELIVERED"},
		{Name: "number with a fraction", Body: `{"id":1,"msisdn":358450000019.0,"status":"DELIVERED","time":1795375805.25}`, Want: "delivered +358450000019 DELIVERED"},
		{Name: "half a number", Body: `{"id":1,"msisdn":358450000019.5,"status":"DELIVERED"}`, Want: "!bad_recipient"},
		{Name: "nobody", Body: `{"id":1,"status":"DELIVERED"}`, Want: "!no_recipient"},
		{Name: "no state", Body: `{"id":1,"msisdn":358450000019}`, Want: "!unreadable"},
		{Name: "an array", Body: `[` + dsn("DELIVERED", "null") + `,` + dsn("EXPIRED", "null") + `]`, Want: "delivered +358450000019 DELIVERED; soft_bounce +358450000019"},
		{Name: "no JSON", Body: `id=1&status=DELIVERED`, Want: "!unreadable"},
		{Name: "text from nobody", Body: `{"id":1,"receiver":451204,"message":"STOP"}`, Want: "!no_recipient"},
		{Name: "empty text", Body: received("451204", "")},
		{Name: "own start word", Body: received("4512345678", "weiter"), Want: "opt_in +358450000013 +4512345678"},
	}
	for _, status := range []string{"UNKNOWN", "SCHEDULED", "BUFFERED", "ENROUTE", "DELETED", "SKIPPED", "NEW"} {
		cases = append(cases, providertest.Case{Name: "state " + status, Body: dsn(status, `"0x1010"`)})
	}
	for _, code := range []string{"0x1010", "0x1040", "0x1060", "0x1084"} {
		cases = append(cases, providertest.Case{Name: "code " + code, Body: dsn("UNDELIVERABLE", `"`+code+`"`), Want: "hard_" + to + code})
	}
	isHard := map[int]bool{0x1010: true, 0x1040: true, 0x1060: true, 0x1084: true}
	for _, r := range [][2]int{{0x1000, 0x1003}, {0x1011, 0x102e}, {0x1030, 0x103c}, {0x1041, 0x104a}, {0x1050, 0x1057}, {0x1061, 0x1087}, {0x1090, 0x1094}, {0x1902, 0x1904}, {0x0210, 0x0312}} {
		for n := r[0]; n <= r[1]; n++ {
			if !isHard[n] {
				code := fmt.Sprintf("0x%04x", n)
				cases = append(cases, providertest.Case{Name: "code " + code, Body: dsn("UNDELIVERABLE", `"`+code+`"`), Want: "soft_" + to + code})
			}
		}
	}
	for text, want := range map[string]string{
		"STOP": "opt_out", "stopp": "opt_out", "Afmeld": "opt_out", "UNSUBSCRIBE": "opt_out", "foo STOP": "opt_out", "foo stop.": "opt_out", "START": "opt_in",
		"foo START": "", "foo": "", "foo please stop": "", "foo bar": "", "hello": "",
	} {
		c := providertest.Case{Name: "short code: " + text, Body: received("451204", text)}
		if want != "" {
			c.Want = want + " +358450000013 451204"
		}
		cases = append(cases, c)
	}
	for text, want := range map[string]string{"STOP": "opt_out", "don't stop": "", "foo STOP": "", "START": "opt_in"} {
		c := providertest.Case{Name: "long number: " + text, Body: received("4512345678", text)}
		if want != "" {
			c.Want = want + " +358450000013 +4512345678"
		}
		cases = append(cases, c)
	}
	providertest.Table(t, Info, providers.Set("start_words", "Weiter"), cases)
}

func TestOwnDecisions(t *testing.T) {
	providertest.Table(t, Info, providers.Set("undeliverable", "soft_bounce", "keywords", "Foo", "soft_codes", "0x1060"), []providertest.Case{
		{Name: "undeliverable without a code", Body: dsn("UNDELIVERABLE", "null"), Want: "soft_bounce +358450000019 UNDELIVERABLE"},
		{Name: "a code called soft", Body: dsn("UNDELIVERABLE", `"0x1060"`), Want: "soft_bounce +358450000019 0x1060"},
		{Name: "stop after the keyword", Body: received("4512345678", "foo Stop"), Want: "opt_out +358450000013 +4512345678"},
		{Name: "start after the keyword", Body: received("451204", "FOO start"), Want: "opt_in +358450000013 451204"},
		{Name: "stop after another word", Body: received("451204", "bar stop")},
	})
}

// TestKept: what goes to quarantine is what was signed, and it can be read
// again without the token, which is not kept.
func TestKept(t *testing.T) {
	a, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, claims := range []string{`{"id":1,"status":"UNDELIVERABLE"}`, `no JSON`} {
		r := providers.Shot{URL: "https://hooks.example.com/webhooks/test"}.Post("application/json",
			[]byte(`{"id":1,"msisdn":447700900123,"status":"UNDELIVERABLE"}`),
			signatureHeader, sign.NewJWT256([]byte("strikeout-gatewayapi-token-01"), []byte(claims)))
		events, err := a.Parse(r)
		if len(events) > 0 || err == nil {
			t.Fatalf("%d events, %v", len(events), err)
		}
		r.Body = providers.QuarantineBody(err, r.Body)
		if string(r.Body) != claims {
			t.Errorf("kept %q, want %q", r.Body, claims)
		}
		r.Header.Del(signatureHeader)
		if events, again := a.Parse(r); len(events) > 0 || again == nil || again.Error() != err.Error() {
			t.Errorf("read again: %d events, %v", len(events), again)
		}
	}
}
