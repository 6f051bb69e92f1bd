package templates

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// site serves every fixture at /FIXTURE as handlers do, and remembers what was
// asked of it.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	posts []string
}

func newSite(t *testing.T, p *Pages) *site {
	t.Helper()
	views := map[string]View{}
	for _, f := range fixtures(t) {
		views[slug(f.name)] = f.view
	}
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, a := range p.Assets() {
			if r.URL.Path == a.Path {
				w.Header().Set("Content-Type", a.ContentType)
				w.Write(a.Body) //nolint:errcheck // the browser went away
				return
			}
		}
		v, ok := views[strings.TrimPrefix(r.URL.Path, "/")]
		if r.Method == http.MethodPost {
			body := r.FormValue("via") + " all=" + r.FormValue("all") + " address=" + r.FormValue("address")
			s.mu.Lock()
			s.posts = append(s.posts, r.URL.Path+" "+body)
			s.mu.Unlock()
			v, ok = views["done"], true
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		for k, val := range p.Headers() {
			w.Header().Set(k, val)
		}
		if err := p.Render(w, p.Pick("", r.URL.Query().Get("lang"), ""), v); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) lastPost() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) == 0 {
		return ""
	}
	return s.posts[len(s.posts)-1]
}

func slug(name string) string { return strings.ReplaceAll(name, " ", "-") }

// newBrowser starts Chromium. It fails the test where there is none, because a
// page that nobody has looked at is not tested.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	exe := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			exe = p
			break
		}
	}
	if exe == "" {
		t.Fatal("there is no Chromium on PATH: install it (Debian: apt-get install chromium) or run `make test`, which does")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(exe),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	// The browser must be gone before its directory is removed.
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("stop Chromium: %v", err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// tab opens a new tab with a deadline.
func tab(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// viewport sets the window in CSS pixels; scale is the zoom.
func viewport(width, height int64, scale float64) chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale))
}

func scheme(dark bool) chromedp.Action[chromedp.Void] {
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

func withoutScripts() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

// requests collects the URLs that the tab asks for.
func requests(t *testing.T, ctx context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var urls []string
	err := chromedp.Listen(ctx, func(ev any) {
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

func (s *site) page(f fixture, lang string) string {
	return fmt.Sprintf("%s/%s?lang=%s", s.URL, slug(f.name), lang)
}
