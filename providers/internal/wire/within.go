package wire

import "reflect"

// EachAt hands the items of a list deep within an object to each, in one pass: at
// "a", "b" it finds {"a":[{"b":[item, item]}, {"b":[item]}]}. It takes only what is
// plain: an array at each name, in each object, all items decoded. False: what
// each was given is void, and the body is to be read by other means. The item is good
// until each returns, and so is what it points to.
func EachAt[T any](body []byte, each func(raw Raw, item *T), names ...string) bool {
	var item T
	s := newScanner(trimBOM(body), false)
	defer s.done()
	v := reflect.ValueOf(&item).Elem()
	plan := planOf(v.Type())
	read := func() bool {
		v.SetZero()
		s.space()
		from := s.i
		if !s.read(v, plan, &s.root) {
			return false
		}
		each(s.raw(from), &item)
		return true
	}
	return s.at(names, read) && s.end()
}

// at steps over an object and calls read where an item of the list at the given
// names begins.
func (s *scanner) at(names []string, read func() bool) bool {
	if len(names) == 0 {
		return read()
	}
	if s.space() != '{' {
		return false
	}
	s.i++
	base, seen, found := len(s.names), uint64(0), false
	for first := true; ; first = false {
		another, ok := s.more(first, '}')
		if !ok || !another {
			s.names = s.names[:base]
			return ok && found
		}
		e, ok := s.name()
		if !ok || !s.fresh(e, base, &seen) {
			return false
		}
		if string(s.src[e.from:e.to]) != names[0] {
			ok = s.skip(nil)
		} else {
			found, ok = true, s.listed(names[1:], read)
		}
		if !ok {
			return false
		}
	}
}

func (s *scanner) listed(names []string, read func() bool) bool {
	if s.space() != '[' {
		return false
	}
	s.i++
	for first := true; ; first = false {
		another, ok := s.more(first, ']')
		if !ok || !another {
			return ok
		}
		if !s.at(names, read) {
			return false
		}
	}
}
