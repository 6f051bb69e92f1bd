package admin

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
	"github.com/strikeout/strikeout/tokens"
)

// testLinks signs with a fresh key.
func testLinks(t *testing.T, now func() time.Time) *Links {
	t.Helper()
	key, err := tokens.GenerateKey(rand.Reader, noon, tokens.HS256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := tokens.NewRing([]tokens.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	l := &Links{Ring: func() *tokens.Ring { return ring }, Languages: func() []string { return []string{"ar", "en", "fi"} }, PublicURL: "https://u.example.com"}
	if l.Linker, err = tokens.NewLinker(tokens.LinkerConfig{Ring: l.Ring, Keyer: storetest.Keyer(), PublicURL: l.PublicURL, Now: now}); err != nil {
		t.Fatal(err)
	}
	return l
}

// uploader signs somebody in and returns how they send a form with a file.
func (d *desk) uploader(role store.Role) (get func(string) answer, send func(path, field, name, body string, form url.Values) answer) {
	d.t.Helper()
	cookie, csrf := NewTestSession(d.t, d.db, role)
	get = func(path string) answer { return d.send("GET", path, nil, "Cookie", cookie) }
	send = func(path, field, name, body string, form url.Values) answer {
		d.t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		must := func(err error) {
			if err != nil {
				d.t.Fatal(err)
			}
		}
		must(w.WriteField("csrf", csrf))
		for k, v := range form {
			must(w.WriteField(k, v[0]))
		}
		f, err := w.CreateFormFile(field, name)
		must(err)
		_, err = f.Write([]byte(body))
		must(err)
		must(w.Close())
		r := httptest.NewRequest("POST", path, &b)
		r.Header.Set("Content-Type", w.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Cookie", cookie)
		res, err := d.app.Test(r, 300_000)
		must(err)
		out, err := io.ReadAll(res.Body)
		must(err)
		return answer{res, string(out)}
	}
	return get, send
}

// settled waits until nobody works on an upload.
func (d *desk) settled(get func(string) answer, path string) answer {
	d.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for {
		a := get(path)
		if a.Header.Get("Refresh") == "" {
			return a
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("the import does not end:\n%s", a.body)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestImportPages(t *testing.T) {
	d := newDesk(t)
	get, send := d.uploader(store.RoleOperator)
	cookie, csrf := NewTestSession(t, d.db, store.RoleOperator)
	post := func(path string) answer {
		return d.send("POST", path, url.Values{"csrf": {csrf}}, "Cookie", cookie)
	}
	list := "email,kind,date\na@example.com,hard_bounce,2026-11-20\n<script>alert(1)</script>,opt_out,\nb@example.com,opt_out,\n"
	a := send("/admin/imports", "file", "<b>my list.csv", list, nil)
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/admin/imports/") {
		t.Fatalf("got %d to %q\n%s", a.StatusCode, a.to(), a.body)
	}
	path := a.to()
	page := d.settled(get, path)
	for _, want := range []string{"checked, not imported", "1 addresses would be newly blocked", "1 addresses would be newly opted out", "The first stands on line 3", "Import now"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q:\n%s", want, page.body)
		}
	}
	if strings.Contains(page.body, "<b>my") || strings.Contains(page.body, "<script>") {
		t.Errorf("names of files are markup:\n%s", page.body)
	}
	if _, err := d.db.Recipient(t.Context(), storetest.Keyer().Key(mail("a@example.com"))); err == nil {
		t.Error("the check changed something")
	}
	rejects := get(path + "/rejects.csv")
	if rejects.StatusCode != http.StatusOK || !strings.HasPrefix(rejects.body, "line,reason,email,kind,date\n3,") || !strings.HasPrefix(rejects.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("rejects: %d %q", rejects.StatusCode, rejects.body)
	}
	if got := post(path + "/run"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("run: got %d\n%s", got.StatusCode, got.body)
	}
	if page = d.settled(get, path); !strings.Contains(page.body, "1 addresses are newly blocked") || strings.Contains(page.body, "Import now") {
		t.Errorf("got\n%s", page.body)
	}
	r, err := d.db.Recipient(t.Context(), storetest.Keyer().Key(mail("a@example.com")))
	if err != nil || !r.State.Blocked() {
		t.Errorf("got %+v, %v", r, err)
	}
	// A list that is done is not run again.
	post(path + "/run")
	if page = d.settled(get, path); !strings.Contains(page.body, "imported") {
		t.Errorf("got\n%s", page.body)
	}
	var actions []string
	for _, e := range d.log() {
		if strings.HasPrefix(e.Action, "import.") {
			actions = append(actions, e.Action)
			if strings.Contains(e.Detail+e.Object, "@") || e.Actor == "" {
				t.Errorf("audit: %+v", e)
			}
		}
	}
	if got := strings.Join(actions, " "); got != "import.end import.running import.upload" {
		t.Errorf("audit: got %q", got)
	}
	if got := get("/admin/imports"); !strings.Contains(got.body, "&lt;b&gt;my list.csv") {
		t.Errorf("got\n%s", got.body)
	}
	if got := post(path + "/drop"); got.StatusCode != http.StatusSeeOther || get(path).StatusCode != http.StatusNotFound {
		t.Errorf("drop: got %d", got.StatusCode)
	}
	if _, err := d.db.UploadPart(t.Context(), 1, store.UploadList, 0); err == nil {
		t.Error("the list is still there")
	}
}

func TestImportsThatAreWrong(t *testing.T) {
	d := newDesk(t)
	get, send := d.uploader(store.RoleOperator)
	for name, form := range map[string]url.Values{"kind": {"kind": {"x"}}, "as": {"as": {"opt_in"}}, "date": {"listed_at": {"soon"}}, "future": {"listed_at": {"2999-01-01"}}} {
		if got := send("/admin/imports", "file", "a.csv", "email\nx@example.com\n", form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%s: got %d", name, got.StatusCode)
		}
	}
	if got := send("/admin/imports", "file", "a.csv", "", nil); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("nothing: got %d", got.StatusCode)
	}
	a := send("/admin/imports", "file", "a.csv", "x@example.com\n", nil)
	if page := d.settled(get, a.to()); !strings.Contains(page.body, "say contacts or suppressions") || strings.Contains(page.body, "Import now") || strings.Contains(page.body, "What changed") {
		t.Errorf("got\n%s", page.body)
	}
	// Somebody who saw no check cannot run it by hand.
	cookie, csrf := NewTestSession(t, d.db, store.RoleOperator)
	d.send("POST", a.to()+"/run", url.Values{"csrf": {csrf}}, "Cookie", cookie)
	if u, err := d.db.Uploads(t.Context()); err != nil || u[0].Stage != store.StageFailed {
		t.Errorf("got %+v, %v", u, err)
	}
	for _, path := range []string{"/admin/imports/99", "/admin/imports/x", "/admin/imports/99/rejects.csv"} {
		if got := get(path); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d", path, got.StatusCode)
		}
	}
}

// What a process that died was working on can be run again by another, once it
// is known to be gone; what is kept goes after a day.
func TestImportOfADeadProcess(t *testing.T) {
	d := newDesk(t)
	by := store.By{Actor: "anna"}
	id, err := d.db.AddUpload(t.Context(), store.Upload{Name: "a.csv", Options: `{"as":"opt_out"}`}, []byte("email,kind\na@example.com,opt_out\n"), "dead", by)
	if err != nil {
		t.Fatal(err)
	}
	if took, err := d.db.TakeUpload(t.Context(), id, store.StageChecking, "me", by); took || err != nil {
		t.Errorf("a list that somebody works on is taken: %v", err)
	}
	get, _ := d.uploader(store.RoleOperator)
	cookie, csrf := NewTestSession(t, d.db, store.RoleOperator)
	if got := get(importPath(id)); got.Header.Get("Refresh") == "" || strings.Contains(got.body, "Delete the list") {
		t.Errorf("got\n%s", got.body)
	}
	d.now = d.now.Add(time.Minute)
	if got := get(importPath(id)); got.Header.Get("Refresh") != "" || !strings.Contains(got.body, "It broke off") {
		t.Errorf("got\n%s", got.body)
	}
	d.send("POST", importPath(id)+"/check", url.Values{"csrf": {csrf}}, "Cookie", cookie)
	if got := d.settled(get, importPath(id)); !strings.Contains(got.body, "1 addresses would be newly opted out") {
		t.Errorf("got\n%s", got.body)
	}
	if mine, err := d.db.BeatUpload(t.Context(), id, "dead", ""); mine || err != nil {
		t.Errorf("the dead one still has it: %v", err)
	}
	d.now = d.now.Add(store.UploadFor)
	cookie, csrf = NewTestSession(t, d.db, store.RoleOperator)
	if got := d.send("POST", importPath(id)+"/run", url.Values{"csrf": {csrf}}, "Cookie", cookie); got.StatusCode != http.StatusConflict {
		t.Errorf("after a day: got %d", got.StatusCode)
	}
	if _, err := d.db.Retain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.db.UploadPart(t.Context(), id, store.UploadList, 0); err == nil {
		t.Error("the list is kept for more than a day")
	}
}

func TestExportPage(t *testing.T) {
	d := newDesk(t)
	d.put(store.Contact{ExternalID: "=1+1", Name: "@SUM(A1)", Email: mail("a@example.com")})
	_, post := d.as(store.RoleAdmin)
	got := post("/admin/exports/contacts", nil)
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "'=1+1" || rows[1][1] != "'@SUM(A1)" || !strings.Contains(got.Header.Get("Content-Disposition"), "contacts.csv") {
		t.Errorf("got %q, %v", got.body, err)
	}
	if got := post("/admin/exports/suppressions", nil); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.body, "channel,address,") {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
	if got := post("/admin/exports/users", nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("got %d", got.StatusCode)
	}
	log := d.log()
	if log[0].Action != "export" || log[0].Object != "suppressions" || log[1].Object != "contacts" {
		t.Errorf("audit: %+v", log[:2])
	}
}

func TestLinkDesk(t *testing.T) {
	d := newDesk(t)
	get, send := d.uploader(store.RoleOperator)
	_, post := d.as(store.RoleOperator)
	page := get("/admin/links")
	previews := regexp.MustCompile(`href="https://u\.example\.com/u/([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(previews) != 3 {
		t.Fatalf("got %d previews\n%s", len(previews), page.body)
	}
	for _, p := range previews {
		if v, err := d.cfg.Links.Ring().Verify(p[1], d.now); err != nil || !v.Preview {
			t.Errorf("a preview that changes something: %+v, %v", v, err)
		}
	}
	got := post("/admin/links", url.Values{"addresses": {"Anna <a@example.com>, b@example.com\r\n+358 40 123 4567"}, "send_out": {"spring"}, "language": {"fi"}})
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][0] != "a@example.com" || rows[3][0] != "+358 40 123 4567" || got.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatalf("got %q, %v", got.body, err)
	}
	v, err := d.cfg.Links.Ring().Verify(strings.TrimPrefix(rows[1][1], "https://u.example.com/u/"), d.now)
	if err != nil || v.Key != storetest.Keyer().Key(mail("a@example.com")) || v.SendOut != "spring" || v.Language != "fi" || v.Preview {
		t.Errorf("got %+v, %v", v, err)
	}
	if e := d.log()[0]; e.Action != "links" || e.Object != "send-out spring" || e.Detail != "3 links" {
		t.Errorf("audit: %+v", e)
	}
	// A file with rejects is a ZIP; who is suppressed is left out on request.
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: mail("c@example.com")})
	got = send("/admin/links", "file", "list.csv", "id;e-mail\n1;c@example.com\n2;nobody\n3;d@example.com\n", url.Values{"skip": {"1"}, "short": {"1"}})
	z, err := zip.NewReader(strings.NewReader(got.body), int64(len(got.body)))
	if err != nil || len(z.File) != 2 {
		t.Fatalf("got %q, %v", got.body, err)
	}
	for i, want := range []string{`^id;e-mail;unsubscribe_url;list_unsubscribe;list_unsubscribe_post\n3;d@example.com;https://u.example.com/u/[a-z2-7]+;`, `^line;reason;id;e-mail\n3;.*;2;nobody\n$`} {
		f, err := z.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil || !regexp.MustCompile(want).Match(b) {
			t.Errorf("%s: %q, %v", z.File[i].Name, b, err)
		}
	}
	for name, form := range map[string]url.Values{"nothing": {}, "nobody": {"addresses": {"anna"}}, "send-out": {"addresses": {"a@example.com"}, "send_out": {"a b"}}, "language": {"addresses": {"a@example.com"}, "language": {"?"}}} {
		if got := post("/admin/links", form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%s: got %d %s", name, got.StatusCode, got.body)
		}
	}
}

func TestMailCheckPage(t *testing.T) {
	d := newDesk(t)
	_, post := d.as(store.RoleOperator)
	l, err := d.cfg.Links.Linker.Link(mail("a@example.com"), tokens.LinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	message := "From: x@example.com\r\nTo: a@example.com\r\nSubject: <script>x</script>\r\n" + l.Header() + "\r\nHello\r\n" + l.URL + "\r\n"
	got := post("/admin/links/check", url.Values{"mail": {"\r\n" + message}})
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `<span class="tag ok">good</span>`) || strings.Contains(got.body, l.Token) || strings.Contains(got.body, "<script>x") {
		t.Errorf("got %d\n%s", got.StatusCode, got.body)
	}
	bad := post("/admin/links/check", url.Values{"mail": {"From: x@example.com\r\n\r\nno link\r\n"}})
	if !strings.Contains(bad.body, `<span class="tag bad">wrong</span>`) {
		t.Errorf("got\n%s", bad.body)
	}
	if got := post("/admin/links/check", nil); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("nothing: got %d", got.StatusCode)
	}
}

func TestTyped(t *testing.T) {
	for in, want := range map[string]string{"": "", " \n,;": "", "a@x.fi": "address\na@x.fi\n", "\"Doe, J\" <j@x.fi>, k@x.fi": "address\nj@x.fi\nk@x.fi\n", "a@x.fi b@x.fi": "address\na@x.fi\nb@x.fi\n", "+358 40 1": "address\n+358 40 1\n"} {
		if got := string(typed(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// An upload is read whole only for somebody who may upload.
func TestUploadLimit(t *testing.T) {
	d := newDesk(t)
	for role, want := range map[store.Role]int{store.RoleViewer: maxBody, store.RoleOperator: maxUpload, store.RoleAdmin: maxUpload} {
		cookie, _ := NewTestSession(t, d.db, role)
		h := &fasthttp.RequestHeader{}
		h.SetMethod("POST")
		h.SetRequestURI("/admin/imports")
		h.Set("Cookie", cookie)
		if got := d.BodyLimit(h); got != want {
			t.Errorf("%s: got %s", role, fmt.Sprint(got))
		}
	}
}
