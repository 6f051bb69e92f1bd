package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

type incidentsView struct {
	Present, Past []incidentLine
	May           bool
	// The form that looks for any other time.
	Names    []string
	From, To string
}

func (incidentsView) page() string  { return "incidents.html" }
func (incidentsView) title() string { return "Incidents" }

type incidentLine struct {
	store.Incident
	Text  string
	Query string // of the dry run
}

// formTime is what <input type="datetime-local"> sends; here it is UTC.
const formTime = "2006-01-02T15:04"

func (s *Server) showIncidents(c *Ctx) error {
	list, err := s.cfg.Store.Incidents(c.Std, queuePage)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	now := s.now()
	v := incidentsView{May: c.User.Can(operator), From: now.Add(-24 * time.Hour).Format(formTime), To: now.Add(time.Minute).Format(formTime)}
	for _, e := range s.endpoints() {
		v.Names = append(v.Names, e.Name)
	}
	for _, i := range list {
		if !v.May {
			i.Note = veiled(i.Note)
		}
		q := url.Values{i.Dim: {i.Name}, "from": {i.BeganAt.UTC().Format(formTime)}, "to": {i.LastAt.UTC().Add(time.Minute).Format(formTime)}}
		l := incidentLine{Incident: i, Text: incidentText(i), Query: q.Encode()}
		if i.Dismissed.IsZero() {
			v.Present = append(v.Present, l)
		} else {
			v.Past = append(v.Past, l)
		}
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) dismissIncident(c *Ctx) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return errNotFound
	}
	if err := s.cfg.Store.DismissIncident(c.Std, id, reasonIn(c), c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, "/admin/incidents", "The incident is dismissed. Its addresses stay as they are.")
}

// unblockView is the dry run.
type unblockView struct {
	Scope    store.Scope
	Seen     string // when: what comes in later is not unblocked by this page's form
	Freed    store.Freed
	Sample   []string
	From, To string
	Wrong    string
}

func (unblockView) page() string  { return "unblock.html" }
func (unblockView) title() string { return "Unblock an incident" }

// scopeIn reads a scope from a form or a query.
func scopeIn(value func(name string) string) (store.Scope, string) {
	s := store.Scope{Endpoint: recipient.Clean(value("endpoint"), 128), Rule: recipient.Clean(value("rule"), recipient.MaxCodeBytes)}
	if d := strings.TrimSpace(value("domain")); d != "" {
		a, err := recipient.ParseEmail("a@" + strings.TrimPrefix(d, "@"))
		if err != nil {
			return s, "This is no domain."
		}
		_, s.Domain, _ = strings.Cut(a.Value(), "@")
	}
	var err1, err2 error
	s.From, err1 = time.Parse(formTime, value("from"))
	s.To, err2 = time.Parse(formTime, value("to"))
	switch {
	case s.Endpoint == "" && s.Domain == "":
		return s, "Name an endpoint or a domain."
	case err1 != nil || err2 != nil:
		return s, "Say from when to when, as 2026-01-31T16:45, in UTC."
	case !s.To.After(s.From):
		return s, "The end is not after the beginning."
	case s.To.Sub(s.From) > store.MaxScope:
		return s, "This is longer than seven days. Choose a shorter time."
	}
	return s, ""
}

// previewUnblock is the dry run. It changes nothing.
func (s *Server) previewUnblock(c *Ctx) error { return s.preview(c, c.Query, "") }

func (s *Server) preview(c *Ctx, value func(string) string, wrong string) error {
	scope, bad := scopeIn(value)
	v := unblockView{Scope: scope, Seen: recipient.Micro(s.now()).Format(time.RFC3339Nano), From: recipient.Clean(value("from"), 32), To: recipient.Clean(value("to"), 32), Wrong: wrong}
	if bad != "" {
		v.Wrong = bad
		return s.render(c, http.StatusUnprocessableEntity, v)
	}
	var err error
	if v.Freed, err = s.cfg.Store.PreviewUnblock(c.Std, scope); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	for _, a := range v.Freed.Sample {
		if !a.IsZero() {
			v.Sample = append(v.Sample, a.Mask())
		}
	}
	slices.Sort(v.Sample)
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.render(c, status, v)
}

func (s *Server) unblockIncident(c *Ctx) error {
	reason := reasonIn(c)
	if reason == "" {
		return s.preview(c, c.Form, "Say why: the reason stands in the history of each address.")
	}
	scope, wrong := scopeIn(c.Form)
	if wrong != "" {
		return refuse(http.StatusUnprocessableEntity, wrong)
	}
	if seen := seenField(c).Add(time.Microsecond); seen.Before(scope.To) { // To is not included
		scope.To = seen
	}
	if !scope.To.After(scope.From) {
		return s.preview(c, c.Form, "Look at what would be unblocked, then press the button.")
	}
	freed, err := s.cfg.Store.UnblockIncident(c.Std, scope, recipient.FromAdmin, reason, c.By())
	if err != nil {
		if freed.Free > 0 && !errors.Is(err, store.ErrInvalid) {
			return &failure{status: http.StatusServiceUnavailable, text: fmt.Sprintf("%s unblocked, then the database did not answer. Do it again for the rest.", count(freed.Free, "address is", "addresses are")), cause: err}
		}
		return err //nolint:wrapcheck // likewise
	}
	text := count(freed.Free, "address is", "addresses are") + " unblocked."
	if freed.Kept > 0 {
		text += " " + count(freed.Kept, "address stays", "addresses stay") + " blocked, because something else blocks them too."
	}
	return s.to(c, "/admin/incidents", text+" Providers may still hold blocks of their own.")
}
