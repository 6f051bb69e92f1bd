package handlers

import (
	"net/netip"
	"sync"
	"time"
)

// A client may leave this many requests on broken links. Valid links are never
// limited: mailbox providers click for thousands of people from few addresses.
const (
	limiterBurst  = 10
	limiterRefill = time.Minute // for one more
	limiterRoom   = 10_000      // clients remembered
)

// limiter is a token bucket per client: an IPv4 address or an IPv6 /64.
type limiter struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: map[netip.Prefix]bucket{}}
}

func (l *limiter) allow(a netip.Addr) bool {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	who, err := a.Prefix(bits)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, known := l.buckets[who]
	if !known {
		if len(l.buckets) >= limiterRoom {
			l.forget(now)
		}
		if len(l.buckets) >= limiterRoom {
			return false // under attack from everywhere
		}
		b = bucket{left: limiterBurst, at: now}
	}
	b.left = min(limiterBurst, b.left+float64(now.Sub(b.at))/float64(limiterRefill))
	b.at = now
	ok := b.left >= 1
	if ok {
		b.left--
	}
	l.buckets[who] = b
	return ok
}

// forget drops the buckets that are full again.
func (l *limiter) forget(now time.Time) {
	for who, b := range l.buckets {
		if now.Sub(b.at) >= limiterBurst*limiterRefill {
			delete(l.buckets, who)
		}
	}
}
