package templates

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/strikeout/strikeout/recipient"
)

// TestPagesAreValid renders every page in every language, with and without a
// sender, and checks the document's structure.
func TestPagesAreValid(t *testing.T) {
	for _, o := range []Options{shop, {}, {Sender: "חנות", BasePath: "/mail"}} {
		p := newPages(t, o)
		for _, lang := range p.Languages() {
			for _, f := range samples() {
				doc := render(t, p, lang, f.view)
				for _, fault := range checkDocument(t, doc, lang) {
					t.Errorf("sender %q, %s in %s: %s", o.Sender, f.name, lang, fault)
				}
			}
		}
	}
}

// checkDocument returns what is wrong with an HTML document.
func checkDocument(t *testing.T, doc, lang string) []string {
	t.Helper()
	var faults []string
	fault := func(s string) { faults = append(faults, s) }
	if !strings.HasPrefix(doc, "<!DOCTYPE html>") {
		fault("no doctype")
	}
	if strings.Contains(doc, "ZgotmplZ") {
		fault("a value was refused by html/template")
	}
	faults = append(faults, checkNesting(doc)...)
	root, err := html.Parse(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	ids := map[string]bool{}
	var refs, controls []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && strings.ContainsAny(n.Data, "{}") {
			fault("a placeholder was left: " + n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				if ids[a.Val] {
					fault("two elements have the id " + a.Val)
				}
				ids[a.Val] = true
			case "for", "aria-labelledby", "aria-describedby":
				refs = append(refs, strings.Fields(a.Val)...)
			case "style":
				fault("an inline style, which the policy forbids")
			}
			if strings.HasPrefix(a.Key, "on") {
				fault("an event handler: " + a.Key)
			}
		}
		switch n.DataAtom {
		case atom.Html:
			if attribute(n, "lang") != lang || attribute(n, "dir") != map[bool]string{true: "rtl", false: "ltr"}[lang == "ar"] {
				fault("lang or dir of the document: " + attribute(n, "lang") + " " + attribute(n, "dir"))
			}
		case atom.Form:
			if attribute(n, "method") != "post" {
				fault("a form that does not post")
			}
		case atom.Input:
			if attribute(n, "type") != "hidden" {
				controls = append(controls, attribute(n, "id"))
			}
		case atom.Button, atom.A, atom.Title, atom.H1, atom.H2, atom.Label:
			if strings.TrimSpace(text(n)) == "" {
				fault("an empty <" + n.Data + ">")
			}
		}
	}
	for _, r := range refs {
		if !ids[r] {
			fault("a reference to the id " + r + ", which nothing has")
		}
	}
	labelled := map[string]bool{}
	for n := range root.Descendants() {
		if n.DataAtom == atom.Label {
			labelled[attribute(n, "for")] = true
		}
	}
	for _, id := range controls {
		if id == "" || !labelled[id] {
			fault("an input without a label")
		}
	}
	for tag, want := range map[string]int{"h1": 1, "title": 1, "main": 1, "script": 0, "iframe": 0, "img": 0} {
		if count[tag] != want {
			fault("wrong number of <" + tag + ">")
		}
	}
	return faults
}

// voids have no end tag.
var voids = map[string]bool{"meta": true, "link": true, "input": true, "img": true, "br": true}

// checkNesting finds tags that are not closed, or closed in the wrong order:
// the parser repairs those silently.
func checkNesting(doc string) []string {
	var open, faults []string
	z := html.NewTokenizer(strings.NewReader(doc))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				faults = append(faults, "not closed: "+strings.Join(open, " "))
			}
			return faults
		case html.StartTagToken:
			name, _ := z.TagName()
			if !voids[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return append(faults, "closed out of order: "+string(name)+" after "+strings.Join(open, " "))
			}
			open = open[:len(open)-1]
		}
	}
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// TestForms states what every page asks the server for.
func TestForms(t *testing.T) {
	const q = "?lang=en"
	link := linkPath + q
	p := newPages(t, shop)
	tests := []struct {
		view View
		want []string // action, then fields
	}{
		{Confirm{Link: Link{Path: linkPath}}, []string{link + " via=form words"}},
		{Confirm{Link: Link{Path: linkPath}, Others: true}, []string{link + " via=form words", link + " via=form words all=1"}},
		{Expired{Link: Link{Path: linkPath}, Nonce: "N", Others: true}, []string{link + " via=form words nonce=N", link + " via=form words all=1 nonce=N"}},
		{ConfirmKey{Link: Link{Path: linkPath}, Nonce: "N", Others: true}, []string{link + " via=form words nonce=N", link + " via=form words all=1 nonce=N"}},
		{Done{Link: Link{Path: linkPath}}, nil},
		{Done{Link: Link{Path: linkPath}, CanUndo: true, Others: true}, []string{linkPath + "/undo" + q + " via=form words", link + " via=form words all=1"}},
		{Already{Link: Link{Path: linkPath}, CanUndo: true, Others: true}, []string{linkPath + "/undo" + q + " via=form words", link + " via=form words all=1"}},
		{EverythingStopped{Link: Link{Path: linkPath}, CanUndo: true}, []string{linkPath + "/undo" + q + " via=form words"}},
		{EverythingStopped{Link: Link{Path: linkPath}}, nil},
		{Undone{Link: Link{Path: linkPath}}, []string{link + " via=form words"}},
		{UndoRefused{Link: Link{Path: linkPath}}, nil},
		{BadLink{}, []string{q + " via=form address="}},
		{BadLink{Path: "/u/x"}, []string{"/u/x" + q + " via=form address="}},
		{Requested{}, nil},
		{Pending{Link{Path: linkPath}}, nil},
		{Preview{Link: Link{Path: linkPath}}, []string{link + " via=form words"}},
		{Preview{Link: Link{Path: linkPath}, Pressed: true}, nil},
		{Unavailable{}, nil},
		{Unavailable{Address: "a@example.com"}, []string{q + " via=form address=a@example.com"}},
		{Unavailable{Path: linkPath, All: true, Nonce: "N"}, []string{link + " via=form all=1 nonce=N"}},
		{Unavailable{Path: linkPath, Words: p.Version("en")}, []string{link + " via=form words"}},
		{Unavailable{Path: linkPath, Words: `"><b>`}, []string{link + " via=form"}},
		{Unavailable{Path: linkPath, Undo: true}, []string{linkPath + "/undo" + q + " via=form"}},
	}
	for _, tt := range tests {
		root, err := html.Parse(strings.NewReader(render(t, p, "en", tt.view)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for n := range root.Descendants() {
			if n.DataAtom != atom.Form {
				continue
			}
			form := attribute(n, "action")
			for d := range n.Descendants() {
				switch {
				case d.DataAtom == atom.Input && attribute(d, "name") == "words" && attribute(d, "value") == p.Version("en"):
					form += " words"
				case d.DataAtom == atom.Input:
					form += " " + attribute(d, "name") + "=" + attribute(d, "value")
				}
			}
			got = append(got, form)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%T: forms (-want +got):\n%s", tt.view, diff)
		}
	}
}

// TestHostileStrings puts markup and bidirectional overrides wherever a string
// from outside can stand.
func TestHostileStrings(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>` + "\u202e\u2066\x00\x07" + `' {sender} {{.}}`
	p := newPages(t, Options{Sender: evil})
	l := Link{Path: `/u/"><script>alert(1)</script>`, Channel: recipient.Email, SendOut: evil,
		Address: Mask(recipient.Stored(recipient.Email, `"<b>@<i>.fi`))}
	views := []View{Confirm{Link: l, Others: true}, ConfirmKey{Link: l, Nonce: evil}, Done{Link: l, CanUndo: true, Others: true}, UndoRefused{l, evil},
		BadLink{Path: l.Path}, Unavailable{Path: l.Path, Nonce: evil}, Unavailable{Address: evil}}
	for _, v := range views {
		doc := render(t, p, "en", v)
		if strings.ContainsAny(doc, "\u202e\x00\x07") {
			t.Errorf("%T: a control or bidirectional character got through", v)
		}
		root, err := html.Parse(strings.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img" || n.Data == "b" || n.Data == "i") {
				t.Errorf("%T: a string became the element <%s>", v, n.Data)
			}
		}
	}
}

func TestRenderRefusesForeignPaths(t *testing.T) {
	p := newPages(t, shop)
	for _, path := range []string{"//evil.example/u/x", "https://evil.example", "u/x", `/\evil.example`, "/u/x?y", "/u/x#y", "/u/x\ny"} {
		var b bytes.Buffer
		err := p.Render(&b, "en", Confirm{Link: Link{Path: path}})
		if err == nil || b.Len() > 0 {
			t.Errorf("path %q: got %d bytes and error %v, want none and an error", path, b.Len(), err)
		} else if strings.Contains(err.Error(), path) {
			t.Errorf("the error shows the path: %v", err)
		}
	}
}

func TestUnknownAddress(t *testing.T) {
	p := newPages(t, shop)
	doc := render(t, p, "en", Confirm{Link: Link{Path: linkPath, Channel: recipient.Email}})
	if want := "the address this message was sent to"; !strings.Contains(doc, want) {
		t.Errorf("the page does not say %q", want)
	}
	doc = render(t, p, "en", Confirm{Link: Link{Path: linkPath, Address: Mask(address(t, recipient.Email, "maija.meikalainen@example.fi"))}})
	if !strings.Contains(doc, "m•••@e•••.fi") || strings.Contains(doc, "meikalainen") {
		t.Error("the page does not mask the address")
	}
}

// TestWording checks that what is kept as evidence stands on the page, word
// for word.
func TestWording(t *testing.T) {
	tests := []struct {
		page Page
		view View
	}{
		{PageConfirm, Confirm{Link: Link{Path: linkPath}}},
		{PageExpired, Expired{Link: Link{Path: linkPath}}},
		{PageConfirmKey, ConfirmKey{Link: Link{Path: linkPath}}},
		{OfferAll, Confirm{Link: Link{Path: linkPath}, Others: true}},
		{OfferUndo, Done{Link: Link{Path: linkPath}, CanUndo: true}},
	}
	for _, o := range []Options{shop, {}} {
		p := newPages(t, o)
		for _, lang := range p.Languages() {
			for _, tt := range tests {
				got := p.Wording(lang, tt.page)
				root, err := html.Parse(strings.NewReader(render(t, p, lang, tt.view)))
				if err != nil {
					t.Fatal(err)
				}
				shown := strings.NewReplacer(firstStrongIsolate, "", popIsolate, "").Replace(text(root))
				if len(got) < 20 || !strings.Contains(shown, got) {
					t.Errorf("%s in %s: the page does not say %q", tt.page, lang, got)
				}
			}
		}
	}
	p := newPages(t, shop)
	if got, want := p.Wording("en", OfferUndo), "By pressing “Undo” I agree that Example Oy may send me these messages again."; got != want {
		t.Errorf("undo: got %q, want %q", got, want)
	}
	if got := p.Wording("en", PagePreview); got != "" {
		t.Errorf("a page without a button: got %q, want none", got)
	}
	if got, want := p.Wording("xx", PageConfirm), p.Wording("en", PageConfirm); got != want {
		t.Errorf("unknown language: got %q, want the default's %q", got, want)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]Options{
		"default language":           {DefaultLanguage: "ja"},
		"malformed default language": {DefaultLanguage: "!"},
		"help URL":                   {HelpURL: "javascript:alert(1)"},
		"privacy URL":                {PrivacyURL: "http://example.com"},
		"base path":                  {BasePath: "mail"},
		"base path with a slash":     {BasePath: "/mail/"},
		"base path to elsewhere":     {BasePath: "//evil.example"},
		"logo":                       {Logo: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
		"large logo":                 {Logo: append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, maxLogoBytes)...)},
	}
	for name, o := range tests {
		if _, err := New(o); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestAssetsAndHeaders(t *testing.T) {
	p := newPages(t, Options{Sender: "Shop", BasePath: "/mail"})
	path, css := p.Stylesheet()
	if !strings.HasPrefix(path, "/assets/") || !strings.HasSuffix(path, ".css") || len(css) == 0 {
		t.Errorf("stylesheet: got %q with %d bytes", path, len(css))
	}
	for _, bad := range []string{"url(", "@import", "http:", "https:"} {
		if bytes.Contains(css, []byte(bad)) {
			t.Errorf("the stylesheet fetches something: %s", bad)
		}
	}
	doc := render(t, p, "en", Confirm{Link: Link{Path: linkPath}})
	for _, want := range []string{`href="/mail` + path + `"`, `action="/mail` + linkPath + `?lang=en"`} {
		if !strings.Contains(doc, want) {
			t.Errorf("below a base path: the page has no %s", want)
		}
	}
	want := map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"Cache-Control":           "no-store",
		"Referrer-Policy":         "no-referrer",
		"X-Robots-Tag":            "noindex, nofollow",
		"X-Content-Type-Options":  "nosniff",
	}
	if diff := cmp.Diff(want, p.Headers()); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestLogo(t *testing.T) {
	p := newPages(t, Options{Sender: "Shop", Logo: []byte("\x89PNG\r\n\x1a\n and so on")})
	assets := p.Assets()
	if len(assets) != 2 || assets[1].ContentType != "image/png" {
		t.Fatalf("assets: got %d, want the stylesheet and a PNG", len(assets))
	}
	if doc := render(t, p, "en", Preview{}); !strings.Contains(doc, `<img src="`+assets[1].Path+`" alt=""`) {
		t.Error("the page does not show the logo")
	}
	if got := p.Headers()["Content-Security-Policy"]; !strings.HasSuffix(got, "; img-src 'self'") {
		t.Errorf("policy: got %q, want it to allow own images", got)
	}
}

func BenchmarkRender(b *testing.B) {
	p := newPages(b, shop)
	v := Confirm{Link: Link{Path: linkPath, Channel: recipient.Email, Address: Mask(address(b, recipient.Email, "maija@example.fi"))}}
	var w bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		w.Reset()
		if err := p.Render(&w, "fi", v); err != nil {
			b.Fatal(err)
		}
	}
}

// TestVersion: the version follows what the pages say, and nothing else.
func TestVersion(t *testing.T) {
	p := newPages(t, shop)
	seen := map[string]string{}
	for _, lang := range p.Languages() {
		v := p.Version(lang)
		if len(v) != 12 || seen[v] != "" {
			t.Errorf("%s: got %q, as %q has; want 12 digits of its own", lang, v, seen[v])
		}
		seen[v] = lang
	}
	help := shop
	help.HelpURL, help.DefaultLanguage = "https://example.com/help", "sv"
	if got, want := newPages(t, help).Version("fi"), p.Version("fi"); got != want {
		t.Errorf("with the same words: got %q, want %q", got, want)
	}
	if got := newPages(t, Options{Sender: "Another"}).Version("fi"); got == p.Version("fi") {
		t.Error("another sender, the same version")
	}
	if got, want := p.Version("xx"), p.Version("en"); got != want {
		t.Errorf("a language that does not exist: got %q, want that of the default, %q", got, want)
	}
}
