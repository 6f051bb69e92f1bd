package recipient

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/quick"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSealTimes(t *testing.T) {
	k := testKeyer(t)
	received := time.Date(2026, 11, 24, 12, 0, 0, 500, time.UTC)
	cut := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct{ at, want time.Time }{
		"none":             {time.Time{}, cut},
		"before":           {at(-5), at(-5)},
		"in the future":    {at(3600), cut},
		"year 9999":        {time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), cut},
		"zero of Unix":     {time.Unix(0, 0), cut},
		"1999":             {time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC), cut},
		"in another zone":  {at(-5).In(time.FixedZone("x", 3600)), at(-5)},
		"with nanoseconds": {at(-5).Add(999), at(-5)},
	} {
		e := k.Seal(Event{Kind: HardBounce, At: tt.at}, "acme", received)
		if e.At != tt.want || e.ReceivedAt != cut { //nolint:revive // UTC is part of it
			t.Errorf("%s: got %v, received %v, want %v", name, e.At, e.ReceivedAt, tt.want)
		}
	}
	// Sealing again, as a replay does, changes nothing.
	e := k.Seal(Event{Kind: HardBounce, Address: Stored(Email, "nobody@example.com"), Detail: "nobody unknown", IDParts: []string{"1"}}, "acme", received)
	if d := cmp.Diff(e, k.Seal(e, "acme", received), cmp.Comparer(func(a, b Address) bool { return a == b })); d != "" {
		t.Errorf("sealed twice (-once +twice):\n%s", d)
	}
	if e.Channel != Email || e.Key != k.Key(e.Address) || e.Endpoint != "acme" {
		t.Errorf("got %+v", e)
	}
	// A click has a key and no address.
	click := k.Seal(Event{Kind: OptOut, Key: Key{1}, Channel: SMS}, "link", received)
	if click.Key != (Key{1}) || click.Channel != SMS {
		t.Errorf("a click: got %+v", click)
	}
}

// A duplicate has the same fingerprint, anything else another.
func TestFingerprint(t *testing.T) {
	base := NewFingerprint("acme", []string{"a", "b"}, Key{1}, HardBounce)
	if base != NewFingerprint("acme", []string{"a", "b"}, Key{1}, HardBounce) {
		t.Error("not the same twice")
	}
	for name, f := range map[string]Fingerprint{
		"endpoint":           NewFingerprint("acme2", []string{"a", "b"}, Key{1}, HardBounce),
		"part":               NewFingerprint("acme", []string{"a", "c"}, Key{1}, HardBounce),
		"parts joined":       NewFingerprint("acme", []string{"ab"}, Key{1}, HardBounce),
		"parts split":        NewFingerprint("acme", []string{"a", "", "b"}, Key{1}, HardBounce),
		"moved into a part":  NewFingerprint("acm", []string{"ea", "b"}, Key{1}, HardBounce),
		"moved out of parts": NewFingerprint("acmea", []string{"b"}, Key{1}, HardBounce),
		"order":              NewFingerprint("acme", []string{"b", "a"}, Key{1}, HardBounce),
		"key":                NewFingerprint("acme", []string{"a", "b"}, Key{2}, HardBounce),
		"kind":               NewFingerprint("acme", []string{"a", "b"}, Key{1}, SoftBounce),
		"no parts":           NewFingerprint("acme", nil, Key{1}, HardBounce),
	} {
		if f == base {
			t.Errorf("%s: the same fingerprint", name)
		}
	}
	// ReceivedAt, and everything that changes on a retry, does not count.
	k := testKeyer(t)
	one := Event{Kind: HardBounce, Address: Stored(Email, "nobody@example.com"), IDParts: []string{"1"}, Detail: "x"}
	two := one
	two.Detail, two.At = "y", at(-9)
	if k.Seal(one, "acme", noon).Fingerprint != k.Seal(two, "acme", at(60)).Fingerprint {
		t.Error("a retry is another event")
	}
}

func TestRedact(t *testing.T) {
	tests := []struct {
		name  string
		a     Address
		in    string
		want  string
		whole bool // with redactWhole
	}{
		{"address", Stored(Email, "nobody@example.com"), "<nobody@example.com>: unknown", "<‹address›>: unknown", false},
		{"case", Stored(Email, "nobody@example.com"), "NoBody@EXAMPLE.com", "‹address›", false},
		{"local part", Stored(Email, "nobody@example.com"), "User Nobody unknown", "User ‹address› unknown", false},
		{"local part in a word", Stored(Email, "nobody@example.com"), "nobodyelse", "nobodyelse", false},
		{"local part after a letter", Stored(Email, "nobody@example.com"), "änobody", "änobody", false},
		{"percent-encoded", Stored(Email, "nobody@example.com"), "to=nobody%40example.com", "to=‹address›%40example.com", false},
		{"in a return path", Stored(Email, "nobody@example.com"), "bounce+nobody=example.com@example.net", "bounce+‹address›=example.com@example.net", false},
		{"one letter", Stored(Email, "a@example.com"), "a mailbox a@example.com", "a mailbox ‹address›", false},
		{"the word address itself", Stored(Email, "address@example.com"), "address@example.com: bad address", "‹address›: bad ‹address›", false},
		{"IDN as letters", Stored(Email, "nobody@xn--bcher-kva.example"), "nobody@bücher.example!", "‹address›!", false},
		{"not UTF-8 around it", Stored(Email, "nobody@example.com"), "\xff Nobody@example.com \xfe", "\xff ‹address› \xfe", false},
		{"E.164", Stored(SMS, "+358401234567"), "to +358401234567", "to ‹address›", false},
		{"MSISDN", Stored(SMS, "+358401234567"), "to 358401234567.", "to ‹address›.", false},
		{"with 00", Stored(SMS, "+358401234567"), "to 00358401234567.", "to ‹address›.", false},
		{"national", Stored(SMS, "+358401234567"), "0401234567 and 401234567", "‹address› and ‹address›", false},
		{"digits in a longer number", Stored(SMS, "+358401234567"), "id 93584012345671", "id 93584012345671", false},
		{"no address", Address{}, "nobody", "nobody", false},
		{"whole: id keeps the local part", Stored(Email, "info@example.com"), "info-123 info@example.com", "info-123 ‹address›", true},
		{"damaged table", Stored(Email, "nobody"), "nobody there", "‹address› there", false},
		{"damaged table, upper case", Stored(Email, "Nobody@Example.com"), "nobody@example.com", "‹address›", false},
	}
	for _, tt := range tests {
		redact := Redact
		if tt.whole {
			redact = redactWhole
		}
		got := redact(tt.in, tt.a)
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if again := redact(got, tt.a); again != got {
			t.Errorf("%s: redacted again: got %q", tt.name, again)
		}
	}
}

func TestSealTexts(t *testing.T) {
	k := testKeyer(t)
	long := strings.Repeat("x", 5000) + " nobody@example.com"
	e := k.Seal(Event{Kind: HardBounce, Address: Stored(Email, "nobody@example.com"),
		Detail: "no\u200bbody@exa\x00mple.com\r\n\r\nUnknown <script>\u202e", EventID: long, MessageID: "<nobody@example.com>", Code: "nobody@example.com", Rule: " r ", SendOut: "s\n"}, "acme", noon)
	if e.Detail != "‹address› Unknown <script>" {
		t.Errorf("detail: got %q", e.Detail)
	}
	if len(e.EventID) > MaxIDBytes || e.MessageID != "<‹address›>" || e.Code != "‹address›" || e.Rule != "r" || e.SendOut != "s" {
		t.Errorf("got %+v", e)
	}
	// An address that the limit cuts through does not survive in half.
	for n := MaxDetailBytes - 30; n < MaxDetailBytes+5; n++ {
		d := k.Seal(Event{Kind: HardBounce, Address: Stored(Email, "nobody@example.com"), Detail: strings.Repeat("x", n) + " nobody@example.com"}, "acme", noon).Detail
		if strings.Contains(d, "nobo") || len(d) > MaxDetailBytes || !utf8.ValidString(d) {
			t.Errorf("cut at %d: got ...%q", n, d[len(d)-20:])
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain": "plain", "  two  blanks ": "two blanks", "a\r\nb\tc\u2028d": "a b c d", "\x00\x1b[31mred\x7f": "[31mred",
		"\u202eabc\u2066\u200f": "abc", "a\xffb": "a\ufffdb", "\u0085x": "x", "é": "é", "   ": "",
		"0123456789abcdef": "0123456789", "0123456 ä ü": "0123456 ä", "12345678 ä": "12345678", "012345678é": "012345678",
	} {
		if got := Clean(in, 10); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func checkClean(t *testing.T, s string, most int) {
	t.Helper()
	got := Clean(s, most)
	if len(got) > most || !utf8.ValidString(got) || got != strings.TrimSpace(got) || strings.Contains(got, "  ") {
		t.Errorf("%q, at most %d: got %q", s, most, got)
	}
	if i := strings.IndexFunc(got, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r != ' ' && unicode.IsSpace(r)
	}); i >= 0 {
		t.Errorf("%q: got %q", s, got)
	}
	if again := Clean(got, most); again != got {
		t.Errorf("%q: cleaned again: got %q, then %q", s, got, again)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\u202eb \xff\x00", 5)
	f.Add(strings.Repeat("é ", 50), 7)
	f.Fuzz(func(t *testing.T, s string, most int) {
		if most >= 0 && most < 1<<16 {
			checkClean(t, s, most)
		}
	})
}

func FuzzRedact(f *testing.F) {
	f.Add("<nobody@example.com>: nobody", "nobody@example.com")
	f.Add("to 358401234567", "+358401234567")
	f.Add("\xffADDRESS@example.com", "address@example.com")
	k := testKeyer(f)
	f.Fuzz(func(t *testing.T, s, address string) {
		for _, c := range []Channel{Email, SMS} {
			Redact(s, Stored(c, address)) // no panic
			a, err := Parse(c, address, "")
			if err != nil {
				continue
			}
			detail := k.Seal(Event{Kind: HardBounce, Address: a, Detail: s + " " + a.Value() + " " + s}, "acme", noon).Detail
			if strings.Contains(lowerASCII(detail), a.Value()) || len(detail) > MaxDetailBytes {
				t.Errorf("%q of %q: got %q", a.Value(), s, detail)
			}
		}
	})
}

func TestKey(t *testing.T) {
	k := testKeyer(t)
	a := Stored(Email, "nobody@example.com")
	if k.Key(a) == k.Key(Stored(SMS, "nobody@example.com")) || !k.Key(Address{}).IsZero() || k.Key(a).IsZero() {
		t.Error("channels share keys, or there are none")
	}
	other, err := NewKeyer([]byte("another key of thirty-two bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	if k.Key(a) == other.Key(a) || SameCheck(k.Check(), other.Check()) || !SameCheck(k.Check(), testKeyer(t).Check()) {
		t.Error("the address key does not matter")
	}
	for _, weak := range [][]byte{nil, make([]byte, 32), []byte("short"), []byte(strings.Repeat("abcdefg", 8))} {
		if _, err := NewKeyer(weak); err == nil {
			t.Errorf("%d bytes: accepted", len(weak))
		}
	}
	secret := []byte("a key of thirty-two bytes or even more")
	mine, err := NewKeyer(secret)
	if err != nil {
		t.Fatal(err)
	}
	before := mine.Key(a)
	clear(secret)
	if mine.Key(a) != before {
		t.Error("the keyer kept the caller's memory")
	}
	rapid.Check(t, func(t *rapid.T) {
		var key Key
		copy(key[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
		var back Key
		if err := back.UnmarshalText([]byte(key.String())); err != nil || back != key {
			t.Fatalf("got %v, %v", back, err)
		}
	})
	for _, s := range []string{"", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAA\nA", "AAAAAAAAAAAAAAAAAAAAA+", strings.Repeat("A", 23)} {
		if _, err := ParseKey(s); err == nil {
			t.Errorf("%q: accepted", s)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	k, a := testKeyer(b), Stored(Email, "nobody@example.com")
	b.ReportAllocs()
	for b.Loop() {
		k.Key(a)
	}
}

func ExampleParseEmail() {
	a, err := ParseEmail(" First.Last+News@BÜCHER.example ")
	fmt.Println(a.Value(), err)
	fmt.Println(a)
	// Output:
	// first.last+news@xn--bcher-kva.example <nil>
	// f•••@b•••.example
}

func ExampleParsePhone() {
	a, _ := ParsePhone("040 123 4567", "FI")
	fmt.Println(a.Value())
	_, err := ParsePhone("040 123 4567", "")
	fmt.Println(err)
	// Output:
	// +358401234567
	// not a valid address: the number has no country code; write it with +
}

func TestKeyHex(t *testing.T) {
	if got := (Key{0, 0xab, 15: 0xf0}).Hex(); got != "00ab00000000000000000000000000f0" {
		t.Errorf("got %q", got)
	}
}

func TestKeyCompare(t *testing.T) {
	f := func(a, b Key, same uint8) bool {
		copy(b[:], a[:same%17]) // so that every byte decides now and then
		return a.Compare(b) == bytes.Compare(a[:], b[:]) && b.Compare(a) == -a.Compare(b)
	}
	if err := quick.Check(f, nil); err != nil {
		t.Error(err)
	}
}
