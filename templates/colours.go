package templates

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// WCAG 2.2: text needs a contrast of 4.5:1 (1.4.3), all else that has a meaning
// 3:1 (1.4.11).
const (
	textContrast  = 4.5
	otherContrast = 3
)

// meeting are the colours that meet on the pages.
var meeting = []struct {
	front, back string
	least       float64
}{
	{"text", "card", textContrast}, {"text", "page", textContrast}, {"text", "note", textContrast},
	{"quiet", "card", textContrast}, {"quiet", "page", textContrast},
	{"on-action", "action", textContrast}, {"on-action", "action-hover", textContrast},
	{"action", "card", textContrast}, {"action-hover", "card", textContrast},
	{"error", "card", textContrast},
	{"good", "card", otherContrast}, {"border", "card", otherContrast}, {"error", "card", otherContrast},
	{"focus", "card", otherContrast}, {"focus", "page", otherContrast},
}

// colours are an operator's own, by the names that the stylesheet gives them.
type colours struct {
	Light map[string]string `json:"light"`
	Dark  map[string]string `json:"dark"`
}

// css returns rules that stand after the stylesheet and change it.
func (c colours) css() string {
	rules := func(indent string, set map[string]string) string {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(set)) {
			fmt.Fprintf(&b, "%s  --%s: %s;\n", indent, name, set[name])
		}
		return indent + ":root {\n" + b.String() + indent + "}\n"
	}
	css := ""
	if len(c.Light) > 0 {
		css = rules("", c.Light)
	}
	// Light colours of the operator must not show in the dark: the dark ones of
	// the stylesheet come again.
	if len(c.Light) > 0 || len(c.Dark) > 0 {
		_, dark := stylesheetColours()
		maps.Copy(dark, c.Dark)
		css += "@media (prefers-color-scheme: dark) {\n" + rules("  ", dark) + "}\n"
	}
	return css
}

// check returns what is wrong with the colours, together with those of the
// stylesheet that stay.
func (c colours) check() []string {
	var faults []string
	light, dark := stylesheetColours()
	for _, scheme := range []struct {
		name      string
		base, own map[string]string
	}{{"light", light, c.Light}, {"dark", dark, c.Dark}} {
		where := "colours." + scheme.name
		malformed := false
		for _, name := range slices.Sorted(maps.Keys(scheme.own)) {
			value := scheme.own[name]
			switch _, err := parseColour(value); {
			case scheme.base[name] == "":
				faults = append(faults, fmt.Sprintf("%s: unknown colour %s, expected some of %s", where, name, strings.Join(slices.Sorted(maps.Keys(scheme.base)), ", ")))
				malformed = true
			case err != nil:
				faults = append(faults, fmt.Sprintf("%s.%s: %v", where, name, err))
				malformed = true
			}
		}
		if malformed || len(scheme.own) == 0 {
			continue
		}
		all := maps.Clone(scheme.base)
		maps.Copy(all, scheme.own)
		for _, fault := range lowContrast(all) {
			faults = append(faults, where+": "+fault)
		}
	}
	return faults
}

// lowContrast names the pairs of colours that meet on the pages and are too
// much alike.
func lowContrast(set map[string]string) []string {
	var faults []string
	for _, m := range meeting {
		front, err := parseColour(set[m.front])
		if err != nil {
			faults = append(faults, m.front+": "+err.Error())
			continue
		}
		back, err := parseColour(set[m.back])
		if err != nil {
			faults = append(faults, m.back+": "+err.Error())
			continue
		}
		if got := contrast(front, back); got < m.least {
			faults = append(faults, fmt.Sprintf("%s on %s has a contrast of %.2f:1, which must be at least %.1f:1", m.front, m.back, got, m.least))
		}
	}
	return faults
}

var (
	customProperty = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	colourValue    = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
)

// stylesheetColours returns the colours of the embedded stylesheet.
func stylesheetColours() (light, dark map[string]string) {
	read := func(css string) map[string]string {
		set := map[string]string{}
		for _, m := range customProperty.FindAllStringSubmatch(css, -1) {
			set[m[1]] = m[2]
		}
		return set
	}
	css, err := files.ReadFile("assets/style.css")
	if err != nil {
		panic(err) // it is embedded
	}
	first, second, _ := strings.Cut(string(css), "prefers-color-scheme: dark")
	return read(first), read(second)
}

func parseColour(s string) ([3]float64, error) {
	if !colourValue.MatchString(s) {
		return [3]float64{}, errors.New(`expected a colour such as "#1f4fb5"`)
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return [3]float64{}, err //nolint:wrapcheck // the pattern leaves none
	}
	return [3]float64{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}, nil
}

// contrast is the ratio of WCAG 2.2, "contrast ratio".
func contrast(a, b [3]float64) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c [3]float64) float64 {
	var sum float64
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
