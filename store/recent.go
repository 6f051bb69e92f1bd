package store

import (
	"sync"

	"github.com/strikeout/strikeout/recipient"
)

// One duplicate spoils a whole batch: its INSERT fails and is sent again without
// the duplicate. So fingerprints that were stored lately, and all while many
// duplicates come in, are looked up before. This memory only gives hints; the
// table decides.
const (
	recentPrints = 1 << 15 // in each of two generations
	often        = 0.005   // surprising duplicates per event
)

type recent struct {
	mu        sync.Mutex
	young     map[recipient.Fingerprint]struct{}
	old       map[recipient.Fingerprint]struct{}
	surprises float64 // a moving average per event
}

// suspects returns the entries to look up.
func (r *recent) suspects(batch []*entry) []*entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.surprises > often {
		return batch
	}
	var out []*entry
	for _, e := range batch {
		if r.has(e.event.Fingerprint) {
			out = append(out, e)
		}
	}
	return out
}

func (r *recent) has(f recipient.Fingerprint) bool {
	if _, ok := r.young[f]; ok {
		return true
	}
	_, ok := r.old[f]
	return ok
}

// surprise notes the duplicates found among looked-up entries that nobody
// suspected.
func (r *recent) surprise(batch []*entry, found int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range batch {
		if e.fate == known && r.has(e.event.Fingerprint) {
			found--
		}
	}
	r.surprises += 0.05 * float64(max(found, 0)) / float64(len(batch))
}

// note remembers what is in the table now.
func (r *recent) note(batch []*entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.surprises *= 0.95
	for _, e := range batch {
		if e.fate != stored && e.fate != known {
			continue
		}
		if len(r.young) >= recentPrints || r.young == nil {
			r.old, r.young = r.young, make(map[recipient.Fingerprint]struct{}, recentPrints)
		}
		r.young[e.event.Fingerprint] = struct{}{}
	}
}
