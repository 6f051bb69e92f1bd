package wire

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Object is a JSON object read into V; anything else leaves V as it is. Some
// providers write an empty object as [] or "".
type Object[T any] struct {
	V    T
	Kind jsontext.Kind // of what stood there; 0: nothing
}

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (o *Object[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if o.Kind = d.PeekKind(); o.Kind != '{' {
		return d.SkipValue()
	}
	return json.UnmarshalDecode(d, &o.V)
}
