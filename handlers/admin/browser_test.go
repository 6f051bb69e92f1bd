package admin

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
	"github.com/strikeout/strikeout/templates/browsertest"
)

var update = flag.Bool("update", false, "draw docs/images/desk-*.png anew")

// visited is the desk with something to see, in a real browser.
type visited struct {
	*desk
	base string
	tab  *browsertest.Tab
}

// serve lets a browser reach the desk.
func (d *desk) serve() string {
	d.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.app.Listener(ln) }()
	d.t.Cleanup(func() {
		if err := d.app.ShutdownWithTimeout(time.Minute); err != nil {
			d.t.Error(err)
		}
		if err := <-done; err != nil {
			d.t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}

// signIn goes through the login page.
func (v *visited) signIn(name string) {
	v.t.Helper()
	v.tab.Open(v.t, v.base+"/admin/login", browsertest.Viewport(1280, 900, 1), browsertest.Scheme(false))
	v.tab.Fill(v.t, "#name", name)
	v.tab.Fill(v.t, "#password", goodPassword)
	v.tab.Click(v.t, "button.primary")
	v.tab.Wait(v.t, ".bar")
}

// TestDeskInTheBrowser looks at every page of the desk as administrators do.
// One Chromium serves all parts; a page needs no more than a row in the table.
func TestDeskInTheBrowser(t *testing.T) {
	d := newDesk(t, withSES)
	d.quick()
	d.user("root@example.com", store.RoleAdmin, goodPassword)
	d.fill()
	d.story()
	d.fillQueues("user unknown", "mailgun", "It matches when the URL is taken with http instead of https: set public_url, or this endpoint's url, to exactly what is entered at the provider.")
	v := &visited{desk: d, base: d.serve(), tab: browsertest.Start(t).Tab(t)}
	t.Run("signed out", func(t *testing.T) { v.look(t, "/admin/login", "/admin/nothing") })
	v.signIn("root@example.com")
	t.Run("every page", func(t *testing.T) {
		var paths []string
		for _, r := range d.table {
			if path := concrete(r); !changes(r.method) && !strings.Contains(path, "/oidc/") && !strings.HasPrefix(path, "/admin/assets/") && !r.slow {
				paths = append(paths, path)
			}
		}
		phone := addressPath(recipient.SMS, storetest.Keyer().Key(recipient.Stored(recipient.SMS, "+358401234567")))
		v.look(t, append(paths, "/admin/contacts?flag=blocked", "/admin/contacts?flag=soft_bouncing", "/admin/contacts/2", phone, phone+"/opt-in?contact=1", "/admin/endpoints/acme", "/admin/quarantine/3", "/admin/requests?all=1",
			"/admin/unblock?endpoint=acme&from=2026-11-24T00:00&to=2026-11-25T00:00", "/admin/unblock?endpoint=acme")...)
	})
	t.Run("what is wrong is said", func(t *testing.T) { v.mistakes(t) })
	t.Run("strikeouts", func(t *testing.T) { v.strikeouts(t) })
	t.Run("keyboard", func(t *testing.T) { v.keyboard(t) })
	t.Run("pictures", func(t *testing.T) { v.pictures(t) })
}

// story adds a contact of whom much happened: the history has every kind of
// line, and addresses as long as they get.
func (d *desk) story() {
	d.t.Helper()
	mikko, phone := mail("mikko.virtanen.with.a.very.long.name.that.does.not.fit@department-of-very-long-names.example.com"), recipient.Stored(recipient.SMS, "+358409876543")
	d.put(store.Contact{ExternalID: "customer-0815", Name: "Mikko Virtanen", Language: "fi-FI", Email: mikko, Phone: phone})
	d.put(store.Contact{ExternalID: "customer-0816", Name: "Liisa Virtanen", Email: mikko})
	at := func(h int) time.Time { return noon.Add(time.Duration(h-200) * time.Hour) }
	for i, e := range []recipient.Event{
		{Kind: recipient.Delivered}, {Kind: recipient.SoftBounce, Code: "4.2.2", Detail: "452 4.2.2 mailbox full", Rule: "ses-transient"}, {Kind: recipient.Complaint, Code: "abuse"},
		{Kind: recipient.Reactivation}, {Kind: recipient.HardBounce, Code: "5.1.1", Detail: "smtp; 550 5.1.1 user unknown", Rule: "ses-permanent", MessageID: "0102018f-0000"},
		{Kind: recipient.HardBounce, Echo: true, Code: "OnAccountSuppressionList", Rule: "ses-permanent"},
	} {
		e.Address, e.At = mikko, at(i)
		d.report(e)
	}
	key := storetest.Keyer().Key(mikko)
	for _, a := range []store.Act{
		{Kind: recipient.Unblock, Channel: recipient.Email, Key: key, Reason: "he called: the mailbox works again"},
		{Kind: recipient.OptIn, Channel: recipient.Email, Key: key, Evidence: recipient.Evidence{Consent: &recipient.Consent{Source: "phone call", Wording: "Yes, send me your letters again.", At: at(50), Evidence: "call 4711"}}},
		{Kind: recipient.Block, Channel: recipient.SMS, Key: storetest.Keyer().Key(phone), Reason: "belongs to somebody else now"},
	} {
		a.Source, a.Actor, a.By = recipient.FromAdmin, "anna@example.com", store.By{Actor: "anna@example.com"}
		if _, err := d.db.Act(d.t.Context(), a); err != nil {
			d.t.Fatal(err)
		}
	}
	if _, err := d.db.Click(d.t.Context(), store.Click{Channel: recipient.SMS, Key: storetest.Keyer().Key(phone), TokenID: "t", SendOut: "autumn",
		Evidence: recipient.Evidence{Via: "form", Language: "fi", Wording: "Stop text messages", KeyID: "k1"}}); err != nil {
		d.t.Fatal(err)
	}
	d.now = d.now.Add(time.Hour)
	d.report(recipient.Event{Kind: recipient.HardBounce, Address: mikko, Code: "5.1.1", Detail: "smtp; 550 5.1.1 user unknown", Rule: "ses-permanent"})
}

// look opens pages in light and dark colours, wide and at 360 and 320 pixels.
func (v *visited) look(t *testing.T, paths ...string) {
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			v.tab.Open(t, v.base+path, browsertest.Viewport(1280, 900, 1), browsertest.Scheme(false))
			v.examine(t)
		})
	}
}

func (v *visited) examine(t *testing.T) {
	t.Helper()
	v.tab.CheckAxe(t, "light")
	v.tab.Do(t, browsertest.Scheme(true))
	v.tab.CheckColours(t, "dark")
	for _, width := range []int64{360, 320} {
		v.tab.Do(t, browsertest.Viewport(width, 640, 1))
		v.tab.CheckFits(t, "narrow")
	}
	v.tab.Do(t, browsertest.Viewport(1280, 900, 1), browsertest.Scheme(false))
}

// mistakes: a form that is refused says what is wrong, beside the field.
func (v *visited) mistakes(t *testing.T) {
	v.tab.Open(t, v.base+"/admin/contacts/new")
	v.tab.Fill(t, "#email", "nobody")
	v.tab.Click(t, "main button.primary")
	v.tab.Wait(t, "#email-wrong")
	v.examine(t)
	v.tab.Fill(t, "#email", "nobody@example.com")
	v.tab.Click(t, "main button.primary")
	v.tab.Wait(t, "input[name=accept_shared]")
	v.examine(t)
	v.tab.Open(t, v.base+addressPath(recipient.Email, keyOf("nobody@example.com"))+"/opt-in")
	v.tab.Fill(t, "#consent_source", "letter")
	v.tab.Fill(t, "#consent_wording", "yes")
	v.tab.Fill(t, "#consent_evidence", "file 1")
	v.tab.Fill(t, "#consent_date", "2099-01-01")
	v.tab.Click(t, "main button.primary")
	v.tab.Wait(t, "#date-wrong")
	v.examine(t)
	v.tab.Open(t, v.base+"/admin/contacts")
	v.tab.Fill(t, "#q", "never@example.com")
	v.tab.Click(t, "main button.primary")
	v.tab.Wait(t, "#unknown")
	v.examine(t)
}

// strikeouts: red when blocked, black when opted out, red when both; each with
// words beside it.
func (v *visited) strikeouts(t *testing.T) {
	const red, black = "rgb(179, 18, 28)", "rgb(26, 34, 48)"
	both := mail("both@example.com")
	v.put(store.Contact{ExternalID: "both", Name: "Both", Email: both})
	v.report(recipient.Event{Kind: recipient.HardBounce, Address: both, Detail: "user unknown"})
	v.report(recipient.Event{Kind: recipient.Complaint, Address: both})
	v.put(store.Contact{ExternalID: "fine", Name: "Fine", Email: mail("fine@example.com")})
	for _, tt := range []struct{ id, selector, colour, line, words string }{
		{"c-1", "#email-address", red, "line-through", "Blocked: the mailbox does not exist."},
		{"c-1", "#phone-address", black, "line-through", "Opted out: wrote a stop word."},
		{"both", "#email-address", red, "line-through", "Opted out: reported a message as spam."},
		{"fine", "#email-address", black, "none", ""},
	} {
		ct, err := v.db.Contact(t.Context(), tt.id)
		if err != nil {
			t.Fatal(err)
		}
		v.tab.Open(t, v.base+contactPath(ct.ID))
		selector := strings.ReplaceAll(tt.selector, "#phone", "#sms") + " .address"
		colour, line := v.tab.Style(t, selector, "color"), v.tab.Style(t, selector, "text-decoration-line")
		if colour != tt.colour || line != tt.line || line != "none" && v.tab.Style(t, selector, "text-decoration-color") != tt.colour {
			t.Errorf("%s %s: got %s, %s; want %s, %s", tt.id, tt.selector, colour, line, tt.colour, tt.line)
		}
		if got := v.tab.Text(t, "main"); !strings.Contains(got, tt.words) {
			t.Errorf("%s: lacks %q", tt.id, tt.words)
		}
	}
}

// keyboard: with scripts off and without a mouse, somebody finds a contact,
// removes a block, and is told so.
func (v *visited) keyboard(t *testing.T) {
	v.put(store.Contact{ExternalID: "keys", Name: "Keyboard", Email: mail("keys@example.com")})
	v.report(recipient.Event{Kind: recipient.HardBounce, Address: mail("keys@example.com"), Detail: "user unknown"})
	v.tab.Open(t, v.base+"/admin/contacts", browsertest.Viewport(360, 640, 1))
	v.tab.TabTo(t, "Name, e-mail address, phone number or external id")
	v.tab.Leave(t, func() { v.tab.Press(t, "keyboard", "\r") })
	v.tab.Wait(t, `[role=region] th a`)
	v.tab.TabTo(t, "Keyboard")
	v.tab.Press(t, "\r")
	v.tab.Wait(t, "#email-address")
	v.tab.TabToElement(t, `a[href*="/unblock"]`)
	v.tab.Press(t, "\r")
	v.tab.Wait(t, "#reason")
	v.tab.TabTo(t, "Reason")
	v.tab.Press(t, "she called", "\r")
	v.tab.Wait(t, "[role=status]")
	if got := v.tab.Text(t, "[role=status]"); !strings.HasPrefix(got, "The block of the e-mail address was removed.") {
		t.Errorf("got %q", got)
	}
	v.tab.TabTo(t, "Opted out: no messages to this e-mail address")
	v.tab.Press(t, " ")
	v.tab.TabToElement(t, "form.tick button")
	v.tab.Press(t, " ")
	v.tab.Wait(t, "s.opted-out")
	if s := v.state(mail("keys@example.com")); s.Blocked() || !s.OptedOut() {
		t.Errorf("got %+v", s)
	}
}

// pictures keeps those of docs/desk.md: -update draws them anew.
func (v *visited) pictures(t *testing.T) {
	for name, p := range map[string]struct {
		path          string
		width, height int64
		scroll        string
	}{
		"desk-overview": {"/admin", 1100, 900, ""},
		"desk-contacts": {"/admin/contacts?flag=blocked", 1000, 520, ""},
		"desk-card":     {"/admin/contacts/1", 1000, 900, ""},
		"desk-unblock":  {addressPath(recipient.Email, keyOf("nobody@example.com")) + "/unblock?contact=1", 1000, 960, ""},
		"desk-history":  {"/admin/contacts/2", 1000, 900, "#history"},
		"desk-consent":  {addressPath(recipient.Email, keyOf("nobody@example.com")) + "/opt-in?contact=1", 1000, 800, ""},
	} {
		file := filepath.Join("..", "..", "docs", "images", name+".png")
		if *update {
			v.tab.Open(t, v.base+p.path+p.scroll, browsertest.Viewport(p.width, p.height, 1), browsertest.Scheme(false))
			if err := os.WriteFile(file, v.tab.Screenshot(t), 0o644); err != nil { //nolint:gosec // a public picture
				t.Fatal(err)
			}
		}
		png, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(png), "\x89PNG") || len(png) > 150<<10 {
			t.Errorf("%s: got %d bytes, want a PNG of at most 150 KiB", name, len(png))
		}
	}
}
