package spool

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// cable is a real database behind a cable that can be pulled.
type cable struct {
	*store.DB
	pulled atomic.Bool
}

func (c *cable) err() error {
	if c.pulled.Load() {
		return fmt.Errorf("%w: the cable is pulled", store.ErrUnavailable)
	}
	return nil
}

func (c *cable) Record(ctx context.Context, events []recipient.Event) (store.Recorded, error) {
	if err := c.err(); err != nil {
		return store.Recorded{}, err
	}
	return c.DB.Record(ctx, events)
}

func (c *cable) Click(ctx context.Context, k store.Click) (store.Outcome, error) {
	if err := c.err(); err != nil {
		return store.Outcome{}, err
	}
	return c.DB.Click(ctx, k)
}

func (c *cable) Quarantine(ctx context.Context, h store.Held) error {
	if err := c.err(); err != nil {
		return err
	}
	return c.DB.Quarantine(ctx, h)
}

func (c *cable) ErasedAt(ctx context.Context, keys []recipient.Key) (map[recipient.Key]time.Time, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.DB.ErasedAt(ctx, keys)
}

// What was spooled ends in a real database as if it had never been away: the
// same events and states, and people who were erased meanwhile stay erased.
func TestOnARealDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		ctx := t.Context()
		var clock atomic.Int64
		clock.Store(noon.Add(time.Hour).UnixMicro())
		now := func() time.Time { return time.UnixMicro(clock.Load()).UTC() }
		c := &cable{DB: open(store.Config{Now: now})}
		dir := t.TempDir()
		d := openSpool(t, Config{Dir: dir, DB: c.DB, db: c, Now: now, Patience: time.Minute})

		phone := recipient.Stored(recipient.SMS, "+15551230100")
		for i, contact := range []store.Contact{{ExternalID: "1", Name: "One", Email: nth(1), Phone: phone}, {ExternalID: "2", Name: "Erased", Email: nth(2)}} {
			if _, _, err := c.PutContact(ctx, contact, store.PutOptions{Source: recipient.FromAdmin}); err != nil {
				t.Fatalf("contact %d: %v", i, err)
			}
		}
		if r, err := d.Record(ctx, []recipient.Event{report(2), report(3)}); err != nil || r.Stored != 2 {
			t.Fatalf("got %+v, %v", r, err)
		}

		c.pulled.Store(true)
		spooled(t, d, 3, 4, 4) // the first is known, the last comes twice
		again := recipient.Event{Kind: recipient.SoftBounce, Address: nth(2), Source: recipient.FromProvider, IDParts: []string{"x"}, Detail: "secret words", MessageID: "<secret>"}
		if _, err := d.Record(ctx, []recipient.Event{keyer.Seal(again, "acme", now())}); err != nil {
			t.Fatal(err)
		}
		all := store.Click{Channel: recipient.Email, Key: keyer.Key(nth(1)), TokenID: "all", Everything: true, Evidence: recipient.Evidence{Via: "form"}}
		gone := store.Click{Channel: recipient.Email, Key: keyer.Key(nth(2)), TokenID: "gone", Evidence: recipient.Evidence{Via: "form", IP: "192.0.2.7"}}
		for _, k := range []store.Click{all, all, gone} {
			if out, err := d.Click(ctx, k); err != nil || !out.Spooled {
				t.Fatalf("click: got %+v, %v", out, err)
			}
		}
		for key, body := range map[recipient.Key]string{keyer.Key(nth(2)): "secret body", keyer.Key(nth(5)): "another body"} {
			if err := d.Quarantine(ctx, store.Held{Endpoint: "acme", Reason: "refused_row", Body: []byte(body), Key: key, ReceivedAt: now()}); err != nil {
				t.Fatal(err)
			}
		}
		clock.Add(time.Minute.Microseconds())
		if err := c.Erase(ctx, keyer.Key(nth(2)), store.By{Actor: "anna"}); err != nil { // by another replica, whose cable is in
			t.Fatal(err)
		}
		clock.Add(time.Hour.Microseconds())
		c.pulled.Store(false)
		drained(t, d)

		states, err := c.States(ctx, []recipient.Key{keyer.Key(nth(1)), keyer.Key(phone), keyer.Key(nth(2)), keyer.Key(nth(3)), keyer.Key(nth(4))})
		if err != nil {
			t.Fatal(err)
		}
		clicked := noon.Add(time.Hour)
		for _, k := range []recipient.Key{keyer.Key(nth(1)), keyer.Key(phone), keyer.Key(nth(2))} {
			if s := states[k]; !s.OptedOutAt.Equal(clicked) {
				t.Errorf("opted out at %v, want %v", s.OptedOutAt, clicked)
			}
		}
		for n, want := range map[int]int{1: 1, 2: 3, 3: 1, 4: 1} {
			h, _, err := c.History(ctx, keyer.Key(nth(n)), 100, "")
			if err != nil || len(h) != want {
				t.Errorf("person %d: %d events, %v; want %d", n, len(h), err, want)
			}
			for _, e := range h {
				if n == 2 && (e.Detail != "" || e.MessageID != "" || e.Evidence != (recipient.Evidence{})) {
					t.Errorf("a %s of before the erasure still says %q, %q, %+v", e.Kind, e.Detail, e.MessageID, e.Evidence)
				}
			}
		}
		if r, err := c.Recipient(ctx, keyer.Key(nth(2))); err != nil || !r.Address.IsZero() {
			t.Errorf("the erased address is back: %v", err)
		}
		held, err := c.Quarantined(ctx, store.QuarantineQuery{})
		if err != nil || len(held) != 1 || held[0].Key != keyer.Key(nth(5)) {
			t.Errorf("quarantine: %d rows, %v; want that of the other alone", len(held), err)
		}
		if r, err := c.Fsck(ctx, store.FsckOptions{}); err != nil || len(r.Differences) > 0 {
			t.Errorf("fsck: %+v, %v", r, err)
		}
	})
}
