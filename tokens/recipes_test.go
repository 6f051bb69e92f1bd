package tokens

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

const recipesDir = "../docs/recipes"

// recipes are the minters of docs/minting.md. Those that are required have to
// run everywhere (.ci/test-deps installs them), the others where they can.
var recipes = []struct {
	file     string
	program  string
	args     []string
	required bool
	agency   bool // signs with EdDSA and gets sub values
}{
	{"minting.py", "python3", nil, true, false},
	{"minting.mjs", "node", nil, true, false},
	{"minting.php", "php", nil, true, false},
	{"minting.rb", "ruby", nil, false, false},
	{"Minting.java", "java", nil, false, false},
	{"Minting.cs", "mono", nil, false, false},
	{"agency.mjs", "node", nil, true, true},
	{"agency.php", "php", nil, true, true},
}

var languages = map[string]string{".py": "python", ".mjs": "js", ".php": "php", ".rb": "ruby", ".java": "java", ".cs": "csharp"}

// shown returns the document with every recipe in its place, as it is.
func shown(t *testing.T, doc string) string {
	t.Helper()
	for _, r := range recipes {
		source, err := os.ReadFile(filepath.Join(recipesDir, r.file))
		if err != nil {
			t.Fatal(err)
		}
		mark := "<!-- recipe " + r.file + " -->\n"
		before, after, ok := strings.Cut(doc, mark)
		if !ok {
			t.Fatalf("docs/minting.md has no place for %s", r.file)
		}
		if rest, ok := strings.CutPrefix(after, "```"); ok {
			_, after, _ = strings.Cut(rest, "\n```\n")
		}
		doc = before + mark + "```" + languages[filepath.Ext(r.file)] + "\n" + string(bytes.TrimSpace(source)) + "\n```\n" + after
	}
	return doc
}

func TestRecipes(t *testing.T) {
	const document = "../docs/minting.md"
	doc, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if want := shown(t, string(doc)); want != string(doc) {
		if !*update {
			t.Errorf("%s does not show the recipes as they are: run `go test ./tokens -run Recipes -update`", document)
		} else if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v := readVectors(t)
	for _, r := range recipes {
		path := filepath.Join(recipesDir, r.file)
		program, err := exec.LookPath(r.program)
		if err != nil {
			if r.required {
				t.Errorf("%s: %s is needed; .ci/test-deps installs it", r.file, r.program)
			}
			continue
		}
		t.Run(r.file, func(t *testing.T) {
			t.Parallel()
			if r.program == "mono" {
				path = compileCS(t, path)
			}
			run := func(lines []string) []string { return runRecipe(t, program, path, lines) }
			if r.agency {
				checkAgency(t, v, run)
			} else {
				checkMinter(t, v, run)
			}
		})
	}
}

func compileCS(t *testing.T, path string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "minting.exe")
	if out, err := exec.CommandContext(t.Context(), "mcs", "-out:"+exe, path).CombinedOutput(); err != nil {
		t.Fatalf("mcs: %v\n%s", err, out)
	}
	return exe
}

// runRecipe gives the recipe lines and returns its own.
func runRecipe(t *testing.T, program, path string, lines []string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, path)
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(vectorSecret("EdDSA")))
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "agency.pem")
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "STRIKEOUT_PUBLIC_URL=https://u.example.com",
		"STRIKEOUT_ADDRESS_KEY="+encode(vectorSecret("address key")), "STRIKEOUT_TOKEN_SECRET="+encode(vectorSecret("HS256")), "STRIKEOUT_TOKEN_KEY_ID="+hsID,
		"AGENCY_PRIVATE_KEY="+keyFile, "AGENCY_KEY_ID="+edID, "LC_ALL=C")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", stderr.String())
	}
	got := strings.Split(strings.TrimSuffix(strings.ReplaceAll(stdout.String(), "\r\n", "\n"), "\n"), "\n")
	if len(got) != len(lines) {
		t.Fatalf("got %d lines, want %d:\n%s", len(got), len(lines), stdout.String())
	}
	return got
}

// checkMinter compares a recipe with the vectors of both packages: it agrees
// or refuses, and refuses nothing that is plain.
func checkMinter(t *testing.T, v vectors, run func([]string) []string) {
	var lines []string
	for _, r := range v.Valid {
		lines = append(lines, fmt.Sprintf("%s\t%d\t%s\t%s\t%s", r.Channel, r.IssuedAt, r.SendOut, r.Language, r.Address))
	}
	for i, got := range run(lines) {
		if want := v.PublicURL + "/u/" + v.Valid[i].HS256; got != want {
			t.Errorf("%s: got %s, want %s", v.Valid[i].Address, got, want)
		}
	}

	b, err := os.ReadFile("../recipient/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		About, Input, Key, Error string
		Channel                  recipient.Channel
		NeedsAPI                 bool `json:"needs_api"`
	}
	var addresses struct{ Rows []row }
	if err := json.Unmarshal(b, &addresses); err != nil {
		t.Fatal(err)
	}
	var rows []row
	lines = nil
	for _, r := range addresses.Rows {
		if !strings.Contains(strings.TrimRight(r.Input, "\r\n"), "\n") { // the recipes read lines
			rows = append(rows, r)
			lines = append(lines, fmt.Sprintf("%s\t\t\t\t%s", r.Channel, strings.TrimRight(r.Input, "\r\n")))
		}
	}
	ring := vectorRing(t)
	for i, got := range run(lines) {
		r := rows[i]
		mayRefuse := r.NeedsAPI || r.Error != "" || strings.HasPrefix(r.Input, `"`)
		if strings.HasPrefix(got, "error: ") {
			if !mayRefuse {
				t.Errorf("%s, %q: got %s", r.About, r.Input, got)
			} else if !strings.Contains(got, "use POST /v1/links") {
				t.Errorf("%s: got %s, want the advice to use POST /v1/links", r.About, got)
			}
			continue
		}
		if r.NeedsAPI || r.Error != "" {
			t.Errorf("%s, %q: got %s, want an error", r.About, r.Input, got)
			continue
		}
		got, ok := strings.CutPrefix(got, v.PublicURL+"/u/")
		verified, err := ring.Verify(got, time.Now())
		if !ok || err != nil || verified.Key.String() != r.Key || verified.Channel != r.Channel || time.Since(verified.IssuedAt).Abs() > time.Hour {
			t.Errorf("%s: got %+v, %v", r.About, verified, err)
		}
	}
	for _, got := range run([]string{"email\t\ta b\t\tnobody@example.com", "email\t\t\tfi_FI\tnobody@example.com", "fax\t\t\t\tnobody@example.com", "email\t\t" + strings.Repeat("x", 33) + "\t\tnobody@example.com"}) {
		if !strings.HasPrefix(got, "error: ") {
			t.Errorf("got %s, want an error", got)
		}
	}
}

func checkAgency(t *testing.T, v vectors, run func([]string) []string) {
	lines := []string{"email\t\t\t\tnobody@example.com", "sms\t\ta b\t\t" + v.Valid[0].Sub}
	for _, r := range v.Valid {
		lines = append(lines, fmt.Sprintf("%s\t%d\t%s\t%s\t%s", r.Channel, r.IssuedAt, r.SendOut, r.Language, r.Sub))
	}
	for i, got := range run(lines) {
		if i < 2 {
			if !strings.HasPrefix(got, "error: ") {
				t.Errorf("got %s, want an error", got)
			}
			continue
		}
		token, ok := strings.CutPrefix(got, v.PublicURL+"/u/")
		if want := v.Valid[i-2]; !ok || token != want.EdDSA {
			t.Errorf("%s: got %s, want %s", want.Normal, got, want.EdDSA)
		} else if _, err := vectorRing(t).Verify(token, time.Unix(v.Now, 0)); err != nil {
			t.Error(err)
		}
	}
}
