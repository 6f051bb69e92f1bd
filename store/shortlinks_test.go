package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func code(prefix string, i, length int) string {
	s := fmt.Sprintf("%s%d", prefix, i)
	return strings.NewReplacer("0", "a", "1", "b", "8", "c", "9", "d").Replace(s + strings.Repeat("x", length-len(s)))
}

func TestShortLinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		const n = 2500 // several statements
		var links []store.ShortLink
		for i := range n {
			links = append(links, store.ShortLink{Code: code("f", i, 16), Key: keyer.Key(nth(i)), Channel: recipient.SMS, SendOut: "spring", Language: "fi"})
		}
		want := links[7]
		want.CreatedAt = now()
		if err := db.PutShortLinks(ctx, links); err != nil {
			t.Fatal(err)
		}
		if got, err := db.ShortLink(ctx, want.Code); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		for _, c := range []string{strings.ToUpper(want.Code), want.Code[:15], want.Code + " ", ""} { // no collation, no padding
			if _, err := db.ShortLink(ctx, c); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("code %q: got %v", c, err)
			}
		}

		// The same list again keeps its codes; other claims and lengths get their own.
		set(noon.Add(time.Hour))
		var again []store.ShortLink
		for i, l := range links {
			l.Code, l.CreatedAt = code("g", i, 16), time.Time{}
			again = append(again, l)
		}
		again[1].SendOut, again[2].Language, again[3].Preview, again[4].Code = "autumn", "", true, code("g", 4, 26)
		again = append(again, again[1]) // twice in one list
		again[n].Code = code("h", 1, 16)
		if err := db.PutShortLinks(ctx, again); err != nil {
			t.Fatal(err)
		}
		for i, l := range again[:n] {
			if old := l.Code == links[i].Code; old == (i >= 1 && i <= 4) {
				t.Fatalf("link %d: code %s, before %s", i, l.Code, links[i].Code)
			}
		}
		if again[n].Code != again[1].Code {
			t.Errorf("twice in one list: %s and %s", again[n].Code, again[1].Code)
		}
		var rows int
		if err := store.SQL(db).QueryRowContext(ctx, "SELECT COUNT(*) FROM short_links").Scan(&rows); err != nil || rows != n+4 {
			t.Errorf("got %d rows, %v; want %d", rows, err, n+4)
		}

		// A code that somebody else has is an error, and nothing is kept.
		clash := []store.ShortLink{{Code: code("n", 1, 16), Key: keyer.Key(nth(1)), Channel: recipient.Email}, {Code: want.Code, Key: keyer.Key(nth(2)), Channel: recipient.Email}}
		if err := db.PutShortLinks(ctx, clash); err == nil {
			t.Error("a code was given twice")
		}
		if _, err := db.ShortLink(ctx, code("n", 1, 16)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("half of a list was kept: %v", err)
		}
		ok := store.ShortLink{Code: "x", Key: keyer.Key(nth(1)), Channel: recipient.SMS}
		for name, change := range map[string]func(*store.ShortLink){
			"code": func(l *store.ShortLink) { l.Code = "" }, "long": func(l *store.ShortLink) { l.Code = strings.Repeat("x", 27) },
			"nobody": func(l *store.ShortLink) { l.Key = recipient.Key{} }, "channel": func(l *store.ShortLink) { l.Channel = "fax" },
			"send-out": func(l *store.ShortLink) { l.SendOut = "é" }, "language": func(l *store.ShortLink) { l.Language = strings.Repeat("x", 36) },
		} {
			l := ok
			change(&l)
			if err := db.PutShortLinks(ctx, []store.ShortLink{l}); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// Two programs that work on the same list at once lose nothing.
func TestShortLinksAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		var work sync.WaitGroup
		lists := make([][]store.ShortLink, 4)
		errs := make([]error, len(lists))
		for w := range lists {
			for i := range 1200 {
				lists[w] = append(lists[w], store.ShortLink{Code: code(string(rune('f'+w)), i, 26), Key: keyer.Key(nth(i)), Channel: recipient.Email})
			}
			work.Go(func() { errs[w] = db.PutShortLinks(t.Context(), lists[w]) })
		}
		work.Wait()
		for w, list := range lists {
			if errs[w] != nil {
				t.Fatal(errs[w])
			}
			for _, i := range []int{0, 600, 1199} {
				if got, err := db.ShortLink(t.Context(), list[i].Code); err != nil || got.Key != keyer.Key(nth(i)) {
					t.Errorf("list %d, link %d: %+v, %v", w, i, got, err)
				}
			}
		}
	})
}

func TestLinkCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		if err := db.CountLinks(ctx, map[string]int64{"k1": 5, "k2": 1, "k3": 0}); err != nil {
			t.Fatal(err)
		}
		set(noon.Add(time.Hour))
		if err := db.CountLinks(ctx, map[string]int64{"k1": 5_000_000_000}); err != nil {
			t.Fatal(err)
		}
		got, err := db.LinkCounts(ctx)
		want := map[string]store.LinkCount{"k1": {5_000_000_005, noon, noon.Add(time.Hour)}, "k2": {1, noon, noon}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		if err := db.CountLinks(ctx, map[string]int64{"": 1}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("no key: got %v", err)
		}
	})
}
