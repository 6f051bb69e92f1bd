package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// heldJSON is a request in quarantine, without its body and headers, which
// hold addresses: those have a route of their own.
type heldJSON struct {
	ID         int64      `json:"id"`
	Endpoint   string     `json:"endpoint"`
	Provider   string     `json:"provider"`
	Reason     string     `json:"reason"`
	Detail     string     `json:"detail"`
	Method     string     `json:"method"`
	Size       int64      `json:"size"`
	ReceivedAt *time.Time `json:"received_at"`
	ReplayedAt *time.Time `json:"replayed_at"`
}

func newHeldJSON(h store.Held) heldJSON {
	return heldJSON{ID: h.ID, Endpoint: h.Endpoint, Provider: h.Provider, Reason: h.Reason, Detail: h.Detail, Method: h.Method,
		Size: h.Size, ReceivedAt: when(h.ReceivedAt), ReplayedAt: when(h.ReplayedAt)}
}

// pageJSON is one page of a list. Next is the "after" of the next one.
type pageJSON[T any] struct {
	Items []T    `json:"items"`
	Next  *int64 `json:"next"`
}

// paged cuts a list that was read with one item more than the limit.
func paged[S, T any](list []S, limit int, id func(S) int64, item func(S) T) pageJSON[T] {
	out := pageJSON[T]{Items: []T{}}
	if len(list) > limit {
		list = list[:limit]
		last := id(list[limit-1])
		out.Next = &last
	}
	for _, v := range list {
		out.Items = append(out.Items, item(v))
	}
	return out
}

// page reads the parameters of a list.
func page(c *fiber.Ctx) (after int64, limit int, err error) {
	if v := c.Query("after"); v != "" {
		if after, err = strconv.ParseInt(v, 10, 64); err != nil || after < 0 {
			return 0, 0, invalid("after", "the next of the page before")
		}
	}
	limit, err = queryInt(c, "limit", defaultEvents, maxEvents)
	return after, limit, err
}

func (s *Server) listQuarantine(c *fiber.Ctx) error {
	after, limit, err := page(c)
	if err != nil {
		return err
	}
	why := strings.Clone(c.Query("reason"))
	if err := checkReason(why); err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	list, err := s.cfg.Store.Quarantined(ctx, store.QuarantineQuery{Endpoint: strings.Clone(c.Query("endpoint")), Reason: why, After: after, Limit: limit + 1})
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return sendJSON(c, paged(list, limit, func(h store.Held) int64 { return h.ID }, newHeldJSON))
}

// checkReason refuses what no request in quarantine can have as its reason.
func checkReason(s string) error {
	if s != "" && !slices.Contains(providers.Reasons(), s) {
		return invalid("reason", "use "+strings.Join(providers.Reasons(), ", "))
	}
	return nil
}

// rowID reads the id in the path.
func rowID(c *fiber.Ctx) (int64, error) {
	id, err := strconv.ParseInt(segment(c, "id"), 10, 64)
	if err != nil || id < 1 {
		return 0, invalid("id", "a number")
	}
	return id, nil
}

func (s *Server) getHeld(c *fiber.Ctx) error {
	id, err := rowID(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	h, err := s.cfg.Store.Held(ctx, id)
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return sendJSON(c, struct {
		heldJSON
		URL     string              `json:"url"`
		Headers map[string][]string `json:"headers"`
		Body    []byte              `json:"body"` // base64
	}{newHeldJSON(h), h.URL, h.Header, h.Body})
}

// replayedJSON says what came of requests that were read again.
type replayedJSON struct {
	Understood int     `json:"understood"`
	Left       int     `json:"left"`
	Stored     int     `json:"stored"`
	Duplicates int     `json:"duplicates"`
	Detail     *string `json:"detail"` // what is not understood, of the last that was not
	Next       *int64  `json:"next"`   // not null: time was up, go on after this
}

func (r *replayedJSON) add(one admin.Replayed) {
	r.Stored += one.Stored
	r.Duplicates += one.Duplicates
	if one.Understood {
		r.Understood++
		return
	}
	r.Left++
	r.Detail = text(one.Detail)
}

// errGone answers for a request whose endpoint nobody configures any more.
func errGone(err error) error {
	if errors.Is(err, admin.ErrNoEndpoint) {
		return refuse(http.StatusConflict, "the endpoint of this request is not configured any more")
	}
	return err
}

func (s *Server) replayHeld(c *fiber.Ctx) error {
	id, err := rowID(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	one, err := s.ReplayHeld(ctx, id, s.by(c))
	if err != nil {
		return errGone(err)
	}
	var out replayedJSON
	out.add(one)
	return sendJSON(c, out)
}

// replayFor is how long one call reads requests again.
const replayFor = 5 * time.Second

func (s *Server) replayMany(c *fiber.Ctx) error {
	var in struct {
		Endpoint string `json:"endpoint"`
		Reason   string `json:"reason"`
		After    int64  `json:"after"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	if err := checkReason(in.Reason); err != nil {
		return err
	}
	var out replayedJSON
	end := time.Now().Add(replayFor)
	for q := (store.QuarantineQuery{Endpoint: in.Endpoint, Reason: in.Reason, After: in.After, Limit: defaultEvents}); ; {
		list, err := s.quarantined(q)
		if err != nil {
			return err
		}
		for _, h := range list {
			if time.Now().After(end) {
				out.Next = &q.After
				return sendJSON(c, out)
			}
			ctx, cancel := s.withTimeout()
			one, err := s.ReplayHeld(ctx, h.ID, s.by(c))
			cancel()
			switch {
			case errors.Is(err, store.ErrNotFound): // another's replay was quicker
			case errors.Is(err, admin.ErrNoEndpoint):
				out.add(admin.Replayed{Detail: admin.ErrNoEndpoint.Error()})
			case err != nil:
				return err
			default:
				out.add(one)
			}
			q.After = h.ID
		}
		if len(list) < q.Limit {
			return sendJSON(c, out)
		}
	}
}

func (s *Server) quarantined(q store.QuarantineQuery) ([]store.Held, error) {
	ctx, cancel := s.withTimeout()
	defer cancel()
	return s.cfg.Store.Quarantined(ctx, q) //nolint:wrapcheck // problemOf knows the store's errors
}

// reason reads the body of an act that needs one.
func reason(c *fiber.Ctx, required bool) (string, error) {
	var in struct {
		Reason string `json:"reason"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return "", err
	}
	r := recipient.Clean(in.Reason, 255)
	if r == "" && required {
		return "", invalid("reason", "required")
	}
	return r, nil
}

func (s *Server) discardHeld(c *fiber.Ctx) error {
	id, err := rowID(c)
	if err != nil {
		return err
	}
	why, err := reason(c, true)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	if err := s.cfg.Store.DiscardHeld(ctx, id, why, s.by(c)); err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return c.SendStatus(http.StatusNoContent)
}

// requestJSON is what somebody asked for on the page of a broken link.
type requestJSON struct {
	ID         int64             `json:"id"`
	Kind       string            `json:"kind"`
	Channel    recipient.Channel `json:"channel"`
	Address    *string           `json:"address"` // null where only the key is known
	Language   *string           `json:"language"`
	ReceivedAt *time.Time        `json:"received_at"`
	ResolvedAt *time.Time        `json:"resolved_at"`
	ResolvedBy *string           `json:"resolved_by"`
	Resolution *string           `json:"resolution"`
}

func (s *Server) listRequests(c *fiber.Ctx) error {
	after, limit, err := page(c)
	if err != nil {
		return err
	}
	all := c.Query("resolved")
	if all != "" && all != "true" && all != "false" {
		return invalid("resolved", "true or false")
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	list, err := s.cfg.Store.Requests(ctx, store.RequestQuery{Resolved: all == "true", After: after, Limit: limit + 1})
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return sendJSON(c, paged(list, limit, func(r store.PersonRequest) int64 { return r.ID }, func(r store.PersonRequest) requestJSON {
		return requestJSON{ID: r.ID, Kind: r.Kind, Channel: r.Channel, Address: text(r.Address.Value()), Language: text(r.Language), ReceivedAt: when(r.ReceivedAt),
			ResolvedAt: when(r.ResolvedAt), ResolvedBy: text(r.ResolvedBy), Resolution: text(r.Resolution)}
	}))
}

func (s *Server) fulfilRequest(c *fiber.Ctx) error { return s.resolve(c, false) }
func (s *Server) discardRequest(c *fiber.Ctx) error {
	return s.resolve(c, true)
}

func (s *Server) resolve(c *fiber.Ctx, discard bool) error {
	id, err := rowID(c)
	if err != nil {
		return err
	}
	why, err := reason(c, false)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	if discard {
		err = s.cfg.Store.DiscardRequest(ctx, id, why, s.by(c))
	} else {
		_, err = s.cfg.Store.FulfilRequest(ctx, id, why, recipient.FromAPI, s.by(c))
	}
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return c.SendStatus(http.StatusNoContent)
}
