package tokens

import (
	"crypto/ed25519"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// State says what the links of a key may still do.
type State string

// The states of a key.
const (
	Active  State = "active"  // signs new links, and reads its own
	Verify  State = "verify"  // reads its links; for ever, unless something happened to it
	Confirm State = "confirm" // may have leaked: its links need somebody who has seen the page
	Revoked State = "revoked" // its links are broken links
)

// Valid reports whether s is one of the states.
func (s State) Valid() bool { return s == Active || s == Verify || s == Confirm || s == Revoked }

// The algorithms of keys, as JWT headers spell them.
const (
	HS256 = "HS256" // our own links: one secret signs and verifies
	EdDSA = "EdDSA" // outside minters: they sign with Private, we hold Public
)

// MinSecretBytes is the least length of an HS256 secret (RFC 7518, section 3.2).
const MinSecretBytes = 32

// Key is one key of a Ring.
type Key struct {
	ID        string             // the JWT's kid: 1 to 16 of a-z 0-9
	Alg       string             // HS256 or EdDSA
	State     State              //
	Secret    []byte             // HS256: at least MinSecretBytes
	Public    ed25519.PublicKey  // EdDSA
	Private   ed25519.PrivateKey // EdDSA, only where we sign with it ourselves
	CreatedAt time.Time          // zero: not known
}

// CanSign reports whether new tokens can be signed with k.
func (k Key) CanSign() bool {
	return k.Alg == HS256 && len(k.Secret) > 0 || k.Alg == EdDSA && len(k.Private) > 0
}

// String names the key and nothing secret of it.
func (k Key) String() string { return "key " + k.ID + " (" + k.Alg + ", " + string(k.State) + ")" }

// GoString is String, so that %#v is as harmless as %v.
func (k Key) GoString() string { return k.String() }

// Ring holds the keys of an installation. It never changes and is safe for
// concurrent use: Add, Rotate and SetState return another ring.
type Ring struct {
	keys   []*ringKey // in the order of the file
	byID   map[string]*ringKey
	active *ringKey // nil: this ring reads only
}

// Errors of rings.
var (
	ErrNoActiveKey = errors.New("no active key: new links cannot be signed")
	ErrNoKey       = errors.New("no such key")
)

// NewRing checks the keys: distinct ids, known algorithms and states, secrets
// that are long and look random, at most one active key, which can sign.
// Without an active key the ring reads links and cannot mint. Errors name the
// key by its id and nothing of the key.
func NewRing(keys []Key) (*Ring, error) {
	for _, k := range keys {
		if k.isPublished() {
			return nil, fmt.Errorf("key %q: %w", k.ID, errPublished)
		}
	}
	return newRing(keys)
}

// newRing is NewRing for tests, which use the published keys.
func newRing(keys []Key) (*Ring, error) {
	r := &Ring{byID: make(map[string]*ringKey, len(keys))}
	for i, k := range keys {
		if !validKeyID(k.ID) {
			return nil, fmt.Errorf("key %d of %d: the id must be 1 to 16 of a-z and 0-9", i+1, len(keys))
		}
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("key %q: %w", k.ID, err)
		}
		if r.byID[k.ID] != nil {
			return nil, fmt.Errorf("key %q: two keys have this id", k.ID)
		}
		rk := newRingKey(k)
		if k.State == Active {
			if r.active != nil {
				return nil, fmt.Errorf("key %q: active, but so is %q: only one key signs", k.ID, r.active.ID)
			}
			r.active = rk
		}
		r.byID[k.ID] = rk
		r.keys = append(r.keys, rk)
	}
	return r, nil
}

func validKeyID(id string) bool {
	if len(id) < 1 || len(id) > 16 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Keys returns the keys in their order. Their bytes are shared: do not change
// them.
func (r *Ring) Keys() []Key {
	keys := make([]Key, len(r.keys))
	for i, k := range r.keys {
		keys[i] = k.Key
	}
	return keys
}

// Key returns the key with this id.
func (r *Ring) Key(id string) (Key, bool) {
	k, ok := r.byID[id]
	if !ok {
		return Key{}, false
	}
	return k.Key, true
}

// Active returns the key that signs new tokens, if there is one.
func (r *Ring) Active() (Key, bool) {
	if r.active == nil {
		return Key{}, false
	}
	return r.active.Key, true
}

// Add returns a ring with one more key, such as an outside minter's.
func (r *Ring) Add(k Key) (*Ring, error) { return NewRing(append(r.Keys(), k)) }

// Rotate returns a ring in which k is the active key and the one that was
// active verifies.
func (r *Ring) Rotate(k Key) (*Ring, error) {
	keys := r.Keys()
	for i := range keys {
		if keys[i].State == Active {
			keys[i].State = Verify
		}
	}
	k.State = Active
	return NewRing(append(keys, k))
}

// SetState returns a ring in which the key has another state. Making a key
// active demotes the one that was; the active key itself cannot be demoted
// before another took its place, because nobody could mint.
func (r *Ring) SetState(id string, s State) (*Ring, error) {
	keys := r.Keys()
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	switch {
	case i < 0:
		return nil, fmt.Errorf("key %q: %w", id, ErrNoKey)
	case keys[i].State == Active && s != Active:
		return nil, fmt.Errorf("key %q: it is the active key: rotate first, then change its state", id)
	}
	if s == Active {
		for j := range keys {
			if keys[j].State == Active {
				keys[j].State = Verify
			}
		}
	}
	keys[i].State = s
	return NewRing(keys)
}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// GenerateKey makes a new active key from the random source, with a random id
// of five characters: ids stand in every token and should be short.
func GenerateKey(rand io.Reader, now time.Time, alg string) (Key, error) {
	k := Key{Alg: alg, State: Active, CreatedAt: now.UTC().Truncate(time.Second)}
	var id [4]byte
	if _, err := io.ReadFull(rand, id[:]); err != nil {
		return Key{}, fmt.Errorf("random source: %w", err)
	}
	k.ID = lowerBase32.EncodeToString(id[:])[:5]
	seed := make([]byte, MinSecretBytes)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return Key{}, fmt.Errorf("random source: %w", err)
	}
	switch alg {
	case HS256:
		k.Secret = seed
	case EdDSA:
		k.Private = ed25519.NewKeyFromSeed(seed)
		k.Public = k.Private.Public().(ed25519.PublicKey)
	default:
		return Key{}, errAlg
	}
	return k, nil
}
