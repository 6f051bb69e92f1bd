package wire

import (
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// shape is how a value of some type is read.
type shape uint8

const (
	foreign shape = iota // left to the v2 decoder
	aText
	aString
	aRaw
	aList
	aStruct
	aPointer
	aSlice
	aMany
	aMembers
	anObject
	anEither
	aLoose
	aMap // of strings
)

// shaped are the types of this package that read themselves.
type shaped interface{ shape() shape }

func (Text) shape() shape       { return aText }
func (List) shape() shape       { return aList }
func (Many[T]) shape() shape    { return aMany }
func (Members[T]) shape() shape { return aMembers }
func (Object[T]) shape() shape  { return anObject }
func (Either[T]) shape() shape  { return anEither }
func (Loose[T]) shape() shape   { return aLoose }

// plan is how to read one type: what the v2 decoder would find out from its
// tags. A plan whose shape is foreign costs a second reading of that value.
type plan struct {
	shape  shape
	elem   *plan // of a pointer, slice, map, Many, Members, Object, Either or Loose
	fields []field
	folds  bool      // some names match whatever their case is
	heads  [64]uint8 // by hash: 1 + the index of the first field
}

type field struct {
	name, fold string // fold: "" for a name that must match exactly
	index      int
	next       uint8 // 1 + the index of the next field of this hash
	plan       *plan
}

var plans sync.Map // reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan) //nolint:forcetypeassert,errcheck // the map holds nothing else
	}
	p := newPlan(t, nil)
	plans.Store(t, p)
	return p
}

var (
	decoders = []reflect.Type{reflect.TypeFor[json.UnmarshalerFrom](), reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()}
	here     = reflect.TypeFor[Text]().PkgPath()
	rawType  = reflect.TypeFor[Raw]()
	text     = reflect.TypeFor[string]()
)

// newPlan makes a plan for t, which stands within the given types. A type
// within itself is foreign.
func newPlan(t reflect.Type, within []reflect.Type) *plan {
	for _, w := range within {
		if w == t {
			return &plan{}
		}
	}
	within = append(within[:len(within):len(within)], t)
	if v, ok := reflect.Zero(t).Interface().(shaped); ok && t.PkgPath() == here { // not one that embeds them
		p := &plan{shape: v.shape()}
		switch p.shape {
		case aMany:
			p.elem = newPlan(t.Elem(), within)
		case aMembers:
			p.elem = newPlan(t.Elem().Field(1).Type, within)
		case anObject, anEither, aLoose:
			p.elem = newPlan(t.Field(0).Type, within)
		}
		return p
	}
	if t == rawType {
		return &plan{shape: aRaw}
	}
	for _, d := range decoders {
		if t.Implements(d) || reflect.PointerTo(t).Implements(d) {
			return &plan{}
		}
	}
	switch t.Kind() {
	case reflect.String:
		return &plan{shape: aString}
	case reflect.Pointer:
		return &plan{shape: aPointer, elem: newPlan(t.Elem(), within)}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &plan{} // base64
		}
		return &plan{shape: aSlice, elem: newPlan(t.Elem(), within)}
	case reflect.Map:
		if t.Key() == text {
			return &plan{shape: aMap, elem: newPlan(t.Elem(), within)}
		}
	case reflect.Struct:
		return structPlan(t, within)
	}
	return &plan{}
}

func structPlan(t reflect.Type, within []reflect.Type) *plan {
	p := &plan{shape: aStruct}
	folded, twice := map[string]bool{}, false
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous, strings.ContainsAny(name, `"'\`), option != "" && option != "case:ignore" && option != "omitempty" && option != "omitzero":
			return &plan{}
		case !f.IsExported(), name == "-":
			continue
		case name == "":
			name = f.Name
		}
		known := field{name: name, index: i, plan: newPlan(f.Type, within)}
		fold := fold([]byte(name))
		if option == "case:ignore" {
			p.folds, known.fold = true, fold
		}
		twice = twice || folded[fold]
		folded[fold] = true
		p.fields = append(p.fields, known)
	}
	// Each field has a bit; and which of two names is meant is a hard question.
	if len(p.fields) > 64 || twice && p.folds {
		return &plan{}
	}
	for i := range p.fields {
		head := &p.heads[hash([]byte(p.fields[i].name))%64]
		p.fields[i].next, *head = *head, uint8(i+1) //nolint:gosec // at most 64
	}
	return p
}

// field returns the index of the field that a name means, -1 for none.
func (p *plan) field(name []byte) int {
	for at := p.heads[hash(name)%64]; at != 0; at = p.fields[at-1].next {
		if p.fields[at-1].name == string(name) {
			return int(at - 1)
		}
	}
	if p.folds {
		for i := range p.fields {
			if p.fields[i].fold != "" && folds(name, p.fields[i].fold) {
				return i
			}
		}
	}
	return -1
}

// fold makes names equal that differ in case, hyphens and underscores only, as
// the v2 decoder has it for "case:ignore". The scanner takes ASCII names only.
func fold(name []byte) string {
	out := make([]byte, 0, 32)
	for _, c := range name {
		if c, counts := foldByte(c); counts {
			out = append(out, c)
		}
	}
	return string(out)
}

// foldByte is a byte of a name as it is compared; hyphens and underscores do not count.
func foldByte(c byte) (as byte, counts bool) {
	switch {
	case c == '_' || c == '-':
		return c, false
	case 'a' <= c && c <= 'z':
		c -= 'a' - 'A'
	}
	return c, true
}

// folds reports whether a name is this when folded.
func folds(name []byte, fold string) bool {
	n := 0
	for _, c := range name {
		c, counts := foldByte(c)
		if !counts {
			continue
		}
		if n == len(fold) || fold[n] != c {
			return false
		}
		n++
	}
	return n == len(fold)
}
