package templates

import (
	"math"
	"regexp"
	"testing"
)

// TestContrast computes the contrast of every pair of colours that meet on the
// pages (WCAG 2.2, 1.4.3 text 4.5:1, 1.4.11 other 3:1).
func TestContrast(t *testing.T) {
	light, dark := stylesheetColours()
	for name, set := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, fault := range lowContrast(set) {
			t.Errorf("%s: %s", name, fault)
		}
	}
	if len(light) != len(dark) || len(light) < 10 {
		t.Errorf("got %d light and %d dark colours, want as many, at least 10", len(light), len(dark))
	}
	_, css := newPages(t, Options{}).Stylesheet()
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
