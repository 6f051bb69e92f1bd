package handlers

import (
	"errors"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
)

// badLink is the one page for every link that does not verify. It says nothing
// about why, and takes a typed address as a request for the administrator.
func (s *Server) badLink(c *fiber.Ctx) error {
	return s.badLinkPage(c, false)
}

func (s *Server) badLinkPage(c *fiber.Ctx, missing bool) error {
	s.metrics.clicks.WithLabelValues("bad_link").Inc()
	return s.page(c, http.StatusNotFound, s.language(c, ""), templates.BadLink{Missing: missing})
}

// badLinkForm takes the address that somebody typed on that page. The answer
// is the same for every input, and no state changes: anybody can type anybody's
// address.
func (s *Server) badLinkForm(c *fiber.Ctx) error {
	form := readForm(c)
	if form.address == "" {
		return s.badLinkPage(c, form.via == viaForm)
	}
	lang := s.language(c, "")
	a, err := recipient.ParseEmail(form.address)
	if err != nil {
		a, err = recipient.ParsePhone(form.address, s.cfg.DefaultRegion)
	}
	switch {
	case err != nil:
		s.metrics.clicks.WithLabelValues("request_unreadable").Inc()
	case !s.badLinks.allow(s.client(c)):
		s.metrics.clicks.WithLabelValues("request_limited").Inc()
	default:
		ctx, cancel := s.withTimeout()
		defer cancel()
		err := s.cfg.Store.AddRequest(ctx, store.PersonRequest{Channel: a.Channel(), Address: a, Kind: "typed", Language: lang, ReceivedAt: s.now()})
		switch {
		case errors.Is(err, store.ErrRequestsFull):
			s.metrics.clicks.WithLabelValues("request_full").Inc()
			s.log.Error("no room for more people's requests: an administrator should read them")
		case err != nil:
			return s.cannotStore(err, lang, templates.Unavailable{Address: form.address})
		default:
			s.metrics.clicks.WithLabelValues("request_kept").Inc()
		}
	}
	return s.page(c, http.StatusAccepted, lang, templates.Requested{})
}

// isLinkPath tells a damaged link, such as /u/ alone, from a program's wrong
// path.
func isLinkPath(path string) bool {
	first, _, _ := firstSegments(path)
	return first == "u"
}
