package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// Every statement of a hot path finds its rows by an index, on tables that are
// large enough for the optimizer to care.
func TestStatementsUseAnIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx := t.Context()
		var events []recipient.Event
		var keys []recipient.Key
		var prints []recipient.Fingerprint
		for i := range 6000 {
			kind := recipient.Delivered
			if i%20 == 0 {
				kind = []recipient.Kind{recipient.HardBounce, recipient.SoftBounce, recipient.Complaint}[i/20%3]
			}
			e := report(nth(i%3000), kind, fmt.Sprint(i), noon, noon)
			events, keys, prints = append(events, e), append(keys, e.Key), append(prints, e.Fingerprint)
		}
		record(t, db, events...)
		sql := store.SQL(db)
		for n, insert := range []string{
			"INSERT INTO contacts (external_id, name, language, email_key, email_on, phone_key, phone_on, created_at, updated_at) SELECT CONCAT('c', id), 'n', 'fi', recipient_key, 1, fingerprint, 1, 1, 1 FROM events",
			"INSERT INTO contact_terms (term, contact_id) SELECT CONCAT('person', id), id FROM contacts",
			"INSERT INTO contact_terms (term, contact_id) SELECT CONCAT('other', id), id FROM contacts",
			"INSERT INTO quarantine (endpoint, provider, reason, method, url, header, body, size, received_at, detail) SELECT CONCAT('e', id % 20), 'p', 'r', 'POST', '/', '{}', '', 1, 1, '' FROM contacts",
			"INSERT INTO short_links (code, recipient_key, channel, send_out, language, preview, created_at) SELECT fingerprint, recipient_key, 'sms', 'spring', '', 0, 1 FROM events",
			"INSERT INTO requests (channel, kind, language, received_at, recipient_key, resolved_at) SELECT 'email', 'typed', 'fi', 1, email_key, id % 10 FROM contacts",
			"INSERT INTO day_counts (day, endpoint, source, kind, n) SELECT id % 90, CONCAT('e', id % 10), 'provider', CONCAT('k', id), 1 FROM contacts",
			"INSERT INTO day_reasons (day, kind, endpoint, rule, code, n) SELECT id % 90, 'hard_bounce', CONCAT('e', id % 10), 'r', CONCAT('c', id), 1 FROM contacts",
			"INSERT INTO day_domains (day, kind, domain, n) SELECT id % 90, 'hard_bounce', CONCAT('d', id), 1 FROM contacts",
			"INSERT INTO endpoint_hours (endpoint, hour, accepted, rejected) SELECT CONCAT('e', id % 20), id, 1, 0 FROM contacts",
			"INSERT INTO hard_slots (dim, name, slot, n, first_id, last_id) SELECT 'domain', CONCAT('e', id % 20), id, 1, id, id FROM contacts",
			"INSERT INTO incidents (dim, name, began_at, last_at, ended_at, dismissed_at, peak, usual) SELECT 'domain', CONCAT('e', id), id, id, id % 300, id % 300, 1, 1 FROM contacts",
		} {
			if db.Kind() == "sqlite" {
				insert = strings.ReplaceAll(insert, "CONCAT(", "concat(")
			}
			if _, err := sql.ExecContext(ctx, insert); err != nil {
				t.Fatalf("insert %d: %v", n, err)
			}
		}
		analyze := "ANALYZE TABLE recipients, events, contacts, contact_terms, quarantine, requests, short_links, day_counts, day_reasons, day_domains, endpoint_hours, hard_slots, incidents"
		if db.Kind() == "sqlite" {
			analyze = "ANALYZE"
		}
		rows, err := sql.QueryContext(ctx, analyze)
		if err != nil {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		for name, s := range store.Statements(db, keys, prints) {
			for _, step := range plan(t, db, s) {
				if step.bad {
					t.Errorf("%s: %s", name, step.text)
				}
			}
		}
	})
}

type step struct {
	text string
	bad  bool
}

func plan(t *testing.T, db *store.DB, s store.Statement) (steps []step) {
	t.Helper()
	explain := "EXPLAIN "
	if db.Kind() == "sqlite" {
		explain = "EXPLAIN QUERY PLAN "
	}
	rows, err := store.SQL(db).QueryxContext(t.Context(), explain+s.Text, s.Args...)
	if err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for rows.Next() {
		m := map[string]any{}
		if err := rows.MapScan(m); err != nil {
			t.Fatal(err)
		}
		if db.Kind() == "sqlite" {
			detail := fmt.Sprint(m["detail"])
			steps = append(steps, step{detail, strings.HasPrefix(detail, "SCAN") || strings.Contains(detail, "USE TEMP B-TREE FOR ORDER BY") && !strings.Contains(s.Text, "GROUP BY")})
			continue
		}
		access, extra := text(m["type"]), text(m["Extra"])
		steps = append(steps, step{fmt.Sprintf("%s %s by %s: %s", access, text(m["table"]), text(m["key"]), extra),
			access == "ALL" || access == "index" && !strings.Contains(s.Text, "LIMIT") || text(m["key"]) == "" && !strings.Contains(extra, "no matching row") && !strings.Contains(extra, "Impossible") ||
				strings.Contains(extra, "filesort") && !strings.Contains(s.Text, "GROUP BY")})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 {
		t.Errorf("no plan for %s", s.Text)
	}
	return steps
}

func text(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
