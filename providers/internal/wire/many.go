package wire

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Many is a JSON array of T, or one T where an array is expected, as some
// providers write it when there is only one. Null and scalars are no items.
type Many[T any] []T

func (m *Many[T]) room(spare any, again bool) any { return chunked(m, spare, again) }

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (m *Many[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*m = nil
	if d.PeekKind() != '[' {
		return m.next(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if err := m.next(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (m *Many[T]) next(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	var item T
	if err := json.UnmarshalDecode(d, &item); err != nil {
		return err
	}
	*m = append(*m, item)
	return nil
}
