package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func click(a recipient.Address, token string) store.Click {
	return store.Click{Channel: a.Channel(), Key: keyer.Key(a), TokenID: token, SendOut: "spring", Evidence: recipient.Evidence{Via: "one_click"}}
}

func undo(a recipient.Address, token string) store.Click {
	c := click(a, token)
	c.Evidence = recipient.Evidence{Via: "undo", Consent: &recipient.Consent{Source: "unsubscribe page", Wording: "Keep me subscribed", At: noon}}
	return c
}

// A provider that sends no time has at = received_at: its retry after "Remove
// block" must not block again.
func TestDuplicateAfterUnblock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		a := nth(1)
		record(t, db, report(a, recipient.HardBounce, "b1", time.Time{}, noon))
		if !state(t, db, a).Blocked() {
			t.Fatal("a hard bounce does not block")
		}
		set(noon.Add(time.Minute))
		act(t, db, recipient.Unblock, a)
		set(noon.Add(2 * time.Minute))
		if r := record(t, db, report(a, recipient.HardBounce, "b1", time.Time{}, now())); r.Duplicates != 1 {
			t.Errorf("the retry: got %+v, want a duplicate", r)
		}
		record(t, db, report(a, recipient.HardBounce, "old", noon.Add(-time.Hour), now())) // late, of before the unblock
		if state(t, db, a).Blocked() {
			t.Error("a retry or a late old bounce blocks again")
		}
		record(t, db, report(a, recipient.HardBounce, "new", time.Time{}, now()))
		if !state(t, db, a).Blocked() {
			t.Error("a new bounce does not block")
		}
		clean(t, db)
	})
}

func TestEchoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		echo := func(a recipient.Address, k recipient.Kind, id string) {
			e := report(a, k, id, time.Time{}, now())
			e.Echo = true
			record(t, db, e)
		}
		a := nth(1)
		echo(a, recipient.HardBounce, "1")
		echo(a, recipient.OptOut, "2")
		if s := state(t, db, a); !s.Blocked() || !s.OptedOut() || !s.BlockedAt.Equal(recipient.EchoAt) {
			t.Errorf("an echo of an unknown address: got %+v, want suppressed at EchoAt", s)
		}
		act(t, db, recipient.Unblock, a)
		act(t, db, recipient.OptIn, a)
		set(noon.Add(time.Hour))
		echo(a, recipient.HardBounce, "3")
		echo(a, recipient.OptOut, "4")
		if s := state(t, db, a); s.Suppressed() {
			t.Errorf("an echo beats a person: %+v", s)
		}
		h, _, err := db.History(t.Context(), keyer.Key(a), 1, "")
		if err != nil || !h[0].Echo || !h[0].At.Equal(now()) {
			t.Errorf("history: got %+v, %v; want the echo with its real time", h, err)
		}
		clean(t, db)
	})
}

// A person's act works although the clock was set back an hour.
func TestActsWithTheClockSetBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		a := nth(1)
		record(t, db, report(a, recipient.HardBounce, "1", time.Time{}, noon), report(a, recipient.Complaint, "2", time.Time{}, noon))
		set(noon.Add(-time.Hour))
		if out := act(t, db, recipient.Unblock, a); out.After.Blocked() || !out.Before.Blocked() || !out.Changed || state(t, db, a) != out.After {
			t.Errorf("unblock: got %+v", out)
		}
		if out := act(t, db, recipient.OptIn, a); out.After.OptedOut() {
			t.Errorf("opt-in: got %+v", out)
		}
		if out, err := db.Click(t.Context(), click(a, "t")); err != nil || !out.After.OptedOut() {
			t.Errorf("click: got %+v, %v", out, err)
		}
		set(noon.Add(-2 * time.Hour))
		if out := act(t, db, recipient.Block, a); !out.After.Blocked() {
			t.Errorf("block: got %+v", out)
		}
		if s := state(t, db, a); !s.Blocked() || !s.OptedOut() {
			t.Errorf("got %+v", s)
		}
		clean(t, db)
	})
}

func TestActRules(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		db := open(store.Config{Now: now})
		good := store.Act{Kind: recipient.OptIn, Channel: recipient.Email, Key: keyer.Key(nth(1)), Source: recipient.FromAPI,
			Evidence: recipient.Evidence{Consent: &recipient.Consent{Source: "form", Wording: "yes"}}}
		if _, err := db.Act(t.Context(), good); err != nil {
			t.Errorf("an opt-in with consent: %v", err)
		}
		for name, change := range map[string]func(*store.Act){
			"no consent":     func(a *store.Act) { a.Evidence.Consent = nil },
			"no wording":     func(a *store.Act) { a.Evidence.Consent = &recipient.Consent{Source: "form"} },
			"no source":      func(a *store.Act) { a.Evidence.Consent = &recipient.Consent{Wording: "yes"} },
			"a bounce":       func(a *store.Act) { a.Kind = recipient.HardBounce },
			"no key":         func(a *store.Act) { a.Key = recipient.Key{} },
			"no channel":     func(a *store.Act) { a.Channel = "fax" },
			"unknown source": func(a *store.Act) { a.Source = "rumour" },
		} {
			a := good
			change(&a)
			if _, err := db.Act(t.Context(), a); err == nil || errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: got %v, want a refusal", name, err)
			}
		}
	})
}

func TestClick(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		a := nth(1)
		first, err := db.Click(t.Context(), click(a, "t1"))
		if err != nil || !first.Changed || !first.After.OptedOut() || first.Event.Source != recipient.FromLink {
			t.Fatalf("first: got %+v, %v", first, err)
		}
		set(noon.Add(time.Hour))
		again, err := db.Click(t.Context(), click(a, "t1"))
		if err != nil || again.Changed || again.After != first.After || !again.Event.At.Equal(noon) {
			t.Errorf("again: got %+v, %v; want unchanged", again, err)
		}
		other, err := db.Click(t.Context(), click(a, "t2"))
		if err != nil || !other.Changed || !other.Event.Evidence.OptedOutBefore {
			t.Errorf("another link: got %+v, %v; want opted out before", other, err)
		}
		act(t, db, recipient.OptIn, a)
		since, err := db.Click(t.Context(), click(a, "t1"))
		if err != nil || !since.Changed || !since.After.OptedOut() {
			t.Errorf("after an opt-in: got %+v, %v; want a new opt-out", since, err)
		}
		clean(t, db)
	})
}

func TestUndo(t *testing.T) {
	const within = 24 * time.Hour
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		do := func(a recipient.Address, token string) string {
			t.Helper()
			who, err := db.Person(t.Context(), a.Channel(), keyer.Key(a))
			if err != nil {
				t.Fatal(err)
			}
			can, err := db.CanUndo(t.Context(), click(a, token), who.State, within)
			if err != nil {
				t.Fatal(err)
			}
			out, err := db.Undo(t.Context(), undo(a, token), within)
			var refused *store.UndoError
			switch {
			case errors.As(err, &refused):
				if can {
					t.Errorf("CanUndo says yes, Undo %q", refused.Reason)
				}
				return refused.Reason
			case err != nil:
				t.Fatal(err)
			case !can, out.After.OptedOut(), !out.Changed:
				t.Errorf("got %v and %+v", can, out)
			}
			return ""
		}
		must := func(a recipient.Address, token string) {
			t.Helper()
			if _, err := db.Click(t.Context(), click(a, token)); err != nil {
				t.Fatal(err)
			}
		}
		for i, tt := range []struct {
			want string
			prep func(a recipient.Address)
		}{
			{"", func(a recipient.Address) { must(a, "t") }},
			{"", func(a recipient.Address) { must(a, "t"); set(noon.Add(within)) }},
			{store.UndoNone, func(recipient.Address) {}},
			{store.UndoNone, func(a recipient.Address) { must(a, "other") }},
			{store.UndoNone, func(a recipient.Address) { must(a, "t"); act(t, db, recipient.OptIn, a) }},
			{store.UndoLate, func(a recipient.Address) { must(a, "t"); set(noon.Add(within + time.Microsecond)) }},
			{store.UndoBefore, func(a recipient.Address) { act(t, db, recipient.OptOut, a); must(a, "t") }},
			{store.UndoBefore, func(a recipient.Address) { must(a, "other"); must(a, "t") }},
			{store.UndoComplaint, func(a recipient.Address) {
				must(a, "t")
				record(t, db, report(a, recipient.Complaint, "c", time.Time{}, noon))
			}},
		} {
			set(noon)
			a := nth(i)
			tt.prep(a)
			if got := do(a, "t"); got != tt.want {
				t.Errorf("case %d: got %q, want %q", i, got, tt.want)
			}
		}
		set(noon)
		if got := do(nth(0), "t"); got != store.UndoNone {
			t.Errorf("twice: got %q, want %q", got, store.UndoNone)
		}
		bare := undo(nth(0), "t")
		bare.Evidence.Consent = nil
		if _, err := db.Undo(t.Context(), bare, within); !errors.Is(err, store.ErrConsent) {
			t.Errorf("without consent: got %v", err)
		}
		if _, err := db.Recipient(t.Context(), keyer.Key(nth(2))); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a refused undo leaves a trace: %v", err)
		}
		clean(t, db)
	})
}

func TestConcurrentClicks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		dbs := []*store.DB{open(store.Config{}), open(store.Config{})}
		changed := make(chan int, 200)
		var work sync.WaitGroup
		for i := range 200 { // 4 addresses, 2 links each, 25 clicks a link, over two processes
			work.Go(func() {
				db := dbs[i%2]
				if err := patiently(db, func() error {
					out, err := db.Click(t.Context(), click(nth(i%4), fmt.Sprint("t", i/4%2)))
					if out.Changed {
						changed <- 1
					}
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		if got := len(changed); got != 8 {
			t.Errorf("got %d opt-outs, want one for each of 8 links", got)
		}
		clean(t, dbs[0])
	})
}

// Who decides on what they saw lifts nothing that came since.
func TestActOnWhatWasSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		a := nth(1)
		unblock := func(seen time.Time) error {
			_, err := db.Act(t.Context(), store.Act{Kind: recipient.Unblock, Channel: recipient.Email, Key: keyer.Key(a), Source: recipient.FromAdmin, Seen: &seen, By: anna})
			return err
		}
		record(t, db, report(a, recipient.HardBounce, "1", noon, noon))
		seen := state(t, db, a).Answered(recipient.Unblock)
		set(noon.Add(time.Hour))
		record(t, db, report(a, recipient.HardBounce, "2", now(), now()))
		before := len(actions(t, db))
		for _, old := range []time.Time{seen, {}} {
			if err := unblock(old); !errors.Is(err, store.ErrChanged) {
				t.Errorf("seen %v: got %v, want ErrChanged", old, err)
			}
		}
		if got := len(actions(t, db)); got != before || !state(t, db, a).Blocked() {
			t.Error("a refused act left something")
		}
		if err := unblock(state(t, db, a).Answered(recipient.Unblock)); err != nil || state(t, db, a).Blocked() {
			t.Errorf("as seen: got %v", err)
		}
		clean(t, db)
	})
}
