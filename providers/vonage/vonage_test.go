package vonage

import (
	"errors"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"query:sig", "form:sig", "json:sig", "header:Authorization"}}
	settings = providers.Set("signing_secret", "strikeout-vonage-signature-secret-01", methodSetting, "sha256")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestNew(t *testing.T) {
	if _, err := New(providers.Set("signing_secret", "x", methodSetting, "sha3")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("an unknown method: %v", err)
	}
}

// TestVector is that of Vonage's own library:
// https://github.com/Vonage/vonage-python-sdk/blob/main/jwt/tests
func TestVector(t *testing.T) {
	const query = "param1=value1&param2=value2&timestamp=1234567890&sig="
	for method, tt := range map[string]struct {
		sig string
		ok  bool
	}{
		"sha256":  {"280c4320703dbc98bfa22db676655ed2acfbfe8792b062ff7622e67f1183c287", true},
		"md5":     {"724c2bf6ca423c36e20631b11d1c5753", true},
		"md5hash": {"724c2bf6ca423c36e20631b11d1c5753", false},
		"sha1":    {"280c4320703dbc98bfa22db676655ed2acfbfe8792b062ff7622e67f1183c287", false},
	} {
		a, err := New(providers.Set("signing_secret", "signature_secret", methodSetting, method))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Verify(t.Context(), &providers.Request{Method: "GET", RawQuery: query + tt.sig}); (err == nil) != tt.ok {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func receiptOf(status, code string) string {
	return "msisdn=447700900123&to=15005550001&messageId=m&status=" + status + "&err-code=" + code + "&message-timestamp=2026-11-22+19%3A32%3A07"
}

func messageOf(status, more string) string {
	return `{"message_uuid":"u","to":"447700900123","from":"15005550001","timestamp":"2026-11-22T19:34:05.000Z","status":"` + status + `","channel":"sms"` + more + `}`
}

func v1Error(code string) string {
	return `,"error":{"type":"https://developer.vonage.com/api-errors/messages#` + code + `","title":` + code + `,"detail":"x"}`
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := []providertest.Case{
		{Name: "nothing", Header: form},
		{Name: "no message id", Header: form, Body: "msisdn=447700900123&to=1&status=failed&err-code=3"},
		{Name: "no msisdn", Header: form, Body: "to=15005550001&messageId=m&status=failed&err-code=3", Want: "!no_recipient"},
		{Name: "short code", Header: form, Body: "msisdn=12345&messageId=m&status=failed&err-code=3", Want: "!bad_recipient"},
		{Name: "no code", Header: form, Body: "msisdn=447700900123&to=15005550001&messageId=m&status=failed", Want: "soft_bounce +447700900123"},
		{Name: "code 0", Header: form, Body: receiptOf("failed", "0"), Want: "soft_bounce +447700900123"},
		{Name: "code 03", Header: form, Body: receiptOf("failed", "03"), Want: "hard_bounce +447700900123 3"},
		{Name: "delivered with a code", Header: form, Body: receiptOf("delivered", "9"), Want: "delivered +447700900123"},
		{Name: "upper case", Header: form, Body: receiptOf("FAILED", "3"), Want: "hard_bounce +447700900123 3"},
		{Name: "sender name", Header: form, Body: "msisdn=447700900123&to=Strikeout&messageId=m&status=rejected&err-code=9", Want: "opt_out +447700900123 Strikeout"},
		{Name: "plus", Header: form, Body: "msisdn=%2B447700900123&messageId=m&status=delivered", Want: "delivered +447700900123"},
		{Name: "JSON with numbers", Body: `{"msisdn":447700900123,"to":15005550001,"messageId":"m","status":"failed","err-code":3}`, Want: "hard_bounce +447700900123 3"},
		{Name: "JSON under a form's content type", Header: form, Body: `{"msisdn":"447700900123","messageId":"m","status":"delivered"}`, Want: "delivered +447700900123"},
		{Name: "broken JSON", Body: `{"msisdn":`, Want: "!unreadable"},
		{Name: "broken form", Header: form, Body: "msisdn=%zz", Want: "!unreadable"},

		{Name: "message without an error", Body: messageOf("rejected", ""), Want: "soft_bounce +447700900123"},
		{Name: "message undeliverable", Body: messageOf("undeliverable", v1Error("1170")), Want: "hard_bounce +447700900123 1170"},
		{Name: "number in the type only", Body: messageOf("rejected", `,"error":{"type":"https://developer.vonage.com/api-errors/messages#1190","title":"Absent Subscriber - Permanent"}`), Want: "hard_bounce +447700900123 1190"},
		{Name: "number in the title only", Body: messageOf("rejected", `,"error":{"title":"1190"}`), Want: "hard_bounce +447700900123 1190"},
		{Name: "error null", Body: messageOf("rejected", `,"error":null`), Want: "soft_bounce +447700900123"},
		{Name: "message opted out", Body: messageOf("rejected", v1Error("1240")), Want: "opt_out +447700900123 +15005550001"},
		{Name: "message to nobody", Body: `{"message_uuid":"u","status":"delivered","channel":"sms"}`, Want: "!no_recipient"},
		{Name: "WhatsApp", Body: `{"message_uuid":"u","to":"447700900123","status":"rejected","channel":"whatsapp","error":{"title":1190}}`},
		{Name: "v0.1 Messenger", Body: `{"message_uuid":"u","to":{"type":"messenger","id":"1"},"from":{"type":"messenger","id":"2"},"status":"rejected","error":{"code":1190}}`},
		{Name: "v0.1 hard", Body: `{"message_uuid":"u","to":{"type":"sms","number":"447700900123"},"from":{"type":"sms","number":"15005550001"},"status":"rejected","error":{"code":1190,"reason":"x"}}`, Want: "hard_bounce +447700900123 1190"},
		{Name: "v0.1 opted out", Body: `{"message_uuid":"u","to":{"type":"sms","number":"447700900123"},"from":{"type":"sms","number":"15005550001"},"status":"rejected","error":{"code":"1240"}}`, Want: "opt_out +447700900123 +15005550001"},
		{Name: "v0.1 delivered", Body: `{"message_uuid":"u","to":{"type":"sms","number":"447700900123"},"status":"delivered"}`, Want: "delivered +447700900123"},
		{Name: "v0.1 stop", Body: `{"message_uuid":"u","to":{"type":"sms","number":"15005550001"},"from":{"type":"sms","number":"358450000013"},"message":{"content":{"type":"text","text":"stop"}}}`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "v1 start", Body: `{"message_uuid":"u","to":"15005550001","from":"358450000013","channel":"sms","message_type":"text","text":"START"}`, Want: "opt_in +358450000013 +15005550001"},
		{Name: "a list", Body: `[{"msisdn":"447700900123","to":"Strikeout","messageId":"m","status":"failed","err-code":"3"}]`, Want: "!unreadable"},
		{Name: "v1 stop to an MMS", Body: `{"message_uuid":"u","to":"15005550001","from":"358450000013","channel":"mms","message_type":"text","text":"STOP"}`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "MMS opted out", Body: `{"message_uuid":"u","to":"447700900123","from":"15005550001","status":"rejected","channel":"mms","error":{"title":1240}}`, Want: "opt_out +447700900123 +15005550001"},
		{Name: "v0.1 MMS delivered", Body: `{"message_uuid":"u","to":{"type":"mms","number":"447700900123"},"from":{"type":"mms","number":"15005550001"},"status":"delivered"}`, Want: "delivered +447700900123"},
		{Name: "v1 picture", Body: `{"message_uuid":"u","to":"15005550001","from":"358450000013","channel":"mms","message_type":"image"}`},
		{Name: "text in a form", Header: form, Body: "msisdn=358450000013&to=15005550001&messageId=m&text=STOP&type=text&keyword=STOP", Want: "opt_out +358450000013 +15005550001"},
		{Name: "keyword but more text", Header: form, Body: "msisdn=358450000013&to=15005550001&messageId=m&text=Stop+by+tomorrow&type=text&keyword=STOP"},
		{Name: "text without an id", Header: form, Body: "msisdn=358450000013&to=15005550001&text=STOP"},
	}
	for code, want := range map[string]string{"3": "hard_bounce +447700900123 3", "9": "opt_out +447700900123 +15005550001"} {
		for _, status := range []string{"failed", "rejected", "expired"} {
			cases = append(cases, providertest.Case{Name: status + " " + code, Header: form, Body: receiptOf(status, code), Want: want})
		}
	}
	for _, code := range []string{"1", "2", "4", "5", "6", "7", "8", "10", "11", "12", "13", "14", "15", "16", "39", "50", "51", "52", "53", "54", "99", "1000"} {
		cases = append(cases, providertest.Case{Name: "failed " + code, Header: form, Body: receiptOf("failed", code), Want: "soft_bounce +447700900123 " + code})
	}
	for _, status := range []string{"accepted", "buffered", "unknown", "teleported"} {
		cases = append(cases, providertest.Case{Name: status, Header: form, Body: receiptOf(status, "3")})
	}
	for _, status := range []string{"submitted", "read", "teleported"} {
		cases = append(cases, providertest.Case{Name: "message " + status, Body: messageOf(status, v1Error("1190"))})
	}
	for _, code := range []string{
		"1050", "1180", "1220", "1230", "1250", "1260", "1200", "1280", "1290", "1330", "1300", "1310", "1210", "1270", "1040", "1090", "1000", "1010", "1020", "1030", "1060", "1070", "1080",
		"1100", "1110", "1120", "1130", "1140", "1150", "1160", "1241", "1320", "1340", "1350", "1360", "1370", "9999",
	} {
		cases = append(cases, providertest.Case{Name: "message " + code, Body: messageOf("rejected", v1Error(code)), Want: "soft_bounce +447700900123 " + code})
	}
	for _, word := range []string{"STOP", "Stop", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: `{"msisdn":"358450000013","to":"15005550001","messageId":"m","text":"` + word + `","keyword":"X"}`, Want: "opt_out +358450000013 +15005550001"})
	}
	for _, word := range []string{"START", "Unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: `{"msisdn":"358450000013","to":"15005550001","messageId":"m","text":"` + word + `"}`, Want: "opt_in +358450000013 +15005550001"})
	}
	providertest.Table(t, Info, settings, cases)
}
