package listcsv

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Reasons why a record cannot be split into fields.
var (
	errQuote    = errors.New("a quote in the wrong place")
	errUnclosed = errors.New("a quote that is never closed")
	errLong     = errors.New("longer than 256 KiB") // a chunk
	errNotUTF8  = errors.New("not UTF-8")
)

// Chunk is a part of the input that begins and ends with a record.
type Chunk struct {
	Buf    []byte
	Line   int   // of its first byte, from 1
	Broken error // the whole of it is one line that cannot be read
}

// Splitter cuts the input into chunks.
type Splitter struct {
	r     io.Reader
	delim byte
	rest  []byte // read already
	Line  int    // of the next chunk, from 1
	err   error  // of r; io.EOF at the end
	skip  bool   // inside a line that was given up
}

// NewSplitter begins at line 1.
func NewSplitter(r io.Reader, delim byte) *Splitter { return &Splitter{r: r, delim: delim, Line: 1} }

// Next returns the next Chunk, of about cap(buf) bytes, in buf. At the end it
// returns io.EOF.
func (s *Splitter) Next(buf []byte) (Chunk, error) {
	for {
		buf = append(buf[:0], s.rest...)
		s.rest = s.rest[:0]
		for len(buf) < cap(buf) && s.err == nil {
			var n int
			n, s.err = s.r.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
		}
		if s.err != nil && !errors.Is(s.err, io.EOF) {
			return Chunk{}, s.err
		}
		if len(buf) == 0 {
			return Chunk{}, io.EOF
		}
		if !s.skip {
			return s.cut(buf), nil
		}
		if i := bytes.IndexByte(buf, '\n'); i >= 0 { // its line was counted when it was given up
			s.skip = false
			s.rest = append(s.rest, buf[i+1:]...)
		}
	}
}

// cut keeps what follows the last whole record for later.
func (s *Splitter) cut(buf []byte) Chunk {
	eof := s.err != nil
	end, open := lastRecord(buf, s.delim, eof)
	c := Chunk{Line: s.Line}
	switch {
	case end > 0:
	case eof && !open:
		end = len(buf) // the last record, without a line end
	default:
		c.Broken = errLong
		if open {
			c.Broken = errUnclosed
		}
		if end = bytes.IndexByte(buf, '\n') + 1; end == 0 {
			end, s.skip = len(buf), !eof
			s.Line++
		}
	}
	c.Buf = buf[:end]
	s.rest = append(s.rest, buf[end:]...)
	s.Line += bytes.Count(c.Buf, newline)
	return c
}

var newline = []byte{'\n'}

// lastRecord returns where the last record ends that is whole, and whether
// what follows is inside of a quoted field.
func lastRecord(b []byte, delim byte, eof bool) (end int, open bool) {
	for p := 0; ; {
		i := bytes.IndexByte(b[p:], '"')
		if i < 0 {
			if i = bytes.LastIndexByte(b[p:], '\n'); i >= 0 {
				end = p + i + 1
			}
			return end, false
		}
		q := p + i
		if i := bytes.LastIndexByte(b[p:q], '\n'); i >= 0 {
			end = p + i + 1
		}
		if p = q + 1; q != end && b[q-1] != delim {
			continue
		}
		after, err := closing(b, q, delim, eof)
		switch {
		case err == nil:
			p = after
		case errors.Is(err, errUnclosed):
			return end, true
		default:
			i := bytes.IndexByte(b[end:], '\n')
			if i < 0 {
				return end, false
			}
			end += i + 1
			p = end
		}
	}
}

// closing returns what follows the quoted field that opens at q. Before the
// end of the input, a quote whose next byte is not there yet closes nothing.
func closing(b []byte, q int, delim byte, eof bool) (after int, err error) {
	for p := q + 1; ; p += 2 {
		i := bytes.IndexByte(b[p:], '"')
		if i < 0 {
			return 0, errUnclosed
		}
		p += i
		switch {
		case p+1 == len(b):
			if !eof {
				return 0, errUnclosed
			}
			return p + 1, nil
		case b[p+1] == '"':
		case b[p+1] == delim, b[p+1] == '\n', b[p+1] == '\r' && p+2 < len(b) && b[p+2] == '\n':
			return p + 1, nil
		case b[p+1] == '\r' && p+2 == len(b):
			if !eof {
				return 0, errUnclosed
			}
			return p + 1, nil
		default:
			return 0, errQuote
		}
	}
}

// Record is one record of a chunk.
type Record struct {
	Raw    []byte // without its line end
	Fields [][]byte
	Count  int // of all fields; Fields may hold fewer
	Lines  int
}

// Read splits the record at the beginning of b, of which nothing is empty, and
// returns the bytes and lines it took. Of the fields it keeps the first want.
// They are as they stand, quotes included. With an error Raw is the first line
// alone.
func (r *Record) Read(b []byte, delim byte, want int) (n int, err error) {
	line := bytes.IndexByte(b, '\n') + 1
	if n = line; line == 0 {
		n = len(b)
	}
	r.Fields, r.Lines = r.Fields[:0], 1
	r.Raw = chomp(b[:n])
	if bytes.IndexByte(r.Raw, '"') < 0 {
		rest := r.Raw
		for len(r.Fields) < want {
			i := bytes.IndexByte(rest, delim)
			if i < 0 {
				r.Fields = append(r.Fields, rest)
				r.Count = len(r.Fields)
				return n, nil
			}
			r.Fields = append(r.Fields, rest[:i])
			rest = rest[i+1:]
		}
		r.Count = want + bytes.Count(rest, []byte{delim}) + 1
		return n, nil
	}
	return r.quoted(b, n, delim, want)
}

// quoted is Read for records with quotes; first is where the first line ends.
func (r *Record) quoted(b []byte, first int, delim byte, want int) (n int, err error) {
	r.Count = 0
	keep := func(f []byte) {
		if r.Count++; len(r.Fields) < want {
			r.Fields = append(r.Fields, f)
		}
	}
	for p := 0; ; {
		start := p
		if p < len(b) && b[p] == '"' {
			if p, err = closing(b, p, delim, true); err != nil {
				return first, err
			}
			keep(b[start:p])
		} else {
			for p < len(b) && b[p] != delim && b[p] != '\n' {
				p++
			}
			if p < len(b) && b[p] == delim {
				keep(b[start:p])
			} else {
				keep(chomp(b[start:p]))
			}
		}
		if p < len(b) && b[p] == delim {
			p++
			continue
		}
		n = len(b)
		if i := bytes.IndexByte(b[p:], '\n'); i >= 0 { // a \r stands between a closing quote and the line end
			n = p + i + 1
		}
		r.Raw = chomp(b[:n])
		r.Lines = max(1, bytes.Count(b[:n], newline))
		return n, nil
	}
}

// UTF8 returns a record that was read as UTF-8. Where nothing at the beginning
// of the file said otherwise (ascii), a record that is not is taken for what it
// most likely is, Windows code page 1252, and read again.
func (r *Record) UTF8(raw []byte, ascii bool, delim byte, want int) ([]byte, error) {
	if utf8.Valid(raw) {
		return raw, nil
	}
	if !ascii {
		return nil, errNotUTF8
	}
	fixed, err := charmap.Windows1252.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, errNotUTF8
	}
	if _, err := r.Read(fixed, delim, want); err != nil {
		return nil, err
	}
	return fixed, nil
}

// chomp drops the line end.
func chomp(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	}
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b
}

// Value returns what a field says, without its quotes.
func Value(f []byte) []byte {
	if len(f) < 2 || f[0] != '"' {
		return f
	}
	f = f[1 : len(f)-1]
	if bytes.IndexByte(f, '"') >= 0 {
		f = bytes.ReplaceAll(f, []byte(`""`), []byte(`"`))
	}
	return f
}

// AppendField writes a value as a field.
func AppendField(dst, v []byte, delim byte) []byte {
	if bytes.IndexByte(v, delim) < 0 && !bytes.ContainsAny(v, "\"\r\n") && (len(v) == 0 || v[0] != ' ') {
		return append(dst, v...)
	}
	dst = append(dst, '"')
	for _, c := range v {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
