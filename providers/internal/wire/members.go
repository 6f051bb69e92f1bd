package wire

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Members is a JSON object whose names are not known: its members in their order,
// null is none.
type Members[T any] []Named[T]

// Named is one member of an object.
type Named[T any] struct {
	Name Text
	V    T
}

func (m *Members[T]) room(spare any, again bool) any { return chunked(m, spare, again) }

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (m *Members[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*m = nil
	t, err := d.ReadToken()
	switch {
	case err != nil:
		return err
	case t.Kind() == 'n':
		return nil
	case t.Kind() != '{':
		return ErrJSON
	}
	for d.PeekKind() != '}' {
		var n Named[T]
		if err := n.Name.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		if err := json.UnmarshalDecode(d, &n.V); err != nil {
			return err
		}
		*m = append(*m, n)
	}
	_, err = d.ReadToken()
	return err
}
