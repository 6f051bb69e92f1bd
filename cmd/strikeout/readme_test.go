package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var testNames = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")

// docs/testing.md names tests that exist.
func TestTestingDoc(t *testing.T) {
	text, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		code.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := testNames.FindAllStringSubmatch(string(text), -1)
	if len(names) < 50 {
		t.Fatalf("names: got %d", len(names))
	}
	for _, m := range names {
		if !strings.Contains(code.String(), "\nfunc "+m[1]+"(") {
			t.Errorf("there is no %s", m[1])
		}
	}
}

// The README's configuration is read without an error, and its table names
// every command.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	_, example, ok := strings.Cut(readme, "```yaml\n")
	if !ok {
		t.Fatal("no configuration in the README")
	}
	example, _, _ = strings.Cut(example, "\n```")
	example = strings.Replace(example, `sha256: "..."`, "sha256: "+strings.Repeat("ab", 32), 1)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "logo.png"), "\x89PNG\r\n\x1a\n")
	writeFile(t, filepath.Join(dir, "pages", "settings.json"), "{}")
	c, err := loadConfig(writeFile(t, filepath.Join(dir, "strikeout.yaml"), example), nil, lookup(map[string]string{
		"DB_PASSWORD": "x", "STRIKEOUT_ADDRESS_KEY": testKey, "MAILJET_SECRET": "0123456789abcdef"}))
	if err != nil {
		t.Fatal(err)
	}
	if eps, err := c.endpoints(); err != nil || len(eps) != 3 {
		t.Errorf("endpoints: got %d, %v", len(eps), err)
	}
	for _, s := range settings {
		if !regexp.MustCompile(`\b` + s.key + `\b`).MatchString(readme) {
			t.Errorf("the README does not name the setting %s", s.key)
		}
	}
	commands := regexp.MustCompile(`(?m)^  ([a-z]+)    ?\s*[A-Z]`).FindAllStringSubmatch(strikeout(t, nil, "--help").stdout, -1)
	if len(commands) < 14 {
		t.Fatalf("commands: got %d from --help", len(commands))
	}
	for _, m := range commands {
		if m[1] != "version" && !strings.Contains(readme, "| `"+m[1]) {
			t.Errorf("the README's table lacks the command %s", m[1])
		}
	}
}
