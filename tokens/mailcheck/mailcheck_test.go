package mailcheck

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const knownCode = "abcdefghijklmnopqrstuvwxyz"

// setup returns a Config and the link of an address.
func setup(t testing.TB) (Config, func(address string, o tokens.LinkOptions) tokens.Link) {
	t.Helper()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	keyer, err := recipient.NewKeyer(secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tokens.GenerateKey(rand.Reader, now, tokens.HS256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := tokens.NewRing([]tokens.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	const public, mailto = "https://u.example.com/mail", "u-{code}@unsub.example.com"
	l, err := tokens.NewLinker(tokens.LinkerConfig{Ring: func() *tokens.Ring { return ring }, Keyer: keyer, PublicURL: public, Mailto: mailto, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a, err := recipient.ParseEmail("nobody@example.com")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Ring: ring, PublicURL: public, Keyer: keyer, Mailto: mailto, Now: now, Code: func(code string) (tokens.Claims, error) {
		if code != knownCode {
			return tokens.Claims{}, tokens.ErrInvalid
		}
		return tokens.Claims{Key: keyer.Key(a), Channel: recipient.Email}, nil
	}}
	return c, func(address string, o tokens.LinkOptions) tokens.Link {
		o.Code = knownCode
		link, err := l.LinkTo(address, o)
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
}

const message = "From: News <news@example.com>\r\nTo: Somebody <Nobody@example.com>\r\nSubject: News\r\n%s" +
	"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; bh=x; b=abc\r\n d; h=From:To:Subject:\r\n\tList-Unsubscribe : list-unsubscribe-post\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nH=E9. Unsubscribe: %s\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hi <a href=\"%s\">Unsubscribe</a></p>\r\n--b--\r\n"

// good is a message with nothing wrong; changes are replacements.
func good(link tokens.Link, changes ...string) []byte {
	qp := strings.ReplaceAll(link.URL, "=", "=3D")
	qp = qp[:70] + "=\r\n" + qp[70:]
	m := fmt.Sprintf(message, link.Header(), qp, link.URL)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(m, changes[i]) {
			panic("the message has no " + changes[i])
		}
		m = strings.ReplaceAll(m, changes[i], changes[i+1])
	}
	return []byte(m)
}

func summary(r Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Level != OK {
			fmt.Fprintf(&b, "%s %s: %s\n", f.Level, f.Check, f.Text)
		}
	}
	return b.String()
}

func TestGoodMessage(t *testing.T) {
	c, link := setup(t)
	r := Check(good(link("nobody@example.com", tokens.LinkOptions{SendOut: "spring"})), c)
	if r.Worst() != OK {
		t.Errorf("got\n%s", summary(r))
	}
	var checks []string
	for _, f := range r.Findings {
		checks = append(checks, f.Check)
	}
	want := "list-unsubscribe list-unsubscribe-post body-link body-link token same-recipient recipient mailto dkim lines"
	if got := strings.Join(checks, " "); got != want {
		t.Errorf("checks %s, want %s", got, want)
	}
}

func TestFindings(t *testing.T) {
	c, link := setup(t)
	l := link("nobody@example.com", tokens.LinkOptions{})
	other := link("other@example.com", tokens.LinkOptions{})
	header, post := "List-Unsubscribe: "+strings.Replace(l.ListUnsubscribe, ", ", ",\r\n ", 1)+"\r\n", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
	href := `href="` + l.URL + `"`
	mailto := ",\r\n <mailto:u-" + knownCode + "@unsub.example.com?subject=unsubscribe>"
	tests := []struct {
		name string
		mail []byte
		want string // "level check: part of the text", separated by line ends
	}{
		{"no header", good(l, header, ""), "fail list-unsubscribe: is missing"},
		{"two headers", good(l, header, header+header), "fail list-unsubscribe: stands 2 times"},
		{"no post", good(l, post, ""), "fail list-unsubscribe-post: is missing"},
		{"two posts", good(l, post, post+post), "fail list-unsubscribe-post: stands 2 times"},
		{"another post", good(l, post, "List-Unsubscribe-Post: List-Unsubscribe=one-click\r\n"), "fail list-unsubscribe-post: another value"},
		{"no brackets", good(l, header, "List-Unsubscribe: "+l.URL+"\r\n"), "fail list-unsubscribe: has no < >"},
		{"folded inside", good(l, header, "List-Unsubscribe: <"+l.URL[:60]+"\r\n "+l.URL[60:]+">"+mailto+"\r\n"), "fail list-unsubscribe: white space inside"},
		{"encoded", good(l, header, "List-Unsubscribe: =?utf-8?q?=3Chttps?=\r\n"), "fail list-unsubscribe: has no < >"},
		{"placeholder in the header", good(l, header, "List-Unsubscribe: {{list_unsubscribe}}\r\n"), "fail list-unsubscribe: placeholder"},
		{"placeholder in the HTML", good(l, href, `href="{{ unsubscribe_url }}"`), "fail body-link: the HTML part still has the placeholder"},
		{"http", good(l, "https://u.example.com", "http://u.example.com"), "fail list-unsubscribe: begins with http://\nfail body-link: the text part links with http\nfail body-link: the HTML part links with http"},
		{"somebody else's header", good(l, header, "List-Unsubscribe: <https://esp.example.net/unsub?id=1>"+mailto+"\r\n"), "fail list-unsubscribe: goes to esp.example.net, not to u.example.com"},
		{"mailto only", good(l, header, "List-Unsubscribe: <mailto:u-"+knownCode+"@unsub.example.com>\r\n"), "fail list-unsubscribe: no link: Gmail"},
		{"tracked, encoded", good(l, href, `href="https://click.example.net/c?u=`+url.QueryEscape(l.URL)+`"`), "fail body-link: through click.example.net"},
		{"tracked, base64", good(l, href, `href="https://click.example.net/CL0/`+base64.RawURLEncoding.EncodeToString([]byte("x"+l.URL))+`/1"`), "fail body-link: through click.example.net"},
		{"tracked, hidden", good(l, href, `href="https://click.example.net/ls/click?upn=u001.abc"`), "fail body-link: goes to click.example.net"},
		{"no link in the HTML", good(l, href, `name="x"`), "fail body-link: the HTML part has no link"},
		{"no link in the text", good(l, "H=E9. Unsubscribe: ", "H=E9.\r\n.\r\n--b\r\nContent-Type: application/pdf\r\n\r\n"), "warn body-link: the text part has no link"},
		{"links differ", good(l, href, `href="`+other.URL+`"`), "fail same-recipient: another recipient"},
		{"somebody else's", good(other), "fail recipient: unsubscribe somebody else"},
		{"two recipients", good(l, "Nobody@example.com>", "nobody@example.com>, other@example.com"), "warn recipient: not exactly one"},
		{"parameters added", good(l, href, `href="`+l.URL+`?utm_source=x"`), "warn body-token: something was added"},
		{"damaged", good(l, "<"+l.URL+">", "<"+l.URL[:len(l.URL)-4]+"AAAA>"), "fail token: does not work"},
		{"unsigned", good(l, "DKIM-Signature", "X-Old"), "warn dkim: there is no"},
		{"signed before", good(l, "list-unsubscribe-post", "date"), "fail dkim: no DKIM signature covers both headers (that of example.com"},
		{"no mailto", good(l, mailto, ""), "warn mailto: no mailto"},
		{"mailto without a code", good(l, "u-"+knownCode, "unsubscribe"), "fail mailto: carries no code"},
		{"mailto with another code", good(l, knownCode, "q"+knownCode[1:]), "fail mailto: is not known"},
		{"mailto too long", good(l, "u-"+knownCode, strings.Repeat("x", 65)), "fail mailto: not an address"},
		{"a long line", good(l, "<p>Hi", "<p>"+strings.Repeat("x", 999)), "fail lines: line 22 has more"},
		{"a preview", good(link("seed@example.com", tokens.LinkOptions{Preview: true})), "warn token: is a preview\nwarn recipient: preview link was made for another"},
		{"a short link", good(l, "<"+l.URL+">", "<https://u.example.com/mail/u/"+knownCode+">", href, `href="https://U.example.com/mail/u/`+knownCode+`"`), ""},
		{"nothing", []byte("hello"), "fail message: no message"},
		{"no text", []byte("From: a@example.com\r\nContent-Type: image/png\r\n\r\n"), "fail list-unsubscribe: missing\nfail list-unsubscribe-post: missing\nfail body-link: has no text\nwarn dkim: there is no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Check(tt.mail, c)
			got := summary(r)
			lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
			want := strings.Split(tt.want, "\n")
			if len(lines) != len(want) {
				t.Fatalf("got\n%swant\n%s", got, tt.want)
			}
			for i, w := range want {
				head, part, _ := strings.Cut(w, ": ")
				if !strings.HasPrefix(lines[i], head) || !strings.Contains(lines[i], part) {
					t.Errorf("got  %s\nwant %s", lines[i], w)
				}
			}
			for _, f := range r.Findings {
				if s := f.Text + f.Do; strings.Contains(s, "nobody@") || strings.Contains(s, "Nobody@") || strings.Contains(s, l.Token[40:]) {
					t.Errorf("an address or a token in %q", s)
				}
				if (f.Do == "") != (f.Level == OK) {
					t.Errorf("%s %s: do %q", f.Level, f.Check, f.Do)
				}
			}
		})
	}
}

func TestKeysAndMissingConfiguration(t *testing.T) {
	c, link := setup(t)
	l := link("nobody@example.com", tokens.LinkOptions{})
	foreign, _ := setup(t)
	check := func(name string, c Config, mail []byte, want string) {
		t.Helper()
		if got := summary(Check(mail, c)); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: got\n%swant %s", name, got, want)
		}
	}
	another := c
	another.Ring = foreign.Ring
	check("another key", another, good(l), "signed with a key that is not in the file")
	key, _ := c.Ring.Active()
	for state, want := range map[tokens.State]string{tokens.Revoked: "fail token: the link of List-Unsubscribe was signed with a key that is revoked", tokens.Confirm: "warn token: the link of List-Unsubscribe asks for confirmation"} {
		fresh, err := tokens.GenerateKey(rand.Reader, now, tokens.HS256)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := c.Ring.Rotate(fresh)
		if err == nil {
			ring, err = ring.SetState(key.ID, state)
		}
		if err != nil {
			t.Fatal(err)
		}
		another.Ring = ring
		check(string(state), another, good(l), want)
	}
	bare := Config{Ring: c.Ring, PublicURL: c.PublicURL, Now: now}
	check("no mailto configured", bare, good(l), "warn mailto: List-Unsubscribe has a mailto, and none is configured")
	check("no database", bare, good(l, "<"+l.URL+">", "<https://u.example.com/mail/u/"+knownCode+">"), "warn token: the link of List-Unsubscribe is a short link, which only")
}

func FuzzCheck(f *testing.F) {
	c, link := setup(f)
	l := link("nobody@example.com", tokens.LinkOptions{})
	f.Add(good(l))
	f.Add([]byte("List-Unsubscribe: <>\nDKIM-Signature: h=\nContent-Type: text/html\n\n<a href='"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Transfer-Encoding: base64\n\n%%%\n--x--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r := Check(raw, c); len(r.Findings) == 0 {
			t.Error("no findings")
		}
	})
}

// Anybody who may post a message may post one that is meant to be slow. With
// time that grows with the square of the size, this would not end in time.
func TestHostileMessages(t *testing.T) {
	c, _ := setup(t)
	const size = 4 << 20
	for name, part := range map[string]string{"links on one line": "http://a.b/c ", "folded header": " x\n", "anchors": `<a href="http://a.b/">unsubscribe`, "words": "unsubscrib "} {
		head := "Content-Type: text/html\n\n"
		if name == "folded header" {
			head = "X: y\n"
		}
		for _, kind := range []string{"text/html", "text/plain"} {
			m := []byte(strings.Replace(head, "text/html", kind, 1) + strings.Repeat(part, size/len(part)))
			if r := Check(m, c); r.Worst() != Fail {
				t.Errorf("%s as %s: got %v", name, kind, r.Worst())
			}
		}
	}
}
