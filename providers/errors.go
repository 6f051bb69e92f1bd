package providers

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// ErrUnauthentic is wrapped by every refusal of Verify.
var ErrUnauthentic = errors.New("the request is not authentic")

// ErrNotNow is wrapped by an error of Verify or Handshake when the request may
// well be authentic but something that proves it, such as a certificate, cannot
// be fetched now. The provider should send it again.
var ErrNotNow = errors.New("cannot be checked now")

// StaleError says that a signed time is outside the replay window. It is an
// ErrUnauthentic.
type StaleError struct {
	Age    time.Duration // negative: signed in the future
	Window time.Duration
}

func (e *StaleError) Error() string {
	if e.Age < 0 {
		return fmt.Sprintf("%v: signed %s in the future", ErrUnauthentic, (-e.Age).Round(time.Second))
	}
	return fmt.Sprintf("%v: signed %s ago, the replay window is %s", ErrUnauthentic, e.Age.Round(time.Second), e.Window)
}

// Unwrap makes every StaleError an ErrUnauthentic.
func (e *StaleError) Unwrap() error { return ErrUnauthentic }

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("the request cannot be read")

// Unauthentic returns an error of Verify with a reason such as "the signature
// header is missing". The reason must not hold secrets or personal data.
func Unauthentic(provider, reason string) error {
	return fmt.Errorf("%s: %w: %s", provider, ErrUnauthentic, reason)
}

// Reason says why an authentic request, or a part of it, went to quarantine.
type Reason string

// The reasons.
const (
	Unreadable   Reason = "unreadable"    // not the format we know
	NoRecipient  Reason = "no_recipient"  // readable, but it names nobody
	BadRecipient Reason = "bad_recipient" // it names somebody who cannot be addressed
	RefusedRow   Reason = "refused_row"   // the database would not take it
)

// Reasons lists them.
func Reasons() []string {
	return []string{string(Unreadable), string(NoRecipient), string(BadRecipient), string(RefusedRow)}
}

// ParseError names the part of a webhook that could not be read: the field,
// never its value.
type ParseError struct {
	Provider, Field string // such as "acme", "events[3].ts"
	Reason          Reason // empty: Unreadable
	Err             error  // a plain cause: strconv and time errors quote their input, so they are not wrapped here
}

func (e *ParseError) Error() string {
	return e.Provider + ": " + e.Field + ": " + e.Err.Error()
}

// Unwrap makes every ParseError an ErrMalformed.
func (e *ParseError) Unwrap() []error { return []error{ErrMalformed, e.Err} }

// Plain causes for ParseErrors.
var (
	ErrNotJSON     = errors.New("not the expected JSON")
	ErrMissing     = errors.New("missing")
	ErrNotTime     = errors.New("not a time")
	ErrNoRecipient = errors.New("it names no recipient")
)

// Malformed returns a ParseError for a field that could not be read.
func Malformed(provider, field string, cause error) *ParseError {
	return &ParseError{Provider: provider, Field: field, Reason: Unreadable, Err: cause}
}

// Unresolved returns a ParseError for a report that names no recipient.
func Unresolved(provider, field string) *ParseError {
	return &ParseError{Provider: provider, Field: field, Reason: NoRecipient, Err: ErrNoRecipient}
}

// Batch collects the events of one request. One item that cannot be read does
// not cost the others.
type Batch struct {
	provider string
	events   []recipient.Event
	bad      []*ParseError
	rest     []byte
}

// maxRoom is for how many events room is made before they were read: two bytes of
// a body may look like one.
const maxRoom = 1000

// NewBatch returns an empty batch with room for n events.
func NewBatch(provider string, n int) *Batch {
	return &Batch{provider: provider, events: make([]recipient.Event, 0, min(n, maxRoom))}
}

// Grow makes room for n more events.
func (b *Batch) Grow(n int) { b.events = slices.Grow(b.events, min(n, maxRoom)) }

// Add appends an event.
func (b *Batch) Add(e recipient.Event) { b.events = append(b.events, e) }

// Reject notes an item that could not be read.
func (b *Batch) Reject(err *ParseError) { b.bad = append(b.bad, err) }

// Rejected returns how many items could not be read so far.
func (b *Batch) Rejected() int { return len(b.bad) }

// AddTo appends an event for the address that field holds, or rejects the item
// when the field is empty (NoRecipient) or holds no address (BadRecipient).
func (b *Batch) AddTo(c recipient.Channel, field, address string, e recipient.Event) {
	if address == "" {
		b.Reject(Unresolved(b.provider, field))
		return
	}
	a, err := recipient.Parse(c, address, "")
	if err != nil {
		b.Reject(&ParseError{Provider: b.provider, Field: field, Reason: BadRecipient, Err: err})
		return
	}
	e.Address = a
	b.Add(e)
}

// Keep names the smallest body that holds the rejected items, so that
// quarantine need not keep a whole array for one bad item. The adapter must be
// able to read it as a request of its own.
func (b *Batch) Keep(body []byte) { b.rest = body }

// Done returns what Parse returns.
func (b *Batch) Done() ([]recipient.Event, error) {
	if len(b.bad) == 0 {
		return b.events, nil
	}
	return b.events, &PartialError{Items: b.bad, Body: b.rest}
}

// PartialError says which items of a request could not be read.
type PartialError struct {
	Items []*ParseError
	Body  []byte // what to keep instead of the whole body; nil: the whole body
}

func (e *PartialError) Error() string {
	if len(e.Items) == 1 {
		return e.Items[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", e.Items[0], len(e.Items)-1)
}

// Unwrap returns the first item's error, so that errors.Is and errors.As see it.
func (e *PartialError) Unwrap() error { return e.Items[0] }

// ReasonOf returns the quarantine reason of an error of Parse. Of several
// items the first decides.
func ReasonOf(err error) Reason {
	var p *ParseError
	if errors.As(err, &p) && p.Reason != "" {
		return p.Reason
	}
	return Unreadable
}

// QuarantineBody returns the body to keep for an error of Parse.
func QuarantineBody(err error, whole []byte) []byte {
	var p *PartialError
	if errors.As(err, &p) && p.Body != nil {
		return p.Body
	}
	return whole
}
