package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
)

const root = "../../.."

func TestFresh(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := render(all.Infos(), readme)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := compare(os.DirFS(root), files)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stale {
		t.Errorf("%s is stale: run `make generate` and read the difference", path)
	}
}

var acme = providers.Info{
	Name: "9acme-sms", Title: "Acme | SMS", Channels: []recipient.Channel{recipient.Email, recipient.SMS}, Docs: "https://acme.example/docs", Signing: providers.SignsNever,
	BusyStatus: 429, RejectFinal: true, RetryFor: 36 * time.Hour, RetryNote: "Every hour.", MaxAge: 5 * time.Minute,
	Settings: []providers.Setting{{Name: "mode", Help: "A or B.", Choices: []string{"a", "b"}, Default: "a"}, {Name: "words", Help: "More words.", List: true}, {Name: "hard_codes", Help: "Codes."}},
	Setup:    []string{"Enter {url}.", "Or {url}?to=[TO], with <region> and skip_*.", "Paste:\nif a < b then\n  post '{url}'\nend"},
	Events:   []string{"all_*"},
	Mapping:  []providers.Mapping{{Report: "gone", Kind: recipient.HardBounce, Echo: true, Note: "a|b"}, {Report: "sent"}},
	Gaps:     []string{"It is <old>; use hard_codes."},
	Simulate: providers.Simulator{Samples: []providers.Sample{{Name: "hard", Title: "Gone", Kinds: []recipient.Kind{recipient.HardBounce}}, {Name: "sent", Title: "On its way"}}},
}

func TestRender(t *testing.T) {
	readme := "# A\n" + begin + "\nold\n" + end + "\nrest\n"
	files, err := render([]providers.Info{acme}, []byte(readme))
	if err != nil {
		t.Fatal(err)
	}
	for path, wants := range map[string][]string{
		"README.md": {
			"# A\n" + begin + "\n| provider |", end + "\nrest\n",
			`| [Acme \| SMS](docs/providers/9acme-sms.md) | e-mail, SMS | no: secret address | ✓ |   |   |   |   |   | 36 hours |`,
		},
		"docs/providers/README.md": {`| [Acme \| SMS](9acme-sms.md) |`},
		"docs/providers/9acme-sms.md": {
			`# Acme \| SMS`, "<https://acme.example/docs>", `9acme-sms: {provider: 9acme-sms, path_secret: "${ACME_SMS9_SECRET}"}`,
			"1. Enter `https://u.example.com/webhooks/9acme-sms/SECRET`.\n",
			"2. Or `https://u.example.com/webhooks/9acme-sms/SECRET?to=[TO]`, with &lt;region> and skip_\\*.\n",
			"3. Paste:\n\n   ```\n   if a < b then\n     post 'https://u.example.com/webhooks/9acme-sms/SECRET'\n   end\n   ```\n",
			"- all_\\*\n", "| `mode` | `a`, `b`; default `a` | A or B. |", "| `words` | one or more | More words. |",
			`| gone | hard bounce, *echo* | a\|b |`, "| sent | nothing |  |", "An *echo* is", "answers 429. Every hour.", "about 36 hours.", "A 4xx is final", "accepted for 5 minutes",
			"- It is &lt;old>; use `hard_codes`.", "strikeout simulate 9acme-sms hard\n", "| `hard` | Gone | hard bounce |", "| `sent` | On its way | nothing |",
		},
	} {
		for _, want := range wants {
			if !strings.Contains(string(files[path]), want) {
				t.Errorf("%s: %q is missing in\n%s", path, want, files[path])
			}
		}
	}
	if strings.Contains(string(files["README.md"]), "old") {
		t.Error("the old table is still there")
	}
	again, err := render([]providers.Info{acme}, files["README.md"])
	if err != nil || string(again["README.md"]) != string(files["README.md"]) {
		t.Errorf("the second run changes the README (%v)", err)
	}
}

// TestTable: a provider that blocks only for codes the operator names says so.
func TestTable(t *testing.T) {
	i := acme
	i.Mapping, i.RetryFor = i.Mapping[1:], 0
	if got, want := table([]providers.Info{i}, ""), `| no: secret address | (✓) |   |   |   |   |   | not known |`; !strings.Contains(got, want) {
		t.Errorf("%q is missing in\n%s", want, got)
	}
}

func TestMarkers(t *testing.T) {
	for _, readme := range []string{"", begin, end + begin} {
		if _, err := render(nil, []byte(readme)); !errors.Is(err, errMarkers) {
			t.Errorf("%q: %v", readme, err)
		}
	}
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"same": "1", "changed": "1", "gone": "1"} {
		if err := os.WriteFile(filepath.Join(dir, folder, name+".md"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string][]byte{folder + "/same.md": []byte("1"), folder + "/changed.md": []byte("2"), folder + "/new.md": []byte("1")}
	stale, err := compare(os.DirFS(dir), files)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(stale, " "), folder+"/changed.md "+folder+"/new.md "+folder+"/gone.md"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	if err := run([]string{dir}, &out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a README: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("# A\n"+begin+"\n"+end+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, folder, "gone.md"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{dir}, &out); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(out.String(), "\n"), len(all.Infos())+3; got != want { // the index, the README, and the page that is gone
		t.Errorf("changed %d files, want %d", got, want)
	}
	out.Reset()
	if err := run([]string{dir}, &out); err != nil || out.Len() > 0 {
		t.Errorf("the second run: %v, changed %s", err, out.String())
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "24 hours", 48 * time.Hour: "2 days", 36 * time.Hour: "36 hours", time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 630 * time.Minute: "11 hours", 65 * time.Second: "65 seconds", time.Minute: "1 minute", 20 * time.Second: "20 seconds",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
