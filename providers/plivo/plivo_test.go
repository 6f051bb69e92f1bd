package plivo

import (
	"net/http"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:X-Plivo-Signature-V3", "header:X-Plivo-Signature-V3-Nonce"}}
	settings = providers.Set("signing_secret", "strikeout-plivo-auth-token-01")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// TestVectorV2 is the vector of Plivo's own SDKs.
func TestVectorV2(t *testing.T) {
	a, err := New(providers.Set("signing_secret", "my_auth_token"))
	if err != nil {
		t.Fatal(err)
	}
	r := &providers.Request{Method: "POST", URL: "https://answer.url", Header: http.Header{}}
	r.Header.Set("X-Plivo-Signature-V2", "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=")
	r.Header.Set("X-Plivo-Signature-V2-Nonce", "12345")
	if err := a.Verify(t.Context(), r); err != nil {
		t.Error(err)
	}
	r.Header.Set("X-Plivo-Signature-V2-Nonce", "12346")
	if a.Verify(t.Context(), r) == nil {
		t.Error("accepted with another nonce")
	}
	// A wrong V3 signature is not made good by a right V2 one.
	r.Header.Set("X-Plivo-Signature-V2-Nonce", "12345")
	r.Header.Set("X-Plivo-Signature-V3", "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=")
	r.Header.Set("X-Plivo-Signature-V3-Nonce", "12345")
	if a.Verify(t.Context(), r) == nil {
		t.Error("accepted with a wrong V3 signature")
	}
}

// TestSignedV3 holds the forms of the signed text, after GenerateUrl of plivo-go.
func TestSignedV3(t *testing.T) {
	tests := []struct{ method, url, query, body, want string }{
		{"GET", "https://h.example.com/p", "", "", "https://h.example.com/p."},
		{"GET", "https://h.example.com/p?b=2&a=%201&a=9", "b=2&a=%201&a=9", "", "https://h.example.com/p?a= 1&b=2."},
		{"POST", "https://h.example.com:8443/p", "", "b=2&a=%201", "https://h.example.com:8443/p?a 1b2."},
		{"POST", "https://h.example.com/p", "", "", "https://h.example.com/p."},
		{"POST", "https://h.example.com/p?z=1&y=2", "z=1&y=2", "b=2&a=1", "https://h.example.com/p?y=2&z=1.a1b2."},
		{"POST", "https://h.example.com/p?z=1", "z=1", "", "https://h.example.com/p?z=1."},
	}
	for _, tt := range tests {
		got, err := signedV3(&providers.Request{Method: tt.method, URL: tt.url, RawQuery: tt.query, Body: []byte(tt.body)})
		if err != nil || got != tt.want {
			t.Errorf("%s %s %s: got %q (%v), want %q", tt.method, tt.url, tt.body, got, err, tt.want)
		}
	}
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	status := func(s string) string { return "From=15005550001&To=447700900123&MessageUUID=u1&Status=" + s }
	text := func(s string) string {
		return "From=358450000013&To=15005550001&MessageUUID=u1&Type=sms&Text=" + s
	}
	cases := []providertest.Case{
		{Name: "delivered", Body: status("delivered") + "&ErrorCode=000", Want: "delivered +447700900123"},
		{Name: "queued", Body: status("queued")},
		{Name: "sent", Body: status("sent")},
		{Name: "read", Body: status("read")},
		{Name: "a status of tomorrow", Body: status("pondering")},
		{Name: "upper case", Body: status("DELIVERED"), Want: "delivered +447700900123"},
		{Name: "no code", Body: status("failed"), Want: "soft_bounce +447700900123"},
		{Name: "code 000", Body: status("failed&ErrorCode=000"), Want: "soft_bounce +447700900123"},
		{Name: "unlisted code", Body: status("failed&ErrorCode=4711"), Want: "soft_bounce +447700900123 4711"},
		{Name: "words for a code", Body: status("failed&ErrorCode=invalid"), Want: "soft_bounce +447700900123 invalid"},
		{Name: "old rejected", Body: status("rejected&ErrorCode=50"), Want: "hard_bounce +447700900123 50"},
		{Name: "leading zero", Body: status("undelivered&ErrorCode=050"), Want: "hard_bounce +447700900123 50"},
		{Name: "plus", Body: "From=15005550001&To=%2B447700900123&MessageUUID=u1&Status=delivered", Want: "delivered +447700900123"},
		{Name: "plus that became a space", Body: "From=15005550001&To=+447700900123&MessageUUID=u1&Status=delivered", Want: "delivered +447700900123"},
		{Name: "several numbers joined", Body: "To=447700900123%3C358450000012&MessageUUID=u1&Status=failed&ErrorCode=50", Want: "!bad_recipient"},
		{Name: "no recipient", Body: "MessageUUID=u1&Status=failed&ErrorCode=50", Want: "!no_recipient"},
		{Name: "no message id", Body: "To=447700900123&Status=failed&ErrorCode=80", Want: "soft_bounce +447700900123 80"},
		{Name: "MMS", Body: status("failed&ErrorCode=50&Type=mms"), Want: "hard_bounce +447700900123 50"},
		{Name: "WhatsApp", Body: status("failed&ErrorCode=50&Type=whatsapp")},
		{Name: "a stop on WhatsApp", Body: "From=358450000013&To=15005550001&MessageUUID=u1&Type=whatsapp&Text=STOP"},
		{Name: "neither status nor text", Body: "To=447700900123&MessageUUID=u1"},
		{Name: "something else", Body: "hello=world", Want: "!unreadable"},
		{Name: "nothing", Body: ""},
		{Name: "stop with a status", Body: text("Stop&Status=received"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "a sent text with the word", Body: text("STOP&Status=sent")},
	}
	for _, code := range []string{"50", "70"} {
		cases = append(cases, providertest.Case{Name: "code " + code, Body: status("undelivered&ErrorCode=" + code), Want: "hard_bounce +447700900123 " + code})
	}
	for _, code := range []string{"10", "20", "30", "40", "60", "80", "90", "100", "110", "201", "300", "420", "900", "910", "1000"} {
		cases = append(cases, providertest.Case{Name: "code " + code, Body: status("undelivered&ErrorCode=" + code), Want: "soft_bounce +447700900123 " + code})
	}
	cases = append(cases, providertest.Case{Name: "code 200", Body: status("failed&ErrorCode=200"), Want: "opt_out +447700900123 +15005550001"})
	for _, word := range []string{"STOP", "stopall", "Unsubscribe", "CANCEL", "END", "QUIT", "+Stop.+"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: text(word), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, word := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: text(word), Want: "opt_in +358450000013 +15005550001"})
	}
	for _, word := range []string{"please+stop+by", "stop+it", "HELP", "yes"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: text(word)})
	}
	for i := range cases {
		cases[i].Header = form
	}
	providertest.Table(t, Info, settings, cases)
}
