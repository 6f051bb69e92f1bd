package spool

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func segmentOf(payloads ...string) (data []byte, ends []int) {
	data = []byte(fileMagic)
	for i, p := range payloads {
		data = appendFrame(data, frame{int64(i + 1), []byte(p)})
		ends = append(ends, len(data))
	}
	return data, ends
}

func readAll(data []byte) (out []string, c *cursor) {
	c = newCursor(data)
	for f, ok := c.next(); ok; f, ok = c.next() {
		out = append(out, string(f.payload))
	}
	return out, c
}

func TestCursor(t *testing.T) {
	whole, ends := segmentOf("one", "two", "three")
	change := func(at int, b byte) []byte {
		d := slices.Clone(whole)
		d[at] ^= b
		return d
	}
	tests := []struct {
		name    string
		data    []byte
		want    []string
		damaged bool
		cut     bool
	}{
		{"whole", whole, []string{"one", "two", "three"}, false, false},
		{"nothing", nil, nil, false, false},
		{"no record yet", []byte(fileMagic), nil, false, false},
		{"not even a beginning", []byte(fileMagic[:3]), nil, false, true},
		{"zeros", make([]byte, 4096), nil, false, true},
		{"last record cut in its payload", whole[:len(whole)-1], []string{"one", "two"}, false, true},
		{"last record cut in its header", whole[:ends[1]+10], []string{"one", "two"}, false, true},
		{"file grew before its content", append(slices.Clone(whole), make([]byte, 5000)...), []string{"one", "two", "three"}, false, true},
		{"a bit of the last payload", change(len(whole)-1, 1), []string{"one", "two"}, true, false},
		{"a bit of the last length", change(ends[1]+7, 0x40), []string{"one", "two"}, true, false},
		{"a bit of a payload", change(ends[0]+headerBytes, 1), []string{"one", "three"}, true, false},
		{"a bit of a length", change(ends[0]+5, 0x80), []string{"one", "three"}, true, false},
		{"the file's own name", change(0, 1), []string{"one", "two", "three"}, true, false},
		{"something else", []byte("this is a letter and no segment at all"), nil, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, c := readAll(tt.data)
			if !slices.Equal(got, tt.want) || c.damaged > 0 != tt.damaged || c.cut != tt.cut {
				t.Errorf("got %q, %d damaged, cut %v; want %q, %v, %v", got, c.damaged, c.cut, tt.want, tt.damaged, tt.cut)
			}
		})
	}
}

// A payload that looks like a record does not become one.
func TestRecordInsideARecord(t *testing.T) {
	inner, _ := segmentOf("inner")
	whole, ends := segmentOf("first", string(inner), "last")
	if got, _ := readAll(whole); !slices.Equal(got, []string{"first", string(inner), "last"}) {
		t.Errorf("got %q", got)
	}
	whole[ends[0]] ^= 1
	got, c := readAll(whole) // now the inner one cannot be told from others, and does no harm
	if c.damaged == 0 || got[0] != "first" || got[len(got)-1] != "last" {
		t.Errorf("got %q, %d damaged", got, c.damaged)
	}
}

func FuzzCursor(f *testing.F) {
	whole, ends := segmentOf("one", "two", "three")
	f.Add(whole, 0, byte(0))
	f.Add(whole, ends[0], byte(255))
	f.Add([]byte(nil), 0, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		c := newCursor(data)
		total := 0
		for fr, ok := c.next(); ok; fr, ok = c.next() {
			total += len(fr.payload) + headerBytes
		}
		if total+c.damaged > len(data) {
			t.Errorf("read %d and lost %d of %d bytes", total, c.damaged, len(data))
		}
		// One byte gone bad costs one record of those before and after.
		seg, _ := segmentOf("a", string(data), "z")
		if at < 0 || flip == 0 {
			return
		}
		at %= len(seg)
		seg[at] ^= flip
		got, _ := readAll(seg)
		if n := len(got); n < 2 && !bytes.Contains(data, []byte(recordMagic)) {
			t.Errorf("%d records left of 3: %s", n, fmt.Sprintf("%q", got))
		}
	})
}
