package handlers

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/strikeout/strikeout/recipient"
)

var (
	headerURI  = regexp.MustCompile(`^<(https://[^<>\s]+)>, <(mailto:[^<>\s]+)>$`)
	statusLine = regexp.MustCompile(`^HTTP/1\.1 200 `)
)

// sentHeaders are the two headers of a message to one person, as the API makes
// them.
func sentHeaders(t *testing.T, b *bench, address string) (https, mailto string) {
	t.Helper()
	got := b.do("POST", "/v1/links", `{"recipients":[{"channel":"email","address":"`+address+`"}],"send_out":"spring"}`, bearer(mintKey)...)
	var links []linkJSON
	if err := json.Unmarshal([]byte(got.body), &links); err != nil || len(links) != 1 {
		t.Fatalf("links: %d %s", got.status, got.body)
	}
	// RFC 8058, section 3.1: one HTTPS URI, and this value exactly. RFC 2369: angle
	// brackets, no white space inside.
	if got, want := links[0].ListUnsubscribePost, "List-Unsubscribe=One-Click"; got != want {
		t.Fatalf("List-Unsubscribe-Post: got %q, want %q", got, want)
	}
	m := headerURI.FindStringSubmatch(links[0].ListUnsubscribe)
	if m == nil || m[1] != links[0].URL {
		t.Fatalf("List-Unsubscribe: got %q", links[0].ListUnsubscribe)
	}
	return m[1], m[2]
}

// TestOneClickConformance sends what mailbox providers send, byte for byte, to
// the URI of the header: RFC 8058's own examples, and the variations that it
// allows and that are known of Gmail and Yahoo. None has a cookie, a referrer
// or a language. Each is answered 200, without a redirect, after the opt-out.
func TestOneClickConformance(t *testing.T) {
	b, _ := withCodes(t)
	const value = "List-Unsubscribe=One-Click"
	form := "-----FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n-----FormBoundaryjWmhtjORrn--\r\n"
	tests := []struct{ name, headers, body string }{
		{"RFC 8058, section 8.1", "Content-Type: application/x-www-form-urlencoded", value},
		// The RFC's example announces another boundary than its body has.
		{"RFC 8058, section 8.2", "Content-Type: multipart/form-data; boundary=---FormBoundaryjWmhtjORrn",
			"---FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n---FormBoundaryjWmhtjORrn--\r\n"},
		{"multipart as RFC 7578 has it", "Content-Type: multipart/form-data; boundary=---FormBoundaryjWmhtjORrn", form},
		{"multipart with a quoted boundary and types", "Content-Type: multipart/form-data; boundary=\"a b\"",
			"--a b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 8bit\r\n\r\nOne-Click\r\n--a b--\r\n"},
		{"Gmail", "User-Agent: Mozilla/5.0\r\nAccept: */*\r\nContent-Type: application/x-www-form-urlencoded", value},
		{"Gmail, through a proxy that compresses answers", "Accept-Encoding: gzip, deflate, br\r\nVia: 1.1 google\r\nX-Forwarded-For: 66.249.84.1\r\nContent-Type: application/x-www-form-urlencoded;charset=UTF-8", value},
		{"Yahoo", "User-Agent: YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html\r\nContent-Type: multipart/form-data; boundary=---FormBoundaryjWmhtjORrn", form},
		{"a program's user agent", "User-Agent: Go-http-client/1.1\r\nContent-Type: application/x-www-form-urlencoded", value},
		{"a line break behind", "Content-Type: application/x-www-form-urlencoded", value + "\r\n"},
		{"the equals sign escaped by a careless client", "Content-Type: application/x-www-form-urlencoded", "List-Unsubscribe%3DOne-Click"},
	}
	for i, tt := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %v", tt.name, chunked), func(t *testing.T) {
				address := fmt.Sprintf("a%d-%v@example.com", i, chunked)
				https, _ := sentHeaders(t, b, address)
				u, err := url.Parse(https)
				if err != nil {
					t.Fatal(err)
				}
				body := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(tt.body), tt.body)
				if chunked {
					body = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(tt.body), tt.body)
				}
				request := "POST " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nConnection: close\r\n" + tt.headers + "\r\n" + body
				key := b.keyer.Key(b.email(address))
				for _, page := range []string{"done", "already"} { // providers repeat
					got := b.raw(request)
					head, page1, _ := strings.Cut(got, "\r\n\r\n")
					if !statusLine.MatchString(got) || !strings.Contains(page1, `data-page="`+page+`"`) {
						t.Fatalf("got %.200q, want the page %s", got, page)
					}
					if m := regexp.MustCompile(`(?im)^(location|set-cookie|content-encoding):`).FindString(head); m != "" {
						t.Errorf("the answer has a header that it must not have: %s", m)
					}
					if !b.store.states[key].OptedOut() {
						t.Fatal("not opted out when the answer came")
					}
				}
				events := b.stored()
				e := events[len(events)-1]
				wantVia := viaOneClick
				if strings.Contains(tt.body, "%3D") {
					wantVia = viaBare
				}
				if e.Key != key || e.Evidence.Via != wantVia || e.Evidence.Suspicious != "" && wantVia == viaOneClick || e.SendOut != "spring" || e.Evidence.KeyID != "active" {
					t.Errorf("event: got %+v", e)
				}
			})
		}
	}
}

// Mailbox providers press for thousands of people from few addresses, and
// wrong links come from there too.
func TestOneClicksFromOneAddress(t *testing.T) {
	b := start(t, nil)
	for i := range 200 {
		b.do("POST", fmt.Sprintf("/u/broken%d", i), "List-Unsubscribe=One-Click", "Content-Type", formType)
	}
	for i := range 200 {
		key := b.keyer.Key(b.email(fmt.Sprintf("a%d@example.com", i)))
		if got := b.do("POST", "/u/"+b.links.active(key, recipient.Email), "List-Unsubscribe=One-Click", "Content-Type", formType); got.status != 200 {
			t.Fatalf("person %d: got %d", i, got.status)
		}
	}
	if n := len(b.stored()); n != 200 {
		t.Errorf("opted out: got %d, want 200", n)
	}
}

// Apple Mail writes to the mailto of the header: no subject, a line of its own,
// and whichever of the person's addresses it likes.
func TestAppleMailUnsubscribes(t *testing.T) {
	b, _ := withCodes(t)
	_, mailto := sentHeaders(t, b, "a@example.com")
	u, err := url.Parse(mailto)
	if err != nil {
		t.Fatal(err)
	}
	to, _, _ := strings.Cut(u.Opaque, "?")
	mail := "From: Somebody Else <other@example.org>\r\nTo: " + to + "\r\nSubject: \r\nMIME-Version: 1.0 (1.0)\r\nX-Mailer: iPhone Mail (22B83)\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" +
		"Apple Mail sent this email to unsubscribe from the message \"Spring\"\r\n"
	for range 2 {
		got := b.do("POST", "/v1/mail?rcpt="+url.QueryEscape(to), mail, append(bearer(writeKey), "Content-Type", "message/rfc822")...)
		if got.status != 200 || strings.TrimSpace(got.body) != `{"kind":"opt-out","opted_out":1,"kept":false}` {
			t.Fatalf("got %d %s", got.status, got.body)
		}
	}
	events := b.stored()
	if len(events) != 1 || events[0].Key != b.keyer.Key(b.email("a@example.com")) || events[0].Evidence.Via != viaMail {
		t.Errorf("events: got %+v, want one about the address that the message was sent to", events)
	}
}
