package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

// uploadOptions is what somebody said of a list; kept with it as JSON.
type uploadOptions struct {
	Kind         port.Kind      `json:"kind"`
	As           recipient.Kind `json:"as"`
	ListedAt     string         `json:"listed_at"`
	AcceptShared bool           `json:"accept_shared"`
}

type importsView struct {
	Uploads []uploadLine
	Options uploadOptions
	As      []recipient.Kind
	Most    int // MiB
	Wrong   string
}

func (importsView) page() string  { return "imports.html" }
func (importsView) title() string { return "Imports" }

// uploadLine is an upload as a page shows it.
type uploadLine struct {
	store.Upload
	Words   string // the stage
	Class   string // of its tag
	Working bool
	Lost    bool
	Done    int // percent
	Summary port.Summary
	Lines   []string
	Kept    bool // the list is still there
	Rejects bool // there is a file of them
}

var stageWords = map[store.Stage][2]string{
	store.StageChecking: {"being checked", ""},
	store.StageChecked:  {"checked, not imported", "mind"},
	store.StageRunning:  {"being imported", ""},
	store.StageDone:     {"imported", "ok"},
	store.StageFailed:   {"failed", "bad"},
}

func (s *Server) uploadLine(u store.Upload) uploadLine {
	l := uploadLine{Upload: u, Words: stageWords[u.Stage][0], Class: stageWords[u.Stage][1], Lost: u.Lost(s.now()), Kept: s.now().Sub(u.CreatedAt) < store.UploadFor}
	l.Working = (u.Stage == store.StageChecking || u.Stage == store.StageRunning) && !l.Lost
	if l.Lost {
		l.Words, l.Class = "broke off", "bad"
	}
	// A list that could not be read has a report without a kind, and nothing to tell.
	if u.Report != "" && json.Unmarshal([]byte(u.Report), &l.Summary) == nil && l.Summary.Kind != "" {
		l.Lines = l.Summary.Lines()
		l.Rejects = l.Kept && l.Summary.Rejected > 0 && !l.Working && !l.Lost
	}
	if u.Size > 0 {
		l.Done = min(99, int(l.Summary.Bytes*100/u.Size))
	}
	return l
}

func (s *Server) showImports(c *Ctx) error {
	return s.imports(c, http.StatusOK, "", uploadOptions{As: recipient.OptOut})
}

func (s *Server) imports(c *Ctx, status int, wrong string, o uploadOptions) error {
	list, err := s.cfg.Store.Uploads(c.Std)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	v := importsView{Options: o, As: port.Meanings, Most: maxUpload >> 20, Wrong: wrong}
	for _, u := range list {
		v.Uploads = append(v.Uploads, s.uploadLine(u))
	}
	return s.render(c, status, v)
}

// readUpload reads a file of a form. The form has been parsed: its token was
// looked at.
func readUpload(c *Ctx, field string) (name string, body []byte, err error) {
	h, err := c.FormFile(field)
	if err != nil || h.Filename == "" {
		return "", nil, nil
	}
	var f multipart.File
	if f, err = h.Open(); err != nil {
		return "", nil, fmt.Errorf("read the upload: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	body = make([]byte, h.Size)
	if _, err := io.ReadFull(f, body); err != nil {
		return "", nil, fmt.Errorf("read the upload: %w", err)
	}
	return strings.Clone(h.Filename), body, nil
}

// upload keeps a list and starts its dry run.
func (s *Server) upload(c *Ctx) error {
	o := uploadOptions{Kind: port.Kind(c.Form("kind")), As: recipient.Kind(c.Form("as")), ListedAt: strings.TrimSpace(c.Form("listed_at")), AcceptShared: c.Form("accept_shared") != ""}
	if o.As == "" {
		o.As = recipient.OptOut
	}
	name, body, err := readUpload(c, "file")
	if err != nil {
		return err
	}
	listed, terr := port.ParseTime(o.ListedAt)
	wrong := ""
	switch {
	case len(body) == 0:
		wrong = "Choose a file. This one is empty, or none was chosen."
	case o.Kind != "" && !o.Kind.Valid():
		wrong = "Choose what the list holds."
	case !slices.Contains(port.Meanings, o.As):
		wrong = "Choose what an entry means."
	case terr != nil:
		wrong = "Write the date as 2026-11-24."
	case listed.After(s.now()):
		wrong = "The list cannot be from the future."
	}
	if wrong != "" {
		return s.imports(c, http.StatusUnprocessableEntity, wrong, o)
	}
	options, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	id, err := s.cfg.Store.AddUpload(c.Std, store.Upload{Name: name, Options: string(options)}, body, s.jobs.runner, c.By())
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	s.jobs.start(s, id, store.StageChecking, c.By())
	return s.to(c, importPath(id), "")
}

func importPath(id int64) string { return "/admin/imports/" + strconv.FormatInt(id, 10) }

type importView struct{ U uploadLine }

func (importView) page() string    { return "import.html" }
func (v importView) title() string { return "Import of " + v.U.Name }

func (s *Server) uploadOf(c *Ctx) (store.Upload, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return store.Upload{}, errNotFound
	}
	return s.cfg.Store.Upload(c.Std, id) //nolint:wrapcheck // it says where it comes from
}

// showImport says how far an import is. While somebody works on it the browser
// loads the page again by itself: by a header, so that no script is needed.
func (s *Server) showImport(c *Ctx) error {
	u, err := s.uploadOf(c)
	if err != nil {
		return err
	}
	l := s.uploadLine(u)
	if l.Working {
		c.Set("Refresh", "2")
	}
	return s.render(c, http.StatusOK, importView{l})
}

func (s *Server) checkImport(c *Ctx) error { return s.work(c, store.StageChecking) }
func (s *Server) runImport(c *Ctx) error   { return s.work(c, store.StageRunning) }

// work takes an upload and starts a run of it.
func (s *Server) work(c *Ctx, to store.Stage) error {
	u, err := s.uploadOf(c)
	if err != nil {
		return err
	}
	if s.now().Sub(u.CreatedAt) >= store.UploadFor {
		return refuse(http.StatusConflict, "The list was kept for a day and is gone. Upload it again.")
	}
	took, err := s.cfg.Store.TakeUpload(c.Std, u.ID, to, s.jobs.runner, c.By())
	switch {
	case err != nil:
		return err //nolint:wrapcheck // it says where it comes from
	case !took:
		return s.to(c, importPath(u.ID), "This was started already, or has to be checked first.")
	}
	s.jobs.start(s, u.ID, to, c.By())
	return s.to(c, importPath(u.ID), "")
}

func (s *Server) dropImport(c *Ctx) error {
	u, err := s.uploadOf(c)
	if err != nil {
		return err
	}
	if s.uploadLine(u).Working {
		return refuse(http.StatusConflict, "This list is being worked on. Wait until that has ended.")
	}
	if err := s.cfg.Store.DropUpload(c.Std, u.ID, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, "/admin/imports", "The list was deleted. What was imported from it stays.")
}

// rejectsCSV is the file of the records that could not be used.
func (s *Server) rejectsCSV(c *Ctx) error {
	u, err := s.uploadOf(c)
	if err != nil {
		return err
	}
	first, err := s.cfg.Store.UploadPart(c.Std, u.ID, store.UploadRejects, 0)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.stream(c, "text/csv; charset=utf-8", "rejects-"+strconv.FormatInt(u.ID, 10)+".csv", "this file is incomplete\r\n", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
		part, err := first, error(nil)
		for n := 1; err == nil; n++ {
			if _, err := w.Write(part); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			if err := flush(); err != nil {
				return err
			}
			part, err = s.cfg.Store.UploadPart(ctx, u.ID, store.UploadRejects, n)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err //nolint:wrapcheck // it says where it comes from
	})
}

type exportsView struct{}

func (exportsView) page() string  { return "exports.html" }
func (exportsView) title() string { return "Exports" }

func (s *Server) showExports(c *Ctx) error { return s.render(c, http.StatusOK, exportsView{}) }

// export streams a file. It is a form, not a link: it is written down who took
// what, and looking at a page writes nothing down.
func (s *Server) export(c *Ctx) error {
	what := port.Kind(c.Param("what"))
	if !what.Valid() {
		return errNotFound
	}
	if err := s.cfg.Store.Audit(c.Std, port.Exported(what, c.By())); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return s.stream(c, "text/csv; charset=utf-8", string(what)+".csv", "this export is incomplete\r\n", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
		_, err := port.Export(ctx, w, s.cfg.Store, what, func(int) error { return flush() })
		return err //nolint:wrapcheck // it says where it comes from
	})
}
