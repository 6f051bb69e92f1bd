package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// view is what one page shows: a struct of its own for every page, which the
// template sees as .V.
type view interface {
	page() string // the file in pages
	title() string
}

// frame is what a template sees.
type frame struct {
	V     view
	Title string
	User  User
	Flash string
	Nav   []navLink
	Lang  string
}

type navLink struct {
	Name, Path string
	Current    bool
}

// pages are the parsed templates and the assets.
type pages struct {
	byName map[string]*template.Template
	assets map[string]asset // by the name in the URL, which changes with the content
}

type asset struct {
	contentType string
	body        []byte
}

func newPages(at func(string) string) (*pages, error) {
	p := &pages{byName: map[string]*template.Template{}, assets: map[string]asset{}}
	urls := map[string]string{}
	files, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	for _, f := range files {
		body, err := assetFiles.ReadFile("assets/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("read an asset: %w", err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		name := strings.TrimSuffix(f.Name(), ext) + "-" + hex.EncodeToString(sum[:6]) + ext
		p.assets[name] = asset{contentType: mime.TypeByExtension(ext), body: body}
		urls[f.Name()] = at("/admin/assets/" + name)
	}
	funcs := template.FuncMap{
		"at":      at,
		"asset":   func(name string) string { return urls[name] },
		"clean":   func(s string) string { return recipient.Clean(s, recipient.MaxDetailBytes) },
		"when":    when,
		"stamp":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"dict":    dict,
		"grouped": grouped,
		"count":   count,
	}
	layout, err := template.New("layout.html").Funcs(funcs).ParseFS(pageFiles, "pages/layout.html", "pages/part_*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the layout: %w", err)
	}
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list the pages: %w", err)
	}
	for _, name := range names {
		base := path.Base(name)
		if base == "layout.html" || strings.HasPrefix(base, "part_") {
			continue
		}
		t, err := template.Must(layout.Clone()).ParseFS(pageFiles, name)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", base, err)
		}
		p.byName[base] = t
	}
	return p, nil
}

// dict lets a page hand several values to a template: names and values in turn.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a value is missing")
	}
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict: a name is no text")
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// when writes a time for people; zero is "never".
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2 Jan 2006 15:04") + " UTC"
}

// maxTitleBytes bounds a page's title, which may be what another system calls
// somebody.
const maxTitleBytes = 255

// render writes a page.
func (s *Server) render(c *Ctx, status int, v view) error {
	t, ok := s.pages.byName[v.page()]
	if !ok {
		return fmt.Errorf("there is no page %s", v.page())
	}
	f := frame{V: v, Title: recipient.Clean(v.title(), maxTitleBytes), User: c.User, Lang: c.Lang}
	for _, e := range navigation {
		if c.User.Can(e.role) && s.served(e.path) {
			f.Nav = append(f.Nav, navLink{Name: e.name, Path: s.at(e.path), Current: c.row.nav == e.name})
		}
	}
	// A page that failed leaves the message for the next one.
	if c.session.Flash != "" && status < http.StatusBadRequest {
		f.Flash = c.session.Flash
		if err := s.cfg.Store.SetFlash(c.Std, c.session.Hash, ""); err != nil {
			c.Log.Warn("cannot take a message away", "err", err)
		}
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		return fmt.Errorf("render %s: %w", v.page(), err)
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.Set(fiber.HeaderContentLanguage, c.Lang)
	c.Status(status)
	c.Context().Response.SetBodyRaw(b.Bytes())
	return nil
}

// served reports whether a page has a row.
func (s *Server) served(path string) bool {
	for _, r := range s.table {
		if r.method == get && r.path == path {
			return true
		}
	}
	return false
}

// asset serves what pages refer to.
func (s *Server) asset(c *Ctx) error {
	a, ok := s.pages.assets[c.Param("name")]
	if !ok {
		return errNotFound
	}
	c.Set(fiber.HeaderContentType, a.contentType)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Status(http.StatusOK)
	c.Context().Response.SetBody(a.body)
	return nil
}
