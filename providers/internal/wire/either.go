package wire

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Either is a JSON object read into V, or a scalar as text: some providers write
// a thing in short where they have no more to say of it.
type Either[T any] struct {
	V    T
	Text Text
}

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (e *Either[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return e.Text.UnmarshalJSONFrom(d)
	}
	return json.UnmarshalDecode(d, &e.V)
}
