package templates

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
)

// dir makes a folder from name, content pairs.
func dir(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func with(o Options, f fs.FS) Options {
	o.Folder = f
	return o
}

const gif = "GIF89a and so on"

func TestFolder(t *testing.T) {
	p := newPages(t, with(shop, dir(
		"settings.json", `{"sender": "Lantmäteriet <b>", "help_url": "https://example.se/hjälp", "default_language": "sv",
			"colours": {"light": {"action": "#7a1f5c", "action-hover": "#5a1444"}}}`,
		"texts/sv.json", `{"confirm.title": "Vill du <i>verkligen</i>?", "confirm.explain": "Ett tryck på {button} räcker."}`,
		"texts/fi.json", `{"sender": "Maanmittauslaitos"}`,
		"pages/layout.html", `{{define "tick"}}<p class="own">OK</p>{{end}}`,
		"pages/requested.html", `<h1>{{.T "requested.title"}}!</h1><p>{{.T "requested.lead"}}</p>`,
		"style.css", `main { border-radius: 0 }`,
		"logo.gif", gif,
		"README.md", "our pages", ".git", "", "texts/fi.json~", "{", "pages/.confirm.html.swp", "x",
	)))
	if got := p.Unused(); len(got) != 0 {
		t.Errorf("unused texts: got %q, want none", got)
	}
	if got := p.Pick("", "", ""); got != "sv" {
		t.Errorf("default language: got %q, want sv", got)
	}
	confirm := render(t, p, "sv", Confirm{Link: Link{Path: linkPath, Channel: recipient.Email}})
	done := render(t, p, "sv", Done{Link: Link{Path: linkPath}})
	finnish := render(t, p, "fi", Done{Link: Link{Path: linkPath}})
	for doc, wants := range map[string][]string{
		confirm:                         {"Vill du &lt;i&gt;verkligen&lt;/i&gt;?", "räcker.", "Lantmäteriet &lt;b&gt;", `href="https://example.se/hj%c3%a4lp"`, `href="https://example.com/privacy"`, ".gif\""},
		done:                            {`<p class="own">OK</p>`},
		finnish:                         {"Maanmittauslaitos", `<p class="own">OK</p>`},
		render(t, p, "sv", Requested{}): {"!</h1>"},
	} {
		for _, want := range wants {
			if !strings.Contains(doc, want) {
				t.Errorf("the page has no %s:\n%s", want, doc)
			}
		}
	}
	if strings.Contains(finnish, "Lantmäteriet") {
		t.Error("the Finnish page names the Swedish sender")
	}
	if got, want := p.Wording("sv", PageConfirm), "Ett tryck på "+p.languages.texts["sv"].byKey["confirm.button"]+" räcker."; got != want {
		t.Errorf("wording: got %q, want %q", got, want)
	}
	_, css := p.Stylesheet()
	_, after, _ := strings.Cut(string(css), "@media print")
	for _, want := range []string{"  --action: #7a1f5c;", "border-radius: 0", "prefers-color-scheme: dark"} {
		if !strings.Contains(after, want) {
			t.Errorf("the end of the stylesheet has no %s", want)
		}
	}
	if got := p.Headers()["Content-Security-Policy"]; got != CSP+"; img-src 'self'" {
		t.Errorf("policy: got %q, want it as ever, and the logo", got)
	}
	plain := newPages(t, shop)
	for _, lang := range []string{"sv", "fi"} {
		if p.Version(lang) == plain.Version(lang) {
			t.Errorf("%s: the words changed, and their version did not", lang)
		}
	}
}

func TestFolderNewLanguage(t *testing.T) {
	en, err := textFiles.ReadFile("texts/en.json")
	if err != nil {
		t.Fatal(err)
	}
	hebrew := strings.Replace(string(en), `"English"`, `"עברית"`, 1)
	p := newPages(t, with(shop, dir("texts/he.json", hebrew)))
	if got := p.Pick("", "", "he-IL"); got != "he" {
		t.Errorf("got %q, want he", got)
	}
	if doc := render(t, p, "he", Done{}); !strings.Contains(doc, `<html lang="he" dir="rtl">`) || !strings.Contains(doc, ">עברית</a>") {
		t.Error("the new language is not written from right to left, or not among those to choose")
	}
	_, err = New(with(shop, dir("texts/he.json", `{"language.name": "עברית"}`)))
	if err == nil || !strings.Contains(err.Error(), "texts/he.json: missing: address.unknown; missing: all.button; ") {
		t.Errorf("half a language: got %v, want what is missing", err)
	}
}

// TestFolderUnused: a text that can never be shown is no error, because the
// next version may drop one, but it is said.
func TestFolderUnused(t *testing.T) {
	f := dir("texts/fi.json", `{"done.lead_anon": "Selvä.", "done.late": "Selvä."}`, "pages/bad_link.html",
		`<h1>{{.T "bad_link.title"}}</h1><form method="POST" action="{{.Action ""}}"><input type="hidden" name="via" value="form"><input name="address" aria-label="{{.T "bad_link.label"}}"><button>OK</button></form>`,
		"texts/en.json", `{"bad_link.hint": "Any address."}`)
	got := newPages(t, with(shop, f)).Unused()
	if diff := cmp.Diff([]string{"texts/en.json: no page shows bad_link.hint", "texts/fi.json: no page shows done.lead_anon"}, got); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
	got = newPages(t, Options{Folder: f}).Unused()
	if diff := cmp.Diff([]string{"texts/en.json: no page shows bad_link.hint"}, got); diff != "" {
		t.Errorf("without a sender: unused (-want +got):\n%s", diff)
	}
}

func TestFolderRefuses(t *testing.T) {
	const confirm = `<h1>{{.T "confirm.title"}}</h1>{{template "details" .}}{{template "unsubscribe" .}}{{if .View.Others}}{{template "all" .}}{{end}}`
	page := func(text string) fstest.MapFS { return dir("pages/confirm.html", text) }
	newPages(t, with(shop, page(confirm))) // the parts below are right but for what they show
	layout := func(from, to string) fstest.MapFS {
		text, err := files.ReadFile("pages/layout.html")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), from) {
			t.Fatalf("the layout has no %s", from)
		}
		return dir("pages/layout.html", strings.Replace(string(text), from, to, 1))
	}
	tests := []struct {
		name string
		fsys fstest.MapFS
		want string
	}{
		{"unknown file", dir("logo.svg", "<svg/>"), "logo.svg: unknown, expected settings.json"},
		{"two logos", dir("logo.png", gif, "logo.gif", gif), "logo.png: there is another logo"},
		{"logo of another kind", dir("logo.png", "<svg/>"), "logo: expected a PNG"},
		{"large file", dir("style.css", strings.Repeat(" ", maxFileBytes+1)), "style.css: expected a file of at most 256 KiB"},
		{"stylesheet that fetches", dir("style.css", "a { background: URL(x.png) }"), "style.css: the pages fetch nothing, so url( does not work"},

		{"settings no JSON", dir("settings.json", "{\n\"sender\": \"A\",\n}"), "settings.json: line 2: not valid JSON"},
		{"unknown setting", dir("settings.json", "{\n\"sendr\": \"A\"}"), `settings.json: line 2: unknown key "sendr"`},
		{"setting of another kind", dir("settings.json", `{"sender": 1}`), `settings.json: line 1: wrong kind of value: "sender"`},
		{"URL that runs", dir("settings.json", `{"help_url": "javascript:alert(1)"}`), "help URL: expected an https: or mailto: URL"},
		{"language that is not there", dir("settings.json", `{"default_language": "ja"}`), "default language: expected one of ar, "},
		{"low contrast", dir("settings.json", `{"colours": {"light": {"action": "#9dbdff"}}}`), "settings.json: colours.light: on-action on action has a contrast of 1.88:1, which must be at least 4.5:1; colours.light: action on card"},
		{"unknown colour", dir("settings.json", `{"colours": {"dark": {"link": "#9dbdff"}}}`), "settings.json: colours.dark: unknown colour link, expected some of action, "},
		{"colour that is none", dir("settings.json", `{"colours": {"dark": {"action": "red; } body { display: none"}}}`), `settings.json: colours.dark.action: expected a colour such as "#1f4fb5"`},

		{"texts no JSON", dir("texts/fi.json", "{\n\n"), "texts/fi.json: line 3: not valid JSON"},
		{"a text twice", dir("texts/fi.json", `{"done.title": "A", "done.title": "B"}`), "texts/fi.json: line 1: not valid JSON: duplicate"},
		{"unknown text", dir("texts/fi.json", `{"done.titel": "A"}`), "texts/fi.json: unknown: done.titel"},
		{"unknown placeholder", dir("texts/fi.json", `{"done.title": "{name}, A"}`), "texts/fi.json: {name} is not filled in here: done.title"},
		{"brace", dir("texts/fi.json", `{"done.title": "{{.Path}}"}`), "texts/fi.json: a brace that belongs to no placeholder: done.title"},
		{"empty text", dir("texts/fi.json", `{"done.title": " "}`), "texts/fi.json: empty, or white space around: done.title"},
		{"no language", dir("texts/finnish language.json", "{}"), "texts/finnish language.json: expected the name of a language"},
		{"one language twice", dir("texts/pt-br.json", "{}", "texts/pt-BR.json", "{}"), "texts/pt-br.json: there is another file for pt-BR"},

		{"unknown page", dir("pages/confirmed.html", ""), "pages/confirmed.html: unknown page, expected some of already.html"},
		{"page that does not parse", page("<h1>\n{{if}}</h1>"), "pages/confirm.html:2: missing value for if"},
		{"text that is not there", page(confirm + "\n" + `{{.T "nope"}}`), `pages/confirm.html:2:2: executing "pages/confirm.html" at <.T>: error calling T: no text "nope" in en`},
		{"part that is not there", page(`{{template "nope" .}}`), `"nope"`},
		{"script", page(confirm + `<script>alert(1)</script>`), "pages/confirm.html (confirm): the pages' policy forbids <script>"},
		{"inline style", page(confirm + `<p style="color:red">`), "the pages' policy forbids the attribute style of <p>"},
		{"event handler", page(confirm + `<p onclick="x()">`), "the pages' policy forbids the attribute onclick of <p>"},
		{"image from elsewhere", page(confirm + `<img src="https://tracker.example/x.gif" alt="">`), "something would be missing: https://tracker.example/x.gif"},
		{"font from elsewhere", layout("</head>", `<link rel="stylesheet" href="//fonts.example/x.css"></head>`), "something would be missing: //fonts.example/x.css"},
		{"no button", page(strings.Replace(confirm, `{{template "unsubscribe" .}}`, "", 1)), "a form is missing: post /u/"},
		{"form without its button", page(strings.Replace(confirm, `{{template "unsubscribe" .}}`, `<form method="post" action="{{.Action ""}}"><input type="hidden" name="via" value="form"><input type="hidden" name="words" value="{{.Words}}"><p>{{.T "confirm.explain" "button" (.T "confirm.button")}}</p></form>`, 1)), "without a button"},
		{"form that acts on opening", page(strings.Replace(confirm, `{{template "unsubscribe" .}}`, `<form method="get"><button>Go</button></form>`, 1)), "a form that the page must not have"},
		{"form that sends elsewhere", page(confirm + `<form method="post" action="https://evil.example"><button>Go</button></form>`), "a form that the page must not have, or not like this: post https://evil.example"},
		{"button that sends elsewhere", page(confirm + `<button form="x" formaction="https://evil.example">Go</button>`), "a form may not be changed by the attribute formaction"},
		{"whom it is about", page(strings.Replace(confirm, `{{template "details" .}}`, "", 1)), "the page must show the masked address"},
		{"what the button means", layout(`<p>{{.T "undo.consent" "button" (.T "undo.button")}}</p>`, ""), `the page must say, word for word, what its button means: "By pressing “Undo” I agree that Example Oy may send me these messages again."`},
		{"no language of the document", layout(`lang="{{.Lang}}" dir`, "dir"), `<html> needs lang="{{.Lang}}"`},
		{"no title", layout("<title>{{.Title}}</title>", ""), "<title> is missing or empty"},
		{"unsafe place", page(confirm + `<a {{.Masked}}>x</a>`), "ZgotmplZ"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(with(shop, tt.fsys))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with: %s", err, tt.want)
			}
		})
	}
}

// TestFolderHostileStrings: what comes from outside is escaped on an
// operator's pages too.
func TestFolderHostileStrings(t *testing.T) {
	const evil = `"><script>alert(1)</script>{{.Path}}`
	p := newPages(t, with(Options{Sender: evil}, dir("texts/en.json", `{"done.lead": "{sender} <script>alert(2)</script>", "sender": "<script>alert(3)</script>"}`,
		"pages/done.html", `<h1 title="{{.Sender}}">{{.T "done.title"}}</h1><p>{{.T "done.lead"}}</p>{{template "details" .}}{{if .View.CanUndo}}{{template "undo" .}}{{end}}{{if .View.Others}}{{template "all" .}}{{end}}`)))
	for _, lang := range []string{"en", "fi"} {
		doc := render(t, p, lang, Done{Link: Link{Path: `/u/"><script>`, SendOut: evil}})
		if strings.Contains(doc, "<script") || strings.Contains(doc, "{{") && !strings.Contains(doc, "{{.Path}}") {
			t.Errorf("%s: a string became markup:\n%s", lang, doc)
		}
	}
}
