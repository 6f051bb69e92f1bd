package all

import (
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
)

// TestEveryFolderIsListed: an adapter that is written and not listed reads
// nothing.
func TestEveryFolderIsListed(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "all" && e.Name() != "internal" && e.Name() != "providertest" {
			folders[e.Name()] = true
		}
	}
	if len(folders) < 40 {
		t.Fatalf("found %d folders: is this still the right place?", len(folders))
	}
	src, err := os.ReadFile("all.go")
	if err != nil {
		t.Fatal(err)
	}
	for f := range folders {
		if !strings.Contains(string(src), "\t"+f+".Info,\n") {
			t.Errorf("%s is not in the list", f)
		}
	}
	seen := map[string]bool{}
	for _, i := range Infos() {
		if seen[i.Name] {
			t.Errorf("%s is there twice", i.Name)
		}
		seen[i.Name] = true
		if got, ok := Lookup(i.Name); !ok || got.Title != i.Title {
			t.Errorf("Lookup does not find %s", i.Name)
		}
		// Whole MiB, as it is shown, and what body_limit may say at most.
		if n := i.MaxBody(); n < providers.DefaultBodyLimit || n > 64<<20 || n%(1<<20) != 0 {
			t.Errorf("%s: BodyLimit is %d bytes", i.Name, n)
		}
	}
	if len(seen) != len(folders) {
		t.Errorf("%d providers in %d folders", len(seen), len(folders))
	}
}
