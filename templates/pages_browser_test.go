package templates

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/strikeout/strikeout/templates/browsertest"
)

var update = flag.Bool("update", false, "draw the pictures in docs/images anew")

// TestBrowser looks at the pages as visitors do. One Chromium serves all parts.
func TestBrowser(t *testing.T) {
	p := newPages(t, shop)
	s := newSite(t, p)
	browser := browsertest.Start(t)
	t.Run("every page", func(t *testing.T) { testEveryPage(t, browser.Tab(t), s, p) })
	t.Run("no scripts, no third party", func(t *testing.T) { testAlone(t, browser.Tab(t), s) })
	t.Run("keyboard", func(t *testing.T) { testKeyboard(t, browser.Tab(t), s) })
	t.Run("typed address", func(t *testing.T) { testTypedAddress(t, browser.Tab(t), s) })
	t.Run("print", func(t *testing.T) { testPrint(t, browser.Tab(t), s) })
	t.Run("languages", func(t *testing.T) { testSwitch(t, browser.Tab(t), s) })
	t.Run("pictures", func(t *testing.T) { testPictures(t, browser.Tab(t), s) })
}

// Every page is looked at in the reference language; the longest also in one
// with long words and one that runs from right to left. Words have no colours,
// so those are looked at once. The other languages differ in their words alone:
// their longest pages must fit. (The handlers' tests go through every page once
// more, in these three.)
var (
	thorough = []string{reference, "fi", "ar"}
	longest  = []string{"confirm", "done", "bad_link missing", "undo_refused complaint", "pending", "unavailable"}
	widest   = []string{"confirm", "bad_link missing", "undo_refused complaint"}
)

// testEveryPage loads the pages in every language and looks at them.
func testEveryPage(t *testing.T, tab *browsertest.Tab, s *site, p *Pages) {
	for _, lang := range p.Languages() {
		for _, f := range samples() {
			switch {
			case lang == reference, slices.Contains(thorough, lang) && slices.Contains(longest, f.name), slices.Contains(widest, f.name):
			default:
				continue
			}
			t.Run(slug(f.name)+" "+lang, func(t *testing.T) {
				if !slices.Contains(thorough, lang) {
					tab.Open(t, s.page(f, lang), browsertest.Viewport(320, 640, 1), browsertest.Scheme(false))
					tab.CheckFits(t, "320 px")
					return
				}
				tab.Open(t, s.page(f, lang), browsertest.Viewport(1280, 900, 1), browsertest.Scheme(false))
				tab.CheckAxe(t, "light")
				if lang == reference {
					tab.Do(t, browsertest.Scheme(true))
					tab.CheckColours(t, "dark")
				}
				tab.CheckTargets(t, 1280, 320)
				tab.CheckReflow(t)
			})
		}
	}
}

// testAlone: with scripts off, the page loads with its stylesheet, asks nobody
// else for anything, and its button works.
func testAlone(t *testing.T, tab *browsertest.Tab, s *site) {
	urls := tab.Requests(t)
	tab.WithoutScripts(t)
	tab.Do(t, browsertest.Viewport(1280, 900, 1),
		chromedp.Navigate(s.URL+"/confirm?lang=en"),
		chromedp.WaitVisible(chromedp.CSS("main[data-page=confirm] button.primary")))
	if height := tab.Style(t, "button.primary", "min-height"); height != "56px" {
		t.Errorf("the stylesheet is not in force: the button's min-height is %q", height)
	}
	asked := urls()
	for _, u := range asked {
		if !strings.HasPrefix(u, s.URL+"/") {
			t.Errorf("the page asks a third party: %s", u)
		}
	}
	if !slices.ContainsFunc(asked, func(u string) bool { return strings.HasSuffix(u, ".css") }) {
		t.Errorf("no request for the stylesheet was seen: %q", asked)
	}
	tab.Do(t, chromedp.Click(chromedp.CSS("button.primary")), chromedp.WaitVisible(chromedp.CSS("main[data-page=done]")))
	if got, want := s.lastPost(), linkPath+" form all= address="; got != want {
		t.Errorf("posted: got %q, want %q", got, want)
	}
	tab.Do(t, chromedp.Click(chromedp.CSS("section[aria-labelledby=all] button")))
	waitPost(t, s, linkPath+" form all=1 address=")
}

// testKeyboard: Tab reaches every control in reading order, focus is visible,
// Enter and Space press.
func testKeyboard(t *testing.T, tab *browsertest.Tab, s *site) {
	const focused = `(() => {
		const e = document.activeElement, c = getComputedStyle(e), r = e.getBoundingClientRect();
		return [e.textContent.trim(), c.outlineStyle + ' ' + c.outlineWidth, r.top >= 0 && r.bottom <= innerHeight ? 'in view' : 'out of view'].join('|');
	})()`
	want := []string{"Unsubscribe", "Stop everything", "Help", "Privacy", "Language: English"}
	tab.Do(t, browsertest.Viewport(320, 480, 1), chromedp.Navigate(s.URL+"/confirm?lang=en"))
	for _, name := range want {
		tab.Do(t, chromedp.KeyEvent(kb.Tab))
		got := browsertest.Eval(t, tab, focused)
		if w := name + "|solid 3px|in view"; got != w {
			t.Errorf("after Tab: got %q, want %q", got, w)
		}
	}
	for key, page := range map[string]string{kb.Enter: "done", " ": "done"} {
		tab.Do(t, chromedp.Navigate(s.URL+"/confirm?lang=en"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(key),
			chromedp.WaitVisible(chromedp.CSS("main[data-page="+page+"]")))
	}
	if got, want := s.lastPost(), linkPath+" form all= address="; got != want {
		t.Errorf("posted: got %q, want %q", got, want)
	}
}

func testTypedAddress(t *testing.T, tab *browsertest.Tab, s *site) {
	tab.Do(t, browsertest.Viewport(320, 640, 1), chromedp.Navigate(s.URL+"/bad_link?lang=sv"),
		chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("maija@example.fi"), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible(chromedp.CSS("main[data-page=done]")))
	waitPost(t, s, "/bad_link form all= address=maija@example.fi")
	if got := browsertest.Get(t, tab, chromedp.AttributeValue(chromedp.CSS("html"), "lang")); got.Value != "sv" {
		t.Errorf("the answer's language: got %q, want that of the page, sv", got.Value)
	}
}

// testPrint: on paper stands what was done, and nothing to press.
func testPrint(t *testing.T, tab *browsertest.Tab, s *site) {
	tab.Do(t, browsertest.Viewport(720, 900, 1), browsertest.Print(), chromedp.Navigate(s.URL+"/done?lang=en"))
	for selector, want := range map[string]string{"h1": "block", ".details": "block", "section": "none", "form": "none", "footer": "none"} {
		if got := tab.Style(t, selector, "display"); got != want {
			t.Errorf("%s on paper: got display %q, want %q", selector, got, want)
		}
	}
}

func testSwitch(t *testing.T, tab *browsertest.Tab, s *site) {
	tab.Do(t, browsertest.Viewport(1280, 900, 1), chromedp.Navigate(s.URL+"/requested?lang=en"),
		chromedp.Click(chromedp.CSS("footer summary")), chromedp.Click(chromedp.CSS("footer a[hreflang=fi]")), chromedp.WaitVisible(chromedp.CSS("html[lang=fi] main")))
	if got, want := browsertest.Get(t, tab, chromedp.Title()), "Kiitos – Example Oy"; got != want {
		t.Errorf("title: got %q, want %q", got, want)
	}
}

// pictures are those of the README and docs/pages.md.
var pictures = []struct {
	file, page, lang string
	dark             bool
	width, height    int64
}{
	{"unsubscribe", "confirm", "en", false, 720, 850},
	{"unsubscribe-ar", "confirm", "ar", false, 560, 860},
	{"done-fi", "done", "fi", false, 560, 1010},
	{"done-ar-dark", "done", "ar", true, 560, 980},
	{"broken-fi-dark", "bad_link", "fi", true, 360, 760},
	{"unavailable-en", "unavailable", "en", false, 360, 560},
}

// testPictures keeps the pictures: -update draws them anew.
func testPictures(t *testing.T, tab *browsertest.Tab, s *site) {
	for _, p := range pictures {
		file := filepath.Join("..", "docs", "images", p.file+".png")
		if *update {
			tab.Do(t, browsertest.Viewport(p.width, p.height, 1), browsertest.Scheme(p.dark), chromedp.Navigate(s.URL+"/"+p.page+"?lang="+p.lang))
			if err := os.WriteFile(file, tab.Screenshot(t), 0o644); err != nil { //nolint:gosec // a public picture
				t.Fatal(err)
			}
		}
		png, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(png), "\x89PNG") || len(png) > 80<<10 {
			t.Errorf("%s: got %d bytes, want a PNG of at most 80 KiB", p.file, len(png))
		}
	}
}

// waitPost waits until the last form posted was want.
func waitPost(t *testing.T, s *site, want string) {
	t.Helper()
	deadline := time.After(3 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.lastPost() == want {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("posted: got %q, want %q", s.lastPost(), want)
		case <-tick.C:
		}
	}
}
