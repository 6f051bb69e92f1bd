package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
)

type providersCmd struct {
	Name string `arg:"" optional:"" help:"A provider, to see how it is set up."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (providersCmd) Help() string {
	return `Without a name: the catalogue. With one: the address to enter, the events to tick, where the secret is, what becomes what,
and what to test it with.

    strikeout providers
    strikeout providers postmark
    strikeout providers --json | jq -r '.[].name'`
}

// providerJSON is a provider in the catalogue.
type providerJSON struct {
	Name        string              `json:"name"`
	Title       string              `json:"title"`
	Channels    []recipient.Channel `json:"channels"`
	Docs        string              `json:"docs"`
	Signing     providers.Signing   `json:"signing"`
	Settings    []settingJSON       `json:"settings"`
	BusyStatus  int                 `json:"busy_status"`
	RejectFinal bool                `json:"reject_final"`
	RetryFor    string              `json:"retry_for"` // empty: it does not retry, or nobody says
	RetryNote   string              `json:"retry_note"`
	MaxAge      string              `json:"max_age"`    // empty: any age
	BodyLimit   int                 `json:"body_limit"` // bytes
	Setup       []string            `json:"setup"`
	Events      []string            `json:"events"`
	Mapping     []mappingJSON       `json:"mapping"`
	Gaps        []string            `json:"gaps"`
	Lists       []listJSON          `json:"lists"`
	Simulates   []sampleJSON        `json:"simulates"`
}

type settingJSON struct {
	Name     string   `json:"name"`
	Help     string   `json:"help"`
	List     bool     `json:"list"`
	Verifies bool     `json:"verifies"`
	File     bool     `json:"file"`
	Choices  []string `json:"choices,omitempty"`
	Default  string   `json:"default,omitempty"`
}

type mappingJSON struct {
	Report string         `json:"report"`
	Kind   recipient.Kind `json:"kind"` // empty: no event
	Echo   bool           `json:"echo"`
	Note   string         `json:"note,omitempty"`
}

// listJSON is one of the provider's own lists.
type listJSON struct {
	Title   string           `json:"title"`
	Kinds   []recipient.Kind `json:"kinds"`
	Page    string           `json:"page,omitempty"`
	Command string           `json:"command,omitempty"` // {address}, {address_path} and {address_json} stand for the address
	Note    string           `json:"note,omitempty"`
}

type sampleJSON struct {
	Name  string           `json:"name"`
	Title string           `json:"title"`
	Kinds []recipient.Kind `json:"kinds"`
}

func (cmd *providersCmd) Run(e *env) error {
	if cmd.Name == "" {
		infos := all.Infos()
		if cmd.JSON {
			out := make([]providerJSON, len(infos))
			for i, info := range infos {
				out[i] = describe(info)
			}
			return writeJSON(e.stdout, out)
		}
		return catalogue(e.stdout, infos)
	}
	info, err := lookupProvider(cmd.Name)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return writeJSON(e.stdout, describe(info))
	}
	// Setting a provider up must not need a working configuration.
	publicURL := "https://u.example.com"
	if c, err := e.config(nil); err == nil && c.said("public_url") != "" {
		publicURL = c.publicURL
	}
	howTo(e.stdout, info, publicURL)
	return nil
}

func lookupProvider(name string) (providers.Info, error) {
	if info, ok := all.Lookup(name); ok {
		return info, nil
	}
	var names []string
	for _, i := range all.Infos() {
		names = append(names, i.Name)
	}
	if near := nearest(name, names); near != "" {
		return providers.Info{}, usage("there is no provider %q, did you mean %q?", name, near)
	}
	return providers.Info{}, usage("there is no provider %q; strikeout providers lists them", name)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

func describe(i providers.Info) providerJSON {
	out := providerJSON{Name: i.Name, Title: i.Title, Channels: i.Channels, Docs: i.Docs, Signing: i.Signing, Settings: []settingJSON{},
		BusyStatus: i.Busy(), RejectFinal: i.RejectFinal, RetryFor: words(i.RetryFor), RetryNote: i.RetryNote, MaxAge: words(i.MaxAge), BodyLimit: i.MaxBody(),
		Setup: i.Setup, Events: i.Events, Mapping: []mappingJSON{}, Gaps: append([]string{}, i.Gaps...), Lists: []listJSON{}, Simulates: []sampleJSON{}}
	for _, s := range i.Settings {
		out.Settings = append(out.Settings, settingJSON(s))
	}
	for _, m := range i.Mapping {
		out.Mapping = append(out.Mapping, mappingJSON(m))
	}
	for _, l := range i.Lists {
		out.Lists = append(out.Lists, listJSON(l))
	}
	for _, s := range i.Simulate.Samples {
		out.Simulates = append(out.Simulates, sampleJSON{s.Name, s.Title, s.Kinds})
	}
	return out
}

// words writes a duration as people say it: "10h30m", "3d"; empty for none.
func words(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	var b strings.Builder
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / unit.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.name)
			d %= unit.size
		}
	}
	if b.Len() == 0 {
		return d.String()
	}
	return b.String()
}

func channels(i providers.Info) string {
	out := make([]string, len(i.Channels))
	for n, c := range i.Channels {
		out[n] = string(c)
	}
	return strings.Join(out, ", ")
}

func catalogue(w io.Writer, infos []providers.Info) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tPROVIDER\tCHANNELS\tSIGNED\tBUSY\tRETRIES FOR\tSETTINGS")
	for _, i := range infos {
		retry := words(i.RetryFor)
		if retry == "" {
			retry = "-"
		}
		var names []string
		for _, s := range i.Settings {
			names = append(names, s.Name)
		}
		if i.Signing != providers.SignsAlways {
			names = append(names, "path_secret|basic_auth")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", i.Name, i.Title, channels(i), i.Signing, i.Busy(), retry, strings.Join(names, " "))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	fmt.Fprintf(w, "\n%d providers. BUSY is the answer when the database is away, RETRIES FOR how long the provider then tries again.\n", len(infos))
	fmt.Fprintln(w, "strikeout providers NAME prints how to set one up.")
	return nil
}

// howTo prints how to set a provider up.
func howTo(w io.Writer, i providers.Info, publicURL string) {
	fmt.Fprintf(w, "%s (%s)\n%s\n", i.Title, channels(i), i.Docs)

	fmt.Fprint(w, "\n1. In strikeout.yaml, below endpoints:\n\n")
	fmt.Fprintf(w, "     %s:\n       provider: %s\n", i.Name, i.Name)
	guarded := i.Signing != providers.SignsAlways
	for _, s := range i.Settings {
		for _, line := range wrap(s.Help, 90) {
			fmt.Fprintf(w, "       # %s\n", line)
		}
		fmt.Fprintf(w, "       %s\n", exampleLine(i, s))
	}
	if guarded {
		lead, note := "", "the proof, as nothing is signed; openssl rand -hex 16; or basic_auth: \"user:password\""
		if i.Signing == providers.SignsOption {
			lead, note = "# ", "instead of a signature; openssl rand -hex 16; or basic_auth: \"user:password\""
		}
		fmt.Fprintf(w, "       "+lead+"path_secret: \"${%s_SECRET}\"   # %s\n", envName(i.Name), note)
	}

	address := strings.TrimSuffix(publicURL, "/") + "/webhooks/" + i.Name
	if i.Signing == providers.SignsNever {
		address += "/THE_PATH_SECRET"
	}
	fmt.Fprintf(w, "\n2. Restart strikeout serve. The address to enter at the provider:\n\n     %s\n", address)
	fmt.Fprint(w, "\n3. At the provider:\n\n")
	for n, step := range i.Setup {
		for l, line := range wrap(strings.ReplaceAll(step, "{url}", address), 94) {
			mark := "  "
			if l == 0 {
				mark = string(rune('a'+n%26)) + "."
			}
			fmt.Fprintf(w, "   %s %s\n", mark, line)
		}
	}
	if len(i.Events) > 0 {
		fmt.Fprintf(w, "\n   Events to tick: %s\n", strings.Join(i.Events, ", "))
	}
	fmt.Fprint(w, "\n4. Test it, with strikeout serve running:\n\n")
	for _, s := range i.Simulate.Samples {
		fmt.Fprintf(w, "     strikeout simulate %s %-12s # %s: %s\n", i.Name, s.Name, s.Title, kindsText(s.Kinds))
	}
	mappingTable(w, i)
}

func mappingTable(w io.Writer, i providers.Info) {
	fmt.Fprint(w, "\nWhat becomes what:\n\n")
	for _, m := range i.Mapping {
		kind := string(m.Kind)
		switch {
		case m.Kind == "":
			kind = "-"
		case m.Echo:
			kind += " (echo)"
		}
		if m.Note != "" {
			kind += ": " + m.Note
		}
		for n, line := range wrap(m.Report, 60) {
			if n == 0 {
				fmt.Fprintf(w, "  %-62s%s\n", line, kind)
				continue
			}
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	fmt.Fprintf(w, "\nWhen we cannot store, the answer is %d.", i.Busy())
	if d := words(i.RetryFor); d != "" {
		fmt.Fprintf(w, " The provider then tries again for %s.", d)
	}
	fmt.Fprintln(w)
	for _, line := range wrap(i.RetryNote, 98) {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintf(w, "A request may have %d MiB; body_limit changes that.\n", i.MaxBody()>>20)
	if len(i.Lists) > 0 {
		fmt.Fprint(w, "\nThe provider's own lists; what you lift in Strikeout stays there until you take it off:\n\n")
	}
	for _, l := range i.Lists {
		fmt.Fprintf(w, "  - %s\n", l.Title)
		for _, line := range append(wrap(l.Note, 94), l.Page, l.Fill("ADDRESS")) {
			if line != "" {
				fmt.Fprintf(w, "    %s\n", line)
			}
		}
	}
	if len(i.Gaps) > 0 {
		fmt.Fprint(w, "\nKnown gaps:\n\n")
	}
	for _, g := range i.Gaps {
		for n, line := range wrap(g, 94) {
			fmt.Fprintf(w, "  %s %s\n", map[bool]string{true: "-", false: " "}[n == 0], line)
		}
	}
}

func kindsText(kinds []recipient.Kind) string {
	if len(kinds) == 0 {
		return "nothing about delivery"
	}
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return strings.Join(out, ", ")
}

// exampleLine is one setting in YAML; what is optional is commented out.
func exampleLine(i providers.Info, s providers.Setting) string {
	value := fmt.Sprintf(`"${%s_%s}"`, envName(i.Name), strings.ToUpper(s.Name))
	switch {
	case len(s.Choices) > 0:
		value = s.Default
		if value == "" {
			value = s.Choices[0]
		}
		value += "   # " + strings.Join(s.Choices, ", ")
	case s.File:
		value = "[certificate.pem]"
	case s.Default != "":
		value = s.Default
	}
	if s.Verifies && i.Signing != providers.SignsNever {
		return s.Name + ": " + value
	}
	return "# " + s.Name + ": " + value
}

// envName turns "46elks" into a name that a shell takes.
func envName(provider string) string {
	name := strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(provider))
	if name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// wrap breaks text into lines of at most width characters, where it has spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
