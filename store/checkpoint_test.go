package store_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// What acts wrote gets into the main file of SQLite without the writer, and by a
// connection that may change nothing else.
func TestLogIsCopied(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		a := nth(1)
		if _, err := db.Click(t.Context(), click(a, "t")); err != nil {
			t.Fatal(err)
		}
		if db.Kind() != "sqlite" { // the others have no such log
			return
		}
		if err := store.CopyLog(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(strings.TrimPrefix(store.URL(db), "sqlite:"))
		key := keyer.Key(a)
		if err != nil || !bytes.Contains(file, key[:]) {
			t.Errorf("the click is not in the main file: %v", err)
		}
		if out, err := db.Click(t.Context(), click(a, "t")); err != nil || out.Changed {
			t.Errorf("the same again: got %+v, %v", out, err)
		}
	})
}
