package browsertest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axe is axe-core (https://github.com/dequelabs/axe-core, MPL-2.0), whose rules
// cover what a program can tell of WCAG 2.2 A and AA.
//
//go:embed axe.min.js
var axe string

// CheckAxe runs axe-core on the page. name says in errors what was looked at.
func (tab *Tab) CheckAxe(t testing.TB, name string) {
	t.Helper()
	const all = `{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: {'target-size': {enabled: true}}}`
	tab.axe(t, name, all, 10)
}

// CheckColours runs axe-core's rules about colours alone, for a page that
// CheckAxe has seen in other colours.
func (tab *Tab) CheckColours(t testing.TB, name string) {
	t.Helper()
	tab.axe(t, name, `{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}`, 1)
}

func (tab *Tab) axe(t testing.TB, name, options string, least int) {
	t.Helper()
	call := `axe.run(document, ` + options + `)
		.then(r => JSON.stringify({passes: r.passes.length, faults: r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(' | '))}))`
	if tab.scriptsOff {
		tab.Do(t, scripts(true)) // axe waits for timers, which stand still otherwise; the page itself has loaded already
		defer tab.Do(t, scripts(false))
	}
	if Eval(t, tab, `typeof axe`) == "undefined" {
		tab.Do(t, chromedp.Evaluate[chromedp.Void](axe))
	}
	var got struct {
		Passes int
		Faults []string
	}
	if err := json.Unmarshal([]byte(Get(t, tab, chromedp.Evaluate[string](call, chromedp.EvalAwaitPromise))), &got); err != nil {
		t.Fatal(err)
	}
	if got.Passes < least {
		t.Errorf("%s: only %d rules passed: did axe run?", name, got.Passes)
	}
	for _, fault := range got.Faults {
		t.Errorf("%s: %s", name, fault)
	}
}

// CheckTargets tells of whatever can be pressed and is smaller than 44 by 44
// CSS pixels in a window as wide as any of widths.
func (tab *Tab) CheckTargets(t testing.TB, widths ...int64) {
	t.Helper()
	const small = `[...document.querySelectorAll('a, button, summary, select, textarea, input:not([type=hidden])')].map(e => [e, e.getBoundingClientRect()])
		.filter(([e, r]) => e.checkVisibility() && (r.width < 44 || r.height < 44)).map(([e, r]) => e.outerHTML + ' ' + r.width + 'x' + r.height).join('\n')`
	for _, width := range widths {
		tab.Do(t, Viewport(width, 700, 1))
		if got := Eval(t, tab, small); got != "" {
			t.Errorf("at %d px: smaller than 44 px: %s", width, got)
		}
	}
}

// CheckReflow tells of horizontal scrolling at 320 CSS pixels (which is a 1280
// pixel window at 400 %), at 200 % zoom, with text alone at 200 %, and with the
// spacing that a reader may set (WCAG 2.2, 1.4.4, 1.4.10, 1.4.12). It leaves
// the page changed.
func (tab *Tab) CheckReflow(t testing.TB) {
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
		view   Action
		change string
	}{
		{"320 px", Viewport(320, 640, 1), ""},
		{"200 % zoom", Viewport(640, 450, 2), ""},
		{"200 % text at 640 px", Viewport(640, 900, 1), `document.documentElement.style.fontSize = '200%'`},
		{"320 px with wide text", Viewport(320, 640, 1), spacing},
	} {
		tab.Do(t, shape.view)
		if shape.change != "" {
			tab.Do(t, chromedp.Evaluate[chromedp.Void](shape.change))
		}
		tab.CheckFits(t, shape.name)
	}
}

// CheckFits tells of whatever is wider than the window or its own box. What
// scrolls by itself (overflow-x: auto) may be wider inside, and so may what is cut
// away for readers of the screen (clip-path: inset(50%)).
func (tab *Tab) CheckFits(t testing.TB, name string) {
	t.Helper()
	const overflow = `(() => {
		const scrolls = e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
		const inside = e => { for (let p = e.parentElement; p; p = p.parentElement) if (scrolls(p)) return true; return false };
		const wide = [...document.querySelectorAll('body *')].filter(e => {
			if (inside(e) || getComputedStyle(e).clipPath === 'inset(50%)' || e instanceof SVGElement && e.tagName !== 'svg') return false;
			const r = e.getBoundingClientRect();
			return r.right > document.documentElement.clientWidth + 1 || r.left < -1 ||
				e.scrollWidth > e.clientWidth + 1 && !scrolls(e) && getComputedStyle(e).display !== 'inline' && !(e instanceof SVGElement);
		}).map(e => e.tagName);
		if (document.documentElement.scrollWidth > document.documentElement.clientWidth) wide.push('page');
		return wide.join(' ');
	})()`
	if got := Eval(t, tab, overflow); got != "" {
		t.Errorf("%s: wider than the window: %s", name, got)
	}
}

// Press types keys: kb.Tab, kb.Enter, " ", or text.
func (tab *Tab) Press(t testing.TB, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := tab.do(chromedp.KeyEvent(k)); err != nil {
			t.Fatalf("press %q: %v", k, err)
		}
	}
}

// Focused returns the name of what has the focus: its aria-label, its text, or
// the text of its label.
func (tab *Tab) Focused(t testing.TB) string {
	t.Helper()
	return Eval(t, tab, `(() => {
		const e = document.activeElement;
		if (!e) return ''; // between two pages
		return (e.getAttribute('aria-label') || (e.labels?.length ? e.labels[0].innerText : e.innerText) || e.value || '').trim();
	})()`)
}

// TabTo presses Tab until the element with that name has the focus, and checks
// that a reader can see where the focus is: in view, with an outline of at
// least two pixels.
func (tab *Tab) TabTo(t testing.TB, name string) {
	t.Helper()
	tab.tabUntil(t, name, func() bool { return tab.Focused(t) == name })
}

// TabToElement is TabTo for the element that a CSS selector names.
func (tab *Tab) TabToElement(t testing.TB, selector string) {
	t.Helper()
	is := fmt.Sprintf(`document.activeElement?.matches(%q) ? 'yes' : ''`, selector)
	tab.tabUntil(t, selector, func() bool { return Eval(t, tab, is) == "yes" })
}

func (tab *Tab) tabUntil(t testing.TB, what string, there func() bool) {
	t.Helper()
	const most = 200
	for range most {
		tab.Press(t, kb.Tab)
		if there() {
			tab.CheckFocus(t)
			return
		}
	}
	t.Fatalf("the keyboard does not reach %s", what)
}

// CheckFocus tells when what has the focus is out of view or looks like the
// rest (WCAG 2.2, 2.4.7, 2.4.11).
func (tab *Tab) CheckFocus(t testing.TB) {
	t.Helper()
	// A window scrolls by whole pixels, so a part of one may hang over its edge.
	const look = `(() => {
		const e = document.activeElement, c = getComputedStyle(e), r = e.getBoundingClientRect();
		if (r.top <= -1 || r.bottom >= innerHeight + 1) return 'out of view';
		return c.outlineStyle === 'none' || parseFloat(c.outlineWidth) < 2 ? 'without an outline' : '';
	})()`
	if got := Eval(t, tab, look); got != "" {
		t.Errorf("%s: the focus is %s", fmt.Sprintf("%q", tab.Focused(t)), got)
	}
}
