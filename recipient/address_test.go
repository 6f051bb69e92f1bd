package recipient

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorsFile = "testdata/vectors.json"

// vectors are published, for programs that compute normal forms and keys
// themselves. Rows that need the API are those on which the standard libraries
// of other languages disagree.
type vectors struct {
	About      string   `json:"about"`
	AddressKey []byte   `json:"address_key"` // base64
	Rows       []vector `json:"rows"`
}

type vector struct {
	About    string  `json:"about"`
	Channel  Channel `json:"channel"`
	Input    string  `json:"input"`
	Region   string  `json:"region,omitempty"`
	Normal   string  `json:"normal,omitempty"`
	Key      string  `json:"key,omitempty"`
	NeedsAPI bool    `json:"needs_api,omitempty"`
	Error    string  `json:"error,omitempty"`
}

func testKeyer(t testing.TB) *Keyer {
	t.Helper()
	secret := sha256.Sum256([]byte("strikeout test vectors: address key"))
	k, err := NewKeyer(secret[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rows are inputs with the normal form that a person worked out; empty means
// that the input is refused.
var rows = []struct {
	about   string
	channel Channel
	input   string
	region  string
	want    string
}{
	{"plain", Email, "nobody@example.com", "", "nobody@example.com"},
	{"case", Email, "Nobody@Example.COM", "", "nobody@example.com"},
	{"white space around", Email, " \tnobody@example.com\r\n", "", "nobody@example.com"},
	{"dots stay", Email, "no.body@example.com", "", "no.body@example.com"},
	{"plus stays", Email, "nobody+news@example.com", "", "nobody+news@example.com"},
	{"dots at odd places", Email, ".no..body.@example.com", "", ".no..body.@example.com"},
	{"every letter that needs no quotes", Email, "!#$%&'*+-/=?^_`{|}~@example.com", "", "!#$%&'*+-/=?^_`{|}~@example.com"},
	{"underscore and digits in the domain", Email, "a@_x1.2y.example.com", "", "a@_x1.2y.example.com"},
	{"64 before @", Email, strings.Repeat("a", 64) + "@example.com", "", strings.Repeat("a", 64) + "@example.com"},
	{"quoted", Email, `"No Body"@example.com`, "", `"no body"@example.com`},
	{"quoted, with @ and escapes", Email, `"a@b\"c\\"@example.com`, "", `"a@b\"c\\"@example.com`},
	{"A-label", Email, "a@XN--BCHER-KVA.example", "", "a@xn--bcher-kva.example"},
	{"local part a number", Email, "4670123456@example.com", "", "4670123456@example.com"},

	{"byte order mark", Email, "\ufeffnobody@example.com", "", "nobody@example.com"},
	{"no-break space around", Email, "\u00a0nobody@example.com\u00a0", "", "nobody@example.com"},
	{"é composed", Email, "é@example.com", "", "é@example.com"},
	{"é decomposed", Email, "e\u0301@example.com", "", "é@example.com"},
	{"É is another letter", Email, "É@example.com", "", "É@example.com"},
	{"ß in the local part", Email, "straße@example.com", "", "straße@example.com"},
	{"ß in the domain is not ss", Email, "a@straße.example", "", "a@xn--strae-oqa.example"},
	{"İ with a dot", Email, "İa@example.com", "", "İa@example.com"},
	{"ı without a dot", Email, "ıa@example.com", "", "ıa@example.com"},
	{"the Kelvin sign is K", Email, "\u212aa@example.com", "", "ka@example.com"},
	{"H with a line below becomes one letter", Email, "H\u0331@example.com", "", "\u1e96@example.com"},
	{"fullwidth in the local part stays", Email, "ａｂ@example.com", "", "ａｂ@example.com"},
	{"fullwidth in the domain", Email, "a@ｅｘａｍｐｌｅ．ｃｏｍ", "", "a@example.com"},
	{"ideographic full stop", Email, "a@example。com", "", "a@example.com"},
	{"IDN", Email, "a@BÜCHER.example", "", "a@xn--bcher-kva.example"},
	{"IDN decomposed", Email, "a@bu\u0308cher.example", "", "a@xn--bcher-kva.example"},
	{"Greek final sigma stays", Email, "a@βόλος.example", "", "a@xn--nxasmm1c.example"},
	{"emoji", Email, "😀@example.com", "", "😀@example.com"},

	{"no @", Email, "nobody.example.com", "", ""},
	{"empty", Email, "", "", ""},
	{"nothing before @", Email, "@example.com", "", ""},
	{"nothing after @", Email, "nobody@", "", ""},
	{"65 before @", Email, strings.Repeat("a", 65) + "@example.com", "", ""},
	{"255 in all", Email, "abcdef@" + strings.Repeat("abcdefgh.", 27) + "aexam", "", ""},
	{"a label of 64", Email, "a@" + strings.Repeat("a", 64) + ".example", "", ""},
	{"no dot in the domain", Email, "a@localhost", "", ""},
	{"domain ends with a dot", Email, "a@example.com.", "", ""},
	{"an IP address", Email, "a@192.0.2.1", "", ""},
	{"an IP address in brackets", Email, "a@[192.0.2.1]", "", ""},
	{"two of them", Email, "a@example.com, b@example.com", "", ""},
	{"with a name", Email, "Nobody <nobody@example.com>", "", ""},
	{"blank inside", Email, "no body@example.com", "", ""},
	{"line break inside", Email, "no\nbody@example.com", "", ""},
	{"quotes inside quotes", Email, `"a"b"@example.com`, "", ""},
	{"escaped end of quotes", Email, `"a\"@example.com`, "", ""},
	{"zero width space inside", Email, "no\u200bbody@example.com", "", ""},
	{"right-to-left override", Email, "no\u202ebody@example.com", "", ""},
	{"Greek question mark becomes a semicolon", Email, "a\u037e@example.com", "", ""},
	{"not UTF-8", Email, "a\xff@example.com", "", ""},

	{"E.164", SMS, "+15550100123", "", "+15550100123"},
	{"what people write between", SMS, "+1 (555) 010-0123", "", "+15550100123"},
	{"dots and a slash", SMS, "+49/30.23125.000", "", "+493023125000"},
	{"country code in brackets", SMS, "(+358) 40 123 4567", "", "+358401234567"},
	{"00 for +", SMS, "00358401234567", "", "+358401234567"},
	{"00 for + whatever the region", SMS, "00 447700 900123", "US", "+447700900123"},
	{"15 digits", SMS, "+123456789012345", "", "+123456789012345"},
	{"7 digits", SMS, "+2901234", "", "+2901234"},
	{"+ and region: not rewritten", SMS, "+4670123456", "FI", "+4670123456"},
	{"not a valid number, kept", SMS, "+3580401234567", "FI", "+3580401234567"},
	{"Mexico's old 1 stays", SMS, "+5215512345678", "", "+5215512345678"},
	{"Argentina's missing 9 stays missing", SMS, "+541112345678", "", "+541112345678"},
	{"Italy's zero stays", SMS, "+390612345678", "", "+390612345678"},
	{"with country code and region", SMS, "+358400123456", "FI", "+358400123456"},
	{"national, completed", SMS, "0400 123 456", "FI", "+358400123456"},
	{"national, region in lower case", SMS, "0400123456", "fi", "+358400123456"},
	{"national, Sweden", SMS, "070-123 45 67", "SE", "+46701234567"},
	{"national, Italy keeps its zero", SMS, "06 1234 5678", "IT", "+390612345678"},
	{"national, prefix of another country's calls", SMS, "011 44 7700 900123", "US", "+447700900123"},
	{"MSISDN read as national", SMS, "447700900123", "GB", "+447700900123"},
	{"direction marks around, as copied from a contact", SMS, "\u202a+358 40 123 4567\u202c", "", "+358401234567"},

	{"MSISDN without + or region", SMS, "4670123456", "", ""},
	{"MSISDN without + or region, UK", SMS, "447700900123", "", ""},
	{"short code", SMS, "21610", "", ""},
	{"short code with region", SMS, "21610", "FI", ""},
	{"short code with +", SMS, "+21610", "", ""},
	{"short code after 00", SMS, "0021610", "FI", ""},
	{"16 digits", SMS, "+1234567890123456", "", ""},
	{"country code 0", SMS, "+0401234567", "FI", ""},
	{"+00", SMS, "+00358401234567", "", ""},
	{"000", SMS, "000358401234567", "FI", ""},
	{"(0) after the country code", SMS, "+358 (0)40 123 4567", "FI", ""},
	{"letters", SMS, "+1 555 CALL NOW", "", ""},
	{"extension", SMS, "+15550100123 ext. 5", "", ""},
	{"two plus signs", SMS, "++15550100123", "", ""},
	{"plus inside", SMS, "1555+0100123", "", ""},
	{"no digits", SMS, "+", "", ""},
	{"nothing", SMS, "", "FI", ""},
	{"fullwidth digits", SMS, "+１５５５０１００１２３", "", ""},
	{"an unknown region", SMS, "0400123456", "XX", ""},
	{"an e-mail address", SMS, "nobody@example.com", "", ""},
}

func makeVectors(t testing.TB) vectors {
	t.Helper()
	secret := sha256.Sum256([]byte("strikeout test vectors: address key"))
	v := vectors{About: "Normal forms and keys. The address key is published: use it for tests only.", AddressKey: secret[:]}
	k := testKeyer(t)
	for _, r := range rows {
		row := vector{About: r.about, Channel: r.channel, Input: strings.ToValidUTF8(r.input, "\ufffd"), Region: r.region}
		a, err := Parse(r.channel, r.input, r.region)
		if err != nil {
			row.Error = err.Error()
		} else {
			row.Normal, row.Key = a.Value(), k.Key(a).String()
			// A national number needs metadata that other languages do not have.
			row.NeedsAPI = !isASCII(r.input) || r.region != "" && !strings.HasPrefix(r.input, "+") && !strings.HasPrefix(r.input, "00")
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

func TestVectors(t *testing.T) {
	for _, r := range rows {
		a, err := Parse(r.channel, r.input, r.region)
		if a.Value() != r.want || (err == nil) != (r.want != "") {
			t.Errorf("%s, %q: got %q, %v, want %q", r.about, r.input, a.Value(), err, r.want)
		}
		if err != nil && !errors.Is(err, ErrAddress) && !errors.Is(err, ErrShortCode) {
			t.Errorf("%s: got %v", r.about, err)
		}
		if err != nil && len(r.input) > 4 && strings.Contains(err.Error(), r.input) {
			t.Errorf("%s: the error quotes the address", r.about)
		}
	}
	want := makeVectors(t)
	if *update {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(want); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var got vectors
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("published vectors changed: keys must not (-want +got):\n%s", d)
	}
	keys := map[string]string{}
	for _, r := range got.Rows {
		if other, ok := keys[r.Key]; ok && r.Key != "" && other != string(r.Channel)+r.Normal {
			t.Errorf("%q and %q share a key", other, r.Normal)
		}
		keys[r.Key] = string(r.Channel) + r.Normal
	}
}

func TestParse(t *testing.T) {
	if _, err := Parse("fax", "nobody@example.com", ""); !errors.Is(err, ErrChannel) {
		t.Errorf("another channel: got %v", err)
	}
	for _, s := range []string{"21610", "+21610", "112"} {
		if _, err := ParsePhone(s, "FI"); !errors.Is(err, ErrShortCode) {
			t.Errorf("%q: got %v", s, err)
		}
	}
	// Long input is refused before anything slow sees it.
	for _, s := range []string{strings.Repeat("ä", 1<<20) + "@example.com", "a@" + strings.Repeat("ä", 1<<20) + ".example", strings.Repeat("1", 1<<20)} {
		for _, c := range []Channel{Email, SMS} {
			if got := testing.AllocsPerRun(1, func() {
				if _, err := Parse(c, s, "FI"); err == nil {
					t.Error("accepted")
				}
			}); got > 10 {
				t.Errorf("%d bytes: got %v allocations", len(s), got)
			}
		}
	}
}

// checkAddress holds what must be true of every address that was accepted.
func checkAddress(t interface {
	Helper()
	Errorf(string, ...any)
}, a Address) {
	t.Helper()
	again, err := Parse(a.Channel(), a.Value(), "")
	if err != nil || again != a {
		t.Errorf("%q is not its own normal form: got %q, %v", a.Value(), again.Value(), err)
	}
	v := a.Value()
	switch a.Channel() {
	case Email:
		at := strings.LastIndexByte(v, '@')
		if len(v) > maxEmailBytes || at > maxLocalBytes || at < 1 || !isASCII(v[at:]) || !utf8.ValidString(v) || v != lowerASCII(v) {
			t.Errorf("%q breaks a limit", v)
		}
	case SMS:
		if len(v) < 1+minDigits || len(v) > 1+maxDigits || v[0] != '+' || strings.Trim(v[1:], "0123456789") != "" {
			t.Errorf("%q breaks a limit", v)
		}
	default:
		t.Errorf("channel %q", a.Channel())
	}
	if Clean(v, len(v)) != v && !strings.HasPrefix(v, `"`) && !strings.ContainsAny(v, "\u200c\u200d") {
		t.Errorf("%q is not clean", v)
	}
	if m := a.Mask(); !utf8.ValidString(m) || len(v) > 12 && strings.Contains(m, v) {
		t.Errorf("mask of %q: got %q", v, m)
	}
	if s := Redact("<"+strings.ToUpper(v)+"> rejected", a); isASCII(v) && strings.Contains(lowerASCII(s), v) {
		t.Errorf("redacting %q: got %q", v, s)
	}
}

func TestAddressProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9.+_-]{1,20}@[A-Za-z0-9-]{1,10}\.(com|example)`),
			rapid.Custom(func(t *rapid.T) string {
				return rapid.StringN(1, 30, 60).Draw(t, "local") + "@" + rapid.StringN(1, 10, 30).Draw(t, "domain") + ".example"
			}),
			rapid.StringMatching(`[+0]{0,2}[0-9 ()/.-]{5,20}`),
			rapid.String(),
		).Draw(t, "input")
		region := rapid.SampledFrom([]string{"", "FI", "US", "IT", "GB", "XX"}).Draw(t, "region")
		for _, c := range []Channel{Email, SMS} {
			if a, err := Parse(c, s, region); err == nil {
				checkAddress(t, a)
			}
		}
	})
}

func TestMask(t *testing.T) {
	tests := []struct {
		a    Address
		want string
	}{
		{Stored(Email, "maija@example.fi"), "m•••@e•••.fi"},
		{Stored(Email, `"no body"@example.com`), "n•••@e•••.com"},
		{Stored(Email, "a@xn--bcher-kva.example"), "a•••@b•••.example"},
		{Stored(Email, "é@mail.example.co.uk"), "é•••@m•••.uk"},
		{Stored(SMS, "+358401234567"), "+358 •• ••• ••67"},
		{Stored(SMS, "+15550100123"), "+1 •• ••• ••23"},
		{Address{}, ""},
		// Only a damaged table has these.
		{Stored(Email, "nobody"), "•••"},
		{Stored(Email, "@"), "•••@•••"},
		{Stored(Email, "a@b"), "a•••@b•••"},
		{Stored(Email, "\xff@\xff.\xff"), "•••@•••.\ufffd"},
		{Stored(SMS, "+1"), "+•••"},
		{Stored(SMS, "1"), "+•••"},
		{Stored(SMS, "nobody@example.com"), "+•••"},
		{Stored("confirmation form", "1"), ""},
	}
	for _, tt := range tests {
		if got := tt.a.Mask(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.a.Value(), got, tt.want)
		}
	}
	a := Stored(Email, "maija@example.fi")
	if s := fmt.Sprintf("%v %s %+v %#v %q", a, a, a, a, a); strings.Contains(s, "maija") {
		t.Errorf("printing an address shows it: %s", s)
	}
	if s := fmt.Sprintf("%v %+v %#v", Event{Address: a}, Event{Address: a}, Event{Address: a}); strings.Contains(s, "maija") {
		t.Errorf("printing an event shows its address: %s", s)
	}
}

// Stored takes whatever a table holds.
func TestMaskTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Stored(rapid.SampledFrom([]Channel{Email, SMS, "", "x"}).Draw(t, "channel"), rapid.String().Draw(t, "value"))
		_, _ = a.Mask(), a.GoString() // no panic
		Redact("x", a)
	})
}

func TestAddressText(t *testing.T) {
	for _, a := range []Address{{}, Stored(Email, "nobody@example.com"), Stored(SMS, "+15550100123"), Stored(Email, `"a:b"@example.com`)} {
		b, err := a.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Address
		if err := got.UnmarshalText(b); err != nil || got != a {
			t.Errorf("%s: got %q, %v", b, got.Value(), err)
		}
	}
	for _, s := range []string{"nobody", "fax:1", ":x"} {
		var got Address
		if err := got.UnmarshalText([]byte(s)); !errors.Is(err, ErrChannel) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, r := range rows {
		f.Add(r.input)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseEmail(s); err == nil {
			checkAddress(t, a)
		} else if !errors.Is(err, ErrAddress) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzParsePhone(f *testing.F) {
	for _, r := range rows {
		f.Add(r.input, r.region)
	}
	f.Fuzz(func(t *testing.T, s, region string) {
		if a, err := ParsePhone(s, region); err == nil {
			checkAddress(t, a)
		} else if !errors.Is(err, ErrAddress) && !errors.Is(err, ErrShortCode) {
			t.Errorf("got %v", err)
		}
	})
}
