package handlers

import (
	"context"
	"sync"
)

// linkCounts counts links by the key that signed them, until they are stored.
// They tell an administrator what revoking a key breaks, so that a count that
// is lost in a crash does no harm.
type linkCounts struct {
	mu sync.Mutex
	n  map[string]int64
}

func (l *linkCounts) add(id string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == nil {
		l.n = map[string]int64{}
	}
	l.n[id] += int64(n)
}

func (l *linkCounts) take() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.n
	l.n = nil
	return n
}

// saveLinkCounts stores what was counted since.
func (s *Server) saveLinkCounts() {
	n := s.linkCounts.take()
	if len(n) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	if err := s.cfg.Store.CountLinks(ctx, n); err != nil {
		s.log.Warn("cannot store the counts of links", "err", err)
		for id, v := range n {
			s.linkCounts.add(id, int(v))
		}
	}
}
