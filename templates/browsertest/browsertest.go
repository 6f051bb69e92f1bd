// Package browsertest looks at pages in a real Chromium: how they fit, whether
// axe-core finds fault with them, what the keyboard reaches, what they ask the
// network for. It is for tests only, of every package that has pages.
//
//	browser := browsertest.Start(t) // once for a test and all its subtests
//	tab := browser.Tab(t)
//	tab.Open(t, url, browsertest.Viewport(320, 640, 1))
//	tab.CheckAxe(t, "light")
//	tab.CheckFits(t, "320 px")
//
// A check that fails reports an error and goes on; a browser that does not do
// what it is told ends the test.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Action is a step in a tab, one of this package's or of chromedp's.
type Action = chromedp.Action[chromedp.Void]

// tabTime is how long a tab may live: long enough for a walk on a busy machine.
const tabTime = 20 * time.Minute

// Browser is a running Chromium with a profile of its own, which chromedp makes
// and removes: it knows when the last of Chromium's processes is gone.
type Browser struct{ ctx context.Context }

// Start starts Chromium, which ends with the test. It fails the test where
// there is none, because a page that nobody has looked at is not tested.
func Start(t testing.TB) *Browser {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(find(t)),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("stop Chromium: %v", err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &Browser{ctx}
}

func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	t.Fatal("there is no Chromium on PATH: install it (Debian: apt-get install chromium) or run `make test`, which does")
	return ""
}

// Tab is one tab. It may be used by the subtests of the test that opened it,
// one after the other.
type Tab struct {
	ctx        context.Context
	scriptsOff bool
}

// Tab opens a tab, which closes with the test.
func (b *Browser) Tab(t testing.TB) *Tab {
	t.Helper()
	return b.open(t)
}

// Stranger opens a tab that shares no cookies with the others: a second browser.
func (b *Browser) Stranger(t testing.TB) *Tab {
	t.Helper()
	return b.open(t, chromedp.WithNewBrowserContext())
}

func (b *Browser) open(t testing.TB, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, options...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, tabTime)
	t.Cleanup(cancel)
	return &Tab{ctx: ctx}
}

// stepTime is how long a step may take; longer is a page that never comes.
const stepTime = 5 * time.Minute

// Do takes steps.
func (tab *Tab) Do(t testing.TB, steps ...Action) {
	t.Helper()
	if err := tab.do(steps...); err != nil {
		t.Fatal(err)
	}
}

func (tab *Tab) do(steps ...Action) error {
	ctx, cancel := context.WithTimeout(tab.ctx, stepTime)
	defer cancel()
	return chromedp.Do(ctx, steps...) //nolint:wrapcheck // a test says where
}

// Get takes a step that returns something, such as chromedp.Title().
func Get[T any](t testing.TB, tab *Tab, a chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, stepTime)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Open loads a page, after what is to be set before.
func (tab *Tab) Open(t testing.TB, url string, before ...Action) {
	t.Helper()
	tab.Do(t, append(before, chromedp.Navigate(url))...)
}

// Wait waits until an element that the CSS selector names can be seen, and its
// page is there to the end.
func (tab *Tab) Wait(t testing.TB, selector string) {
	t.Helper()
	if err := tab.do(chromedp.WaitVisible(chromedp.CSS(selector))); err != nil {
		t.Fatalf("wait for %s: %v", selector, err)
	}
	tab.loaded(t, `document.readyState === 'complete'`)
}

// loaded waits until a condition holds, whatever page comes meanwhile.
func (tab *Tab) loaded(t testing.TB, condition string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, stepTime)
	defer cancel()
	for {
		// Between two pages there is nothing to ask, which is an error.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		if ok && err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("wait for a page: %v", errors.Join(err, ctx.Err()))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Leave does what makes the browser go to another page, and waits until that is
// there to the end. What it leaves may look the same.
func (tab *Tab) Leave(t testing.TB, leave func()) {
	t.Helper()
	tab.Do(t, chromedp.Evaluate[chromedp.Void](`document.documentElement.dataset.left = ''`))
	leave()
	tab.loaded(t, `document.readyState === 'complete' && !('left' in document.documentElement.dataset)`)
}

// Click presses the element that the CSS selector names.
func (tab *Tab) Click(t testing.TB, selector string) {
	t.Helper()
	if err := tab.do(chromedp.Click(chromedp.CSS(selector))); err != nil {
		t.Fatalf("click %s: %v", selector, err)
	}
}

// Fill puts text into the field that the CSS selector names, in place of what
// stands there.
func (tab *Tab) Fill(t testing.TB, selector, text string) {
	t.Helper()
	if err := tab.do(chromedp.SetValue(chromedp.CSS(selector), text)); err != nil {
		t.Fatalf("fill %s: %v", selector, err)
	}
}

// Text returns what the element that the CSS selector names shows.
func (tab *Tab) Text(t testing.TB, selector string) string {
	t.Helper()
	return Eval(t, tab, fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? '').trim()`, selector))
}

// Style returns the computed value of one CSS property of the element that the
// selector names. It works with scripts off.
func (tab *Tab) Style(t testing.TB, selector, property string) string {
	t.Helper()
	for _, c := range Get(t, tab, chromedp.ComputedStyle(chromedp.CSS(selector))) {
		if c.Name == property {
			return c.Value
		}
	}
	return ""
}

// Eval evaluates an expression of type string in the page.
func Eval(t testing.TB, tab *Tab, expression string) string {
	t.Helper()
	return Get(t, tab, chromedp.Evaluate[string](expression))
}

// Screenshot returns what the viewport shows, as PNG.
func (tab *Tab) Screenshot(t testing.TB) []byte {
	t.Helper()
	return Get(t, tab, chromedp.CaptureScreenshot())
}

// Viewport sets the window in CSS pixels; scale is the zoom, so that a window
// of 1280 pixels at 200 % is Viewport(640, 450, 2).
func Viewport(width, height int64, scale float64) Action {
	return chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale))
}

// Scheme sets the colours that the reader prefers.
func Scheme(dark bool) Action {
	v := "light"
	if dark {
		v = "dark"
	}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v}}})
		return err
	})
}

// Print shows the page as it is printed.
func Print() Action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	})
}

// WithoutScripts makes the tab run no script of any page that it loads from now
// on. The checks still work.
func (tab *Tab) WithoutScripts(t testing.TB) {
	t.Helper()
	tab.scriptsOff = true
	tab.Do(t, scripts(false))
}

func scripts(run bool) Action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
		return err
	})
}

// Requests collects the URLs that the tab asks for from now on.
func (tab *Tab) Requests(t testing.TB) func() []string {
	t.Helper()
	var mu sync.Mutex
	var urls []string
	err := chromedp.Listen(tab.ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			urls = append(urls, e.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), urls...)
	}
}
