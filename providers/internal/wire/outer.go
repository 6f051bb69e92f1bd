package wire

// Outer is Decode for an object around a list: members of v that are Raw may
// say a name twice within, which the decoding of each item refuses later, so that
// one such item does not cost the others.
func Outer[T any](body []byte, v *T) error { return decode(body, v, true) }
