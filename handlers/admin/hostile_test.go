package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// evil is what providers, recipients, other systems and colleagues may write:
// it breaks out of an element, an attribute, a URL and a line, and hides itself.
func evil(field string) string {
	return `"><script>alert('` + field + `')</script><img src=x onerror=alert(1)> ` + "\u202e\u0000\u0007" + ` =cmd()|' javascript:alert(1)`
}

// Whatever a provider, a person or another system says of an address stays text
// on every page that shows it.
func TestHostileTextsStayText(t *testing.T) {
	d := newDesk(t, withSES)
	a := mail(`"><script>alert(1)</script>"@example.com`) // a quoted local part may hold nearly everything
	d.put(store.Contact{ExternalID: evil("external_id"), Name: evil("name"), Language: `"><b>`, Email: a})
	key := storetest.Keyer().Key(a)
	for i, kind := range recipient.Kinds {
		for _, source := range []recipient.Source{recipient.FromProvider, recipient.FromAPI, recipient.FromAdmin, recipient.FromLink, recipient.FromImport, recipient.FromRule} {
			e := recipient.Event{Kind: kind, Address: a, Source: source, EventID: evil("event"), MessageID: evil("message"), Code: evil("code"), Rule: evil("rule"),
				Detail: evil("detail") + fmt.Sprint(i, source), SendOut: evil("send-out"), Actor: evil("actor"),
				Evidence: recipient.Evidence{Via: evil("via"), KeyID: evil("key"), IssuedAt: evil("issued"), Wording: evil("wording"), WordingVersion: evil("version"), Language: evil("language"),
					IP: evil("ip"), UserAgent: evil("agent"), Suspicious: evil("suspicious"), Text: evil("text"),
					Consent: &recipient.Consent{Source: evil("source"), Wording: evil("consent"), At: noon, Evidence: evil("evidence")}}}
			d.report(e)
		}
	}
	path := addressPath(recipient.Email, key)
	tag := regexp.MustCompile(`(?i)<(script|img)|[\x00\x07]|\x{202e}|(href|src|action)="?(javascript|data:text)|\son[a-z]+="`)
	for _, role := range store.Roles {
		get, _ := d.as(role)
		pages := []string{"/admin/contacts", "/admin/contacts?flag=blocked", "/admin/contacts/1", path}
		for _, p := range []string{path + "/unblock", path + "/opt-in", path + "/block", path + "/erase", "/admin/contacts/1/edit", "/admin/contacts/1/erase"} {
			if get(p).StatusCode == http.StatusOK {
				pages = append(pages, p)
			}
		}
		for next := pages[2]; next != ""; { // the whole history
			body := get(next).body
			next = ""
			if m := regexp.MustCompile(`href="([^"#]+)[^"]*">Older`).FindStringSubmatch(body); m != nil {
				next = strings.ReplaceAll(m[1], "&amp;", "&")
				pages = append(pages, next)
			}
		}
		if len(pages) < 6 {
			t.Fatalf("%s: only %d pages", role, len(pages))
		}
		for _, p := range pages {
			got := get(p)
			if got.StatusCode != http.StatusOK {
				t.Fatalf("%s %s: got %d", role, p, got.StatusCode)
			}
			if m := tag.FindStringIndex(got.body); m != nil {
				t.Errorf("%s %s: found %q", role, p, got.body[max(0, m[0]-60):min(len(got.body), m[1]+60)])
			}
			if role == store.RoleViewer && strings.Contains(got.body, "&lt;/script&gt;&#34;@example.com") {
				t.Errorf("%s %s: shows the address", role, p)
			}
		}
	}
}

// What a person types into a form comes back as text when it is refused.
func TestHostileInputStaysText(t *testing.T) {
	d := newDesk(t)
	d.fill()
	get, post := d.as(store.RoleAdmin)
	path := addressPath(recipient.Email, keyOf("nobody@example.com"))
	form := func(fields ...string) url.Values {
		v := url.Values{}
		for _, f := range fields {
			v.Set(f, evil(f))
		}
		return v
	}
	for name, got := range map[string]answer{
		"contact":  post("/admin/contacts", form("name", "external_id", "language", "email", "phone", "seen")),
		"consent":  post(path+"/opt-in", form("consent_source", "consent_wording", "consent_date", "consent_evidence", "contact")),
		"reason":   post(path+"/unblock", url.Values{"contact": {evil("contact")}}),
		"erase":    post(path+"/erase", form("confirm")),
		"search":   get(post("/admin/contacts/search", form("q")).to()),
		"missing":  get("/admin/contacts/" + url.PathEscape(evil("id"))),
		"wrong":    get("/admin/contacts?flag=" + url.QueryEscape(evil("flag"))),
		"sealed":   get("/admin/contacts?s=" + url.QueryEscape(evil("s"))),
		"a cursor": get(path + "?before=" + url.QueryEscape(evil("before"))),
	} {
		if name == "a cursor" {
			want(t, name, got.body, "The address of this page is cut off", "!cannot be stored")
		}
		if strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "<img") || got.StatusCode >= 500 {
			t.Errorf("%s: got %d\n%s", name, got.StatusCode, got.body)
		}
	}
}

// A command for a shell holds the address in quotes, whatever is in it.
func TestCommandsQuoteTheAddress(t *testing.T) {
	d := newDesk(t, withSES)
	a := mail(`a'$(touch${IFS}x)'@example.com`)
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: a})
	get, _ := d.as(store.RoleOperator)
	want(t, "command", get(addressPath(recipient.Email, storetest.Keyer().Key(a))+"/unblock").body, `--email-address &#39;a&#39;\&#39;&#39;$(touch${IFS}x)&#39;\&#39;&#39;@example.com&#39;`)
}

// Nobody's role lets them reach another address by naming another contact: the
// contact of a form says only which card to go back to.
func TestContactOfAFormIsNoKey(t *testing.T) {
	d := newDesk(t)
	d.fill()
	d.put(store.Contact{ExternalID: "c-2", Email: mail("other@example.com")})
	_, post := d.as(store.RoleOperator)
	got := post(addressPath(recipient.Email, keyOf("other@example.com"))+"/block", url.Values{"contact": {"1"}, "reason": {"x"}})
	if got.to() != "/admin/contacts/1" || !d.state(mail("other@example.com")).Blocked() {
		t.Errorf("got %q", got.to())
	}
	for _, contact := range []string{"-1", "x", "//evil.example", "99999999999999999999"} {
		if got := post(addressPath(recipient.Email, keyOf("other@example.com"))+"/opted-out", url.Values{"contact": {contact}}); got.to() != addressPath(recipient.Email, keyOf("other@example.com")) {
			t.Errorf("%q: got %q", contact, got.to())
		}
	}
}
