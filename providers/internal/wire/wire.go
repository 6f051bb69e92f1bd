// Package wire reads what providers put on the wire: JSON with loosely typed
// fields, and times in every notation.
//
// JSON is read as the v2 decoder reads it, most of it by a scanner that takes only
// what is plain and leaves the rest to that decoder: names match exactly, and an object that says
// the same name twice is refused, because two readers could see two different
// recipients in it. Broken UTF-8 becomes U+FFFD: a bounce must not be lost for
// a Latin-1 letter in an SMTP reply.
package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrJSON is the only error of Decode and Array: the decoder's own quote their input.
var ErrJSON = errors.New("not the expected JSON")

var options = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.WithUnmarshalers(json.UnmarshalFromFunc(cloneRaw)))

// cloneRaw keeps the v2 decoder from reading into the room that a Raw has: it
// may be a part of a body.
func cloneRaw(d *jsontext.Decoder, to *Raw) error {
	v, err := d.ReadValue()
	*to = bytes.Clone(v)
	return err //nolint:wrapcheck // Decode says ErrJSON whatever it is
}

// Raw is one undecoded JSON value.
type Raw = jsontext.Value

// Decode reads one JSON value into v. Unknown members are ignored. A Raw in v is
// a part of the body.
func Decode[T any](body []byte, v *T) error { return decode(body, v, false) }

// decode lets the scanner try; what it does not take, the v2 decoder reads.
func decode[T any](body []byte, v *T, repeats bool) error {
	body = trimBOM(body)
	was := *v
	if scan(body, reflect.ValueOf(v).Elem(), repeats) {
		return nil
	}
	*v = was
	opts := options
	if repeats {
		opts = splitting
	}
	if json.Unmarshal(body, v, opts) != nil {
		return ErrJSON
	}
	return nil
}

// scan reads a plain body into v; false leaves v half filled.
func scan(body []byte, v reflect.Value, repeats bool) bool {
	s := newScanner(body, repeats)
	defer s.done()
	return s.read(v, planOf(v.Type()), nil) && s.end()
}

func trimBOM(body []byte) []byte { return bytes.TrimPrefix(body, bom) }

var bom = []byte("\xef\xbb\xbf")

// Array returns the items of a JSON array, or the one value that stands where
// an array is expected. An item is decoded later, so that a bad one does not
// cost the others.
func Array(body []byte) ([]Raw, error) {
	body = trimBOM(body)
	plain := newScanner(body, true)
	defer plain.done()
	if items, ok := plain.split(); ok {
		return items, nil
	}
	return splitOdd(body)
}

func splitOdd(body []byte) ([]Raw, error) {
	s := splitter{body: body}
	if json.Unmarshal(s.body, &s, splitting) != nil {
		return nil, ErrJSON
	}
	return s.items, nil
}

// splitting leaves names that an item says twice to the item's own decoding,
// which refuses that item alone.
var splitting = json.JoinOptions(options, jsontext.AllowDuplicateNames(true))

// splitter finds the items of an array that is not plain. Going through Unmarshal it
// borrows the package's pooled decoder.
type splitter struct {
	body  []byte
	items []Raw
}

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (s *splitter) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '{':
		return s.next(d)
	case '[':
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		s.items = make([]Raw, 0, 1+len(s.body)/512)
		for d.PeekKind() != ']' {
			if err := s.next(d); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	}
	return ErrJSON
}

// next keeps the part of the body that holds the next value: the decoder's own
// copy is valid only until it goes on.
func (s *splitter) next(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	end := d.InputOffset()
	s.items = append(s.items, Raw(s.body[end-int64(len(v)):end]))
	return nil
}

// Join writes items back as one array, for a quarantine that keeps only them.
func Join(items []Raw) []byte {
	out := []byte{'['}
	for i, it := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, it...)
	}
	return append(out, ']')
}

// Text is any JSON scalar as text: strings as they are, numbers and booleans
// as written, null and everything else as "". Providers change their minds
// about types.
type Text string

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (t *Text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*t = ""
	switch d.PeekKind() {
	case '"', '0', 't', 'f':
		tok, err := d.ReadToken()
		if err != nil {
			return err
		}
		*t = Text(tok.String())
		return nil
	default:
		return d.SkipValue()
	}
}

// String returns the text without white space around it.
func (t Text) String() string { return strings.TrimSpace(string(t)) }

// Lower returns the text trimmed and in lower case, for comparing codes.
func (t Text) Lower() string { return lower(t.String()) }

// lower is strings.ToLower, quicker for short ASCII.
func lower(s string) string {
	var room [128]byte
	if len(s) > len(room) {
		return strings.ToLower(s)
	}
	changed := false
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80:
			return strings.ToLower(s)
		case 'A' <= c && c <= 'Z':
			c, changed = c+'a'-'A', true
		}
		room[i] = c
	}
	if !changed {
		return s
	}
	return string(room[:len(s)])
}

// Bool reports whether the text is "true" or "1".
func (t Text) Bool() bool { l := t.Lower(); return l == "true" || l == "1" }

// Time reads the text with Time.
func (t Text) Time(layouts ...string) time.Time { return Time(t.String(), layouts...) }

// List is a JSON array of scalars, or one scalar where an array is expected.
type List []string

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (l *List) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = nil
	if d.PeekKind() != '[' {
		var t Text
		if err := t.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		if t != "" {
			*l = List{t.String()}
		}
		return nil
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		var t Text
		if err := t.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		*l = append(*l, t.String())
	}
	_, err := d.ReadToken()
	return err
}
