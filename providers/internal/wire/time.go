package wire

import (
	"strconv"
	"strings"
	"time"
)

// timeLayouts are tried in order; those without a zone are UTC.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05 Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 Z0700",
	"2006-01-02 15:04:05.999999999Z07", // as PostgreSQL writes it
	"2006-01-02 15:04:05.999999999 UTC",
	"2006-01-02 15:04:05.999999999",
}

// Time reads a time in any of the given layouts, RFC 3339 in its loose forms
// (no zone means UTC), or Unix seconds, milliseconds, microseconds or
// nanoseconds, told apart by size, with or without a fraction. Layouts of the
// caller come first. It returns the zero time for anything else: an event
// whose time cannot be read still happened.
func Time(s string, layouts ...string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	if t, ok := parse(s, layouts); ok {
		return t
	}
	if t, ok := stamp(s); ok {
		return t
	}
	if t, ok := unix(s); ok {
		return t
	}
	t, _ := parse(s, timeLayouts)
	return t
}

func parse(s string, layouts []string) (time.Time, bool) {
	for _, l := range layouts {
		t, err := time.Parse(l, s)
		if err != nil {
			continue
		}
		// In UTC the year can leave the range that RFC 3339 can write.
		if t = t.UTC(); t.Year() >= 1 && t.Year() <= 9999 {
			return t, true
		}
	}
	return time.Time{}, false
}

// stamp reads the commonest forms of timeLayouts, at a tenth of what a layout
// takes: 2006-01-02T15:04:05 with a fraction or without, and no zone, Z, +07:00 or
// +0700. What it does not take may be a time all the same.
func stamp(s string) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form) || len(s) > len(form)+len(".123456789+00:00") || s[10] != 'T' && s[10] != ' ' || !matches(s[:10], form[:10]) || !matches(s[11:19], form[11:]) {
		return time.Time{}, false
	}
	year, month, day := number(s[:4]), time.Month(number(s[5:7])), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	nanos, zone := 0, s[len(form):]
	if zone != "" && zone[0] == '.' {
		n := 1
		for ; n < len(zone) && n <= 9 && '0' <= zone[n] && zone[n] <= '9'; n++ {
			nanos = nanos*10 + int(zone[n]-'0')
		}
		for i := n; i <= 9; i++ {
			nanos *= 10
		}
		if n == 1 {
			return time.Time{}, false
		}
		zone = zone[n:]
	}
	switch {
	case zone == "", zone == "Z":
		zone = "+00:00"
	case len(zone) == len("+0700") && s[10] == 'T':
		zone = zone[:3] + ":" + zone[3:]
	}
	if !matches(zone, "+00:00") && !matches(zone, "-00:00") {
		return time.Time{}, false
	}
	offset := time.Duration(number(zone[1:3]))*time.Hour + time.Duration(number(zone[4:6]))*time.Minute
	if zone[0] == '-' {
		offset = -offset
	}
	if year < 1000 || year > 9998 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 59 || number(zone[1:3]) > 23 || number(zone[4:6]) > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, nanos, time.UTC)
	if offset != 0 {
		t = t.Add(-offset)
	}
	return t, true
}

// daysIn returns how many days a month has; none, where there is no such month.
func daysIn(month time.Month, year int) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	if month < time.January || month > time.December {
		return 0
	}
	return 31
}

// matches reports whether s has digits where form has 0, and else the same bytes.
func matches(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(form) {
		if s[i] != form[i] && (form[i] != '0' || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// number reads a few digits.
func number(digits string) (n int) {
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// unix reads digits with an optional fraction.
func unix(s string) (time.Time, bool) {
	if len(s) == len("1700000000") && s[0] != '0' && matches(s, "0000000000") { // what it mostly is
		return time.Unix(int64(number(s)), 0).UTC(), true
	}
	whole, frac, _ := strings.Cut(s, ".")
	if strings.ContainsAny(s, "eE") { // 1.7e9, as some JSON writers put floats
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f < 0 || f > 1e19 {
			return time.Time{}, false
		}
		whole, frac = strconv.FormatFloat(f, 'f', 0, 64), ""
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n <= 0 || strings.Trim(frac, "0123456789") != "" || whole[0] == '+' {
		return time.Time{}, false
	}
	switch {
	case n > 1e17:
		return time.Unix(0, n).UTC(), true
	case n > 1e14:
		return time.UnixMicro(n).UTC(), true
	case n > 1e11:
		return time.UnixMilli(n).UTC(), true
	}
	frac = (frac + "000000000")[:9]
	ns, _ := strconv.ParseInt(frac, 10, 64) //nolint:errcheck // nine digits
	return time.Unix(n, ns).UTC(), true
}
