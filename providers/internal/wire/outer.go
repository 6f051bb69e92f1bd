package wire

import (
	"bytes"

	"github.com/go-json-experiment/json"
)

// Outer is Decode for an object around a list: members of v that are Raw may
// say a name twice within, which the decoding of each item refuses later, so that
// one such item does not cost the others.
func Outer(body []byte, v any) error {
	if err := json.Unmarshal(bytes.TrimPrefix(body, bom), v, splitting); err != nil {
		return ErrJSON
	}
	return nil
}
