package admin

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

const auditPage = 100

type auditView struct {
	Entries       []store.AuditEntry
	Actor, Action string
	Older         string // the next page; empty: this is the last
	Filter        string // the filter as a query, for the exports
}

func (auditView) page() string  { return "audit.html" }
func (auditView) title() string { return "Audit log" }

func auditQuery(c *Ctx) (store.AuditQuery, url.Values) {
	q := store.AuditQuery{Actor: strings.TrimSpace(c.Query("actor")), Action: strings.TrimSpace(c.Query("action"))}
	filter := url.Values{}
	for name, v := range map[string]string{"actor": q.Actor, "action": q.Action} {
		if v != "" {
			filter.Set(name, v)
		}
	}
	q.Before, _ = strconv.ParseInt(c.Query("before"), 10, 64) //nolint:errcheck // junk means from the newest
	return q, filter
}

func (s *Server) showAudit(c *Ctx) error {
	q, filter := auditQuery(c)
	q.Limit = auditPage + 1
	list, err := s.cfg.Store.Audited(c.Std, q)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	v := auditView{Entries: list, Actor: q.Actor, Action: q.Action, Filter: filter.Encode()}
	if len(list) > auditPage {
		v.Entries = list[:auditPage]
		filter.Set("before", strconv.FormatInt(v.Entries[auditPage-1].ID, 10))
		v.Older = filter.Encode()
	}
	return s.render(c, http.StatusOK, v)
}

// auditLine is one line of the export as JSON.
type auditLine struct {
	ID        int64  `json:"id"`
	At        string `json:"at"`
	Actor     string `json:"actor"`
	Action    string `json:"action"`
	Object    string `json:"object,omitempty"`
	Recipient string `json:"recipient_key,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Network   string `json:"network,omitempty"`
}

func newAuditLine(e store.AuditEntry) auditLine {
	l := auditLine{ID: e.ID, At: e.At.UTC().Format(time.RFC3339Nano), Actor: e.Actor, Action: e.Action, Object: e.Object, Detail: e.Detail, Network: e.Network}
	if !e.Key.IsZero() {
		l.Recipient = e.Key.Hex()
	}
	return l
}

// eachAudit walks the log page by page, newest first.
func (s *Server) eachAudit(ctx context.Context, q store.AuditQuery, flush func() error, f func(auditLine) error) error {
	q.Limit = 1000
	for {
		list, err := s.cfg.Store.Audited(ctx, q)
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		for _, e := range list {
			if err := f(newAuditLine(e)); err != nil {
				return err
			}
			q.Before = e.ID
		}
		if err := flush(); err != nil {
			return err
		}
		if len(list) < q.Limit {
			return nil
		}
	}
}

func (s *Server) auditCSV(c *Ctx) error {
	q, _ := auditQuery(c)
	return s.stream(c, "text/csv; charset=utf-8", "audit.csv", "this export is incomplete\r\n", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
		out := csv.NewWriter(w)
		if err := out.Write([]string{"id", "at", "actor", "action", "object", "recipient_key", "detail", "network"}); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		all := func() error { out.Flush(); return flush() }
		return s.eachAudit(ctx, q, all, func(l auditLine) error {
			return out.Write([]string{strconv.FormatInt(l.ID, 10), l.At, port.Text(l.Actor), port.Text(l.Action), port.Text(l.Object), l.Recipient, port.Text(l.Detail), port.Text(l.Network)}) //nolint:wrapcheck // the client's connection
		})
	})
}

func (s *Server) auditNDJSON(c *Ctx) error {
	q, _ := auditQuery(c)
	return s.stream(c, "application/x-ndjson", "audit.ndjson", `{"incomplete":true}`+"\n", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
		out := json.NewEncoder(w)
		return s.eachAudit(ctx, q, flush, func(l auditLine) error { return out.Encode(l) }) //nolint:wrapcheck // the client's connection
	})
}
