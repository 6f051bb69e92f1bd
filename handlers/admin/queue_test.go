package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// hostile is what a provider or a stranger may send wherever they can write.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'` + "\u202e"

// service understands the requests whose body is "good".
type service struct{ db *store.DB }

func (service) Endpoints() []Endpoint {
	return []Endpoint{{Name: "acme", Provider: "acme", Title: "Acme Mail"}, {Name: "quiet", Provider: "acme", Title: "Acme Mail"}}
}

func (s service) ReplayHeld(ctx context.Context, id int64, by store.By) (Replayed, error) {
	h, err := s.db.Held(ctx, id)
	switch {
	case err != nil:
		return Replayed{}, err
	case h.Endpoint == "gone":
		return Replayed{}, fmt.Errorf("replay: %w", ErrNoEndpoint)
	case string(h.Body) == "good":
		return Replayed{Stored: 2, Duplicates: 1, Understood: true}, s.db.DropHeld(ctx, id, by)
	}
	return Replayed{Detail: "acme: body: not JSON " + hostile}, s.db.UpdateHeld(ctx, h, by)
}

// newFullDesk has something hostile on every page of the desk.
func newFullDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.fillQueues(hostile, hostile, "try "+hostile)
	return d
}

// fillQueues gives the dashboard, the queues and the incidents something to
// show: texts wherever others can write, another endpoint, a hint.
func (d *desk) fillQueues(hostile, other, hint string) {
	t := d.t
	t.Helper()
	d.Attach(service{d.db})
	ctx := t.Context()
	keyer := storetest.Keyer()
	for _, h := range []store.Held{
		{Endpoint: "acme", Body: []byte("{\"to\":\t\"anna@example.com\"}\n" + hostile), Detail: "acme: to: " + hostile},
		{Endpoint: "acme", Body: []byte("good")}, {Endpoint: "gone", Body: []byte{0, 255, 1}},
	} {
		h.Provider, h.Reason, h.Method, h.URL, h.ReceivedAt = "acme", "unreadable", "POST", "/webhooks/acme?to=anna@example.com", d.now
		h.Header = map[string][]string{"X-Event": {hostile}, hostile: {"x"}}
		if err := d.db.Quarantine(ctx, h); err != nil {
			t.Fatal(err)
		}
	}
	anna, err := recipient.ParseEmail("anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []store.PersonRequest{{Kind: store.RequestTyped, Address: anna, Language: hostile}, {Kind: store.RequestConfirm, Key: recipient.Key{1}, TokenID: "t"}} {
		r.Channel, r.ReceivedAt = recipient.Email, d.now
		if err := d.db.AddRequest(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	var events []recipient.Event
	bounce := func(n int, domain string, at time.Time) {
		for i := range n {
			e := recipient.Event{Kind: recipient.HardBounce, Address: recipient.Stored(recipient.Email, fmt.Sprintf("p%d@%s", i, domain)), Source: recipient.FromProvider,
				IDParts: []string{fmt.Sprint(len(events))}, Code: "5.1.1 " + hostile, Rule: "rule " + hostile}
			events = append(events, keyer.Seal(e, "acme", at))
		}
	}
	bounce(5, "example.com", d.now.Add(-72*time.Hour))
	bounce(120, "broken.example", d.now)
	for _, kind := range []recipient.Kind{recipient.SoftBounce, recipient.Complaint, recipient.Delivered, recipient.OptOut, recipient.OptIn} {
		e := recipient.Event{Kind: kind, Address: anna, Source: recipient.FromProvider, IDParts: []string{string(kind)}, Code: hostile}
		events = append(events, keyer.Seal(e, "acme", d.now))
		e.IDParts = []string{"other " + string(kind)}
		events = append(events, keyer.Seal(e, other, d.now))
	}
	if _, err := d.db.Record(ctx, events); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.db.RollUp(ctx); err != nil {
		t.Fatal(err)
	}
	if list, err := d.db.Brake(ctx); err != nil || len(list) != 2 {
		t.Fatalf("incidents: got %+v, %v", list, err)
	}
	var traffic []store.Traffic
	for i := range 30 {
		traffic = append(traffic, store.Traffic{Endpoint: "quiet", Hour: d.now.Add(-time.Duration(i+100) * time.Hour), Accepted: 5})
		traffic = append(traffic, store.Traffic{Endpoint: "quiet", Hour: d.now.Add(-time.Duration(i*6+100) * time.Hour), Accepted: 5})
	}
	traffic = append(traffic, store.Traffic{Endpoint: "acme", Hour: d.now, Accepted: 1, Rejected: 50})
	if err := d.db.CountTraffic(ctx, traffic, []store.Rejection{{Endpoint: "acme", Reason: "odd " + hostile, Hint: hint, FirstAt: d.now, LastAt: d.now, N: 50}}); err != nil {
		t.Fatal(err)
	}
}

// deskPages are those that newFullDesk fills.
var deskPages = []string{"/admin", "/admin?days=7&endpoint=acme", "/admin?days=90", "/admin/endpoints/acme", "/admin/endpoints/quiet", "/admin/incidents",
	"/admin/unblock?endpoint=acme&from=2026-11-24T00:00&to=2026-11-25T00:00", "/admin/unblock", "/admin/requests", "/admin/requests?all=1",
	"/admin/quarantine", "/admin/quarantine?endpoint=acme&reason=unreadable", "/admin/quarantine/1", "/admin/quarantine/3"}

func TestHostileTexts(t *testing.T) {
	d := newFullDesk(t)
	get, _ := d.as(store.RoleAdmin)
	for _, path := range append(deskPages, "/admin?days="+url.QueryEscape(hostile)+"&endpoint="+url.QueryEscape(hostile), "/admin/quarantine?endpoint="+url.QueryEscape(hostile)+"&reason="+url.QueryEscape(hostile),
		"/admin/unblock?endpoint="+url.QueryEscape(hostile)+"&from="+url.QueryEscape(hostile)) {
		got := get(path)
		if want := http.StatusOK; got.StatusCode != want && !(strings.HasPrefix(path, "/admin/unblock") && got.StatusCode == http.StatusUnprocessableEntity) {
			t.Errorf("%s: got %d", path, got.StatusCode)
		}
		for _, bad := range []string{"<script>alert", "<img", "onerror=alert(1)>'\"", "\u202e"} {
			if strings.Contains(got.body, bad) {
				t.Errorf("%s: %q is not escaped", path, bad)
			}
		}
	}
}

func TestDashboard(t *testing.T) {
	d := newFullDesk(t)
	get, _ := d.as(store.RoleViewer)
	page := get("/admin").body
	for _, want := range []string{"quiet has gone silent", "acme rejects more than usual", "try &#34;", "broken.example brought far more hard bounces than usual", "up to 120 in an hour",
		`<svg viewBox`, `class="s0"`, "2 requests from broken links wait", "3 requests are in quarantine", "99.2 %", "Acme Mail"} {
		if !strings.Contains(page, want) {
			t.Errorf("the dashboard lacks %q", want)
		}
	}
	if strings.Contains(page, "p1@broken.example") {
		t.Error("the dashboard shows an address")
	}
	if one := get("/admin?endpoint=quiet&days=7").body; !strings.Contains(one, "none in 7 days") {
		t.Error("the filter does nothing")
	}
	if got := get("/admin/endpoints/nobody"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a missing endpoint: got %d", got.StatusCode)
	}
}

func TestQuarantinePages(t *testing.T) {
	d := newFullDesk(t)
	view, _ := d.as(store.RoleViewer)
	if page := view("/admin/quarantine/1").body; strings.Contains(page, "anna@") || strings.Contains(page, "X-Event") || !strings.Contains(page, "operators and administrators") {
		t.Errorf("a viewer sees what is in the request:\n%s", page)
	}
	get, post := d.as(store.RoleOperator)
	if page := get("/admin/quarantine/1").body; !strings.Contains(page, "{&#34;to&#34;:\t&#34;anna@example.com&#34;}\n") || !strings.Contains(page, "X-Event") {
		t.Errorf("an operator does not see the request:\n%s", page)
	}
	if page := get("/admin/quarantine/3").body; !strings.Contains(page, "00000000  00 ff 01") || !strings.Contains(page, "not configured any more") {
		t.Errorf("a binary body of an endpoint that is gone:\n%s", page)
	}
	if got := post("/admin/quarantine/1/replay", nil); got.to() != "/admin/quarantine/1" || !strings.Contains(get("/admin/quarantine/1").body, "still not understood") {
		t.Errorf("not understood: got %d to %q", got.StatusCode, got.to())
	}
	if got := post("/admin/quarantine/3/replay", nil); got.StatusCode != http.StatusConflict {
		t.Errorf("gone: got %d", got.StatusCode)
	}
	got := post("/admin/quarantine/replay", url.Values{"endpoint": {"acme"}})
	if page := get("/admin/quarantine").body; got.StatusCode != http.StatusSeeOther || !strings.Contains(page, "1 request understood, 2 events stored. 1 request is still not understood.") {
		t.Errorf("all: got %d\n%s", got.StatusCode, page)
	}
	post("/admin/quarantine/replay", nil)
	if page := get("/admin/quarantine").body; !strings.Contains(page, "1 request belongs to an endpoint") {
		t.Errorf("all, with one that is gone:\n%s", page)
	}
	if got := post("/admin/quarantine/1/discard", url.Values{"reason": {" "}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: got %d", got.StatusCode)
	}
	if got := post("/admin/quarantine/1/discard", url.Values{"reason": {"their test"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("discard: got %d", got.StatusCode)
	}
	if _, err := d.db.Held(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	if e := d.log()[0]; e.Action != "quarantine.discard" || e.Detail != "their test" || !strings.HasPrefix(e.Actor, "operator-") {
		t.Errorf("audit: got %+v", e)
	}
	for _, path := range []string{"/admin/quarantine/1", "/admin/quarantine/x"} {
		if got := get(path); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d", path, got.StatusCode)
		}
	}
}

func TestRequestPages(t *testing.T) {
	d := newFullDesk(t)
	view, _ := d.as(store.RoleViewer)
	if page := view("/admin/requests").body; strings.Contains(page, "anna@example.com") || !strings.Contains(page, "a***@") && !strings.Contains(page, "@example.com") || strings.Contains(page, "/opt-out") {
		t.Errorf("a viewer sees or may too much:\n%s", page)
	}
	get, post := d.as(store.RoleOperator)
	if page := get("/admin/requests").body; !strings.Contains(page, "anna@example.com") || !strings.Contains(page, "2 waiting") {
		t.Errorf("got\n%s", page)
	}
	if got := post("/admin/requests/1/opt-out", url.Values{"reason": {"she called for bo@example.com, +358 (40) 123-4567"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("opt out: got %d\n%s", got.StatusCode, got.body)
	}
	if got := post("/admin/requests/1/discard", nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("twice: got %d", got.StatusCode)
	}
	if got := post("/admin/requests/2/discard", nil); got.StatusCode != http.StatusSeeOther {
		t.Errorf("discard: got %d", got.StatusCode)
	}
	page := get("/admin/requests?all=1").body
	if !strings.Contains(page, "opted out: she called for bo@example.com") || !strings.Contains(page, "0 waiting") {
		t.Errorf("got\n%s", page)
	}
	want(t, "a viewer", view("/admin/requests?all=1").body, "opted out: she called for ‹address›, ‹address›", "!bo@example", "!123-4567")
	if page := get("/admin/requests").body; !strings.Contains(page, "Nothing waits.") {
		t.Errorf("got\n%s", page)
	}
}

func TestIncidentPages(t *testing.T) {
	d := newFullDesk(t)
	get, post := d.as(store.RoleOperator)
	page := get("/admin/incidents").body
	at := strings.Index(page, "/admin/unblock?domain=")
	if at < 0 {
		t.Fatalf("no way to the dry run:\n%s", page)
	}
	path, _, _ := strings.Cut(page[at:], `"`)
	path = strings.ReplaceAll(path, "&amp;", "&")
	dry := get(path)
	if !strings.Contains(dry.body, "Unblock 120 addresses") || strings.Contains(dry.body, "p1@broken.example") {
		t.Fatalf("the dry run: got %d\n%s", dry.StatusCode, dry.body)
	}
	key := storetest.Keyer().Key(recipient.Stored(recipient.Email, "p1@broken.example"))
	blocked := func() bool {
		r, err := d.db.Recipient(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return r.State.Blocked()
	}
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	form := u.Query()
	if got := post("/admin/unblock", form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Say why") || !blocked() {
		t.Errorf("without a reason: got %d", got.StatusCode)
	}
	form.Set("reason", "their server was broken")
	if got := post("/admin/unblock", form); got.StatusCode != http.StatusUnprocessableEntity || !blocked() {
		t.Errorf("by a form that nobody looked at: got %d", got.StatusCode)
	}
	_, after, _ := strings.Cut(dry.body, `name="seen" value="`)
	seen, err := time.Parse(time.RFC3339Nano, after[:max(0, strings.IndexByte(after, '"'))])
	if err != nil {
		t.Fatal(err)
	}
	form.Set("seen", seen.Format(time.RFC3339Nano))
	// Whoever bounces again after the page was shown was not looked at.
	later := recipient.Stored(recipient.Email, "p2@broken.example")
	bounce := storetest.Keyer().Seal(recipient.Event{Kind: recipient.HardBounce, Address: later, Source: recipient.FromProvider, IDParts: []string{"later"}}, "acme", seen.Add(time.Second))
	if _, err := d.db.Record(t.Context(), []recipient.Event{bounce}); err != nil {
		t.Fatal(err)
	}
	if got := post("/admin/unblock", form); got.StatusCode != http.StatusSeeOther || blocked() {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	if e := d.log()[0]; e.Action != "incident.unblock" || !strings.Contains(e.Detail, "119 addresses unblocked (domain broken.example") {
		t.Errorf("audit: got %+v", e)
	}
	if page := get("/admin/incidents").body; !strings.Contains(page, "119 addresses are unblocked. 1 address stays blocked") {
		t.Error("the page does not say what was done")
	}
	for _, bad := range []string{"", "endpoint=acme", "endpoint=acme&from=x&to=y", "endpoint=acme&from=2026-11-24T00:00&to=2026-11-23T00:00", "endpoint=acme&from=2026-11-01T00:00&to=2026-11-23T00:00",
		"domain=a+b&from=2026-11-24T00:00&to=2026-11-25T00:00"} {
		if got := get("/admin/unblock?" + bad); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%q: got %d", bad, got.StatusCode)
		}
	}
	if got := post("/admin/incidents/1/dismiss", url.Values{"reason": {"they are true, says bo@example.com"}}); got.StatusCode != http.StatusSeeOther || !strings.Contains(get("/admin/incidents").body, "they are true, says bo@example.com") {
		t.Errorf("dismiss: got %d", got.StatusCode)
	}
	view, _ := d.as(store.RoleViewer)
	want(t, "a viewer", view("/admin/incidents").body, "they are true, says ‹address›", "!bo@example.com")
	if got := post("/admin/incidents/1/dismiss", nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("twice: got %d", got.StatusCode)
	}
}

func TestChart(t *testing.T) {
	days := []time.Time{noon, noon.AddDate(0, 0, 1)}
	var list []series
	for i := range 9 {
		list = append(list, series{name: fmt.Sprintf("<%d>", i), n: []int64{int64(i), 0}})
	}
	c := newChart("id", "Things", days, list)
	if c.Total != 36 || c.Desc != "Things: 36 in 2 days, most of them (36) on 24 November 2026." || len(c.Series) != maxSeries-1 || c.Series[maxSeries-2].Name != "4 others" {
		t.Errorf("got %+v", c)
	}
	if svg := string(c.SVG); strings.Contains(svg, "<1>") || !strings.Contains(svg, "&lt;1&gt;") || strings.Contains(svg, "style") || strings.Contains(svg, "NaN") || strings.Contains(svg, "%!") {
		t.Errorf("got %s", svg)
	}
	if c := newChart("id", "Things", days, nil); c.Total != 0 || strings.Contains(string(c.SVG), "NaN") {
		t.Errorf("nothing: got %+v", c)
	}
	for in, want := range map[int64]int64{0: 2, 1: 2, 2: 2, 3: 5, 6: 10, 11: 20, 999: 1000, 1001: 2000} {
		if got := niceTop(in); got != want {
			t.Errorf("niceTop(%d): got %d, want %d", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%d): got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0", 999: "999", 1500: "1.5k", 2_000_000: "2M"} {
		if got := short(in); got != want {
			t.Errorf("short(%d): got %q, want %q", in, got, want)
		}
	}
}
