package telnyx

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/strikeout/strikeout/providers/internal/wire"
)

// party is one end of a message: an object, or in the first edition of API v2
// the bare number.
type party struct{ Number, Status wire.Text }

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (p *party) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*p = party{}
	if d.PeekKind() != '{' {
		return p.Number.UnmarshalJSONFrom(d)
	}
	var o wire.Object[struct {
		Number wire.Text `json:"phone_number"`
		Status wire.Text `json:"status"`
	}]
	if err := o.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	p.Number, p.Status = o.V.Number, o.V.Status
	return nil
}

// parties is a list of ends, or one that stands where the list is expected.
type parties []party

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (l *parties) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = nil
	switch d.PeekKind() {
	case '[':
	case 'n':
		return d.SkipValue()
	default:
		*l = make(parties, 1)
		return (*l)[0].UnmarshalJSONFrom(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		var p party
		if err := p.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		*l = append(*l, p)
	}
	_, err := d.ReadToken()
	return err
}
