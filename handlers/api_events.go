package handlers

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	stdjson "encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// Limits of the feed.
const (
	defaultFeed = 1000
	maxFeed     = 10_000
	// maxWait keeps a long poll below the patience of proxies (most: 60 s).
	maxWait   = 25
	feedPause = time.Second
	// maxWaiters: every look at the feed holds up writers for a moment, so those
	// who come on top are answered at once.
	maxWaiters = 32
)

const feedType = "application/x-ndjson"

// feedEventJSON is one line of the feed.
type feedEventJSON struct {
	Cursor       string            `json:"cursor"`
	Channel      recipient.Channel `json:"channel"`
	Address      *string           `json:"address"`       // null: only the key is known, or the person was erased
	RecipientKey string            `json:"recipient_key"` // tells people apart where the address may not be read
	eventJSON
}

// feedCursor is opaque to clients: where they go on is the store's affair.
func feedCursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id))) //nolint:gosec // ids are positive
}

func parseFeedCursor(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 8 || b[0] > 0x7f {
		return 0, invalid("after", "a cursor of an earlier line")
	}
	return int64(binary.BigEndian.Uint64(b)), nil //nolint:gosec // the first bit is 0
}

// events answers GET /v1/events: one event a line, in the order in which they
// became visible. Whoever asks on from the last line's cursor misses nothing.
func (s *Server) events(c *fiber.Ctx) error {
	after, err := parseFeedCursor(c.Query("after"))
	if err != nil {
		return err
	}
	limit, err := queryInt(c, "limit", defaultFeed, maxFeed)
	if err != nil {
		return err
	}
	wait := 0
	if v := c.Query("wait"); v != "" && v != "0" {
		if wait, err = queryInt(c, "wait", 0, maxWait); err != nil {
			return invalid("wait", "a number from 0 to "+strconv.Itoa(maxWait))
		}
	}
	list, err := s.feed(after, limit, time.Duration(wait)*time.Second)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	enc := stdjson.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	last := after
	for _, e := range list {
		last = e.ID
		line := feedEventJSON{Cursor: feedCursor(e.ID), Channel: e.Channel, Address: text(e.Address.Value()),
			RecipientKey: e.Key.Hex(), eventJSON: newEventJSON(e.Event)}
		if err := enc.Encode(line); err != nil {
			return err //nolint:wrapcheck // our own types always marshal
		}
	}
	c.Set(fiber.HeaderContentType, feedType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("Strikeout-Cursor", feedCursor(last)) // also where nothing is new
	c.Set("Strikeout-More", strconv.FormatBool(len(list) == limit))
	c.Context().Response.SetBodyRaw(b.Bytes())
	return nil
}

// feed reads, and with a wait looks again until there is something.
func (s *Server) feed(after int64, limit int, wait time.Duration) ([]store.StoredEvent, error) {
	read := func() ([]store.StoredEvent, error) {
		ctx, cancel := s.withTimeout()
		defer cancel()
		return s.cfg.Store.Feed(ctx, after, limit) //nolint:wrapcheck // problemOf knows the store's errors
	}
	list, err := read()
	if err != nil || len(list) > 0 || wait == 0 {
		return list, err
	}
	if s.waiters.Add(1) > maxWaiters {
		s.waiters.Add(-1)
		return list, nil
	}
	defer s.waiters.Add(-1)
	end := time.NewTimer(wait)
	defer end.Stop()
	again := time.NewTicker(feedPause)
	defer again.Stop()
	for !s.draining.Load() {
		select {
		case <-again.C:
			if list, err = read(); err != nil || len(list) > 0 {
				return list, err
			}
		case <-end.C:
			return list, nil
		}
	}
	return list, nil
}

// erase deletes what is readable about a person and keeps the suppression.
func (s *Server) erase(c *fiber.Ctx) error {
	a, err := s.pathAddress(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	if err := s.cfg.Store.Erase(ctx, s.cfg.Keyer.Key(a), s.by(c)); err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return c.SendStatus(http.StatusNoContent)
}
