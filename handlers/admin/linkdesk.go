package admin

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/linkcsv"
	"github.com/strikeout/strikeout/tokens/mailcheck"
)

// Links is what the link desk needs.
type Links struct {
	Linker    *tokens.Linker
	Ring      func() *tokens.Ring
	Languages func() []string // of the recipients' pages
	PublicURL string
	Mailto    string // the Linker's, whose codes mails carry; empty: none
}

// LinkCodes keeps the short codes that linkcsv makes.
func LinkCodes(db *store.DB) func(context.Context, []linkcsv.Code) error {
	return func(ctx context.Context, codes []linkcsv.Code) error {
		links := make([]store.ShortLink, len(codes))
		for i, k := range codes {
			links[i] = store.ShortLink{Code: k.Code, Key: k.Key, Channel: k.Channel, SendOut: k.SendOut, Language: k.Language, Preview: k.Preview}
		}
		err := db.PutShortLinks(ctx, links)
		for i := range links {
			codes[i].Code = links[i].Code
		}
		return err //nolint:wrapcheck // linkcsv does
	}
}

// LinkSuppressed tells linkcsv whom to leave out.
func LinkSuppressed(db *store.DB) func(context.Context, []recipient.Key) ([]bool, error) {
	return func(ctx context.Context, keys []recipient.Key) ([]bool, error) {
		states, err := db.CheckStates(ctx, keys)
		out := make([]bool, len(keys))
		for i, k := range keys {
			out[i] = states[k].Suppressed()
		}
		return out, err //nolint:wrapcheck // linkcsv does
	}
}

// LinkCode looks a short code up for mailcheck.
func LinkCode(ctx context.Context, db *store.DB) func(string) (tokens.Claims, error) {
	return func(code string) (tokens.Claims, error) {
		l, err := db.ShortLink(ctx, code)
		if errors.Is(err, store.ErrNotFound) {
			return tokens.Claims{}, fmt.Errorf("%w: nobody issued this code", tokens.ErrInvalid)
		}
		return tokens.Claims{Key: l.Key, Channel: l.Channel, IssuedAt: l.CreatedAt, SendOut: l.SendOut, Language: l.Language, Preview: l.Preview}, err //nolint:wrapcheck // looked at only
	}
}

const maxMail = 2 << 20

type linksView struct {
	Addresses, SendOut, Language string
	Skip, Short                  bool
	Previews                     []preview
	Most                         int // MiB
	Wrong                        string
	WrongMail                    string
	Checked                      bool
	Report                       mailcheck.Report
}

// preview is the recipient's page in one language.
type preview struct{ Tag, URL string }

func (linksView) page() string  { return "links.html" }
func (linksView) title() string { return "Links" }

func (s *Server) showLinks(c *Ctx) error { return s.linkDesk(c, http.StatusOK, linksView{}) }

// previewAddress is nobody's: the link opens the page and changes nothing.
var previewAddress = recipient.Stored(recipient.Email, "preview@example.com")

func (s *Server) linkDesk(c *Ctx, status int, v linksView) error {
	v.Most = maxLinkList >> 20
	for _, tag := range s.cfg.Links.Languages() {
		o := tokens.LinkOptions{Language: tag, Preview: true}
		if s.cfg.Links.Linker.NeedsCode() {
			o.Code = strings.Repeat("a", tokens.MailCodeLen) // of the header, which nobody uses
		}
		l, err := s.cfg.Links.Linker.Link(previewAddress, o)
		if errors.Is(err, tokens.ErrNoActiveKey) {
			break
		}
		if err != nil {
			return fmt.Errorf("make a preview: %w", err)
		}
		v.Previews = append(v.Previews, preview{tag, l.URL})
	}
	return s.render(c, status, v)
}

// makeLinks adds links to addresses that were typed or to a list. The answer is
// a file; with rejects it is a ZIP that holds both.
func (s *Server) makeLinks(c *Ctx) error {
	v := linksView{Addresses: c.Form("addresses"), SendOut: strings.TrimSpace(c.Form("send_out")), Language: strings.TrimSpace(c.Form("language")), Skip: c.Form("skip") != "", Short: c.Form("short") != ""}
	_, list, err := readUpload(c, "file")
	if err != nil {
		return err
	}
	var layout listcsv.Layout
	if len(list) == 0 {
		list, layout = typed(v.Addresses), listcsv.Layout{Delimiter: ',', Header: listcsv.HeaderYes, Email: "address", Phone: "address"}
	}
	cfg := linkcsv.Config{Linker: s.cfg.Links.Linker, Keyer: s.cfg.Keyer, Layout: layout, Region: s.cfg.DefaultRegion, Options: tokens.LinkOptions{SendOut: v.SendOut, Language: v.Language},
		Short: v.Short, Codes: LinkCodes(s.cfg.Store), Rand: s.cfg.Rand, Now: s.cfg.Now, Workers: 1}
	if v.Skip {
		cfg.Suppressed = LinkSuppressed(s.cfg.Store)
	}
	_, active := s.cfg.Links.Ring().Active()
	switch {
	case len(list) == 0:
		v.Wrong = "Paste addresses, one on a line, or choose a file."
	case !tokens.ValidSendOut(v.SendOut):
		v.Wrong = "The name of the send-out has at most 32 of A-Z a-z 0-9 _ . -"
	case !tokens.ValidLanguage(v.Language):
		v.Wrong = "Write the language as a tag such as fi or en-GB."
	case !active:
		v.Wrong = "There is no key that signs links: strikeout keys new makes one."
	}
	if v.Wrong != "" {
		return s.linkDesk(c, http.StatusUnprocessableEntity, v)
	}
	// Once without links, which is quick: a list that makes no sense is told on the
	// page, and whether there will be rejects decides what the answer is.
	probe := cfg
	probe.SubOnly = true
	sum, err := linkcsv.Run(c.Std, bytes.NewReader(list), io.Discard, probe)
	var unusable *linkcsv.ListError
	switch {
	case errors.As(err, &unusable):
		v.Wrong = "This list cannot be used: " + err.Error() + "."
		return s.linkDesk(c, http.StatusUnprocessableEntity, v)
	case err != nil:
		return fmt.Errorf("make links: %w", err)
	case sum.Rows == 0:
		v.Wrong = fmt.Sprintf("There is no address in it. Line %d: %v.", sum.FirstLine, sum.First)
		return s.linkDesk(c, http.StatusUnprocessableEntity, v)
	}
	entry := store.AuditEntry{Actor: c.User.Name, Network: c.network(), Action: "links", Detail: fmt.Sprintf("%d links", sum.Written)}
	if v.SendOut != "" {
		entry.Object = "send-out " + v.SendOut
	}
	if err := s.cfg.Store.Audit(c.Std, entry); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	if sum.Rejected == 0 {
		return s.stream(c, "text/csv; charset=utf-8", "links.csv", "this list is incomplete\r\n", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
			return s.writeLinks(ctx, list, w, nil, cfg, flush)
		})
	}
	return s.stream(c, "application/zip", "links.zip", "", func(ctx context.Context, w *bufio.Writer, flush func() error) error {
		z := zip.NewWriter(w)
		out, err := z.Create("links.csv")
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		var bad bytes.Buffer // of a list that is in memory as well
		if err := s.writeLinks(ctx, list, out, &bad, cfg, flush); err != nil {
			return err
		}
		if out, err = z.Create("rejects.csv"); err == nil {
			_, err = out.Write(bad.Bytes())
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	})
}

func (s *Server) writeLinks(ctx context.Context, list []byte, w io.Writer, bad io.Writer, cfg linkcsv.Config, flush func() error) error {
	cfg.Rejects = bad
	cfg.Progress = func(linkcsv.Summary) { _ = flush() } //nolint:errcheck // the next write says it
	signs, _ := s.cfg.Links.Ring().Active()
	sum, err := linkcsv.Run(ctx, bytes.NewReader(list), w, cfg)
	if err != nil {
		return fmt.Errorf("make links: %w", err)
	}
	if sum.Minted > 0 {
		if err := s.cfg.Store.CountLinks(ctx, map[string]int64{signs.ID: int64(sum.Minted)}); err != nil {
			s.log.Debug("cannot count the links", "err", err)
		}
	}
	return nil
}

// typed makes a list of addresses that somebody typed or pasted: one on a line, or
// several between commas, semicolons or blanks, or as mail programs write them.
func typed(text string) []byte {
	var all []string
	for line := range strings.Lines(text) {
		if list, err := netmail.ParseAddressList(strings.TrimSpace(line)); err == nil {
			for _, a := range list {
				all = append(all, a.Address)
			}
			continue
		}
		for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ';' }) {
			if strings.Contains(part, "@") {
				all = append(all, strings.Fields(part)...)
			} else if part = strings.TrimSpace(part); part != "" { // a number may have blanks in it
				all = append(all, part)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	out := []byte("address\n")
	for _, a := range all {
		out = append(listcsv.AppendField(out, []byte(a), ','), '\n')
	}
	return out
}

// checkMail looks at a message that somebody pasted or uploaded.
func (s *Server) checkMail(c *Ctx) error {
	_, raw, err := readUpload(c, "message")
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		raw = []byte(c.Form("mail"))
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return s.linkDesk(c, http.StatusUnprocessableEntity, linksView{WrongMail: "Paste a message with its header, or choose a file that ends in .eml."})
	}
	// A browser's text field has CRLF line ends; where people copied from has blank
	// lines before the header.
	raw = bytes.TrimLeft(raw, "\r\n \t")
	report := mailcheck.Check(raw, mailcheck.Config{Ring: s.cfg.Links.Ring(), PublicURL: s.cfg.Links.PublicURL, Keyer: s.cfg.Keyer, Mailto: s.cfg.Links.Mailto, Now: s.now(), Code: LinkCode(c.Std, s.cfg.Store)})
	return s.linkDesk(c, http.StatusOK, linksView{Checked: true, Report: report})
}
