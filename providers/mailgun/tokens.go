package mailgun

import (
	"hash/maphash"
	"sync"
)

// tokens remembers for whom a signature was used. Mailgun signs a timestamp and
// a token and not the event, so whoever has seen one signature could put
// another event under it; here it stays with the recipient it came for. A
// repeated request names the same recipient. It forgets the oldest.
type tokens struct {
	seed maphash.Seed

	mu       sync.Mutex
	now, old map[uint64]uint64
}

// maxTokens is how many signatures one generation holds; about 3 MB.
const maxTokens = 1 << 16

func newTokens() *tokens {
	return &tokens{seed: maphash.MakeSeed(), now: map[uint64]uint64{}, old: map[uint64]uint64{}}
}

// use reports whether the signature is new or was used for this recipient. Ask
// only after the signature was found good.
func (t *tokens) use(timestamp, token, recipient string) bool {
	key := maphash.String(t.seed, timestamp+"\x00"+token)
	who := maphash.String(t.seed, recipient)
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.now[key]
	if !ok {
		known, ok = t.old[key]
	}
	if ok {
		return known == who
	}
	if len(t.now) >= maxTokens {
		t.old, t.now = t.now, make(map[uint64]uint64, maxTokens)
	}
	t.now[key] = who
	return true
}
