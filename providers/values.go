package providers

import (
	"bytes"
	"net/url"
	"strings"
)

// parseValues is url.ParseQuery, at a third of its time and with one allocation for
// all names and values of what is plain: fields that are all well-formed, and not
// thousands of them.
func parseValues(query []byte) (url.Values, error) {
	n := bytes.Count(query, and) + 1
	if n > maxPlainFields {
		return url.ParseQuery(string(query))
	}
	form, all := make(url.Values, n), make([]string, 0, n)
	var b strings.Builder
	b.Grow(max(0, len(query)-2*bytes.Count(query, percent))) // what it needs, so that it never moves
	for rest := query; len(rest) > 0; {
		var field []byte
		if field, rest, _ = bytes.Cut(rest, and); len(field) == 0 {
			continue
		}
		rawName, rawValue, _ := bytes.Cut(field, is)
		name, ok := unescape(&b, rawName)
		value, valueOK := unescape(&b, rawValue)
		if !ok || !valueOK {
			return url.ParseQuery(string(query))
		}
		if before, again := form[name]; again {
			form[name] = append(before, value)
			continue
		}
		all = append(all, value)
		form[name] = all[len(all)-1 : len(all) : len(all)] // so that a second value moves it
	}
	return form, nil
}

var and, is, percent = []byte("&"), []byte("="), []byte("%")

const maxPlainFields = 200

// unescape is url.QueryUnescape, into b; false for what is malformed, and for a
// semicolon, which url.ParseQuery refuses.
func unescape(b *strings.Builder, s []byte) (string, bool) {
	from, i := b.Len(), 0
	for i < len(s) && s[i] != '%' && s[i] != '+' && s[i] != ';' {
		i++
	}
	b.Write(s[:i]) //nolint:errcheck // a Builder never fails
	if i < len(s) && !unescapeRest(b, s[i:]) {
		return "", false
	}
	return b.String()[from:], true
}

func unescapeRest(b *strings.Builder, s []byte) bool {
	var room [512]byte
	for len(s) > 0 {
		part := s
		if len(s) > len(room) {
			part = s[:len(room)]
			if i := bytes.LastIndexByte(part[len(part)-2:], '%'); i >= 0 { // an escape stays whole
				part = part[:len(part)-2+i]
			}
		}
		n, ok := decode(room[:], part)
		if !ok {
			return false
		}
		b.Write(room[:n]) //nolint:errcheck // a Builder never fails
		s = s[len(part):]
	}
	return true
}

// decode is url.QueryUnescape into out, and returns how long that is; false for what
// is malformed, and for what needs more room.
func decode(out, s []byte) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '%':
			if i+2 >= len(s) {
				return 0, false
			}
			high, low := nibbles[s[i+1]], nibbles[s[i+2]]
			if high|low > 15 {
				return 0, false
			}
			c = high<<4 | low
			i += 2
		case '+':
			c = ' '
		case ';':
			return 0, false
		}
		if n == len(out) {
			return 0, false
		}
		out[n] = c
		n++
	}
	return n, true
}

// decodeField decodes a form that is one field: its name and, from there on, its
// value, in one piece of memory.
func decodeField(form []byte) (both []byte, name int, ok bool) {
	if len(form) == 0 || bytes.IndexByte(form, '&') >= 0 {
		return nil, 0, false
	}
	rawName, rawValue, _ := bytes.Cut(form, is)
	both = make([]byte, max(0, len(form)-2*bytes.Count(form, percent))) // enough for what is well-formed
	name, ok = decode(both, rawName)
	if !ok {
		return nil, 0, false
	}
	n, ok := decode(both[name:], rawValue)
	return both[:name+n], name, ok
}

// nibbles are the values of the hex digits; 16 for all other bytes.
var nibbles = func() (t [256]byte) {
	for c := range t {
		t[c] = 16
	}
	for i := range byte(16) {
		t["0123456789abcdef"[i]], t["0123456789ABCDEF"[i]] = i, i
	}
	return t
}()
