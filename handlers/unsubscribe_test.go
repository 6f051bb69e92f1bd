package handlers

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

const formType = "application/x-www-form-urlencoded"

// checkPage checks what every page must have.
func checkPage(t *testing.T, a answer, want int, page ...string) {
	t.Helper()
	if a.status != want {
		t.Errorf("status: got %d, want %d", a.status, want)
	}
	for _, p := range page {
		if !strings.Contains(a.body, `data-page="`+p+`"`) {
			t.Errorf("not the page %q:\n%s", p, a.body)
		}
	}
	for name, value := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "Location": "", "Set-Cookie": "", "Content-Encoding": "",
	} {
		if got := a.header.Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	if got := a.header.Get("X-Robots-Tag"); !strings.Contains(got, "noindex") {
		t.Errorf("X-Robots-Tag: got %q", got)
	}
	csp := a.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, part) {
			t.Errorf("Content-Security-Policy: got %q without %q", csp, part)
		}
	}
}

func TestLookingChangesNothing(t *testing.T) {
	b := start(t, nil)
	a := b.email("maija@example.com")
	b.store.addresses[b.keyer.Key(a)], b.store.states[b.keyer.Key(a)] = a, recipient.State{}
	path := "/u/" + b.links.active(b.keyer.Key(a), recipient.Email)
	got := b.do("GET", path, "")
	checkPage(t, got, 200, "confirm")
	if !strings.Contains(got.body, "m•••@e•••.com") || strings.Contains(got.body, "maija") {
		t.Error("the page does not show the masked address alone")
	}
	head := b.do("HEAD", path, "")
	checkPage(t, head, 200)
	if head.body != "" {
		t.Error("HEAD has a body")
	}
	if n := b.writes(); n != 0 {
		t.Errorf("looking wrote %d times", n)
	}
	for _, secret := range []string{"maija", path[3:]} {
		if strings.Contains(b.log.String(), secret) {
			t.Error("an address or a token reached the log")
		}
	}
}

func TestOptOut(t *testing.T) {
	const oneClick = "List-Unsubscribe=One-Click"
	multipart := "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	tests := []struct {
		name, contentType, body, via string
	}{
		{"urlencoded", formType, oneClick, "one_click"},
		{"urlencoded with charset", formType + "; charset=utf-8", oneClick, "one_click"},
		{"multipart", "multipart/form-data; boundary=b", multipart, "one_click"},
		{"multipart without boundary", "multipart/form-data", multipart, "one_click"},
		{"no type", "", oneClick, "one_click"},
		{"text/plain", "text/plain", oneClick, "one_click"},
		{"empty", "", "", "bare"},
		{"junk", "application/json", "{", "bare"},
		{"form", formType, "via=form", "form"},
		{"large", formType, "x=" + strings.Repeat("y", 60<<10), "bare"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, nil)
			key := b.keyer.Key(b.email("a@example.com"))
			var headers []string
			if tt.contentType != "" {
				headers = []string{"Content-Type", tt.contentType}
			}
			got := b.do("POST", "/u/"+b.links.active(key, recipient.Email), tt.body, headers...)
			checkPage(t, got, 200, "done")
			events := b.stored()
			if len(events) != 1 {
				t.Fatalf("events: got %d, want 1", len(events))
			}
			e := events[0]
			if e.Kind != recipient.OptOut || e.Key != key || e.Channel != recipient.Email || e.Source != recipient.FromLink || e.SendOut != "send-out" {
				t.Errorf("event: got %+v", e)
			}
			if e.Evidence.Via != tt.via || e.Evidence.KeyID == "" || e.Evidence.IssuedAt == "" || (e.Evidence.Wording != "") != (tt.via == "form") {
				t.Errorf("evidence: got %+v, want via %s", e.Evidence, tt.via)
			}
		})
	}
}

func TestOptOutIsIdempotent(t *testing.T) {
	b := start(t, nil)
	path := "/u/" + b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { checkPage(t, b.do("POST", path, "List-Unsubscribe=One-Click", "Content-Type", formType), 200) })
	}
	wg.Wait()
	checkPage(t, b.do("POST", path, ""), 200, "already")
	if n := len(b.stored()); n != 1 {
		t.Errorf("events: got %d, want 1", n)
	}
}

// What mail programs and people do to links on the way. The page's own buttons
// work too, and the link is the same as the one that was sent.
func TestDamagedLinksWork(t *testing.T) {
	b := start(t, nil)
	dots := func(to string) func(string) string {
		return func(s string) string { return strings.ReplaceAll(s, ".", to) }
	}
	wrap := func(with string) func(string) string { return func(s string) string { return s[:70] + with + s[70:] } }
	after := func(more string) func(string) string { return func(s string) string { return s + more } }
	damages := map[string]func(string) string{
		"dots escaped": dots("%2E"), "dots escaped twice": dots("%252e"), "dots doubled at a line's start": dots(".."),
		"quoted-printable": wrap("=%0D%0A"), "quoted-printable, without its line break": wrap("="), "dots in quoted-printable": dots("=2E"), "wrapped": wrap("%0A"), "wrapped and indented": wrap("%0D%0A%20%20"),
		"zero-width space": wrap("%E2%80%8B"), "in angle brackets": func(s string) string { return "%3C" + s + "%3E" }, "white space before": func(s string) string { return "%20" + s },
	}
	for _, more := range []string{"/", "?utm_source=x&fbclid=y", "&utm_source=x", "%3Futm_source=x", "&amp;utm_source=x", "%26gclid%3Dx", ".", ",", ")", ";", "!", "...", ").", "%3E", "%22", "%E2%80%9D",
		"%0A", "%0D%0A", "%20", "%09", "%C2%A0", "=", "=3D", "=%0D%0A", "*", "'"} {
		damages["followed by "+more] = after(more)
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			key := b.keyer.Key(b.email(fmt.Sprintf("a%d@example.com", len(b.stored()))))
			link := "/u/" + b.links.active(key, recipient.Email)
			got := b.do("GET", "/u/"+damage(link[3:]), "")
			checkPage(t, got, 200, "confirm")
			action := formAction.FindStringSubmatch(got.body)
			if action == nil {
				t.Fatal("the page has no button")
			}
			checkPage(t, b.do("POST", html.UnescapeString(action[1]), "via=form", "Content-Type", formType), 200, "done")
			checkPage(t, b.do("POST", "/u/"+damage(link[3:]), "List-Unsubscribe=One-Click", "Content-Type", formType), 200, "already")
			checkPage(t, b.do("POST", link, "List-Unsubscribe=One-Click", "Content-Type", formType), 200, "already")
			if !b.store.states[key].OptedOut() {
				t.Error("not opted out")
			}
			checkPage(t, b.do("POST", link+"/undo", "via=form", "Content-Type", formType), 200, "undone")
		})
	}
	checkPage(t, b.do("GET", strings.ToUpper("/u/")+b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email), ""), 200, "confirm")
}

// One page for every cause, and no state changes.
func TestBadLinks(t *testing.T) {
	b := start(t, nil)
	key := b.keyer.Key(b.email("a@example.com"))
	good := b.links.active(key, recipient.Email)
	want := b.do("GET", "/u/x", "").body
	for name, token := range map[string]string{
		"cut": good[:len(good)-5], "lower case": strings.ToLower(good), "forged": b.links.forged(key), "unknown key": b.links.unknown(key),
		"revoked": b.links.revoked(key), "future": b.links.minted(key, b.clock.now().Add(48*time.Hour)), "dots": "...", "undo of nothing": "x/undo",
		"deeper": good + "/x", "nothing": "",
	} {
		for _, method := range []string{"GET", "POST"} {
			if method == "GET" && strings.HasSuffix(token, "/undo") {
				continue // 405
			}
			got := b.do(method, "/u/"+token, "")
			t.Run(method+" "+name, func(t *testing.T) { checkPage(t, got, 404, "bad_link") })
			if got.body != want {
				t.Errorf("%s %s: another page than for other causes", method, name)
			}
		}
	}
	for _, path := range []string{"/v1/contacts", "/v1/recipients/email/a@example.com"} { // a link opens nothing else
		if got := b.do("GET", path, "", bearer(good)...); got.status != 401 {
			t.Errorf("%s with a link as the key: got %d, want 401", path, got.status)
		}
	}
	if n := b.writes(); n != 0 {
		t.Errorf("bad links wrote %d times", n)
	}
}

// A person with a broken link may type an address. The answer never tells
// anything, and only an administrator acts on it.
func TestTypedAddress(t *testing.T) {
	b := start(t, nil)
	post := func(address string) answer { return b.do("POST", "/u/x", "address="+address, "Content-Type", formType) }
	want := post("a%40example.com")
	checkPage(t, want, 202, "requested")
	for _, address := range []string{"+358401234567", "040+123+4567", "nobody", "%00"} {
		if got := post(address); got.status != want.status || got.body != want.body {
			t.Errorf("%q: got another answer (%d)", address, got.status)
		}
	}
	type kept struct {
		Channel recipient.Channel
		Value   string
	}
	var got []kept
	for _, r := range b.store.requests {
		got = append(got, kept{r.Channel, r.Address.Value()})
	}
	if d := cmp.Diff([]kept{{"email", "a@example.com"}, {"sms", "+358401234567"}, {"sms", "+358401234567"}}, got); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	for range 50 {
		if got := post("b%40example.com"); got.body != want.body || got.status != want.status {
			t.Fatal("the limit shows in the answer")
		}
	}
	if n := len(b.store.requests); n > limiterBurst {
		t.Errorf("requests of one client: got %d, want at most %d", n, limiterBurst)
	}
	if len(b.stored()) != 0 {
		t.Error("a typed address changed a state")
	}
	b.clock.add(time.Hour)
	b.store.set(func(f *fakeStore) { f.requestsFull = true })
	if got := post("c%40example.com"); got.body != want.body {
		t.Error("a full list shows in the answer")
	}
	b.store.set(func(f *fakeStore) { f.requestsFull, f.down = false, store.ErrUnavailable })
	if got := post("d%40example.com"); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("store down: got %d", got.status)
	}
	checkPage(t, post(""), 404, "bad_link")
	// A valid link is never limited, whoever clicks.
	b.store.set(func(f *fakeStore) { f.down = nil })
	for i := range 50 {
		key := b.keyer.Key(b.email(fmt.Sprintf("a%d@example.com", i)))
		if got := b.do("POST", "/u/"+b.links.active(key, recipient.Email), "List-Unsubscribe=One-Click"); got.status != 200 {
			t.Fatalf("click %d: got %d", i, got.status)
		}
	}
}

var nonceField = regexp.MustCompile(`name="nonce"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="nonce"`)

// A leaked key: links made with it need somebody who has seen the page.
func TestConfirmKey(t *testing.T) {
	b := start(t, nil)
	key := b.keyer.Key(b.email("a@example.com"))
	phone := mustPhone(t, "+358401234567")
	b.store.contacts["1"] = store.Contact{ExternalID: "1", Email: b.email("a@example.com"), EmailKey: key, Phone: phone, PhoneKey: b.keyer.Key(phone)}
	path := "/u/" + b.links.confirm(key)
	nonce := func() string {
		t.Helper()
		got := b.do("GET", path, "")
		checkPage(t, got, 200, "confirm_key")
		m := nonceField.FindStringSubmatch(got.body)
		if m == nil {
			t.Fatal("the page has no nonce")
		}
		return m[1] + m[2]
	}
	first := nonce()
	for _, body := range []string{"List-Unsubscribe=One-Click", ""} {
		checkPage(t, b.do("POST", path, body, "Content-Type", formType), 202, "pending")
	}
	if len(b.stored()) != 0 || len(b.store.requests) != 2 || b.store.requests[0].TokenID == "" {
		t.Fatalf("a one-click on a doubtful link: got %d events, %d requests", len(b.stored()), len(b.store.requests))
	}
	checkPage(t, b.do("POST", path, "via=form&nonce=x", "Content-Type", formType), 403, "confirm_key")
	b.clock.add(nonceAge)
	checkPage(t, b.do("POST", path, "nonce="+first, "Content-Type", formType), 403, "confirm_key")
	if len(b.stored()) != 0 {
		t.Fatal("an old form opted out")
	}
	done := b.do("POST", path, "nonce="+nonce(), "Content-Type", formType)
	checkPage(t, done, 200, "done")
	if n := len(b.stored()); n != 1 {
		t.Errorf("events: got %d, want 1", n)
	}
	// The buttons of the pages that follow work as well.
	undone := b.do("POST", path+"/undo", "via=form", "Content-Type", formType)
	checkPage(t, undone, 200, "undone")
	for name, page := range map[string]answer{"done": done, "already": b.do("GET", path, ""), "undone": undone} {
		m := nonceField.FindStringSubmatch(page.body)
		if m == nil {
			t.Errorf("the page %s has no nonce", name)
			continue
		}
		checkPage(t, b.do("POST", path, "via=form&all=1&nonce="+m[1]+m[2], "Content-Type", formType), 200, "everything_stopped")
	}
}

// The link of a test message can be tried without taking anybody off a list.
func TestPreview(t *testing.T) {
	b := start(t, nil)
	path := "/u/" + b.links.preview(b.keyer.Key(b.email("a@example.com")))
	for _, request := range [][2]string{{"GET", path}, {"POST", path}, {"POST", path + "/undo"}} {
		checkPage(t, b.do(request[0], request[1], "List-Unsubscribe=One-Click", "Content-Type", formType), 200, "preview")
	}
	if n := b.writes(); n != 0 {
		t.Errorf("a preview wrote %d times", n)
	}
}

func TestUnsubscribeWhileTheStoreIsDown(t *testing.T) {
	b := start(t, nil)
	path := "/u/" + b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email)
	b.store.set(func(f *fakeStore) { f.down = store.ErrUnavailable })
	checkPage(t, b.do("GET", path, ""), 200)
	for _, p := range []string{path, path + "/undo"} {
		got := b.do("POST", p, "")
		checkPage(t, got, 503, "unavailable")
		if !strings.Contains(got.body, `action="`+p+"?lang=") {
			t.Errorf("%s: no button that tries again", p[:3])
		}
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", p[:3])
		}
	}
}

// "Stop everything" reaches the contact's other channel; it is offered only
// where there is one.
func TestStopEverything(t *testing.T) {
	b := start(t, nil)
	email, phone := b.email("a@example.com"), mustPhone(t, "+358401234567")
	path := "/u/" + b.links.active(b.keyer.Key(email), recipient.Email)
	offered := func() bool { return strings.Contains(b.do("POST", path, "").body, `name="all"`) }
	if offered() {
		t.Error("offered after the click without a contact")
	}
	b.store.contacts["1"] = store.Contact{ExternalID: "1", Email: email, EmailKey: b.keyer.Key(email), Phone: phone, PhoneKey: b.keyer.Key(phone)}
	if !offered() {
		t.Error("not offered for a contact with a phone number")
	}
	for range 2 {
		got := b.do("POST", path, "via=form&all=1", "Content-Type", formType)
		checkPage(t, got, 200)
		if !strings.Contains(got.body, `data-page="everything_stopped"`) {
			t.Error("the page does not say that everything is stopped")
		}
	}
	got := map[recipient.Key]recipient.Channel{}
	for _, e := range b.stored() {
		got[e.Key] = e.Channel
	}
	want := map[recipient.Key]recipient.Channel{b.keyer.Key(email): recipient.Email, b.keyer.Key(phone): recipient.SMS}
	if d := cmp.Diff(want, got); d != "" || len(b.stored()) != 2 {
		t.Errorf("opt-outs: got %d (-want +got):\n%s", len(b.stored()), d)
	}
}

func TestUndo(t *testing.T) {
	tests := []struct {
		name   string
		before func(*bench, recipient.Key, string) // what happened to the link
		want   int
	}{
		{"right away", func(b *bench, _ recipient.Key, path string) { b.do("POST", path, "") }, 200},
		{"never clicked", func(*bench, recipient.Key, string) {}, 409},
		{"a day later", func(b *bench, _ recipient.Key, path string) {
			b.do("POST", path, "")
			b.clock.add(undoWithin + time.Second)
		}, 409},
		{"opted out before", func(b *bench, key recipient.Key, path string) {
			b.store.states[key] = recipient.State{OptedOutAt: b.clock.now().Add(-time.Hour)}
			b.do("POST", path, "")
		}, 409},
		{"after a complaint", func(b *bench, key recipient.Key, path string) {
			b.do("POST", path, "")
			b.store.set(func(f *fakeStore) {
				st := f.states[key]
				st.ComplainedAt = b.clock.now()
				f.states[key] = st
			})
		}, 409},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, nil)
			key := b.keyer.Key(b.email("a@example.com"))
			path := "/u/" + b.links.active(key, recipient.Email)
			tt.before(b, key, path)
			if got := b.do("GET", path+"/undo", ""); got.status != 405 {
				t.Errorf("GET: got %d, want 405", got.status)
			}
			checkPage(t, b.do("POST", path+"/undo", "via=form", "Content-Type", formType), tt.want, map[int]string{200: "undone", 409: "undo_refused"}[tt.want])
			events := b.stored()
			if tt.want != 200 {
				for _, e := range events {
					if e.Kind == recipient.OptIn {
						t.Error("a refused undo opted in")
					}
				}
				return
			}
			e := events[len(events)-1]
			if e.Kind != recipient.OptIn || e.Evidence.Consent == nil || e.Evidence.Consent.Source != "unsubscribe page" || e.Evidence.Consent.Wording == "" || e.Evidence.Via != "undo" {
				t.Errorf("event: got %+v", e)
			}
			checkPage(t, b.do("POST", path, ""), 200) // the old link still works
			if st := b.store.states[key]; !st.OptedOut() {
				t.Error("a click after the undo does not opt out")
			}
		})
	}
}

func TestStylesheet(t *testing.T) {
	b := start(t, nil)
	path, want := testPages(t).Stylesheet()
	got := b.do("GET", path, "")
	if got.status != 200 || got.body != string(want) || !strings.HasPrefix(got.header.Get("Content-Type"), "text/css") || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
		t.Errorf("stylesheet: got %d, %d bytes, %q", got.status, len(got.body), got.header.Get("Cache-Control"))
	}
	if got := b.do("GET", "/assets/other.css", "").status; got != 404 {
		t.Errorf("another name: got %d, want 404", got)
	}
}

// Two links, delayed and on reused connections: each opts out its own person.
func TestLinksDoNotAlias(t *testing.T) {
	b := start(t, nil)
	var wg sync.WaitGroup
	want := map[recipient.Key]bool{}
	for i := range 40 {
		key := b.keyer.Key(b.email(fmt.Sprintf("person%d@example.com", i)))
		want[key] = true
		path := "/u/" + b.links.active(key, recipient.Email)
		wg.Go(func() { b.do("POST", path, "List-Unsubscribe=One-Click") })
	}
	wg.Wait()
	got := map[recipient.Key]bool{}
	for _, e := range b.stored() {
		got[e.Key] = true
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("opted out (-want +got):\n%s", d)
	}
}

func TestLanguages(t *testing.T) {
	b := start(t, nil)
	path := "/u/" + b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email)
	tests := []struct{ query, accept, want string }{
		{"", "", "en"},
		{"", "sv-FI,sv;q=0.9,en;q=0.5", "sv"},
		{"?lang=fi", "sv", "fi"},
		{"?lang=xx", "tlh", "en"},
	}
	for _, tt := range tests {
		got := b.do("GET", path+tt.query, "", "Accept-Language", tt.accept)
		if lang := got.header.Get("Content-Language"); lang != tt.want || !strings.Contains(got.body, `<html lang="`+tt.want+`"`) {
			t.Errorf("%q with %q: got %q, want %q", tt.query, tt.accept, lang, tt.want)
		}
	}
	b.do("POST", path+"?lang=fi", "via=form", "Content-Type", formType)
	if e := b.stored()[0].Evidence; e.Language != "fi" || e.Wording != testPages(t).Wording("fi", "confirm") {
		t.Errorf("evidence: got %q in %q", e.Wording, e.Language)
	}
}

func mustPhone(t *testing.T, s string) recipient.Address {
	t.Helper()
	a, err := recipient.ParsePhone(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}
