package linkcsv

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/strikeout/strikeout/recipient/listcsv"
)

// SMS counts the parts that text messages take (3GPP TS 23.038): 160 characters
// of the GSM alphabet fit into one, 70 where a single other character makes it
// UCS-2; of several parts each holds 153 or 67.
type SMS struct {
	One, Two, More int
	// Longest is the most parts of a message.
	Longest int
	// UCS2 counts the messages with a character outside of the GSM alphabet; Other
	// is the first such character.
	UCS2  int
	Other rune
}

func (s *SMS) add(o SMS) {
	s.One += o.One
	s.Two += o.Two
	s.More += o.More
	s.Longest = max(s.Longest, o.Longest)
	if s.Other == 0 {
		s.Other = o.Other
	}
	s.UCS2 += o.UCS2
}

func (s *SMS) count(text []byte) {
	parts, other := Parts(text)
	switch parts {
	case 1:
		s.One++
	case 2:
		s.Two++
	default:
		s.More++
	}
	s.Longest = max(s.Longest, parts)
	if other != 0 {
		s.UCS2++
		if s.Other == 0 {
			s.Other = other
		}
	}
}

// gsm is the basic alphabet; those of extended cost two characters each.
const (
	gsm = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿" +
		"abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

var septets = func() map[rune]int {
	m := map[rune]int{}
	for _, r := range gsm {
		m[r] = 1
	}
	for _, r := range extended {
		m[r] = 2
	}
	return m
}()

// Parts returns how many text messages a text takes, at least one, and the
// first character outside of the GSM alphabet; 0 when there is none.
func Parts(text []byte) (n int, other rune) {
	var widths []int // of each character, in the units of its alphabet
	for b := text; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		w := septets[r]
		if w == 0 && other == 0 {
			other = r
		}
		widths = append(widths, w)
	}
	single, part := 160, 153
	if other != 0 {
		single, part = 70, 67
		widths = widths[:0]
		for _, r := range string(text) {
			if r > 0xffff { // a surrogate pair
				widths = append(widths, 2)
			} else {
				widths = append(widths, 1)
			}
		}
	}
	total := 0
	for _, w := range widths {
		total += w
	}
	if total <= single {
		return 1, other
	}
	n, left := 1, part
	for _, w := range widths { // no character is cut in two
		if w > left {
			n, left = n+1, part
		}
		left -= w
	}
	return n, other
}

// smsText is a text with placeholders.
type smsText struct {
	pieces  []smsPiece
	columns bool // others than the URL
	want    int
}

type smsPiece struct {
	text   string
	column int // -1: text; -2: the URL
}

func parseSMSText(s string, l *layout) (*smsText, error) {
	t := &smsText{}
	url := false
	for s != "" {
		i := strings.IndexByte(s, '{')
		j := -1
		if i >= 0 {
			j = strings.IndexByte(s[i:], '}')
		}
		if i < 0 || j < 0 {
			t.pieces = append(t.pieces, smsPiece{s, -1})
			break
		}
		if i > 0 {
			t.pieces = append(t.pieces, smsPiece{s[:i], -1})
		}
		name := s[i+1 : i+j]
		s = s[i+j+1:]
		if name == "url" {
			url = true
			t.pieces = append(t.pieces, smsPiece{column: -2})
			continue
		}
		c, err := l.Column("{"+name+"} in the text", name)
		if err != nil {
			return nil, err
		}
		t.columns, t.want = true, max(t.want, c+1)
		t.pieces = append(t.pieces, smsPiece{column: c})
	}
	if !url {
		return nil, fmt.Errorf("the text has no {url}")
	}
	return t, nil
}

func (t *smsText) append(dst, url []byte, fields [][]byte) []byte {
	for _, p := range t.pieces {
		switch {
		case p.column == -2:
			dst = append(dst, url...)
		case p.column < 0:
			dst = append(dst, p.text...)
		default:
			dst = append(dst, bytes.TrimSpace(listcsv.Value(fields[p.column]))...)
		}
	}
	return dst
}
