package handlers

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/store"
)

// traffic counts what one endpoint accepted and rejected, and why, until the
// store takes it. A count that is lost in a crash does no harm: these are for
// an administrator's eyes.
type traffic struct {
	mu                 sync.Mutex
	accepted, rejected int64
	reasons            map[string]*store.Rejection // by reason without its figures, and hint
	hints              map[string]string           // by reason: of the last request that was examined
	examined           time.Time
}

func (t *traffic) accept() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted++
}

// sameReason is what a reason is counted under: every request is late by
// another number of seconds.
func sameReason(reason string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return -1
		}
		return c
	}, reason)
}

// reject notes a rejection. Examine is true, at most once in examineEvery, when
// the caller should find out what is wrong and call explain; that request is
// noted then.
func (t *traffic) reject(now time.Time, reason string) (examine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rejected++
	if now.Sub(t.examined) >= examineEvery {
		t.examined = now
		return true
	}
	t.note(now, reason, t.hints[sameReason(reason)])
	return false
}

// explain notes a rejection that was examined.
func (t *traffic) explain(at time.Time, reason, hint string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hints == nil || len(t.hints) > store.MaxRejections {
		t.hints = map[string]string{}
	}
	t.hints[sameReason(reason)] = hint
	t.note(at, reason, hint)
}

// note is called under the lock.
func (t *traffic) note(at time.Time, reason, hint string) {
	key := sameReason(reason) + "\x00" + hint
	if t.reasons == nil {
		t.reasons = map[string]*store.Rejection{}
	}
	r := t.reasons[key]
	if r == nil {
		if len(t.reasons) >= store.MaxRejections {
			return // the counter has it
		}
		r = &store.Rejection{FirstAt: at}
		t.reasons[key] = r
	}
	r.Reason, r.Hint, r.LastAt = reason, hint, at
	r.N++
}

// take returns what was counted since the last time.
func (t *traffic) take(endpoint string, now time.Time) (store.Traffic, []store.Rejection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	counted := store.Traffic{Endpoint: endpoint, Hour: now.Truncate(time.Hour), Accepted: t.accepted, Rejected: t.rejected}
	var reasons []store.Rejection
	for _, r := range t.reasons {
		r.Endpoint = endpoint
		reasons = append(reasons, *r)
	}
	t.accepted, t.rejected, t.reasons = 0, 0, nil
	return counted, reasons
}

// giveBack keeps the counters for the next time. The reasons come again by
// themselves.
func (t *traffic) giveBack(c store.Traffic) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted += c.Accepted
	t.rejected += c.Rejected
}

// saveTraffic stores what was counted since.
func (s *Server) saveTraffic() {
	var counted []store.Traffic
	var reasons []store.Rejection
	for name, ep := range s.endpoints {
		c, r := ep.traffic.take(name, s.now())
		if c.Accepted+c.Rejected > 0 {
			counted = append(counted, c)
		}
		reasons = append(reasons, r...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	if err := s.cfg.Store.CountTraffic(ctx, counted, reasons); err != nil {
		s.log.Warn("cannot store what endpoints accepted and rejected", "err", err)
		for _, c := range counted {
			s.endpoints[c.Endpoint].traffic.giveBack(c)
		}
	}
}

// How often events are counted for the desk, and how long it rests between two
// batches of a backlog: in times of what the batch took, because a backlog
// grows when the database has most to do, and the desk can wait.
const (
	tallyEvery = 10 * time.Second
	tallyRest  = 4
	tallyLimit = 30 * time.Second
)

// tally counts events for the desk and looks for incidents, until the server
// stops.
func (s *Server) tally() {
	known := map[int64]bool{}
	failing := false
	var looked time.Time
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-s.base.Done():
			return
		}
		rest := tallyEvery
		ctx, cancel := context.WithTimeout(s.base, tallyLimit)
		began := time.Now()
		_, more, err := s.cfg.Store.RollUp(ctx)
		switch {
		case err != nil:
			if !failing && s.base.Err() == nil { // once, and not each time while the database is away
				s.log.Warn("cannot count events for the desk now", "err", err)
			}
		case more:
			rest = tallyRest * time.Since(began)
		}
		if err == nil && (!more || began.Sub(looked) >= tallyEvery) { // a flood may keep the counting behind for long
			looked = began
			s.brake(ctx, known)
		}
		failing = err != nil
		cancel()
		t.Reset(rest)
	}
}

// brake says when hard bounces jump. Nothing is held back for it.
func (s *Server) brake(ctx context.Context, known map[int64]bool) {
	open, err := s.cfg.Store.Brake(ctx)
	if err != nil {
		if s.base.Err() == nil {
			s.log.Warn("cannot look for incidents now", "err", err)
		}
		return
	}
	n := map[string]int{store.DimEndpoint: 0, store.DimDomain: 0}
	for _, i := range open {
		n[i.Dim]++
		if !known[i.ID] {
			known[i.ID] = true
			s.log.Error("far more hard bounces than usual: look at the desk whether they are true", "incident", i.ID, "by", i.Dim, "hour", i.Peak, "usual", i.Usual)
		}
	}
	for dim, v := range n {
		s.metrics.incidents.WithLabelValues(dim).Set(float64(v))
	}
}

// watchHealth sets the gauges of silent and rejecting endpoints.
func (s *Server) watchHealth() {
	ctx, cancel := context.WithTimeout(s.base, saveTimeout)
	defer cancel()
	list, err := s.cfg.Store.HealthOf(ctx, s.endpointNames())
	if err != nil {
		return // the readiness check says it louder
	}
	for _, h := range list {
		m := s.endpoints[h.Endpoint].meter
		m.silent.Set(zeroOrOne(h.Silent))
		m.jumped.Set(zeroOrOne(h.Jumped))
	}
}

func zeroOrOne(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Endpoints lists what is configured, for the desk.
func (s *Server) Endpoints() []admin.Endpoint {
	var out []admin.Endpoint
	for _, name := range s.endpointNames() {
		i := s.endpoints[name].Info
		out = append(out, admin.Endpoint{Name: name, Provider: i.Name, Title: i.Title})
	}
	return out
}
