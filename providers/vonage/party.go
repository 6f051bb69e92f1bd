package vonage

import "github.com/strikeout/strikeout/providers/internal/wire"

// party is one end of a message: a number, or in v0.1 of the Messages API an
// object of a channel and a number.
type party = wire.Either[struct {
	Type   wire.Text `json:"type"`
	Number wire.Text `json:"number"`
}]

func number(p party) wire.Text { return p.Text + p.V.Number }
