package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
)

// undoWithin is how long a click can be taken back.
const undoWithin = 24 * time.Hour

// undo takes back this link's own opt-out, which is an opt-in and needs
// consent: the person pressed a button whose words are kept with it.
func (s *Server) undo(c *fiber.Ctx) error {
	v, err := s.visit(c)
	if err != nil {
		return s.noLink(c, err, s.badLinkForm)
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	who := s.whose(ctx, v)
	if v.Preview {
		return s.page(c, http.StatusOK, v.lang, templates.Preview{Link: v.shown(who), Pressed: true})
	}
	if v.from.scanner { // a program that presses every button consents to nothing
		s.metrics.clicks.WithLabelValues("undo_refused").Inc()
		return s.page(c, http.StatusForbidden, v.lang, s.firstView(ctx, v, who))
	}
	form := readForm(c)
	form.via = viaUndo
	if s.shown(v.lang, form) == nil { // consent to words that nobody knows any more is none: ask again
		return s.page(c, http.StatusOK, v.lang, s.firstView(ctx, v, who))
	}
	click := s.click(v, form, templates.OfferUndo)
	click.Evidence.Consent = &recipient.Consent{Source: "unsubscribe page", Wording: click.Evidence.Wording, At: s.now()}
	_, err = s.cfg.Store.Undo(ctx, click, undoWithin)
	var refused *store.UndoError
	switch {
	case errors.As(err, &refused) && refused.Reason == store.UndoNone && s.cameBack(who.State):
		return s.page(c, http.StatusOK, v.lang, templates.Undone{Link: v.shown(who), Nonce: s.nonceOf(v)}) // the button twice, or the page loaded again
	case errors.As(err, &refused):
		s.metrics.clicks.WithLabelValues("undo_refused").Inc()
		return s.page(c, http.StatusConflict, v.lang, templates.UndoRefused{Link: v.shown(who), Reason: templates.UndoReason(refused.Reason)})
	case err != nil:
		return s.cannotStore(err, v.lang, templates.Unavailable{Path: linkPath(v.link), Undo: true, Words: form.words})
	}
	s.metrics.clicks.WithLabelValues("undone").Inc()
	return s.page(c, http.StatusOK, v.lang, templates.Undone{Link: v.shown(who), Nonce: s.nonceOf(v)})
}

// cameBack reports whether the person has opted in within the time that an
// undo is offered, and still is.
func (s *Server) cameBack(st recipient.State) bool {
	return !st.OptedOut() && !st.OptedInAt.IsZero() && s.now().Sub(st.OptedInAt) <= undoWithin
}
