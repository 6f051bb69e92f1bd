package templates

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
)

// TestSkeletons: a page that was kept says the same as one that is rendered,
// whatever stands in its gaps, in whatever order people come.
func TestSkeletons(t *testing.T) {
	p := newPages(t, shop)
	views := []View{}
	for _, s := range samples() {
		views = append(views, s.view)
	}
	for _, l := range []Link{
		{Path: "/u/other.token-_~", Channel: recipient.SMS, Address: Mask(recipient.Stored(recipient.SMS, "+15550100123")), SendOut: "a.b_c-1"},
		{Path: "/u/abc%2Edef", Channel: recipient.Email, Address: Mask(recipient.Stored(recipient.Email, "é@example.com"))},
		{Path: "/u/x", SendOut: `"><script>alert(1)</script>`},
		{Path: `/u/"><script>`, Address: Mask(recipient.Stored(recipient.Email, `<@b>.c`))},
		{Path: "/u/x", SendOut: strings.Repeat("long", 40)},
		{Path: "/u/x", SendOut: " a  b "},
		{Path: "/u/x", SendOut: "\u202e"},
		{},
	} {
		views = append(views, Confirm{Link: l}, Done{Link: l, CanUndo: true, Others: true}, Already{Link: l, CanUndo: true}, Already{Link: l, Nonce: "abc"})
	}
	same := strings.NewReplacer("&#43;", "+") // html/template writes what means the same
	for _, lang := range []string{"en", "ar", "xx"} {
		for round := range 2 {
			for _, v := range views {
				var want bytes.Buffer
				known := lang
				if known == "xx" {
					known = "en"
				}
				if err := p.render(&want, p.pages, known, v); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(same.Replace(want.String()), same.Replace(render(t, p, lang, v))); d != "" {
					t.Errorf("%s, round %d, %+v (-want +got):\n%s", lang, round, v, d)
				}
			}
		}
	}
	for _, path := range []string{"//evil.example/u/x", "https://evil.example", "u/x"} {
		if err := p.Render(io.Discard, "en", Confirm{Link: Link{Path: path}}); err == nil {
			t.Errorf("the path %q: got no error", path)
		}
	}
	if own := newPages(t, with(shop, dir("pages/requested.html", "<h1>OK</h1>"))); own.skeletons != nil {
		t.Error("an operator's pages are kept: their authors decide where a value stands")
	}
}
