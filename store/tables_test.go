package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestQuarantine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		want := store.Held{Endpoint: "acme", Provider: "acmemail", Reason: "unreadable", Method: "POST", URL: "/webhooks/acme?x=1", Header: map[string][]string{"Content-Type": {"a", "b"}},
			Body: bytes.Repeat([]byte("{\"é\x00\xff"), 1000), ReceivedAt: noon, Key: keyer.Key(nth(1)), Detail: "acme: field: why"}
		if err := db.Quarantine(ctx, want); err != nil {
			t.Fatal(err)
		}
		if err := db.Quarantine(ctx, store.Held{Endpoint: "other", Reason: "no_recipient", ReceivedAt: noon}); err != nil {
			t.Fatal(err)
		}
		list, err := db.Quarantined(ctx, store.QuarantineQuery{Endpoint: "acme", Reason: "unreadable"})
		if err != nil || len(list) != 1 || list[0].Body != nil {
			t.Fatalf("list: got %+v, %v", list, err)
		}
		got, err := db.Held(ctx, list[0].ID)
		want.ID, want.Size = got.ID, got.Size
		if d := cmp.Diff(want, got); d != "" || err != nil || got.Size >= 2000 {
			t.Errorf("held (-want +got): %v\n%s", err, d)
		}
		got.Body, got.Reason = []byte("less"), "bad_recipient"
		set(noon.Add(time.Hour))
		if err := db.UpdateHeld(ctx, got, store.By{}); err != nil {
			t.Fatal(err)
		}
		if again, err := db.Held(ctx, got.ID); err != nil || string(again.Body) != "less" || !again.ReplayedAt.Equal(now()) {
			t.Errorf("updated: got %+v, %v", again, err)
		}
		if n, err := db.QuarantineCounts(ctx); err != nil || n["acme"] != 1 || n["other"] != 1 {
			t.Errorf("counts: got %v, %v", n, err)
		}
		if err := db.Quarantine(ctx, store.Held{Endpoint: "acme", Body: make([]byte, store.MaxHeldBytes+1)}); !errors.Is(err, store.ErrQuarantineFull) {
			t.Errorf("too large: got %v", err)
		}
		set(noon.Add(store.HeldFor + time.Second))
		if err := db.Quarantine(ctx, store.Held{Endpoint: "new", ReceivedAt: now()}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Retain(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if n, err := db.QuarantineCounts(ctx); err != nil || len(n) != 1 || n["new"] != 1 {
			t.Errorf("after 30 days: got %v, %v", n, err)
		}
		for _, err := range []error{db.DropHeld(ctx, got.ID, store.By{}), db.UpdateHeld(ctx, got, store.By{})} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a missing one: got %v", err)
			}
		}
	})
}

func TestQuarantineIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx := t.Context()
		fill := func(endpoint string, rows, size int) {
			t.Helper()
			for range rows / 1000 {
				values := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("('%s', 'p', 'r', 'POST', '/', 'null', '', %d, 1, ''),", endpoint, size), 1000), ",")
				if _, err := store.SQL(db).ExecContext(ctx, "INSERT INTO quarantine (endpoint, provider, reason, method, url, header, body, size, received_at, detail) VALUES "+values); err != nil {
					t.Fatal(err)
				}
			}
		}
		fill("rows", store.MaxHeldRows, 1)
		fill("bytes", 1000, store.MaxHeldTotal/1000+1)
		for endpoint, want := range map[string]error{"rows": store.ErrQuarantineFull, "bytes": store.ErrQuarantineFull, "free": nil} {
			if err := db.Quarantine(ctx, store.Held{Endpoint: endpoint, Body: bytes.Repeat([]byte("0123456789abcdef"), 100)}); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", endpoint, err, want)
			}
		}
	})
}

func TestRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		typed := store.PersonRequest{Channel: recipient.Email, Address: nth(1), Kind: store.RequestTyped, Language: "fi", ReceivedAt: noon}
		confirm := store.PersonRequest{Channel: recipient.SMS, Key: keyer.Key(nth(2)), TokenID: "t", Kind: store.RequestConfirm, ReceivedAt: noon}
		for _, r := range []store.PersonRequest{typed, confirm, typed, typed} {
			if err := db.AddRequest(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Requests(ctx, store.RequestQuery{})
		if err != nil || len(got) != 2 || got[0].Address != nth(1) || got[0].Key != keyer.Key(nth(1)) || got[1].TokenID != "t" {
			t.Fatalf("got %+v, %v", got, err)
		}
		if err := db.CloseRequest(ctx, got[0].ID, "opted out", store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		if err := db.CloseRequest(ctx, got[0].ID, "again", store.By{Actor: "anna"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("twice: got %v", err)
		}
		if left, err := db.Requests(ctx, store.RequestQuery{}); err != nil || len(left) != 1 {
			t.Errorf("left: got %+v, %v", left, err)
		}
		if all, err := db.Requests(ctx, store.RequestQuery{Resolved: true}); err != nil || len(all) != 2 || all[0].ResolvedBy != "anna" {
			t.Errorf("all: got %+v, %v", all, err)
		}
		for range store.MaxRequests / 1000 {
			values := strings.TrimSuffix(strings.Repeat("('email', 'typed', 'fi', 1),", 1000), ",")
			if _, err := store.SQL(db).ExecContext(ctx, "INSERT INTO requests (channel, kind, language, received_at) VALUES "+values); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.AddRequest(ctx, store.PersonRequest{Channel: recipient.Email, Address: nth(3), Kind: store.RequestTyped}); !errors.Is(err, store.ErrRequestsFull) {
			t.Errorf("full: got %v", err)
		}
	})
}

func TestAPIKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		k := store.APIKey{Name: "crm", Scopes: []string{"read", "write"}, Hash: [32]byte{1, 2}}
		if err := db.AddAPIKey(ctx, k); err != nil {
			t.Fatal(err)
		}
		if err := db.AddAPIKey(ctx, store.APIKey{Name: "crm", Scopes: k.Scopes, Hash: [32]byte{3}}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a taken name: got %v", err)
		}
		set(noon.Add(time.Hour))
		used := noon.Add(20 * time.Minute)
		if err := errors.Join(db.TouchAPIKey(ctx, "crm", used), db.TouchAPIKey(ctx, "crm", noon), db.RevokeAPIKey(ctx, "crm")); err != nil {
			t.Fatal(err)
		}
		k.CreatedAt, k.LastUsedAt, k.RevokedAt = noon, used, now()
		got, err := db.APIKeys(ctx)
		if d := cmp.Diff([]store.APIKey{k}, got); d != "" || err != nil {
			t.Errorf("keys (-want +got): %v\n%s", err, d)
		}
		if err := db.RevokeAPIKey(ctx, "crm"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("twice: got %v", err)
		}
	})
}

func TestMetaAndSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx := t.Context()
		if _, ok, err := db.Meta(ctx, "last"); ok || err != nil {
			t.Errorf("unknown: got %v, %v", ok, err)
		}
		for _, v := range []string{"1", "", "é"} {
			if err := db.SetMeta(ctx, "last", v); err != nil {
				t.Fatal(err)
			}
			if got, ok, err := db.Meta(ctx, "last"); got != v || !ok || err != nil {
				t.Errorf("got %q, %v, %v; want %q", got, ok, err, v)
			}
		}
		s, err := db.Settings(ctx)
		if err != nil || s["kind"] != db.Kind() || s["version"] == "" {
			t.Fatalf("settings: got %v, %v", s, err)
		}
		if db.Kind() == "sqlite" {
			if s["journal_mode"] != "wal" || s["synchronous"] != "2" || s["wal_autocheckpoint"] != "10000" {
				t.Errorf("got %v, want WAL with full synchronisation", s)
			}
		} else if s["time_zone"] != "+00:00" || !strings.Contains(s["sql_mode"], "STRICT_ALL_TABLES") || s["transaction_isolation"]+s["tx_isolation"] != "READ-COMMITTED" || s["character_set_connection"] != "utf8mb4" {
			t.Errorf("got %v, want UTC, strict, READ-COMMITTED and utf8mb4", s)
		}
	})
}

func TestSuppressionsView(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		at := time.Date(2038, 1, 20, 3, 14, 8, 123456000, time.UTC) // past the end of 32-bit seconds
		echo := report(nth(2), recipient.HardBounce, "2", time.Time{}, noon)
		echo.Echo = true
		record(t, db, report(nth(1), recipient.HardBounce, "1", at, at), echo, report(nth(3), recipient.Complaint, "3", at, at),
			report(nth(4), recipient.SoftBounce, "4", at, at), report(nth(4), recipient.Delivered, "5", at, at))
		act(t, db, recipient.Block, nth(5))
		act(t, db, recipient.Unblock, nth(5))
		var rows []struct {
			Address  string  `db:"address"`
			Blocked  bool    `db:"blocked"`
			OptedOut bool    `db:"opted_out"`
			At       *string `db:"b"`
		}
		if err := store.SQL(db).SelectContext(t.Context(), &rows, "SELECT address, blocked, opted_out, CAST(blocked_at AS CHAR(26)) AS b FROM suppressions ORDER BY address"); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 3 || !rows[0].Blocked || rows[0].OptedOut || !rows[1].Blocked || rows[1].At != nil || rows[2].Blocked || !rows[2].OptedOut {
			t.Fatalf("got %+v", rows)
		}
		if *rows[0].At != "2038-01-20 03:14:08.123456" {
			t.Errorf("got %q", *rows[0].At)
		}
	})
}
