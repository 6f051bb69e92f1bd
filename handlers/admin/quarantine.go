package admin

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// heldReasons say in words why a request is held, by the adapters' reasons.
var heldReasons = map[string]string{
	"unreadable":    "not the format we know",
	"no_recipient":  "it names no recipient",
	"bad_recipient": "its recipient is no address",
	"refused_row":   "the database refused it",
}

type quarantineView struct {
	Counts   []heldCount
	Endpoint string
	Reason   string
	Reasons  []string
	Lines    []store.Held
	From     string // where this page begins: "replay all" goes on from here
	Next     string
}

func (quarantineView) page() string  { return "quarantine.html" }
func (quarantineView) title() string { return "Quarantine" }

// Words of a reason.
func (quarantineView) Words(reason string) string { return heldWords(reason) }

type heldCount struct {
	Endpoint string
	N        int
}

func heldWords(reason string) string {
	if w := heldReasons[reason]; w != "" {
		return w
	}
	return reason
}

func (s *Server) showQuarantine(c *Ctx) error {
	v := quarantineView{Endpoint: c.Query("endpoint"), Reason: c.Query("reason"), From: c.Query("after"), Reasons: slices.Sorted(maps.Keys(heldReasons))}
	counts, err := s.cfg.Store.QuarantineCounts(c.Std)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		v.Counts = append(v.Counts, heldCount{name, counts[name]})
	}
	after, _ := strconv.ParseInt(v.From, 10, 64) //nolint:errcheck // junk means from the first
	list, err := s.cfg.Store.Quarantined(c.Std, store.QuarantineQuery{Endpoint: v.Endpoint, Reason: v.Reason, After: after, Limit: queuePage + 1})
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	v.Lines = list
	if len(list) > queuePage {
		v.Lines = list[:queuePage]
		v.Next = heldFilter(v.Endpoint, v.Reason, v.Lines[queuePage-1].ID)
	}
	return s.render(c, http.StatusOK, v)
}

// heldFilter writes the query of a list.
func heldFilter(endpoint, reason string, after int64) string {
	q := url.Values{}
	for name, value := range map[string]string{"endpoint": endpoint, "reason": reason} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if after > 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	return q.Encode()
}

// heldView is one request. Its body is for operators: it holds addresses.
type heldView struct {
	Held    store.Held
	Words   string
	Headers []headerLine
	Body    string
	Binary  bool // Body is a dump
	Cut     bool // Body is the beginning only
	May     bool // see the body, and act
	Gone    bool // its endpoint is not configured any more
}

type headerLine struct{ Name, Value string }

func (heldView) page() string { return "held.html" }
func (v heldView) title() string {
	return "Request " + strconv.FormatInt(v.Held.ID, 10) + " in quarantine"
}

// What a page shows of a body.
const (
	maxBodyText = 64 << 10
	maxBodyDump = 4 << 10
)

func (s *Server) showHeld(c *Ctx) error {
	id, err := heldID(c)
	if err != nil {
		return err
	}
	h, err := s.cfg.Store.Held(c.Std, id)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	v := heldView{Held: h, Words: heldWords(h.Reason), May: c.User.Can(operator)}
	v.Gone = s.svc != nil && !slices.ContainsFunc(s.endpoints(), func(e Endpoint) bool { return e.Name == h.Endpoint })
	if v.May {
		for _, name := range slices.Sorted(maps.Keys(h.Header)) {
			v.Headers = append(v.Headers, headerLine{name, strings.Join(h.Header[name], ", ")})
		}
		v.Body, v.Binary, v.Cut = bodyText(h.Body)
	}
	v.Held.Body, v.Held.Header = nil, nil
	if !v.May {
		v.Held.URL, _, _ = strings.Cut(v.Held.URL, "?") // some providers put the recipient there
	}
	return s.render(c, http.StatusOK, v)
}

// bodyText writes a body so that it can be looked at safely: text without
// control characters, anything else as a dump.
func bodyText(b []byte) (text string, binary, cut bool) {
	if utf8.Valid(b) && !slices.Contains(b, 0) {
		if cut = len(b) > maxBodyText; cut {
			b = b[:maxBodyText]
		}
		return strings.Map(func(r rune) rune {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				return -1 // what would turn the direction of the text, or hide some
			}
			return r
		}, strings.ToValidUTF8(string(b), "\uFFFD")), false, cut
	}
	if cut = len(b) > maxBodyDump; cut {
		b = b[:maxBodyDump]
	}
	return hex.Dump(b), true, cut
}

func heldID(c *Ctx) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return 0, errNotFound
	}
	return id, nil
}

var errNoService = refuse(http.StatusNotImplemented, "This desk is not connected to the service that reads requests.")

// replayOne reads one request again.
func (s *Server) replayOne(c *Ctx) error {
	id, err := heldID(c)
	if err != nil {
		return err
	}
	if s.svc == nil {
		return errNoService
	}
	res, err := s.svc.ReplayHeld(c.Std, id, c.By())
	switch {
	case errors.Is(err, ErrNoEndpoint):
		return refuse(http.StatusConflict, "The endpoint of this request is not configured any more, so nothing can read it. Configure it again, or discard the request.")
	case err != nil:
		return err //nolint:wrapcheck // it says where it comes from
	case !res.Understood:
		return s.to(c, "/admin/quarantine/"+strconv.FormatInt(id, 10), fmt.Sprintf("%s stored, %d known already. The rest is still not understood: %s", events(res.Stored), res.Duplicates, recipient.Clean(res.Detail, 300)))
	}
	return s.to(c, "/admin/quarantine", fmt.Sprintf("Understood: %s stored, %d known already. The request has left quarantine.", events(res.Stored), res.Duplicates))
}

func events(n int) string { return count(n, "event", "events") }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// replayFor is how long one press of "read all again" works, well within what
// a browser waits.
const replayFor = 5 * time.Second

// replayAll reads all requests of a filter again, for some seconds; the page
// that follows goes on from there.
func (s *Server) replayAll(c *Ctx) error {
	if s.svc == nil {
		return errNoService
	}
	endpoint, reason := c.Form("endpoint"), c.Form("reason")
	after, _ := strconv.ParseInt(c.Form("after"), 10, 64) //nolint:errcheck // junk means from the first
	end := time.Now().Add(replayFor)
	var done, left, gone, stored int
	for {
		list, err := s.cfg.Store.Quarantined(c.Std, store.QuarantineQuery{Endpoint: endpoint, Reason: reason, After: after, Limit: queuePage})
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		for _, h := range list {
			if time.Now().After(end) {
				return s.to(c, "/admin/quarantine?"+heldFilter(endpoint, reason, after), replayedText(done, left, gone, stored)+" There are more: read all again to go on.")
			}
			res, err := s.svc.ReplayHeld(c.Std, h.ID, c.By())
			switch {
			case errors.Is(err, ErrNoEndpoint):
				gone++
			case errors.Is(err, store.ErrNotFound): // another's replay was quicker
			case err != nil:
				return err //nolint:wrapcheck // likewise
			case res.Understood:
				done++
			default:
				left++
			}
			stored += res.Stored
			after = h.ID
		}
		if len(list) < queuePage {
			return s.to(c, "/admin/quarantine?"+heldFilter(endpoint, reason, 0), replayedText(done, left, gone, stored))
		}
	}
}

func replayedText(done, left, gone, stored int) string {
	text := fmt.Sprintf("%s understood, %s stored. ", count(done, "request", "requests"), events(stored))
	text += count(left, "request is", "requests are") + " still not understood."
	if gone > 0 {
		text += " " + count(gone, "request belongs", "requests belong") + " to an endpoint that is not configured any more."
	}
	return text
}

func (s *Server) discardHeld(c *Ctx) error {
	id, err := heldID(c)
	if err != nil {
		return err
	}
	reason := reasonIn(c)
	if reason == "" {
		return refuse(http.StatusUnprocessableEntity, "Say why: what a provider reported is lost when it is discarded.")
	}
	if err := s.cfg.Store.DiscardHeld(c.Std, id, reason, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, "/admin/quarantine", "The request is discarded.")
}
