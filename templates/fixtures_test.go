package templates

import (
	"bytes"
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

const linkPath = "/u/eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJxIn0.c2ln"

// fixture is one page as some visitor meets it.
type fixture struct {
	name string
	view View
}

// fixtures are every page in every shape.
func fixtures(t testing.TB) []fixture {
	t.Helper()
	email := Link{Path: linkPath, Channel: recipient.Email, Address: Mask(address(t, recipient.Email, "maija@example.fi")), SendOut: "spring-2026"}
	sms := Link{Path: linkPath, Channel: recipient.SMS, Address: Mask(address(t, recipient.SMS, "+358401234567"))}
	unknown := Link{Path: linkPath, Channel: recipient.Email}
	return []fixture{
		{"confirm", Confirm{email, true}},
		{"confirm sms", Confirm{sms, false}},
		{"confirm unknown address", Confirm{unknown, false}},
		{"expired", Expired{email, "bm9uY2U", false}},
		{"confirm_key", ConfirmKey{Link: email, Nonce: "bm9uY2U", Others: true}},
		{"confirm_key again", ConfirmKey{Link: sms, Nonce: "bm9uY2U", Again: true}},
		{"done", Done{Link: email, CanUndo: true, Others: true}},
		{"done plain", Done{Link: unknown}},
		{"already", Already{Link: email, CanUndo: true, Others: true}},
		{"already plain", Already{Link: sms}},
		{"everything_stopped", EverythingStopped{Link: email, CanUndo: true}},
		{"everything_stopped plain", EverythingStopped{Link: sms}},
		{"undone", Undone{email}},
		{"undo_refused none", UndoRefused{email, UndoNone}},
		{"undo_refused late", UndoRefused{email, UndoLate}},
		{"undo_refused before", UndoRefused{sms, UndoBefore}},
		{"undo_refused complaint", UndoRefused{email, UndoComplaint}},
		{"bad_link", BadLink{}},
		{"bad_link missing", BadLink{Path: "/u/broken", Missing: true}},
		{"requested", Requested{}},
		{"pending", Pending{email}},
		{"received", Received{email}},
		{"preview", Preview{email, false}},
		{"preview pressed", Preview{email, true}},
		{"unavailable", Unavailable{Path: linkPath, All: true, Nonce: "bm9uY2U"}},
		{"unavailable undo", Unavailable{Path: linkPath, Undo: true}},
		{"unavailable typed", Unavailable{Address: `"><b>typed@example.com`}},
		{"unavailable plain", Unavailable{}},
	}
}

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
