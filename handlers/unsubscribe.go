package handlers

import (
	"context"
	"fmt"
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
	from visitor
}

// visit reads the link of a request. Its error is for noLink: every bad link
// gets the same page.
func (s *Server) visit(c *fiber.Ctx) (visit, error) {
	v, link, err := s.readLink(c, segment(c, "token"))
	if err != nil {
		return visit{}, err
	}
	return visit{Verified: v, link: link, lang: s.language(c, v.Language), from: s.visitor(c)}, nil
}

// showUnsubscribe shows what the button would do. It changes nothing, because
// mail scanners open every link.
func (s *Server) showUnsubscribe(c *fiber.Ctx) error {
	v, err := s.visit(c)
	if err != nil {
		return s.noLink(c, err, s.badLink)
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	return s.page(c, http.StatusOK, v.lang, s.firstView(ctx, v, s.whose(ctx, v)))
}

// unsubscribe opts out: from the page's form or by RFC 8058 one-click, with
// any or no body. It is idempotent, sets no cookie and redirects nowhere.
func (s *Server) unsubscribe(c *fiber.Ctx) error {
	v, err := s.visit(c)
	if err != nil {
		return s.noLink(c, err, s.badLinkForm)
	}
	form := readForm(c)
	ctx, cancel := s.withTimeout()
	defer cancel()
	if v.Preview { // of a test message: it works like the real one and changes nothing
		s.metrics.clicks.WithLabelValues("preview").Inc()
		return s.page(c, http.StatusOK, v.lang, templates.Preview{Link: v.shown(s.whose(ctx, v)), Pressed: true})
	}
	if v.State == tokens.Confirm && !s.nonces.valid(v.TokenID, form.nonce) {
		return s.unconfirmed(ctx, c, v, form)
	}
	again := templates.Unavailable{Path: linkPath(v.link), All: form.all, Nonce: form.nonce, Words: form.words}
	wording := templates.PageConfirm
	if form.all {
		wording = templates.OfferAll
	}
	click := s.click(v, form, wording)
	click.Everything = form.all
	out, err := s.cfg.Store.Click(ctx, click)
	if err != nil {
		return s.cannotStore(err, v.lang, again)
	}
	if out.Spooled {
		return s.received(c, v, form.via)
	}
	who := s.whose(ctx, v)
	if form.all {
		if who.unread {
			return s.cannotStore(errUnread, v.lang, again) // the repeat is harmless
		}
		spooled := false
		for _, o := range who.Others {
			click.Channel, click.Key, click.Everything = o.Channel, o.Key, false
			out, err := s.cfg.Store.Click(ctx, click)
			if err != nil {
				return s.cannotStore(err, v.lang, again)
			}
			spooled = spooled || out.Spooled
		}
		if spooled {
			return s.received(c, v, form.via)
		}
	}
	s.metrics.clicks.WithLabelValues(form.via).Inc()
	if out.Changed && out.Event.Evidence.Suspicious != "" {
		s.metrics.suspicious.Inc()
	}
	return s.page(c, http.StatusOK, v.lang, s.doneView(v, who, out, form.all))
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

// received answers a click that is kept safely and takes effect later. There
// is nothing to read about the person now.
func (s *Server) received(c *fiber.Ctx, v visit, via string) error {
	s.metrics.clicks.WithLabelValues(via).Inc()
	s.metrics.clicks.WithLabelValues("spooled").Inc()
	return s.page(c, http.StatusOK, v.lang, templates.Received{Link: v.shown(person{})})
}

// errUnread: whose link it is could not be read, so neither could what else
// they use.
var errUnread = fmt.Errorf("%w: the person's other channels cannot be read", store.ErrUnavailable)

// cannotStore answers with a page whose button sends the same request again.
func (s *Server) cannotStore(err error, lang string, again templates.Unavailable) error {
	s.metrics.clicks.WithLabelValues("unavailable").Inc()
	p := busy(http.StatusServiceUnavailable, err)
	p.view, p.lang = again, lang
	return p
}

// click is what a link asks for, with its evidence: the wording is that of the
// button, where a button was pressed. A one-click saw no page; its language is
// that of the link, or of the answer. Words that this process does not know,
// because they were shown before it was started anew with others, go without:
// no evidence is better than wrong evidence.
func (s *Server) click(v visit, form clickForm, wording templates.Page) store.Click {
	e := recipient.Evidence{Via: form.via, KeyID: v.KeyID, IssuedAt: v.IssuedAt.UTC().Format(time.RFC3339), Language: v.lang,
		IP: v.from.ip, UserAgent: v.from.userAgent, Suspicious: v.from.suspicion(form.via)}
	pages := s.shown(v.lang, form)
	if pages != nil {
		e.WordingVersion = pages.Version(v.lang)
	}
	if pages != nil && (form.via == viaForm || form.via == viaUndo) {
		e.Wording = pages.Wording(v.lang, wording)
	}
	return store.Click{Channel: v.Channel, Key: v.Key, TokenID: v.TokenID, SendOut: v.SendOut, Evidence: e, Source: recipient.FromLink}
}

// shown returns the pages that a form was on; nil when they are not known.
func (s *Server) shown(lang string, form clickForm) *templates.Pages {
	if form.words == "" {
		return s.cfg.Pages.Pages()
	}
	return s.cfg.Pages.Shown(lang, form.words)
}

// How an opt-out came. bare is a POST that says nothing.
const (
	viaOneClick = "one_click"
	viaForm     = "form"
	viaBare     = "bare"
	viaUndo     = "undo"
)
