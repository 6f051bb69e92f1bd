package templates

import "github.com/strikeout/strikeout/recipient"

// sample is one page as some visitor meets it.
type sample struct {
	name string
	view View
}

// samplePath is the path of no link.
const samplePath = "/u/eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJxIn0.c2ln"

// samples are every page in every shape: tests look at them, and an operator's
// own pages are judged by them.
func samples() []sample {
	const nonce = "bm9uY2U"
	email := Link{Path: samplePath, Channel: recipient.Email, Address: Mask(recipient.Stored(recipient.Email, "maija@example.fi")), SendOut: "spring-2026"}
	sms := Link{Path: samplePath, Channel: recipient.SMS, Address: Mask(recipient.Stored(recipient.SMS, "+358401234567"))}
	unknown := Link{Path: samplePath, Channel: recipient.Email}
	return []sample{
		{"confirm", Confirm{email, true}},
		{"confirm sms", Confirm{sms, false}},
		{"confirm unknown address", Confirm{unknown, false}},
		{"expired", Expired{email, nonce, false}},
		{"confirm_key", ConfirmKey{Link: email, Nonce: nonce, Others: true}},
		{"confirm_key again", ConfirmKey{Link: sms, Nonce: nonce, Again: true}},
		{"done", Done{Link: email, CanUndo: true, Others: true}},
		{"done plain", Done{Link: unknown}},
		{"already", Already{Link: email, CanUndo: true, Others: true}},
		{"already plain", Already{Link: sms}},
		{"everything_stopped", EverythingStopped{Link: email, CanUndo: true}},
		{"everything_stopped plain", EverythingStopped{Link: sms}},
		{"undone", Undone{Link: email, Nonce: nonce}},
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
		{"unavailable", Unavailable{Path: samplePath, All: true, Nonce: nonce}},
		{"unavailable undo", Unavailable{Path: samplePath, Undo: true}},
		{"unavailable typed", Unavailable{Address: `"><b>typed@example.com`}},
		{"unavailable plain", Unavailable{}},
	}
}
