package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/mailcheck"
)

type checklistJSON struct {
	Result mailcheck.Level `json:"result"` // of the worst finding
	mailcheck.Report
}

// checkLinks looks at a rendered message before it is sent to everybody.
func (s *Server) checkLinks(c *fiber.Ctx) error {
	raw := bytes.Clone(c.BodyRaw())
	if len(bytes.TrimSpace(raw)) == 0 {
		return refuse(http.StatusBadRequest, "the body is empty, expected a message with its header")
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	r := s.CheckMail(ctx, raw)
	return sendJSON(c, checklistJSON{r.Worst(), r})
}

// CheckMail is what POST /v1/links/check does.
func (s *Server) CheckMail(ctx context.Context, raw []byte) mailcheck.Report {
	return mailcheck.Check(raw, mailcheck.Config{Ring: s.cfg.Ring(), PublicURL: s.cfg.PublicURL, Keyer: s.cfg.Keyer, Mailto: s.cfg.Mailto, Now: s.now(),
		Code: func(code string) (tokens.Claims, error) {
			claims, err := s.claims(ctx, code)
			if errors.Is(err, store.ErrNotFound) {
				err = fmt.Errorf("%w: nobody issued this code", tokens.ErrInvalid)
			}
			return claims, err
		}})
}
