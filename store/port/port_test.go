package port_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
	"github.com/strikeout/strikeout/store/storetest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// bench is a database and what imports need.
type bench struct {
	t   *testing.T
	db  *store.DB
	now time.Time
}

// each runs f on both databases.
func each(t *testing.T, f func(b *bench)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		b := &bench{t: t, now: noon}
		b.db = open(store.Config{Now: func() time.Time { return b.now }})
		f(b)
	})
}

func (b *bench) config(change ...func(*port.Config)) port.Config {
	c := port.Config{Store: b.db, Keyer: storetest.Keyer(), Actor: "anna", Now: func() time.Time { return b.now }, Region: "FI"}
	for _, f := range change {
		f(&c)
	}
	return c
}

// list imports a list and returns the rejects as well.
func (b *bench) list(in string, change ...func(*port.Config)) (port.Summary, string) {
	b.t.Helper()
	var bad bytes.Buffer
	c := b.config(change...)
	c.Rejects = &bad
	s, err := port.Import(b.t.Context(), strings.NewReader(in), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return s, bad.String()
}

func suppressions(c *port.Config) { c.Kind = port.Suppressions }
func dryRun(c *port.Config)       { c.DryRun = true }

func address(t testing.TB, s string) recipient.Address {
	t.Helper()
	channel := recipient.Email
	if !strings.Contains(s, "@") {
		channel = recipient.SMS
	}
	a, err := recipient.Parse(channel, s, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) state(s string) recipient.State {
	b.t.Helper()
	r, err := b.db.Recipient(b.t.Context(), storetest.Keyer().Key(address(b.t, s)))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.t.Fatal(err)
	}
	return r.State
}

func (b *bench) act(kind recipient.Kind, s string) {
	b.t.Helper()
	a := address(b.t, s)
	act := store.Act{Kind: kind, Channel: a.Channel(), Address: a, Key: storetest.Keyer().Key(a), Source: recipient.FromAdmin, Actor: "anna"}
	if kind == recipient.OptIn {
		act.Evidence.Consent = &recipient.Consent{Source: "phone", Wording: "yes"}
	}
	if _, err := b.db.Act(b.t.Context(), act); err != nil {
		b.t.Fatal(err)
	}
}

// What is known to be true of every list, whoever wrote it.
func (b *bench) clean() {
	b.t.Helper()
	r, err := b.db.Fsck(b.t.Context(), store.FsckOptions{})
	if err != nil || r.Different != 0 {
		b.t.Errorf("the states are not the fold of the events: %+v, %v", r.Differences, err)
	}
}

// A list never overrides what a person did later, and an undated one nothing that
// a person did at all. Whatever is in it stays in the history.
func TestListsLoseToPeople(t *testing.T) {
	each(t, func(b *bench) {
		for _, a := range []string{"unblocked@example.com", "in@example.com"} {
			b.act(map[bool]recipient.Kind{true: recipient.Block, false: recipient.OptOut}[a[0] == 'u'], a)
		}
		b.now = noon.Add(time.Minute)
		b.act(recipient.Unblock, "unblocked@example.com")
		b.act(recipient.OptIn, "in@example.com")
		b.now = noon.Add(48 * time.Hour)
		for name, list := range map[string]string{
			"undated":     "email,kind\nunblocked@example.com,hard_bounce\nin@example.com,opt_out\nnew@example.com,opt_out\n",
			"unreadable":  "email,kind,date\nunblocked@example.com,hard_bounce,04/05/2026\nin@example.com,opt_out,soon\n",
			"older":       "email,kind,date\nunblocked@example.com,hard_bounce,2026-11-24\nin@example.com,opt_out,2026-11-24T12:00:30Z\n",
			"some zero":   "email,kind,date\nunblocked@example.com,hard_bounce,1970-01-01\nin@example.com,opt_out,0001-01-01T00:00:00Z\n",
			"before then": "email,kind\nunblocked@example.com,hard_bounce\nin@example.com,complaint\n",
		} {
			s, bad := b.list(list, suppressions, func(c *port.Config) {
				if name == "before then" {
					c.ListedAt = noon
				}
			})
			if s.Outweighed != 2 || bad != "" || s.Blocked != 0 || name != "undated" && s.OptedOut != 0 {
				b.t.Errorf("%s: got %+v, rejects %q", name, s, bad)
			}
			if b.state("unblocked@example.com").Blocked() || b.state("in@example.com").OptedOut() {
				b.t.Fatalf("%s: a list overrides a person", name)
			}
		}
		if s := b.state("new@example.com"); !s.OptedOut() || !s.OptedOutAt.Equal(recipient.EchoAt) {
			b.t.Errorf("an address that nobody knew: got %+v", s)
		}
		// What happened later counts.
		s, _ := b.list("email,kind,date\nunblocked@example.com,hard_bounce,2026-11-25\nin@example.com,opt_out,2099-01-01\n", suppressions)
		if s.Blocked != 1 || s.OptedOut != 1 || !b.state("in@example.com").OptedOutAt.Equal(b.now) {
			b.t.Errorf("later: got %+v, %+v", s, b.state("in@example.com"))
		}
		b.clean()
	})
}

// The same list again changes nothing, also where a person acted in between and
// where the list has a date in the future.
func TestAgain(t *testing.T) {
	each(t, func(b *bench) {
		list := "email,phone,kind,date\na@example.com,,hard_bounce,2026-11-23\nb@example.com,0401234567,opt_out,\nc@example.com,,complaint,2030-01-01\na@example.com,,hard_bounce,2026-11-23\n"
		plan, _ := b.list(list, dryRun)
		if b.state("a@example.com") != (recipient.State{}) {
			b.t.Fatal("a dry run changes something")
		}
		first, bad := b.list(list)
		plan.DryRun = false
		if d := cmp.Diff(plan, first); d != "" || bad != "" {
			b.t.Errorf("(-planned +done):\n%s%s", d, bad)
		}
		if first.Blocked != 1 || first.OptedOut != 3 || first.Events != 4 || first.Known != 1 || first.Undated != 2 {
			b.t.Errorf("got %+v", first)
		}
		b.now = noon.Add(time.Hour)
		b.act(recipient.Unblock, "a@example.com")
		b.act(recipient.OptIn, "c@example.com")
		b.act(recipient.OptIn, "+358401234567")
		b.now = noon.Add(2 * time.Hour)
		again, _ := b.list(list)
		if again.Events != 0 || again.Known != 5 || again.Blocked+again.OptedOut != 0 {
			b.t.Errorf("again: got %+v", again)
		}
		if b.state("a@example.com").Blocked() || b.state("c@example.com").OptedOut() || b.state("+358401234567").OptedOut() || !b.state("b@example.com").OptedOut() {
			b.t.Error("the second import undoes what people did")
		}
		b.clean()
	})
}

func TestContactLists(t *testing.T) {
	each(t, func(b *bench) {
		ctx := b.t.Context()
		list := "id;Etunimi;Sukunimi;Kieli;Sähköposti;Puhelin\r\n1;Änna;Öhman;fi_FI;Anna@Example.com;040 123 4567\r\n2;Bob;;;bob@example.com;\r\n3;Carl;;;anna@example.com;\r\n;Nobody;;;x@example.com;\r\n5;E;;;;\r\n"
		plan, planBad := b.list(list, dryRun)
		s, bad := b.list(list)
		plan.DryRun = false
		if d := cmp.Diff(plan, s); d != "" || bad != planBad {
			b.t.Errorf("(-planned +done):\n%s\n%s\n%s", d, planBad, bad)
		}
		want := "line;reason;id;Etunimi;Sukunimi;Kieli;Sähköposti;Puhelin\r\n4;\"the e-mail address belongs to another contact; accept shared addresses, or give it to one of them\";3;Carl;;;anna@example.com;\r\n" +
			"5;the id must be 1 to 191 bytes of plain text;;Nobody;;;x@example.com;\r\n6;no address;5;E;;;;\r\n"
		if s.Created != 2 || s.Rejected != 3 || s.Rows != 5 || bad != want {
			b.t.Errorf("got %+v\n%s", s, bad)
		}
		c, err := b.db.Contact(ctx, "1")
		if err != nil || c.Name != "Änna Öhman" || c.Language != "fi-FI" || c.Email.Value() != "anna@example.com" || c.Phone.Value() != "+358401234567" {
			b.t.Errorf("got %+v, %v", c, err)
		}
		if found, _, err := b.db.Contacts(ctx, store.ContactQuery{Q: "öhman"}); err != nil || len(found) != 1 {
			b.t.Errorf("search: got %+v, %v", found, err)
		}
		if s, _ = b.list(list); s.Created+s.Changed != 0 || s.Unchanged != 2 {
			b.t.Errorf("again: got %+v", s)
		}
		if s, bad = b.list(list, func(c *port.Config) { c.AcceptShared = true }); s.Created != 1 || s.Rejected != 2 {
			b.t.Errorf("shared: got %+v\n%s", s, bad)
		}
		// An empty cell and a missing column change nothing. A new address takes the
		// opt-out along, as ever.
		b.act(recipient.OptOut, "bob@example.com")
		move := "id,name,email\n1,,\n2,Robert,rob@example.com\n2,Roberto,rob@example.com\n1,Ann,anna@example.com\n"
		plan, _ = b.list(move, dryRun)
		if plan.Carried == 0 || plan.Changed < 2 {
			b.t.Errorf("planned: %+v", plan)
		}
		s, bad = b.list(move)
		if s.Changed != 3 || s.Carried != 1 || s.Rejected != 1 {
			b.t.Errorf("moved: got %+v\n%s", s, bad)
		}
		if c, err = b.db.Contact(ctx, "1"); err != nil || c.Name != "Ann" || c.Phone.Value() != "+358401234567" {
			b.t.Errorf("got %+v, %v", c, err)
		}
		if c, err = b.db.Contact(ctx, "2"); err != nil || c.Name != "Roberto" || !b.state("rob@example.com").OptedOut() {
			b.t.Errorf("got %+v, %v", c, err)
		}
		if found, _, err := b.db.Contacts(ctx, store.ContactQuery{Q: "änna"}); err != nil || len(found) != 0 {
			b.t.Errorf("an old name is still found: %+v, %v", found, err)
		}
		b.clean()
	})
}

// Somebody without an id gets one that shows no address, and is not added twice.
func TestContactsWithoutIDs(t *testing.T) {
	each(t, func(b *bench) {
		b.list("id,email\nx,a@example.com\n")
		list := "name,email\nAnna,a@example.com\nBob,b@example.com\n"
		contacts := func(c *port.Config) { c.Kind = port.Contacts }
		s, bad := b.list(list, contacts)
		if s.Created != 1 || s.Unchanged != 1 || bad != "" {
			b.t.Errorf("got %+v\n%s", s, bad)
		}
		if s, _ = b.list(list, contacts); s.Created != 0 || s.Unchanged != 2 {
			b.t.Errorf("again: got %+v", s)
		}
		found, _, err := b.db.Contacts(b.t.Context(), store.ContactQuery{Q: "bob"})
		if err != nil || len(found) != 1 || strings.Contains(found[0].ExternalID, "@") {
			b.t.Errorf("got %+v, %v", found, err)
		}
	})
}

// Only consent opts in, and only dated consent lifts something older.
func TestConsent(t *testing.T) {
	each(t, func(b *bench) {
		for _, a := range []string{"late@example.com", "early@example.com", "undated@example.com", "none@example.com", "complained@example.com"} {
			b.act(recipient.OptOut, a)
		}
		b.list("email,kind,date\ncomplained@example.com,complaint,2026-11-24\n")
		b.now = noon.Add(48 * time.Hour)
		list := "id,email,phone,opted_in,consent_source,consent_wording,consent_at,consent_channel\n" +
			"1,late@example.com,,yes,web form,I want news,2026-11-25T00:00:00Z,\n" +
			"2,early@example.com,,yes,web form,I want news,2026-11-23,\n" +
			"3,undated@example.com,,yes,web form,I want news,,\n" +
			"4,none@example.com,,yes,,,,\n" +
			"5,half@example.com,,,web form,,,\n" +
			"6,when@example.com,,,web form,I want news,13/13/2026,\n" +
			"7,both@example.com,+358401234567,,web form,I want news,2026-11-25,\n" +
			"8,fresh@example.com,+358401234568,,web form,I want news,,sms\n" +
			"9,complained@example.com,,,web form,I want news,2026-11-25,\n" +
			"10,late@example.com,,,web form,I want news,2026-11-26,\n"
		plan, _ := b.list(list, dryRun)
		s, bad := b.list(list)
		plan.DryRun = false
		if d := cmp.Diff(plan, s); d != "" {
			b.t.Errorf("(-planned +done):\n%s", d)
		}
		if s.OptedIn != 2 || s.Outweighed != 1 || s.Rejected != 5 {
			b.t.Errorf("got %+v\n%s", s, bad)
		}
		for a, want := range map[string]bool{"late@example.com": false, "early@example.com": true, "undated@example.com": true, "none@example.com": true, "complained@example.com": false} {
			if got := b.state(a).OptedOut(); got != want {
				b.t.Errorf("%s: opted out %v, want %v", a, got, want)
			}
		}
		if b.state("fresh@example.com") != (recipient.State{}) || b.state("+358401234568").OptedInAt.IsZero() {
			b.t.Error("consent for one channel counts for another")
		}
		events, _, err := b.db.History(b.t.Context(), storetest.Keyer().Key(address(b.t, "late@example.com")), 1, "")
		if err != nil || len(events) != 1 || events[0].Evidence.Consent == nil || events[0].Evidence.Consent.Wording != "I want news" {
			b.t.Errorf("got %+v, %v", events, err)
		}
		// Whoever opts out again stays out, however often the list comes.
		b.now = noon.Add(72 * time.Hour)
		b.act(recipient.OptOut, "late@example.com")
		b.act(recipient.OptOut, "+358401234568")
		if s, _ = b.list(list); s.OptedIn != 0 || !b.state("late@example.com").OptedOut() || !b.state("+358401234568").OptedOut() {
			b.t.Errorf("again: got %+v", s)
		}
		b.clean()
	})
}

// Nobody knows whether consent without a date is older than an opt-out. So it
// loses to all of them, whichever list comes first.
func TestUndatedConsentLosesInEveryOrder(t *testing.T) {
	contacts := "id,email,consent_source,consent_wording\n1,undated@example.com,web form,yes\n2,dated@example.com,web form,yes\n3,bounced@example.com,web form,yes\n4,free@example.com,web form,yes\n"
	suppressed := "email,kind,date\nundated@example.com,unsubscribed,\ndated@example.com,unsubscribed,2020-05-01\nbounced@example.com,bounce,\n"
	each(t, func(b *bench) {
		for _, lists := range [][]string{{contacts, suppressed}, {suppressed, contacts}} {
			for _, list := range lists {
				b.now = b.now.Add(time.Hour)
				b.list(list)
			}
			for a, want := range map[string][2]bool{"undated@example.com": {true, false}, "dated@example.com": {true, false}, "bounced@example.com": {false, true}, "free@example.com": {false, false}} {
				if s := b.state(a); s.OptedOut() != want[0] || s.Blocked() != want[1] {
					b.t.Errorf("%s: opted out %v, blocked %v, want %v", a, s.OptedOut(), s.Blocked(), want)
				}
			}
		}
		key := storetest.Keyer().Key(address(b.t, "free@example.com"))
		events, _, err := b.db.History(b.t.Context(), key, 1, "")
		if err != nil || len(events) != 1 || !events[0].Echo || events[0].Evidence.Consent == nil {
			b.t.Errorf("the consent is not kept: %+v, %v", events, err)
		}
		b.clean()
	})
}

// Consent of the day after tomorrow would count as of now and lift what came
// since it was given, if ever it was.
func TestConsentOfTheFuture(t *testing.T) {
	each(t, func(b *bench) {
		b.act(recipient.OptOut, "a@example.com")
		b.now = noon.Add(time.Hour)
		s, bad := b.list("id,email,consent_source,consent_wording,consent_at\n1,a@example.com,web form,yes," + noon.Add(48*time.Hour).Format(time.RFC3339) + "\n")
		if s.Rejected != 1 || s.OptedIn != 0 || !strings.Contains(bad, "future") || !b.state("a@example.com").OptedOut() {
			b.t.Errorf("got %+v\n%s", s, bad)
		}
	})
}

// Somebody who was erased does not come back by a list, but the suppression
// holds; consent since then makes the address readable again.
func TestErased(t *testing.T) {
	each(t, func(b *bench) {
		ctx := b.t.Context()
		b.list("email,kind,date\na@example.com,hard_bounce,2026-11-20\n")
		key := storetest.Keyer().Key(address(b.t, "a@example.com"))
		if err := b.db.Erase(ctx, key, store.By{Actor: "anna"}); err != nil {
			b.t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := port.Export(ctx, &out, b.db, port.Suppressions, nil); err != nil || strings.Contains(out.String(), "a@example.com") || strings.Count(out.String(), "\n") != 2 {
			b.t.Errorf("export: %q, %v", out.String(), err)
		}
		b.now = noon.Add(time.Hour)
		s, bad := b.list("id,email\n1,a@example.com\n")
		if c, err := b.db.Contact(ctx, "1"); err != nil || !c.Email.IsZero() || c.EmailKey != key || s.Created != 1 {
			b.t.Errorf("got %+v, %v, %+v %s", c, err, s, bad)
		}
		b.list("email,kind\na@example.com,opt_out\n")
		if r, err := b.db.Recipient(ctx, key); err != nil || !r.Address.IsZero() || !r.State.Blocked() || !r.State.OptedOut() {
			b.t.Errorf("got %+v, %v", r, err)
		}
		b.now = noon.Add(2 * time.Hour)
		b.list("id,email,consent_source,consent_wording,consent_at\n2,a@example.com,web form,yes,2026-11-24T13:30:00Z\n", func(c *port.Config) { c.AcceptShared = true })
		if r, err := b.db.Recipient(ctx, key); err != nil || r.Address.Value() != "a@example.com" || !r.State.Blocked() {
			b.t.Errorf("got %+v, %v", r, err)
		}
		b.clean()
	})
}

// failing breaks off in the middle of a list.
type failing struct {
	io.Reader
	cancel context.CancelFunc
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil {
		f.cancel()
		return n, errors.New("the line broke")
	}
	return n, err
}

func TestInterrupted(t *testing.T) {
	each(t, func(b *bench) {
		var list strings.Builder
		list.WriteString("id,email,kind,date\n")
		for i := range 12_000 {
			fmt.Fprintf(&list, "%d,p%d@example.com,%s,2026-11-20\n", i, i, []string{"active", "hard_bounce", "opt_out"}[i%3])
		}
		contacts := func(c *port.Config) { c.Kind = port.Contacts }
		for _, cut := range []int{300_000, 330_000} {
			ctx, cancel := context.WithCancel(b.t.Context())
			if cut != 300_000 {
				cancel = func() {}
			}
			_, err := port.Import(ctx, failing{strings.NewReader(list.String()[:cut]), cancel}, b.config(contacts))
			cancel()
			if err == nil {
				b.t.Fatal("an import that broke off says nothing")
			}
		}
		s, bad := b.list(list.String(), contacts)
		if s.Created == 0 || s.Unchanged == 0 || s.Created+s.Unchanged != 12_000 || s.Events+s.Known != 8000 || s.Known == 0 || bad != "" {
			b.t.Errorf("got %+v %s", s, bad)
		}
		if s, _ = b.list(list.String(), contacts); s.Unchanged != 12_000 || s.Known != 8000 {
			b.t.Errorf("again: got %+v", s)
		}
		b.clean()
	})
}

// Two replicas that import the same list at once end as one does.
func TestTwoAtOnce(t *testing.T) {
	each(t, func(b *bench) {
		const n = 4000
		var list strings.Builder
		list.WriteString("id,name,email,status,date\n")
		for i := range n {
			fmt.Fprintf(&list, "%d,Anna %d,p%d@example.com,%s,2026-11-20\n", i*7919%n, i, i*7919%n, []string{"active", "unsubscribed"}[i%2])
		}
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := port.Import(b.t.Context(), strings.NewReader(list.String()), b.config())
				errs <- err
			}()
		}
		for range 2 {
			if err := <-errs; err != nil {
				b.t.Error(err)
			}
		}
		s, bad := b.list(list.String())
		if s.Unchanged != n || s.Known != n/2 || bad != "" {
			b.t.Errorf("got %+v %.200s", s, bad)
		}
		if found, _, err := b.db.Contacts(b.t.Context(), store.ContactQuery{Q: "anna 17"}); err != nil || len(found) == 0 {
			b.t.Errorf("got %+v, %v", found, err)
		}
		b.clean()
	})
}

// away is a store that cannot be reached for some calls.
type away struct {
	port.Store
	calls *int
}

func (a away) Record(ctx context.Context, events []recipient.Event) (store.Recorded, error) {
	if *a.calls++; *a.calls < 3 {
		return store.Recorded{}, store.ErrUnavailable
	}
	return a.Store.Record(ctx, events)
}

func TestAway(t *testing.T) {
	db := storetest.Open(t, store.Config{URL: storetest.SQLite(t)})
	b := &bench{t: t, db: db, now: noon}
	calls := 0
	s, _ := b.list("email,kind\na@example.com,opt_out\n", func(c *port.Config) { c.Store = away{db, &calls} })
	if s.Events != 1 || calls != 3 {
		t.Errorf("got %+v after %d calls", s, calls)
	}
	calls = -1 << 30
	_, err := port.Import(t.Context(), strings.NewReader("email,kind\na@example.com,opt_out\n"), b.config(func(c *port.Config) { c.Store, c.Patience = away{db, &calls}, time.Nanosecond }))
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// An export is safe in a spreadsheet and comes back as it was.
func TestRoundTrip(t *testing.T) {
	each(t, func(b *bench) {
		ctx := b.t.Context()
		b.list("id,name,email,phone\n=1+1,\"=cmd|'/C calc'!A0\",+tag@example.com,+358401234567\n2,@SUM(A1),-x@example.com,\n3,'quoted,q@example.com,\n")
		b.list("email,kind,date\n+tag@example.com,hard_bounce,2026-11-20\n-x@example.com,complaint,2026-11-21\nq@example.com,opt_out,\ngone@example.com,opt_out,2026-11-22\n")
		b.act(recipient.OptOut, "+358401234567")
		if err := b.db.Erase(ctx, storetest.Keyer().Key(address(b.t, "gone@example.com")), store.By{Actor: "anna"}); err != nil {
			b.t.Fatal(err)
		}
		export := func(db *store.DB, what port.Kind) string {
			var out bytes.Buffer
			if _, err := port.Export(ctx, &out, db, what, nil); err != nil {
				b.t.Fatal(err)
			}
			rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
			if err != nil {
				b.t.Fatal(err)
			}
			for _, r := range rows {
				for _, v := range r {
					if v != "" && strings.ContainsRune("=-@\t\r\n", rune(v[0])) || strings.HasPrefix(v, "+") && v != "+358401234567" {
						b.t.Errorf("a formula: %q", v)
					}
				}
			}
			return out.String()
		}
		contacts, suppressed := export(b.db, port.Contacts), export(b.db, port.Suppressions)
		other := &bench{t: b.t, db: storetest.Open(b.t, store.Config{URL: storetest.SQLite(b.t), Now: func() time.Time { return noon }}), now: noon}
		s, bad := other.list(contacts)
		if s.Format != "strikeout_contacts" || s.Created != 3 || bad != "" {
			b.t.Errorf("contacts: got %+v\n%s", s, bad)
		}
		s, bad = other.list(suppressed)
		if s.Format != "strikeout_suppressions" || s.Events != 5 || bad != "" {
			b.t.Errorf("suppressions: got %+v\n%s", s, bad)
		}
		if got := export(other.db, port.Suppressions); got != suppressed {
			b.t.Errorf("suppressions: got\n%s\nwant\n%s", got, suppressed)
		}
		if c, err := other.db.Contact(ctx, "=1+1"); err != nil || c.Name != "=cmd|'/C calc'!A0" || c.Email.Value() != "+tag@example.com" {
			b.t.Errorf("got %+v, %v", c, err)
		}
		if !other.state("gone@example.com").OptedOut() {
			b.t.Error("the suppression of somebody who was erased is lost")
		}
		// Under another address key the keys of the list say nothing.
		strange, err := recipient.NewKeyer([]byte("another address key of 32 bytes or more"))
		if err != nil {
			b.t.Fatal(err)
		}
		third := storetest.Open(b.t, store.Config{URL: storetest.SQLite(b.t), Keyer: strange})
		s, err = port.Import(ctx, strings.NewReader(suppressed), port.Config{Store: third, Keyer: strange})
		if err != nil || s.Events != 4 || s.Rejected != 1 {
			b.t.Errorf("another installation: got %+v, %v", s, err)
		}
	})
}

func TestExportPages(t *testing.T) {
	each(t, func(b *bench) {
		var list strings.Builder
		list.WriteString("id,email,kind\n")
		const n = 2500
		for i := range n {
			fmt.Fprintf(&list, "%d,p%d@example.com,unsubscribed\n", i, i)
		}
		b.list(list.String())
		for _, what := range []port.Kind{port.Contacts, port.Suppressions} {
			pages, seen := 0, map[string]bool{}
			var out bytes.Buffer
			rows, err := port.Export(b.t.Context(), &out, b.db, what, func(int) error { pages++; return nil })
			if err != nil || rows != n || pages != 3 {
				b.t.Errorf("%s: %d rows on %d pages, %v", what, rows, pages, err)
			}
			for _, a := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == ',' || r == '\n' }) {
				if strings.Contains(a, "@") {
					seen[a] = true
				}
			}
			if len(seen) != n {
				b.t.Errorf("%s: %d addresses", what, len(seen))
			}
		}
		if _, err := port.Export(b.t.Context(), io.Discard, b.db, "x", nil); err == nil {
			b.t.Error("anything is exported")
		}
	})
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{"email,kind\na@example.com,unsub\n", "id,email,consent_source,consent_wording,consent_at\n1,a@example.com,x,y,2026-01-01\n", "\"", "channel,address,recipient_key,blocked,blocked_at,opted_out,opted_out_at,complained_at\nemail,,00,true,,true,,\n"} {
		f.Add(s)
	}
	db, err := store.Open(f.Context(), store.Config{URL: storetest.SQLite(f), Keyer: storetest.Keyer()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c := port.Config{Store: db, Keyer: storetest.Keyer(), Kind: port.Contacts, DryRun: true, Rejects: io.Discard}
		_, err := port.Import(t.Context(), strings.NewReader(in), c)
		var list *port.ListError
		if err != nil && !errors.As(err, &list) {
			t.Fatal(err)
		}
	})
}

// The states of the next part of a list are read while this one is written; who
// stands in every part of it counts once.
func TestLongListCountsEachOnce(t *testing.T) {
	each(t, func(b *bench) {
		var list strings.Builder
		list.WriteString("email,kind,date,reason\n")
		const rows, people = 600, 3
		for i := range rows { // more than three parts
			fmt.Fprintf(&list, "p%d@example.com,%s,2026-11-24T00:%02d:%02dZ,%s\n", i%people, [...]string{"opt_out", "hard_bounce"}[i/people%2], i/60, i%60, strings.Repeat("no such user ", 150))
		}
		s, bad := b.list(list.String())
		if s.Kind != port.Suppressions || s.Events != rows || s.OptedOut != people || s.Blocked != people || bad != "" {
			b.t.Errorf("got %+v\n%s", s, bad)
		}
		if s, _ = b.list(list.String()); s.Known != rows || s.OptedOut != 0 || s.Blocked != 0 {
			b.t.Errorf("again: got %+v", s)
		}
	})
}
