package wire

import "reflect"

// Each hands the items of an array, or the one value that stands where an array
// is expected, to each: as it was written, and decoded; nil for one that cannot be
// decoded, which does not cost the others. The item is good until each returns, and so
// is what it points to.
// After an error what each was given is void: the body is no array.
func Each[T any](body []byte, each func(raw Raw, item *T)) error {
	body = trimBOM(body)
	var (
		item T
		s    = newScanner(body, false)
		v    = reflect.ValueOf(&item).Elem()
		plan = planOf(v.Type())
		n    = 0
	)
	defer s.done()
	odd := func(raw Raw) {
		if v.SetZero(); Decode(raw, &item) == nil {
			each(raw, &item)
		} else {
			each(raw, nil)
		}
	}
	next := func() bool {
		v.SetZero()
		from := s.i
		if s.read(v, plan, &s.root) {
			each(s.raw(from), &item)
		} else {
			s.i, s.depth, s.later, s.names, s.repeats = from, 0, 0, s.names[:0], true
			if !s.skip(nil) {
				return false
			}
			s.repeats = false
			odd(s.raw(from))
		}
		n++
		return true
	}
	switch s.space() {
	case '{':
		if next() && s.end() {
			return nil
		}
	case '[':
		s.i++
		for another, ok := s.more(true, ']'); ok; another, ok = s.more(false, ']') {
			if !another && s.end() {
				return nil
			}
			if !another || !next() {
				break
			}
		}
	}
	items, err := splitOdd(body)
	if err != nil || n > len(items) {
		return ErrJSON
	}
	for _, raw := range items[n:] {
		odd(raw)
	}
	return nil
}
