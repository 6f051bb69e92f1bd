package admin

import (
	"slices"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// listHint tells where a provider keeps an address on a list of its own, and how
// to take it off there: what is lifted here alone leaves the provider refusing.
type listHint struct {
	Provider, Title string
	Page            string
	Command         string
	Note            string
}

// provider finds what is known of the provider behind an endpoint.
func (s *Server) provider(endpoint string) (providers.Info, bool) {
	if s.cfg.Provider == nil {
		return providers.Info{}, false
	}
	return s.cfg.Provider(endpoint)
}

// ownLists are the lists of those providers that told something of these kinds
// since it was lifted last. What counts now may be another's word, such as a block
// by hand: the provider drops messages nonetheless.
func (s *Server) ownLists(c *Ctx, r store.Recipient, since time.Time, kinds ...recipient.Kind) ([]listHint, error) {
	told, err := s.cfg.Store.Told(c.Std, r.Key, since)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says where it comes from
	}
	var out []listHint
	seen := map[string]bool{}
	address := r.Address.Value()
	if address == "" {
		address = "ADDRESS"
	}
	for _, e := range told {
		if !slices.Contains(kinds, e.Kind) {
			continue
		}
		info, ok := s.provider(e.Endpoint)
		if !ok {
			info.Title = "The provider of the endpoint " + e.Endpoint
		}
		found := false
		for _, l := range info.Lists {
			if !l.Holds(e.Kind) {
				continue
			}
			found = true
			if h := (listHint{info.Title, l.Title, l.Page, l.Fill(address), l.Note}); !seen[h.Provider+h.Title] {
				seen[h.Provider+h.Title] = true
				out = append(out, h)
			}
		}
		if !found && !seen[info.Title] {
			seen[info.Title] = true
			out = append(out, listHint{Provider: info.Title})
		}
	}
	return out, nil
}
