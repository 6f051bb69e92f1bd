package providers

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Request is one webhook request, copied out of the HTTP server's memory.
type Request struct {
	Method string
	// URL is the address as the provider called it, with its query: what
	// URL-signing providers signed. RawQuery is the query alone.
	URL      string
	RawQuery string
	Header   http.Header
	Body     []byte // as sent, after a content encoding was undone

	Endpoint   string    // the configured name
	ReceivedAt time.Time // set once by the handler; the only clock of an adapter
	// MaxAge is the replay window for signed timestamps; 0 accepts any age.
	MaxAge time.Duration
	// Guarded says that a path secret or Basic credentials of the endpoint
	// matched before the adapter was asked.
	Guarded bool

	query, form url.Values
	parts       map[string][]byte
	only        *onlyField
	decoded     any
}

// Decoded returns what an adapter makes of a request's body, and keeps it where
// that went well: Verify and Parse often need the same, and decoding is most of
// their time.
func Decoded[T any](r *Request, decode func() (T, error)) (T, error) {
	if v, ok := r.decoded.(T); ok {
		return v, nil
	}
	v, err := decode()
	if err == nil {
		r.decoded = v
	}
	return v, err
}

// Adapter reads the webhooks of one provider for one endpoint. It does no I/O,
// knows no clock and no environment, and is safe for concurrent use.
type Adapter interface {
	// Verify returns nil for a request that the provider made, else an error that
	// wraps ErrUnauthentic and says why in words without secrets, or ErrNotNow.
	Verify(ctx context.Context, r *Request) error
	// Parse returns what the request reports. Events and an error may come
	// together: the events stand, and the error (it wraps ErrMalformed) names the
	// items that could not be read. Reports that are not about delivery give no
	// events and no error.
	Parse(r *Request) ([]recipient.Event, error)
}

// Reply is a response that a provider expects word for word.
type Reply struct {
	Status int // 0: 200
	Header http.Header
	Body   []byte
}

// Handshaker is for providers that check the URL before they use it. Handshake
// runs before Verify, so it checks itself whatever the handshake signs. It
// returns nil, nil for an ordinary delivery.
type Handshaker interface {
	Handshake(ctx context.Context, r *Request) (*Reply, error)
}

// Replier is for providers that expect a fixed body after a stored delivery.
type Replier interface {
	Reply(r *Request) *Reply
}

// Query returns the parsed query; pairs that cannot be decoded are left out.
func (r *Request) Query() url.Values {
	if r.query == nil {
		r.query, _ = parseValues([]byte(r.RawQuery)) //nolint:errcheck // the readable rest is what we want
	}
	return r.query
}

// ErrForm is returned for a body that is no form.
var ErrForm = errors.New("the body is not a form")

const maxFormParts = 200

// Form returns the fields of an urlencoded or multipart body, read whatever
// the Content-Type says when there is none. Files of a multipart body are in
// File. The error is ErrForm.
func (r *Request) Form() (url.Values, error) {
	if r.form != nil {
		return r.form, nil
	}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) //nolint:errcheck // providers send odd types
	if kind == "multipart/form-data" {
		return r.multipart(params["boundary"])
	}
	form, err := parseValues(r.Body)
	if err != nil {
		return nil, ErrForm
	}
	r.form = form
	return form, nil
}

type onlyField struct {
	both []byte
	name int // how long it is
}

// OnlyField returns the name of the only field of an urlencoded body and, behind it in
// the same memory, its value: for large ones, which Form would copy. Where it is not
// ok, Form says what the body is.
func (r *Request) OnlyField() (both []byte, name int, ok bool) {
	if r.only == nil {
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" { //nolint:errcheck // as in Form
			return nil, 0, false
		}
		if both, name, ok = decodeField(r.Body); !ok {
			return nil, 0, false
		}
		r.only = &onlyField{both, name}
	}
	return r.only.both, r.only.name, true
}

func (r *Request) multipart(boundary string) (url.Values, error) {
	if boundary == "" {
		return nil, ErrForm
	}
	form, files := url.Values{}, map[string][]byte{}
	mr := multipart.NewReader(strings.NewReader(string(r.Body)), boundary)
	for n := 0; ; n++ {
		part, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n == maxFormParts {
			return nil, ErrForm
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, ErrForm
		}
		if part.FileName() != "" {
			files[part.FormName()] = b
			continue
		}
		form.Add(part.FormName(), string(b))
	}
	if len(form)+len(files) == 0 { // another boundary than the header's: not one part was found
		return nil, ErrForm
	}
	r.form, r.parts = form, files
	return form, nil
}

// File returns the content of a file field of a multipart body, nil when there is none.
func (r *Request) File(field string) []byte {
	if _, err := r.Form(); err != nil {
		return nil
	}
	return r.parts[field]
}

// futureSkew is how far a provider's clock may run ahead of ours.
const futureSkew = 5 * time.Minute

// Fresh refuses a signed time outside the replay window, with an error that
// wraps ErrUnauthentic and says how far off the clock is.
func (r *Request) Fresh(signedAt time.Time) error {
	age := r.ReceivedAt.Sub(signedAt)
	switch {
	case r.MaxAge <= 0:
		return nil
	case age > r.MaxAge, age < -futureSkew:
		return &StaleError{Age: age, Window: r.MaxAge}
	}
	return nil
}
