package wire

import (
	"reflect"

	"github.com/go-json-experiment/json"
)

// read reads the next value into v as the plan says.
func (s *scanner) read(v reflect.Value, p *plan) bool {
	c := s.space()
	switch p.shape {
	case aText:
		t, ok := s.scalar(c)
		v.SetString(t)
		return ok
	case aString:
		switch c {
		case '"':
			t, ok := s.str()
			v.SetString(t)
			return ok
		case 'n':
			v.SetString("")
			return s.literal("null")
		}
		return false
	case aStruct:
		switch c {
		case '{':
			return s.object(v, p)
		case 'n':
			v.SetZero()
			return s.literal("null")
		}
		return false
	case anObject: // its fields are V and Kind
		if v.Field(1).SetUint(uint64(kindOf(c))); c != '{' {
			return s.skip()
		}
		return s.read(v.Field(0), p.elem)
	case anEither: // its fields are V and Text
		if c == '{' {
			return s.read(v.Field(0), p.elem)
		}
		t, ok := s.scalar(c)
		v.Field(1).SetString(t)
		return ok
	case aRaw:
		from := s.i
		ok := s.skip()
		v.SetBytes(s.raw(from))
		return ok
	case aPointer:
		if c == 'n' {
			v.SetZero()
			return s.literal("null")
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return s.read(v.Elem(), p.elem)
	case aList:
		return s.list(v.Addr().Interface().(*List), c) //nolint:forcetypeassert,errcheck // the plan says so
	case aMany:
		v.SetZero()
		if c != '[' {
			return s.item(v, p, c)
		}
		return s.items(v, p)
	case aSlice:
		switch c {
		case '[':
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
			return s.items(v, p)
		case 'n':
			v.SetZero()
			return s.literal("null")
		}
		return false
	case aMap:
		return c == '{' && v.IsNil() && s.members(v, p)
	}
	from, opts := s.i, options
	if s.repeats {
		opts = splitting
	}
	return s.skip() && json.Unmarshal(s.raw(from), v.Addr().Interface(), opts) == nil
}

// raw returns the part of the body that ends here, so that nothing can be
// appended to it in place.
func (s *scanner) raw(from int) Raw { return Raw(s.src[from:s.i:s.i]) }

// kindOf is the jsontext.Kind of a value that starts with c.
func kindOf(c byte) byte {
	if c == '-' || '0' <= c && c <= '9' {
		return '0'
	}
	return c
}

// scalar reads a value as Text has it.
func (s *scanner) scalar(c byte) (string, bool) {
	switch c {
	case '"':
		return s.str()
	case '{', '[', 'n':
		return "", s.skip()
	}
	e, ok := s.bare(c)
	if !ok {
		return "", false
	}
	return s.keep(s.src[e.from:e.to]), true
}

func (s *scanner) object(v reflect.Value, p *plan) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	base, seen, known := len(s.names), uint64(0), uint64(0)
	for first := true; ; first = false {
		another, ok := s.more(first, '}')
		if !ok || !another {
			s.depth--
			s.names = s.names[:base]
			return ok
		}
		e, ok := s.name()
		if !ok {
			return false
		}
		i := p.field(s.src[e.from:e.to])
		if i < 0 {
			if !s.repeats && !s.fresh(e, base, &seen) || !s.skip() {
				return false
			}
			continue
		}
		f := &p.fields[i]
		if known&(1<<i) != 0 || !s.read(v.Field(f.index), f.plan) {
			return false
		}
		known |= 1 << i
	}
}

// items reads an array into a slice that is empty.
func (s *scanner) items(v reflect.Value, p *plan) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	for first := true; ; first = false {
		another, ok := s.more(first, ']')
		if !ok || !another {
			s.depth--
			return ok
		}
		if !s.item(v, p, s.space()) {
			return false
		}
	}
}

// item reads one item behind the others. What is no object is no item of a Many.
func (s *scanner) item(v reflect.Value, p *plan, c byte) bool {
	if p.shape == aMany && c != '{' {
		return s.skip()
	}
	n := v.Len()
	v.Grow(1)
	v.SetLen(n + 1)
	v.Index(n).SetZero()
	return s.read(v.Index(n), p.elem)
}

func (s *scanner) list(l *List, c byte) bool {
	*l = nil
	if c != '[' {
		t, ok := s.scalar(c)
		if t != "" {
			*l = List{Text(t).String()}
		}
		return ok
	}
	s.i++
	for first := true; ; first = false {
		another, ok := s.more(first, ']')
		if !ok || !another {
			return ok
		}
		t, ok := s.scalar(s.space())
		if !ok {
			return false
		}
		*l = append(*l, Text(t).String())
	}
}

// members reads an object into a map that is nil: what another had would look
// like names said twice.
func (s *scanner) members(v reflect.Value, p *plan) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	v.Set(reflect.MakeMap(v.Type()))
	key, elem := reflect.New(text).Elem(), reflect.New(v.Type().Elem()).Elem()
	for n := 0; ; n++ {
		another, ok := s.more(n == 0, '}')
		if !ok || v.Len() < n { // the name before had been there already
			return false
		}
		if !another {
			s.depth--
			return true
		}
		e, ok := s.name()
		if !ok {
			return false
		}
		key.SetString(s.keep(s.src[e.from:e.to]))
		elem.SetZero()
		if !s.read(elem, p.elem) {
			return false
		}
		v.SetMapIndex(key, elem)
	}
}
