package handlers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// page writes one page.
func (s *Server) page(c *fiber.Ctx, status int, lang string, v templates.View) error {
	var b bytes.Buffer
	pages := s.cfg.Pages.Pages()
	if err := pages.Render(&b, lang, v); err != nil {
		return fmt.Errorf("render a page: %w", err)
	}
	for name, value := range pages.Headers() {
		c.Set(name, value)
	}
	c.Set(fiber.HeaderContentLanguage, lang)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	c.Status(status)
	c.Context().Response.SetBodyRaw(b.Bytes())
	return nil
}

// language picks the page's language: the person's choice, the link's, the browser's.
func (s *Server) language(c *fiber.Ctx, ofLink string) string {
	return s.cfg.Pages.Pages().Pick(ofLink, strings.Clone(c.Query("lang")), string(c.Request().Header.Peek(fiber.HeaderAcceptLanguage)))
}

// linkPath is where the forms of a link's pages post to.
func linkPath(token string) string { return "/u/" + url.PathEscape(token) }

// shown is what the pages of a link may show of it.
func (v visit) shown(who person) templates.Link {
	return templates.Link{Path: linkPath(v.link), Channel: v.Channel, Address: templates.Mask(who.Address), SendOut: v.SendOut}
}

// firstView answers whoever opens a link: it asks before anything happens, or
// says that nothing has to.
func (s *Server) firstView(ctx context.Context, v visit, who person) templates.View {
	switch {
	case v.Preview:
		return templates.Preview{Link: v.shown(who)}
	case who.State.OptedOut():
		return templates.Already{Link: v.shown(who), Nonce: s.nonceOf(v), CanUndo: s.canUndo(ctx, v, who), Others: who.open}
	case v.Expired:
		return templates.Expired{Link: v.shown(who), Nonce: s.nonceOf(v), Others: who.open}
	case v.State == tokens.Confirm:
		return s.confirmKeyView(v, who, false)
	}
	return templates.Confirm{Link: v.shown(who), Others: who.open}
}

// confirmKeyView asks with proof that somebody saw the page.
func (s *Server) confirmKeyView(v visit, who person, again bool) templates.View {
	return templates.ConfirmKey{Link: v.shown(who), Nonce: s.nonceOf(v), Again: again, Others: who.open}
}

// nonceOf returns what the buttons of a link's pages need; empty where they
// need nothing.
func (s *Server) nonceOf(v visit) string {
	if v.State != tokens.Confirm {
		return ""
	}
	return s.nonces.issue(v.TokenID)
}

// canUndo reports whether to offer an undo. Where that cannot be told, the
// opt-out stands and the page does without.
func (s *Server) canUndo(ctx context.Context, v visit, who person) bool {
	can, err := s.cfg.Store.CanUndo(ctx, s.click(v, clickForm{via: viaForm}, templates.PageConfirm), who.State, undoWithin)
	return err == nil && can
}

// doneView says what a click did.
func (s *Server) doneView(v visit, who person, out store.Outcome, all bool) templates.View {
	canUndo := out.CanUndo(s.now(), undoWithin)
	switch {
	case all:
		return templates.EverythingStopped{Link: v.shown(who), CanUndo: canUndo}
	case !out.Changed:
		return templates.Already{Link: v.shown(who), Nonce: s.nonceOf(v), CanUndo: canUndo, Others: who.open}
	}
	return templates.Done{Link: v.shown(who), Nonce: s.nonceOf(v), CanUndo: canUndo, Others: who.open}
}

// failPage answers an error on a route for people.
func (s *Server) failPage(c *fiber.Ctx, p *problem) error {
	lang := p.lang
	if lang == "" {
		lang = s.language(c, "")
	}
	view := p.view
	if view == nil {
		view = templates.Unavailable{}
	}
	return s.page(c, p.status, lang, view)
}

// asset serves what pages refer to. Its path changes with its content.
func (s *Server) asset(c *fiber.Ctx) error {
	a, ok := s.cfg.Pages.Asset("/assets/" + segment(c, "name"))
	if !ok {
		return refuse(http.StatusNotFound, "there is nothing here")
	}
	c.Set(fiber.HeaderContentType, a.ContentType)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Context().Response.SetBody(a.Body)
	return nil
}
