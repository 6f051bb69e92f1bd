package templates

import (
	"bytes"
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

const linkPath = samplePath

func address(t testing.TB, c recipient.Channel, s string) recipient.Address {
	t.Helper()
	a, err := recipient.Parse(c, s, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newPages(t testing.TB, o Options) *Pages {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var shop = Options{
	Sender:     "Example Oy",
	HelpURL:    "mailto:help@example.com",
	PrivacyURL: "https://example.com/privacy",
}

func render(t testing.TB, p *Pages, lang string, v View) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Render(&b, lang, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
