package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// realStore gives a server a database of its own.
func realStore(t *testing.T) (*bench, *store.DB) {
	t.Helper()
	var db *store.DB
	b := newBench(t)
	db = storetest.Open(t, store.Config{URL: storetest.SQLite(t), Keyer: b.keyer, Now: b.clock.now})
	cfg := b.config()
	cfg.Store = db
	b.serve(cfg)
	return b, db
}

func (b *bench) call(method, path, key, body string, want int, into any) {
	b.t.Helper()
	got := b.do(method, path, body, "Authorization", "Bearer "+key)
	if got.status != want {
		b.t.Fatalf("%s %s: got %d, want %d\n%s", method, path, got.status, want, got.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(got.body), into); err != nil {
			b.t.Fatalf("%s %s: %v\n%s", method, path, err, got.body)
		}
	}
}

func TestQuarantineAPI(t *testing.T) {
	b, db := realStore(t)
	for i := range 3 {
		if got := b.do("POST", "/webhooks/acme", fmt.Sprintf("{junk %d a@example.com", i), signed, "good"); got.status != 200 {
			t.Fatalf("status: got %d", got.status)
		}
	}
	type list struct {
		Items []map[string]any `json:"items"`
		Next  *int64           `json:"next"`
	}
	var page list
	b.call("GET", "/v1/quarantine?limit=2", readKey, "", 200, &page)
	if len(page.Items) != 2 || page.Next == nil || page.Items[0]["endpoint"] != "acme" || page.Items[0]["reason"] != "unreadable" || page.Items[0]["body"] != nil {
		t.Fatalf("got %+v", page)
	}
	next := *page.Next
	page = list{}
	b.call("GET", fmt.Sprintf("/v1/quarantine?limit=2&after=%d", next), readKey, "", 200, &page)
	if len(page.Items) != 1 || page.Next != nil {
		t.Errorf("the second page: got %+v", page)
	}
	b.call("GET", "/v1/quarantine?endpoint=other", readKey, "", 200, &page)
	if len(page.Items) != 0 {
		t.Errorf("another endpoint: got %+v", page)
	}
	id := int64(1)
	one := fmt.Sprintf("/v1/quarantine/%d", id)
	b.call("GET", one, readKey, "", http.StatusForbidden, nil)
	var held struct{ Body []byte }
	b.call("GET", one, adminKey, "", 200, &held)
	if string(held.Body) != "{junk 0 a@example.com" {
		t.Errorf("body: got %q", held.Body)
	}
	b.call("POST", one+"/replay", readKey, "", http.StatusForbidden, nil)
	var res replayedJSON
	b.call("POST", one+"/replay", writeKey, "", 200, &res)
	if res.Left != 1 || res.Detail == nil || strings.Contains(*res.Detail, "junk") {
		t.Errorf("replay: got %+v", res)
	}
	// After a fix the adapter understands one of them.
	h, err := db.Held(t.Context(), id)
	if err != nil || h.ReplayedAt.IsZero() {
		t.Fatal(h, err)
	}
	h.Body = []byte(acme("a@example.com", recipient.HardBounce, "9"))
	if err := db.UpdateHeld(t.Context(), h, store.By{}); err != nil {
		t.Fatal(err)
	}
	res = replayedJSON{}
	b.call("POST", "/v1/quarantine/replay", writeKey, `{"endpoint":"acme"}`, 200, &res)
	if res.Understood != 1 || res.Left != 2 || res.Stored != 1 || res.Next != nil {
		t.Errorf("replay all: got %+v", res)
	}
	b.call("POST", one+"/replay", writeKey, "", http.StatusNotFound, nil)
	b.call("POST", "/v1/quarantine/2/discard", writeKey, `{"reason":"x"}`, http.StatusForbidden, nil)
	b.call("POST", "/v1/quarantine/2/discard", adminKey, "", http.StatusUnprocessableEntity, nil)
	b.call("POST", "/v1/quarantine/2/discard", adminKey, `{"reason":"a test of theirs"}`, http.StatusNoContent, nil)
	b.call("POST", "/v1/quarantine/2/discard", adminKey, `{"reason":"again"}`, http.StatusNotFound, nil)
	b.call("GET", "/v1/quarantine/x", adminKey, "", http.StatusUnprocessableEntity, nil)
	b.call("GET", "/v1/quarantine?after=x", readKey, "", http.StatusUnprocessableEntity, nil)
	b.call("GET", "/v1/quarantine?limit=0", readKey, "", http.StatusUnprocessableEntity, nil)
	log, err := db.Audited(t.Context(), store.AuditQuery{Action: "quarantine."})
	if err != nil || len(log) != 5 || log[0].Action != "quarantine.discard" || log[0].Actor != "admin" || log[0].Detail != "a test of theirs" || log[0].Network != "127.0.0.1" {
		t.Errorf("audit: got %+v, %v", log, err)
	}
	if err := db.Quarantine(t.Context(), store.Held{Endpoint: "gone", Reason: "unreadable", ReceivedAt: b.clock.now()}); err != nil {
		t.Fatal(err)
	}
	b.call("POST", "/v1/quarantine/4/replay", writeKey, "", http.StatusConflict, nil)
	res = replayedJSON{}
	b.call("POST", "/v1/quarantine/replay", writeKey, "", 200, &res)
	if res.Left != 2 {
		t.Errorf("with an endpoint that is gone: got %+v", res)
	}
}

func TestRequestsAPI(t *testing.T) {
	b, db := realStore(t)
	for _, a := range []string{"anna@example.com", "bo@example.com"} {
		if err := db.AddRequest(t.Context(), store.PersonRequest{Kind: store.RequestTyped, Channel: recipient.Email, Address: b.email(a), Language: "fi"}); err != nil {
			t.Fatal(err)
		}
	}
	var page pageJSON[requestJSON]
	b.call("GET", "/v1/requests", readKey, "", 200, &page)
	if len(page.Items) != 2 || *page.Items[0].Address != "anna@example.com" || page.Items[0].ResolvedAt != nil {
		t.Fatalf("got %+v", page)
	}
	b.call("POST", "/v1/requests/1/opt-out", readKey, "", http.StatusForbidden, nil)
	b.call("POST", "/v1/requests/1/opt-out", writeKey, `{"reason":"called back"}`, http.StatusNoContent, nil)
	b.call("POST", "/v1/requests/1/opt-out", writeKey, "", http.StatusNotFound, nil)
	b.call("POST", "/v1/requests/2/discard", writeKey, `{"reason":1}`, http.StatusUnprocessableEntity, nil)
	b.call("POST", "/v1/requests/2/discard", writeKey, "", http.StatusNoContent, nil)
	b.call("GET", "/v1/requests?resolved=maybe", readKey, "", http.StatusUnprocessableEntity, nil)
	page = pageJSON[requestJSON]{}
	b.call("GET", "/v1/requests?resolved=true", readKey, "", 200, &page)
	if len(page.Items) != 2 || *page.Items[0].Resolution != "opted out: called back" || *page.Items[1].ResolvedBy != "writer" {
		t.Errorf("resolved: got %+v", page)
	}
	var state stateJSON
	b.call("GET", "/v1/recipients/email/anna@example.com", readKey, "", 200, &state)
	log, err := db.Audited(t.Context(), store.AuditQuery{Action: "request."})
	if err != nil || len(log) != 2 || log[0].Network != "127.0.0.1" || log[1].Network != "127.0.0.1" {
		t.Errorf("audit: got %+v, %v", log, err)
	}
	if !state.OptedOut || state.Events[0].Source != recipient.FromAPI || *state.Events[0].Actor != "writer" {
		t.Errorf("got %+v", state)
	}
	state = stateJSON{}
	b.call("GET", "/v1/recipients/email/bo@example.com", readKey, "", 200, &state)
	if state.OptedOut || state.Known {
		t.Errorf("a discarded request changed something: %+v", state)
	}
}

func TestSavedContactsAreAudited(t *testing.T) {
	b, db := realStore(t)
	for _, put := range []struct {
		body string
		want int
	}{
		{`{"name":"Maija","email":"maija@example.com"}`, http.StatusCreated},
		{`{"name":"Maija","email":"maija@example.com"}`, http.StatusOK}, // nothing changes
		{`{"name":"Maija","email":"mm@example.com","language":"fi"}`, http.StatusOK},
	} {
		b.call("PUT", "/v1/contacts/7", writeKey, put.body, put.want, nil)
	}
	log, err := db.Audited(t.Context(), store.AuditQuery{Action: "contact."})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range log {
		got = append(got, e.Actor+" "+e.Network+" "+e.Action+" "+e.Object+": "+e.Detail)
	}
	want := []string{"writer 127.0.0.1 contact.edit contact 1: language, e-mail address", "writer 127.0.0.1 contact.add contact 1: name, e-mail address"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDeskAPI(t *testing.T) {
	b, db := realStore(t)
	began := b.clock.now().Truncate(time.Minute)
	for i := range 30 {
		if got := b.do("POST", "/webhooks/acme", acme(fmt.Sprintf("p%d@example.com", i), recipient.HardBounce, fmt.Sprint(i)), signed, "good"); got.status != 200 {
			t.Fatalf("status: got %d", got.status)
		}
	}
	for range 25 {
		b.do("POST", "/webhooks/acme", "{}", signed, "bad")
	}
	b.do("POST", "/webhooks/final", "{}", signed, "bad")
	until(t, func() bool { // the examined ones are noted a moment later
		b.srv.saveTraffic()
		list, err := db.Rejections(t.Context(), "acme")
		return err == nil && len(list) == 1 && list[0].N == 25
	})
	if _, err := db.UnblockIncident(t.Context(), store.Scope{}, recipient.FromAPI, "x", store.By{Actor: "x"}); err == nil {
		t.Error("an empty scope is accepted")
	}
	until(t, func() bool { // the server counts by itself, and may have counted some
		_, _, err := db.RollUp(t.Context())
		if err != nil {
			return false
		}
		days, err := db.Days(t.Context(), b.clock.now(), b.clock.now())
		return err == nil && len(days) == 1 && days[0].N == 30
	})
	var ends struct{ Endpoints []endpointJSON }
	b.call("GET", "/v1/endpoints", readKey, "", 200, &ends)
	for _, e := range ends.Endpoints {
		if e.Name == "acme" && (e.Accepted != 30 || e.Rejected != 25 || e.LastAccepted == nil || e.LastRejected == nil || e.Jumped || len(e.Rejections) != 1 ||
			!strings.Contains(e.Rejections[0].Reason, "signature header is missing or wrong")) {
			t.Errorf("got %+v", e)
		}
	}
	if len(ends.Endpoints) != len(b.srv.endpoints) {
		t.Errorf("got %d endpoints", len(ends.Endpoints))
	}
	var stats struct {
		Days    []dayJSON
		Reasons []reasonJSON
		Domains []domainJSON
	}
	b.call("GET", "/v1/stats?days=7", readKey, "", 200, &stats)
	if len(stats.Days) != 1 || stats.Days[0].N != 30 || stats.Days[0].Day != b.clock.now().Format(time.DateOnly) || len(stats.Reasons) != 1 || len(stats.Domains) != 1 || stats.Domains[0].Domain != "example.com" {
		t.Errorf("got %+v", stats)
	}
	b.call("GET", "/v1/stats?days=91", readKey, "", http.StatusUnprocessableEntity, nil)
	var list struct{ Incidents []incidentJSON }
	b.call("GET", "/v1/incidents", readKey, "", 200, &list)
	if len(list.Incidents) != 0 {
		t.Errorf("got %+v", list)
	}

	times := fmt.Sprintf(`"from":%q,"to":%q`, began.Format(time.RFC3339), began.Add(time.Hour).Format(time.RFC3339))
	var done struct {
		Dry       bool `json:"dry_run"`
		Bounces   int  `json:"hard_bounces"`
		Unblocked int
		Kept      int
		Complete  bool
	}
	b.call("POST", "/v1/incidents/unblock", readKey, "{}", http.StatusForbidden, nil)
	for body, field := range map[string]string{`{"from":"2026-01-01T00:00:00Z"}`: "endpoint", `{"endpoint":"acme"}`: "from", `{"endpoint":"acme","from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}`: "to",
		`{"domain":"a b",` + times + `}`: "domain", `{"endpoint":"acme","dry_run":false,` + times + `}`: "reason"} {
		var p struct{ Field string }
		if b.call("POST", "/v1/incidents/unblock", writeKey, body, http.StatusUnprocessableEntity, &p); p.Field != field {
			t.Errorf("%s: got %q, want %q", body, p.Field, field)
		}
	}
	b.call("POST", "/v1/incidents/unblock", writeKey, `{"domain":"Example.com",`+times+`}`, 200, &done)
	if !done.Dry || done.Bounces != 30 || done.Unblocked != 30 || !done.Complete {
		t.Errorf("dry run: got %+v", done)
	}
	b.call("POST", "/v1/incidents/unblock", writeKey, `{"endpoint":"acme","reason":"their fault","dry_run":false,`+times+`}`, 200, &done)
	if done.Dry || done.Unblocked != 30 {
		t.Errorf("got %+v", done)
	}
	var state stateJSON
	b.call("GET", "/v1/recipients/email/p7@example.com", readKey, "", 200, &state)
	if state.Blocked || state.Events[0].Kind != recipient.Unblock || *state.Events[0].Detail != "their fault" || *state.Events[0].Actor != "writer" {
		t.Errorf("got %+v", state)
	}
}
