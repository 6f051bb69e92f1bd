package handlers

import (
	"context"
	"errors"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// person is what a page may show of somebody. All of it is optional: the link
// works when the database cannot be read.
type person struct {
	address recipient.Address
	state   recipient.State
	// others are the addresses of the same person on other channels, which
	// "stop everything" stops too.
	others []recipient.Address
	open   bool // at least one of them is not opted out yet, or cannot be read
	unread bool // the database did not answer, so others is not all
}

func (s *Server) whose(ctx context.Context, v visit) person {
	var p person
	r, err := s.cfg.Store.Recipient(ctx, v.Key)
	if err == nil {
		p.address, p.state = r.Address, r.State
	} else if !errors.Is(err, store.ErrNotFound) {
		s.log.Warn("cannot read a recipient for an unsubscribe page", "err", err)
		p.unread = true
		return p
	}
	contacts, err := s.cfg.Store.ContactsOf(ctx, v.Key)
	if err != nil {
		s.log.Warn("cannot read the contacts of a recipient", "err", err)
		p.unread = true
		return p
	}
	for _, ct := range contacts {
		for _, a := range []recipient.Address{ct.Email, ct.Phone} {
			if s.cfg.Keyer.Key(a) == v.Key {
				p.address = a
			}
		}
	}
	p.others = store.Others(contacts, v.Key, v.Channel)
	p.open = s.anyOpen(ctx, p.others)
	return p
}

func (s *Server) anyOpen(ctx context.Context, addresses []recipient.Address) bool {
	if len(addresses) == 0 {
		return false
	}
	keys := make([]recipient.Key, len(addresses))
	for i, a := range addresses {
		keys[i] = s.cfg.Keyer.Key(a)
	}
	states, err := s.cfg.Store.States(ctx, keys)
	if err != nil {
		s.log.Warn("cannot read the other channels of a recipient", "err", err)
		return true // an offer too much does no harm
	}
	for _, k := range keys {
		if !states[k].OptedOut() {
			return true
		}
	}
	return false
}
