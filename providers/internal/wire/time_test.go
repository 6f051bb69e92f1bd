package wire

import (
	"encoding/json"
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	at := time.Date(2026, 1, 5, 10, 0, 5, 0, time.UTC)
	frac := func(ns int) time.Time { return at.Add(time.Duration(ns)) }
	tests := []struct {
		in      string
		layouts []string
		want    time.Time
	}{
		{"2026-01-05T10:00:05Z", nil, at},
		{"2026-01-05T12:00:05+02:00", nil, at},
		{"2026-01-05T05:00:05-05:00", nil, at},
		{"2026-01-05T10:00:05.5Z", nil, frac(500_000_000)},
		{"2026-01-05T10:00:05.1234567Z", nil, frac(123_456_700)},
		{"2026-01-05T05:00:05.2735393-05:00", nil, frac(273_539_300)},
		{"2026-01-05T10:00:05.123456789012Z", nil, frac(123_456_789)},
		{"2026-01-05T10:00:05,5Z", nil, frac(500_000_000)},
		{"2026-01-05T12:00:05+0200", nil, at},
		{"2026-01-05T12:00:05.250+0200", nil, frac(250_000_000)},
		{"2026-01-05T12:00:05 +0200", nil, at},
		{"2026-01-05T10:00:05", nil, at},
		{"2026-01-05T10:00:05.5", nil, frac(500_000_000)},
		{"2026-01-05 10:00:05", nil, at},
		{"2026-01-05 10:00:05.25", nil, frac(250_000_000)},
		{"2026-01-05 10:00:05Z", nil, at},
		{"2026-01-05 12:00:05+02:00", nil, at},
		{"2026-01-05 12:00:05 +0200", nil, at},
		{"2026-01-05 12:00:05.25+02", nil, frac(250_000_000)},
		{"2026-01-05 10:00:05 UTC", nil, at},
		{"  2026-01-05T10:00:05Z\n", nil, at},
		{"1767607205", nil, at},
		{"1767607205.5", nil, frac(500_000_000)},
		{"1767607205.123456789", nil, frac(123_456_789)},
		{"1767607205.1234567891", nil, frac(123_456_789)},
		{"1767607205.", nil, at},
		{"1767607205000", nil, at},
		{"1767607205500", nil, frac(500_000_000)},
		{"1767607205500000", nil, frac(500_000_000)},
		{"1767607205500000000", nil, frac(500_000_000)},
		{"1.767607205e9", nil, at},
		{"1.7676072055E12", nil, frac(500_000_000)},
		{"05/01/2026 10:00:05", []string{"02/01/2006 15:04:05"}, at},
		{"Mon, 05 Jan 2026 12:00:05 +0200", []string{time.RFC1123Z}, at},
		{"20260105100005", []string{"20060102150405"}, at}, // before it is taken for a number
		{"2026-01-05T10:00:05Z", []string{"02/01/2006"}, at},

		{"", nil, time.Time{}},
		{" ", nil, time.Time{}},
		{"0", nil, time.Time{}},
		{"-1767607205", nil, time.Time{}},
		{"+1767607205", nil, time.Time{}},
		{"1767607205x", nil, time.Time{}},
		{"1767607205.x", nil, time.Time{}},
		{"1.2.3", nil, time.Time{}},
		{".5", nil, time.Time{}},
		{"1e400", nil, time.Time{}},
		{"-1e9", nil, time.Time{}},
		{"NaN", nil, time.Time{}},
		{"Infinity", nil, time.Time{}},
		{"99999999999999999999999999", nil, time.Time{}},
		{"yesterday", nil, time.Time{}},
		{"2026-13-05T10:00:05Z", nil, time.Time{}},
		{"2026-02-30T10:00:05Z", nil, time.Time{}},
		{"2026-01-05T25:00:05Z", nil, time.Time{}},
		{"9999-12-31T23:59:59-10:00", nil, time.Time{}}, // the year 10000 cannot be written as RFC 3339
		{"0000-01-01T00:00:00+10:00", nil, time.Time{}},
	}
	for _, tt := range tests {
		got := Time(tt.in, tt.layouts...)
		if !got.Equal(tt.want) {
			t.Errorf("Time(%q) = %v, want %v", tt.in, got, tt.want)
		}
		if quick, ok := stamp(tt.in); ok && !quick.Equal(tt.want) {
			t.Errorf("stamp(%q) = %v, want %v", tt.in, quick, tt.want)
		}
		if got.Location() != time.UTC {
			t.Errorf("Time(%q) is in %v", tt.in, got.Location())
		}
	}
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-01-05T10:00:05.1234567Z", "2026-01-05T10:00:05.1234567", "2026-01-05T10:00:05.123456789+02:00", "2026-01-05 10:00:05.1-0230", "2024-02-29 10:00:05-02:30", "2026-01-05T24:00:60+24:60", "1767607205.5", "1.7e9", "9999-12-31T23:59:59-10:00", "2026-01-05 10:00:05 UTC"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Time(s)
		if quick, ok := stamp(s); ok {
			if slow, ok := parse(s, timeLayouts); !ok || !quick.Equal(slow) {
				t.Errorf("%q is %v, by the layouts %v", s, quick, slow)
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("Time(%q) cannot be written: %v", s, err)
		}
		if !got.IsZero() && !Time(got.Format(time.RFC3339Nano)).Equal(got) {
			t.Errorf("Time(%q) = %v does not read back", s, got)
		}
	})
}
