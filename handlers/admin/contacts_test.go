package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/ses"
	"github.com/strikeout/strikeout/providers/twilio"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func mail(s string) recipient.Address { return recipient.Stored(recipient.Email, s) }

func keyOf(s string) recipient.Key { return storetest.Keyer().Key(mail(s)) }

// fill puts contact 1 into the database: a blocked address and a number that is
// opted out.
func (d *desk) fill() {
	d.t.Helper()
	d.put(store.Contact{ExternalID: "c-1", Name: "Nora Body", Language: "fi", Email: mail("nobody@example.com"), Phone: recipient.Stored(recipient.SMS, "+358401234567")})
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: mail("nobody@example.com"), Code: "5.1.1", Rule: "ses-permanent", Detail: "550 5.1.1 user unknown"})
	d.report(recipient.Event{Kind: recipient.OptOut, Address: recipient.Stored(recipient.SMS, "+358401234567"), Rule: "sms-stop-word", Code: "+12345"})
}

func (d *desk) put(c store.Contact) store.Contact {
	d.t.Helper()
	saved, _, err := d.db.PutContact(d.t.Context(), c, store.PutOptions{Source: recipient.FromAPI, Actor: "crm", AcceptShared: true})
	if err != nil {
		d.t.Fatal(err)
	}
	return saved
}

// report is an event as a provider tells it, now.
func (d *desk) report(e recipient.Event) {
	d.t.Helper()
	if e.Source == "" {
		e.Source = recipient.FromProvider
	}
	endpoint := "ses-eu"
	if e.Address.Channel() == recipient.SMS {
		endpoint = "twilio"
	}
	e.IDParts = []string{fmt.Sprint(e.Kind, e.Detail, e.At, d.now)}
	if _, err := d.db.Record(d.t.Context(), []recipient.Event{storetest.Keyer().Seal(e, endpoint, d.now)}); err != nil {
		d.t.Fatal(err)
	}
}

// seen is what a form shows and brings along.
func (d *desk) seen(a recipient.Address, k recipient.Kind) string {
	d.t.Helper()
	return d.state(a).Answered(k).Format(time.RFC3339Nano)
}

func (d *desk) state(a recipient.Address) recipient.State {
	d.t.Helper()
	r, err := d.db.Recipient(d.t.Context(), storetest.Keyer().Key(a))
	if err != nil {
		d.t.Fatal(err)
	}
	return r.State
}

// want reports texts that a page lacks; those that begin with "!" must not be there.
func want(t *testing.T, name, body string, texts ...string) {
	t.Helper()
	wrong := false
	for _, w := range texts {
		if not, forbidden := strings.CutPrefix(w, "!"); forbidden && strings.Contains(body, not) {
			t.Errorf("%s: holds %q", name, not)
			wrong = true
		} else if !forbidden && !strings.Contains(body, w) {
			t.Errorf("%s: lacks %q", name, w)
			wrong = true
		}
	}
	if wrong {
		t.Logf("%s:\n%s", name, body)
	}
}

// withSES knows two providers.
func withSES(c *Config) {
	c.Provider = func(endpoint string) (providers.Info, bool) {
		info, ok := map[string]providers.Info{"ses-eu": ses.Info, "twilio": twilio.Info}[endpoint]
		return info, ok
	}
	c.DefaultRegion = "FI"
}

func TestSearch(t *testing.T) {
	d := newDesk(t, withSES)
	d.fill()
	d.put(store.Contact{ExternalID: "c-2", Name: "Nora Other", Email: mail("other@example.com")})
	d.put(store.Contact{ExternalID: "shared@example.com", Name: "shared@example.com", Email: mail("shared@example.com")})
	d.put(store.Contact{ExternalID: "c-4", Name: "Bo", Email: mail("shared@example.com")})
	d.report(recipient.Event{Kind: recipient.SoftBounce, Address: mail("alone@example.com")})
	get, post := d.as(store.RoleOperator)
	look, ask := d.as(store.RoleViewer)
	tests := []struct {
		q    string
		want []string // in the page that the search leads to
	}{
		{"nora", []string{"Nora Body", "Nora Other", `<s class="address blocked">nobody@example.com</s>`, "Blocked", "!Bo<"}},
		{"body", []string{"Nora Body", "!Nora Other"}},
		{"c-2", []string{"Nora Other", "!Nora Body"}},
		{"nobo", []string{"Nora Body"}},
		{"Nobody@Example.com", []string{"<h1>Nora Body</h1>"}},
		{"040 123 4567", []string{"<h1>Nora Body</h1>"}},
		{"+358 40 1234567", []string{"<h1>Nora Body</h1>"}},
		{"shared@example.com", []string{"Contacts that have it", ">shared@example.com</a>", ">Bo</a>"}},
		{"alone@example.com", []string{"Contacts that have it", "None."}},
		{"never@example.com", []string{"Nothing is known of this address"}},
		{"zzz", []string{"None.", "!Nothing is known"}},
		{"", []string{"Nora Body", "Nora Other", ">Bo</a>"}},
	}
	for _, tt := range tests {
		sent := post("/admin/contacts/search", url.Values{"q": {tt.q}})
		if sent.StatusCode != http.StatusSeeOther || tt.q != "" && strings.Contains(strings.ToLower(sent.to()), strings.ToLower(url.QueryEscape(tt.q))) {
			t.Fatalf("%q: got %d to %q", tt.q, sent.StatusCode, sent.to())
		}
		want(t, "operator "+tt.q, get(sent.to()).body, tt.want...)
	}
	for _, tt := range []struct {
		q    string
		want []string
	}{
		{"nora", []string{"Nora Body", "n•••@e•••.com", "!nobody@example.com", "!358401234567"}},
		{"nobo", []string{"None."}},
		{"share", []string{"None."}}, // neither the address nor the name that shows it
		{"Nobody@Example.com", []string{"<h1>Nora Body</h1>", "!nobody@example.com"}},
		{"shared@example.com", []string{"‹address›", ">Bo</a>"}},
	} {
		sent := ask("/admin/contacts/search", url.Values{"q": {tt.q}})
		body := look(sent.to()).body
		if tt.q != "shared@example.com" {
			want(t, "viewer "+tt.q, body, tt.want...)
			continue
		}
		want(t, "viewer "+tt.q, body, append(tt.want, "!shared@example.com")...)
	}
	if got := post("/admin/contacts/search", url.Values{"q": {strings.Repeat("x", 300)}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a long search: got %d", got.StatusCode)
	}
	// What one session searched for opens in no other.
	mine := post("/admin/contacts/search", url.Values{"q": {"nora"}}).to()
	if got := look(mine); got.StatusCode != http.StatusSeeOther || got.to() != "/admin/contacts" {
		t.Errorf("another's search: got %d to %q", got.StatusCode, got.to())
	}
	for _, bad := range []string{"/admin/contacts?s=AAAA", "/admin/contacts?s=%00", mine + "A"} {
		if got := get(bad); got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: got %d", bad, got.StatusCode)
		}
	}
	for _, bad := range []string{"/admin/contacts?flag=x", "/admin/contacts?flag=blocked&after=x"} {
		if got := get(bad); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d", bad, got.StatusCode)
		}
	}
}

func TestFilters(t *testing.T) {
	d := newDesk(t)
	d.fill()
	for i := range 120 {
		d.report(recipient.Event{Kind: recipient.HardBounce, Address: mail(fmt.Sprintf("p%d@example.com", i))})
	}
	d.report(recipient.Event{Kind: recipient.SoftBounce, Address: mail("soft@example.com")})
	d.report(recipient.Event{Kind: recipient.Complaint, Address: mail("spam@example.com")})
	get, post := d.as(store.RoleOperator)
	next := regexp.MustCompile(`href="([^"]+)">Next page`)
	seen := map[string]bool{}
	path, pages := "/admin/contacts?flag=blocked", 0
	for path != "" {
		body := get(path).body
		for _, m := range regexp.MustCompile(`>([\w.]+@example\.com)</s>`).FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s is there twice", m[1])
			}
			seen[m[1]] = true
		}
		path, pages = "", pages+1
		if m := next.FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 121 || pages != 3 {
		t.Errorf("got %d blocked addresses on %d pages", len(seen), pages)
	}
	want(t, "opted out", get("/admin/contacts?flag=opted_out").body, "&#43;358401234567", "spam@example.com", "Nora Body", "!p1@")
	want(t, "complained", get("/admin/contacts?flag=complained").body, "spam@example.com", "Opted out: reported as spam", "!358401234567")
	want(t, "soft", get("/admin/contacts?flag=soft_bouncing").body, "soft@example.com", "Soft-bouncing", "!p1@")
	want(t, "name and filter", get(post("/admin/contacts/search", url.Values{"q": {"nora"}, "flag": {"blocked"}}).to()).body, "Nora Body")
	want(t, "name and filter", get(post("/admin/contacts/search", url.Values{"q": {"nora"}, "flag": {"complained"}}).to()).body, "None.")
}

// Pages of a search go on behind the last, and carry no readable cursor.
func TestSearchPages(t *testing.T) {
	d := newDesk(t)
	for i := range 120 {
		d.put(store.Contact{ExternalID: fmt.Sprint("x-", i), Name: "Maija", Email: mail(fmt.Sprintf("maija.%d@example.com", i))})
	}
	get, post := d.as(store.RoleOperator)
	path, seen := post("/admin/contacts/search", url.Values{"q": {"maija."}}).to(), 0
	for path != "" {
		body := get(path).body
		seen += strings.Count(body, `scope="row"`)
		path = ""
		if m := regexp.MustCompile(`href="([^"]+)">Next page`).FindStringSubmatch(body); m != nil {
			path = m[1]
		}
	}
	if seen != 120 {
		t.Errorf("got %d contacts", seen)
	}
}

func TestCard(t *testing.T) {
	d := newDesk(t, withSES)
	d.fill()
	d.put(store.Contact{ExternalID: "c-2", Name: "Bo", Email: mail("nobody@example.com")})
	get, _ := d.as(store.RoleOperator)
	look, _ := d.as(store.RoleViewer)
	want(t, "operator", get("/admin/contacts/1").body, `<s class="address blocked">nobody@example.com</s>`, "Blocked: the mailbox does not exist.",
		"Amazon SES (endpoint ses-eu), 24 Nov 2026 12:00 UTC, code 5.1.1", "Remove block", `<s class="address opted-out">&#43;358401234567</s>`, "Opted out: wrote a stop word.",
		"Also used by 1 contact<", "550 5.1.1 user unknown", "This blocks the e-mail address now.", "ses-permanent", "fi</span>", "c-1", "!Erase the person")
	want(t, "viewer", look("/admin/contacts/1").body, "n•••@e•••.com", "Blocked: the mailbox does not exist.", "!nobody@example.com", "!358401234567", "!>Remove block", "!Edit the contact", "disabled checked")
	root, _ := d.as(store.RoleAdmin)
	want(t, "administrator", root("/admin/contacts/1").body, "Erase the person")
	want(t, "address", get(addressPath(recipient.Email, keyOf("nobody@example.com"))).body, "Nora Body", ">Bo</a>", "Blocked: the mailbox does not exist.", "!Also used")
	for _, missing := range []string{"/admin/contacts/99", "/admin/contacts/0", "/admin/contacts/x", "/admin/contacts/-1", addressPath(recipient.SMS, keyOf("nobody@example.com")), addressPath(recipient.Email, keyOf("never@example.com")),
		"/admin/addresses/email/x", "/admin/addresses/fax/" + keyOf("nobody@example.com").String()} {
		if got := get(missing); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d", missing, got.StatusCode)
		}
	}
}

// Whoever sees addresses masked reads none in what others wrote either: neither
// one of former times nor somebody else's.
func TestViewersReadNoAddress(t *testing.T) {
	d := newDesk(t)
	d.put(store.Contact{ExternalID: "old@example.com", Name: "Nora (old@example.com)", Email: mail("old@example.com")})
	d.put(store.Contact{ExternalID: "old@example.com", Name: "Nora (old@example.com)", Email: mail("new@example.com")})
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: mail("new@example.com"), Detail: "550 <forwarded@example.org>: user unknown"})
	a := mail("other@example.com")
	if _, err := d.db.Act(t.Context(), store.Act{Kind: recipient.Block, Channel: recipient.Email, Address: a, Key: keyOf("other@example.com"), Source: recipient.FromAdmin, Actor: "anna", Reason: "her son asked, son@example.net, +358 40 123 4567"}); err != nil {
		t.Fatal(err)
	}
	get, _ := d.as(store.RoleOperator)
	look, _ := d.as(store.RoleViewer)
	for path, secrets := range map[string][]string{"/admin/contacts": {"old@example.com"}, "/admin/contacts/1": {"old@example.com", "forwarded@example.org"}, addressPath(recipient.Email, keyOf("other@example.com")): {"son@example.net", "40 123 4567"}} {
		for _, secret := range secrets {
			want(t, "operator "+path, get(path).body, secret)
			want(t, "viewer "+path, look(path).body, "!"+secret)
		}
	}
}

// The whole story of a blocked address: unblock asks why, tells of the
// provider's own list, and warns when it bounced again after one.
func TestUnblock(t *testing.T) {
	d := newDesk(t, withSES)
	d.fill()
	get, post := d.as(store.RoleOperator)
	path := addressPath(recipient.Email, keyOf("nobody@example.com")) + "/unblock"
	want(t, "form", get(path+"?contact=1").body, "Remove the block", "aws sesv2 delete-suppressed-destination --email-address &#39;nobody@example.com&#39;", "https://console.aws.amazon.com/ses/home#/suppression-list", "!bounced again", `name="contact" value="1"`)
	if got := post(path, url.Values{"contact": {"1"}, "reason": {"  "}}); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Write a reason") {
		t.Errorf("no reason: got %d", got.StatusCode)
	}
	if !d.state(mail("nobody@example.com")).Blocked() {
		t.Error("unblocked without a reason")
	}
	done := post(path, url.Values{"contact": {"1"}, "seen": {d.seen(mail("nobody@example.com"), recipient.Unblock)}, "reason": {"she called; nobody@example.com is right"}})
	if done.StatusCode != http.StatusSeeOther || done.to() != "/admin/contacts/1" || d.state(mail("nobody@example.com")).Blocked() {
		t.Fatalf("got %d to %q", done.StatusCode, done.to())
	}
	want(t, "after", get("/admin/contacts/1").body, `role="status">The block of the e-mail address was removed. Messages may go there again.`, "Block removed.", "By administrator operator-", "<dt>Administrator&#39;s words</dt>", "<dt>Provider&#39;s words</dt>",
		"she called; ‹address› is right", "A block was removed by", "Somebody removed this block later.", "!This blocks the e-mail address")
	entry := d.log()[0]
	if entry.Action != "address.unblock" || entry.Key != keyOf("nobody@example.com") || strings.Contains(entry.Detail+entry.Object, "called") {
		t.Errorf("audit: got %+v", entry)
	}
	if got := get(path); got.StatusCode != http.StatusSeeOther {
		t.Errorf("not blocked: got %d", got.StatusCode)
	}
	events, _, err := d.db.History(t.Context(), keyOf("nobody@example.com"), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	post(path, url.Values{"reason": {"again"}})
	if again, _, err := d.db.History(t.Context(), keyOf("nobody@example.com"), 0, ""); err != nil || len(again) != len(events) {
		t.Errorf("an unblock of what is not blocked left an event: %v", err)
	}
	d.now = noon.Add(time.Hour)
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: mail("nobody@example.com"), Detail: "user unknown, again"})
	want(t, "anew", get(path).body, "it bounced again on 24 Nov 2026 13:00 UTC", "1 contact has this")
	// What came in after somebody looked is not lifted unseen.
	old := url.Values{"seen": {noon.Format(time.RFC3339Nano)}, "reason": {"again"}}
	for name, form := range map[string]url.Values{"an old page": old, "no page": {"reason": {"again"}}} {
		if got := post(path, form); got.StatusCode != http.StatusConflict || !strings.Contains(got.body, "Something new came in") || !d.state(mail("nobody@example.com")).Blocked() {
			t.Errorf("%s: got %d", name, got.StatusCode)
		}
	}
	// An old report that comes late blocks nobody, and the history says why.
	post(path, url.Values{"seen": {d.seen(mail("nobody@example.com"), recipient.Unblock)}, "reason": {"again"}})
	d.now = d.now.Add(time.Hour)
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: mail("nobody@example.com"), Detail: "late", At: noon.Add(time.Minute)})
	want(t, "late", get("/admin/contacts/1").body, "It is older than the removal of the block")
}

// A block by hand after a bounce does not take the address off the provider's
// list. What was told before the last removal of a block was dealt with then.
func TestUnblockTellsOfListsBehindALaterBlock(t *testing.T) {
	d := newDesk(t, withSES)
	a := mail("a@example.com")
	path := addressPath(recipient.Email, keyOf("a@example.com"))
	get, post := d.as(store.RoleOperator)
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: a})
	d.now = d.now.Add(time.Hour)
	byHand := func() {
		t.Helper()
		if got := post(path+"/block", url.Values{"reason": {"the letter came back"}, "seen": {d.seen(a, recipient.Block)}}); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("block: got %d", got.StatusCode)
		}
	}
	const command = "aws sesv2 delete-suppressed-destination"
	byHand()
	want(t, "blocked by hand later", get(path+"/unblock").body, "Blocked: the letter came back.", command)
	post(path+"/unblock", url.Values{"reason": {"wrong"}, "seen": {d.seen(a, recipient.Unblock)}})
	byHand()
	want(t, "blocked by hand after a removal", get(path+"/unblock").body, "Blocked: the letter came back.", "!"+command)
}

func TestBlock(t *testing.T) {
	d := newDesk(t)
	d.put(store.Contact{ExternalID: "c-1", Email: mail("a@example.com")})
	get, post := d.as(store.RoleOperator)
	path := addressPath(recipient.Email, keyOf("a@example.com")) + "/block"
	want(t, "form", get(path).body, "Block the e-mail address")
	if got := post(path, url.Values{"reason": {"the letter came back"}}); got.StatusCode != http.StatusSeeOther || got.to() != addressPath(recipient.Email, keyOf("a@example.com")) {
		t.Fatalf("got %d to %q", got.StatusCode, got.to())
	}
	want(t, "after", get("/admin/contacts/1").body, "Blocked: the letter came back.", "administrator operator-", `<s class="address blocked">`)
}

// The checkbox: checking opts out, taking the check away leads to the consent,
// and only whole and plausible consent opts in.
func TestOptOutAndIn(t *testing.T) {
	d := newDesk(t)
	d.fill()
	d.report(recipient.Event{Kind: recipient.Complaint, Address: mail("nobody@example.com")})
	get, post := d.as(store.RoleOperator)
	path := addressPath(recipient.SMS, storetest.Keyer().Key(recipient.Stored(recipient.SMS, "+358401234567")))
	phone := recipient.Stored(recipient.SMS, "+358401234567")
	box := func(form url.Values) answer {
		form.Set("contact", "1")
		return post(path+"/opted-out", form)
	}
	if got := box(url.Values{"was": {"1"}, "opted_out": {"1"}}); got.to() != "/admin/contacts/1" {
		t.Errorf("untouched: got %q", got.to())
	}
	if got := box(url.Values{}); got.to() != "/admin/contacts/1" {
		t.Errorf("untouched, opted out since: got %q", got.to())
	}
	to := box(url.Values{"was": {"1"}})
	if to.to() != path+"/opt-in?contact=1" || !d.state(phone).OptedOut() {
		t.Fatalf("unchecked: got %q", to.to())
	}
	want(t, "consent form", get(to.to()).body, "Where the person agreed", `value="2026-11-24"`, "!reported a message as spam")
	want(t, "complaint", get(addressPath(recipient.Email, keyOf("nobody@example.com"))+"/opt-in").body, "reported a message as spam on 24 Nov 2026 12:00 UTC")
	whole := func() url.Values {
		return url.Values{"contact": {"1"}, "seen": {d.seen(phone, recipient.OptIn)}, "consent_source": {"phone call"}, "consent_wording": {"Yes, text me again"}, "consent_date": {"2026-11-24"}, "consent_evidence": {"ticket 7"}}
	}
	for field, value := range map[string]string{"consent_source": "", "consent_wording": " ", "consent_evidence": "", "consent_date": "soon"} {
		form := whole()
		form.Set(field, value)
		if got := post(path+"/opt-in", form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `aria-invalid="true"`) {
			t.Errorf("without %s: got %d", field, got.StatusCode)
		}
	}
	for date, text := range map[string]string{"2026-11-25": "has not come yet", "2026-11-23": "Only consent given since counts"} {
		form := whole()
		form.Set("consent_date", date)
		got := post(path+"/opt-in", form)
		want(t, date, got.body, text, "Yes, text me again")
	}
	if !d.state(phone).OptedOut() {
		t.Fatal("opted in without consent")
	}
	// A click after the form was opened stands.
	late := whole()
	late.Set("seen", noon.Add(-time.Second).Format(time.RFC3339Nano))
	if got := post(path+"/opt-in", late); got.StatusCode != http.StatusConflict || !d.state(phone).OptedOut() {
		t.Errorf("an old page: got %d", got.StatusCode)
	}
	if got := post(path+"/opt-in", whole()); got.StatusCode != http.StatusSeeOther || d.state(phone).OptedOut() {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	want(t, "receipt", get("/admin/contacts/1").body, "opted in now, and the consent is kept", "Consent receipt", "phone call", "Yes, text me again", "24 November 2026", "ticket 7", "Recorded by")
	if entry := d.log()[0]; entry.Action != "address.opt_in" {
		t.Errorf("audit: got %+v", entry)
	}
	if got := box(url.Values{"opted_out": {"1"}}); got.to() != "/admin/contacts/1" || !d.state(phone).OptedOut() {
		t.Errorf("checked: got %q", got.to())
	}
	want(t, "opted out", get("/admin/contacts/1").body, "The phone number is opted out now.")
}

func TestContactForms(t *testing.T) {
	d := newDesk(t, withSES)
	d.fill()
	get, post := d.as(store.RoleOperator)
	if got := get("/admin/contacts/new"); got.StatusCode != http.StatusOK {
		t.Fatalf("got %d", got.StatusCode)
	}
	added := post("/admin/contacts", url.Values{"name": {"Åsa"}, "language": {"sv"}, "email": {"Asa@Example.com"}, "phone": {"040 555 1234"}})
	if added.StatusCode != http.StatusSeeOther || added.to() != "/admin/contacts/2" {
		t.Fatalf("got %d to %q\n%s", added.StatusCode, added.to(), added.body)
	}
	want(t, "added", get("/admin/contacts/2").body, "The contact was added.", "Åsa", "asa@example.com", "&#43;358405551234", ">desk-")
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		text   string
	}{
		"email":    {url.Values{"email": {"nobody"}}, 422, "Not a valid address: expected name@domain."},
		"phone":    {url.Values{"phone": {"12"}}, 422, "A short code is a service"},
		"language": {url.Values{"language": {"<b>"}}, 422, "Write a language tag"},
		"long":     {url.Values{"name": {strings.Repeat("å", 200)}}, 422, "longer than 255 bytes"},
		"taken id": {url.Values{"external_id": {"c-1"}}, 409, "Another contact has this external id"},
		"shared":   {url.Values{"email": {"nobody@example.com"}}, 409, "Another contact has this e-mail address"},
	} {
		if got := post("/admin/contacts", tt.form); got.StatusCode != tt.status || !strings.Contains(got.body, tt.text) {
			t.Errorf("%s: got %d\n%s", name, got.StatusCode, got.body)
		}
	}
	if got := post("/admin/contacts", url.Values{"email": {"nobody@example.com"}, "accept_shared": {"1"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("shared: got %d", got.StatusCode)
	}
	// The opt-out goes along to the new number, the block does not to the new address.
	form := get("/admin/contacts/1/edit")
	seen := regexp.MustCompile(`name="seen" value="([^"]+)"`).FindStringSubmatch(form.body)
	if seen == nil {
		t.Fatalf("got\n%s", form.body)
	}
	edit := url.Values{"seen": {seen[1]}, "name": {"Nora Newname"}, "email": {"new@example.com"}, "phone": {"+358409999999"}}
	d.now = noon.Add(time.Hour)
	if got := post("/admin/contacts/1", edit); got.to() != "/admin/contacts/1" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	if s := d.state(mail("new@example.com")); s.Blocked() {
		t.Error("the block went along")
	}
	if s := d.state(recipient.Stored(recipient.SMS, "+358409999999")); !s.OptedOut() {
		t.Error("the opt-out did not go along")
	}
	want(t, "edited", get("/admin/contacts/1").body, "The contact was saved. The new phone number is opted out, as the one before was.", "Nora Newname", "taken over from the contact&#39;s former address")
	if got := post("/admin/contacts/1", edit); got.StatusCode != http.StatusConflict || !strings.Contains(got.body, "Somebody else saved") {
		t.Errorf("a stale form: got %d", got.StatusCode)
	}
	if got := post("/admin/contacts/1", url.Values{"name": {"x"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no state: got %d", got.StatusCode)
	}
	if entry := d.log()[0]; entry.Action != "contact.edit" || strings.Contains(entry.Detail, "Nora") || !strings.HasPrefix(entry.Detail, "name, language, e-mail address") {
		t.Errorf("audit: got %+v", entry)
	}
}

func TestEraseContact(t *testing.T) {
	d := newDesk(t)
	d.fill()
	d.put(store.Contact{ExternalID: "c-2", Name: "Bo", Email: mail("nobody@example.com")})
	get, post := d.as(store.RoleAdmin)
	want(t, "form", get("/admin/contacts/1/erase").body, "Erase Nora Body", "Also used by 1 contact, which loses it, too.")
	if got := post("/admin/contacts/1/erase", url.Values{"confirm": {"yes"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("not confirmed: got %d", got.StatusCode)
	}
	if got := post("/admin/contacts/1/erase", url.Values{"confirm": {"erase"}}); got.to() != "/admin/contacts" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	if got := get("/admin/contacts/1"); got.StatusCode != http.StatusNotFound {
		t.Errorf("the contact: got %d", got.StatusCode)
	}
	if s := d.state(mail("nobody@example.com")); !s.Blocked() {
		t.Error("the block is gone")
	}
	page := get(addressPath(recipient.Email, keyOf("nobody@example.com"))).body
	want(t, "address", page, "an erased address", "Blocked:", "!nobody@example.com", "!user unknown")
	want(t, "the other contact", get("/admin/contacts/2").body, "This contact has no address.")
	// Saving the address again needs consent, or the knowledge that it stays unreadable.
	seen := regexp.MustCompile(`name="seen" value="([^"]+)"`).FindStringSubmatch(get("/admin/contacts/2/edit").body)[1]
	form := url.Values{"seen": {seen}, "name": {"Bo"}, "email": {"nobody@example.com"}}
	got := post("/admin/contacts/2", form)
	want(t, "erased", got.body, "was erased at the person's wish")
	form.Set("unreadable", "1")
	if got := post("/admin/contacts/2", form); got.to() != "/admin/contacts/2" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	want(t, "unreadable", get("/admin/contacts/2").body, "an erased address")
	// Whoever changes something else leaves the field empty, and the address where it is.
	d.now = d.now.Add(time.Second)
	edit := get("/admin/contacts/2/edit").body
	want(t, "form of an erased address", edit, "It was erased and cannot be shown. The contact keeps it")
	seen = regexp.MustCompile(`name="seen" value="([^"]+)"`).FindStringSubmatch(edit)[1]
	if got := post("/admin/contacts/2", url.Values{"seen": {seen}, "name": {"Bo Body"}, "email": {""}}); got.to() != "/admin/contacts/2" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	want(t, "edited", get("/admin/contacts/2").body, "Bo Body", "an erased address", "!This contact has no address")
	form = url.Values{"seen": {regexp.MustCompile(`name="seen" value="([^"]+)"`).FindStringSubmatch(get("/admin/contacts/2/edit").body)[1]}, "name": {"Bo"}, "email": {"nobody@example.com"},
		"consent_source": {"letter"}, "consent_wording": {"Write me"}, "consent_date": {"2026-11-23"}, "consent_evidence": {"file 3"}}
	if got := post("/admin/contacts/2", form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Only consent given since counts") {
		t.Errorf("consent of before: got %d", got.StatusCode)
	}
	form.Set("consent_date", "2026-11-24")
	if got := post("/admin/contacts/2", form); got.to() != "/admin/contacts/2" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	want(t, "revived", get("/admin/contacts/2").body, "nobody@example.com", "Consent receipt", "Write me")
}

func TestEraseAddress(t *testing.T) {
	d := newDesk(t)
	d.fill()
	get, post := d.as(store.RoleAdmin)
	path := addressPath(recipient.Email, keyOf("nobody@example.com"))
	want(t, "form", get(path+"/erase").body, "Write erase to confirm")
	if got := post(path+"/erase", url.Values{"confirm": {""}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("not confirmed: got %d", got.StatusCode)
	}
	if got := post(path+"/erase", url.Values{"confirm": {"erase"}}); got.to() != path {
		t.Errorf("got %d to %q", got.StatusCode, got.to())
	}
	if entry := d.log()[0]; entry.Action != "erase" || !strings.HasPrefix(entry.Actor, "admin-") {
		t.Errorf("audit: got %+v", entry)
	}
	want(t, "after", get(path).body, "an erased address", "The suppression stays.")
}

func TestUnknownAddress(t *testing.T) {
	d := newDesk(t)
	get, post := d.as(store.RoleOperator)
	form := url.Values{"address": {"New@Example.com"}, "kind": {"opt_out"}, "reason": {"a letter"}}
	got := post("/admin/addresses", form)
	if got.to() != addressPath(recipient.Email, keyOf("new@example.com")) || !d.state(mail("new@example.com")).OptedOut() {
		t.Fatalf("got %d to %q", got.StatusCode, got.to())
	}
	want(t, "after", get(got.to()).body, "new@example.com", "a letter", "The e-mail address is opted out now.")
	for name, change := range map[string][2]string{"address": {"address", "new"}, "kind": {"kind", "opt_in"}, "reason": {"reason", ""}} {
		bad := url.Values{"address": {"b@example.com"}, "kind": {"block"}, "reason": {"x"}}
		bad.Set(change[0], change[1])
		if got := post("/admin/addresses", bad); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d", name, got.StatusCode)
		}
	}
	if _, err := d.db.Recipient(context.Background(), keyOf("b@example.com")); err == nil {
		t.Error("a wrong form changed something")
	}
}
