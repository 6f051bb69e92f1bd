package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storetest"
	"github.com/strikeout/strikeout/templates/browsertest"
)

// tale is the program as shipped, and somebody who looks after contacts in a
// browser.
type tale struct {
	*service
	t    *testing.T
	tab  *browsertest.Tab
	card string
}

// The whole story in a real browser: the set-up link, a password, an
// imported contact, a signed hard bounce and a click, the red and the black strikeout, "Remove
// block", an opt-in that is refused without consent; and a viewer, who can look
// and change nothing.
func TestStory(t *testing.T) {
	s := newService(t, storetest.MariaDB(t))
	file := filepath.Join(s.dir, "strikeout.yaml")
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// No proxy with TLS stands before it here, so cookies must not ask for one.
	writeFile(t, file, string(config)+"admin_url: http://127.0.0.1\n")
	s.start()
	browser := browsertest.Start(t)
	w := &tale{service: s, t: t, tab: browser.Tab(t)}
	until(t, "the set-up link is printed", func() bool { return startLink.MatchString(s.out.String()) })
	w.settle(w.tab, startLink.FindStringSubmatch(s.out.String())[1], "anna@example.com")
	w.importContacts()
	w.bad()
	w.removeBlock()
	w.optIn()
	w.history()
	w.viewer(browser.Stranger(t))
	s.stop()
	s.fsck()
	for _, secret := range []string{"nora@example.com", "+358401234567", "358401234567", "/admin/start/"} {
		if strings.Contains(s.errs.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// settle opens a one-time link and chooses a password.
func (w *tale) settle(tab *browsertest.Tab, link, name string) {
	w.t.Helper()
	tab.Open(w.t, w.base+link, browsertest.Viewport(1100, 900, 1), browsertest.Scheme(false))
	tab.Wait(w.t, "#password")
	if name != "" {
		tab.Fill(w.t, "#name", name)
	}
	tab.Fill(w.t, "#password", "correct horse battery staple")
	tab.Fill(w.t, "#again", "correct horse battery staple")
	tab.Click(w.t, "button.primary")
	tab.Wait(w.t, ".bar")
}

// importContacts uploads a list, looks at what would change, and runs it. Then
// the contact is found by the beginning of her name.
func (w *tale) importContacts() {
	w.t.Helper()
	list := filepath.Join(w.dir, "contacts.csv")
	writeFile(w.t, list, "external_id,name,language,email,phone\nc-1,Nora Body,fi,Nora@Example.com,+358 40 1234567\nc-2,Bo,sv,bo@example.com,\n")
	w.tab.Open(w.t, w.base+"/admin/imports")
	w.tab.Do(w.t, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{list}))
	w.tab.Click(w.t, "main button.primary")
	w.tab.Wait(w.t, `form[action$="/run"] button`) // the page loads itself until the list is checked
	w.reads("What would change")
	if a, err := w.ask("GET", "/v1/contacts/c-1", nil); err != nil || a.status != http.StatusNotFound {
		w.t.Fatalf("trying a list changed something: %d %v", a.status, err)
	}
	w.tab.Click(w.t, `form[action$="/run"] button`)
	until(w.t, "the list is imported", func() bool {
		a, err := w.ask("GET", "/v1/contacts/c-2", nil)
		return err == nil && a.status == http.StatusOK
	})
	w.tab.Open(w.t, w.base+"/admin/contacts")
	w.tab.Fill(w.t, "#q", "nora")
	w.tab.Leave(w.t, func() { w.tab.Click(w.t, "main button.primary") }) // all contacts were listed before
	w.tab.Wait(w.t, `th[scope=row] a`)
	w.tab.Click(w.t, `th[scope=row] a`)
	w.tab.Wait(w.t, "#email-address")
	w.card = browsertest.Get(w.t, w.tab, chromedp.Location())
	if got := w.tab.Text(w.t, "#email-address"); got != "nora@example.com" {
		w.t.Fatalf("the card shows %q", got)
	}
	w.looks("email", "none", "")
	w.looks("sms", "none", "")
}

// bad is a provider's signed report and a person's click.
func (w *tale) bad() {
	w.t.Helper()
	info, sample := sampleOf(w.t, "ses", "hard")
	if a, err := w.post(w.shot(info, sample, "nora@example.com")); err != nil || !a.ok() {
		w.t.Fatalf("bounce: %d %v", a.status, err)
	}
	var links []struct{ URL string }
	a, err := w.ask("POST", "/v1/links", map[string]any{"recipients": []map[string]any{{"channel": "sms", "address": "+358401234567"}}})
	if err == nil {
		err = json.Unmarshal([]byte(a.body), &links)
	}
	if err != nil || len(links) != 1 {
		w.t.Fatalf("links: %d %v", a.status, err)
	}
	if a, err := w.open("POST", links[0].URL); err != nil || a.status != http.StatusOK {
		w.t.Fatalf("click: %d %v", a.status, err)
	}
	w.tab.Open(w.t, w.card)
	w.looks("email", "line-through", "rgb(179, 18, 28)")
	w.looks("sms", "line-through", "rgb(26, 34, 48)")
	w.reads("Blocked: the mailbox does not exist.", "Opted out: pressed the mail program's unsubscribe button.")
}

// looks checks how an address is shown: its strikeout as the browser draws it.
func (w *tale) looks(channel, line, colour string) {
	w.t.Helper()
	selector := "#" + channel + "-address .address"
	if got := w.tab.Style(w.t, selector, "text-decoration-line"); got != line {
		w.t.Errorf("%s: text-decoration-line: got %q, want %q", channel, got, line)
	}
	if colour == "" {
		return
	}
	for _, property := range []string{"color", "text-decoration-color"} {
		if got := w.tab.Style(w.t, selector, property); got != colour {
			w.t.Errorf("%s: %s: got %q, want %q", channel, property, got, colour)
		}
	}
}

// reads checks that the page says something.
func (w *tale) reads(texts ...string) {
	w.t.Helper()
	page := w.tab.Text(w.t, "main")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			w.t.Errorf("the page lacks %q:\n%s", text, page)
		}
	}
}

func (w *tale) removeBlock() {
	w.t.Helper()
	w.tab.Click(w.t, `a[href*="/unblock"]`)
	w.tab.Wait(w.t, "#reason")
	w.reads("aws sesv2 delete-suppressed-destination --email-address 'nora@example.com'")
	w.tab.Fill(w.t, "#reason", "she called: the mailbox works again")
	w.tab.Click(w.t, "main button.primary")
	w.tab.Wait(w.t, "[role=status]")
	w.reads("The block of the e-mail address was removed.")
	w.looks("email", "none", "")
	w.looks("sms", "line-through", "rgb(26, 34, 48)")
}

func (w *tale) optIn() {
	w.t.Helper()
	w.tab.Click(w.t, `section[aria-labelledby="sms-head"] input[type=checkbox]`)
	w.tab.Click(w.t, `section[aria-labelledby="sms-head"] form.tick button`)
	w.tab.Wait(w.t, "#consent_source")
	// The browser itself does not let empty fields pass; the service must not either.
	form := chromedp.Evaluate[string](`fetch(document.querySelector('main form').action, {method: 'POST', body: new URLSearchParams({csrf: document.querySelector('main form [name=csrf]').value})}).then(r => String(r.status))`, chromedp.EvalAwaitPromise)
	if got := browsertest.Get(w.t, w.tab, form); got != fmt.Sprint(http.StatusUnprocessableEntity) {
		w.t.Errorf("without consent: got %s", got)
	}
	if !w.lookup(recipient.SMS, "+358401234567").OptedOut {
		w.t.Fatal("opted in without consent")
	}
	w.tab.Fill(w.t, "#consent_source", "phone call")
	w.tab.Fill(w.t, "#consent_wording", "Yes, text me again")
	w.tab.Fill(w.t, "#consent_evidence", "ticket 4711")
	w.tab.Click(w.t, "main button.primary")
	w.tab.Wait(w.t, "[role=status]")
	w.looks("sms", "none", "")
	if w.lookup(recipient.SMS, "+358401234567").OptedOut {
		w.t.Error("still opted out")
	}
}

func (w *tale) history() {
	w.t.Helper()
	w.tab.Open(w.t, w.card)
	got := w.tab.Text(w.t, "ol.history")
	at := 0
	for _, line := range []string{"Opted in, with consent.", "By administrator anna@example.com.", "Yes, text me again", "ticket 4711", "Block removed.", "she called: the mailbox works again",
		"Opted out: pressed the mail program's unsubscribe button.", "By the person.", "Hard bounce: the mailbox does not exist.", "By Amazon SES.", "5.1.1"} {
		i := strings.Index(got[at:], line)
		if i < 0 {
			w.t.Fatalf("the history lacks %q, or has it too early:\n%s", line, got)
		}
		at += i
	}
}

// viewer is somebody else in another browser, who may look. That every form is
// refused to viewers is tested by the table of pages; here a browser tries.
func (w *tale) viewer(tab *browsertest.Tab) {
	w.t.Helper()
	out, err := w.command("users", "add", "vera@example.com", "--role", "viewer").Output()
	if err != nil {
		w.t.Fatalf("users add: %v", err)
	}
	link := strings.TrimSpace(string(out))
	w.settle(tab, link[strings.Index(link, "/admin/start/"):], "")
	tab.Open(w.t, w.card)
	page := tab.Text(w.t, "body")
	if !strings.Contains(page, "n•••@e•••.com") || strings.Contains(page, "nora@example.com") || strings.Contains(page, "1234567") {
		w.t.Errorf("a viewer reads:\n%s", page)
	}
	const forms = `String(document.querySelectorAll('main form').length + document.querySelectorAll('main a[href*="/unblock"], main a[href*="/edit"], main a[href*="/block"]').length)`
	if got := browsertest.Eval(w.t, tab, forms); got != "0" {
		w.t.Errorf("a viewer is offered %s ways to change something", got)
	}
	before := w.lookup(recipient.Email, "nora@example.com")
	const try = `(async () => {
		const csrf = document.querySelector('[name=csrf]').value, address = document.querySelector('a[href*="/admin/addresses/"]').href, card = location.href, got = [];
		const form = {csrf, opted_out: '1', reason: 'x', confirm: 'erase', name: 'x', seen: '2026-01-01T00:00:00Z', address: 'v@example.com', kind: 'block'};
		for (const path of [address + '/opted-out', address + '/opt-in', address + '/block', address + '/unblock', address + '/erase', card, card + '/erase', '/admin/contacts', '/admin/addresses'])
			got.push((await fetch(path, {method: 'POST', body: new URLSearchParams(form)})).status);
		return got.join(' ');
	})()`
	if got := browsertest.Get(w.t, tab, chromedp.Evaluate[string](try, chromedp.EvalAwaitPromise)); got != strings.TrimSpace(strings.Repeat("403 ", 9)) {
		w.t.Errorf("a viewer's forms: got %s", got)
	}
	if after := w.lookup(recipient.Email, "nora@example.com"); after.Blocked || after.OptedOut || len(after.Events) != len(before.Events) {
		w.t.Errorf("a viewer changed something: %+v", after)
	}
}
