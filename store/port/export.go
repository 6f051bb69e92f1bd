package port

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// The columns of exports. Import reads both.
var (
	contactHeader     = []string{"external_id", "name", "language", "email", "phone", "email_blocked", "email_opted_out", "phone_blocked", "phone_opted_out", "created_at", "updated_at"}
	suppressionHeader = []string{"channel", "address", "recipient_key", "blocked", "blocked_at", "opted_out", "opted_out_at", "complained_at"}
)

const exportPage = 1000

// Export writes all contacts or all suppressed addresses as CSV, page by page, so
// that their number does not matter. Flush is called after every page; nil is
// fine. It returns the number of rows.
func Export(ctx context.Context, w io.Writer, s Store, what Kind, flush func(rows int) error) (int, error) {
	out := csv.NewWriter(w)
	x := &exporter{out: out, s: s, flush: flush}
	var err error
	switch what {
	case Contacts:
		err = x.contacts(ctx)
	case Suppressions:
		err = x.suppressions(ctx)
	default:
		err = fmt.Errorf("export: expected %s or %s", Contacts, Suppressions)
	}
	return x.rows, err
}

type exporter struct {
	out   *csv.Writer
	s     Store
	flush func(int) error
	rows  int
}

func (x *exporter) page() error {
	x.out.Flush()
	if err := x.out.Error(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	if x.flush == nil {
		return nil
	}
	return x.flush(x.rows)
}

func (x *exporter) write(record []string) error {
	if err := x.out.Write(record); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	x.rows++
	return nil
}

func (x *exporter) contacts(ctx context.Context) error {
	if err := x.out.Write(contactHeader); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	for after := ""; ; {
		list, next, err := x.s.Contacts(ctx, store.ContactQuery{Limit: exportPage, After: after})
		if err != nil {
			return fmt.Errorf("export contacts: %w", err)
		}
		var keys []recipient.Key
		for _, c := range list {
			for _, k := range []recipient.Key{c.EmailKey, c.PhoneKey} {
				if !k.IsZero() {
					keys = append(keys, k)
				}
			}
		}
		states, err := x.s.States(ctx, keys)
		if err != nil {
			return fmt.Errorf("export contacts: %w", err)
		}
		for _, c := range list {
			email, phone := states[c.EmailKey], states[c.PhoneKey]
			err := x.write([]string{Text(c.ExternalID), Text(c.Name), Text(c.Language), Text(c.Email.Value()), Text(c.Phone.Value()),
				truth(!c.EmailKey.IsZero(), email.Blocked()), truth(!c.EmailKey.IsZero(), email.OptedOut()),
				truth(!c.PhoneKey.IsZero(), phone.Blocked()), truth(!c.PhoneKey.IsZero(), phone.OptedOut()), stamp(c.CreatedAt), stamp(c.UpdatedAt)})
			if err != nil {
				return err
			}
		}
		if err := x.page(); err != nil || next == "" {
			return err
		}
		after = next
	}
}

func (x *exporter) suppressions(ctx context.Context) error {
	if err := x.out.Write(suppressionHeader); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	for after := (recipient.Key{}); ; {
		list, err := x.s.Suppressed(ctx, after, exportPage)
		if err != nil {
			return fmt.Errorf("export suppressions: %w", err)
		}
		for _, r := range list {
			s := r.State
			err := x.write([]string{string(r.Channel), Text(r.Address.Value()), r.Key.Hex(), truth(true, s.Blocked()), stamp(s.BlockedAt),
				truth(true, s.OptedOut()), stamp(s.OptedOutAt), stamp(s.ComplainedAt)})
			if err != nil {
				return err
			}
			after = r.Key
		}
		if err := x.page(); err != nil || len(list) < exportPage {
			return err
		}
	}
}

// truth is empty where there is nothing to know.
func truth(known, v bool) string {
	switch {
	case !known:
		return ""
	case v:
		return "true"
	}
	return "false"
}

// stamp writes a time; an echo has none.
func stamp(t time.Time) string {
	if t.IsZero() || t.Equal(recipient.EchoAt) {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

var phoneNumber = regexp.MustCompile(`^\+[0-9]+$`)

// dangerous are the characters that make a spreadsheet take a cell for a formula.
const dangerous = "=+-@\t\r\n"

// Text makes a value safe to open in a spreadsheet, which takes a cell that
// begins with one of certain characters for a formula (OWASP, "CSV Injection").
// A bare phone number is no formula and stays as it is.
func Text(v string) string {
	if v == "" || phoneNumber.MatchString(v) || !strings.ContainsRune(dangerous, rune(v[0])) {
		return v
	}
	return "'" + v
}

// unguard undoes Text.
func unguard(v string) string {
	if len(v) > 1 && v[0] == '\'' && strings.IndexByte(dangerous, v[1]) >= 0 {
		return v[1:]
	}
	return v
}
