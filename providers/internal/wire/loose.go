package wire

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Loose is T where the value can be read as one, else nothing: what a provider
// writes in passing may be of any form, and must not cost what stands around it.
type Loose[T any] struct{ V T }

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (l *Loose[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = Loose[T]{}
	raw, err := d.ReadValue()
	if err == nil && json.Unmarshal(raw, &l.V, options) != nil {
		*l = Loose[T]{}
	}
	return err
}
