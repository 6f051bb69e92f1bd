package templates

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// judge renders every page as visitors meet it, in the languages that an
// operator's folder touches, and compares the operator's own pages with the
// embedded ones: they may look like anything, but they must show whom they are
// about, say what their buttons mean, send what those send, and work under the
// pages' policy. It returns texts that no page shows.
func (p *Pages) judge(f *folder, embedded map[Page]*template.Template) (unused []string, err error) {
	langs := []string{p.fallback} // a page that fails, fails in every language
	for _, tag := range slices.Sorted(maps.Keys(f.texts)) {
		if tag != p.fallback {
			langs = append(langs, tag)
		}
	}
	for _, lang := range langs {
		t := p.languages.texts[lang]
		seen := map[string]bool{"language.name": true}
		for _, s := range samples() {
			var doc bytes.Buffer
			t.used = func(key string) { seen[key] = true }
			err := p.render(&doc, p.pages, lang, s.view)
			t.used = nil
			if err == nil && len(f.pages) > 0 {
				err = p.compare(doc.Bytes(), lang, s, embedded)
			}
			if err != nil {
				return nil, err
			}
		}
		for _, key := range slices.Sorted(maps.Keys(f.texts[lang])) {
			if key != senderKey && !seen[key] {
				unused = append(unused, "texts/"+lang+".json: no page shows "+key)
			}
		}
	}
	return unused, nil
}

// compare looks for what an operator's page lacks that the embedded one has.
func (p *Pages) compare(doc []byte, lang string, s sample, embedded map[Page]*template.Template) error {
	name, c := s.view.page()
	var want bytes.Buffer
	if err := p.render(&want, embedded, lang, s.view); err != nil {
		return err
	}
	theirs, err := examine(doc)
	if err != nil {
		return fmt.Errorf("pages/%s.html: %w", name, err)
	}
	ours, err := examine(want.Bytes())
	if err != nil {
		return fmt.Errorf("pages/%s.html: %w", name, err)
	}
	faults := theirs.faults
	if theirs.lang != ours.lang || theirs.dir != ours.dir {
		faults = append(faults, `<html> needs lang="{{.Lang}}" and dir="{{.Dir}}"`)
	}
	if theirs.title == "" {
		faults = append(faults, "<title> is missing or empty")
	}
	for _, form := range ours.forms {
		if !slices.Contains(theirs.forms, form) {
			faults = append(faults, "a form is missing: "+form)
		}
	}
	for _, form := range theirs.forms {
		if !slices.Contains(ours.forms, form) {
			faults = append(faults, "a form that the page must not have, or not like this: "+form)
		}
	}
	for _, words := range p.wordings(lang) {
		if strings.Contains(ours.text, words) && !strings.Contains(theirs.text, words) {
			faults = append(faults, fmt.Sprintf("the page must say, word for word, what its button means: %q", words))
		}
	}
	asks := name == PageConfirm || name == PageExpired || name == PageConfirmKey
	if asks && !strings.Contains(theirs.text, c.Address.text) {
		faults = append(faults, "the page must show the masked address: {{.Masked}}")
	}
	for _, path := range theirs.fetched {
		if !slices.Contains(p.own(), path) {
			faults = append(faults, "the pages' policy stops everything but the stylesheet and the logo, so something would be missing: "+path)
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("pages/%s.html (%s): %s", name, s.name, strings.Join(faults, "; "))
	}
	return nil
}

// wordings are what the evidence of a click may quote.
func (p *Pages) wordings(lang string) []string {
	return []string{p.Wording(lang, PageConfirm), p.Wording(lang, OfferAll), p.Wording(lang, OfferUndo)}
}

// own are the files that a page may ask for.
func (p *Pages) own() []string {
	paths := []string{p.opts.BasePath + p.style.Path}
	if p.logo != nil {
		paths = append(paths, p.opts.BasePath+p.logo.Path)
	}
	return paths
}

// examined is what matters of a page, however it looks.
type examined struct {
	lang, dir, title, text string
	forms                  []string // method, action and fields
	fetched                []string
	faults                 []string
}

func examine(doc []byte) (examined, error) {
	var e examined
	root, err := html.Parse(bytes.NewReader(doc))
	if err != nil {
		return e, err //nolint:wrapcheck // the caller names the page
	}
	if bytes.Contains(doc, []byte("ZgotmplZ")) {
		e.faults = append(e.faults, "a value stands where it would not be safe (html/template wrote ZgotmplZ)")
	}
	var words strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			words.WriteString(n.Data)
		}
		if n.Type == html.ElementNode {
			e.element(n)
		}
	}
	e.text = withoutIsolates(words.String())
	slices.Sort(e.forms)
	return e, nil
}

func (e *examined) element(n *html.Node) {
	switch n.DataAtom {
	case atom.Html:
		e.lang, e.dir = attribute(n, "lang"), attribute(n, "dir")
	case atom.Title:
		if n.Parent.DataAtom == atom.Head && n.FirstChild != nil {
			e.title = strings.TrimSpace(n.FirstChild.Data)
		}
	case atom.Form:
		e.forms = append(e.forms, describeForm(n))
	case atom.Script, atom.Style, atom.Iframe, atom.Object, atom.Embed, atom.Base:
		e.faults = append(e.faults, "the pages' policy forbids <"+n.Data+">")
	case atom.Link, atom.Image:
		if href := attribute(n, "href"); href != "" {
			e.fetched = append(e.fetched, href)
		}
	}
	for _, a := range n.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "http-equiv":
			e.faults = append(e.faults, "the pages' policy forbids the attribute "+a.Key+" of <"+n.Data+">")
		case a.Key == "src", a.Key == "srcset", a.Key == "background", a.Key == "poster":
			e.fetched = append(e.fetched, a.Val)
		case a.Key == "action" && n.DataAtom != atom.Form, a.Key == "formaction", a.Key == "formmethod", a.Key == "form":
			e.faults = append(e.faults, "a form may not be changed by the attribute "+a.Key+" of <"+n.Data+">")
		}
	}
}

// describeForm says what a form sends: fields by name, with the values of
// those that nobody types, and whether it has a button.
func describeForm(form *html.Node) string {
	var fields []string
	button := "without a button"
	for d := range form.Descendants() {
		if name := attribute(d, "name"); d.Type == html.ElementNode && name != "" {
			if attribute(d, "type") == "hidden" {
				name += "=" + attribute(d, "value")
			}
			fields = append(fields, name)
		}
		if kind := attribute(d, "type"); d.DataAtom == atom.Button && (kind == "" || kind == "submit") || d.DataAtom == atom.Input && kind == "submit" {
			button = "with a button"
		}
	}
	slices.Sort(fields)
	return strings.Join([]string{strings.ToLower(attribute(form, "method")), attribute(form, "action"), strings.Join(fields, " "), button}, " ")
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
