package vonage

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/strikeout/strikeout/providers/internal/wire"
)

// party is one end of a message: a number, or in v0.1 of the Messages API an
// object of a channel and a number.
type party struct{ Type, Number wire.Text }

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (p *party) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return p.Number.UnmarshalJSONFrom(d)
	}
	var o wire.Object[struct {
		Type   wire.Text `json:"type"`
		Number wire.Text `json:"number"`
	}]
	if err := o.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	p.Type, p.Number = o.V.Type, o.V.Number
	return nil
}
