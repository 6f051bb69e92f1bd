package templates

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast computes the contrast of every pair of colours that meet on the
// pages (WCAG 2.2, 1.4.3 text 4.5:1, 1.4.11 other 3:1).
func TestContrast(t *testing.T) {
	const text, other = 4.5, 3
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"text", "card", text}, {"text", "page", text}, {"text", "note", text},
		{"quiet", "card", text}, {"quiet", "page", text},
		{"on-action", "action", text}, {"on-action", "action-hover", text},
		{"action", "card", text}, {"action-hover", "card", text},
		{"error", "card", text},
		{"good", "card", other}, {"border", "card", other}, {"error", "card", other},
		{"focus", "card", other}, {"focus", "page", other},
	}
	_, css := newPages(t, Options{}).Stylesheet()
	light, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("the stylesheet has no dark colours")
	}
	for name, part := range map[string]string{"light": light, "dark": dark} {
		colours := colours(t, part)
		for _, p := range pairs {
			f, okF := colours[p.front]
			b, okB := colours[p.back]
			if !okF || !okB {
				t.Errorf("%s: --%s or --%s is not set", name, p.front, p.back)
				continue
			}
			if got := contrast(f, b); got < p.least {
				t.Errorf("%s: --%s on --%s: got %.2f:1, want at least %.1f:1", name, p.front, p.back, got, p.least)
			}
		}
	}
	// Colours outside the properties would escape the sums above.
	rules := regexp.MustCompile(`--[a-z-]+: #[0-9a-f]{6};`).ReplaceAllString(string(css), "")
	if found := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(|opacity`).FindString(rules); found != "" {
		t.Errorf("the stylesheet has a colour that is no custom property: %s", found)
	}
}

func TestContrastItself(t *testing.T) {
	black, white, grey := [3]float64{}, [3]float64{255, 255, 255}, [3]float64{0x77, 0x77, 0x77}
	if got := contrast(black, white); math.Abs(got-21) > 1e-9 {
		t.Errorf("black on white: got %v, want 21", got)
	}
	if got := contrast(white, grey); math.Abs(got-4.478) > 0.001 {
		t.Errorf("#777 on white: got %v, want 4.478", got)
	}
}

func colours(t *testing.T, css string) map[string][3]float64 {
	t.Helper()
	out := map[string][3]float64{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		n, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		out[m[1]] = [3]float64{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
	}
	return out
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
