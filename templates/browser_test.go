package templates

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
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
	for _, f := range samples() {
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

func (s *site) page(f sample, lang string) string {
	return fmt.Sprintf("%s/%s?lang=%s", s.URL, slug(f.name), lang)
}
