package store_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// Nothing counts as stored in a file that has left its place: the next start
// would not know of it.
func TestMovedFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		if db.Kind() != "sqlite" {
			return
		}
		record(t, db, report(nth(1), recipient.HardBounce, "1", noon, noon))
		path := strings.TrimPrefix(store.URL(db), "sqlite:")
		refused := func(what string) {
			t.Helper()
			_, err := db.Record(t.Context(), []recipient.Event{report(nth(2), recipient.HardBounce, "2", noon, noon)})
			_, cerr := db.Click(t.Context(), click(nth(3), "t"))
			_, aerr := db.Act(t.Context(), store.Act{Kind: recipient.Block, Channel: recipient.Email, Key: keyer.Key(nth(4)), Address: nth(4), Source: recipient.FromAPI})
			qerr := db.Quarantine(t.Context(), store.Held{Endpoint: "acme", Provider: "acme", Reason: "unreadable", Method: "POST", Body: []byte("{"), ReceivedAt: noon})
			for name, err := range map[string]error{"record": err, "click": cerr, "act": aerr, "quarantine": qerr, "ping": db.Ping(t.Context())} {
				if !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%s: %s: got %v, want ErrUnavailable", what, name, err)
				}
			}
		}
		if err := os.Rename(path, path+".moved"); err != nil {
			t.Fatal(err)
		}
		refused("moved")
		if err := os.WriteFile(path, []byte("a backup"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused("replaced")
		if err := os.Rename(path+".moved", path); err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("back in its place: %v", err)
		}
		if got := record(t, db, report(nth(2), recipient.HardBounce, "2", noon, noon)); got.Stored != 1 {
			t.Errorf("what was refused was stored: got %+v", got)
		}
		clean(t, db)
	})
}
