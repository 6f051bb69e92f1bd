package templates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/strikeout/strikeout/recipient"
)

//go:embed pages/*.html assets/style.css
var files embed.FS

// Options say what an installation shows of itself. All of it is optional.
type Options struct {
	Sender     string // name of whoever sends the messages, in plain text
	HelpURL    string // https: or mailto:, linked from every page
	PrivacyURL string // https:, linked from every page
	Logo       []byte // PNG, JPEG, GIF or WebP, shown 40 pixels high beside the sender's name
	// BasePath stands before every path when a proxy serves the pages below one, such as "/mail".
	BasePath string
	// DefaultLanguage is used when nothing says which; empty is English.
	DefaultLanguage string
	// Folder is what an operator changes: texts, colours, whole pages (see
	// docs/pages.md). It wins over the options above; nil: nothing.
	Folder fs.FS
}

const (
	maxSenderBytes  = 120
	maxSendOutBytes = 64
	maxTypedBytes   = 254 // RFC 3696, erratum 1690
	maxLogoBytes    = 256 << 10
)

// Pages renders. It is safe for concurrent use.
type Pages struct {
	opts      Options
	languages *catalogue
	fallback  string // the default language
	pages     map[Page]*template.Template
	style     Asset
	logo      *Asset
	versions  map[string]string // by language
	unused    []string
	skeletons *skeletons // nil where pages are the operator's own: what they do with a value is theirs
}

// New checks the options, the operator's folder, and the embedded pages and
// texts. Its errors name the option, or the file and what is wrong with it.
func New(o Options) (*Pages, error) {
	texts, err := loadTexts()
	if err != nil {
		return nil, err
	}
	f, err := readFolder(o.Folder)
	if err == nil {
		err = texts.override(f.texts)
	}
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	o = f.apply(o)
	o.Sender = recipient.Clean(o.Sender, maxSenderBytes)
	for _, t := range texts.texts {
		t.sender = recipient.Clean(t.sender, maxSenderBytes)
	}
	p := &Pages{opts: o, languages: texts, fallback: reference}
	if o.DefaultLanguage != "" {
		tag, err := language.Parse(o.DefaultLanguage)
		if err != nil || texts.match(tag) == "" {
			return nil, fmt.Errorf("templates: default language: expected one of %s", strings.Join(texts.tags, ", "))
		}
		p.fallback = texts.match(tag)
	}
	if !plainPath(o.BasePath) || strings.HasSuffix(o.BasePath, "/") {
		return nil, errors.New(`templates: base path: expected a path such as "/mail"`)
	}
	for name, u := range map[string]string{"help URL": o.HelpURL, "privacy URL": o.PrivacyURL} {
		if !linkable(u) {
			return nil, fmt.Errorf("templates: %s: expected an https: or mailto: URL", name)
		}
	}
	if err := p.load(f); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return p, nil
}

// load parses the pages, hashes the assets, and judges what the operator
// changed.
func (p *Pages) load(f *folder) error {
	embedded, sources, err := parsePages(nil)
	if err != nil {
		return err
	}
	p.pages, p.skeletons = embedded, &skeletons{}
	if len(f.pages) > 0 {
		p.skeletons = nil
		if p.pages, sources, err = parsePages(f.pages); err != nil {
			return err
		}
	}
	css, err := files.ReadFile("assets/style.css")
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	p.style = newAsset(slices.Concat(css, []byte(f.settings.Colours.css()), f.css), ".css", "text/css; charset=utf-8")
	p.versions = map[string]string{}
	for _, tag := range p.languages.tags {
		t := p.languages.texts[tag]
		said, err := json.Marshal(t.byKey) // sorted by key
		if err != nil {
			return err //nolint:wrapcheck // texts do not fail
		}
		one := sha256.Sum256(slices.Concat(sources, []byte(p.sender(t)), []byte{0}, said))
		p.versions[tag] = hex.EncodeToString(one[:6])
	}
	if err := p.loadLogo(); err != nil || p.opts.Folder == nil {
		return err
	}
	p.unused, err = p.judge(f, embedded)
	return err
}

// pageFiles are the names of the embedded pages.
func pageFiles() ([]string, error) {
	entries, err := files.ReadDir("pages")
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err //nolint:wrapcheck // names the directory
}

// parsePages parses the embedded pages, or what stands in their place, and
// returns a hash of their sources. What a layout of the operator does not
// define is that of the embedded one.
func parsePages(own map[string]string) (pages map[Page]*template.Template, hash []byte, err error) {
	names, err := pageFiles()
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.New()
	source := func(name string) (string, error) {
		text, ok := own[name]
		if !ok {
			b, err := files.ReadFile("pages/" + name)
			if err != nil {
				return "", err //nolint:wrapcheck // names the file
			}
			text = string(b)
		}
		fmt.Fprintf(sum, "%d:%s", len(text), text)
		return text, nil
	}
	layout, err := template.ParseFS(files, "pages/"+layoutFile)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // names the file
	}
	text, err := source(layoutFile)
	if err != nil {
		return nil, nil, err
	}
	if own[layoutFile] != "" {
		if _, err := layout.New("pages/" + layoutFile).Parse(text); err != nil {
			return nil, nil, err //nolint:wrapcheck // names the file
		}
	}
	pages = map[Page]*template.Template{}
	for _, n := range names {
		if n == layoutFile {
			continue
		}
		if text, err = source(n); err != nil {
			return nil, nil, err
		}
		t, err := template.Must(layout.Clone()).New("pages/" + n).Parse(text)
		if err != nil {
			return nil, nil, err //nolint:wrapcheck // names the file
		}
		pages[Page(strings.TrimSuffix(n, ".html"))] = t
	}
	return pages, sum.Sum(nil), nil
}

// Unused returns the operator's texts that no page shows, such as those that
// speak of no sender where one is named.
func (p *Pages) Unused() []string { return p.unused }

// sender returns the sender's name in a language.
func (p *Pages) sender(t *texts) string {
	if t.sender != "" {
		return t.sender
	}
	return p.opts.Sender
}

// Version names what the pages say in a language: it changes when a text, the
// sender's name or a page's template does, and is the same in every process
// that shows the same.
func (p *Pages) Version(lang string) string {
	if v, ok := p.versions[lang]; ok {
		return v
	}
	return p.versions[p.fallback]
}

func (p *Pages) loadLogo() error {
	if len(p.opts.Logo) == 0 {
		return nil
	}
	// SVG is left out: opened by itself, it can run scripts.
	kinds := map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
	kind := http.DetectContentType(p.opts.Logo)
	if kinds[kind] == "" || len(p.opts.Logo) > maxLogoBytes {
		return errors.New("logo: expected a PNG, JPEG, GIF or WebP of at most 256 KiB")
	}
	a := newAsset(bytes.Clone(p.opts.Logo), kinds[kind], kind)
	p.logo = &a
	return nil
}

// Asset is a file that pages refer to. Its path changes with its content, so
// it may be cached for ever.
type Asset struct {
	Path        string // "/assets/HASH.css", without the base path
	ContentType string
	Body        []byte // not to be changed
}

func newAsset(body []byte, ext, contentType string) Asset {
	sum := sha256.Sum256(body)
	return Asset{"/assets/" + hex.EncodeToString(sum[:10]) + ext, contentType, body}
}

// Assets returns the files to serve: the stylesheet and, where one is
// configured, the logo.
func (p *Pages) Assets() []Asset {
	if p.logo != nil {
		return []Asset{p.style, *p.logo}
	}
	return []Asset{p.style}
}

// Stylesheet returns the pages' stylesheet and the path to serve it at.
func (p *Pages) Stylesheet() (path string, body []byte) { return p.style.Path, p.style.Body }

// CSP is the Content-Security-Policy of pages without a logo.
const CSP = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Headers returns the headers that every page must be served with. The link is
// in the URL, so the URL must not travel: not into a cache, not as a referrer,
// not into a search engine.
func (p *Pages) Headers() map[string]string {
	csp := CSP
	if p.logo != nil {
		csp += "; img-src 'self'"
	}
	return map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": csp,
		"Cache-Control":           "no-store",
		"Referrer-Policy":         "no-referrer",
		"X-Robots-Tag":            "noindex, nofollow",
		"X-Content-Type-Options":  "nosniff",
	}
}

// Render writes the whole HTML document of v in the language lang; a language
// that does not exist becomes the default one. Nothing is written on an error.
func (p *Pages) Render(w io.Writer, lang string, v View) error {
	if p.languages.texts[lang] == nil {
		lang = p.fallback
	}
	render := func(w io.Writer, v View) error { return p.render(w, p.pages, lang, v) }
	done := false
	var err error
	if p.skeletons != nil {
		done, err = p.skeletons.write(w, lang, v, render)
	}
	if !done {
		err = render(w, v)
	}
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	return nil
}

func (p *Pages) render(w io.Writer, from map[Page]*template.Template, lang string, v View) error {
	t := p.languages.texts[lang]
	name, c := v.page()
	if !plainPath(c.Path) {
		return fmt.Errorf("page %s: the link's path is not a path", name)
	}
	page := from[name]
	if page == nil {
		return fmt.Errorf("page %s has no file", name)
	}
	if !nonce.MatchString(c.Nonce) {
		c.Nonce = "" // nothing that we issued
	}
	c.SendOut = recipient.Clean(c.SendOut, maxSendOutBytes)
	d := &document{pages: p, t: t, common: c, Page: name, View: v}
	var b bytes.Buffer
	if err := page.Execute(&b, d); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	d.Main = template.HTML(b.String()) //nolint:gosec // what html/template has just written
	b.Reset()
	if err := page.ExecuteTemplate(&b, "layout", d); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	_, err := w.Write(b.Bytes())
	return err //nolint:wrapcheck // the writer's own
}

// Wording returns what a page, or an offer inside pages, says that its button
// means: "confirm" (also expired, confirm_key), "all" and "undo". It is kept
// as evidence of what a person agreed to. Any other page has none.
func (p *Pages) Wording(lang string, page Page) string {
	t := p.languages.texts[lang]
	if t == nil {
		t = p.languages.texts[p.fallback]
	}
	d := &document{pages: p, t: t}
	var sentence, button string
	switch page {
	case PageConfirm, PageExpired, PageConfirmKey:
		sentence, button = "confirm.explain", "confirm.button"
	case OfferAll:
		sentence, button = "all.explain", "all.button"
	case OfferUndo:
		sentence, button = "undo.consent", "undo.button"
	default:
		return ""
	}
	b, err := d.T(button)
	if err != nil {
		return ""
	}
	s, err := d.T(sentence, "button", b)
	if err != nil {
		return ""
	}
	return withoutIsolates(s)
}

// nonce is what a nonce may look like: Unavailable gets it as it was posted.
var nonce = regexp.MustCompile(`^[A-Za-z0-9_=-]{0,200}$`)

// version is what [Pages.Version] returns.
var version = regexp.MustCompile(`^[0-9a-f]{12}$`)

// plainPath reports whether a path stays on this site: "//host" would not.
func plainPath(s string) bool {
	return s == "" || s[0] == '/' && !strings.HasPrefix(s, "//") && !strings.ContainsAny(s, "\\?#\r\n\t")
}

func linkable(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" && u.Host != "" || u.Scheme == "mailto" && u.Opaque != "")
}
