package handlers

import (
	"context"
	"slices"

	"github.com/strikeout/strikeout/store"
)

// person is what a page may show of somebody. All of it is optional: the link
// works when the database cannot be read.
type person struct {
	store.Person
	open   bool // at least one of the others is not opted out yet
	unread bool // the database did not answer, so nothing is known
}

func (s *Server) whose(ctx context.Context, v visit) person {
	p, err := s.cfg.Store.Person(ctx, v.Channel, v.Key)
	if err != nil {
		s.log.Warn("cannot read a recipient for an unsubscribe page", "err", err)
		return person{unread: true}
	}
	return person{Person: p, open: slices.ContainsFunc(p.Others, func(o store.Recipient) bool { return !o.State.OptedOut() })}
}
