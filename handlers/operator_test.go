package handlers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/templates"
)

var wordsField = regexp.MustCompile(`name="words" value="([0-9a-f]{12})"`)

// An operator changes the words while somebody has a page open: the evidence
// names those that were shown.
func TestWordsThatWereShown(t *testing.T) {
	dir := t.TempDir()
	say := func(texts string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "texts"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "texts", "en.json"), []byte(texts), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say(`{"confirm.explain": "First words.", "undo.consent": "First consent."}`)
	b := start(t, func(c *Config) { c.Pages = testWatcher(t, c.Now, dir) })
	key := b.keyer.Key(b.email("a@example.com"))
	path := "/u/" + b.links.active(key, recipient.Email)
	words := func(page string) string {
		t.Helper()
		b.clock.add(2 * time.Second) // the folder is looked at again
		got := b.do("GET", path, "")
		checkPage(t, got, 200, page)
		m := wordsField.FindStringSubmatch(got.body)
		if m == nil {
			t.Fatalf("the page %s has no version of its words", page)
		}
		return m[1]
	}
	post := func(path, words, page string) {
		t.Helper()
		checkPage(t, b.do("POST", path, "via=form&words="+words, "Content-Type", formType), 200, page)
	}
	last := func(want, version string) {
		t.Helper()
		events := b.stored()
		if e := events[len(events)-1].Evidence; e.Wording != want || e.WordingVersion != version {
			t.Errorf("evidence: got %q, version %q, want %q, version %q", e.Wording, e.WordingVersion, want, version)
		}
	}
	first := words("confirm")
	style := regexp.MustCompile(`/assets/\w+\.css`).FindString(b.do("GET", path, "").body)
	if err := os.WriteFile(filepath.Join(dir, "style.css"), []byte("main { border: 0 }"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(`{"confirm.explain": "Second words.", "undo.consent": "Second consent."}`)
	second := words("confirm")
	if first == second {
		t.Fatal("other words have the same version")
	}
	if got := b.do("GET", style, "").status; got != 200 {
		t.Errorf("the stylesheet of the page that is open: got %d", got)
	}
	post(path, first, "done")
	last("First words.", first)
	post(path+"/undo", second, "undone")
	last("Second consent.", second)
	post(path, second, "done")
	last("Second words.", second)

	// Consent to words that nobody knows any more is asked for again; an opt-out
	// counts all the same.
	n := len(b.stored())
	post(path+"/undo", "0123456789ab", "already")
	if got := len(b.stored()); got != n || !b.store.states[key].OptedOut() {
		t.Error("an undo was taken without its words")
	}
	post(path+"/undo", words("already"), "undone")
	b.clock.add(time.Second)
	post(path, "0123456789ab", "done")
	last("", "")

	// A slip of the operator's costs nobody anything.
	say(`{"confirm.explain": `)
	if got := words("already"); got != second {
		t.Errorf("with texts that cannot be read: got version %q, want %q as before", got, second)
	}
}

// What an operator writes is text, and the policy stays.
func TestOperatorTextsAreText(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "settings.json"), []byte(`{"sender": "<script>alert(1)</script>"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, func(c *Config) { c.Pages = testWatcher(t, c.Now, dir) })
	got := b.do("GET", "/u/"+b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email), "")
	checkPage(t, got, 200, "confirm")
	if strings.Contains(got.body, "<script") || !strings.Contains(got.body, "&lt;script&gt;") || got.header.Get("Content-Security-Policy") != templates.CSP {
		t.Errorf("got the policy %q and the page\n%s", got.header.Get("Content-Security-Policy"), got.body)
	}
}
