package infobip

import (
	"fmt"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func item(group, status, failure int) string {
	return fmt.Sprintf(`{"messageId":"m1","to":"447700900123","doneAt":"2026-01-05T12:00:00.000+0200","status":{"groupId":%d,"id":%d,"name":"S"},"error":{"id":%d,"name":"E","permanent":true}}`, group, status, failure)
}

func results(items string) string { return `{"results":[` + items + `]}` }

func inbound(text, clean, keyword string) string {
	return results(fmt.Sprintf(`{"messageId":"m1","from":"358450000013","to":"15005550001","text":%q,"cleanText":%q,"keyword":%q,"receivedAt":"2026-01-05T12:00:00.000+0200"}`, text, clean, keyword))
}

func TestKinds(t *testing.T) {
	const to = " +447700900123"
	cases := []providertest.Case{
		{Name: "delivered", Body: results(item(3, 5, 0)), Want: "delivered" + to},
		{Name: "delivered to the operator", Body: results(item(3, 2, 0))},
		{Name: "delivered to the operator, by name", Body: results(`{"messageId":"m1","to":"447700900123","status":{"groupName":"DELIVERED","name":"DELIVERED_TO_OPERATOR"}}`)},
		{Name: "pending", Body: results(item(1, 26, 0))},
		{Name: "accepted", Body: results(item(0, 0, 0))},
		{Name: "pending with an error", Body: results(item(1, 3, 1))},
		{Name: "group of tomorrow", Body: results(item(9, 9, 1))},
		{Name: "status 52", Body: results(item(5, 52, 0)), Want: "hard_bounce" + to + " 52"},
		{Name: "status 52 with a soft error", Body: results(item(5, 52, 31)), Want: "hard_bounce" + to + " 52"},
		{Name: "status 52 of the person's list", Body: results(item(5, 52, 603)), Want: "opt_out" + to + " 603"},
		{Name: "group by name", Body: results(`{"messageId":"m1","to":"447700900123","status":{"groupName":"Rejected"},"error":{"id":"1"}}`), Want: "hard_bounce" + to + " 1"},
		{Name: "group in quotes", Body: results(`{"messageId":"m1","to":447700900123,"status":{"groupId":"3","groupName":"DELIVERED"}}`), Want: "delivered" + to},
		{Name: "group from the status", Body: results(`{"messageId":"m1","to":"447700900123","status":{"id":9,"name":"UNDELIVERABLE_NOT_DELIVERED"}}`), Want: "soft_bounce" + to + " 9"},
		{Name: "no error", Body: results(`{"messageId":"m1","to":"447700900123","status":{"groupId":2},"error":null}`), Want: "soft_bounce" + to},
		{Name: "error as an empty list", Body: results(`{"messageId":"m1","to":"447700900123","status":{"groupId":2,"id":9},"error":[]}`), Want: "soft_bounce" + to + " 9"},
		{Name: "number with plus", Body: results(`{"messageId":"m1","to":"+447700900123","status":{"groupId":3}}`), Want: "delivered" + to},
		{Name: "no recipient", Body: results(`{"messageId":"m1","status":{"groupId":2},"error":{"id":1}}`), Want: "!no_recipient"},
		{Name: "no status", Body: results(`{"messageId":"m1","to":"447700900123"}`), Want: "!unreadable"},
		{Name: "another channel", Body: results(`{"messageId":"m1","channel":"WHATSAPP","to":"447700900123","status":{"groupId":2},"error":{"id":1}}`)},
		{Name: "channel SMS", Body: results(`{"messageId":"m1","channel":"SMS","to":"447700900123","status":{"groupId":2},"error":{"id":1}}`), Want: "hard_bounce" + to + " 1"},
		{Name: "bad item between good ones", Body: results(item(3, 5, 0) + `,7,{"messageId":"m2","to":"Shop","status":{"groupId":3}},` + item(2, 9, 1)), Want: "delivered" + to + "; hard_bounce" + to + " 1; !unreadable; !bad_recipient"},
		{Name: "one report without the list", Body: item(2, 9, 1), Want: "hard_bounce" + to + " 1"},
		{Name: "a bare list", Body: "[" + item(2, 9, 1) + "," + item(3, 5, 0) + "]", Want: "hard_bounce" + to + " 1; delivered" + to},
		{Name: "one result that is no list", Body: `{"results":` + item(3, 5, 0) + `}`, Want: "delivered" + to},
		{Name: "Messages API, hard", Body: results(`{"event":"DELIVERY","channel":"SMS","sender":"Shop","destination":"447700900123","messageId":"m1","status":{"groupId":2,"id":9},"error":{"id":1}}`), Want: "hard_bounce" + to + " 1"},
		{Name: "Messages API, RCS", Body: results(`{"event":"DELIVERY","channel":"RCS","sender":"Shop","destination":"447700900123","messageId":"m1","status":{"groupId":2,"id":9},"error":{"id":1}}`)},
		{Name: "Messages API, stop after a keyword", Body: results(`{"event":"MO","channel":"SMS","sender":"358450000013","destination":"15005550001","content":[{"text":"SHOP STOP","cleanText":"STOP","type":"TEXT"}],"messageId":"m1","receivedAt":"2026-01-05T12:00:00.000+0200"}`), Want: "opt_out +358450000013 +15005550001"},
		{Name: "Messages API, start", Body: results(`{"event":"MO","channel":"SMS","sender":"358450000013","destination":"15005550001","content":{"text":"START","type":"TEXT"},"messageId":"m1","receivedAt":"2026-01-05T12:00:00.000+0200"}`), Want: "opt_in +358450000013 +15005550001"},
		{Name: "Messages API, a stop among others", Body: results(`{"event":"MO","channel":"SMS","sender":"358450000013","destination":"15005550001","content":[{"text":"do not","type":"TEXT"},{"text":"stop","type":"TEXT"}],"messageId":"m1","receivedAt":"2026-01-05T12:00:00.000+0200"}`)},
		{Name: "Messages API, stop on WhatsApp", Body: results(`{"event":"MO","channel":"WHATSAPP","sender":"358450000013","destination":"15005550001","content":[{"text":"STOP","type":"TEXT"}],"messageId":"m1","receivedAt":"2026-01-05T12:00:00.000+0200"}`)},
		{Name: "Messages API, typing", Body: results(`{"event":"TYPING_STARTED","channel":"SMS","sender":"358450000013","destination":"15005550001","messageId":"m1","receivedAt":"2026-01-05T12:00:00.000+0200"}`)},
		{Name: "seen", Body: results(`{"messageId":"m1","from":"Shop","to":"447700900123","sentAt":"2026-01-05T12:00:00.000+0200","seenAt":"2026-01-05T12:00:01.000+0200"}`)},
		{Name: "seen, Messages API", Body: results(`{"event":"SEEN","channel":"SMS","sender":"Shop","destination":"447700900123","messageId":"m1"}`)},
		{Name: "stop on WhatsApp", Body: results(`{"from":"358450000013","to":"15005550001","integrationType":"WHATSAPP","messageId":"m1","text":"STOP","message":{"text":"STOP","type":"TEXT"},"receivedAt":"2026-01-05T12:00:00.000+0200"}`)},
		{Name: "no results", Body: `{"results":[],"messageCount":0,"pendingMessageCount":0}`},
		{Name: "null results", Body: `{"results":null}`},
		{Name: "something else", Body: `{"hello":"world"}`},
		{Name: "XML", Body: `<?xml version="1.0"?><reportResponse/>`, Want: "!unreadable"},
		{Name: "results that are text", Body: `{"results":"x"}`, Want: "!unreadable"},
		{Name: "stop after a keyword", Body: inbound("SHOP STOP", "STOP", "SHOP"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "stop as the keyword", Body: inbound("stop it please", "it please", "STOP"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "start as the keyword", Body: inbound("start it please", "it please", "START")},
		{Name: "start after a keyword", Body: inbound("SHOP START", "START", "SHOP")},
		{Name: "stop without text", Body: inbound("", "", "STOP"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "more than stop", Body: inbound("STOP sending me cats", "sending me cats", "STOP"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "more than stop, no keyword", Body: inbound("STOP sending me cats", "", "")},
		{Name: "hello", Body: inbound("hello", "hello", "")},
	}
	for _, group := range []int{2, 4, 5} {
		for _, id := range []int{1, 352, 629} {
			cases = append(cases, providertest.Case{Name: fmt.Sprint("group ", group, " error ", id), Body: results(item(group, 4, id)), Want: fmt.Sprint("hard_bounce", to, " ", id)})
		}
		for _, id := range []int{573, 603} {
			cases = append(cases, providertest.Case{Name: fmt.Sprint("group ", group, " error ", id), Body: results(item(group, 4, id)), Want: fmt.Sprint("opt_out", to, " ", id)})
		}
	}
	for _, id := range []int{2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21, 27, 31, 32, 33, 34, 35, 36, 51, 52, 71, 72, 255, 256, 257, 258, 259, 260, 261, 262, 351, 500, 511, 565, 581, 607, 628,
		1024, 1031, 1152, 1165, 1281, 1284, 1536, 1541, 1792, 1796, 2048, 2049, 2050, 2051, 2052, 2053, 4096, 4097, 4100, 4101, 4102, 4103, 4104, 9999} {
		cases = append(cases, providertest.Case{Name: fmt.Sprint("error ", id), Body: results(item(2, 9, id)), Want: fmt.Sprint("soft_bounce", to, " ", id)})
	}
	for _, id := range []int{4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 29, 31, 51, 87, 100} {
		cases = append(cases, providertest.Case{Name: fmt.Sprint("status ", id), Body: results(item(5, id, 0)), Want: fmt.Sprint("soft_bounce", to, " ", id)})
	}
	for _, w := range []string{"STOP", "stopall", " Unsubscribe ", "CANCEL", "end", "QUIT"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: inbound(w, w, w), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, w := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: inbound(w, w, w), Want: "opt_in +358450000013 +15005550001"})
	}
	providertest.Table(t, Info, providers.Set(), cases)
	providertest.Table(t, Info, providers.Set("opt_out_codes", "2050"), []providertest.Case{
		{Name: "the operator's own reading", Body: results(item(5, 10, 2050)), Want: "opt_out" + to + " 2050"},
	})
}
