package listcsv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// records reads everything through the splitter: in chunks of the given size,
// from a reader that returns little at a time.
func records(t testing.TB, in string, delim byte, size int) (got [][]string, lines []int, bad []int) {
	t.Helper()
	s := NewSplitter(iotest.HalfReader(strings.NewReader(in)), delim)
	for total := 0; ; {
		c, err := s.Next(make([]byte, 0, size))
		if errors.Is(err, io.EOF) {
			return got, lines, bad
		}
		if err != nil {
			t.Fatal(err)
		}
		if total += len(c.Buf); total > len(in) || len(c.Buf) == 0 {
			t.Fatalf("chunks of %d bytes for an input of %d", total, len(in))
		}
		if c.Broken != nil {
			bad = append(bad, c.Line)
			continue
		}
		var r Record
		for b, line := c.Buf, c.Line; len(b) > 0; line += r.Lines {
			n, err := r.Read(b, delim, 1<<20)
			b = b[n:]
			switch {
			case err != nil:
				bad = append(bad, line)
			case len(r.Raw) > 0:
				var values []string
				for _, f := range r.Fields {
					values = append(values, string(Value(f)))
				}
				if len(values) != r.Count {
					t.Fatalf("line %d: %d fields, count %d", line, len(values), r.Count)
				}
				got, lines = append(got, values), append(lines, line)
			}
		}
	}
}

// Whatever encoding/csv reads, the splitter reads too, the same and at the same
// lines, however the input is cut.
func FuzzSplitter(f *testing.F) {
	for _, s := range []string{"", "a,b\n1,2\n", "a,b\r\n1,\"x\r\ny\"\r\n", "\"a\"\"b\",c\n\n,\n", "a\n\"b\nc\",d", "\"a\"", "a,\"b\"\r", "a\r\n\r\nb", "\"\"\n\"\"", "a,\"\n\n\",b\nc,d,e", "\n\n\n", "\r\r\n"} {
		f.Add(s, uint16(7))
	}
	f.Fuzz(func(t *testing.T, in string, size uint16) {
		r := csv.NewReader(strings.NewReader(in))
		r.FieldsPerRecord = -1
		var want [][]string
		var lines []int
		for {
			rec, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				want = nil
				break
			}
			line, _ := r.FieldPos(0)
			want, lines = append(want, rec), append(lines, line)
		}
		whole := int(size) + len(in) + 2 // one chunk, and
		cut := longest(lines, in) + int(size)%64 + 2
		for _, n := range []int{whole, cut} {
			got, at, bad := records(t, in, ',', n)
			if want == nil {
				continue // it must end, and lose no byte
			}
			if len(bad) > 0 {
				t.Fatalf("size %d: lines %v of %q are bad, encoding/csv reads it", n, bad, in)
			}
			for i := range got {
				for j := range got[i] { // encoding/csv does that inside of quotes
					got[i][j] = strings.ReplaceAll(got[i][j], "\r\n", "\n")
				}
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) || fmt.Sprint(at) != fmt.Sprint(lines) {
				t.Fatalf("size %d: got %q at %v, want %q at %v", n, got, at, want, lines)
			}
		}
	})
}

// longest is room for the longest record.
func longest(starts []int, in string) int {
	offsets := []int{0}
	for i := range len(in) {
		if in[i] == '\n' {
			offsets = append(offsets, i+1)
		}
	}
	most := 0
	for i, s := range starts {
		end := len(in)
		if i+1 < len(starts) {
			end = offsets[starts[i+1]-1]
		}
		most = max(most, end-offsets[s-1])
	}
	return most
}

// A broken quote costs its own line, in whatever chunk it is.
func TestBrokenQuotes(t *testing.T) {
	tests := []struct {
		name, in string
		want     string
		bad      string
	}{
		{"closed too early", "a,b\n\"x\" y,1\nc,d\n", `[["a" "b"] ["c" "d"]]`, "[2]"},
		{"never closed", "a,b\n\"x,1\nc,d\ne,f", `[["a" "b"] ["c" "d"] ["e" "f"]]`, "[2]"},
		{"closed by the next one", "a,b\n\"x,1\n\"c\",d\ne,f\n", `[["a" "b"] ["c" "d"] ["e" "f"]]`, "[2]"},
		{"last line", "a,b\n\"x", `[["a" "b"]]`, "[2]"},
		{"literal", "a,5\" pipe\n\"b\",\"\"\"\"\n", `[["a" "5\" pipe"] ["b" "\""]]`, "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{12, 13, 14, 15, 100} {
				got, _, bad := records(t, tt.in, ',', size)
				if fmt.Sprintf("%q", got) != tt.want || fmt.Sprint(bad) != tt.bad {
					t.Errorf("size %d: got %q, bad %v; want %s, bad %s", size, got, bad, tt.want, tt.bad)
				}
			}
		})
	}
}

// A line longer than a chunk costs itself alone.
func TestLongLine(t *testing.T) {
	in := "a,b\n" + strings.Repeat("x", 1000) + ",1\nc,d\n" + strings.Repeat("y", 999)
	got, lines, bad := records(t, in, ',', 100)
	if fmt.Sprint(got, lines, bad) != "[[a b] [c d]] [1 3] [2 4]" {
		t.Errorf("got %v at %v, bad %v", got, lines, bad)
	}
}

func TestAppendField(t *testing.T) {
	for _, v := range []string{"", "x", "a,b", `say "x"`, "two\nlines", " led", "semi;colon"} {
		b := append(AppendField(nil, []byte(v), ','), '\n')
		got, err := csv.NewReader(bytes.NewReader(append([]byte("x,"), b...))).Read()
		if err != nil || got[1] != v {
			t.Errorf("AppendField(%q) = %q, read as %q, %v", v, b, got, err)
		}
	}
}
