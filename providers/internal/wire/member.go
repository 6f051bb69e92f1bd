package wire

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Member returns where in a body the value of a member of its object stands, for
// signatures that stand in what they sign. What follows is not looked at; what
// goes before must be JSON.
func Member(body []byte, name string) (from, to int, ok bool) {
	s := newScanner(body, false)
	defer s.done()
	if s.space() != '{' {
		return 0, 0, false
	}
	s.i++
	for seen, first := uint64(0), true; ; first = false {
		if another, ok := s.more(first, '}'); !ok || !another {
			return oddMember(body, name)
		}
		e, ok := s.name()
		if !ok || !s.fresh(e, 0, &seen) {
			return oddMember(body, name)
		}
		s.space()
		from = s.i
		if !s.skip(nil) {
			return oddMember(body, name)
		}
		if string(body[e.from:e.to]) == name {
			return from, s.i, true
		}
	}
}

// oddMember is Member by the v2 decoder, for what is not plain.
func oddMember(body []byte, name string) (from, to int, ok bool) {
	d := jsontext.NewDecoder(bytes.NewReader(body), options)
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return 0, 0, false
	}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return 0, 0, false
		}
		found := t.String() == name
		v, err := d.ReadValue()
		if err != nil {
			return 0, 0, false
		}
		if to = int(d.InputOffset()); found {
			return to - len(v), to, true
		}
	}
	return 0, 0, false
}
