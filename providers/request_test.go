package providers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func request(contentType, body string) *Request {
	r := &Request{Method: "POST", Header: http.Header{}, Body: []byte(body)}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func TestQuery(t *testing.T) {
	tests := []struct {
		raw  string
		want map[string][]string
	}{
		{"", map[string][]string{}},
		{"a=1&a=2&b=%2B1", map[string][]string{"a": {"1", "2"}, "b": {"+1"}}},
		{"a=+1", map[string][]string{"a": {" 1"}}},
		{"a=%zz&b=2", map[string][]string{"b": {"2"}}},
		{"a=1;c=3&b=2", map[string][]string{"b": {"2"}}},
	}
	for _, tt := range tests {
		r := &Request{RawQuery: tt.raw}
		if diff := cmp.Diff(tt.want, map[string][]string(r.Query())); diff != "" {
			t.Errorf("%q: %s", tt.raw, diff)
		}
		if diff := cmp.Diff(tt.want, map[string][]string(r.Query())); diff != "" {
			t.Errorf("%q, again: %s", tt.raw, diff)
		}
	}
}

func parts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "--x\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\nv\r\n", i)
	}
	return b.String() + "--x--\r\n"
}

func TestForm(t *testing.T) {
	const two = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1 + 1\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.eml\"\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody\r\n--x--\r\n"
	tests := []struct {
		name, contentType, body string
		want                    map[string][]string
		file                    string
		ok                      bool
	}{
		{"urlencoded", "application/x-www-form-urlencoded", "a=1&b=x+y", map[string][]string{"a": {"1"}, "b": {"x y"}}, "", true},
		{"with a charset", "application/x-www-form-urlencoded; charset=utf-8", "a=%C3%A4", map[string][]string{"a": {"ä"}}, "", true},
		{"no content type", "", "a=1", map[string][]string{"a": {"1"}}, "", true},
		{"odd content type", "text/plain;;;", "a=1", map[string][]string{"a": {"1"}}, "", true},
		{"empty", "application/x-www-form-urlencoded", "", map[string][]string{}, "", true},
		{"bad escape", "", "a=%zz", nil, "", false},
		{"multipart", "multipart/form-data; boundary=x", two, map[string][]string{"a": {"1 + 1", "2"}}, "Subject: x\r\n\r\nbody", true},
		{"multipart, upper case type", "Multipart/Form-Data; boundary=\"x\"", two, map[string][]string{"a": {"1 + 1", "2"}}, "Subject: x\r\n\r\nbody", true},
		{"multipart without a boundary", "multipart/form-data", two, nil, "", false},
		{"multipart, other boundary", "multipart/form-data; boundary=y", two, nil, "", false},
		{"multipart, cut", "multipart/form-data; boundary=x", two[:len(two)-30], nil, "", false},
		{"multipart, empty", "multipart/form-data; boundary=x", "", nil, "", false},
		{"multipart, as many parts as allowed", "multipart/form-data; boundary=x", parts(maxFormParts), nil, "", true},
		{"multipart, too many parts", "multipart/form-data; boundary=x", parts(maxFormParts + 1), nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.contentType, tt.body)
			for range 2 { // the second time from what is kept
				form, err := r.Form()
				if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrForm) {
					t.Fatalf("err = %v, want ok = %v", err, tt.ok)
				}
				if tt.want != nil {
					if diff := cmp.Diff(tt.want, map[string][]string(form)); diff != "" {
						t.Error(diff)
					}
				}
			}
			if got := string(r.File("file")); got != tt.file {
				t.Errorf("file %q, want %q", got, tt.file)
			}
			if r.File("nothing") != nil {
				t.Error("a file that is not there")
			}
		})
	}
}

func TestFresh(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		maxAge time.Duration
		signed time.Time
		want   bool
	}{
		{"now", time.Hour, now, true},
		{"at the edge", time.Hour, now.Add(-time.Hour), true},
		{"too old", time.Hour, now.Add(-time.Hour - time.Second), false},
		{"a little ahead", time.Hour, now.Add(futureSkew), true},
		{"too far ahead", time.Hour, now.Add(futureSkew + time.Second), false},
		{"never", time.Hour, time.Time{}, false},
		{"any age", 0, now.AddDate(-10, 0, 0), true},
		{"any age, ahead", 0, now.AddDate(10, 0, 0), true},
		{"negative is any age", -1, now.AddDate(-10, 0, 0), true},
	}
	for _, tt := range tests {
		r := &Request{ReceivedAt: now, MaxAge: tt.maxAge}
		err := r.Fresh(tt.signed)
		if (err == nil) != tt.want || err != nil && !errors.Is(err, ErrUnauthentic) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	s := Set("a", " 1 ", "a", "2", "b", "  ")
	if diff := cmp.Diff([]string{"1", "2"}, s.All("a")); diff != "" {
		t.Error(diff)
	}
	if got := s.Get("b", "fallback"); got != "fallback" {
		t.Errorf("Get(b) = %q", got)
	}
	if got := s.Get("a", "fallback"); got != "1" {
		t.Errorf("Get(a) = %q", got)
	}
	if got, err := s.Secrets("a"); err != nil || len(got) != 2 || string(got[1]) != "2" {
		t.Errorf("Secrets(a) = %q, %v", got, err)
	}
	if _, err := s.Secrets("b"); !errors.Is(err, ErrSetting) {
		t.Errorf("Secrets(b): %v", err)
	}
	if got := s.OptionalSecrets("b"); len(got) != 0 {
		t.Errorf("OptionalSecrets(b) = %q", got)
	}
	if got, err := (Settings{Unsigned: true}).Secrets("b"); err != nil || len(got) != 0 {
		t.Errorf("unsigned: %q, %v", got, err)
	}
	i := Info{Settings: []Setting{{Name: "a", Verifies: true}, {Name: "c"}}}
	if !i.Verifies(s) || i.Verifies(Set("c", "x")) || i.Verifies(Set("a", " ")) {
		t.Error("Verifies is wrong")
	}
	secrets := Set("signing_secret", "s1", "signing_secret", "s2", "auth_token", "t", "auth_header", "X-Check", "basic_auth", "u:p", "path_secret", "p",
		"private_key", "k", "public_key", "open", "topics", "arn", "verp_secret", "v")
	if diff := cmp.Diff([]string{"t", "u:p", "p", "k", "s1", "s2", "v"}, secrets.Confidential()); diff != "" {
		t.Error(diff)
	}
	if (Info{}).MaxBody() != DefaultBodyLimit || (Info{BodyLimit: 5}).MaxBody() != 5 {
		t.Error("MaxBody is wrong")
	}
	if (Info{}).Busy() != 503 || (Info{BusyStatus: 429}).Busy() != 429 {
		t.Error("Busy is wrong")
	}
}

func TestShot(t *testing.T) {
	at := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	s := Shot{URL: "https://h.example/webhooks/x", At: at}
	r := s.Post("application/json", []byte("{}"), "x-sig", "1")
	if r.Method != "POST" || r.Header.Get("X-Sig") != "1" || r.Header.Get("Content-Type") != "application/json" || !r.ReceivedAt.Equal(at) || r.RawQuery != "" {
		t.Errorf("Post: %+v", r)
	}
	r = s.Get("a=1", "x-sig", "1")
	if r.Method != "GET" || r.URL != "https://h.example/webhooks/x?a=1" || r.RawQuery != "a=1" || r.Body != nil {
		t.Errorf("Get: %+v", r)
	}
	s.URL += "?k=v"
	if r = s.Get("a=1"); r.URL != "https://h.example/webhooks/x?k=v&a=1" || r.RawQuery != "k=v&a=1" {
		t.Errorf("Get with a query: %+v", r)
	}
}

func FuzzForm(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", parts(2))
	f.Add("", "a=1&b=%2B")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := request(contentType, body)
		if _, err := r.Form(); err != nil && !errors.Is(err, ErrForm) {
			t.Errorf("%v", err)
		}
		r.File("a")
	})
}
