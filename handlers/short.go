package handlers

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// LinkStore keeps the short codes of links, and counts links.
type LinkStore interface {
	PutShortLinks(ctx context.Context, links []store.ShortLink) error
	ShortLink(ctx context.Context, code string) (store.ShortLink, error)
	CountLinks(ctx context.Context, issued map[string]int64) error
}

// errManyCodes is for those who try one code after another.
var errManyCodes = errors.New("too many codes that nobody issued")

// readLink reads what stands behind /u/: a token, or a short code, which says
// the same as a token of an active key. It also returns its one spelling.
func (s *Server) readLink(c *fiber.Ctx, link string) (tokens.Verified, string, error) {
	code, err := tokens.ReadCode(link)
	if err != nil {
		v, err := s.cfg.Ring().Verify(link, s.now())
		if err != nil {
			s.metrics.badTokens.WithLabelValues(tokens.Reason(err)).Inc()
		}
		return v, link, err //nolint:wrapcheck // only asked whether it is nil
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	claims, err := s.claims(ctx, code)
	switch {
	case err == nil:
		return tokens.Verified{Claims: claims, State: tokens.Active, TokenID: tokens.TokenID(code)}, code, nil
	case !errors.Is(err, store.ErrNotFound):
		return tokens.Verified{}, code, s.cannotStore(err, s.language(c, ""), templates.Unavailable{Path: linkPath(code)})
	}
	s.metrics.badTokens.WithLabelValues("code").Inc()
	// Codes that were issued are never limited: mailbox providers press for
	// thousands of people from few addresses.
	if !s.badCodes.allow(s.client(c)) {
		return tokens.Verified{}, code, errManyCodes
	}
	return tokens.Verified{}, code, err
}

// claims are what a short code stands for.
func (s *Server) claims(ctx context.Context, code string) (tokens.Claims, error) {
	l, err := s.cfg.Store.ShortLink(ctx, code)
	if err != nil {
		return tokens.Claims{}, err //nolint:wrapcheck // it says where it comes from
	}
	return tokens.Claims{Key: l.Key, Channel: l.Channel, IssuedAt: l.CreatedAt, SendOut: l.SendOut, Language: l.Language, Preview: l.Preview}, nil
}

// noLink answers a request whose link cannot be read, with the page for that.
func (s *Server) noLink(c *fiber.Ctx, err error, page fiber.Handler) error {
	var p *problem
	switch {
	case errors.As(err, &p): // it may be a good one: nobody can tell now
		return p
	case errors.Is(err, errManyCodes) && readForm(c).address == "":
		p = refuse(http.StatusTooManyRequests, "too many links that do not work").head(fiber.HeaderRetryAfter, strconv.Itoa(int(limiterRefill.Seconds())))
		p.view = templates.BadLink{}
		return p
	}
	return page(c)
}
