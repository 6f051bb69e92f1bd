package port_test

import (
	"testing"
	"time"

	"github.com/strikeout/strikeout/store/port"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a", "=1": "'=1", "+1+1": "'+1+1", "-1": "'-1", "@a": "'@a", "\t=1": "'\t=1", "\r": "'\r", "+358401234567": "+358401234567", "a=1": "a=1"} {
		if got := port.Text(in); got != want {
			t.Errorf("Text(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 24, 13, 4, 5, 0, time.UTC)
	for _, s := range []string{"2026-11-24T13:04:05Z", "2026-11-24 13:04:05", "1795525445", "1795525445000", "1795525445000000", "Tue, 24 Nov 2026 13:04:05 GMT", "Tue, 24 Nov 2026 14:04:05 +0100", "2026-11-24 15:04:05+02:00", "24.11.2026 13:04:05", "11/24/2026 13:04:05", "24/11/2026 13:04:05", "2026-11-24 13:04:05 UTC"} {
		if got, err := port.ParseTime(s); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"x", "03/04/2026", "1970-01-01", "0", "1", "2026-13-01", "Tue, 24 Nov 2026 13:04:05 PST", "0000-00-00 00:00:00"} {
		if got, err := port.ParseTime(s); err == nil {
			t.Errorf("%q: got %v", s, got)
		}
	}
	for s, want := range map[string]time.Time{"": {}, "20261124": time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), "5/5/2026": time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC)} {
		if got, err := port.ParseTime(s); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
}
