package wire

import (
	"reflect"
	"sync"
)

// trail is what the objects at one place of an array have been like: the items of
// an array mostly name the same members in the same order, and a name that is
// the expected one need not be looked up, nor compared with those before it. Where
// an object leaves the trail, it is read like the first, and the trail follows it.
type trail struct {
	plan  *plan // whose fields the steps mean; nil: of what is stepped over
	steps []step
}

type step struct {
	name  extent // with its quotes
	field int    // of the plan; -1: none
	inner *trail // of the objects in the value
	last  string // what stood here before, so that the same again needs no room
	spare any    // room for what stands here: a pointer, or a chunk of Many
}

// How much is remembered of one body, however it is made.
const (
	maxTrails = 64
	maxSteps  = 100
)

// by makes the trail one of objects that are read by this plan: in one place there
// may be an object to read, and then an array of others to step over.
func (t *trail) by(p *plan) {
	if t.plan != p {
		t.plan, t.steps = p, t.steps[:0]
	}
}

// add puts a step behind k others. What the trail knew of an older one there is
// kept where it may still help.
func (t *trail) add(k int, name extent, field int) bool {
	switch {
	case k >= maxSteps:
		return false
	case k < cap(t.steps):
		t.steps = t.steps[:k+1]
	default:
		t.steps = append(t.steps[:k], step{})
	}
	st := &t.steps[k]
	st.name, st.field = name, field
	return true
}

// scanners are used again for the room that they have: as many as are in use at once.
var scanners = sync.Pool{New: func() any { return new(scanner) }}

func newScanner(src []byte, repeats bool) *scanner {
	s := scanners.Get().(*scanner) //nolint:forcetypeassert,errcheck // the pool holds nothing else
	s.src, s.repeats = src, repeats
	return s
}

// done gives the scanner back, without anything of what it read.
func (s *scanner) done() {
	for _, t := range s.trails[:s.trailed] {
		steps := t.steps[:cap(t.steps)]
		clear(steps)
		t.plan, t.steps = nil, steps[:0]
	}
	if cap(s.scratch) > maxScratch {
		s.scratch = nil
	}
	clear(s.scratch[:cap(s.scratch)])
	*s = scanner{names: s.names[:0], scratch: s.scratch[:0], trails: s.trails}
	scanners.Put(s)
}

const maxScratch = 4 << 10

// trail returns a new trail, nil where there are enough.
func (s *scanner) trail() *trail {
	if s.trailed == maxTrails {
		return nil
	}
	if s.trailed == len(s.trails) {
		s.trails = append(s.trails, &trail{})
	}
	s.trailed++
	return s.trails[s.trailed-1]
}

// array returns the step for the items of an array: its own or, where it has
// none, a new one if they look like objects.
func (s *scanner) array(at *step) *step {
	if at != nil || s.space() != '{' {
		return at
	}
	if t := s.trail(); t != nil && t.add(0, extent{}, -1) {
		return &t.steps[0]
	}
	return nil
}

// pointer returns a pointer of type t to a zero value: that of the item before,
// unless several of one item may be in use.
func (s *scanner) pointer(t reflect.Type, at *step) reflect.Value {
	if at == nil || s.later > 0 {
		return reflect.New(t.Elem())
	}
	if v := reflect.ValueOf(at.spare); v.IsValid() && v.Type() == t {
		v.Elem().SetZero()
		return v
	}
	v := reflect.New(t.Elem())
	at.spare = v.Interface()
	return v
}

// roomy are slices that take their room from chunks.
type roomy interface {
	room(spare any, again bool) any
}

const maxChunk = 32

// chunked gives list room for one, from a chunk that it returns. Again: nothing that
// was taken from it before is in use.
func chunked[S ~[]T, T any](list *S, spare any, again bool) any {
	c, ok := spare.(*[]T)
	if !ok {
		c = new([]T)
	}
	if again {
		*c = (*c)[:0]
	}
	if len(*c) == cap(*c) {
		*c = make([]T, 0, min(maxChunk, max(1, 2*cap(*c))))
	}
	n := len(*c)
	*c = (*c)[:n+1]
	*list = S((*c)[n : n : n+1])
	return c
}

// within returns the trail of the objects in a value that begins with c.
func (s *scanner) within(st *step, c byte) *trail {
	if st == nil {
		return nil
	}
	if st.inner == nil && (c == '{' || c == '[') {
		st.inner = s.trail()
	}
	return st.inner
}
