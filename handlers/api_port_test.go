package handlers

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/store/storetest"
)

func TestImportsAndExportsAPI(t *testing.T) {
	b, db := startReal(t, storetest.SQLite(t))
	list := "email,kind,date\na@example.com,hard_bounce,2026-11-20\nnobody,opt_out,\n=b@example.com,unsubscribed,\n"
	post := func(query string) answer {
		return b.do("POST", "/v1/imports"+query, list, append(bearer(writeKey), "Content-Type", "text/csv")...)
	}
	plan := object(t, post("?dry_run=true"))
	if plan["newly_blocked"] != 1.0 || plan["newly_opted_out"] != 1.0 || plan["rejected"] != 1.0 || plan["dry_run"] != true {
		t.Errorf("got %v", plan)
	}
	if s := object(t, b.do("GET", "/v1/recipients/email/a@example.com", "", bearer(readKey)...)); s["blocked"] != false {
		t.Error("a dry run changes something")
	}
	done := object(t, post(""))
	plan["dry_run"] = false
	if d := cmp.Diff(plan, done); d != "" {
		t.Errorf("(-planned +done):\n%s", d)
	}
	rejects := objects(done["rejects"])
	if len(rejects) != 1 || rejects[0]["line"] != 3.0 || !strings.HasPrefix(rejects[0]["reason"].(string), "email: ") {
		t.Errorf("rejects: %v", rejects)
	}
	if again := object(t, post("")); again["events"] != 0.0 || again["events_known"] != 2.0 {
		t.Errorf("again: %v", again)
	}
	// The document promises what is answered.
	schema := openAPIDocument(t)["components"].(map[string]any)["schemas"].(map[string]any)["Import"].(map[string]any)
	for _, name := range schema["required"].([]any) {
		if _, ok := done[name.(string)]; !ok {
			t.Errorf("the answer lacks %s", name)
		}
	}
	for name := range done {
		if _, ok := schema["properties"].(map[string]any)[name]; !ok {
			t.Errorf("the document lacks %s", name)
		}
	}
	for query, want := range map[string]int{"?kind=people": 422, "?as=opt_in": 422, "?dry_run=perhaps": 422, "?listed_at=soon": 422, "?listed_at=2999-01-01": 422,
		"?dry_run": 422, "?dry_run=": 422, "?dry-run=true": 422, "?kind=suppressions&dryrun=1": 422, "?accept_shared": 422} {
		if got := post(query); got.status != want {
			t.Errorf("%s: got %d, want %d", query, got.status, want)
		}
	}
	for _, address := range []string{"a@example.com", "unheard-of@example.com"} {
		if got := b.do("GET", "/v1/recipients/email/"+address+"?before=x", "", bearer(readKey)...); got.status != 422 {
			t.Errorf("a cursor of nobody's: got %d %s", got.status, got.body)
		}
	}
	if got := b.do("POST", "/v1/imports", "x@example.com\n", bearer(writeKey)...); got.status != 422 || !strings.Contains(got.body, "say contacts or suppressions") {
		t.Errorf("no kind: got %d %s", got.status, got.body)
	}
	if got := b.do("POST", "/v1/imports", "", bearer(writeKey)...); got.status != http.StatusBadRequest {
		t.Errorf("no body: got %d", got.status)
	}
	if got := b.do("POST", "/v1/imports", list, bearer(readKey)...); got.status != http.StatusForbidden {
		t.Errorf("scope read: got %d", got.status)
	}

	got := b.do("GET", "/v1/exports/suppressions", "", bearer(adminKey)...)
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 3 || !slices.ContainsFunc(rows, func(r []string) bool { return r[1] == "'=b@example.com" }) {
		t.Errorf("export: %q, %v", got.body, err)
	}
	if got := b.do("GET", "/v1/exports/contacts", "", bearer(adminKey)...); !strings.HasPrefix(got.body, "external_id,") {
		t.Errorf("contacts: %q", got.body)
	}
	if got := b.do("GET", "/v1/exports/users", "", bearer(adminKey)...); got.status != http.StatusNotFound {
		t.Errorf("users: got %d", got.status)
	}
	for _, key := range []string{readKey, writeKey} {
		if got := b.do("GET", "/v1/exports/contacts", "", bearer(key)...); got.status != http.StatusForbidden {
			t.Errorf("another scope: got %d", got.status)
		}
	}
	log, err := db.AuditLog(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range log {
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); got != "export export import.end import.begin import.end import.begin" {
		t.Errorf("audit: %s", got)
	}
	if strings.Contains(b.log.String(), "example.com,") {
		t.Error("the list is in the log")
	}
}

func objects(v any) (out []map[string]any) {
	for _, x := range list(v) {
		out = append(out, x.(map[string]any))
	}
	return out
}
