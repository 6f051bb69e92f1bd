package linkmobility

import (
	"strconv"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

var form = []string{"Content-Type", "application/x-www-form-urlencoded"}

func dlr(code, more string) string {
	return `{"refId":"+447700900123","id":"abc123","timestamp":"2026-11-22T19:30:05Z","resultCode":` + code + more + `}`
}

func mo(keyword, text string) string {
	return `{"destination":"NO-2333","subNumber":null,"source":"+358450000013","content":{"type":"SMS","userData":"` + text + `","encoding":"TEXT"},"timestamp":"2026-11-22T19:33:00Z","messageId":"0",` +
		`"route":{"type":"KEYWORD_ROUTE","keyword":` + keyword + `},"customParameters":{"moReferenceId":"0"}}`
}

func TestCommon(t *testing.T) {
	const to = " +447700900123 "
	cases := []providertest.Case{
		{Name: "code in quotes", Body: dlr(`"2104"`, ""), Want: "hard_bounce" + to + "2104"},
		{Name: "no code", Body: dlr("null", ""), Want: "!unreadable"},
		{Name: "destination before the reference", Body: dlr("2106", `,"customParameters":{"destination":"+358450000012"}`), Want: "hard_bounce +358450000012 2106"},
		{Name: "destination in a list", Body: dlr("2106", `,"customParameters":[{"key":"source","value":"x"},{"key":"destination","value":"+358450000012"}]`), Want: "hard_bounce +358450000012 2106"},
		{Name: "destination in a list of objects", Body: dlr("2106", `,"customParameters":[7,{"destination":"358450000012"}]`), Want: "hard_bounce +358450000012 2106"},
		{Name: "an empty list", Body: dlr("2106", `,"customParameters":[]`), Want: "hard_bounce" + to + "2106"},
		{Name: "parameters null", Body: dlr("2106", `,"customParameters":null`), Want: "hard_bounce" + to + "2106"},
		{Name: "reference with more", Body: `{"id":"a","refId":"+447700900123;campaign-42","resultCode":2104}`, Want: "hard_bounce" + to + "2104"},
		{Name: "reference without a number", Body: `{"id":"a","refId":"campaign-42","resultCode":2104}`, Want: "!no_recipient"},
		{Name: "reference that could be anything", Body: `{"id":"a","refId":"447700900123","resultCode":2104}`, Want: "!no_recipient"},
		{Name: "no reference", Body: `{"id":"a","resultCode":2104}`, Want: "!no_recipient"},
		{Name: "no reference, on its way", Body: `{"id":"a","resultCode":1000}`},
		{Name: "operator's own code", Body: `{"id":"a","refId":"+447700900123","resultCode":1001,"operatorResultCode":"2"}`, Want: "delivered" + to + "1001"},
		{Name: "no id", Body: `{"refId":"+447700900123","resultCode":1002,"sentTimestamp":"2026-11-22T19:30:05Z"}`, Want: "soft_bounce" + to + "1002"},
		{Name: "an array", Body: "[" + dlr("1001", "") + "," + dlr("2104", "") + "]", Want: "delivered" + to + "1001; hard_bounce" + to + "2104"},
		{Name: "key-value pairs", Body: "id=abc&refId=%2B447700900123&resultCode=2104&timestamp=2026-11-22T19%3A30%3A05Z", Header: form, Want: "hard_bounce" + to + "2104"},
		{Name: "key-value pairs with a destination", Body: "id=abc&refId=x&resultCode=2104&destination=+447700900123", Header: form, Want: "hard_bounce" + to + "2104"},
		{Name: "stop", Body: mo(`"STOP"`, "Stop"), Want: "opt_out +358450000013 NO-2333"},
		{Name: "stop after the keyword", Body: mo(`"BCLT"`, "Bclt stop"), Want: "opt_out +358450000013 NO-2333"},
		{Name: "stop without a keyword", Body: mo("null", "SEIS"), Want: "opt_out +358450000013 NO-2333"},
		{Name: "start", Body: mo("null", "START"), Want: "opt_in +358450000013 NO-2333"},
		{Name: "start after the keyword", Body: mo(`"BCLT"`, "Bclt start")},
		{Name: "hello", Body: mo(`"BCLT"`, "Bclt hello")},
		{Name: "another first word", Body: mo(`"BCLT"`, "please stop")},
	}
	for kind, codes := range map[string][]int{
		"hard_bounce": {2104, 2106}, "delivered": {1001, 1007}, "": {1000, 1005, 1008, 1011, 1012, 1013, 1010, 4, 5},
		"soft_bounce": {0, 1, 2, 3, 6, 104, 105, 1002, 1004, 1006, 1009, 2105, 2107, 2200, 2201, 2202, 2203, 2204, 2205, 2206, 2207, 3000, 3001, 3002, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 1003, 2100, 9999},
	} {
		for _, code := range codes {
			c := providertest.Case{Name: "code " + strconv.Itoa(code), Body: dlr(strconv.Itoa(code), "")}
			if kind != "" {
				c.Want = kind + to + strconv.Itoa(code)
			}
			cases = append(cases, c)
		}
	}
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestGateway(t *testing.T) {
	const to = " +358450000019"
	const rest = "&dest=%2B358450000019&original-dest=045+0000019&timestamp=2026-11-22+21%3A30%3A05"
	cases := []providertest.Case{
		{Name: "ok", Body: "status=OK&code=0" + rest, Want: "delivered" + to + " 0"},
		{Name: "waiting", Body: "status=WAITING&code=2" + rest},
		{Name: "error without a code", Body: "status=ERROR" + rest, Want: "soft_bounce" + to},
		{Name: "in lower case", Body: "status=error&code=2" + rest, Want: "hard_bounce" + to + " 2"},
		{Name: "another state", Body: "status=QUEUED&code=2" + rest},
		{Name: "raw plus", Body: "status=ERROR&code=2&dest=+358450000019", Want: "hard_bounce" + to + " 2"},
		{Name: "only the national number", Body: "status=ERROR&code=2&original-dest=0450000019", Want: "!no_recipient"},
		{Name: "national number", Body: "status=ERROR&code=2&dest=0450000019", Want: "!bad_recipient"},
		{Name: "no state", Body: "code=2" + rest, Want: "!unreadable"},
		{Name: "nothing", Want: "!unreadable"},
		{Name: "keyword stop, longer text", Body: "source=%2B358450000013&dest=16400&keyword=STOP&text=STOP+ei+kiitos", Want: "opt_out +358450000013 16400"},
		{Name: "stop after the keyword", Body: "source=%2B358450000013&dest=16400&keyword=KISA&text=kisa+stop", Want: "opt_out +358450000013 16400"},
		{Name: "other keyword", Body: "source=%2B358450000013&dest=16400&keyword=KISA&text=KISA+kyll%C3%A4"},
		{Name: "start", Body: "source=%2B358450000013&dest=16400&keyword=START&text=START", Want: "opt_in +358450000013 16400"},
		{Name: "start and more", Body: "source=%2B358450000013&dest=16400&keyword=START&text=START+now"},
		{Name: "text from nobody", Body: "dest=16400&keyword=STOP&text=STOP", Want: "!no_recipient"},
	}
	for _, word := range []string{"STOP", "SEIS", "LOPETA", "PERU", "Seis."} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: "source=%2B358450000013&dest=16400&keyword=&text=" + word, Want: "opt_out +358450000013 16400"})
	}
	for code := range 14 {
		want := "soft_bounce" + to + " " + strconv.Itoa(code)
		if code == 2 {
			want = "hard_bounce" + to + " 2"
		}
		cases = append(cases, providertest.Case{Name: "code " + strconv.Itoa(code), Body: "status=ERROR&code=" + strconv.Itoa(code) + rest, Want: want})
	}
	for i := range cases {
		cases[i].Header = form
	}
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestOwnDecisions(t *testing.T) {
	providertest.Table(t, Info, providers.Set("hard_codes", "2105"), []providertest.Case{
		{Name: "barred for good", Body: dlr("2105", ""), Want: "hard_bounce +447700900123 2105"},
	})
	a, err := New(providers.Set("answer", "<ok/>"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(a.(providers.Replier).Reply(nil).Body); got != "<ok/>" {
		t.Errorf("answers %q", got)
	}
}

func TestFinnish(t *testing.T) {
	for local, want := range map[string]string{
		"2026-11-22 21:30:05":  "2026-11-22T19:30:05Z",
		"2026-07-01 00:30:00":  "2026-06-30T21:30:00Z",
		"2026-03-29 02:59:59":  "2026-03-29T00:59:59Z",
		"2026-03-29 04:00:00":  "2026-03-29T01:00:00Z",
		"2026-10-25 02:59:59":  "2026-10-24T23:59:59Z",
		"2026-10-25 04:00:00":  "2026-10-25T02:00:00Z",
		"2026-01-01 01:00:00":  "2025-12-31T23:00:00Z",
		"2026-11-22T21:30:05Z": "2026-11-22T21:30:05Z",
		"yesterday":            "0001-01-01T00:00:00Z",
	} {
		if got := finnish(wire.Text(local)).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", local, got, want)
		}
	}
}
