package templates

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var update = flag.Bool("update", false, "rewrite docs/images/unsubscribe.png")

// TestBrowser looks at the pages as visitors do. One Chromium serves all parts.
func TestBrowser(t *testing.T) {
	p := newPages(t, shop)
	s := newSite(t, p)
	browser := newBrowser(t)
	t.Run("every page", func(t *testing.T) { testEveryPage(t, tab(t, browser), s, p) })
	t.Run("no scripts, no third party", func(t *testing.T) { testAlone(t, tab(t, browser), s) })
	t.Run("keyboard", func(t *testing.T) { testKeyboard(t, tab(t, browser), s) })
	t.Run("typed address", func(t *testing.T) { testTypedAddress(t, tab(t, browser), s) })
	t.Run("languages", func(t *testing.T) { testSwitch(t, tab(t, browser), s) })
	t.Run("picture", func(t *testing.T) { testPicture(t, tab(t, browser), s) })
}

// thorough are the languages whose every page is looked at in every way: the
// reference, one with long words, and one that runs from right to left. The
// others differ in their words alone, so their longest pages are enough.
var (
	thorough = []string{reference, "fi", "ar"}
	longest  = []string{"confirm", "done", "bad_link missing", "undo_refused complaint", "pending", "unavailable"}
)

// testEveryPage loads the pages in every language and looks at them.
func testEveryPage(t *testing.T, ctx context.Context, s *site, p *Pages) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range p.Languages() {
		for _, f := range fixtures(t) {
			if !slices.Contains(thorough, lang) && !slices.Contains(longest, f.name) {
				continue
			}
			t.Run(slug(f.name)+" "+lang, func(t *testing.T) {
				if !slices.Contains(thorough, lang) {
					do(t, ctx, viewport(320, 640, 1), scheme(false), chromedp.Navigate(s.page(f, lang)))
					checkFits(t, ctx, "320 px")
					return
				}
				do(t, ctx, viewport(1280, 900, 1), scheme(false), chromedp.Navigate(s.page(f, lang)), chromedp.Evaluate[chromedp.Void](string(axe)))
				checkAxe(t, ctx, "light")
				do(t, ctx, scheme(true))
				checkAxe(t, ctx, "dark")
				checkTargets(t, ctx)
				checkReflow(t, ctx)
			})
		}
	}
}

// checkAxe runs axe-core (https://github.com/dequelabs/axe-core), whose rules
// cover what a program can tell of WCAG 2.2 A and AA.
func checkAxe(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	const call = `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: {'target-size': {enabled: true}}})
		.then(r => JSON.stringify({passes: r.passes.length, faults: r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(' | '))}))`
	var got struct {
		Passes int
		Faults []string
	}
	if err := json.Unmarshal([]byte(get(t, ctx, chromedp.Evaluate[string](call, chromedp.EvalAwaitPromise))), &got); err != nil {
		t.Fatal(err)
	}
	if got.Passes < 10 {
		t.Errorf("%s: only %d rules passed: did axe run?", name, got.Passes)
	}
	for _, fault := range got.Faults {
		t.Errorf("%s: %s", name, fault)
	}
}

// checkTargets: everything to press is at least 44 by 44 CSS pixels.
func checkTargets(t *testing.T, ctx context.Context) {
	t.Helper()
	const small = `[...document.querySelectorAll('a, button, input:not([type=hidden])')].map(e => [e, e.getBoundingClientRect()])
		.filter(([e, r]) => r.width < 44 || r.height < 44).map(([e, r]) => e.outerHTML + ' ' + r.width + 'x' + r.height).join('\n')`
	for _, width := range []int64{1280, 320} {
		do(t, ctx, viewport(width, 700, 1))
		if got := get(t, ctx, chromedp.Evaluate[string](small)); got != "" {
			t.Errorf("at %d px: smaller than 44 px: %s", width, got)
		}
	}
}

// checkReflow: no horizontal scrolling at 320 CSS pixels (which is a 1280 pixel
// window at 400 %), at 200 % zoom, with text alone at 200 %, and with the
// spacing that a reader may set (WCAG 2.2, 1.4.4, 1.4.10, 1.4.12). It leaves
// the page changed.
func checkReflow(t *testing.T, ctx context.Context) {
	t.Helper()
	const spacing = `document.documentElement.style.fontSize = '';
		for (const e of document.querySelectorAll('*')) {
			e.style.setProperty('line-height', '1.5', 'important');
			e.style.setProperty('letter-spacing', '.12em', 'important');
			e.style.setProperty('word-spacing', '.16em', 'important');
		}
		for (const e of document.querySelectorAll('p')) e.style.setProperty('margin-bottom', '2em', 'important')`
	for _, shape := range []struct {
		name   string
		view   chromedp.Action[chromedp.Void]
		change string
	}{
		{"320 px", viewport(320, 640, 1), ""},
		{"200 % zoom", viewport(640, 450, 2), ""},
		{"200 % text at 640 px", viewport(640, 900, 1), `document.documentElement.style.fontSize = '200%'`},
		{"320 px with wide text", viewport(320, 640, 1), spacing},
	} {
		do(t, ctx, shape.view)
		if shape.change != "" {
			do(t, ctx, chromedp.Evaluate[chromedp.Void](shape.change))
		}
		checkFits(t, ctx, shape.name)
	}
}

// checkFits: nothing is wider than the window or its own box.
func checkFits(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	const overflow = `(() => {
		const wide = [...document.querySelectorAll('body *')].filter(e => {
			const r = e.getBoundingClientRect();
			return r.right > document.documentElement.clientWidth + 1 || r.left < -1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' && !(e instanceof SVGElement);
		}).map(e => e.tagName);
		if (document.documentElement.scrollWidth > document.documentElement.clientWidth) wide.push('page');
		return wide.join(' ');
	})()`
	if got := get(t, ctx, chromedp.Evaluate[string](overflow)); got != "" {
		t.Errorf("%s: wider than the window: %s", name, got)
	}
}

// testAlone: with scripts off, the page loads with its stylesheet, asks nobody
// else for anything, and its button works.
func testAlone(t *testing.T, ctx context.Context, s *site) {
	urls := requests(t, ctx)
	do(t, ctx, withoutScripts(), viewport(1280, 900, 1),
		chromedp.Navigate(s.URL+"/confirm?lang=en"),
		chromedp.WaitVisible(chromedp.CSS("main[data-page=confirm] button.primary")))
	style := get(t, ctx, chromedp.ComputedStyle(chromedp.CSS("button.primary")))
	height := ""
	for _, c := range style {
		if c.Name == "min-height" {
			height = c.Value
		}
	}
	if height != "56px" {
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
	do(t, ctx, chromedp.Click(chromedp.CSS("button.primary")), chromedp.WaitVisible(chromedp.CSS("main[data-page=done]")))
	if got, want := s.lastPost(), linkPath+" form all= address="; got != want {
		t.Errorf("posted: got %q, want %q", got, want)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("section[aria-labelledby=all] button")))
	waitPost(t, s, linkPath+" form all=1 address=")
}

// testKeyboard: Tab reaches every control in reading order, focus is visible,
// Enter and Space press.
func testKeyboard(t *testing.T, ctx context.Context, s *site) {
	const focused = `(() => {
		const e = document.activeElement, c = getComputedStyle(e), r = e.getBoundingClientRect();
		return [e.textContent.trim(), c.outlineStyle + ' ' + c.outlineWidth, r.top >= 0 && r.bottom <= innerHeight ? 'in view' : 'out of view'].join('|');
	})()`
	want := []string{"Unsubscribe", "Stop everything", "Help", "Privacy", "Language: English"}
	do(t, ctx, viewport(320, 480, 1), chromedp.Navigate(s.URL+"/confirm?lang=en"))
	for _, name := range want {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		got := get(t, ctx, chromedp.Evaluate[string](focused))
		if w := name + "|solid 3px|in view"; got != w {
			t.Errorf("after Tab: got %q, want %q", got, w)
		}
	}
	for key, page := range map[string]string{kb.Enter: "done", " ": "done"} {
		do(t, ctx, chromedp.Navigate(s.URL+"/confirm?lang=en"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(key),
			chromedp.WaitVisible(chromedp.CSS("main[data-page="+page+"]")))
	}
	if got, want := s.lastPost(), linkPath+" form all= address="; got != want {
		t.Errorf("posted: got %q, want %q", got, want)
	}
}

func testTypedAddress(t *testing.T, ctx context.Context, s *site) {
	do(t, ctx, viewport(320, 640, 1), chromedp.Navigate(s.URL+"/bad_link?lang=sv"),
		chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("maija@example.fi"), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible(chromedp.CSS("main[data-page=done]")))
	waitPost(t, s, "/bad_link form all= address=maija@example.fi")
	if got := get(t, ctx, chromedp.AttributeValue(chromedp.CSS("html"), "lang")); got.Value != "sv" {
		t.Errorf("the answer's language: got %q, want that of the page, sv", got.Value)
	}
}

func testSwitch(t *testing.T, ctx context.Context, s *site) {
	do(t, ctx, viewport(1280, 900, 1), chromedp.Navigate(s.URL+"/requested?lang=en"),
		chromedp.Click(chromedp.CSS("footer summary")), chromedp.Click(chromedp.CSS("footer a[hreflang=fi]")), chromedp.WaitVisible(chromedp.CSS("html[lang=fi] main")))
	if got, want := get(t, ctx, chromedp.Title()), "Kiitos – Example Oy"; got != want {
		t.Errorf("title: got %q, want %q", got, want)
	}
}

// testPicture keeps the picture in the README: -update draws it anew.
func testPicture(t *testing.T, ctx context.Context, s *site) {
	file := filepath.Join("..", "docs", "images", "unsubscribe.png")
	if *update {
		do(t, ctx, viewport(720, 850, 1), scheme(false), chromedp.Navigate(s.URL+"/confirm?lang=en"))
		if err := os.WriteFile(file, get(t, ctx, chromedp.CaptureScreenshot()), 0o644); err != nil { //nolint:gosec // a public picture
			t.Fatal(err)
		}
	}
	png, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(png), "\x89PNG") || len(png) > 80<<10 {
		t.Errorf("the picture: got %d bytes, want a PNG of at most 80 KiB", len(png))
	}
}

// waitPost waits until the last form posted was want.
func waitPost(t *testing.T, s *site, want string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
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
