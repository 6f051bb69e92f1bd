package handlers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

const (
	// importLife is how long one request may import: its body is small.
	importLife = 2 * time.Minute
	// maxRejectsJSON is how many rejected records an answer lists.
	maxRejectsJSON = 1000
)

type rejectJSON struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

type importJSON struct {
	port.Summary
	Rejects []rejectJSON `json:"rejects"` // the first of them
}

// importList answers POST /v1/imports: the body is the list, the answer what
// became of it. Rows stand for themselves; the same list again changes nothing.
func (s *Server) importList(c *fiber.Ctx) error {
	cfg := port.Config{Store: s.cfg.Store, Keyer: s.cfg.Keyer, Kind: port.Kind(strings.Clone(c.Query("kind"))), As: recipient.Kind(strings.Clone(c.Query("as"))),
		FileName: strings.Clone(c.Query("file_name")), Region: s.cfg.DefaultRegion, Actor: actor(c), Now: s.cfg.Now, Patience: s.cfg.Limits.StoreTimeout}
	for name := range c.Context().QueryArgs().All() {
		if !slices.Contains(importParams, string(name)) { // perhaps dry_run, written otherwise
			return invalid("query", "this route knows "+strings.Join(importParams, ", "))
		}
	}
	var err error
	if cfg.DryRun, err = queryBool(c, "dry_run"); err != nil {
		return err
	}
	if cfg.AcceptShared, err = queryBool(c, "accept_shared"); err != nil {
		return err
	}
	cfg.ListedAt, err = port.ParseTime(c.Query("listed_at"))
	switch {
	case err != nil, cfg.ListedAt.After(s.now()):
		return invalid("listed_at", "expected a date such as 2026-11-24, not in the future")
	case cfg.Kind != "" && !cfg.Kind.Valid():
		return invalid("kind", "use contacts or suppressions")
	}
	body := bytes.Clone(c.BodyRaw())
	if len(body) == 0 {
		return refuse(http.StatusBadRequest, "the body is empty, expected a list as CSV")
	}
	out := importJSON{Rejects: []rejectJSON{}}
	cfg.Rejected = func(line int, reason string) {
		if len(out.Rejects) < maxRejectsJSON {
			out.Rejects = append(out.Rejects, rejectJSON{line, reason})
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), importLife)
	defer cancel()
	cfg.By, cfg.Audit = s.by(c), func(e store.AuditEntry) error { return s.cfg.Store.Audit(ctx, e) } //nolint:wrapcheck // port does
	out.Summary, err = port.Import(ctx, bytes.NewReader(body), cfg)
	var list *port.ListError
	switch {
	case errors.As(err, &list):
		return invalid("body", err.Error())
	case err != nil:
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return sendJSON(c, out)
}

// importParams are all that importList knows: what is misspelled there must not
// turn a dry run into an import.
var importParams = []string{"kind", "dry_run", "as", "listed_at", "accept_shared", "file_name"}

// queryBool is false where the parameter is missing, and an error where it
// stands without a value: that may be meant as yes.
func queryBool(c *fiber.Ctx, name string) (bool, error) {
	if !c.Context().QueryArgs().Has(name) {
		return false, nil
	}
	b, err := strconv.ParseBool(c.Query(name))
	if err != nil {
		return false, invalid(name, "use true or false")
	}
	return b, nil
}

// exportList answers GET /v1/exports/{what} with CSV of any size.
func (s *Server) exportList(c *fiber.Ctx) error {
	what := port.Kind(segment(c, "what"))
	if !what.Valid() {
		return refuse(http.StatusNotFound, "there are exports of contacts and of suppressions")
	}
	if c.Method() == fiber.MethodHead { // nothing is taken
		c.Set(fiber.HeaderContentType, csvType)
		return nil
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	if err := s.cfg.Store.Audit(ctx, port.Exported(what, s.by(c))); err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return admin.Stream(c, s.log, csvType, string(what)+".csv", "this export is incomplete\r\n", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
		_, err := port.Export(ctx, w, s.cfg.Store, what, func(int) error { return flush() })
		return err //nolint:wrapcheck // it says where it comes from
	})
}

const csvType = "text/csv; charset=utf-8"
