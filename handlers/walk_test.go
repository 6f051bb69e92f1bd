package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
	"github.com/strikeout/strikeout/templates/browsertest"
	"github.com/strikeout/strikeout/tokens"
)

// moody is a database that can be away.
type moody struct {
	*store.DB
	away atomic.Bool
}

var errAway = fmt.Errorf("%w: the test says so", store.ErrUnavailable)

func (m *moody) Click(ctx context.Context, c store.Click) (store.Outcome, error) {
	if m.away.Load() {
		return store.Outcome{}, errAway
	}
	return m.DB.Click(ctx, c)
}

func (m *moody) Undo(ctx context.Context, c store.Click, within time.Duration) (store.Outcome, error) {
	if m.away.Load() {
		return store.Outcome{}, errAway
	}
	return m.DB.Undo(ctx, c, within)
}

// startReal is start with a real database.
func startReal(t *testing.T, url string) (*bench, *moody) {
	t.Helper()
	b := newBench(t)
	m := &moody{DB: storetest.Open(t, store.Config{URL: url, Keyer: b.keyer, Now: b.clock.now})}
	cfg := b.config()
	cfg.Store = m
	b.quiet = true // what the server writes by itself every minute is no visitor's doing
	b.serve(cfg)
	return b, m
}

// TestPagesInTheBrowser goes through everything a recipient can meet, in a real browser,
// against the real server and a real database: scripts off, keyboard only, on a
// narrow window. Every page on the way is looked at by axe-core, and fits at
// 320 pixels and at 200 % zoom.
func TestPagesInTheBrowser(t *testing.T) {
	b, db := startReal(t, storetest.SQLite(t))
	browser := browsertest.Start(t)
	for _, lang := range []string{"en", "fi", "ar"} {
		t.Run(lang, func(t *testing.T) {
			w := &stroll{t: t, bench: b, db: db, tab: browser.Tab(t), lang: lang}
			w.tab.WithoutScripts(t)
			w.tab.Do(t, browsertest.Viewport(320, 568, 1))
			asked := w.tab.Requests(t)
			t.Run("unsubscribe, undo and again", func(t *testing.T) { w.with(t).undo() })
			t.Run("stop everything", func(t *testing.T) { w.with(t).everything() })
			t.Run("undo refused", func(t *testing.T) { w.with(t).refused() })
			t.Run("key in doubt", func(t *testing.T) { w.with(t).confirmKey() })
			t.Run("expired", func(t *testing.T) { w.with(t).expired() })
			t.Run("broken link", func(t *testing.T) { w.with(t).broken() })
			t.Run("preview", func(t *testing.T) { w.with(t).preview() })
			t.Run("database away", func(t *testing.T) { w.with(t).away() })
			for _, u := range asked() {
				if !strings.HasPrefix(u, b.url+"/") {
					t.Errorf("a third party was asked: %s", u)
				}
			}
		})
	}
}

type stroll struct {
	*bench
	t    *testing.T
	db   *moody
	tab  *browsertest.Tab
	lang string
}

func (w *stroll) with(t *testing.T) *stroll {
	c := *w
	c.t = t
	return &c
}

// What can be pressed on the pages.
const (
	mainButton = "button.primary"
	undoButton = `form[action*="/undo"] button`
	allButton  = `section[aria-labelledby="all"] button`
	anyButton  = "main form button"
)

// person makes a contact with an address and a number of its own.
func (w *stroll) person() (email, phone recipient.Address) {
	w.t.Helper()
	name := w.lang + "-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(w.t.Name()))
	email = w.email(name + "@example.com")
	n := 0
	for _, r := range name {
		n = (n*31 + int(r)) % 10_000_000
	}
	phone = mustPhone(w.t, fmt.Sprintf("+35840%07d", n))
	_, _, err := w.db.PutContact(w.t.Context(), store.Contact{ExternalID: name, Email: email, Phone: phone, EmailKey: w.keyer.Key(email), PhoneKey: w.keyer.Key(phone)},
		store.PutOptions{Source: recipient.FromAPI})
	if err != nil {
		w.t.Fatal(err)
	}
	return email, phone
}

func (w *stroll) link(a recipient.Address, s tokens.State) string {
	c := w.links.of(w.keyer.Key(a))
	c.Channel = a.Channel()
	return w.url + "/u/" + w.links.mint(s, c)
}

// open loads a link and looks at its page.
func (w *stroll) open(link, page string) {
	w.t.Helper()
	w.tab.Open(w.t, link+"?lang="+w.lang)
	w.see(page)
}

// press reaches a button with the keyboard, presses it and looks at what comes.
func (w *stroll) press(button, page string) {
	w.t.Helper()
	w.tab.TabToElement(w.t, button)
	w.enter(page)
}

// enter sends the form that has the focus and looks at what comes, which may
// be a page of the same name as the one that it leaves.
func (w *stroll) enter(page string) {
	w.t.Helper()
	w.tab.Leave(w.t, func() { w.tab.Press(w.t, kb.Enter) })
	w.see(page)
}

// see waits for a page and looks at it.
func (w *stroll) see(page string) {
	w.t.Helper()
	w.tab.Wait(w.t, fmt.Sprintf(`html[lang=%q] main[data-page=%q] h1`, w.lang, page))
	dir := map[bool]string{true: "rtl", false: "ltr"}[w.lang == "ar"]
	if got := browsertest.Eval(w.t, w.tab, `getComputedStyle(document.querySelector('main')).direction`); got != dir {
		w.t.Errorf("%s: direction: got %s, want %s", page, got, dir)
	}
	w.tab.CheckFits(w.t, page+" at 320 px")
	w.tab.CheckAxe(w.t, page)
	w.tab.Do(w.t, browsertest.Viewport(640, 450, 2))
	w.tab.CheckFits(w.t, page+" at 200 %")
	w.tab.Do(w.t, browsertest.Viewport(320, 568, 1))
}

// state checks whether an address is opted out.
func (w *stroll) state(a recipient.Address, optedOut bool) recipient.State {
	w.t.Helper()
	r, err := w.db.Recipient(w.t.Context(), w.keyer.Key(a))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	if r.State.OptedOut() != optedOut {
		w.t.Errorf("%s: opted out: got %v, want %v", a.Mask(), r.State.OptedOut(), optedOut)
	}
	return r.State
}

// last returns the newest event of an address.
func (w *stroll) last(a recipient.Address) recipient.Event {
	w.t.Helper()
	events, _, err := w.db.History(w.t.Context(), w.keyer.Key(a), 1, "")
	if err != nil || len(events) == 0 {
		w.t.Fatalf("history: %d events, %v", len(events), err)
	}
	return events[0].Event
}

func (w *stroll) undo() {
	email, phone := w.person()
	link := w.link(email, tokens.Active)
	w.open(link, "confirm")
	if got := w.tab.Text(w.t, ".details"); !strings.Contains(got, email.Mask()) || strings.Contains(got, email.Value()) {
		w.t.Errorf("the page shows %q, want the masked address", got)
	}
	w.state(email, false)
	w.press(mainButton, "done")
	w.state(email, true)
	if e := w.last(email); e.Evidence.Via != viaForm || e.Evidence.Language != w.lang || e.Evidence.Wording != testPages(w.t).Wording(w.lang, "confirm") {
		w.t.Errorf("evidence: got %+v", e.Evidence)
	}
	w.press(undoButton, "undone")
	w.state(email, false)
	c := w.last(email).Evidence.Consent
	if want := testPages(w.t).Wording(w.lang, "undo"); c == nil || c.Wording != want || !strings.Contains(c.Wording, "Acme Oy") || !c.At.Equal(w.clock.now()) {
		w.t.Errorf("consent: got %+v, want the words %q", c, want)
	}
	w.clock.add(time.Minute)
	w.press(anyButton, "done") // it is offered again
	w.state(email, true)
	w.open(link, "already")
	w.state(phone, false)
}

func (w *stroll) everything() {
	email, phone := w.person()
	w.open(w.link(phone, tokens.Verify), "confirm")
	w.press(allButton, "everything_stopped")
	w.state(email, true)
	w.state(phone, true)
	w.press(undoButton, "undone")
	w.state(email, true) // only what the link is about comes back
	w.state(phone, false)
}

func (w *stroll) refused() {
	email, _ := w.person()
	w.open(w.link(email, tokens.Active), "confirm")
	w.press(mainButton, "done")
	w.clock.add(undoWithin + time.Minute)
	w.press(undoButton, "undo_refused")
	w.state(email, true)
}

func (w *stroll) confirmKey() {
	email, _ := w.person()
	link := w.link(email, tokens.Confirm)
	w.open(link, "confirm_key")
	w.clock.add(nonceAge)
	w.press(mainButton, "confirm_key") // too late
	w.state(email, false)
	w.press(mainButton, "done")
	w.state(email, true)
}

func (w *stroll) expired() {
	email, _ := w.person()
	w.open(w.url+"/u/"+w.links.ending(w.keyer.Key(email), w.clock.now().Add(-time.Minute)), "expired")
	w.press(mainButton, "done")
	w.state(email, true)
}

func (w *stroll) broken() {
	email, _ := w.person()
	before := w.requests()
	w.open(strings.TrimSuffix(w.link(email, tokens.Active), "A")+"A", "bad_link")
	w.tab.TabToElement(w.t, "#address")
	w.tab.Press(w.t, email.Value())
	w.enter("requested")
	if got := w.requests(); got != before+1 {
		w.t.Errorf("requests: got %d, want %d", got, before+1)
	}
	w.state(email, false)
}

func (w *stroll) requests() int {
	w.t.Helper()
	list, err := w.db.Requests(w.t.Context(), store.RequestQuery{})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list)
}

func (w *stroll) preview() {
	email, _ := w.person()
	w.open(w.url+"/u/"+w.links.preview(w.keyer.Key(email)), "preview")
	w.press(mainButton, "preview")
	w.state(email, false)
}

func (w *stroll) away() {
	email, phone := w.person()
	w.open(w.link(email, tokens.Active), "confirm")
	w.db.away.Store(true)
	defer w.db.away.Store(false)
	w.press(allButton, "unavailable")
	w.state(email, false)
	w.press(mainButton, "unavailable")
	w.db.away.Store(false)
	w.press(mainButton, "everything_stopped")
	w.state(email, true)
	w.state(phone, true)
	w.db.away.Store(true)
	w.press(undoButton, "unavailable")
	w.db.away.Store(false)
	w.press(mainButton, "undone")
	w.state(email, false)
}
