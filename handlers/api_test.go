package handlers

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func bearer(key string) []string { return []string{"Authorization", "Bearer " + key} }

// object decodes a JSON answer.
func object(t *testing.T, a answer) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%d %.200s: %v", a.status, a.body, err)
	}
	return v
}

func TestAPIAnswers(t *testing.T) {
	const one = "/v1/recipients/email/a@example.com"
	many := `"` + strings.Repeat(`a@example.com","`, 10_000) + `a@example.com"`
	tests := []struct {
		name, method, path, body, key string
		want                          int
		field                         string // of the problem
	}{
		{"read", "GET", one, "", readKey, 200, ""},
		{"no key", "GET", one, "", "", 401, ""},
		{"unknown key", "GET", one, "", "so_live_x", 401, ""},
		{"wrong scope", "GET", one, "", writeKey, 403, ""},
		{"write with read", "POST", one + "/block", "{}", readKey, 403, ""},
		{"mint with write", "POST", "/v1/links", "{}", writeKey, 403, ""},
		{"malformed address", "GET", "/v1/recipients/email/nobody", "", readKey, 422, "address"},
		{"unknown channel", "GET", "/v1/recipients/fax/123", "", readKey, 422, "channel"},
		{"limit 0", "GET", one + "?limit=0", "", readKey, 422, "limit"},
		{"limit 1001", "GET", one + "?limit=1001", "", readKey, 422, "limit"},
		{"limit x", "GET", one + "?limit=x", "", readKey, 422, "limit"},
		{"limit 1000", "GET", one + "?limit=1000", "", readKey, 200, ""},
		{"block", "POST", one + "/block", `{"reason":"x"}`, writeKey, 200, ""},
		{"block without a body", "POST", one + "/block", ``, writeKey, 200, ""},
		{"reason of the wrong type", "POST", one + "/block", `{"reason":1}`, writeKey, 422, "reason"},
		{"opt-in without consent", "POST", one + "/opt-in", `{"reason":"x"}`, writeKey, 422, "consent"},
		{"opt-in without source", "POST", one + "/opt-in", `{"consent":{"wording":"yes"}}`, writeKey, 422, "consent.source"},
		{"opt-in without wording", "POST", one + "/opt-in", `{"consent":{"source":"phone","wording":" "}}`, writeKey, 422, "consent.wording"},
		{"opt-in of the future", "POST", one + "/opt-in", `{"consent":{"source":"phone","wording":"yes","at":"2126-01-01T00:00:00Z"}}`, writeKey, 422, "consent.at"},
		{"opt-in at no time", "POST", one + "/opt-in", `{"consent":{"source":"phone","wording":"yes","at":"yesterday"}}`, writeKey, 422, "consent.at"},
		{"opt-in without a body", "POST", one + "/opt-in", "", writeKey, 422, "consent"},
		{"opt-in", "POST", one + "/opt-in", `{"consent":{"source":"phone","wording":"yes"}}`, writeKey, 200, ""},
		{"lookup", "POST", "/v1/lookup", `{"channel":"sms","address":"040 123 4567"}`, readKey, 200, ""},
		{"lookup not JSON", "POST", "/v1/lookup", `channel=sms`, readKey, 400, ""},
		{"lookup empty", "POST", "/v1/lookup", ``, readKey, 400, ""},
		{"lookup duplicate names", "POST", "/v1/lookup", `{"channel":"email","address":"a@example.com","address":"b@example.com"}`, readKey, 400, ""},
		{"lookup bad UTF-8", "POST", "/v1/lookup", "{\"channel\":\"email\",\"address\":\"\xff@example.com\"}", readKey, 400, ""},
		{"lookup deep", "POST", "/v1/lookup", strings.Repeat("[", 100_000), readKey, 422, "body"},
		{"lookup unknown members", "POST", "/v1/lookup", `{"channel":"email","address":"a@example.com","x":[1e400]}`, readKey, 200, ""},
		{"check", "POST", "/v1/check", `{"channel":"email","addresses":[]}`, readKey, 200, ""},
		{"check without addresses", "POST", "/v1/check", `{"channel":"email"}`, readKey, 422, "addresses"},
		{"check item of the wrong type", "POST", "/v1/check", `{"channel":"email","addresses":["a@example.com",7]}`, readKey, 422, "addresses[1]"},
		{"check odd purpose", "POST", "/v1/check", `{"channel":"email","addresses":[],"purpose":"fun"}`, readKey, 422, "purpose"},
		{"check too many", "POST", "/v1/check", `{"channel":"email","addresses":[` + many + `]}`, readKey, 413, "addresses"},
		{"links bad address", "POST", "/v1/links", `{"recipients":[{"channel":"email","address":"a@example.com"},{"channel":"email","address":"x"}]}`, mintKey, 422, "recipients[1].address"},
		{"links bad send-out", "POST", "/v1/links", `{"recipients":[],"send_out":"a b"}`, mintKey, 422, "send_out"},
		{"links bad language", "POST", "/v1/links", `{"recipients":[],"language":"fi_FI"}`, mintKey, 422, "language"},
		{"links without recipients", "POST", "/v1/links", `{}`, mintKey, 422, "recipients"},
		{"contact", "PUT", "/v1/contacts/42", `{"name":"A","email":"a@example.com"}`, writeKey, 201, ""},
		{"contact bad email", "PUT", "/v1/contacts/42", `{"email":"a"}`, writeKey, 422, "email"},
		{"contact bad phone", "PUT", "/v1/contacts/42", `{"phone":"x"}`, writeKey, 422, "phone"},
		{"contact bad language", "PUT", "/v1/contacts/42", `{"language":"??"}`, writeKey, 422, "language"},
		{"contact null", "PUT", "/v1/contacts/42", ` null `, writeKey, 422, "body"},
		{"contact long id", "PUT", "/v1/contacts/" + strings.Repeat("x", 200), `{}`, writeKey, 422, "external_id"},
		{"no contact", "GET", "/v1/contacts/43", "", readKey, 404, ""},
		{"contacts", "GET", "/v1/contacts?q=A", "", readKey, 200, ""},
		{"contacts that are blocked", "GET", "/v1/contacts?flag=blocked", "", readKey, 200, ""},
		{"contacts that are odd", "GET", "/v1/contacts?flag=odd", "", readKey, 422, "flag"},
		{"contact without wording", "PUT", "/v1/contacts/44", `{"consent":{"source":"form"}}`, writeKey, 422, "consent.wording"},
		{"erase a contact with write", "DELETE", "/v1/contacts/42", "", writeKey, 403, ""},
		{"erase no contact", "DELETE", "/v1/contacts/43", "", adminKey, 404, ""},
		{"blocked addresses", "GET", "/v1/recipients?flag=blocked", "", readKey, 200, ""},
		{"addresses without a flag", "GET", "/v1/recipients", "", readKey, 422, "flag"},
		{"odd addresses", "GET", "/v1/recipients?flag=odd", "", readKey, 422, "flag"},
		{"too many addresses", "GET", "/v1/recipients?flag=blocked&limit=1001", "", readKey, 422, "limit"},
		{"erase with write", "DELETE", one, "", writeKey, 403, ""},
		{"erase an unknown address", "DELETE", "/v1/recipients/email/nobody@example.com", "", adminKey, 404, ""},
		{"erase a malformed address", "DELETE", "/v1/recipients/email/nobody", "", adminKey, 422, "address"},
		{"events", "GET", "/v1/events", "", readKey, 200, ""},
		{"events with write", "GET", "/v1/events", "", writeKey, 403, ""},
		{"events after junk", "GET", "/v1/events?after=junk", "", readKey, 422, "after"},
		{"events after a negative", "GET", "/v1/events?after=__________8", "", readKey, 422, "after"},
		{"too many events", "GET", "/v1/events?limit=10001", "", readKey, 422, "limit"},
		{"events after too long", "GET", "/v1/events?wait=26", "", readKey, 422, "wait"},
		{"odd reason in quarantine", "GET", "/v1/quarantine?reason=unreadble", "", readKey, 422, "reason"},
		{"replay of an odd reason", "POST", "/v1/quarantine/replay", `{"reason":"unreadble"}`, writeKey, 422, "reason"},
		{"openapi", "GET", "/v1/openapi.yaml", "", "", 200, ""},
	}
	b := start(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var headers []string
			if tt.key != "" {
				headers = bearer(tt.key)
			}
			got := b.do(tt.method, tt.path, tt.body, headers...)
			if got.status != tt.want {
				t.Fatalf("status: got %d, want %d (%.300s)", got.status, tt.want, got.body)
			}
			if tt.want < 400 {
				return
			}
			checkProblem(t, got)
			p := object(t, got)
			if f, _ := p["field"].(string); f != tt.field {
				t.Errorf("field: got %q, want %q", f, tt.field)
			}
			if strings.Contains(got.body, "example.com") || strings.Contains(got.body, "nobody") {
				t.Errorf("a problem quotes the address: %s", got.body)
			}
			challenge := got.header.Get("WWW-Authenticate")
			if (tt.want == 401 || tt.want == 403) != strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("WWW-Authenticate: got %q", challenge)
			}
			if tt.want == 403 && p["scope"] == nil {
				t.Error("a 403 does not name the scope")
			}
			if tt.want == 405 && got.header.Get("Allow") == "" {
				t.Error("a 405 without Allow")
			}
		})
	}
	if strings.Contains(b.log.String(), "example.com") || strings.Contains(b.log.String(), readKey) || strings.Contains(b.log.String(), "so_live_x") {
		t.Error("an address or a key reached the log")
	}
}

func TestAPITakesPlainBodies(t *testing.T) {
	b := start(t, nil)
	body := `{"channel":"email","addresses":[]}`
	for coding, want := range map[string]int{"": 200, "identity": 200, "Identity": 200, "gzip": 415, "br": 415, "identity, gzip": 415} {
		got := b.do("POST", "/v1/check", body, append(bearer(readKey), "Content-Encoding", coding)...)
		if got.status != want {
			t.Errorf("%q: got %d, want %d", coding, got.status, want)
		}
	}
}

func TestUnknownRecipient(t *testing.T) {
	b := start(t, nil)
	for path, address := range map[string]string{
		"/v1/recipients/email/A%40Example.com":    "A@Example.com",
		"/v1/recipients/email/a+b@example.com":    "a+b@example.com",
		"/v1/recipients/email/a%2Bb@example.com":  "a+b@example.com",
		"/v1/recipients/email/a%2Fb@example.com":  "a/b@example.com",
		"/v1/recipients/email/a%2540@example.com": "a%40@example.com",
		"/v1/recipients/sms/%2B358401234567":      "+358401234567",
		"/v1/recipients/sms/+358401234567":        "+358401234567",
		"/v1/recipients/sms/0401234567":           "+358401234567",
	} {
		want := map[string]any{"channel": "email", "address": strings.Replace(address, "A@E", "a@e", 1), "known": false, "blocked": false, "blocked_at": nil, "unblocked_at": nil,
			"opted_out": false, "opted_out_at": nil, "opted_in_at": nil, "complained_at": nil, "soft_bounced_at": nil, "delivered_at": nil,
			"events": []any{}, "next": nil}
		if address[0] == '+' {
			want["channel"] = "sms"
		}
		got := b.do("GET", path, "", bearer(readKey)...)
		if d := cmp.Diff(want, object(t, got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Error("an answer about a person may be cached")
		}
	}
}

func TestRecipientHistory(t *testing.T) {
	b := start(t, nil)
	post := func(kind recipient.Kind, id string) {
		t.Helper()
		if got := b.do("POST", "/webhooks/acme", acme("a@example.com", kind, id), signed, "good"); got.status != 200 {
			t.Fatalf("webhook: got %d", got.status)
		}
		b.clock.add(time.Second)
	}
	post(recipient.HardBounce, "one")
	post(recipient.Complaint, "two")
	got := object(t, b.do("POST", "/v1/recipients/email/a@example.com/unblock", `{"reason":"the person a@example.com called"}`, bearer(writeKey)...))
	if got["known"] != true || got["blocked"] != false || got["opted_out"] != true || got["blocked_at"] != "2026-11-20T09:30:00Z" ||
		got["unblocked_at"] != "2026-11-20T09:30:02Z" || got["complained_at"] != "2026-11-20T09:30:01Z" {
		t.Errorf("state: got %v", got)
	}
	events := got["events"].([]any)
	newest := events[0].(map[string]any)
	want := map[string]any{"kind": "unblock", "echo": false, "at": "2026-11-20T09:30:02Z", "received_at": "2026-11-20T09:30:02Z", "source": "api",
		"endpoint": nil, "event_id": nil, "message_id": nil, "code": nil, "rule": nil, "detail": "the person ‹address› called", "send_out": nil,
		"actor": "writer", "evidence": nil}
	if d := cmp.Diff(want, newest); d != "" {
		t.Errorf("newest event (-want +got):\n%s", d)
	}
	if len(events) != 3 || events[2].(map[string]any)["kind"] != "hard_bounce" {
		t.Errorf("events: got %v", events)
	}
	page := object(t, b.do("GET", "/v1/recipients/email/a@example.com?limit=1", "", bearer(readKey)...))
	if len(page["events"].([]any)) != 1 || page["next"] != "more" {
		t.Errorf("one event a page: got %v", page)
	}
	back := object(t, b.do("POST", "/v1/recipients/email/a@example.com/opt-in",
		`{"consent":{"source":"phone call","wording":"write to me again","at":"2026-11-19T10:00:00+02:00","evidence":"ticket 7"}}`, bearer(writeKey)...))
	consent := back["events"].([]any)[0].(map[string]any)["evidence"].(map[string]any)["consent"]
	if d := cmp.Diff(map[string]any{"source": "phone call", "wording": "write to me again", "at": "2026-11-19T08:00:00Z", "evidence": "ticket 7"}, consent); d != "" {
		t.Errorf("consent (-want +got):\n%s", d)
	}
	if back["opted_out"] != false {
		t.Error("still opted out after an opt-in")
	}
}

// An echo suppresses without a time of its own.
func TestEchoHasNoTime(t *testing.T) {
	b := start(t, nil)
	a := b.email("a@example.com")
	b.store.states[b.keyer.Key(a)] = recipient.State{BlockedAt: recipient.EchoAt}
	got := object(t, b.do("POST", "/v1/lookup", `{"channel":"email","address":"A@EXAMPLE.com"}`, bearer(readKey)...))
	if got["blocked"] != true || got["blocked_at"] != nil || got["known"] != true {
		t.Errorf("got %v, want blocked without a time", got)
	}
}

func TestCheck(t *testing.T) {
	b := start(t, nil)
	now := b.clock.now()
	for address, st := range map[string]recipient.State{
		"blocked@example.com":   {BlockedAt: now},
		"out@example.com":       {OptedOutAt: now},
		"spam@example.com":      {ComplainedAt: now},
		"both@example.com":      {BlockedAt: now, OptedOutAt: now},
		"back@example.com":      {OptedOutAt: now, OptedInAt: now.Add(time.Second)},
		"delivered@example.com": {DeliveredAt: now},
	} {
		b.store.states[b.keyer.Key(b.email(address))] = st
	}
	body := `{"channel":"email","purpose":%q,"addresses":["OUT@example.com","unknown@example.com","nobody","blocked@example.com","spam@example.com","back@example.com","delivered@example.com","both@example.com","out@example.com"]}`
	item := func(address string, blocked, out bool, reason string) any {
		return map[string]any{"address": address, "blocked": blocked, "opted_out": out, "reason": reason}
	}
	invalid := []any{map[string]any{"address": "nobody", "reason": "not a valid address: expected name@domain"}}
	tests := map[string][]any{
		"marketing": {item("OUT@example.com", false, true, "opted_out"), item("blocked@example.com", true, false, "blocked"), item("spam@example.com", false, true, "complaint"),
			item("both@example.com", true, true, "blocked"), item("out@example.com", false, true, "opted_out")},
		"transactional": {item("blocked@example.com", true, false, "blocked"), item("both@example.com", true, true, "blocked")},
	}
	tests[""] = tests["marketing"]
	for purpose, want := range tests {
		got := object(t, b.do("POST", "/v1/check", fmt.Sprintf(body, purpose), bearer(readKey)...))
		if d := cmp.Diff(map[string]any{"suppressed": want, "checked": 8.0, "invalid": invalid}, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", purpose, d)
		}
	}
	if n := b.writes(); n != 0 {
		t.Errorf("a check wrote %d times", n)
	}
}

func TestContacts(t *testing.T) {
	b := start(t, nil)
	first := b.do("PUT", "/v1/contacts/a%2F1", `{"name":" Maija  Mäkinen ","language":"fi","email":"Maija@Example.com","phone":"040 123 4567"}`, bearer(writeKey)...)
	want := map[string]any{"external_id": "a/1", "name": "Maija Mäkinen", "language": "fi", "email": "maija@example.com", "phone": "+358401234567",
		"created_at": "2026-11-20T09:30:00Z", "updated_at": "2026-11-20T09:30:00Z"}
	if d := cmp.Diff(want, object(t, first)); d != "" || first.status != 201 {
		t.Errorf("put: %d (-want +got):\n%s", first.status, d)
	}
	if again := b.do("PUT", "/v1/contacts/a%2F1", first.body, bearer(writeKey)...); again.status != 200 {
		t.Errorf("what GET gives is what PUT takes: got %d %s", again.status, again.body)
	}
	if d := cmp.Diff(want, object(t, b.do("GET", "/v1/contacts/a%2F1", "", bearer(readKey)...))); d != "" {
		t.Errorf("get (-want +got):\n%s", d)
	}
	shared := b.do("PUT", "/v1/contacts/2", `{"email":"maija@example.com","phone":null}`, bearer(writeKey)...)
	if p := object(t, shared); shared.status != 409 || p["channel"] != "email" || p["contacts"] != 1.0 {
		t.Errorf("shared: got %d %v", shared.status, p)
	}
	if got := b.do("PUT", "/v1/contacts/2", `{"email":"maija@example.com","accept_shared":true}`, bearer(writeKey)...); got.status != 201 {
		t.Errorf("accepted: got %d", got.status)
	}
	for q, n := range map[string]int{"MAIJA@example.com": 2, "%2B358401234567": 1, "nobody": 0} {
		found := object(t, b.do("GET", "/v1/contacts?q="+q, "", bearer(readKey)...))
		if got := len(found["contacts"].([]any)); got != n {
			t.Errorf("search %q: got %d, want %d", q, got, n)
		}
	}
}

func TestStoredAPIKeys(t *testing.T) {
	b := startQuiet(t, nil)
	b.store.keys = []store.APIKey{{Name: "crm", Scopes: []string{"read"}, Hash: sha256.Sum256([]byte("so_live_stored"))}}
	ask := func(key string) int { return b.do("GET", "/v1/contacts", "", bearer(key)...).status }
	if got := ask("so_live_stored"); got != 200 {
		t.Fatalf("a stored key: got %d", got)
	}
	for range 20 {
		ask("so_live_stored")
		ask("so_live_unknown")
	}
	if b.store.keyReads > 3 {
		t.Errorf("the keys were read %d times", b.store.keyReads)
	}
	used := b.clock.now()
	b.clock.add(time.Second)
	ask("so_live_unknown")
	b.store.set(func(f *fakeStore) { f.down = errors.New("gone") })
	b.srv.saveKeyUse() // comes again
	b.store.set(func(f *fakeStore) { f.down = nil })
	b.srv.saveKeyUse()
	if got := b.store.keys[0].LastUsedAt; !got.Equal(used) {
		t.Errorf("last used: got %v, want %v", got, used)
	}
	b.store.set(func(f *fakeStore) { f.keys[0].RevokedAt = b.clock.now() })
	b.clock.add(keysFresh)
	if got := ask("so_live_stored"); got != 401 {
		t.Errorf("a revoked key: got %d, want 401", got)
	}
	b.clock.add(keysFresh)
	b.store.set(func(f *fakeStore) { f.down = errors.New("gone") })
	if got := ask("so_live_stored"); got != 503 {
		t.Errorf("a key that cannot be looked up: got %d, want 503", got)
	}
}

// What the store refuses is the caller's to mend: no "try again".
func TestWhatTheStoreRefuses(t *testing.T) {
	b := start(t, nil)
	b.store.set(func(f *fakeStore) { f.down = fmt.Errorf("%w cursor: before", store.ErrInvalid) })
	got := b.do("GET", "/v1/recipients/email/a@example.com?before=x", "", bearer(readKey)...)
	checkProblem(t, got)
	if p := object(t, got); got.status != 422 || p["detail"] != "invalid cursor: before" || got.header.Get("Retry-After") != "" {
		t.Errorf("got %d %v, want 422", got.status, p["detail"])
	}
}

func TestAPIWhileTheStoreIsDown(t *testing.T) {
	b := start(t, nil)
	b.store.set(func(f *fakeStore) { f.down = store.ErrUnavailable })
	for _, r := range [][3]string{
		{"GET", "/v1/recipients/email/a@example.com", readKey},
		{"POST", "/v1/recipients/email/a@example.com/block", writeKey},
		{"GET", "/v1/contacts/1", readKey},
	} {
		got := b.do(r[0], r[1], "", bearer(r[2])...)
		if got.status != 503 || got.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: got %d, Retry-After %q", r[0], r[1], got.status, got.header.Get("Retry-After"))
		}
	}
}

// Lists, an erasure and the way back, on a real database.
func TestContactsAndListsOverHTTP(t *testing.T) {
	b, _ := startReal(t, storetest.SQLite(t))
	b.do("PUT", "/v1/contacts/1", `{"name":"Maija","email":"maija@example.com"}`, bearer(writeKey)...)
	b.do("PUT", "/v1/contacts/2", `{"name":"Maija","email":"other@example.com"}`, bearer(writeKey)...)
	b.do("POST", "/v1/recipients/email/maija@example.com/opt-out", `{"reason":"a letter"}`, bearer(writeKey)...)
	names := func(path, list, field string) (out []string) {
		t.Helper()
		for _, v := range object(t, b.do("GET", path, "", bearer(readKey)...))[list].([]any) {
			s, _ := v.(map[string]any)[field].(string)
			out = append(out, s)
		}
		return out
	}
	if got := names("/v1/contacts?q=maija&flag=opted_out", "contacts", "external_id"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("contacts: got %v", got)
	}
	if got := names("/v1/recipients?flag=opted_out", "recipients", "address"); !slices.Equal(got, []string{"maija@example.com"}) {
		t.Errorf("addresses: got %v", got)
	}
	if got := b.do("DELETE", "/v1/contacts/1", "", bearer(adminKey)...); got.status != 204 {
		t.Fatalf("erase: got %d", got.status)
	}
	if got := b.do("GET", "/v1/contacts/1", "", bearer(readKey)...); got.status != 404 {
		t.Errorf("erased: got %d", got.status)
	}
	if got := names("/v1/recipients?flag=opted_out", "recipients", "address"); !slices.Equal(got, []string{""}) {
		t.Errorf("the suppression: got %v", got)
	}
	again := `{"email":"maija@example.com"%s}`
	if got := object(t, b.do("PUT", "/v1/contacts/3", fmt.Sprintf(again, ""), bearer(writeKey)...)); got["email"] != nil {
		t.Errorf("without consent: got %v", got["email"])
	}
	if got := object(t, b.do("PUT", "/v1/contacts/3", fmt.Sprintf(again, `,"consent":{"source":"form","wording":"yes"}`), bearer(writeKey)...)); got["email"] != "maija@example.com" {
		t.Errorf("with consent: got %v", got["email"])
	}
}
