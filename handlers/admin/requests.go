package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// queuePage is how many lines a page of a queue has.
const queuePage = 50

type requestsView struct {
	Lines   []requestLine
	Waiting int
	All     bool   // with those that somebody dealt with
	Next    string // the next page; empty: this is the last
}

func (requestsView) page() string  { return "requests.html" }
func (requestsView) title() string { return "Requests" }

// requestLine is a request, with what is known of the address.
type requestLine struct {
	store.PersonRequest
	Line   addressLine
	Known  bool // something is known of the address
	Typed  bool
	Closed bool
}

func (s *Server) showRequests(c *Ctx) error {
	v := requestsView{All: c.Query("all") != ""}
	after, _ := strconv.ParseInt(c.Query("after"), 10, 64) //nolint:errcheck // junk means from the first
	list, err := s.cfg.Store.Requests(c.Std, store.RequestQuery{Resolved: v.All, After: after, Limit: queuePage + 1})
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if len(list) > queuePage {
		list = list[:queuePage]
		q := url.Values{"after": {strconv.FormatInt(list[queuePage-1].ID, 10)}}
		if v.All {
			q.Set("all", "1")
		}
		v.Next = q.Encode()
	}
	keys := make([]recipient.Key, len(list))
	for i, r := range list {
		keys[i] = r.Key
	}
	known, err := s.cfg.Store.Recipients(c.Std, keys)
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	if v.Waiting, err = s.cfg.Store.RequestCount(c.Std); err != nil {
		return err //nolint:wrapcheck // likewise
	}
	for _, r := range list {
		of, found := known[r.Key]
		if !found {
			of = store.Recipient{Key: r.Key, Channel: r.Channel}
		}
		if of.Address.IsZero() {
			of.Address = r.Address
		}
		if !c.User.Can(operator) {
			r.Resolution = veiled(r.Resolution)
		}
		v.Lines = append(v.Lines, requestLine{PersonRequest: r, Line: newLine(c, of), Known: found, Typed: r.Kind == store.RequestTyped, Closed: !r.ResolvedAt.IsZero()})
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) fulfilRequest(c *Ctx) error {
	return s.resolve(c, "The address is opted out.", func(id int64) error {
		_, err := s.cfg.Store.FulfilRequest(c.Std, id, reasonIn(c), recipient.FromAdmin, c.By())
		return err //nolint:wrapcheck // it says where it comes from
	})
}

func (s *Server) discardRequest(c *Ctx) error {
	return s.resolve(c, "The request is discarded. Nothing else has changed.", func(id int64) error {
		return s.cfg.Store.DiscardRequest(c.Std, id, reasonIn(c), c.By()) //nolint:wrapcheck // likewise
	})
}

// reasonIn returns what somebody wrote as a reason, which may be empty.
func reasonIn(c *Ctx) string {
	return recipient.Clean(strings.TrimSpace(c.Form("reason")), 255)
}

func (s *Server) resolve(c *Ctx, message string, do func(id int64) error) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return errNotFound
	}
	err = do(id)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(http.StatusNotFound, "This request is gone, or somebody else has dealt with it. Load the list again.")
	}
	if err != nil {
		return err
	}
	return s.to(c, "/admin/requests", message)
}
