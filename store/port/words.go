package port

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
)

// nothing is the kind of a row that says nothing against an address.
const nothing recipient.Kind = "-"

// words are what tools call what they hold against an address, in the form of
// listcsv.Plain. What would loosen is nothing: a list cannot.
var words = func() map[string]recipient.Kind {
	m := map[string]recipient.Kind{}
	for kind, list := range map[recipient.Kind]string{
		recipient.HardBounce: "hard_bounce hard hardbounced bounce bounced bounces permanent permanent_bounce permanent_fail invalid invalid_email bad_mailbox undeliverable cleaned",
		recipient.Block:      "block blocked",
		recipient.Complaint:  "complaint complained complaints spam spam_complaint spam_report spamreported reported_spam abuse abuse_report fbl feedback_loop",
		recipient.OptOut: "opt_out opted_out unsubscribe unsubscribed unsubscribes unsub global_unsubscribe group_unsubscribe list_unsubscribe manual manual_suppression manual_unsubscribe " +
			"do_not_contact dnc do_not_email suppressed blocklist blocklisted blacklist blacklisted stop",
		recipient.SoftBounce: "soft_bounce soft soft_bounced softbounces transient temporary temporary_bounce deferred",
		nothing:              "active enabled disabled subscribed subscribe confirmed unconfirmed contactable ok valid none opt_in opted_in delivered delivery unblock reactivation resubscribed clean pending no",
	} {
		for w := range listcsv.Names(list) {
			m[w] = kind
		}
	}
	return m
}()

// word reads one of words; false: it is none.
func word(s string) (recipient.Kind, bool) {
	k, ok := words[listcsv.Plain(s)]
	return k, ok
}

// yes reads a column of truth.
func yes(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "true", "t", "yes", "y", "x":
		return true
	}
	return false
}

// layouts are how dates stand in lists. Those without a zone are UTC. A date
// without a time is the beginning of the day: what somebody did later on that day
// counts more than the list.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05.999999999-0700",
	time.RFC1123, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700", // Mailgun
	"2 Jan 2006", "2 Jan 2006 15:04", "Jan 2, 2006", "January 2, 2006", "2.1.2006", "2.1.2006 15:04", "2.1.2006 15:04:05", "2006/01/02", "2006/01/02 15:04:05", "20060102",
}

var errDate = errors.New("not a date that can be read: write 2026-11-24 or 2026-11-24T15:04:05Z")

// oldest is the earliest time that is believed, as recipient.Seal does. What is
// older is some program's zero.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// ParseTime reads a date of a list; empty is the zero time. Numbers are seconds,
// milliseconds or microseconds since 1970. Dates such as 03/04/2026, of which
// nobody knows what they mean, are an error.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) != 8 {
		switch len(s) {
		case 9, 10:
			return checkTime(time.Unix(n, 0))
		case 13:
			return checkTime(time.UnixMilli(n))
		case 16:
			return checkTime(time.UnixMicro(n))
		}
		return time.Time{}, errDate
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			// A zone by its letters alone: Go does not know the offset of any but UTC.
			if name, offset := t.Zone(); offset == 0 && name != "UTC" && name != "GMT" && name != "" && strings.Contains(l, "MST") && !strings.Contains(l, "-0700") {
				return time.Time{}, errDate
			}
			return checkTime(t)
		}
	}
	return slashed(s)
}

func checkTime(t time.Time) (time.Time, error) {
	if t.Before(oldest) || t.Year() > 9999 {
		return time.Time{}, errDate
	}
	return recipient.Micro(t), nil
}

// slashed reads a date with slashes where day and month cannot be mixed up.
func slashed(s string) (time.Time, error) {
	for _, clock := range []string{"", " 15:04", " 15:04:05", " 3:04 PM", " 3:04:05 PM"} {
		first, err1 := time.Parse("1/2/2006"+clock, s)
		second, err2 := time.Parse("2/1/2006"+clock, s)
		switch {
		case err1 == nil && err2 == nil && !first.Equal(second):
			return time.Time{}, errDate
		case err1 == nil:
			return checkTime(first)
		case err2 == nil:
			return checkTime(second)
		}
	}
	return time.Time{}, errDate
}
