package wire

import (
	"reflect"

	"github.com/go-json-experiment/json"
)

// read reads the next value into v as the plan says. At is its step of a trail,
// nil where there is none.
func (s *scanner) read(v reflect.Value, p *plan, at *step) bool {
	c := s.space()
	switch p.shape {
	case aText:
		t, ok := s.scalar(c, at)
		v.SetString(t)
		return ok
	case aString:
		switch c {
		case '"':
			t, ok := s.str(at)
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
			return s.object(v, p, s.within(at, c))
		case 'n':
			v.SetZero()
			return s.literal("null")
		}
		return false
	case anObject: // its fields are V and Kind
		if v.Field(1).SetUint(uint64(kindOf(c))); c != '{' {
			return s.skip(at)
		}
		return s.read(v.Field(0), p.elem, at)
	case anEither: // its fields are V and Text
		if c == '{' {
			return s.read(v.Field(0), p.elem, at)
		}
		t, ok := s.scalar(c, at)
		v.Field(1).SetString(t)
		return ok
	case aLoose: // its field is V
		return s.loose(v, p, at)
	case aRaw:
		from := s.i
		ok := s.skip(at)
		v.SetBytes(s.raw(from))
		return ok
	case aPointer:
		if c == 'n' {
			v.SetZero()
			return s.literal("null")
		}
		if v.IsNil() {
			v.Set(s.pointer(v.Type(), at))
		}
		return s.read(v.Elem(), p.elem, at)
	case aList:
		return s.list(v.Addr().Interface().(*List), c, at) //nolint:forcetypeassert,errcheck // the plan says so
	case aMany:
		v.SetZero()
		if c != '[' {
			return s.item(v, p, c, at)
		}
		return s.items(v, p, at)
	case aMembers:
		switch v.SetZero(); c {
		case '{':
			return s.named(v, p, at)
		case 'n':
			return s.literal("null")
		}
		return false
	case aSlice:
		switch c {
		case '[':
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
			return s.items(v, p, at)
		case 'n':
			v.SetZero()
			return s.literal("null")
		}
		return false
	case aMap:
		return c == '{' && v.IsNil() && s.members(v, p, at)
	}
	from, opts := s.i, options
	if s.repeats {
		opts = splitting
	}
	return s.skip(nil) && json.Unmarshal(s.raw(from), v.Addr().Interface(), opts) == nil
}

// loose reads what may be of any form, and leaves it to the v2 decoder what to make
// of what is not plain.
func (s *scanner) loose(v reflect.Value, p *plan, at *step) bool {
	from, depth, later, names, repeats := s.i, s.depth, s.later, len(s.names), s.repeats
	v.SetZero()
	s.repeats = false
	ok := s.read(v.Field(0), p.elem, at)
	if s.repeats = repeats; ok {
		return true
	}
	s.i, s.depth, s.later, s.names = from, depth, later, s.names[:names]
	if !s.skip(nil) {
		return false
	}
	if v.SetZero(); json.Unmarshal(s.raw(from), v.Field(0).Addr().Interface(), options) != nil {
		v.SetZero()
	}
	return true
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
func (s *scanner) scalar(c byte, at *step) (string, bool) {
	switch c {
	case '"':
		return s.str(at)
	case '{', '[', 'n':
		return "", s.skip(at)
	}
	e, ok := s.bare(c)
	if !ok {
		return "", false
	}
	return s.keep(s.src[e.from:e.to], at), true
}

// object reads an object into the fields of v, or steps over it where there is
// no plan. It follows the trail, if there is one, as far as the names go.
func (s *scanner) object(v reflect.Value, p *plan, t *trail) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	o := opened{base: len(s.names)}
	if t != nil {
		t.by(p)
	}
	for k, first := 0, true; ; first = false {
		another, ok := s.more(first, '}')
		if !ok || !another {
			s.depth--
			s.names = s.names[:o.base]
			return ok
		}
		var at *step
		i := 0
		if t != nil && k < len(t.steps) && s.follows(t.steps[k].name) {
			at = &t.steps[k]
			i = at.field
			if k++; !s.colon() {
				return false
			}
		} else {
			if t != nil {
				s.catchUp(&o, t.steps[:k])
			}
			from := s.i
			e, plain, ok := s.anyName()
			if !ok || !plain && (p != nil || !s.repeats) {
				return false
			}
			if i = -1; p != nil {
				i = p.field(s.src[e.from:e.to])
			}
			if !s.notes(&o, e, i) {
				return false
			}
			if t != nil && t.add(k, extent{from, e.to + 1}, i) {
				at = &t.steps[k]
				o.noted++
				k++
			} else {
				t = nil
			}
		}
		if i < 0 {
			ok = s.skip(at)
		} else {
			f := &p.fields[i]
			ok = s.read(v.Field(f.index), f.plan, at)
		}
		if !ok {
			return false
		}
	}
}

// opened is what has been said in an object that is being read.
type opened struct {
	base  int    // where its names begin
	seen  uint64 // a bit for each of them
	known uint64 // a bit for each field
	noted int    // how many steps of the trail are among them
}

// catchUp notes the names of the steps that were followed.
func (s *scanner) catchUp(o *opened, steps []step) {
	for ; o.noted < len(steps); o.noted++ {
		st := &steps[o.noted]
		s.notes(o, extent{st.name.from + 1, st.name.to - 1}, st.field) // they were good before
	}
}

// notes notes a name, and reports whether it is new.
func (s *scanner) notes(o *opened, name extent, field int) bool {
	switch {
	case field < 0:
		return s.repeats || s.fresh(name, o.base, &o.seen)
	case o.known&(1<<field) != 0:
		return false
	}
	o.known |= 1 << field
	return true
}

// follows steps over a name, if it is the one of a step.
func (s *scanner) follows(name extent) bool {
	end := s.i + name.to - name.from
	if end > len(s.src) || string(s.src[s.i:end]) != string(s.src[name.from:name.to]) {
		return false
	}
	s.i = end
	return true
}

// items reads an array into a slice that is empty.
func (s *scanner) items(v reflect.Value, p *plan, at *step) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	at = s.array(at)
	for n := 0; ; n++ {
		another, ok := s.more(n == 0, ']')
		if !ok || !another {
			s.depth--
			if n > 1 {
				s.later--
			}
			return ok
		}
		if n == 1 {
			s.later++
		}
		if !s.item(v, p, s.space(), at) {
			return false
		}
	}
}

// item reads one item behind the others. What is no object is no item of a Many.
func (s *scanner) item(v reflect.Value, p *plan, c byte, at *step) bool {
	if p.shape == aMany && c != '{' {
		return s.skip(at)
	}
	e := s.grow(v, p, at)
	e.SetZero()
	return s.read(e, p.elem, at)
}

// grow makes room for one more item and returns it.
func (s *scanner) grow(v reflect.Value, p *plan, at *step) reflect.Value {
	n := v.Len()
	if n == 0 && at != nil && (p.shape == aMany || p.shape == aMembers) {
		at.spare = v.Addr().Interface().(roomy).room(at.spare, s.later == 0) //nolint:forcetypeassert,errcheck // the plan says so
	}
	v.Grow(1)
	v.SetLen(n + 1)
	return v.Index(n)
}

func (s *scanner) list(l *List, c byte, at *step) bool {
	*l = nil
	if c != '[' {
		t, ok := s.scalar(c, at)
		if t != "" {
			s.put(l, t, at)
		}
		return ok
	}
	s.i++
	for first := true; ; first = false {
		another, ok := s.more(first, ']')
		if !ok || !another {
			return ok
		}
		t, ok := s.scalar(s.space(), at)
		if !ok {
			return false
		}
		s.put(l, t, at)
	}
}

func (s *scanner) put(l *List, t string, at *step) {
	if len(*l) == 0 && at != nil {
		at.spare = chunked(l, at.spare, s.later == 0)
	}
	*l = append(*l, Text(t).String())
}

// members reads an object into a map that is nil: what another had would look
// like names said twice.
func (s *scanner) members(v reflect.Value, p *plan, at *step) bool {
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
		key.SetString(s.keep(s.src[e.from:e.to], nil))
		elem.SetZero()
		if !s.read(elem, p.elem, at) {
			return false
		}
		v.SetMapIndex(key, elem)
	}
}

// named reads an object into a Members that is empty.
func (s *scanner) named(v reflect.Value, p *plan, at *step) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	o := opened{base: len(s.names)}
	for n := 0; ; n++ {
		another, ok := s.more(n == 0, '}')
		if !ok || !another {
			s.depth--
			s.names = s.names[:o.base]
			if n > 1 {
				s.later--
			}
			return ok
		}
		if n == 1 {
			s.later++
		}
		e, ok := s.name()
		if !ok || !s.fresh(e, o.base, &o.seen) {
			return false
		}
		m := s.grow(v, p, at)
		m.SetZero()
		m.Field(0).SetString(s.keep(s.src[e.from:e.to], at)) // its fields are Name and V
		if !s.read(m.Field(1), p.elem, at) {
			return false
		}
	}
}
