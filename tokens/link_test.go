package tokens

import (
	"bytes"
	"errors"
	htmltemplate "html/template"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	texttemplate "text/template"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

func testLinker(t testing.TB, c LinkerConfig) *Linker {
	t.Helper()
	r := vectorRing(t)
	c.Ring, c.Keyer, c.Now = func() *Ring { return r }, vectorKeyer(t), func() time.Time { return time.Unix(vectorNow, 0) }
	if c.PublicURL == "" {
		c.PublicURL = "https://u.example.com"
	}
	l, err := NewLinker(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLink(t *testing.T) {
	email, err := recipient.ParseEmail("Nobody@Example.com")
	if err != nil {
		t.Fatal(err)
	}
	const code = "abcdefghijklmnopqrstuvwxyz"
	tests := []struct {
		name, url, mailto string
		o                 LinkOptions
		base, second      string // of the URL; after the first URI of the header
	}{
		{"host", "https://u.example.com", "", LinkOptions{}, "https://u.example.com/u/", ""},
		{"slash", "https://u.example.com/", "", LinkOptions{}, "https://u.example.com/u/", ""},
		{"path", "https://example.com/mail/x/", "", LinkOptions{SendOut: "a.b", Language: "fi"}, "https://example.com/mail/x/u/", ""},
		{"port", "https://example.com:8443", "", LinkOptions{}, "https://example.com:8443/u/", ""},
		{"loopback", "http://127.0.0.1:8080", "", LinkOptions{Preview: true}, "http://127.0.0.1:8080/u/", ""},
		{"local network", "http://192.168.1.5:8080", "", LinkOptions{}, "http://192.168.1.5:8080/u/", ""},
		{"name of a container", "http://strikeout:8080", "", LinkOptions{}, "http://strikeout:8080/u/", ""},
		{"IPv6 loopback", "http://[::1]:8080", "", LinkOptions{}, "http://[::1]:8080/u/", ""},
		{"mailto", "https://u.example.com", "stop@example.com", LinkOptions{}, "https://u.example.com/u/", ", <mailto:stop@example.com?subject=unsubscribe>"},
		{"mailto URI", "https://u.example.com", "mailto:stop+list@example.com?subject=stop", LinkOptions{}, "https://u.example.com/u/", ", <mailto:stop%2Blist@example.com?subject=stop>"},
		{"mailto with a code", "https://u.example.com", "u-{code}@example.com", LinkOptions{Code: code}, "https://u.example.com/u/", ", <mailto:u-" + code + "@example.com?subject=unsubscribe>"},
		{"mailto without its code", "https://u.example.com", "u-{code}@example.com", LinkOptions{}, "https://u.example.com/u/", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := testLinker(t, LinkerConfig{PublicURL: tt.url, Mailto: tt.mailto})
			k, err := l.Link(email, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if k.URL != tt.base+k.Token || k.ListUnsubscribe != "<"+k.URL+">"+tt.second || k.ListUnsubscribePost != "List-Unsubscribe=One-Click" {
				t.Errorf("got %+v", k)
			}
			v, err := vectorRing(t).Verify(k.Token, time.Unix(vectorNow, 0))
			if err != nil || v.Key != vectorKeyer(t).Key(email) || v.Channel != recipient.Email || v.SendOut != tt.o.SendOut || v.Language != tt.o.Language ||
				v.Preview != tt.o.Preview || v.IssuedAt.Unix() != vectorNow {
				t.Errorf("token: got %+v, %v", v, err)
			}
			// A real parser reads both headers back.
			m, err := mail.ReadMessage(strings.NewReader("From: <a@example.com>\r\n" + k.Header() + "\r\n"))
			if err != nil || m.Header.Get("List-Unsubscribe") != k.ListUnsubscribe || m.Header.Get("List-Unsubscribe-Post") != k.ListUnsubscribePost {
				t.Errorf("header: got %v, %v", m, err)
			}
			for _, line := range strings.Split(k.Header(), "\r\n") {
				if len(line) > 998 || strings.Count(line, "<") != strings.Count(line, ">") {
					t.Errorf("a line of %d octets: %s", len(line), line)
				}
			}
		})
	}
}

func TestLinkRefuses(t *testing.T) {
	for name, c := range map[string]LinkerConfig{
		"empty": {PublicURL: " "}, "no scheme": {PublicURL: "u.example.com"}, "http": {PublicURL: "http://u.example.com"}, "http, a public address": {PublicURL: "http://192.0.2.1"}, "ftp": {PublicURL: "ftp://localhost"}, "mailto": {PublicURL: "mailto:a@example.com"},
		"user": {PublicURL: "https://a@u.example.com"}, "query": {PublicURL: "https://u.example.com?x=1"}, "fragment": {PublicURL: "https://u.example.com/#"},
		"bracket": {PublicURL: "https://u.example.com/>"}, "comma": {PublicURL: "https://u.example.com/a,b"}, "line break": {PublicURL: "https://u.example.com/\r\nX: y"},
		"other script": {PublicURL: "https://bücher.example"}, "long": {PublicURL: "https://u.example.com/" + strings.Repeat("a", 600)},
		"no address": {Mailto: "nobody"}, "bad mailto": {Mailto: "a@example.com>, <mailto:b@example.com"}, "mailto in another script": {Mailto: "ä@example.com"},
		"mailto query": {Mailto: "a@example.com?subject=a b"},
	} {
		c.Ring, c.Keyer = func() *Ring { return nil }, vectorKeyer(t)
		if c.PublicURL == "" {
			c.PublicURL = "https://u.example.com"
		}
		if _, err := NewLinker(c); err == nil || !strings.Contains(err.Error(), "public_url:") && !strings.Contains(err.Error(), "mailto:") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := NewLinker(LinkerConfig{PublicURL: "https://u.example.com", Keyer: vectorKeyer(t)}); err == nil {
		t.Error("no ring: accepted")
	}
	if _, err := NewLinker(LinkerConfig{PublicURL: "https://u.example.com", Ring: func() *Ring { return nil }}); err == nil {
		t.Error("no address key: accepted")
	}
	l := testLinker(t, LinkerConfig{Mailto: "u-{code}@example.com"})
	if _, err := l.Link(recipient.Address{}, LinkOptions{}); !errors.Is(err, ErrNoAddress) {
		t.Errorf("no address: got %v", err)
	}
	for name, o := range map[string]LinkOptions{"send-out": {SendOut: "a b"}, "language": {Language: "fi_FI"}, "code": {Code: "../x"}} {
		if k, err := l.LinkTo("nobody@example.com", o); err == nil {
			t.Errorf("%s: got %+v", name, k)
		}
	}
	if _, err := l.LinkTo("nobody", LinkOptions{}); !errors.Is(err, recipient.ErrAddress) || strings.Contains(err.Error(), "nobody") {
		t.Errorf("not an address: got %v", err)
	}
}

func TestFuncs(t *testing.T) {
	l := testLinker(t, LinkerConfig{})
	email, err := l.LinkTo("nobody@example.com", LinkOptions{SendOut: "spring"})
	if err != nil {
		t.Fatal(err)
	}
	phone, err := l.LinkTo("+15550100123", LinkOptions{SendOut: "spring"})
	if err != nil {
		t.Fatal(err)
	}
	funcs := l.Funcs(LinkOptions{SendOut: "spring"})
	a, err := recipient.ParseEmail("nobody@example.com")
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]any{"Email": " Nobody@example.com ", "Phone": "+1 555 010 0123", "Address": a, "Bad": "nobody", "Number": 5}
	text := func(src string) (string, error) {
		var b bytes.Buffer
		err := texttemplate.Must(texttemplate.New("t").Funcs(funcs).Parse(src)).Execute(&b, data)
		return b.String(), err
	}
	for src, want := range map[string]string{
		"{{unsubscribeURL .Email}}":   email.URL,
		"{{unsubscribeURL .Address}}": email.URL,
		"{{unsubscribeURL .Phone}}":   phone.URL,
		"List-Unsubscribe: {{listUnsubscribe .Email}}\r\nList-Unsubscribe-Post: {{listUnsubscribePost}}\r\n": email.Header(),
	} {
		if got, err := text(src); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", src, got, err, want)
		}
	}
	for _, src := range []string{"{{unsubscribeURL .Bad}}", "{{unsubscribeURL .Number}}", "{{unsubscribeURL .Missing}}"} {
		if got, err := text(src); err == nil {
			t.Errorf("%s: got %q", src, got)
		} else if strings.Contains(err.Error(), "nobody") {
			t.Errorf("%s: the error shows the address: %v", src, err)
		}
	}
	var b bytes.Buffer
	html := htmltemplate.Must(htmltemplate.New("t").Funcs(funcs).Parse(`<a href="{{unsubscribeURL .Email}}">Unsubscribe</a>`))
	if err := html.Execute(&b, data); err != nil || b.String() != `<a href="`+email.URL+`">Unsubscribe</a>` {
		t.Errorf("html: got %s, %v", b.String(), err)
	}
}

func TestOpenLinker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	r := testRing(t, "open")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	secret := vectorSecret("open")
	keyer, err := recipient.NewKeyer(secret)
	if err != nil {
		t.Fatal(err)
	}
	l, err := OpenLinker("https://u.example.com", path, encode(secret))
	if err != nil {
		t.Fatal(err)
	}
	k, err := l.LinkTo("nobody@example.com", LinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify(k.Token, time.Now())
	if err != nil || v.Key != keyer.Key(recipient.Stored(recipient.Email, "nobody@example.com")) {
		t.Errorf("got %+v, %v", v, err)
	}
	for _, args := range [][3]string{
		{"", path, encode(secret)}, {"http://u.example.com", path, encode(secret)}, {"https://u.example.com", path + "x", encode(secret)},
		{"https://u.example.com", path, "x!"}, {"https://u.example.com", path, "c2hvcnQ="}, {"https://u.example.com", path, ""},
		{"https://u.example.com", path, encode(vectorSecret("address key"))}, // published
	} {
		if _, err := OpenLinker(args[0], args[1], args[2]); err == nil {
			t.Errorf("%q: accepted", args)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := l.LinkTo("nobody@example.com", LinkOptions{}); err != nil {
		t.Errorf("after the file went: %v", err)
	}
}

func TestCodes(t *testing.T) {
	for _, n := range []int{MailCodeLen, SMSCodeLen} {
		rand := testRand("codes")
		seen := map[string]bool{}
		for range 1000 {
			code, err := NewCode(rand, n)
			if err != nil || len(code) != n || seen[code] {
				t.Fatalf("got %q, %v", code, err)
			}
			seen[code] = true
			for _, typed := range []string{code, strings.ToUpper(code), " " + code + ".\n", code[:4] + "-" + code[4:8] + " " + code[8:],
				strings.NewReplacer("o", "0", "l", "1", "b", "8").Replace(code)} {
				if got, err := ParseCode(typed); err != nil || got != code {
					t.Errorf("%q: got %q, %v, want %q", typed, got, err, code)
				}
			}
		}
	}
	for _, s := range []string{"", "abc", strings.Repeat("a", 17), strings.Repeat("9", 16), strings.Repeat("é", 8), strings.Repeat("a", 200), "../../etc/passwd", readVectors(t).Valid[0].HS256} {
		if got, err := ParseCode(s); !errors.Is(err, ErrCode) {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
	if _, err := NewCode(testRand("x"), 10); !errors.Is(err, ErrCode) {
		t.Errorf("another length: got %v", err)
	}
	if _, err := NewCode(strings.NewReader("x"), SMSCodeLen); err == nil {
		t.Error("a random source that ends: accepted")
	}
}
