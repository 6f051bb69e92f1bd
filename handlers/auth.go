package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
)

// The scopes of API keys. None includes another.
const (
	scopeRead  = "read"  // states, history, contacts
	scopeMint  = "mint"  // unsubscribe links
	scopeWrite = "write" // acts and contacts
	scopeAdmin = "admin" // erasures
)

// keysFresh is how long the store's keys are believed: a revoked key works at
// most that much longer. An unknown key asks again after keysRetry.
const (
	keysFresh = 10 * time.Second
	keysRetry = time.Second
)

// keyring finds the API key that a request carries.
type keyring struct {
	store  Store
	fixed  []APIKey
	now    func() time.Time
	mu     sync.Mutex
	loaded []APIKey
	at     time.Time // of the last successful load
	tried  time.Time
	used   map[string]time.Time // the store's keys by name, until the store knows
}

func newKeyring(st Store, fixed []APIKey, now func() time.Time) *keyring {
	return &keyring{store: st, fixed: fixed, now: now}
}

// find returns the key whose hash is that of secret. Hashes are compared in
// constant time and all of them, so that the time tells nothing.
func (k *keyring) find(ctx context.Context, secret string) (APIKey, bool, error) {
	sum := sha256.Sum256([]byte(secret))
	if key, ok := match(k.fixed, sum); ok {
		return key, true, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	key, ok, err := k.stored(ctx, sum, now)
	if ok {
		k.note(key.Name, now)
	}
	return key, ok, err
}

// stored finds one of the store's keys. It is called under the lock.
func (k *keyring) stored(ctx context.Context, sum [32]byte, now time.Time) (APIKey, bool, error) {
	key, ok := match(k.loaded, sum)
	fresh := now.Sub(k.at) < keysFresh
	if ok && fresh || !ok && fresh && now.Sub(k.tried) < keysRetry {
		return key, ok, nil
	}
	k.tried = now
	stored, err := k.store.APIKeys(ctx)
	if err != nil {
		return APIKey{}, false, fmt.Errorf("read the API keys: %w", err)
	}
	k.loaded = k.loaded[:0]
	for _, s := range stored {
		if s.RevokedAt.IsZero() {
			k.loaded = append(k.loaded, APIKey{Name: s.Name, Scopes: s.Scopes, SHA256: s.Hash})
		}
	}
	k.at = now
	key, ok = match(k.loaded, sum)
	return key, ok, nil
}

// note is called under the lock.
func (k *keyring) note(name string, at time.Time) {
	if k.used == nil {
		k.used = map[string]time.Time{}
	}
	if at.After(k.used[name]) {
		k.used[name] = at
	}
}

// takeUsed returns when keys were used since the last time.
func (k *keyring) takeUsed() map[string]time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	used := k.used
	k.used = nil
	return used
}

// saveKeyUse stores when keys were used: whoever wants to revoke one has to know
// whether something still needs it.
func (s *Server) saveKeyUse() {
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	for name, at := range s.keys.takeUsed() {
		if err := s.cfg.Store.TouchAPIKey(ctx, name, at); err != nil {
			s.log.Warn("cannot store when an API key was used", "err", err)
			s.keys.mu.Lock()
			s.keys.note(name, at)
			s.keys.mu.Unlock()
		}
	}
}

func match(keys []APIKey, sum [32]byte) (found APIKey, ok bool) {
	for _, k := range keys {
		if subtle.ConstantTimeCompare(k.SHA256[:], sum[:]) == 1 {
			found, ok = k, true
		}
	}
	return found, ok
}

// localKey is where authorize leaves the name of the key.
const localKey = "strikeout.api_key"

// authorize lets a request with a key of the given scope pass, or of one of
// several.
func (s *Server) authorize(c *fiber.Ctx, scope string) error {
	scheme, secret, _ := strings.Cut(string(c.Request().Header.Peek(fiber.HeaderAuthorization)), " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		s.metrics.apiDenied.WithLabelValues("no_key").Inc()
		return refuse(http.StatusUnauthorized, "an API key is needed: Authorization: Bearer so_live_...").
			head(fiber.HeaderWWWAuthenticate, `Bearer realm="strikeout"`)
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	key, ok, err := s.keys.find(ctx, secret)
	switch {
	case err != nil:
		return busy(http.StatusServiceUnavailable, err)
	case !ok:
		s.metrics.apiDenied.WithLabelValues("unknown_key").Inc()
		return refuse(http.StatusUnauthorized, "this API key is not known, or was revoked").
			head(fiber.HeaderWWWAuthenticate, `Bearer realm="strikeout", error="invalid_token"`)
	case !slices.ContainsFunc(strings.Fields(scope), func(one string) bool { return slices.Contains(key.Scopes, one) }):
		scope = strings.ReplaceAll(scope, " ", " or ")
		s.metrics.apiDenied.WithLabelValues("scope").Inc()
		return refuse(http.StatusForbidden, "this API key lacks the scope "+scope).with("scope", scope).
			head(fiber.HeaderWWWAuthenticate, fmt.Sprintf(`Bearer realm="strikeout", error="insufficient_scope", scope=%q`, scope))
	}
	if !plain(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) {
		return refuse(http.StatusUnsupportedMediaType, "the API takes bodies without a content encoding")
	}
	c.Locals(localKey, key.Name)
	return nil
}

// by names the API key and its holder's network for the audit log.
func (s *Server) by(c *fiber.Ctx) store.By {
	return store.By{Actor: actor(c), Network: s.client(c).String()}
}

// actor is the name of the API key that acts.
func actor(c *fiber.Ctx) string {
	name, _ := c.Locals(localKey).(string)
	return name
}
