package linkcsv

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/tokens"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// setup is a ring, and a Config with a Linker.
func setup(t testing.TB, mailto string) (*tokens.Ring, Config) {
	t.Helper()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	keyer, err := recipient.NewKeyer(secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tokens.GenerateKey(rand.Reader, now, tokens.HS256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := tokens.NewRing([]tokens.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tokens.NewLinker(tokens.LinkerConfig{Ring: func() *tokens.Ring { return ring }, Keyer: keyer, PublicURL: "https://u.example.com", Mailto: mailto, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return ring, Config{Linker: l, Keyer: keyer}
}

// process runs a list and returns the output and the rejects.
func process(t testing.TB, in string, c Config) (out, bad string, s Summary) {
	t.Helper()
	var o, b bytes.Buffer
	c.Rejects = &b
	s, err := Run(t.Context(), strings.NewReader(in), &o, c)
	if err != nil {
		t.Fatal(err)
	}
	return o.String(), b.String(), s
}

func verify(t testing.TB, r *tokens.Ring, url string) tokens.Verified {
	t.Helper()
	v, err := r.Verify(strings.TrimPrefix(url, "https://u.example.com/u/"), now)
	if err != nil {
		t.Fatalf("%q: %v", url, err)
	}
	return v
}

func parsed(t testing.TB, s string, comma rune) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(s))
	r.Comma = comma
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("the output is not CSV: %v\n%s", err, s)
	}
	return rows
}

func TestLinks(t *testing.T) {
	ring, c := setup(t, "unsubscribe@example.com")
	c.Options = tokens.LinkOptions{SendOut: "spring", Language: "sv"}
	in := "id,E-mail,Name,Mobile,Language\r\n" +
		"1,Nobody@Example.com,\"Doe, Jane\",,fi_FI\r\n" +
		"2,,Bob,+1 555 123 0100,\r\n" +
		"3,not an address,\"two\r\nlines\",+15551230100,en\r\n" +
		"\r\n" +
		"5,a@example.org,Ann,,12\r\n" +
		"6,b@example.org\r\n" +
		"7,,No one,,\r\n" +
		"8,c@example.org,\"Cy\" ,,de\r\n" +
		"9,d@example.org,Dee,,de"
	out, bad, s := process(t, in, c)
	rows := parsed(t, out, ',')
	if got, want := strings.Join(rows[0], "|"), "id|E-mail|Name|Mobile|Language|unsubscribe_url|list_unsubscribe|list_unsubscribe_post"; got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	want := []struct{ id, channel, address, language string }{{"1", "email", "nobody@example.com", "fi-FI"}, {"2", "sms", "+15551230100", "sv"}, {"5", "email", "a@example.org", "sv"}, {"9", "email", "d@example.org", "de"}}
	if len(rows) != len(want)+1 {
		t.Fatalf("got %d rows:\n%s", len(rows)-1, out)
	}
	for i, w := range want {
		r := rows[i+1]
		a, err := recipient.Parse(recipient.Channel(w.channel), w.address, "")
		if err != nil {
			t.Fatal(err)
		}
		v := verify(t, ring, r[5])
		if r[0] != w.id || v.Key != c.Keyer.Key(a) || string(v.Channel) != w.channel || v.Language != w.language || v.SendOut != "spring" || !v.IssuedAt.Equal(now) {
			t.Errorf("row %d: id %s, %+v; want %+v", i, r[0], v, w)
		}
		if r[6] != "<"+r[5]+">, <mailto:unsubscribe@example.com?subject=unsubscribe>" || r[7] != "List-Unsubscribe=One-Click" {
			t.Errorf("row %d: headers %q, %q", i, r[6], r[7])
		}
	}
	if strings.Count(out, "\r\n") != strings.Count(out, "\n") {
		t.Error("line ends changed")
	}
	wantBad := "line,reason,id,E-mail,Name,Mobile,Language\r\n" +
		"4,E-mail: " + errText(t, "not an address") + ",3,not an address,\"two\r\nlines\",+15551230100,en\r\n" +
		"8,2 fields instead of 5,6,b@example.org\r\n" +
		"9,no address,7,,No one,,\r\n" +
		"10,a quote in the wrong place,8,c@example.org,\"Cy\" ,,de\r\n"
	if bad != wantBad {
		t.Errorf("rejects:\n%s\nwant:\n%s", bad, wantBad)
	}
	if s.Rows != 4 || s.Written != 4 || s.Rejected != 4 || s.Minted != 4 || s.FirstLine != 4 || s.Bytes != int64(len(in)) || s.Delimiter != ',' {
		t.Errorf("summary %+v", s)
	}
}

func errText(t *testing.T, address string) string {
	t.Helper()
	_, err := recipient.ParseEmail(address)
	if err == nil {
		t.Fatalf("%q is an address", address)
	}
	return err.Error()
}

func TestLayouts(t *testing.T) {
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy, s string) string {
		out, err := unicode.UTF16(e, bom).NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	cp1252, err := charmap.Windows1252.NewEncoder().String("Näme;e-mail\nÅsa “€”;a@example.com\n")
	if err != nil {
		t.Fatal(err)
	}
	late := "name,email\n" + strings.Repeat("Ann,a@example.com\n", 5000) + "\xc5sa,a@example.com\n"
	tests := []struct {
		name, in string
		layout   listcsv.Layout
		region   string
		encoding string
		delim    byte
		first    string // of the output, up to the URL
		rows     int
	}{
		{"commas", "email,name\na@example.com,A\n", listcsv.Layout{}, "", listcsv.UTF8, ',', "email,name,unsubscribe_url,list_unsubscribe,list_unsubscribe_post\na@example.com,A,https://", 1},
		{"semicolons with commas inside", "name;sähköposti\nDoe, J;a@example.com\n", listcsv.Layout{}, "", listcsv.UTF8, ';', "name;sähköposti;unsubscribe_url;list_unsubscribe;list_unsubscribe_post\nDoe, J;a@example.com;https://", 1},
		{"tabs", "Puhelin\tkieli\n040 123 4567\tfi\n", listcsv.Layout{}, "FI", listcsv.UTF8, '\t', "Puhelin\tkieli\tunsubscribe_url", 1},
		{"bars", "x|Correo electrónico\n1|a@example.com\n", listcsv.Layout{}, "", listcsv.UTF8, '|', "x|Correo", 1},
		{"byte order mark", "\xef\xbb\xbfemail\na@example.com\n", listcsv.Layout{}, "", listcsv.UTF8, ',', "\xef\xbb\xbfemail,unsubscribe_url", 1},
		{"UTF-16 little endian", utf16(unicode.LittleEndian, unicode.UseBOM, "email;Näme\r\na@example.com;Å\r\n"), listcsv.Layout{}, "", listcsv.UTF16LE, ';', "\xef\xbb\xbfemail;Näme;unsub", 1},
		{"UTF-16 big endian without mark", utf16(unicode.BigEndian, unicode.IgnoreBOM, "email;Name\r\na@example.com;A\r\n"), listcsv.Layout{}, "", listcsv.UTF16BE, ';', "email;Name;unsub", 1},
		{"code page 1252", cp1252, listcsv.Layout{}, "", listcsv.Windows1252, ';', "Näme;e-mail;unsubscribe_url;list_unsubscribe;list_unsubscribe_post\nÅsa “€”;a@example.com;https:", 1},
		{"code page 1252 after 64 KiB", late, listcsv.Layout{}, "", listcsv.UTF8, ',', "name,email,unsubscribe_url", 5001},
		{"no header", "a@example.com,A\nb@example.com,B\n", listcsv.Layout{}, "", listcsv.UTF8, ',', "a@example.com,A,https://", 2},
		{"one column, no line end", "a@example.com", listcsv.Layout{}, "", listcsv.UTF8, ',', "a@example.com,https://", 1},
		{"column of another name", "x,Kontakt\n1,a@example.com\n", listcsv.Layout{}, "", listcsv.UTF8, ',', "x,Kontakt,unsub", 1},
		{"column by name", "email,other email\n-,a@example.com\n", listcsv.Layout{Email: "OTHER_EMAIL"}, "", listcsv.UTF8, ',', "email,other", 1},
		{"column by number", "1,a@example.com,+15551230100\n", listcsv.Layout{Email: "-", Phone: "3"}, "", listcsv.UTF8, ',', "1,a@example.com,+15551230100,https", 1},
		{"line of Excel", "sep=;\r\nemail;x\r\na@example.com;1\r\n", listcsv.Layout{}, "", listcsv.UTF8, ';', "sep=;\r\nemail;x;unsub", 1},
		{"carriage returns", "email;x\ra@example.com;1\rb@example.com;2", listcsv.Layout{}, "", listcsv.UTF8, ';', "email;x;unsub", 2},
		{"phones with a bare id before", "id,number\n123456789,+15551230100\n", listcsv.Layout{}, "FI", listcsv.UTF8, ',', "id,number,unsub", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := setup(t, "")
			c.Layout, c.Region = tt.layout, tt.region
			out, bad, s := process(t, tt.in, c)
			if !strings.HasPrefix(out, tt.first) || s.Written != tt.rows || bad != "" || s.Encoding != tt.encoding || s.Delimiter != tt.delim {
				t.Errorf("got %.200q, %d rows, %s, %q, rejects %q; want %q", out, s.Written, s.Encoding, s.Delimiter, bad, tt.first)
			}
		})
	}
}

func TestRefusedLists(t *testing.T) {
	tests := []struct {
		name, in string
		layout   listcsv.Layout
		want     string
	}{
		{"empty", "", listcsv.Layout{}, "the list is empty"},
		{"no addresses", "a,b\n1,2\n", listcsv.Layout{}, "no column with e-mail addresses"},
		{"ours already", "email,unsubscribe_url\na@example.com,x\n", listcsv.Layout{}, "has a column unsubscribe_url already"},
		{"no such column", "email\na@example.com\n", listcsv.Layout{Email: "mail2"}, "email column: the list has no column of this name"},
		{"column too far", "email\na@example.com\n", listcsv.Layout{Email: "2"}, "the list has 1 columns"},
		{"encoding", "email\na@example.com\n", listcsv.Layout{Encoding: "latin5"}, "encoding: expected one of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := setup(t, "")
			c.Layout = tt.layout
			_, err := Run(t.Context(), strings.NewReader(tt.in), io.Discard, c)
			var list *ListError
			if !errors.As(err, &list) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// list makes a list of n recipients whose names have quotes and line breaks now
// and then.
func list(n int) string {
	var b strings.Builder
	b.WriteString("id,email,name,city\n")
	for i := range n {
		name := "Jane Doe"
		switch i % 10 {
		case 3:
			name = `"Doe, Jane"`
		case 7:
			name = "\"Jane \"\"JD\"\"\nDoe\""
		}
		fmt.Fprintf(&b, "%d,user%d@mail%d.example.com,%s,Springfield\n", i, i, i%97, name)
	}
	return b.String()
}

// Order and content do not depend on chunks and workers.
func TestOrder(t *testing.T) {
	_, c := setup(t, "")
	in := list(3000)
	want, _, _ := process(t, in, c)
	for _, workers := range []int{1, 2, 7} {
		c.Workers, c.chunkBytes = workers, 300
		got, bad, s := process(t, in, c)
		if got != want || bad != "" || s.Written != 3000 {
			t.Errorf("%d workers: another output; %d rows, rejects %q", workers, s.Written, bad)
		}
	}
}

func TestSuppressedAndSub(t *testing.T) {
	_, c := setup(t, "")
	gone := map[recipient.Key]bool{}
	for i := 0; i < 3000; i += 3 {
		a, err := recipient.ParseEmail(fmt.Sprintf("user%d@mail%d.example.com", i, i%97))
		if err != nil {
			t.Fatal(err)
		}
		gone[c.Keyer.Key(a)] = true
	}
	c.SubOnly = true
	c.Linker = nil
	c.Suppressed = func(_ context.Context, keys []recipient.Key) ([]bool, error) {
		out := make([]bool, len(keys))
		for i, k := range keys {
			out[i] = gone[k]
		}
		return out, nil
	}
	out, _, s := process(t, list(3000), c)
	if s.Rows != 3000 || s.Suppressed != 1000 || s.Written != 2000 || s.Minted != 0 {
		t.Errorf("summary %+v", s)
	}
	for i, r := range parsed(t, out, ',') {
		if i == 0 {
			if r[4] != "sub" || len(r) != 5 {
				t.Errorf("header %q", r)
			}
			continue
		}
		k, err := recipient.ParseKey(r[4])
		if err != nil || gone[k] {
			t.Fatalf("row %q: %v", r, err)
		}
	}
}

// A database that cannot be asked ends the run: nobody may get a message
// because of that.
func TestFailures(t *testing.T) {
	boom := errors.New("boom")
	_, c := setup(t, "")
	c.chunkBytes = 1000
	asked := 0
	c.Workers = 1
	c.Suppressed = func(_ context.Context, keys []recipient.Key) ([]bool, error) {
		if asked++; asked == 3 {
			return nil, boom
		}
		return make([]bool, len(keys)), nil
	}
	if _, err := Run(t.Context(), strings.NewReader(list(3000)), io.Discard, c); !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
	c.Suppressed = nil
	if _, err := Run(t.Context(), strings.NewReader(list(3000)), failing{}, c); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v, want %v", err, io.ErrShortWrite)
	}
	if _, err := Run(t.Context(), io.MultiReader(strings.NewReader(list(3000)), failing{}), io.Discard, c); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, strings.NewReader(list(3000)), io.Discard, c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
func (failing) Read([]byte) (int, error)  { return 0, io.ErrNoProgress }

func TestShort(t *testing.T) {
	_, c := setup(t, "u-{code}@unsub.example.com")
	kept := map[string]Code{}
	c.Codes = func(_ context.Context, codes []Code) error {
		for i := range codes {
			if i%2 == 1 {
				codes[i].Code = strings.Repeat("q", len(codes[i].Code)) // as if it were known already
			}
			kept[codes[i].Code] = codes[i]
		}
		return nil
	}
	in := "email,phone\na@example.com,\n,+15551230100\n"
	c.Options.SendOut = "spring"
	c.Options.Preview = true

	out, _, s := process(t, in, c) // long links: a code for the mailto of the first row alone
	rows := parsed(t, out, ',')
	mail := strings.TrimSuffix(strings.TrimPrefix(rows[1][3], "<"+rows[1][2]+">, <mailto:u-"), "@unsub.example.com?subject=unsubscribe>")
	if k, ok := kept[mail]; !ok || len(mail) != tokens.MailCodeLen || k.SendOut != "" || !k.Preview || rows[2][3] != "<"+rows[2][2]+">" || len(kept) != 1 || s.Minted != 2 {
		t.Errorf("rows %q, codes %v", rows, kept)
	}

	c.Short = true
	clear(kept)
	out, _, s = process(t, in, c)
	rows = parsed(t, out, ',')
	code := strings.TrimPrefix(rows[1][2], "https://u.example.com/u/")
	if k, ok := kept[code]; !ok || len(code) != tokens.MailCodeLen || k.SendOut != "spring" || k.Channel != recipient.Email || !strings.Contains(rows[1][3], "mailto:u-"+code+"@") {
		t.Errorf("row %q, codes %v", rows[1], kept)
	}
	if rows[2][2] != "https://u.example.com/u/qqqqqqqqqqqqqqqq" || len(kept) != 2 || s.Minted != 0 {
		t.Errorf("row %q, codes %v", rows[2], kept)
	}
	c.Codes = nil
	if _, err := Run(t.Context(), strings.NewReader(in), io.Discard, c); !errors.Is(err, errNoCodes) {
		t.Errorf("got %v, want %v", err, errNoCodes)
	}
}

func TestParts(t *testing.T) {
	tests := []struct {
		text  string
		parts int
		other rune
	}{
		{"", 1, 0},
		{strings.Repeat("a", 160), 1, 0},
		{strings.Repeat("a", 161), 2, 0},
		{strings.Repeat("a", 306), 2, 0},
		{strings.Repeat("a", 307), 3, 0},
		{strings.Repeat("a", 158) + "€", 1, 0},
		{strings.Repeat("a", 159) + "€", 2, 0},
		{strings.Repeat("€", 153), 3, 0}, // an escape is not cut: 76 in each part
		{strings.Repeat("ä", 160), 1, 0},
		{strings.Repeat("a", 69) + "č", 1, 'č'},
		{strings.Repeat("a", 70) + "č", 2, 'č'},
		{strings.Repeat("a", 69) + "\U0001F600", 2, '\U0001F600'},
		{strings.Repeat("a", 68) + "\U0001F600", 1, '\U0001F600'},
	}
	for _, tt := range tests {
		if n, r := Parts([]byte(tt.text)); n != tt.parts || r != tt.other {
			t.Errorf("%d bytes %.10q: got %d parts, %q; want %d, %q", len(tt.text), tt.text, n, r, tt.parts, tt.other)
		}
	}
}

func TestSMSText(t *testing.T) {
	_, c := setup(t, "")
	c.Codes = func(context.Context, []Code) error { return nil }
	c.Short, c.SMSText = true, "Hi {First name}, "+strings.Repeat("x", 100)+" {url}"
	in := "first name;phone\nAnn;+15551230100\n\"Jiří; Jr\";+15551230101\n" + strings.Repeat("l", 150) + ";+15551230102\n"
	_, _, s := process(t, in, c)
	if s.SMS != (SMS{One: 1, Two: 1, More: 1, Longest: 3, UCS2: 1, Other: 'ř'}) {
		t.Errorf("got %+v", s.SMS)
	}
	for text, want := range map[string]string{"no link": "has no {url}", "{url} {x}": "{x} in the text: the list has no column"} {
		c.SMSText = text
		if _, err := Run(t.Context(), strings.NewReader(in), io.Discard, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("text %q: got %v, want %q", text, err, want)
		}
	}
}
