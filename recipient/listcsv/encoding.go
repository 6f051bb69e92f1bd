package listcsv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings that are read. What is written is UTF-8.
const (
	UTF8        = "utf-8"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
	Windows1252 = "windows-1252"
)

// SampleBytes is how much of a file is looked at before it is read.
const SampleBytes = 64 << 10

// Decoded is a file as UTF-8 without a byte order mark.
type Decoded struct {
	*bufio.Reader
	Encoding string
	BOM      bool // it had one
	ASCII    bool // nothing but ASCII was in the sample
}

// Decode finds out how r is encoded, unless name says it.
func Decode(r io.Reader, name string) (*Decoded, error) {
	raw := bufio.NewReaderSize(r, SampleBytes)
	sample, err := raw.Peek(SampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	whole := err != nil
	d := &Decoded{Encoding: strings.ToLower(name)}
	guess, mark := guessEncoding(sample, whole)
	if d.Encoding == "" {
		d.Encoding = guess
	}
	if d.Encoding == guess && mark > 0 {
		d.BOM = true
		if _, err := raw.Discard(mark); err != nil {
			return nil, fmt.Errorf("read the list: %w", err)
		}
	}
	var t transform.Transformer
	switch d.Encoding {
	case UTF8:
		d.ASCII = bytes.IndexFunc(sample[mark:], func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	case UTF16LE:
		t = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case UTF16BE:
		t = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	case Windows1252:
		t = charmap.Windows1252.NewDecoder()
	default:
		return nil, &ListError{fmt.Errorf("encoding: expected one of %s, %s, %s, %s", UTF8, UTF16LE, UTF16BE, Windows1252)}
	}
	d.Reader = raw
	if t != nil {
		d.Reader = bufio.NewReaderSize(transform.NewReader(raw, t), SampleBytes)
	}
	sample, err = d.Peek(SampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	if bytes.IndexByte(sample, '\r') >= 0 && bytes.IndexByte(sample, '\n') < 0 {
		d.Reader = bufio.NewReaderSize(transform.NewReader(d.Reader, returns{}), SampleBytes)
	}
	return d, nil
}

// guessEncoding also returns the length of the byte order mark.
func guessEncoding(sample []byte, whole bool) (name string, mark int) {
	switch {
	case bytes.HasPrefix(sample, []byte("\xef\xbb\xbf")):
		return UTF8, 3
	case bytes.HasPrefix(sample, []byte("\xff\xfe")):
		return UTF16LE, 2
	case bytes.HasPrefix(sample, []byte("\xfe\xff")):
		return UTF16BE, 2
	}
	// Every other byte of Western text in UTF-16 is zero, and no other text has
	// zeros.
	var zeros [2]int
	for i, c := range sample {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch n := len(sample) / 2; {
	case n > 0 && zeros[1] > n/3 && zeros[0] < zeros[1]/4:
		return UTF16LE, 0
	case n > 0 && zeros[0] > n/3 && zeros[1] < zeros[0]/4:
		return UTF16BE, 0
	}
	if !whole { // the sample may end inside a character
		for i := 1; i <= utf8.UTFMax && i <= len(sample); i++ {
			if tail := sample[len(sample)-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					sample = sample[:len(sample)-i]
				}
				break
			}
		}
	}
	if utf8.Valid(sample) {
		return UTF8, 0
	}
	return Windows1252, 0
}

// returns makes line feeds of the carriage returns that old programs end lines
// with.
type returns struct{ transform.NopResetter }

func (returns) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	n := copy(dst, src)
	for i, c := range dst[:n] {
		if c == '\r' {
			dst[i] = '\n'
		}
	}
	if n < len(src) {
		err = transform.ErrShortDst
	}
	return n, n, err
}
