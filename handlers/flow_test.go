package handlers

import (
	"html"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

const browserAgent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

// Evidence of every opt-out: how it came, in which language, which version of
// the words, with which key. The connection only where that is switched on.
func TestEvidence(t *testing.T) {
	tests := []struct {
		name   string
		keep   Evidence
		body   string
		header []string
		want   recipient.Evidence
	}{
		{"button", Evidence{}, "via=form", nil, recipient.Evidence{Via: "form", Wording: testPages(t).Wording("fi", "confirm")}},
		{"stop everything", Evidence{}, "via=form&all=1", nil, recipient.Evidence{Via: "form", Wording: testPages(t).Wording("fi", "all")}},
		{"one-click", Evidence{}, "List-Unsubscribe=One-Click", nil, recipient.Evidence{Via: "one_click"}},
		{"bare", Evidence{}, "", nil, recipient.Evidence{Via: "bare"}},
		{"connection", Evidence{IP: true, UserAgent: true}, "", []string{"X-Forwarded-For", "198.51.100.9, 203.0.113.7"},
			recipient.Evidence{Via: "bare", IP: "203.0.113.7", UserAgent: browserAgent}},
		{"user agent alone, hostile", Evidence{UserAgent: true}, "", []string{"User-Agent", "a\tb \u202e" + strings.Repeat("x", 400)},
			recipient.Evidence{Via: "bare", UserAgent: "a b " + strings.Repeat("x", maxUserAgentBytes-4)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, func(c *Config) { c.Evidence, c.TrustedProxies = tt.keep, localProxy })
			path := "/u/" + b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email) + "?lang=fi"
			header := append([]string{"Content-Type", formType}, tt.header...)
			if !slices.Contains(header, "User-Agent") {
				header = append(header, "User-Agent", browserAgent)
			}
			b.do("POST", path, tt.body, header...)
			want := tt.want
			want.KeyID, want.IssuedAt, want.Language, want.WordingVersion = "active", b.clock.now().Format(time.RFC3339), "fi", testPages(t).Version("fi")
			if d := cmp.Diff(want, b.stored()[0].Evidence); d != "" {
				t.Errorf("evidence (-want +got):\n%s", d)
			}
		})
	}
}

// A program that presses buttons is marked and counts all the same.
func TestSuspiciousOptOuts(t *testing.T) {
	tests := []struct {
		agent, body string
		header      []string
		want        bool
	}{
		{"Mozilla/5.0 (compatible; BarracudaCentral/1.0)", "via=form", nil, true},
		{"python-requests/2.32.3", "via=form", nil, true},
		{"python-requests/2.32.3", "", nil, true},
		{"Mozilla/5.0 (compatible; Googlebot/2.1)", "via=form", nil, true},
		{"Mozilla/5.0 (X11) HeadlessChrome/131", "via=form", []string{"Sec-Fetch-Mode", "navigate"}, false},
		{browserAgent, "via=form", nil, false},
		{"Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) Mobile", "via=form", nil, false},
		{"", "via=form", nil, false},
		{"python-requests/2.32.3", "List-Unsubscribe=One-Click", nil, false}, // what mailbox providers' own programs send
	}
	for _, tt := range tests {
		t.Run(tt.agent+" "+tt.body, func(t *testing.T) {
			b := start(t, nil)
			key := b.keyer.Key(b.email("a@example.com"))
			checkPage(t, b.do("POST", "/u/"+b.links.active(key, recipient.Email), tt.body,
				append([]string{"Content-Type", formType, "User-Agent", tt.agent}, tt.header...)...), 200, "done")
			e := b.stored()[0]
			if got := e.Evidence.Suspicious != ""; got != tt.want || !b.store.states[key].OptedOut() {
				t.Errorf("suspicious: got %q, want %v, and opted out", e.Evidence.Suspicious, tt.want)
			}
			if got := b.metric("strikeout_suspicious_opt_outs_total"); got != map[bool]string{true: "1", false: "0"}[tt.want] {
				t.Errorf("metric: got %s", got)
			}
		})
	}
}

// A program that presses every button must not bring anybody back.
func TestScannersCannotUndo(t *testing.T) {
	b := start(t, nil)
	key := b.keyer.Key(b.email("a@example.com"))
	path := "/u/" + b.links.active(key, recipient.Email)
	checkPage(t, b.do("POST", path, "via=form", "Content-Type", formType), 200, "done")
	undo := func(agent string, header ...string) answer {
		t.Helper()
		return b.do("POST", path+"/undo", "via=form", append([]string{"Content-Type", formType, "User-Agent", agent}, header...)...)
	}
	for _, agent := range []string{"Mozilla/5.0 (compatible; BarracudaCentral/1.0)", "python-requests/2.32.3", "Mozilla/5.0 (X11) HeadlessChrome/131"} {
		checkPage(t, undo(agent), http.StatusForbidden, "already")
	}
	if n := len(b.stored()); n != 1 || !b.store.states[key].OptedOut() {
		t.Fatalf("events: got %d, opted out %v; want the opt-out alone", n, b.store.states[key].OptedOut())
	}
	checkPage(t, undo("Mozilla/5.0 (X11) HeadlessChrome/131", "Sec-Fetch-Mode", "navigate"), 200, "undone")
}

// Whoever is opted out already sees so on opening any of their links, and can
// take back what a program may have pressed.
func TestOpeningAfterTheOptOut(t *testing.T) {
	b := start(t, nil)
	key := b.keyer.Key(b.email("a@example.com"))
	path := "/u/" + b.links.active(key, recipient.Email)
	undo := `action="` + path + `/undo?lang=en"`
	b.do("POST", path, "")
	got := b.do("GET", path, "")
	checkPage(t, got, 200, "already")
	if !strings.Contains(got.body, undo) {
		t.Error("no undo on the page")
	}
	checkPage(t, b.do("POST", path+"/undo", "via=form", "Content-Type", formType), 200, "undone")
	checkPage(t, b.do("GET", path, ""), 200, "confirm")
	// The button twice, or the page loaded again.
	checkPage(t, b.do("POST", path+"/undo", "via=form", "Content-Type", formType), 200, "undone")
	if n := len(b.stored()); n != 2 {
		t.Errorf("events: got %d, want an opt-out and an opt-in", n)
	}
	b.do("POST", path, "")
	b.clock.add(undoWithin + time.Second)
	if got := b.do("GET", path, ""); strings.Contains(got.body, undo) {
		t.Error("an undo is offered after its time")
	}
}

// Contacts that share an address may be several people: one of them must not
// stop another's text messages.
func TestStopEverythingOfOnePerson(t *testing.T) {
	shared, phone, other := "office@example.com", mustPhone(t, "+358401234567"), mustPhone(t, "+358407654321")
	tests := []struct {
		name   string
		phones []recipient.Address
		want   bool
	}{
		{"one contact", []recipient.Address{phone}, true},
		{"two contacts, one number", []recipient.Address{phone, phone}, true},
		{"two numbers", []recipient.Address{phone, other}, false},
		{"a number and none", []recipient.Address{phone, {}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, nil)
			email := b.email(shared)
			for i, p := range tt.phones {
				c := store.Contact{ExternalID: string(rune('1' + i)), Email: email, EmailKey: b.keyer.Key(email), Phone: p}
				if !p.IsZero() {
					c.PhoneKey = b.keyer.Key(p)
				}
				b.store.contacts[c.ExternalID] = c
			}
			path := "/u/" + b.links.active(b.keyer.Key(email), recipient.Email)
			if got := strings.Contains(b.do("GET", path, "").body, `name="all"`); got != tt.want {
				t.Errorf("offered: got %v, want %v", got, tt.want)
			}
			b.do("POST", path, "via=form&all=1", "Content-Type", formType)
			for _, p := range tt.phones {
				if !p.IsZero() && b.store.states[b.keyer.Key(p)].OptedOut() != tt.want {
					t.Errorf("%s: opted out: got %v, want %v", p.Mask(), !tt.want, tt.want)
				}
			}
			if got := strings.Contains(b.do("GET", path, "").body, `name="all"`); got {
				t.Error("offered although everything is stopped")
			}
		})
	}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// The button of the page that says "not now" sends the same request again.
func TestRetryRepeatsTheRequest(t *testing.T) {
	b := start(t, nil)
	email, phone := b.email("a@example.com"), mustPhone(t, "+358401234567")
	b.store.contacts["1"] = store.Contact{ExternalID: "1", Email: email, EmailKey: b.keyer.Key(email), Phone: phone, PhoneKey: b.keyer.Key(phone)}
	link := "/u/" + b.links.active(b.keyer.Key(email), recipient.Email)
	tests := []struct{ name, path, body, want string }{
		{"button", link, "via=form", "done"},
		{"undo", link + "/undo", "via=form", "undone"},
		{"stop everything", link, "via=form&all=1", "everything_stopped"},
		{"typed address", "/u/broken", "via=form&address=" + url.QueryEscape(`"a b"@example.com`), "requested"},
	}
	for _, tt := range tests {
		b.store.set(func(f *fakeStore) { f.down = store.ErrUnavailable })
		got := b.do("POST", tt.path+"?lang=fi", tt.body, "Content-Type", formType)
		checkPage(t, got, http.StatusServiceUnavailable, "unavailable")
		action := formAction.FindStringSubmatch(got.body)
		if action == nil {
			t.Errorf("%s: no button", tt.name)
			continue
		}
		again := url.Values{}
		for _, m := range hidden.FindAllStringSubmatch(got.body, -1) {
			again.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
		}
		base, err := url.Parse(b.url + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		target, err := base.Parse(html.UnescapeString(action[1]))
		if err != nil {
			t.Fatal(err)
		}
		if want, err := url.ParseQuery(tt.body); err != nil || again.Encode() != want.Encode() {
			t.Errorf("%s: the button sends %q, want %q (%v)", tt.name, again.Encode(), want.Encode(), err)
		}
		b.store.set(func(f *fakeStore) { f.down = nil })
		got = b.do("POST", target.RequestURI(), again.Encode(), "Content-Type", formType)
		if !strings.Contains(got.body, `data-page="`+tt.want+`"`) || !strings.Contains(got.body, `<html lang="fi"`) {
			t.Errorf("%s: got %d, want the page %s in Finnish", tt.name, got.status, tt.want)
		}
	}
}

// localProxy trusts whoever speaks from this machine.
var localProxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// An outside minter may set an end. The link still works, once the page was
// seen: a program's one-click on it waits for an administrator.
func TestExpiredLink(t *testing.T) {
	b := start(t, nil)
	path := "/u/" + b.links.ending(b.keyer.Key(b.email("a@example.com")), b.clock.now().Add(-time.Second))
	got := b.do("GET", path, "")
	checkPage(t, got, 200, "expired")
	m := nonceField.FindStringSubmatch(got.body)
	if m == nil {
		t.Fatal("the page has no nonce")
	}
	checkPage(t, b.do("POST", path, "List-Unsubscribe=One-Click", "Content-Type", formType), 202, "pending")
	if n := len(b.stored()); n != 0 {
		t.Fatalf("a one-click on an expired link: got %d events", n)
	}
	checkPage(t, b.do("POST", path, "via=form&nonce="+m[1]+m[2], "Content-Type", formType), 200, "done")
	if n := len(b.stored()); n != 1 {
		t.Errorf("events: got %d, want 1", n)
	}
}
