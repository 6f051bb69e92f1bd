package templates

import (
	"io"
	"regexp"
	"sort"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestTextsAreUsed renders everything and reports texts that no page shows.
func TestTextsAreUsed(t *testing.T) {
	seen := map[string]bool{}
	var all map[string]string
	for _, o := range []Options{shop, {}} {
		p := newPages(t, o)
		en := p.languages.texts[reference]
		all = en.byKey
		en.used = func(key string) { seen[key] = true }
		for _, f := range samples() {
			if err := p.Render(io.Discard, reference, f.view); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		}
	}
	seen["language.name"] = true // read for the list of languages
	for key := range all {
		if !seen[key] {
			t.Errorf("no page shows the text %q", key)
		}
	}
}

// TestTextsExist finds the keys in the pages' sources, whatever branch they
// stand in.
func TestTextsExist(t *testing.T) {
	c, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\.T "([^"]+)"`)
	names, err := files.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, n := range names {
		src, err := files.ReadFile("pages/" + n.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllSubmatch(src, -1) {
			found++
			if _, ok := c.texts[reference].byKey[string(m[1])]; !ok {
				t.Errorf("%s asks for the text %q, which does not exist", n.Name(), m[1])
			}
		}
	}
	if found < 40 {
		t.Errorf("found %d texts in the pages: is the search still right?", found)
	}
}

// TestTextsOwnWords catches texts that were copied and never translated.
func TestTextsOwnWords(t *testing.T) {
	c, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	en := c.texts[reference].byKey
	for tag, other := range c.texts {
		for key, s := range other.byKey {
			if tag != reference && len(strings.Fields(s)) > 2 && s == en[key] {
				t.Errorf("%s: %q is still English", tag, key)
			}
		}
	}
}

func TestReadTextsReports(t *testing.T) {
	const en = `{"language.name":"English","a":"{sender} writes “{button}”.","a_anon":"“{button}” writes."}`
	tests := []struct {
		name, other, want string
	}{
		{"missing", `{"language.name":"Deutsch","a":"{sender} schreibt „{button}“."}`, "missing: a_anon"},
		{"unknown", `{"language.name":"Deutsch","a":"{sender} „{button}“","a_anon":"„{button}“","b":"x"}`, "unknown: b"},
		{"placeholder lost", `{"language.name":"Deutsch","a":"{sender}","a_anon":"{button}"}`, "placeholders of a: got [{sender}], want [{button} {sender}]"},
		{"placeholder misspelt", `{"language.name":"Deutsch","a":"{sendr} {button}","a_anon":"{button}"}`, "placeholders of a: got [{button} {sendr}], want [{button} {sender}]"},
		{"stray brace", `{"language.name":"Deutsch","a":"{sender} {button} }","a_anon":"{button}"}`, "a brace that belongs to no placeholder: a"},
		{"empty", `{"language.name":" ","a":"{sender} {button}","a_anon":"{button}"}`, "empty, or white space around: language.name"},
		{"not JSON", `{`, "expected one object of texts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{"texts/en.json": {Data: []byte(en)}, "texts/de.json": {Data: []byte(tt.other)}}
			_, err := readTexts(fsys)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "texts/de.json") {
				t.Errorf("got %v, want an error on texts/de.json: %s", err, tt.want)
			}
		})
	}
	for name, fsys := range map[string]fstest.MapFS{
		"no reference":        {"texts/de.json": {Data: []byte(`{}`)}},
		"bad name":            {"texts/en.json": {Data: []byte(en)}, "texts/not a tag.json": {Data: []byte(en)}},
		"sender without anon": {"texts/en.json": {Data: []byte(`{"a":"{sender}"}`)}},
		"anon without sender": {"texts/en.json": {Data: []byte(`{"a":"b","a_anon":"c"}`)}},
	} {
		if _, err := readTexts(fsys); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestPick(t *testing.T) {
	tests := []struct {
		name, token, query, accept string
		want                       string
	}{
		{"nothing", "", "", "", "en"},
		{"link's language", "fi", "", "sv", "fi"},
		{"own choice beats the link's", "fi", "sv", "en", "sv"},
		{"browser", "", "", "sv-FI,sv;q=0.9,en;q=0.8", "sv"},
		{"browser's second", "", "", "ja,fi;q=0.5", "fi"},
		{"quality decides", "", "", "en;q=0.1,fi;q=0.9", "fi"},
		{"regions", "fi-FI", "", "", "fi"},
		{"a language that is there beats a related one", "", "", "fo,en;q=0.8", "en"},
		{"a related one beats the default", "", "", "nn,ja;q=0.8", "nb"},
		{"the older name of a language", "", "", "no", "nb"},
		{"underscore", "", "sv_FI", "", "sv"},
		{"unknown choice is passed over", "fi", "ja", "sv", "fi"},
		{"malformed choice is passed over", "fi", "%%%", "sv", "fi"},
		{"malformed browser", "", "", "\x00,,;q=", "en"},
		{"anything", "", "", "*", "en"},
		{"long header is cut at a comma", "", "", "fi," + strings.Repeat("ja,", 4000), "fi"},
		{"long header without a comma", "", "", strings.Repeat("a-", 4000), "en"},
		{"long choice", strings.Repeat("fi-", 4000), strings.Repeat("sv-", 4000), "", "en"},
	}
	p := newPages(t, shop)
	for _, tt := range tests {
		if got := p.Pick(tt.token, tt.query, tt.accept); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := newPages(t, Options{DefaultLanguage: "sv-SE"}).Pick("", "", "ja"); got != "sv" {
		t.Errorf("default language: got %q, want sv", got)
	}
}

func FuzzPick(f *testing.F) {
	f.Add("fi", "sv", "en-GB,en;q=0.9")
	p := newPages(f, shop)
	known := p.Languages()
	f.Fuzz(func(t *testing.T, token, query, accept string) {
		got := p.Pick(token, query, accept)
		if i := sort.SearchStrings(known, got); i == len(known) || known[i] != got {
			t.Errorf("got %q, which is no language", got)
		}
	})
}

func TestLanguages(t *testing.T) {
	got := newPages(t, Options{}).Languages()
	if diff := cmp.Diff([]string{"ar", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hu", "is", "it", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "sv", "tr", "uk"}, got); diff != "" {
		t.Errorf("languages (-want +got):\n%s", diff)
	}
}

// TestRightToLeft adds a language of a right-to-left script and one more of
// the other kind.
func TestRightToLeft(t *testing.T) {
	en, err := textFiles.ReadFile("texts/en.json")
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, tag := range []string{"en", "ar", "he", "de", "pa-Arab", "pt-BR"} {
		fsys["texts/"+tag+".json"] = &fstest.MapFile{Data: en}
	}
	p := newPages(t, shop)
	if p.languages, err = readTexts(fsys); err != nil {
		t.Fatal(err)
	}
	for lang, dir := range map[string]string{"en": "ltr", "ar": "rtl", "he": "rtl", "de": "ltr", "pa-Arab": "rtl", "pt-BR": "ltr"} {
		doc := render(t, p, lang, Confirm{Link: Link{Path: linkPath}})
		if want := `<html lang="` + lang + `" dir="` + dir + `">`; !strings.Contains(doc, want) {
			t.Errorf("%s: the page does not begin with %s", lang, want)
		}
		isolated := strings.Contains(doc, firstStrongIsolate+"Example Oy"+popIsolate)
		if isolated != (dir == "rtl") {
			t.Errorf("%s: the sender's name is isolated: %v", lang, isolated)
		}
		if strings.ContainsAny(p.Wording(lang, OfferUndo), firstStrongIsolate+popIsolate) {
			t.Errorf("%s: the kept wording has invisible characters", lang)
		}
	}
	if got := p.Pick("", "", "pt"); got != "pt-BR" {
		t.Errorf("pt: got %q, want pt-BR", got)
	}
}
