package port_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestOddFiles(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("sep=;\r\nE-Mail;Grund\r\nä@example.com;unsubscribed\r\n")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, in string
		opted    string
		rejected int
	}{
		{"UTF-16 with sep=", utf16, "ä@example.com", 0},
		{"BOM and CRLF", "\ufeffemail,kind\r\nbom@example.com,unsub\r\n", "bom@example.com", 0},
		{"carriage returns alone", "email,kind\rmac@example.com,unsub\r", "mac@example.com", 0},
		{"NULs", "email,kind\nn\x00ul@example.com,unsub\nnul@example.com,unsub\n\x00\x00\x00\n", "nul@example.com", 2},
		{"an unclosed quote", "email,kind\n\"open@example.com,unsub\nclosed@example.com,unsub\n", "closed@example.com", 1},
		{"Windows-1252", "email,kind,note\nwin@example.com,unsub,\xe4\xf6\n", "win@example.com", 0},
		{"fields that are missing", "email,kind\nx@example.com\nfine@example.com,unsub\n", "fine@example.com", 1},
		{"a line of 300 KiB", "email,kind\n" + strings.Repeat("x", 300<<10) + ",unsub\nlong@example.com,unsub\n", "long@example.com", 1},
		{"words unknown", "email,kind\nx@example.com,whatever\nword@example.com,unsub\n", "word@example.com", 1},
		{"both channels in one column", "a@mixed.example\nb@mixed.example\n+358402222222\nc@mixed.example\n", "+358402222222", 0},
		{"a short code", "phone,kind\n12345,unsub\n+358401111111,unsub\n", "+358401111111", 1},
	}
	b := &bench{t: t, db: storetest.Open(t, store.Config{URL: storetest.SQLite(t)}), now: noon}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.t = t
			s, bad := b.list(tt.in, suppressions)
			if s.Rejected != tt.rejected || !b.state(tt.opted).OptedOut() || s.Rejected > 0 && !strings.HasPrefix(bad, "line"+s.Delimiter+"reason") {
				t.Errorf("got %+v\n%.300s", s, bad)
			}
		})
	}
	for name, in := range map[string]string{"empty": "", "a header alone of nothing": "a,b\n", "no kind": "a@example.com\n", "zeros": "\x00\x00\x00\x00"} {
		var list *port.ListError
		if _, err := port.Import(t.Context(), strings.NewReader(in), b.config()); !errors.As(err, &list) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := port.Import(t.Context(), strings.NewReader("email\nx@example.com\n"), b.config(func(c *port.Config) { c.As = recipient.OptIn })); err == nil {
		t.Error("rows may mean an opt-in")
	}
}

// endless is a list that never fits into memory.
type endless struct {
	rows int
	rest []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.rows == 0 {
			return 0, io.EOF
		}
		e.rows--
		e.rest = []byte("x" + strings.Repeat("y", 1000) + ",not an address\n")
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Memory does not grow with the list.
func TestMemory(t *testing.T) {
	b := &bench{t: t, db: storetest.Open(t, store.Config{URL: storetest.SQLite(t)}), now: noon}
	run := func(rows int) float64 {
		return testing.AllocsPerRun(1, func() {
			in := io.MultiReader(strings.NewReader("note,email\n"), &endless{rows: rows})
			if s, err := port.Import(t.Context(), in, b.config(suppressions)); err != nil || s.Rejected != rows {
				t.Fatalf("got %+v, %v", s, err)
			}
		})
	}
	// A reject costs its row in the batch and its words, nothing that stays.
	if small, large := run(1000), run(20_000); large > 40*small {
		t.Errorf("%.0f allocations for 1000 rows, %.0f for 20 000", small, large)
	}
}
