package store

import (
	"errors"
	"fmt"

	"github.com/strikeout/strikeout/recipient"
)

// The errors that callers tell apart. Every other error of this package means
// that the call did nothing and why; ErrUnavailable is the one to repeat.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("store: not found")
	// ErrUnavailable: the database cannot take or answer this now. What was asked
	// may be asked again; nothing counts twice.
	ErrUnavailable = errors.New("store: the database is not available now")
	// ErrConsent: an opt-in needs the consent it rests on, with its source and wording.
	ErrConsent = errors.New("store: an opt-in needs recorded consent")
	// ErrQuarantineFull: the endpoint's share of the quarantine is used up, or the request is larger than MaxHeldBytes.
	ErrQuarantineFull = errors.New("store: the quarantine is full")
	// ErrRequestsFull: people's requests wait in such number that somebody must read them first.
	ErrRequestsFull = errors.New("store: too many requests wait for an administrator")
	// ErrWrongAddressKey: the database was filled with another address key.
	ErrWrongAddressKey = errors.New("store: this address key does not belong to this database")
	// ErrNotMigrated: the tables are missing or older than the program. It is an ErrUnavailable too.
	ErrNotMigrated = fmt.Errorf("%w: its tables are missing or old, run strikeout migrate", ErrUnavailable)
	// ErrRetention: a rebuild is refused because retention has deleted events.
	ErrRetention = errors.New("store: retention has deleted events, states can only be raised")
	// ErrExists: there is a contact with this external id already.
	ErrExists = errors.New("store: there is a contact with this external id")
	// ErrChanged: what the caller has seen is not what stands there now.
	ErrChanged = errors.New("store: it was changed meanwhile")
	// ErrInvalid: the caller passed something that cannot be stored.
	ErrInvalid = errors.New("store: invalid")
)

// SharedError says that a contact's new address belongs to other contacts. The
// caller may ask again with PutOptions.AcceptShared.
type SharedError struct {
	Channel  recipient.Channel
	Contacts int // how many others
}

func (e *SharedError) Error() string {
	return fmt.Sprintf("store: the %s address belongs to %d other contacts", e.Channel, e.Contacts)
}

// UndoError says why an opt-out cannot be taken back.
type UndoError struct{ Reason string }

// The reasons of UndoError.
const (
	UndoNone      = "none"      // no opt-out by this link stands
	UndoLate      = "late"      // too long ago
	UndoBefore    = "before"    // the address was opted out already when the link was used
	UndoComplaint = "complaint" // reported as spam
)

func (e *UndoError) Error() string { return "store: the opt-out cannot be undone: " + e.Reason }
