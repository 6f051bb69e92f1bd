package recipient

import (
	"testing"
)

// What the short way reads, the long way reads too, and the same.
func FuzzPlainEmail(f *testing.F) {
	for _, s := range []string{"a@b.c", "First.Last+tag@Mail.Example.COM", "a@b", "a@1.2.3.4", "a@-b.c", "a@b-.c", "a@xn--bcher-kva.example", "a@b..c", "a@b.c.",
		"a_b@c_d.example", "@b.c", "a@@b.c", "a@b@c.example", "a@b.1c", "a.@b.c", ".a@b.c", "a@b--c.example", " a@b.c", "k@\u212a.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := plainEmail(s)
		if !ok {
			return
		}
		want, err := parseEmail(s)
		if err != nil || got != want {
			t.Errorf("plainEmail(%q) = %q, parseEmail = %q, %v", s, got.Value(), want.Value(), err)
		}
	})
}

func FuzzPlainPhone(f *testing.F) {
	for _, s := range []string{"+15555550100", "+358450000012", "15555550100", "+0555550100", "+155555", "+1555555", "+1555555010012345", "+155555501001234", "+1 555", "++1555555", "+1555555\u0661", "+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := plainPhone(s)
		if !ok {
			return
		}
		want, err := parsePhone(s, "")
		if err != nil || got != want {
			t.Errorf("plainPhone(%q) = %q, parsePhone = %q, %v", s, got.Value(), want.Value(), err)
		}
	})
}

func TestPlainPhoneIsTaken(t *testing.T) {
	for _, s := range []string{"+15555550100", "+358450000012"} {
		if _, ok := plainPhone(s); !ok {
			t.Errorf("plainPhone(%q) refuses a plain number", s)
		}
	}
}

func TestPlainEmailIsTaken(t *testing.T) {
	for _, s := range []string{"nobody@example.com", "First.Last+tag@Mail.Example.COM", "a_b-c@x1-y2.example.org"} {
		if _, ok := plainEmail(s); !ok {
			t.Errorf("plainEmail(%q) refuses a plain address", s)
		}
	}
}

func BenchmarkParseEmail(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseEmail("first.last123456@mail.example.com"); err != nil {
			b.Fatal(err)
		}
	}
}
