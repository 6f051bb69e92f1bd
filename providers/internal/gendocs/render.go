package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

const (
	begin  = "<!-- providers:begin -->"
	end    = "<!-- providers:end -->"
	notice = "<!-- Made from the code by `make generate`; change the provider's info.go instead. -->\n"
)

var errMarkers = errors.New("README.md: expected " + begin + " and " + end + " after it")

// render returns every file by its path from the project's root.
func render(infos []providers.Info, readme []byte) (map[string][]byte, error) {
	files := map[string][]byte{folder + "/README.md": index(infos)}
	for _, i := range infos {
		files[folder+"/"+i.Name+".md"] = page(i)
	}
	before, rest, ok := bytes.Cut(readme, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return nil, errMarkers
	}
	middle := begin + "\n" + table(infos, folder+"/") + end
	files["README.md"] = slices.Concat(before, []byte(middle), after)
	return files, nil
}

func sorted(files map[string][]byte) []string {
	var paths []string
	for p := range files {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	return paths
}

// text makes a sentence safe inside Markdown, in a table as elsewhere.
var text = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "\n", " ").Replace

// named matches the settings that every endpoint has and those of one provider,
// as far as they cannot be taken for ordinary words.
func named(i providers.Info) *regexp.Regexp {
	names := []string{"basic_auth", "path_secret", "max_age"}
	for _, s := range i.Settings {
		if strings.Contains(s.Name, "_") {
			names = append(names, regexp.QuoteMeta(s.Name))
		}
	}
	return regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
}

func index(infos []providers.Info) []byte {
	var b bytes.Buffer
	b.WriteString("# Providers\n\n" + notice + `
What Strikeout reads, and how to set each provider up. ` + "`strikeout providers NAME`" + ` prints the same on a terminal.
A column says what a provider's webhooks can report: without "hard bounce" nothing from it blocks an address by itself.
(✓) means that it does so only for codes that you name in ` + "`hard_codes`" + `, because the provider does not say which mean a faulty number.

` + table(infos, "") + `
A new one is one folder and one line: [adding a provider](../adding-a-provider.md).
`)
	return b.Bytes()
}

// columns are the kinds that the table tells about.
var columns = []struct {
	title string
	kind  recipient.Kind
}{
	{"hard bounce", recipient.HardBounce},
	{"soft bounce", recipient.SoftBounce},
	{"complaint", recipient.Complaint},
	{"opt-out", recipient.OptOut},
	{"START", recipient.OptIn},
	{"delivered", recipient.Delivered},
}

func table(infos []providers.Info, prefix string) string {
	var b strings.Builder
	b.WriteString("| provider | channels | signed | ")
	for _, c := range columns {
		b.WriteString(c.title + " | ")
	}
	b.WriteString("tries again for |\n|---|---|---|" + strings.Repeat(":-:|", len(columns)) + "---|\n")
	for _, i := range infos {
		fmt.Fprintf(&b, "| [%s](%s%s.md) | %s | %s | ", text(i.Title), prefix, i.Name, channels(i), signed[i.Signing])
		for _, c := range columns {
			mark := " "
			if c.kind == recipient.HardBounce && slices.ContainsFunc(i.Settings, func(s providers.Setting) bool { return s.Name == "hard_codes" }) {
				mark = "(✓)"
			}
			if slices.ContainsFunc(i.Mapping, func(m providers.Mapping) bool { return m.Kind == c.kind }) {
				mark = "✓"
			}
			b.WriteString(mark + " | ")
		}
		b.WriteString(retries(i) + " |\n")
	}
	return b.String()
}

var signed = map[providers.Signing]string{providers.SignsAlways: "yes", providers.SignsOption: "if you set a secret", providers.SignsNever: "no: secret address"}

func channels(i providers.Info) string {
	var out []string
	for _, c := range i.Channels {
		out = append(out, map[recipient.Channel]string{recipient.Email: "e-mail", recipient.SMS: "SMS"}[c])
	}
	return strings.Join(out, ", ")
}

func retries(i providers.Info) string {
	if i.RetryFor == 0 {
		return "not known"
	}
	return span(i.RetryFor)
}

// span writes a duration as people say it: whole days from two days on, whole
// hours from two hours on.
func span(d time.Duration) string {
	unit, name := time.Second, "second"
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		unit, name = 24*time.Hour, "day"
	case d >= 2*time.Hour || d == time.Hour:
		unit, name = time.Hour, "hour"
	case d >= 2*time.Minute || d == time.Minute:
		unit, name = time.Minute, "minute"
	}
	n := d.Round(unit) / unit
	if n != 1 {
		name += "s"
	}
	return fmt.Sprintf("%d %s", n, name)
}

func page(i providers.Info) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	names := named(i)
	text := func(s string) string { return names.ReplaceAllString(text(s), "`$1`") }
	p("# %s\n\n%s\n", text(i.Title), notice)
	p("Channels: %s. The provider's own documentation: <%s>.\n\n%s\n\n", channels(i), i.Docs, proof[i.Signing])
	p("## Set it up\n\n```yaml\nendpoints:\n  %s: {provider: %s, %s}\n```\n\n", i.Name, i.Name, example(i))
	for n, s := range i.Setup {
		p("%d. %s\n", n+1, step(i, s, text))
	}
	if len(i.Events) > 0 {
		p("\nEvents to choose:\n\n")
		for _, e := range i.Events {
			p("- %s\n", text(e))
		}
	}
	p("\n## Settings\n\n")
	if len(i.Settings) > 0 {
		p("| setting | values | |\n|---|---|---|\n")
		for _, s := range i.Settings {
			p("| `%s` | %s | %s |\n", s.Name, values(s), text(s.Help))
		}
		p("\n")
	}
	p("Every endpoint also has `basic_auth`, `path_secret`, `unsigned`, `max_age`, `url` and `body_limit`; the [README](../../README.md#run-it-in-production) explains them.\n")
	p("\n## What becomes what\n\n| report | becomes | |\n|---|---|---|\n")
	for _, m := range i.Mapping {
		p("| %s | %s | %s |\n", text(m.Report), becomes(m), text(m.Note))
	}
	if slices.ContainsFunc(i.Mapping, func(m providers.Mapping) bool { return m.Echo }) {
		p("\nAn *echo* is a report that the provider's own list holds the address because of something older. It never outweighs what a person did since.\n")
	}
	if len(i.Lists) > 0 {
		p("\n## The provider's own lists\n\nThe provider keeps addresses on lists of its own and drops messages to them. What is lifted in Strikeout stays there until you take it off; the contact card shows this with the address filled in.\n")
		for _, l := range i.Lists {
			p("\n- **%s**", text(l.Title))
			if l.Page != "" {
				p(": <%s>", l.Page)
			}
			p("\n")
			if l.Note != "" {
				p("  %s\n", text(l.Note))
			}
			if l.Command != "" {
				p("\n  ```sh\n  %s\n  ```\n", l.Fill("nobody@example.com"))
			}
		}
	}
	p("\n## When a report cannot be stored\n\nStrikeout answers %d. %s", i.Busy(), text(i.RetryNote))
	if i.RetryFor > 0 {
		p(" Reports survive an outage of about %s.", span(i.RetryFor))
		if i.RetryFor < time.Hour {
			p(" A longer one loses them, unless a [spool](../../README.md#what-the-spool-protects) is set.")
		}
	}
	if i.RejectFinal {
		p(" A 4xx is final for this provider: after a wrong secret, an endpoint that worked before answers %d for up to 24 hours, and not 401.", i.Busy())
	}
	if i.MaxAge > 0 {
		p(" A signature is accepted for %s (`max_age`).", span(i.MaxAge))
	}
	p(" A request may have %d MiB (`body_limit`).\n", i.MaxBody()>>20)
	if len(i.Gaps) > 0 {
		p("\n## Known gaps\n\n")
		for _, g := range i.Gaps {
			p("- %s\n", text(g))
		}
	}
	p("\n## Try it\n\n```sh\nstrikeout simulate %s %s\n```\n\nsends a request as the provider would, with your endpoint's secrets. ", i.Name, i.Simulate.Samples[0].Name)
	p("The events:\n\n| event | | becomes |\n|---|---|---|\n")
	for _, s := range i.Simulate.Samples {
		var kinds []string
		for _, k := range s.Kinds {
			kinds = append(kinds, kindNames[k])
		}
		if len(kinds) == 0 {
			kinds = []string{"nothing"}
		}
		p("| `%s` | %s | %s |\n", s.Name, text(s.Title), strings.Join(kinds, ", "))
	}
	return b.Bytes()
}

var proof = map[providers.Signing]string{
	providers.SignsAlways: "It signs its requests; an endpoint without the secret or key does not start.",
	providers.SignsOption: "It proves its requests where you set that up; otherwise the endpoint needs a `path_secret` or `basic_auth`.",
	providers.SignsNever:  "It signs nothing, so the endpoint needs a `path_secret` or `basic_auth`.",
}

var kindNames = map[recipient.Kind]string{
	recipient.HardBounce: "hard bounce", recipient.SoftBounce: "soft bounce", recipient.Complaint: "complaint", recipient.OptOut: "opt-out",
	recipient.OptIn: "opt-in", recipient.Reactivation: "reactivation (history only)", recipient.Delivered: "delivered",
}

func becomes(m providers.Mapping) string {
	switch name := kindNames[m.Kind]; {
	case name == "":
		return "nothing"
	case m.Echo:
		return name + ", *echo*"
	default:
		return name
	}
}

func values(s providers.Setting) string {
	out := "one value"
	switch {
	case len(s.Choices) > 0:
		out = "`" + strings.Join(s.Choices, "`, `") + "`"
	case s.File && s.List:
		out = "one or more files"
	case s.File:
		out = "a file"
	case s.List && s.Verifies:
		out = "one or more (rotation)"
	case s.List:
		out = "one or more"
	}
	if s.Default != "" {
		out += "; default `" + s.Default + "`"
	}
	return out
}

// example returns the setting that proves the origin, for the configuration.
func example(i providers.Info) string {
	letters := strings.ReplaceAll(i.Name, "-", "_")
	if digits := len(letters) - len(strings.TrimLeft(letters, "0123456789")); digits > 0 { // no variable starts with a digit
		letters = letters[digits:] + letters[:digits]
	}
	secret := `"${` + strings.ToUpper(letters) + `_SECRET}"`
	for _, s := range i.Settings {
		switch {
		case !s.Verifies:
		case strings.HasSuffix(s.Name, "secret") || strings.HasSuffix(s.Name, "token"):
			return s.Name + ": " + secret
		default:
			return s.Name + `: ["..."]`
		}
	}
	return "path_secret: " + secret
}

var urls = regexp.MustCompile(`\{url\}\S*`)

// step writes a setup step; the address to enter, with what stands behind it,
// becomes code, and so do the lines after the first.
func step(i providers.Info, s string, text func(string) string) string {
	address := "https://u.example.com/webhooks/" + i.Name
	if i.Signing == providers.SignsNever {
		address += "/SECRET"
	}
	s, code, ok := strings.Cut(s, "\n")
	if ok {
		code = strings.ReplaceAll(strings.Trim(code, "\n"), "{url}", address)
		code = "\n\n   ```\n   " + strings.ReplaceAll(code, "\n", "\n   ") + "\n   ```\n"
	}
	var b strings.Builder
	for {
		at := urls.FindStringIndex(s)
		if at == nil {
			break
		}
		span := strings.TrimRight(s[at[0]:at[1]], ".,;:)")
		b.WriteString(text(s[:at[0]]) + "`" + strings.Replace(span, "{url}", address, 1) + "`")
		s = s[at[0]+len(span):]
	}
	return b.String() + text(s) + code
}
