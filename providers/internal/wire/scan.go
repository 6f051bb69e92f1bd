package wire

import (
	"encoding/binary"
	"math/bits"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner walks over plain JSON. It refuses nothing: where a method returns
// false, the text is either wrong or unusual (broken UTF-8, a name that is
// written with escapes, deep nesting), and the v2 decoder reads it instead and
// has the last word. So all that must hold is: what the scanner takes, the v2
// decoder takes too, with the same values. FuzzDecode holds it to that.
type scanner struct {
	src     []byte
	i       int
	depth   int
	repeats bool     // a name may be said twice, as it may be for splitting
	names   []extent // of the open objects, without the names that a struct knows
	scratch []byte
	kept    strings.Builder
	root    step // of the items of the body
	trails  []*trail
	trailed int // how many of them are in use
	later   int // how many of the open arrays are past their first item
}

// extent is a part of src.
type extent struct{ from, to int }

const (
	maxScanDepth = 64
	maxScanNames = 100 // of one object; each is compared with all before it
	// Strings share rooms of this size: one that lives keeps a room in memory. Those
	// that are longer than a quarter have their own.
	keptRoom = 512
)

// space skips white space and returns what follows, 0 at the end.
func (s *scanner) space() byte {
	for ; s.i < len(s.src); s.i++ {
		if c := s.src[s.i]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// end reports whether nothing but white space follows.
func (s *scanner) end() bool { return s.space() == 0 && s.i == len(s.src) }

// more steps over what stands between the items of an array or an object. It
// returns whether another item follows, and false for ok where neither a comma
// nor the closing bracket stands there.
func (s *scanner) more(first bool, closing byte) (another, ok bool) {
	switch c := s.space(); {
	case c == closing:
		s.i++
		return false, true
	case first:
		return true, true
	case c == ',':
		s.i++
		return true, s.space() != closing
	}
	return false, false
}

// Eight bytes at once: https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// quoted steps over a string and returns what stands between its quotes.
func (s *scanner) quoted() (e extent, escaped, ascii, ok bool) {
	src, i := s.src, s.i+1
	e.from = i
	var seen uint64
	for {
		for i+8 <= len(src) {
			w := binary.LittleEndian.Uint64(src[i:])
			stop := ((w ^ ones*'"' - ones) | (w ^ ones*'\\' - ones) | (w - ones*' ')) &^ w & tops
			seen |= w
			if stop != 0 {
				i += bits.TrailingZeros64(stop) / 8
				break
			}
			i += 8
		}
		for i < len(src) && src[i] >= ' ' && src[i] != '"' && src[i] != '\\' {
			seen |= uint64(src[i])
			i++
		}
		switch {
		case i >= len(src) || src[i] < ' ':
			return e, false, false, false
		case src[i] == '"':
			e.to, s.i = i, i+1
			return e, escaped, seen&tops == 0, true
		}
		escaped = true
		n := escape(src[i:])
		if n == 0 {
			return e, false, false, false
		}
		i += n
	}
}

// escape returns the length of the escape at the start of b, 0 where there is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// str reads a string.
func (s *scanner) str(at *step) (string, bool) {
	e, escaped, ascii, ok := s.quoted()
	switch {
	case !ok, !ascii && !utf8.Valid(s.src[e.from:e.to]):
		return "", false
	case !escaped:
		return s.keep(s.src[e.from:e.to], at), true
	}
	var err error
	s.scratch, err = jsontext.AppendUnquote(s.scratch[:0], s.src[e.from-1:e.to+1])
	return s.keep(s.scratch, at), err == nil
}

// keep returns b as a string, the one that stood at this step before if that says
// the same.
func (s *scanner) keep(b []byte, at *step) string {
	if at == nil {
		return s.room(b)
	}
	if at.last != string(b) {
		at.last = s.room(b)
	}
	return at.last
}

func (s *scanner) room(b []byte) string {
	if len(b) > keptRoom/4 {
		return string(b)
	}
	if s.kept.Cap()-s.kept.Len() < len(b) { // it would move
		s.kept = strings.Builder{}
		s.kept.Grow(min(keptRoom, max(len(s.src), len(b))))
	}
	from := s.kept.Len()
	s.kept.Write(b) //nolint:errcheck // a Builder never fails
	return s.kept.String()[from:]
}

// name reads the name of a member and the colon behind it. It takes only names
// that can be compared as they are written.
func (s *scanner) name() (extent, bool) {
	e, plain, ok := s.anyName()
	return e, ok && plain
}

func (s *scanner) anyName() (e extent, plain, ok bool) {
	if s.space() != '"' {
		return e, false, false
	}
	e, escaped, ascii, ok := s.quoted()
	return e, !escaped && ascii, ok && s.colon()
}

// colon steps over the colon behind a name.
func (s *scanner) colon() bool {
	if s.space() != ':' {
		return false
	}
	s.i++
	return true
}

// fresh notes a name of the object whose names begin at base, and reports
// whether it is new. Seen has a bit for each name, so that few are compared.
func (s *scanner) fresh(e extent, base int, seen *uint64) bool {
	name := s.src[e.from:e.to]
	bit := uint64(1) << (hash(name) % 64)
	if *seen&bit != 0 {
		for _, o := range s.names[base:] {
			if string(s.src[o.from:o.to]) == string(name) {
				return false
			}
		}
	}
	*seen |= bit
	s.names = append(s.names, e)
	return len(s.names)-base <= maxScanNames
}

// hash tells short names apart well enough.
func hash(name []byte) uint {
	if len(name) == 0 {
		return 0
	}
	return uint(len(name))*7 + uint(name[0])*3 + uint(name[len(name)/2])*5 + uint(name[len(name)-1])
}

// skip steps over one value and checks it.
func (s *scanner) skip(at *step) bool {
	switch c := s.space(); c {
	case '"':
		_, _, _, ok := s.quoted()
		return ok
	case '{':
		return s.object(reflect.Value{}, nil, s.within(at, c))
	case '[':
		return s.skipArray(at)
	default:
		_, ok := s.bare(c)
		return ok
	}
}

func (s *scanner) skipArray(at *step) bool {
	if s.depth++; s.depth > maxScanDepth {
		return false
	}
	s.i++
	at = s.array(at)
	for first := true; ; first = false {
		another, ok := s.more(first, ']')
		if !ok || !another {
			s.depth--
			return ok
		}
		if !s.skip(at) {
			return false
		}
	}
}

// bare reads a number, true, false or null.
func (s *scanner) bare(c byte) (e extent, ok bool) {
	e.from = s.i
	switch c {
	case 't':
		ok = s.literal("true")
	case 'f':
		ok = s.literal("false")
	case 'n':
		ok = s.literal("null")
	default:
		ok = s.number()
	}
	e.to = s.i
	return e, ok
}

func (s *scanner) literal(word string) bool {
	if len(s.src)-s.i < len(word) || string(s.src[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

// number follows RFC 8259, section 6.
func (s *scanner) number() bool {
	s.one('-', '-')
	if !s.one('0', '0') && !s.digits() {
		return false
	}
	if s.one('.', '.') && !s.digits() {
		return false
	}
	if s.one('e', 'E') {
		s.one('+', '-')
		return s.digits()
	}
	return true
}

func (s *scanner) one(a, b byte) bool {
	if s.i < len(s.src) && (s.src[s.i] == a || s.src[s.i] == b) {
		s.i++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.src) && '0' <= s.src[s.i] && s.src[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

// split returns the items of an array, or the one object.
func (s *scanner) split() ([]Raw, bool) {
	switch s.space() {
	case '{':
		from := s.i
		if !s.skip(nil) {
			return nil, false
		}
		return []Raw{s.raw(from)}, s.end()
	case '[':
		s.i++
	default:
		return nil, false
	}
	items := make([]Raw, 0, 1+len(s.src)/512)
	for first := true; ; first = false {
		another, ok := s.more(first, ']')
		if !ok || !another {
			return items, ok && s.end()
		}
		from := s.i
		if !s.skip(&s.root) {
			return nil, false
		}
		items = append(items, s.raw(from))
	}
}
