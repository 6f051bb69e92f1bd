package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// rollUp counts until nothing waits.
func rollUp(t testing.TB, db *store.DB) (total int) {
	t.Helper()
	for {
		n, more, err := db.RollUp(t.Context())
		if err != nil {
			t.Fatalf("roll up: %v", err)
		}
		if total += n; !more {
			return total
		}
	}
}

// hard is a hard bounce that was heard of at a time.
func hard(a recipient.Address, endpoint, rule, id string, at time.Time) recipient.Event {
	e := recipient.Event{Kind: recipient.HardBounce, Address: a, Source: recipient.FromProvider, IDParts: []string{id}, Code: "550 5.1.1", Rule: rule, Detail: "user unknown"}
	return keyer.Seal(e, endpoint, at)
}

func TestRollUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		yesterday := noon.Add(-24 * time.Hour)
		events := []recipient.Event{
			report(nth(1), recipient.HardBounce, "1", noon, noon), report(nth(2), recipient.HardBounce, "2", noon, noon),
			report(nth(1), recipient.SoftBounce, "3", yesterday, yesterday), report(nth(3), recipient.Delivered, "4", noon, noon),
			report(email(t, "x@other.example"), recipient.Complaint, "5", noon, noon),
			report(recipient.Stored(recipient.SMS, "+358401234567"), recipient.HardBounce, "6", noon, noon),
		}
		record(t, db, events...)
		record(t, db, events...) // duplicates count for nothing
		act(t, db, recipient.OptOut, nth(9))
		if _, err := store.SQL(db).ExecContext(ctx, "DELETE FROM meta WHERE name = 'rollup'"); err != nil {
			t.Fatal(err)
		}
		if n := rollUp(t, db); n != 7 {
			t.Errorf("counted %d events, want 7", n)
		}
		if n := rollUp(t, db); n != 0 {
			t.Errorf("counted %d events again", n)
		}
		days, err := db.Days(ctx, yesterday, noon)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, d := range days {
			got[fmt.Sprintf("%s %s %s %s", d.Day.Format("01-02"), d.Endpoint, d.Source, d.Kind)] = d.N
		}
		want := map[string]int64{"11-20 acme provider hard_bounce": 3, "11-19 acme provider soft_bounce": 1, "11-20 acme provider delivered": 1, "11-20 acme provider complaint": 1, "11-20  admin opt_out": 1}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("days (-want +got):\n%s", d)
		}
		if only, err := db.Days(ctx, noon, noon); err != nil || len(only) != 4 {
			t.Errorf("one day: got %+v, %v", only, err)
		}
		reasons, err := db.Reasons(ctx, yesterday, noon, recipient.HardBounce, "", 5)
		if err != nil || len(reasons) != 1 || reasons[0].Code != "550 5.1.1" || reasons[0].N != 3 {
			t.Errorf("reasons: got %+v, %v", reasons, err)
		}
		if none, err := db.Reasons(ctx, yesterday, noon, recipient.HardBounce, "other", 5); err != nil || len(none) != 0 {
			t.Errorf("reasons of another endpoint: got %+v, %v", none, err)
		}
		domains, err := db.Domains(ctx, yesterday, noon, recipient.HardBounce, 5)
		if err != nil || len(domains) != 1 || domains[0].Domain != "example.com" || domains[0].N != 2 {
			t.Errorf("domains: got %+v, %v", domains, err)
		}
	})
}

// Several processes count while others write: each event is counted once.
func TestRollUpByMany(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		config := store.Config{Now: now}
		dbs := []*store.DB{open(config), open(config), open(config)}
		const each = 400
		var work sync.WaitGroup
		var writing sync.WaitGroup
		for w := range 2 {
			writing.Go(func() {
				for i := range each {
					e := report(nth(i), recipient.Delivered, fmt.Sprintf("%d-%d", w, i), noon, noon)
					if err := patiently(dbs[w], func() error { _, err := dbs[w].Record(t.Context(), []recipient.Event{e}); return err }); err != nil {
						t.Errorf("record: %v", err)
						return
					}
				}
			})
		}
		done := make(chan struct{})
		for _, db := range dbs {
			work.Go(func() {
				for {
					if err := patiently(db, func() error { _, _, err := db.RollUp(t.Context()); return err }); err != nil {
						t.Errorf("roll up: %v", err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		writing.Wait()
		close(done)
		work.Wait()
		store.ForgetPause(dbs[0]) // on a slow machine it may have given up waiting for the writers
		rollUp(t, dbs[0])
		var at, top int64
		if v, _, err := dbs[0].Meta(t.Context(), "rollup"); err != nil {
			t.Fatal(err)
		} else if _, err := fmt.Sscan(v, &at); err != nil {
			t.Fatal(err)
		}
		if err := store.SQL(dbs[0]).GetContext(t.Context(), &top, "SELECT MAX(id) FROM events"); err != nil || at != top {
			t.Errorf("counted up to %d of %d, %v", at, top, err)
		}
		days, err := dbs[2].Days(t.Context(), noon, noon)
		if err != nil || len(days) != 1 || days[0].N != 2*each {
			t.Errorf("got %+v, %v, want %d", days, err, 2*each)
		}
	})
}

// What one process knows to be settled is not all there is: others write too.
func TestRollUpGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		a, b := open(store.Config{Now: now}), open(store.Config{Now: now})
		record(t, a, report(nth(0), recipient.Delivered, "0", noon, noon))
		if list, err := a.Feed(t.Context(), 0, 10); err != nil || len(list) != 1 {
			t.Fatalf("feed: got %d, %v", len(list), err)
		}
		record(t, b, report(nth(1), recipient.Delivered, "1", noon, noon))
		if n := rollUp(t, a); n != 2 {
			t.Errorf("counted %d, want 2", n)
		}
	})
}

func TestPruneCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		var events []recipient.Event
		for i := range 320 {
			a := recipient.Stored(recipient.Email, fmt.Sprintf("a@d%d.example", i))
			events = append(events, hard(a, "acme", "r", fmt.Sprint(i), noon))
			if i < 10 {
				events = append(events, hard(a, "acme", "r", "more"+fmt.Sprint(i), noon))
			}
		}
		record(t, db, events...)
		rollUp(t, db)
		count := func() int {
			t.Helper()
			n := 0
			if err := store.SQL(db).GetContext(t.Context(), &n, "SELECT COUNT(*) FROM day_domains"); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if list, err := db.Domains(t.Context(), noon, noon, recipient.HardBounce, 3); err != nil || len(list) != 3 || list[0].N != 2 || list[0].Domain != "d0.example" {
			t.Errorf("top: got %+v, %v", list, err)
		}
		for _, tt := range []struct{ days, least, most int }{{0, 320, 320}, {1, 320, 320}, {3, 10, 300}, {100, 0, 0}} {
			set(noon.Add(time.Duration(tt.days) * 24 * time.Hour))
			if err := db.PruneCounts(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(); n < tt.least || n > tt.most {
				t.Errorf("after %d days: %d domains are left", tt.days, n)
			}
		}
		if days, err := db.Days(t.Context(), noon, noon); err != nil || len(days) != 1 || days[0].N != 330 {
			t.Errorf("the day's own counters: got %+v, %v", days, err)
		}
	})
}

func TestTraffic(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		add := func(at time.Time, accepted, rejected int64) {
			t.Helper()
			if err := db.CountTraffic(ctx, []store.Traffic{{Endpoint: "acme", Hour: at, Accepted: accepted, Rejected: rejected}}, nil); err != nil {
				t.Fatal(err)
			}
		}
		health := func() store.Health {
			t.Helper()
			list, err := db.HealthOf(ctx, []string{"acme", "new"})
			if err != nil || len(list) != 2 || list[1].Endpoint != "new" || list[1].Silent || list[1].Jumped {
				t.Fatalf("got %+v, %v", list, err)
			}
			return list[0]
		}
		// Four days with a report each six hours, and one bad request a day.
		for i := range 16 {
			at := noon.Add(-time.Duration(15-i) * 6 * time.Hour)
			add(at, 30, int64(i%4/3))
			add(at, 10, 0)
		}
		if h := health(); h.Silent || h.Jumped || h.Accepted != 160 || h.Pause != 6*time.Hour {
			t.Errorf("as usual: got %+v", h)
		}
		set(noon.Add(12 * time.Hour))
		if h := health(); h.Silent {
			t.Errorf("twice the longest pause: got %+v", h)
		}
		set(noon.Add(13 * time.Hour))
		if h := health(); !h.Silent || !h.LastAccepted.Equal(noon) {
			t.Errorf("longer: got %+v", h)
		}
		add(now(), 5, 19)
		if h := health(); h.Silent || h.Jumped {
			t.Errorf("again: got %+v", h)
		}
		add(now(), 0, 10)
		if h := health(); !h.Jumped || h.RejectedLately != 29 || h.RejectedUsual != 2 {
			t.Errorf("rejections: got %+v", h)
		}
		add(now(), 50, 0)
		if h := health(); h.Jumped {
			t.Errorf("more are accepted than rejected: got %+v", h)
		}
	})
}

func TestRejectionsAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		for i := range 50 {
			at := noon.Add(time.Duration(i) * time.Minute)
			list := []store.Rejection{{Endpoint: "acme", Reason: fmt.Sprintf("signed %dm ago", i), FirstAt: at, LastAt: at, N: 2},
				{Endpoint: "acme", Reason: "odd " + string(rune('A'+i)), Hint: "h", FirstAt: at, LastAt: at, N: 1}, {Endpoint: "other", Reason: "x", FirstAt: at, LastAt: at, N: 1}}
			if err := db.CountTraffic(ctx, nil, list); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Rejections(ctx, "acme")
		if err != nil || len(got) != store.MaxRejections {
			t.Fatalf("got %d reasons, %v", len(got), err)
		}
		for _, r := range got {
			if r.Hint == "" && (r.Reason != "signed 49m ago" || r.N != 100 || !r.FirstAt.Equal(noon) || !r.LastAt.Equal(noon.Add(49*time.Minute))) {
				t.Errorf("figures tell reasons apart, or a count is lost: got %+v", r)
			}
		}
		if all, err := db.Rejections(ctx, ""); err != nil || len(all) != store.MaxRejections+1 {
			t.Errorf("all: got %d, %v", len(all), err)
		}
	})
}

func TestBrake(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		n := 0
		bounce := func(domain string, count int) {
			t.Helper()
			var events []recipient.Event
			for range count {
				n++
				events = append(events, hard(recipient.Stored(recipient.Email, fmt.Sprintf("p%d@%s", n, domain)), "acme", "r", fmt.Sprint(n), now()))
			}
			record(t, db, events...)
			rollUp(t, db)
		}
		brake := func() map[string]store.Incident {
			t.Helper()
			list, err := db.Brake(ctx)
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]store.Incident{}
			for _, i := range list {
				out[i.Dim+" "+i.Name] = i
			}
			return out
		}
		bounce("big.example", 500)
		if got := brake(); len(got) != 0 {
			t.Errorf("on the first day of all: got %+v", got)
		}
		for day := 1; day <= 3; day++ { // a letter a day
			set(noon.Add(time.Duration(day) * 24 * time.Hour))
			bounce("big.example", 60)
			bounce("small.example", 2)
		}
		if got := brake(); len(got) != 0 {
			t.Errorf("as usual: got %+v", got)
		}
		set(noon.Add(4 * 24 * time.Hour))
		bounce("small.example", 99)
		if got := brake(); len(got) != 0 {
			t.Errorf("less than 100: got %+v", got)
		}
		began := now()
		set(now().Add(20 * time.Minute))
		bounce("small.example", 1)
		bounce("big.example", 300) // not ten times 170
		got := brake()
		i := got["domain small.example"]
		if len(got) != 1 || i.Peak != 100 || i.Usual != 2 || !i.BeganAt.Equal(began) || !i.LastAt.Equal(now()) {
			t.Fatalf("got %+v", got)
		}
		set(now().Add(10 * time.Minute))
		bounce("small.example", 50)
		if got := brake(); len(got) != 1 || got["domain small.example"].ID != i.ID || got["domain small.example"].Peak != 150 {
			t.Errorf("it goes on: got %+v", got)
		}
		set(now().Add(2 * time.Hour))
		if got := brake(); len(got) != 0 {
			t.Errorf("it is over: got %+v", got)
		}
		present, err := db.PresentIncidents(ctx)
		if err != nil || len(present) != 1 || present[0].EndedAt.IsZero() {
			t.Errorf("present: got %+v, %v", present, err)
		}
		// An incident is not what is usual.
		bounce("small.example", 120)
		if got := brake(); len(got) != 1 {
			t.Errorf("again: got %+v", got)
		}
		by := store.By{Actor: "anna"}
		for again := range 2 {
			if err := db.DismissIncident(ctx, i.ID, "they are gone", by); again == 0 && err != nil || again == 1 && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("dismiss: got %v", err)
			}
		}
		if one, err := db.Incident(ctx, i.ID); err != nil || one.By != "anna" || one.Note != "they are gone" {
			t.Errorf("got %+v, %v", one, err)
		}
		if present, err := db.PresentIncidents(ctx); err != nil || len(present) != 1 {
			t.Errorf("present: got %+v, %v", present, err)
		}
		if all, err := db.Incidents(ctx, 10); err != nil || len(all) != 2 || all[0].ID < all[1].ID {
			t.Errorf("all: got %+v, %v", all, err)
		}
	})
}

func TestUnblockIncident(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		bad := noon.Add(time.Hour) // when the incident happens
		a := func(name string) recipient.Address { return email(t, name+"@example.com") }
		before := noon.Add(-time.Hour)
		record(t, db,
			hard(a("earlier"), "acme", "r", "1", before), hard(a("lifted"), "acme", "r", "2", before))
		set(noon.Add(-time.Minute))
		act(t, db, recipient.Unblock, a("lifted"))
		set(bad)
		events := []recipient.Event{
			hard(a("earlier"), "acme", "r", "3", bad), hard(a("lifted"), "acme", "r", "4", bad), hard(a("plain"), "acme", "r", "5", bad),
			hard(a("twice"), "acme", "r", "6", bad), hard(a("twice"), "acme", "r", "7", bad.Add(time.Minute)), hard(a("out"), "acme", "r", "8", bad),
			hard(a("manual"), "acme", "r", "9", bad), hard(a("later"), "acme", "r", "10", bad), hard(a("undone"), "acme", "r", "11", bad),
			hard(a("rule"), "acme", "other", "12", bad), hard(a("elsewhere"), "beta", "r", "13", bad), hard(email(t, "x@other.example"), "acme", "r", "14", bad),
		}
		for i := range 700 {
			events = append(events, hard(recipient.Stored(recipient.Email, fmt.Sprintf("many%d@example.com", i)), "acme", "r", "m"+fmt.Sprint(i), bad))
		}
		record(t, db, events...)
		set(bad.Add(2 * time.Hour))
		act(t, db, recipient.Block, a("manual"))
		act(t, db, recipient.OptOut, a("out"))
		act(t, db, recipient.Unblock, a("undone"))
		record(t, db, hard(a("later"), "acme", "r", "15", now()), report(a("out"), recipient.Complaint, "16", now(), now()))
		if err := db.Erase(ctx, keyer.Key(recipient.Stored(recipient.Email, "many0@example.com")), store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		rollUp(t, db)

		scope := store.Scope{Endpoint: "acme", Domain: "example.com", Rule: "r", From: bad, To: bad.Add(time.Hour)}
		dry, err := db.PreviewUnblock(ctx, scope)
		// Free: plain, lifted, twice, out and 699 of many. Others block earlier, manual and later.
		if err != nil || dry.Bounces != 708 || dry.Addresses != 707 || dry.Free != 703 || dry.Kept != 3 || len(dry.Sample) != 10 {
			t.Fatalf("dry run: got %+v, %v", dry, err)
		}
		if !state(t, db, a("plain")).Blocked() {
			t.Fatal("the dry run did something")
		}
		if _, err := db.UnblockIncident(ctx, scope, recipient.FromAdmin, " ", store.By{Actor: "anna"}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("without a reason: got %v", err)
		}
		done, err := db.UnblockIncident(ctx, scope, recipient.FromAdmin, "their server was broken", store.By{Actor: "anna"})
		if err != nil || done.Free != dry.Free || done.Kept != dry.Kept {
			t.Fatalf("got %+v, %v", done, err)
		}
		for name, want := range map[string]bool{"plain": false, "lifted": false, "twice": false, "out": false, "undone": false,
			"earlier": true, "manual": true, "later": true, "rule": true, "elsewhere": true} {
			if got := state(t, db, a(name)).Blocked(); got != want {
				t.Errorf("%s: blocked %v, want %v", name, got, want)
			}
		}
		if !state(t, db, email(t, "x@other.example")).Blocked() {
			t.Error("another domain was unblocked")
		}
		if s := state(t, db, a("out")); !s.OptedOut() || s.ComplainedAt.IsZero() {
			t.Error("an opt-out was lifted")
		}
		history, _, err := db.History(ctx, keyer.Key(a("plain")), 1, "")
		if err != nil || history[0].Kind != recipient.Unblock || history[0].Actor != "anna" || history[0].Detail != "their server was broken" {
			t.Errorf("history: got %+v, %v", history, err)
		}
		log, err := db.Audited(ctx, store.AuditQuery{Action: "incident.unblock"})
		if err != nil || len(log) != 3 || log[0].Object != log[2].Object {
			t.Errorf("audit: got %+v, %v", log, err)
		}
		if again, err := db.UnblockIncident(ctx, scope, recipient.FromAdmin, "again", store.By{Actor: "anna"}); err != nil || again.Free != 0 || again.Kept != 3 {
			t.Errorf("again: got %+v, %v", again, err)
		}
		if r, err := db.Fsck(ctx, store.FsckOptions{}); err != nil || r.Different != 0 {
			t.Errorf("fsck: got %+v, %v", r, err)
		}
		// Without the domain, the erased person and the other domain are found.
		scope.Domain = ""
		if more, err := db.PreviewUnblock(ctx, scope); err != nil || more.Free != 2 {
			t.Errorf("the whole endpoint: got %+v, %v", more, err)
		}
		for what, s := range map[string]store.Scope{"no name": {From: bad, To: noon.Add(5 * time.Hour)}, "no time": {Endpoint: "acme"},
			"backwards": {Endpoint: "acme", From: bad, To: noon}, "too long": {Endpoint: "acme", From: noon, To: noon.Add(8 * 24 * time.Hour)}} {
			if _, err := db.PreviewUnblock(ctx, s); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: got %v", what, err)
			}
		}
	})
}

func TestFulfilRequest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		by := store.By{Actor: "anna"}
		for i := range 2 {
			if err := db.AddRequest(ctx, store.PersonRequest{Kind: store.RequestTyped, Channel: recipient.Email, Address: nth(i), Language: "fi"}); err != nil {
				t.Fatal(err)
			}
		}
		list, err := db.Requests(ctx, store.RequestQuery{})
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		out, err := db.FulfilRequest(ctx, list[0].ID, "called "+nth(0).Value()+" back", recipient.FromAdmin, by)
		if err != nil || !out.After.OptedOut() || out.Event.Source != recipient.FromAdmin || out.Event.Evidence.Via != "request" || out.Event.Evidence.Language != "fi" {
			t.Fatalf("got %+v, %v", out, err)
		}
		if _, err := db.FulfilRequest(ctx, list[0].ID, "", recipient.FromAdmin, by); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("twice: got %v", err)
		}
		if err := db.DiscardRequest(ctx, list[1].ID, nth(1).Value()+" is a trap", by); err != nil {
			t.Fatal(err)
		}
		if err := db.DiscardRequest(ctx, 999, "x", by); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a missing one: got %v", err)
		}
		all, err := db.Requests(ctx, store.RequestQuery{Resolved: true})
		if err != nil || all[0].Resolution != "opted out: called ‹address› back" || all[1].Resolution != "discarded: ‹address› is a trap" {
			t.Errorf("got %+v, %v", all, err)
		}
		if _, err := db.Recipient(ctx, keyer.Key(nth(1))); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a discarded request left a trace: %v", err)
		}
	})
}
