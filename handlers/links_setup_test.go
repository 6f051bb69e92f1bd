package handlers

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// testLinks makes links with one key in each state.
type testLinks struct {
	t    testing.TB
	clk  *clock
	keys map[tokens.State]tokens.Key
}

func newTestLinks(t testing.TB, clk *clock) testLinks {
	l := testLinks{t, clk, map[tokens.State]tokens.Key{}}
	for i, s := range []tokens.State{tokens.Active, tokens.Verify, tokens.Confirm, tokens.Revoked} {
		secret := sha256.Sum256([]byte{byte(i)})
		l.keys[s] = tokens.Key{ID: string(s), Alg: tokens.HS256, State: s, Secret: secret[:]}
	}
	return l
}

func (l testLinks) ring() *tokens.Ring {
	var keys []tokens.Key
	for _, k := range l.keys {
		keys = append(keys, k)
	}
	r, err := tokens.NewRing(keys)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l testLinks) linker(k *recipient.Keyer) *tokens.Linker {
	linker, err := tokens.NewLinker(tokens.LinkerConfig{Ring: l.ring, Keyer: k, PublicURL: "https://u.example.com", Now: l.clk.now})
	if err != nil {
		l.t.Fatal(err)
	}
	return linker
}

// mint signs with the key whose state in the server's ring is s.
func (l testLinks) mint(s tokens.State, c tokens.Claims) string {
	return l.sign(l.keys[s], c)
}

func (l testLinks) sign(k tokens.Key, c tokens.Claims) string {
	k.State = tokens.Active
	r, err := tokens.NewRing([]tokens.Key{k})
	if err != nil {
		l.t.Fatal(err)
	}
	c.SendOut = "send-out"
	t, err := r.Mint(c)
	if err != nil {
		l.t.Fatal(err)
	}
	return t
}

func (l testLinks) of(k recipient.Key) tokens.Claims {
	return tokens.Claims{Key: k, Channel: recipient.Email, IssuedAt: l.clk.now()}
}

func (l testLinks) active(k recipient.Key, c recipient.Channel) string {
	claims := l.of(k)
	claims.Channel = c
	return l.mint(tokens.Active, claims)
}
func (l testLinks) confirm(k recipient.Key) string { return l.mint(tokens.Confirm, l.of(k)) }
func (l testLinks) revoked(k recipient.Key) string { return l.mint(tokens.Revoked, l.of(k)) }
func (l testLinks) preview(k recipient.Key) string {
	claims := l.of(k)
	claims.Preview = true
	return l.mint(tokens.Active, claims)
}
func (l testLinks) minted(k recipient.Key, at time.Time) string {
	claims := l.of(k)
	claims.IssuedAt = at
	return l.mint(tokens.Active, claims)
}

// ending is a link of an outside minter, which may set an end.
func (l testLinks) ending(k recipient.Key, at time.Time) string {
	l.t.Helper()
	key := l.keys[tokens.Active]
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": k.String(), "c": "e", "iat": at.Add(-24 * time.Hour).Unix(), "exp": at.Unix()})
	token.Header["kid"] = key.ID
	signed, err := token.SignedString(key.Secret)
	if err != nil {
		l.t.Fatal(err)
	}
	return signed
}

// forged has the id of the active key and another secret.
func (l testLinks) forged(k recipient.Key) string {
	secret := sha256.Sum256([]byte("another"))
	key := l.keys[tokens.Active]
	key.Secret = secret[:]
	return l.sign(key, l.of(k))
}

func (l testLinks) unknown(k recipient.Key) string {
	key := l.keys[tokens.Active]
	key.ID = "unknown"
	return l.sign(key, l.of(k))
}

var testPageOptions = templates.Options{Sender: "Acme Oy"}

func testPages(t testing.TB) *templates.Pages {
	t.Helper()
	p, err := templates.New(testPageOptions)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testWatcher(t testing.TB, now func() time.Time, dir string) *templates.Watcher {
	t.Helper()
	w, err := templates.NewWatcher(templates.WatcherConfig{Options: testPageOptions, Dir: dir, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func undoError(reason string) error { return &store.UndoError{Reason: reason} }
