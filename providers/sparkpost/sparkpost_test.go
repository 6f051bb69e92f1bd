package sparkpost

import (
	"fmt"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "the token stands beside the body"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func one(class, kind, more string) string {
	return `[{"msys":{"` + class + `":{"type":"` + kind + `","event_id":"e1","timestamp":"1772615703","raw_rcpt_to":"A@Example.com","rcpt_to":"a@example.com"` + more + `}}}]`
}

func message(kind, more string) string { return one("message_event", kind, more) }

func bounce(class, reason string) string {
	return `,"bounce_class":"` + class + `","error_code":"554","raw_reason":"` + reason + `"`
}

func TestKinds(t *testing.T) {
	const gone = `,"bounce_class":"10","error_code":"550","raw_reason":"550 5.1.1 user unknown"`
	const list = "recipient address was suppressed due to customer policy"
	cases := []providertest.Case{
		{Name: "ping", Body: `[{"msys":{}}]`},
		{Name: "null", Body: `[{"msys":null}]`},
		{Name: "another class beside the event", Body: `[{"msys":{"batch_info":[1],"message_event":{"type":"delivery","event_id":"e","rcpt_to":"a@example.com"},"note":"x"}}]`, Want: "delivered a@example.com"},
		{Name: "without msys", Body: `[{}]`},
		{Name: "empty", Body: `[]`},
		{Name: "one object", Body: message("bounce", gone)[1 : len(message("bounce", gone))-1], Want: "hard_bounce a@example.com 10"},
		{Name: "bad items cost nothing", Body: `[7,{"msys":7},{"msys":{"message_event":7}},` + message("delivery", "")[1:], Want: "delivered a@example.com; !unreadable; !unreadable; !unreadable"},
		{Name: "class as a number", Body: message("bounce", `,"bounce_class":10`), Want: "hard_bounce a@example.com 10"},
		{Name: "no class", Body: message("bounce", `,"raw_reason":"550 5.1.1 user unknown"`), Want: "soft_bounce a@example.com"},
		{Name: "new class", Body: message("bounce", bounce("75", "550 5.1.1 user unknown")), Want: "soft_bounce a@example.com 75"},
		{Name: "late hard", Body: message("out_of_band", gone), Want: "hard_bounce a@example.com 10"},
		{Name: "late without recipient", Body: `[{"msys":{"message_event":{"type":"out_of_band","bounce_class":"10","event_id":"e"}}}]`},
		{Name: "bounce without recipient", Body: `[{"msys":{"message_event":{"type":"bounce","bounce_class":"10","event_id":"e"}}}]`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `[{"msys":{"message_event":{"type":"bounce","bounce_class":"10","event_id":"e","rcpt_to":"nobody"}}}]`, Want: "!bad_recipient"},
		{Name: "only rcpt_to", Body: `[{"msys":{"message_event":{"type":"bounce","bounce_class":"30","rcpt_to":"a@example.com","raw_rcpt_to":null,"rcpt_meta":{"a":{"b":[1]}}}}}]`, Want: "hard_bounce a@example.com 30"},
		{Name: "delay", Body: message("delay", gone), Want: "soft_bounce a@example.com 10"},
		{Name: "complaint", Body: message("spam_complaint", `,"fbtype":"abuse"`), Want: "complaint a@example.com abuse"},
		{Name: "complaint without type", Body: message("spam_complaint", ""), Want: "complaint a@example.com"},
		{Name: "no complaint", Body: message("spam_complaint", `,"fbtype":"Not-Spam"`)},
		{Name: "list unsubscribe", Body: one("unsubscribe_event", "list_unsubscribe", `,"mailfrom":"other@example.com","subaccount_id":"0"`), Want: "opt_out a@example.com"},
		{Name: "link unsubscribe", Body: one("unsubscribe_event", "link_unsubscribe", `,"subaccount_id":7`), Want: "opt_out a@example.com subaccount 7"},
		{Name: "delivery", Body: message("delivery", ""), Want: "delivered a@example.com"},
		{Name: "another class of events", Body: one("new_event", "delivery", ""), Want: "delivered a@example.com"},
		{Name: "inbound mail", Body: `[{"msys":{"relay_message":{"rcpt_to":"in@example.com","msg_from":"a@example.com","content":{"text":"hi","headers":[{"a":"b"}]}}}}]`},

		{Name: "listed: bounce", Body: message("bounce", bounce("25", "554 5.7.1 "+list+": Bounce Rule")), Want: "~hard_bounce a@example.com 25"},
		{Name: "listed: complaint", Body: message("bounce", bounce("25", "554 5.7.1 Recipient Address Was Suppressed Due To Customer Policy: Spam complaint")), Want: "~complaint a@example.com 25"},
		{Name: "listed: list unsubscribe", Body: message("bounce", bounce("25", list+" - List Unsubscribe")), Want: "~opt_out a@example.com 25"},
		{Name: "listed: link unsubscribe", Body: message("out_of_band", bounce("25", list+": LINK UNSUBSCRIBE")), Want: "~opt_out a@example.com 25"},
		{Name: "listed: no cause", Body: message("bounce", bounce("25", list)), Want: "soft_bounce a@example.com 25"},
		{Name: "listed: by hand", Body: message("bounce", bounce("25", list+": Manually Added")), Want: "soft_bounce a@example.com 25"},
		{Name: "listed: cause in reason only", Body: message("bounce", bounce("25", "554 5.7.1 "+list)+`,"reason":"`+list+`: Bounce Rule"`), Want: "~hard_bounce a@example.com 25"},
		{Name: "no type", Body: `[{"msys":{"message_event":{"rcpt_to":"a@example.com","bounce_class":"10"}}}]`, Want: "!unreadable"},
		{Name: "listed: cause in the only reason", Body: message("bounce", `,"bounce_class":25,"reason":"`+list+`: Bounce Rule"`), Want: "~hard_bounce a@example.com 25"},
		{Name: "system policy", Body: message("bounce", bounce("25", "550 5.7.1 recipient address was suppressed due to system policy: Bounce Rule")), Want: "soft_bounce a@example.com 25"},
		{Name: "25 for another reason", Body: message("bounce", bounce("25", "554 bounce rule of the server")), Want: "soft_bounce a@example.com 25"},
		{Name: "rejection: bounce", Body: message("policy_rejection", bounce("25", list+": Bounce Rule")), Want: "~hard_bounce a@example.com 25"},
		{Name: "rejection: unsubscribe", Body: one("gen_event", "generation_rejection", `,"raw_reason":"554 5.7.1 `+list+`: List Unsubscribe"`), Want: "~opt_out a@example.com 25"},
		{Name: "rejection: no cause", Body: one("gen_event", "generation_failure", `,"raw_reason":"`+list+`"`), Want: "soft_bounce a@example.com"},
		{Name: "rejection: template", Body: one("gen_event", "generation_failure", `,"raw_reason":"Error while rendering part text"`)},
		{Name: "rejection: policy", Body: message("policy_rejection", bounce("25", "550 5.6.0 Unconfigured Sending Domain"))},
	}
	kinds := map[int]string{10: "hard_bounce", 30: "hard_bounce", 90: "opt_out", 60: "", 80: "", 100: ""}
	for _, class := range []int{1, 10, 20, 21, 22, 23, 24, 25, 26, 30, 40, 50, 51, 52, 53, 54, 60, 70, 80, 90, 100} {
		kind, ok := kinds[class]
		if !ok {
			kind = "soft_bounce"
		}
		want := ""
		if kind != "" {
			want = fmt.Sprintf("%s a@example.com %d", kind, class)
		}
		for _, kind := range []string{"bounce", "out_of_band"} {
			cases = append(cases, providertest.Case{Name: fmt.Sprintf("%s class %d", kind, class), Body: message(kind, bounce(fmt.Sprint(class), "554 5.7.1 no")), Want: want})
		}
	}
	for _, kind := range []string{"injection", "open", "initial_open", "click", "amp_open", "amp_click", "amp_initial_open", "sms_status", "relay_injection", "relay_rejection", "relay_delivery",
		"relay_tempfail", "relay_permfail", "ab_test_completed", "ab_test_cancelled", "ingest_success", "ingest_error", "new_type"} {
		cases = append(cases, providertest.Case{Name: kind, Body: message(kind, gone)})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}
