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
}

// New checks the options and the embedded pages and texts. Its errors name the
// option, or the text and its language.
func New(o Options) (*Pages, error) {
	texts, err := loadTexts()
	if err != nil {
		return nil, err
	}
	o.Sender = recipient.Clean(o.Sender, maxSenderBytes)
	p := &Pages{opts: o, languages: texts, fallback: reference, pages: map[Page]*template.Template{}}
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
	if err := p.load(); err != nil {
		return nil, err
	}
	return p, nil
}

// load parses the pages and hashes the assets.
func (p *Pages) load() error {
	layout, err := template.ParseFS(files, "pages/layout.html")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	names, err := files.ReadDir("pages")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	sum := sha256.New()
	for _, n := range names {
		text, err := files.ReadFile("pages/" + n.Name())
		if err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		fmt.Fprintf(sum, "%d:%s", len(text), text)
		if n.Name() == "layout.html" {
			continue
		}
		t, err := template.Must(layout.Clone()).New("main").Parse(string(text))
		if err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		p.pages[Page(strings.TrimSuffix(n.Name(), ".html"))] = t
	}
	css, err := files.ReadFile("assets/style.css")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	p.style = newAsset(css, ".css", "text/css; charset=utf-8")
	p.versions = map[string]string{}
	for _, tag := range p.languages.tags {
		said, err := json.Marshal(p.languages.texts[tag].byKey) // sorted by key
		if err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		one := sha256.Sum256(slices.Concat(sum.Sum(nil), []byte(p.opts.Sender), []byte{0}, said))
		p.versions[tag] = hex.EncodeToString(one[:6])
	}
	return p.loadLogo()
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
		return errors.New("templates: logo: expected a PNG, JPEG, GIF or WebP of at most 256 KiB")
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
	t := p.languages.texts[lang]
	if t == nil {
		t = p.languages.texts[p.fallback]
	}
	name, c := v.page()
	if !plainPath(c.Path) {
		return fmt.Errorf("templates: page %s: the link's path is not a path", name)
	}
	page := p.pages[name]
	if page == nil {
		return fmt.Errorf("templates: page %s has no file", name)
	}
	if !nonce.MatchString(c.Nonce) {
		c.Nonce = "" // nothing that we issued
	}
	c.SendOut = recipient.Clean(c.SendOut, maxSendOutBytes)
	d := &document{pages: p, t: t, common: c, Page: name, View: v}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "main", d); err != nil {
		return fmt.Errorf("templates: page %s: %w", name, err)
	}
	d.Main = template.HTML(b.String()) //nolint:gosec // what html/template has just written
	b.Reset()
	if err := page.ExecuteTemplate(&b, "layout", d); err != nil {
		return fmt.Errorf("templates: page %s: %w", name, err)
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
