package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storebench"
)

var (
	firstNames = strings.Fields("Aino Eero Ilona Juhani Kaisa Lauri Maija Niilo Oona Pekka Raili Sami Tuuli Urho Venla Anna Bo Clara David Elsa Felix Greta Hugo Ida Jonas Karin Lars Maria Nils Olga")
	lastNames  = strings.Fields("Virtanen Korhonen Nieminen Laine Heikkinen Koskinen Andersson Berg Carlsson Dahl Ekman Forsberg Gustafsson Holm Isaksson Jansson Klein Lehmann Meyer Neumann Oksanen Petersen Quist Rossi Schmidt Toivonen Ulrich Vogel Weber Zimmer")
)

// peopleList writes a list of contacts, one for every tenth known address.
func (e *bench) peopleList(n int) (path string, err error) {
	path = filepath.Join(e.dir, "contacts.csv")
	var b strings.Builder
	b.WriteString("external_id,name,language,email\n")
	for i := range n {
		fmt.Fprintf(&b, "c-%07d,%s %s,fi,%s\n", i, firstNames[i%len(firstNames)], lastNames[i/len(firstNames)%len(lastNames)], address(10*i))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("write a list: %w", err)
	}
	return path, nil
}

// desk measures what an administrator waits for.
func (e *bench) desk(ctx context.Context) (*section, error) {
	d, err := e.maria(ctx, e.large)
	if err != nil {
		return nil, err
	}
	const name = "desk"
	folder, err := e.config(name, d.url, anyPort)
	if err != nil {
		return nil, err
	}
	n := e.large / 10
	list, err := e.peopleList(n)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := e.command(ctx, folder, nil, "import", list); err != nil {
		return nil, err
	}
	imported := time.Since(began)
	known := *d.people
	known.next = nil
	left := e.events / bareRows
	batches := make(chan []recipient.Event)
	go func() {
		defer close(batches)
		for range left {
			batches <- bounces(bareRows, &e.ids, &known)
		}
	}()
	if _, err := d.bare.Batches(ctx, bareConns, time.Hour, func(int) []recipient.Event { return <-batches }); err != nil {
		return nil, fmt.Errorf("store events: %w", err)
	}
	if err := countNothing(ctx, d.bare); err != nil {
		return nil, err
	}
	svc, err := e.serve(ctx, name, d.url)
	if err != nil {
		return nil, err
	}
	defer svc.kill()
	a, err := e.signIn(ctx, svc, folder)
	if err != nil {
		return nil, err
	}
	times := 100
	if e.short {
		times = 3
	}
	s := &section{title: "The desk", text: fmt.Sprintf("Pages as an administrator waits for them, one after the other, with %s addresses, %s contacts and %s events more in MariaDB: the 95th percentile of %d each. "+
		"A search is its form and the page that it leads to. The contacts came in by `strikeout import`.", count(e.large), count(n), count(left*bareRows), times)}
	first, err := d.bare.Int(ctx, "SELECT MIN(id) FROM contacts")
	if err != nil {
		return nil, fmt.Errorf("ask for contacts: %w", err)
	}
	m := startMeter(svc.pid(), d.pid())
	for _, k := range []struct {
		what string
		ask  func() error
	}{
		{"the overview", func() error { return a.get("/admin") }},
		{"the first page of contacts", func() error { return a.get("/admin/contacts") }},
		{"a search by the beginning of a name", func() error { return a.search(lastNames[rand.IntN(len(lastNames))][:4], "") }}, //nolint:gosec // load, no secret
		{"a search by the beginning of an address", func() error { return a.search(address(10 * rand.IntN(n))[:14], "") }},      //nolint:gosec // load, no secret
		{"the blocked ones of a name", func() error { return a.search(firstNames[rand.IntN(len(firstNames))], "blocked") }},     //nolint:gosec // load, no secret
		{"a card, found by the whole address", func() error { return a.search(address(10*rand.IntN(n)), "") }},                  //nolint:gosec // load, no secret
		{"a card", func() error { return a.get(fmt.Sprint("/admin/contacts/", first+int64(rand.IntN(n)))) }},                    //nolint:gosec // load, no secret
	} {
		var took []time.Duration
		for range times {
			began := time.Now()
			if err := k.ask(); err != nil {
				return nil, fmt.Errorf("%s: %w", k.what, err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		p95 := took[min(times-1, times*95/100)]
		s.add(figure{what: k.what, value: float64(p95) / 1e6, must: 150, aim: 150, most: true, unit: "ms"})
	}
	off := m.stop().other > quiet
	for i := range s.figures {
		s.figures[i].disturbed = off
	}
	s.add(figure{what: "contacts a second by import", value: float64(n) / imported.Seconds(), must: 1e6 / 60, aim: 1e6 / 60, disturbed: off})
	return s, nil
}

// countNothing tells the desk's counters that what is in the table is counted:
// bare statements wrote it.
func countNothing(ctx context.Context, db *storebench.DB) error {
	top, err := db.Int(ctx, "SELECT COALESCE(MAX(id), 0) FROM events")
	if err == nil {
		err = db.Exec(ctx, fmt.Sprintf("UPDATE meta SET value = '%d' WHERE name = 'rollup'", top))
	}
	if err != nil {
		return fmt.Errorf("move the counters' cursor: %w", err)
	}
	return nil
}

// administrator is somebody who is signed in.
type administrator struct {
	base   string
	client *http.Client
	cookie string
	csrf   string
}

var (
	startPath = regexp.MustCompile(`/admin/start/[A-Za-z0-9_-]+`)
	csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)
)

func (e *bench) signIn(ctx context.Context, svc *service, folder string) (*administrator, error) {
	out, err := e.command(ctx, folder, nil, "users", "add", fmt.Sprintf("bench-%d@example.com", e.ids.take()), "--role", "admin")
	if err != nil {
		return nil, err
	}
	a := &administrator{base: "http://" + svc.addr, client: &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	const password = "a long password of the benchmark" //nolint:gosec // of a database that is thrown away
	r, err := a.do(http.MethodPost, startPath.FindString(out), url.Values{"password": {password}, "again": {password}})
	if err != nil {
		return nil, err
	}
	a.cookie = r.cookie
	page, err := a.do(http.MethodGet, "/admin/contacts", nil)
	if err != nil {
		return nil, err
	}
	if m := csrfField.FindStringSubmatch(page.body); m != nil {
		a.csrf = m[1]
	}
	if a.cookie == "" || a.csrf == "" {
		return nil, fmt.Errorf("signing in: the answer was %d, the page has a form: %t", r.status, a.csrf != "")
	}
	return a, nil
}

// deskAnswer is what a browser would make of an answer.
type deskAnswer struct {
	status                 int
	location, cookie, body string
}

func (a *administrator) do(method, path string, form url.Values) (out deskAnswer, err error) {
	r, err := http.NewRequest(method, a.base+path, strings.NewReader(form.Encode())) //nolint:noctx // the client has a limit
	if err != nil {
		return out, err //nolint:wrapcheck // our own path
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Cookie", a.cookie)
	resp, err := a.client.Do(r)
	if err != nil {
		return out, err //nolint:wrapcheck // it says what failed
	}
	defer resp.Body.Close() //nolint:errcheck // read already
	var b strings.Builder
	if _, err := io.Copy(&b, resp.Body); err != nil {
		return out, err //nolint:wrapcheck // it says what failed
	}
	for _, c := range resp.Cookies() {
		if c.Value != "" {
			out.cookie = c.Name + "=" + c.Value
		}
	}
	out.status, out.location, out.body = resp.StatusCode, resp.Header.Get("Location"), b.String()
	return out, nil
}

func (a *administrator) get(path string) error {
	r, err := a.do(http.MethodGet, path, nil)
	if err == nil && r.status != http.StatusOK {
		err = fmt.Errorf("the page answered %d", r.status)
	}
	return err
}

// search sends the form and goes where it leads.
func (a *administrator) search(q, flag string) error {
	r, err := a.do(http.MethodPost, "/admin/contacts/search", url.Values{"q": {q}, "flag": {flag}, "csrf": {a.csrf}})
	if err != nil {
		return err
	}
	to, err := url.Parse(r.location)
	if err != nil || r.status != http.StatusSeeOther {
		return fmt.Errorf("the search answered %d", r.status)
	}
	return a.get(to.RequestURI())
}
