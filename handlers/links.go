package handlers

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

const (
	mimeNDJSON = "application/x-ndjson"
	maxSendOut = 32
)

type linkJSON struct {
	URL                 string `json:"url"`
	ListUnsubscribe     string `json:"list_unsubscribe"`
	ListUnsubscribePost string `json:"list_unsubscribe_post"`
}

// links mints unsubscribe links, in the order of the request: as one JSON
// array, or as one object a line on Accept: application/x-ndjson.
func (s *Server) links(c *fiber.Ctx) error {
	var in struct {
		Recipients []struct {
			Channel recipient.Channel `json:"channel"`
			Address string            `json:"address"`
		} `json:"recipients"`
		SendOut  string `json:"send_out"`
		Language string `json:"language"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	switch {
	case in.Recipients == nil:
		return invalid("recipients", "required")
	case len(in.Recipients) > s.cfg.Limits.Batch:
		return tooMany("recipients", s.cfg.Limits.Batch)
	case !validSendOut(in.SendOut):
		return invalid("send_out", "at most 32 of A-Z a-z 0-9 _ . -")
	case !validLanguage(in.Language):
		return invalid("language", "expected a language tag such as fi or en-GB")
	}
	links := make([]linkJSON, len(in.Recipients))
	for i, r := range in.Recipients {
		a, err := s.address(r.Channel, r.Address, fmt.Sprintf("recipients[%d].", i))
		if err != nil {
			return err
		}
		l, err := s.cfg.Linker.Link(a, tokens.LinkOptions{SendOut: in.SendOut, Language: in.Language})
		if err != nil {
			return fmt.Errorf("mint a link: %w", err)
		}
		links[i] = linkJSON{l.URL, l.ListUnsubscribe, l.ListUnsubscribePost}
	}
	if !strings.Contains(c.Get(fiber.HeaderAccept), mimeNDJSON) {
		return sendJSON(c, links)
	}
	c.Set(fiber.HeaderContentType, mimeNDJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	w := c.Context().Response.BodyWriter()
	for _, l := range links {
		if err := json.MarshalWrite(w, l); err != nil {
			return err //nolint:wrapcheck // a buffer does not fail
		}
		if _, err := w.Write([]byte{'\n'}); err != nil {
			return err //nolint:wrapcheck // a buffer does not fail
		}
	}
	return nil
}

func validSendOut(s string) bool {
	return len(s) <= maxSendOut && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
}
