package templates

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"golang.org/x/text/language"
)

//go:embed texts/*.json
var textFiles embed.FS

// reference is the language whose texts the others must match.
const reference = "en"

// anon ends the key of a text that stands in for one with {sender} where no
// sender name is configured.
const anon = "_anon"

// texts are the texts of one language.
type texts struct {
	tag   string
	rtl   bool
	byKey map[string]string
	// sender is the sender's name in this language; empty: Options.Sender.
	sender string
	used   func(key string) // observes, where somebody asks which texts are shown
}

func (t *texts) dir() string {
	if t.rtl {
		return "rtl"
	}
	return "ltr"
}

func (t *texts) get(key string, anonymous bool) (string, error) {
	if _, ok := t.byKey[key+anon]; ok && anonymous {
		key += anon
	}
	if t.used != nil {
		t.used(key)
	}
	s, ok := t.byKey[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, t.tag)
	}
	return s, nil
}

// catalogue holds every language.
type catalogue struct {
	tags    []string // sorted
	texts   map[string]*texts
	bases   map[language.Base]bool
	matcher language.Matcher
}

func loadTexts() (*catalogue, error) { return readTexts(textFiles) }

// readTexts reads texts/TAG.json and checks each against the reference.
func readTexts(fsys fs.FS) (*catalogue, error) {
	names, err := fs.Glob(fsys, "texts/*.json")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	c := &catalogue{texts: map[string]*texts{}, bases: map[language.Base]bool{}}
	for _, n := range names {
		t, err := readLanguage(fsys, n)
		if err != nil {
			return nil, fmt.Errorf("templates: %s: %w", n, err)
		}
		c.texts[t.tag] = t
		c.tags = append(c.tags, t.tag)
	}
	ref := c.texts[reference]
	if ref == nil {
		return nil, fmt.Errorf("templates: there are no texts in the language %q", reference)
	}
	for _, tag := range c.tags {
		if faults := compare(ref.byKey, c.texts[tag].byKey); len(faults) > 0 {
			return nil, fmt.Errorf("templates: texts/%s.json: %s", tag, strings.Join(faults, "; "))
		}
	}
	c.index()
	return c, nil
}

// index makes what finds a language by its tag.
func (c *catalogue) index() {
	sort.Strings(c.tags)
	supported := make([]language.Tag, len(c.tags))
	for i, tag := range c.tags {
		supported[i] = language.Make(tag)
		base, _ := supported[i].Base()
		c.bases[base] = true
	}
	c.matcher = language.NewMatcher(supported)
}

func readLanguage(fsys fs.FS, name string) (*texts, error) {
	tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
	if err != nil {
		return nil, fmt.Errorf("the file's name is no language tag: %w", err)
	}
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	t := &texts{tag: tag.String(), rtl: rightToLeft(tag)}
	if err := readJSON(raw, &t.byKey); err != nil {
		return nil, fmt.Errorf("expected one object of texts: %w", err)
	}
	return t, nil
}

// rightToLeft reports whether the language's usual script runs from right to
// left (https://www.unicode.org/reports/tr35/tr35-general.html, layout).
func rightToLeft(tag language.Tag) bool {
	script, _ := tag.Script()
	return slices.Contains([]string{"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"}, script.String())
}

var placeholder = regexp.MustCompile(`\{[a-z_]*\}`)

// compare returns what is wrong with the texts of one language, by key.
func compare(ref, got map[string]string) []string {
	var faults []string
	for key, want := range ref {
		text, ok := got[key]
		fault := malformed(key, text)
		switch {
		case !ok:
			faults = append(faults, "missing: "+key)
		case fault != "":
			faults = append(faults, fault)
		case !slices.Equal(placeholders(text), placeholders(want)):
			faults = append(faults, fmt.Sprintf("placeholders of %s: got %v, want %v", key, placeholders(text), placeholders(want)))
		}
		named, _ := strings.CutSuffix(key, anon)
		if _, ok := ref[named+anon]; ok != strings.Contains(ref[named], "{sender}") {
			faults = append(faults, "a text with {sender} needs its "+anon+", no other may have one: "+key)
		}
	}
	for key := range got {
		if _, ok := ref[key]; !ok {
			faults = append(faults, "unknown: "+key)
		}
	}
	sort.Strings(faults)
	return faults
}

// malformed returns what is wrong with a text by itself; empty when nothing is.
func malformed(key, text string) string {
	switch {
	case strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text:
		return "empty, or white space around: " + key
	case strings.ContainsAny(placeholder.ReplaceAllString(text, ""), "{}"):
		return "a brace that belongs to no placeholder: " + key
	}
	return ""
}

func placeholders(s string) []string {
	found := placeholder.FindAllString(s, -1)
	sort.Strings(found)
	return found
}
