package handlers

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
)

const mimeNDJSON = "application/x-ndjson"

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
		Preview  bool   `json:"preview"`
		Short    bool   `json:"short"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	switch {
	case in.Recipients == nil:
		return invalid("recipients", "required")
	case len(in.Recipients) > s.cfg.Limits.Batch:
		return tooMany("recipients", s.cfg.Limits.Batch)
	case !tokens.ValidSendOut(in.SendOut):
		return invalid("send_out", "at most 32 of A-Z a-z 0-9 _ . -")
	case !validLanguage(in.Language):
		return invalid("language", "expected a language tag such as fi or en-GB")
	}
	addresses := make([]recipient.Address, len(in.Recipients))
	for i, r := range in.Recipients {
		var err error
		if addresses[i], err = s.address(r.Channel, r.Address, fmt.Sprintf("recipients[%d].", i)); err != nil {
			return err
		}
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	links, err := s.mint(ctx, addresses, tokens.LinkOptions{SendOut: in.SendOut, Language: in.Language, Preview: in.Preview}, in.Short)
	if err != nil {
		return err
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

// mint makes one link for each address.
func (s *Server) mint(ctx context.Context, addresses []recipient.Address, o tokens.LinkOptions, short bool) ([]linkJSON, error) {
	codes, err := s.codes(ctx, addresses, o, short)
	if err != nil {
		return nil, err
	}
	signs := ""
	if k, ok := s.cfg.Ring().Active(); ok {
		signs = k.ID
	}
	links := make([]linkJSON, len(addresses))
	for i, a := range addresses {
		var l tokens.Link
		if short {
			l, err = s.cfg.Linker.ShortLink(codes[i], codes[i])
		} else {
			o := o
			o.Code = codes[i]
			l, err = s.cfg.Linker.Link(a, o)
		}
		if err != nil {
			return nil, fmt.Errorf("mint a link: %w", err)
		}
		links[i] = linkJSON{l.URL, l.ListUnsubscribe, l.ListUnsubscribePost}
	}
	if !short {
		s.linkCounts.add(signs, len(links))
	}
	return links, nil
}

// codes returns the short code of each address: of the link, or of the mailto
// in its header where that carries one. An address that needs none has an empty
// one.
func (s *Server) codes(ctx context.Context, addresses []recipient.Address, o tokens.LinkOptions, short bool) ([]string, error) {
	codes := make([]string, len(addresses))
	if !short && !s.cfg.Linker.NeedsCode() {
		return codes, nil
	}
	var list []store.ShortLink
	var at []int
	for i, a := range addresses {
		l := store.ShortLink{Key: s.cfg.Keyer.Key(a), Channel: a.Channel(), Preview: o.Preview, CreatedAt: s.now()}
		length := tokens.MailCodeLen
		switch {
		case short:
			l.SendOut, l.Language = o.SendOut, o.Language
			if a.Channel() == recipient.SMS {
				length = tokens.SMSCodeLen
			}
		case a.Channel() != recipient.Email:
			continue
		}
		var err error
		if l.Code, err = tokens.NewCode(s.cfg.Rand, length); err != nil {
			return nil, err //nolint:wrapcheck // it says all
		}
		list, at = append(list, l), append(at, i)
	}
	if err := s.cfg.Store.PutShortLinks(ctx, list); err != nil {
		return nil, err //nolint:wrapcheck // it says where it comes from
	}
	for n, i := range at {
		codes[i] = list[n].Code
	}
	return codes, nil
}
