package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// visit is one request to a link that verified.
type visit struct {
	tokens.Verified
	link string // the token as it stands in the path, decoded once
	lang string
}

// visit reads the link of a request. Its error says why not, for metrics and
// nobody else: every bad link gets the same page.
func (s *Server) visit(c *fiber.Ctx) (visit, error) {
	link := segment(c, "token")
	v, err := s.cfg.Ring().Verify(link, s.now())
	if err != nil {
		s.metrics.badTokens.WithLabelValues(tokens.Reason(err)).Inc()
		return visit{}, err //nolint:wrapcheck // only asked whether it is nil
	}
	return visit{Verified: v, link: link, lang: s.language(c, v.Language)}, nil
}

// showUnsubscribe shows what the button would do. It changes nothing, because
// mail scanners open every link.
func (s *Server) showUnsubscribe(c *fiber.Ctx) error {
	v, err := s.visit(c)
	if err != nil {
		return s.badLink(c)
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	view := s.confirmView
	switch {
	case v.Preview:
		view = func(v visit, who person) templates.View { return templates.Preview{Link: v.shown(who)} }
	case v.State == tokens.Confirm:
		view = func(v visit, who person) templates.View { return s.confirmKeyView(v, who, false) }
	}
	return s.page(c, http.StatusOK, v.lang, view(v, s.whose(ctx, v)))
}

// unsubscribe opts out: from the page's form or by RFC 8058 one-click, with
// any or no body. It is idempotent, sets no cookie and redirects nowhere.
func (s *Server) unsubscribe(c *fiber.Ctx) error {
	v, err := s.visit(c)
	if err != nil {
		return s.badLinkForm(c)
	}
	form := readForm(c)
	ctx, cancel := s.withTimeout()
	defer cancel()
	if v.Preview { // of a test message: it works like the real one and changes nothing
		s.metrics.clicks.WithLabelValues("preview").Inc()
		return s.page(c, http.StatusOK, v.lang, templates.Preview{Link: v.shown(s.whose(ctx, v))})
	}
	if v.State == tokens.Confirm && !s.nonces.valid(v.TokenID, form.nonce) {
		return s.unconfirmed(ctx, c, v, form)
	}
	again := templates.Unavailable{Path: linkPath(v.link), All: form.all, Nonce: form.nonce}
	wording := templates.PageConfirm
	if form.all {
		wording = templates.OfferAll
	}
	out, err := s.cfg.Store.Click(ctx, s.click(v, form.via, wording))
	if err != nil {
		return s.cannotStore(err, v.lang, again)
	}
	who := s.whose(ctx, v)
	if form.all {
		for _, o := range who.others {
			click := s.click(v, form.via, wording)
			click.Channel, click.Key = o.Channel(), s.cfg.Keyer.Key(o)
			if _, err := s.cfg.Store.Click(ctx, click); err != nil {
				return s.cannotStore(err, v.lang, again) // the repeat is harmless
			}
		}
	}
	s.metrics.clicks.WithLabelValues(form.via).Inc()
	return s.page(c, http.StatusOK, v.lang, s.doneView(ctx, v, who, out, form.all))
}

// unconfirmed answers a POST to a link whose key may have leaked: whoever
// makes links with it can make the button's request too, but has not seen the
// page. A one-click waits for an administrator; a form is shown again.
func (s *Server) unconfirmed(ctx context.Context, c *fiber.Ctx, v visit, form clickForm) error {
	if form.via == viaForm {
		return s.page(c, http.StatusForbidden, v.lang, s.confirmKeyView(v, s.whose(ctx, v), true))
	}
	err := s.cfg.Store.AddRequest(ctx, store.PersonRequest{Channel: v.Channel, Key: v.Key, TokenID: v.TokenID, Kind: "confirm",
		Language: v.lang, ReceivedAt: s.now()})
	if err != nil {
		return s.cannotStore(err, v.lang, templates.Unavailable{Path: linkPath(v.link)})
	}
	s.metrics.clicks.WithLabelValues("kept").Inc()
	return s.page(c, http.StatusAccepted, v.lang, templates.Pending{Link: v.shown(s.whose(ctx, v))})
}

// cannotStore answers with a page whose button sends the same request again.
func (s *Server) cannotStore(err error, lang string, again templates.Unavailable) error {
	s.metrics.clicks.WithLabelValues("unavailable").Inc()
	p := busy(http.StatusServiceUnavailable, err)
	p.view, p.lang = again, lang
	return p
}

// click is what a link asks for, with its evidence: the wording is that of the
// button, where a button was pressed.
func (s *Server) click(v visit, via string, wording templates.Page) store.Click {
	e := recipient.Evidence{Via: via, KeyID: v.KeyID, IssuedAt: v.IssuedAt.UTC().Format(time.RFC3339)}
	if via == viaForm || via == viaUndo {
		e.Wording, e.Language = s.cfg.Pages.Wording(v.lang, wording), v.lang
	}
	return store.Click{Channel: v.Channel, Key: v.Key, TokenID: v.TokenID, SendOut: v.SendOut, Evidence: e, Source: recipient.FromLink}
}

// person is what a page may show of somebody. All of it is optional: the link
// works when the database cannot be read.
type person struct {
	address recipient.Address
	state   recipient.State
	others  []recipient.Address // of the same contacts, on other channels
}

func (s *Server) whose(ctx context.Context, v visit) person {
	var p person
	r, err := s.cfg.Store.Recipient(ctx, v.Key)
	if err == nil {
		p.address, p.state = r.Address, r.State
	} else if !errors.Is(err, store.ErrNotFound) {
		s.log.Warn("cannot read a recipient for an unsubscribe page", "err", err)
		return p
	}
	contacts, err := s.cfg.Store.ContactsOf(ctx, v.Key)
	if err != nil {
		s.log.Warn("cannot read the contacts of a recipient", "err", err)
		return p
	}
	seen := map[recipient.Address]bool{}
	for _, ct := range contacts {
		for _, a := range []recipient.Address{ct.Email, ct.Phone} {
			if a.IsZero() || seen[a] {
				continue
			}
			seen[a] = true
			switch {
			case s.cfg.Keyer.Key(a) == v.Key:
				p.address = a
			case a.Channel() != v.Channel:
				p.others = append(p.others, a)
			}
		}
	}
	return p
}

// How an opt-out came. bare is a POST that says nothing.
const (
	viaOneClick = "one_click"
	viaForm     = "form"
	viaBare     = "bare"
	viaUndo     = "undo"
)
