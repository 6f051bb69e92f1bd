package handlers

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/mailin"
)

// viaMail is an opt-out by a mail to the address of a List-Unsubscribe header.
const viaMail = "mail"

// MailResult says what became of a mail.
type MailResult struct {
	// Kind is opt-out, unknown, auto-reply or bounce.
	Kind mailin.Kind `json:"kind"`
	// OptedOut counts the codes that were acted on, repetitions included.
	OptedOut int `json:"opted_out"`
	// Kept says that a mail without a code that works waits for an administrator.
	Kept bool `json:"kept"`
}

// mailed takes a mail that somebody's mail server or program posts.
func (s *Server) mailed(c *fiber.Ctx) error {
	raw := bytes.Clone(c.BodyRaw())
	if len(bytes.TrimSpace(raw)) == 0 {
		return refuse(http.StatusBadRequest, "the body is empty, expected a message with its header")
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	res, err := s.UnsubscribeMail(ctx, raw, strings.Clone(c.Query("rcpt")))
	if err != nil {
		return err
	}
	return sendJSON(c, res)
}

// UnsubscribeMail opts out by a mail. Rcpt is the recipient of its envelope,
// where that is known. Only a code counts: the sender is whoever they say. A
// mail without one becomes a request for the administrator, under the address
// that sent it, and changes no state. An error means that the same mail has to
// come again.
func (s *Server) UnsubscribeMail(ctx context.Context, raw []byte, rcpt string) (MailResult, error) {
	var envelope []string
	if rcpt != "" {
		envelope = []string{rcpt}
	}
	m := mailin.Read(raw, envelope, mailin.NewPattern(s.cfg.Mailto))
	res := MailResult{Kind: m.Kind}
	for _, code := range m.Codes {
		done, err := s.mailedCode(ctx, code)
		if err != nil {
			s.metrics.clicks.WithLabelValues("unavailable").Inc()
			return res, err
		}
		if done {
			res.OptedOut++
		}
	}
	if res.OptedOut > 0 || m.Kind == mailin.Auto || m.Kind == mailin.Bounce || m.From.IsZero() {
		return res, nil
	}
	err := s.cfg.Store.AddRequest(ctx, store.PersonRequest{Channel: recipient.Email, Address: m.From, Kind: store.RequestTyped,
		Language: s.cfg.Pages.Pages().Pick("", "", ""), ReceivedAt: s.now()})
	switch {
	case errors.Is(err, store.ErrRequestsFull):
		s.metrics.clicks.WithLabelValues("request_full").Inc()
		s.log.Error("no room for more people's requests: an administrator should read them")
		return res, nil
	case err != nil:
		return res, err //nolint:wrapcheck // it says where it comes from
	}
	s.metrics.clicks.WithLabelValues("request_kept").Inc()
	res.Kept = true
	return res, nil
}

// mailedCode opts out by one code; false when nobody issued it.
func (s *Server) mailedCode(ctx context.Context, code string) (bool, error) {
	claims, err := s.claims(ctx, code)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.metrics.badTokens.WithLabelValues("code").Inc()
		return false, nil
	case err != nil:
		return false, err
	case claims.Preview:
		s.metrics.clicks.WithLabelValues("preview").Inc()
		return true, nil
	}
	_, err = s.cfg.Store.Click(ctx, store.Click{Channel: claims.Channel, Key: claims.Key, TokenID: tokens.TokenID(code), SendOut: claims.SendOut, Source: recipient.FromLink,
		Evidence: recipient.Evidence{Via: viaMail, IssuedAt: claims.IssuedAt.UTC().Format(time.RFC3339), Language: claims.Language}})
	if err != nil {
		return false, err //nolint:wrapcheck // it says where it comes from
	}
	s.metrics.clicks.WithLabelValues(viaMail).Inc()
	return true, nil
}
