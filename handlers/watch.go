package handlers

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/store"
)

// A wrong secret after a rotation must not lose a day of bounces. An endpoint
// that worked until recently and now rejects everything is more likely
// misconfigured than attacked: after alarmAfter it raises an alert, and where
// the provider never repeats what was answered with a 4xx, it is told to come
// again, for at most mercyFor.
const (
	workedWithin = 24 * time.Hour
	alarmAfter   = 5 * time.Minute
	mercyFor     = 24 * time.Hour
)

// watch follows one endpoint. The zero watch has accepted nothing yet.
type watch struct {
	final bool // Info.RejectFinal

	mu             sync.Mutex
	lastAccepted   time.Time
	savedAccepted  time.Time // what the database knows
	rejectingSince time.Time // of an unbroken run of rejections
	alarmSince     time.Time
}

// accept notes a stored request and reports whether that ended an alarm.
func (w *watch) accept(now time.Time) (calm bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	calm = !w.alarmSince.IsZero()
	w.lastAccepted, w.rejectingSince, w.alarmSince = now, time.Time{}, time.Time{}
	return calm
}

// reject notes a rejection. Alarm is true once, when the alarm begins; mercy
// while the provider should be told to come again.
func (w *watch) reject(now time.Time) (alarm, mercy bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rejectingSince.IsZero() {
		w.rejectingSince = now
	}
	worked := !w.lastAccepted.IsZero() && w.rejectingSince.Sub(w.lastAccepted) <= workedWithin
	if worked && w.alarmSince.IsZero() && now.Sub(w.rejectingSince) >= alarmAfter {
		w.alarmSince, alarm = now, true
	}
	mercy = w.final && !w.alarmSince.IsZero() && now.Sub(w.alarmSince) < mercyFor
	return alarm, mercy
}

// unsaved returns the last acceptance when the database does not know it yet.
func (w *watch) unsaved() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastAccepted, w.lastAccepted.After(w.savedAccepted)
}

func (w *watch) saved(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.savedAccepted = at
	if w.lastAccepted.Before(at) {
		w.lastAccepted = at
	}
}

func (s *Server) accepted(ep *endpoint, now time.Time) {
	ep.meter.accepted.Inc()
	ep.meter.lastAccepted.Set(float64(now.UnixMilli()) / 1000)
	ep.traffic.accept()
	if ep.watch.accept(now) {
		ep.meter.rejecting.Set(0)
		s.log.Info("endpoint accepts requests again", "endpoint", ep.Name)
	}
}

// reject answers a request that is not authentic. It is nil where the guard in
// front of the adapter turned it away.
func (s *Server) reject(c *fiber.Ctx, ep *endpoint, now time.Time, r *providers.Request, err error) error {
	ep.meter.rejected.Inc()
	var alarm, mercy bool
	if worthALook(c) {
		alarm, mercy = ep.watch.reject(now)
		s.note(c, ep, now, r, err)
	}
	if alarm {
		ep.meter.rejecting.Set(1)
		s.log.Error("endpoint accepted requests within the last day and now rejects all of them: is its secret still right?",
			"endpoint", ep.Name, "provider", ep.Info.Name, "err", err)
	}
	if mercy {
		return ep.busy(err)
	}
	p := &problem{status: http.StatusUnauthorized, detail: err.Error(), cause: err}
	if ep.Guard.WantsBasic() {
		return p.head(fiber.HeaderWWWAuthenticate, `Basic realm="strikeout"`)
	}
	return p
}

// note counts a rejection, and now and then has one examined.
func (s *Server) note(c *fiber.Ctx, ep *endpoint, now time.Time, r *providers.Request, err error) {
	reason := reasonOf(err)
	if !ep.traffic.reject(now, reason) {
		return
	}
	x := s.suspectOf(c, ep, r, err, reason)
	if x == nil {
		hint := ""
		if r == nil {
			hint = s.guardHint(c, ep)
		}
		ep.traffic.explain(now, reason, hint)
		return
	}
	select {
	case s.suspects <- x:
	default:
		ep.traffic.explain(now, reason, "")
	}
}

// The moment of the last acceptance outlives a restart, because that is when
// secrets change.
const (
	saveEvery   = time.Minute
	saveTimeout = 5 * time.Second
)

// start begins the background work, once.
func (s *Server) start() {
	s.started.Do(func() {
		s.loadWatches()
		s.work.Go(s.examine)
		s.work.Go(s.tally)
		s.work.Go(func() {
			t := time.NewTicker(saveEvery)
			defer t.Stop()
			for {
				s.saveWatches()
				s.countQuarantine()
				s.saveLinkCounts()
				s.saveKeyUse()
				s.saveTraffic()
				s.watchHealth()
				select {
				case <-t.C:
				case <-s.base.Done():
					return
				}
			}
		})
	})
}

func (s *Server) loadWatches() {
	ctx, cancel := context.WithTimeout(s.base, saveTimeout)
	defer cancel()
	for name, ep := range s.endpoints {
		v, ok, err := s.cfg.Store.Meta(ctx, store.MetaLastAccepted+name)
		if err != nil || !ok {
			continue // unknown is the same as never
		}
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			ep.watch.saved(at)
			ep.meter.lastAccepted.Set(float64(at.UnixMilli()) / 1000)
		}
	}
}

func (s *Server) saveWatches() {
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	for name, ep := range s.endpoints {
		at, ok := ep.watch.unsaved()
		if !ok {
			continue
		}
		if err := s.cfg.Store.SetMeta(ctx, store.MetaLastAccepted+name, at.UTC().Format(time.RFC3339Nano)); err != nil {
			s.log.Warn("cannot save when an endpoint last accepted something", "endpoint", name, "err", err)
			return
		}
		ep.watch.saved(at)
	}
}

func (s *Server) countQuarantine() {
	ctx, cancel := context.WithTimeout(s.base, saveTimeout)
	defer cancel()
	counts, err := s.cfg.Store.QuarantineCounts(ctx)
	if err != nil {
		return // the readiness check says it louder
	}
	for name, ep := range s.endpoints {
		ep.meter.held.Set(float64(counts[name]))
	}
}
