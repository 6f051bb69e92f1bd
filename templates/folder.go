package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/language"
)

// A folder of the operator changes what the pages say and how they look:
//
//	settings.json    {"sender", "help_url", "privacy_url", "default_language", "colours"}
//	texts/TAG.json   some texts of a language that there is, or all of a new one;
//	                 "sender" is the sender's name in that language
//	pages/NAME.html  a whole page, or layout.html with what pages share
//	style.css        stands after the stylesheet
//	logo.png         also .jpg, .gif, .webp
//
// Names that begin with a dot or end with ~, and *.md, are passed over.
type folder struct {
	settings settings
	texts    map[string]map[string]string // by tag
	pages    map[string]string            // by name, such as "confirm.html"
	css      []byte
	logo     []byte
}

// settings take the place of the Options of the same name, where they are
// given.
type settings struct {
	Sender          *string `json:"sender"`
	HelpURL         *string `json:"help_url"`
	PrivacyURL      *string `json:"privacy_url"`
	DefaultLanguage *string `json:"default_language"`
	Colours         colours `json:"colours"`
}

const (
	settingsFile = "settings.json"
	cssFile      = "style.css"
	layoutFile   = "layout.html"
	senderKey    = "sender" // in the texts of a folder
)

const maxFileBytes = 256 << 10

// readFolder reads what there is; nil is a folder with nothing in it.
func readFolder(fsys fs.FS) (*folder, error) {
	f := &folder{texts: map[string]map[string]string{}, pages: map[string]string{}}
	if fsys == nil {
		return f, nil
	}
	names, err := visible(fsys, ".")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		switch {
		case name == "texts":
			err = f.readTexts(fsys)
		case name == "pages":
			err = f.readPages(fsys)
		case name == settingsFile:
			err = f.readSettings(fsys)
		case name == cssFile:
			f.css, err = readCSS(fsys)
		case isLogo(name) && f.logo != nil:
			err = errors.New(name + ": there is another logo, expected one")
		case isLogo(name):
			f.logo, err = readFile(fsys, name)
		default:
			err = errors.New(name + ": unknown, expected settings.json, style.css, logo.png (or .jpg, .gif, .webp), texts/ and pages/")
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

func isLogo(name string) bool {
	return slices.Contains([]string{"logo.png", "logo.jpg", "logo.jpeg", "logo.gif", "logo.webp"}, name)
}

// visible returns the names in a directory without those that editors, version
// control and Kubernetes leave there.
func visible(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); !strings.HasPrefix(n, ".") && !strings.HasSuffix(n, "~") && path.Ext(n) != ".md" {
			names = append(names, n)
		}
	}
	return names, nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", name, err)
	}
	if info.Size() > maxFileBytes || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a file of at most %d KiB", name, maxFileBytes>>10)
	}
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", name, err)
	}
	return b, nil
}

func (f *folder) readSettings(fsys fs.FS) error {
	raw, err := readFile(fsys, settingsFile)
	if err != nil {
		return err
	}
	if err := readJSON(raw, &f.settings); err != nil {
		return fmt.Errorf("%s: %w", settingsFile, err)
	}
	if faults := f.settings.Colours.check(); len(faults) > 0 {
		return fmt.Errorf("%s: %s", settingsFile, strings.Join(faults, "; "))
	}
	return nil
}

func readCSS(fsys fs.FS) ([]byte, error) {
	css, err := readFile(fsys, cssFile)
	if err != nil {
		return nil, err
	}
	// The policy would stop them; saying so beats a page that looks wrong.
	for _, fetch := range []string{"url(", "@import", "@font-face"} {
		if bytes.Contains(bytes.ToLower(css), []byte(fetch)) {
			return nil, fmt.Errorf("%s: the pages fetch nothing, so %s does not work", cssFile, fetch)
		}
	}
	return css, nil
}

func (f *folder) readTexts(fsys fs.FS) error {
	names, err := visible(fsys, "texts")
	if err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	for _, n := range names {
		name := path.Join("texts", n)
		tag, err := language.Parse(strings.TrimSuffix(n, ".json"))
		if path.Ext(n) != ".json" || err != nil {
			return errors.New(name + ": expected the name of a language, such as fi.json")
		}
		raw, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		var said map[string]string
		if err := readJSON(raw, &said); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if f.texts[tag.String()] != nil {
			return fmt.Errorf("%s: there is another file for %s", name, tag)
		}
		f.texts[tag.String()] = said
	}
	return nil
}

func (f *folder) readPages(fsys fs.FS) error {
	names, err := visible(fsys, "pages")
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	known, err := pageFiles()
	if err != nil {
		return err
	}
	for _, n := range names {
		name := path.Join("pages", n)
		if !slices.Contains(known, n) {
			return fmt.Errorf("%s: unknown page, expected some of %s", name, strings.Join(known, ", "))
		}
		text, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		f.pages[n] = string(text)
	}
	return nil
}

// readJSON is strict. Its errors name the line.
func readJSON(raw []byte, v any) error {
	err := json.Unmarshal(raw, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	at, reason := int64(-1), err.Error()
	var syntax *jsontext.SyntacticError
	var wrong *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		at, reason = syntax.ByteOffset, "not valid JSON: "+syntax.Err.Error()
	case errors.As(err, &wrong):
		at, reason = wrong.ByteOffset, "wrong kind of value"
		if key := wrong.JSONPointer.LastToken(); errors.Is(err, json.ErrUnknownName) {
			reason = fmt.Sprintf("unknown key %q", key)
		} else if key != "" {
			reason = fmt.Sprintf("wrong kind of value: %q", key)
		}
	}
	if at >= 0 {
		line := 1 + bytes.Count(raw[:min(at, int64(len(raw)))], []byte{'\n'})
		return fmt.Errorf("line %d: %s", line, reason)
	}
	return errors.New(reason)
}

// apply puts the settings over the options of the configuration.
func (f *folder) apply(o Options) Options {
	for _, s := range []struct {
		from *string
		to   *string
	}{{f.settings.Sender, &o.Sender}, {f.settings.HelpURL, &o.HelpURL}, {f.settings.PrivacyURL, &o.PrivacyURL}, {f.settings.DefaultLanguage, &o.DefaultLanguage}} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	if f.logo != nil {
		o.Logo = f.logo
	}
	return o
}

// override puts the texts of a folder over those of the catalogue.
func (c *catalogue) override(own map[string]map[string]string) error {
	ref := maps.Clone(c.texts[reference].byKey)
	for _, tag := range slices.Sorted(maps.Keys(own)) {
		said := maps.Clone(own[tag])
		sender := said[senderKey]
		delete(said, senderKey)
		t := c.texts[tag]
		var faults []string
		if t == nil {
			t = &texts{tag: tag, rtl: rightToLeft(language.Make(tag)), byKey: said}
			c.texts[tag], c.tags = t, append(c.tags, tag)
			faults = compare(ref, said)
		} else {
			faults = compareSome(ref, said)
			maps.Copy(t.byKey, said)
		}
		if len(faults) > 0 {
			return fmt.Errorf("texts/%s.json: %s", tag, strings.Join(faults, "; "))
		}
		t.sender = sender
	}
	c.index()
	return nil
}

// compareSome is compare for a file that holds only some texts. They may do
// without a placeholder.
func compareSome(ref, got map[string]string) []string {
	var faults []string
	for _, key := range slices.Sorted(maps.Keys(got)) {
		want, ok := ref[key]
		if !ok {
			faults = append(faults, "unknown: "+key)
			continue
		}
		if fault := malformed(key, got[key]); fault != "" {
			faults = append(faults, fault)
		}
		for _, p := range placeholders(got[key]) {
			if !strings.Contains(want, p) {
				faults = append(faults, fmt.Sprintf("%s is not filled in here: %s", p, key))
			}
		}
	}
	return faults
}
