package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// Scope is something that an API key may do.
type Scope struct{ Name, Help string }

// Scopes are all scopes of API keys. None includes another.
var Scopes = []Scope{
	{"read", "look everything up but quarantined requests, follow the feed, check lists before a send-out"},
	{"mint", "make unsubscribe links"},
	{"write", "block, unblock, opt out and in, save contacts, import lists, deal with requests, quarantine and incidents"},
	{"admin", "erase people, export, read and discard quarantined requests"},
}

// NewAPIKey makes the secret of an API key and what is kept of it.
func NewAPIKey(random io.Reader) (secret string, hash [32]byte, err error) {
	b := make([]byte, 24)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", hash, fmt.Errorf("random source: %w", err)
	}
	secret = "so_live_" + base64.RawURLEncoding.EncodeToString(b)
	return secret, sha256.Sum256([]byte(secret)), nil
}

type keysView struct {
	Keys       []store.APIKey
	Configured []ConfiguredKey
	Scopes     []scopeBox
	Name       string
	Wrong      string
}

type scopeBox struct {
	Scope
	Checked bool
}

func (keysView) page() string  { return "keys.html" }
func (keysView) title() string { return "API keys" }

// keyView shows a new key, once.
type keyView struct {
	Name, Secret string
}

func (keyView) page() string    { return "key.html" }
func (v keyView) title() string { return "The API key " + v.Name }

func (s *Server) showKeys(c *Ctx) error { return s.keys(c, http.StatusOK, "", "", nil) }

func (s *Server) keys(c *Ctx, status int, wrong, name string, scopes []string) error {
	v := keysView{Configured: s.cfg.APIKeys, Wrong: wrong, Name: name}
	for _, sc := range Scopes {
		v.Scopes = append(v.Scopes, scopeBox{sc, slices.Contains(scopes, sc.Name)})
	}
	var err error
	if v.Keys, err = s.cfg.Store.APIKeys(c.Std); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	// Those that work first.
	slices.SortStableFunc(v.Keys, func(a, b store.APIKey) int {
		if a.RevokedAt.IsZero() != b.RevokedAt.IsZero() {
			if a.RevokedAt.IsZero() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return s.render(c, status, v)
}

func (s *Server) addKey(c *Ctx) error {
	name := strings.TrimSpace(c.Form("name"))
	var scopes []string
	for _, sc := range Scopes {
		if c.Form("scope_"+sc.Name) != "" {
			scopes = append(scopes, sc.Name)
		}
	}
	wrong, status := "", http.StatusUnprocessableEntity
	switch {
	case name == "" || len(name) > 64 || recipient.Clean(name, 64) != name:
		wrong = "Give the key a name of at most 64 characters: it stands in the history of what the key does."
	case len(scopes) == 0:
		wrong = "Choose what the key may do."
	case slices.ContainsFunc(s.cfg.APIKeys, func(k ConfiguredKey) bool { return k.Name == name }):
		wrong, status = "The configuration has a key of this name.", http.StatusConflict
	}
	if wrong != "" {
		return s.keys(c, status, wrong, name, scopes)
	}
	secret, hash, err := NewAPIKey(s.cfg.Rand)
	if err != nil {
		return err
	}
	err = s.cfg.Store.MakeAPIKey(c.Std, store.APIKey{Name: name, Scopes: scopes, Hash: hash, CreatedAt: s.now()}, c.By())
	switch {
	case errors.Is(err, store.ErrKeyTaken):
		return s.keys(c, http.StatusConflict, "There is, or was, a key of this name. The history names keys, so choose another.", name, scopes)
	case err != nil:
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.render(c, http.StatusOK, keyView{Name: name, Secret: secret})
}

// revokeKey takes the name as a form field: it may hold any character.
func (s *Server) revokeKey(c *Ctx) error {
	name := c.Form("name")
	if err := s.cfg.Store.EndAPIKey(c.Std, name, c.By()); err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	return s.to(c, "/admin/keys", name+" is refused from now on; running services notice within ten seconds.")
}
