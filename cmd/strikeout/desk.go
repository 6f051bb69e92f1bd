package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
)

// deskURL is what administrators call: admin_url, the desk's own listener, or
// what everybody calls.
func (c *config) deskURL() string {
	switch {
	case c.adminURL != "":
		return c.adminURL
	case c.adminListen != "":
		return "http://" + reachable(c.adminListen)
	}
	return c.publicURL
}

func setAdminURL(c *config, v value) error {
	s, _, err := baseURL(v, "https://desk.example.com")
	c.adminURL = s
	return err
}

// newDesk builds the administrators' pages.
func (e *env) newDesk(c *config, db *store.DB, keyer *recipient.Keyer, oidc *admin.OIDC, endpoints map[string]handlers.Endpoint, links *admin.Links) (*admin.Server, error) {
	keys := make([]admin.ConfiguredKey, len(c.apiKeys))
	for i, k := range c.apiKeys {
		keys[i] = admin.ConfiguredKey{Name: k.Name, Scopes: k.Scopes}
	}
	desk, err := admin.New(admin.Config{Store: db, Keyer: keyer, URL: c.deskURL(), APIKeys: keys, OIDC: oidc, Links: links,
		Provider: func(endpoint string) (providers.Info, bool) {
			ep, ok := endpoints[endpoint]
			return ep.Info, ok
		},
		DefaultRegion: c.defaultRegion, Logger: e.logger(c), Now: e.now, Rand: e.rand})
	if err != nil {
		return nil, fmt.Errorf("the administrators' pages: %w", err)
	}
	return desk, nil
}

// openDesk gives the service its desk. When the tables are there, a database
// without an administrator gets a link by which the first is made.
func (a *app) openDesk(e *env, linker *tokens.Linker) (err error) {
	links := &admin.Links{Linker: linker, Ring: a.rings.Ring, Languages: func() []string { return a.pages.Pages().Languages() }, PublicURL: a.cfg.publicURL, Mailto: a.cfg.mailto}
	a.desk, err = e.newDesk(a.cfg, a.db, a.keyer, a.oidc, a.endpoints, links)
	a.first = func(ctx context.Context) error {
		link, err := a.desk.SetupLink(ctx)
		if err != nil || link == "" {
			return err //nolint:wrapcheck // it says where it comes from
		}
		e.printf("There is no administrator yet. Within an hour, open this link to make the first one; it works once:\n  %s\n", link)
		return nil
	}
	return err
}

var oidcKeys = []string{"issuer", "client_id", "client_secret", "title", "scopes", "domains", "groups", "groups_claim", "role", "password_login"}

// oidc reads how people sign in by an identity provider; nil when they do not.
// It fills in the client's secret, so only serve calls it.
func (c *config) oidc() (*admin.OIDC, error) {
	if c.oidcValue == nil {
		return nil, nil
	}
	fields, err := c.oidcValue.fields("keys such as issuer: https://id.example.com")
	if err != nil {
		return nil, err
	}
	o := &admin.OIDC{}
	said := map[string]bool{}
	for _, f := range fields {
		said[f.name] = true
		switch f.name {
		case "issuer":
			o.Issuer, err = f.text("a URL such as https://id.example.com, exactly as the provider writes it")
		case "client_id":
			o.ClientID, err = f.text("the client's id at the provider")
		case "client_secret":
			o.ClientSecret, err = f.text("the client's secret, such as ${OIDC_SECRET}")
		case "title":
			o.Title, err = f.text("the provider's name for people")
		case "scopes":
			o.Scopes, err = f.texts("scopes beyond openid, email and profile")
		case "domains":
			o.Domains, err = f.texts("domains such as example.com")
		case "groups":
			o.Groups, err = groupsOf(f.value)
		case "groups_claim":
			o.GroupsClaim, err = f.text("the claim that lists groups, such as groups")
		case "role":
			o.Role, err = roleOf(f.value)
		case "password_login":
			var yes bool
			yes, err = f.boolean()
			o.NoPassword = !yes
		default:
			err = f.unknown(oidcKeys)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, key := range []string{"issuer", "client_id"} {
		if !said[key] {
			return nil, c.oidcValue.fail("%s: is missing", key)
		}
	}
	if err := o.Check(); err != nil {
		return nil, c.oidcValue.fail("%s", strings.TrimPrefix(err.Error(), "admin: oidc: "))
	}
	return o, nil
}

func groupsOf(v value) (map[string]store.Role, error) {
	fields, err := v.fields("groups and roles such as {strikeout-admins: admin}")
	if err != nil {
		return nil, err
	}
	out := map[string]store.Role{}
	for _, f := range fields {
		if out[f.name], err = roleOf(f.value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func roleOf(v value) (store.Role, error) {
	const expected = "viewer, operator or admin"
	s, err := v.text(expected)
	if err == nil && !store.Role(s).Valid() {
		err = v.fail("expected %s", expected)
	}
	return store.Role(s), err
}

// demoUser signs in to the demonstration's desk.
const demoUser = "demo@example.com"

// addAdministrator makes demoUser with a fresh password. A data directory that
// was kept has the user already.
func (d *demo) addAdministrator(ctx context.Context, a *app) error {
	d.password = strings.ToLower(rand.Text()[:16])
	hash, err := admin.HashPassword(ctx, d.rand, d.password)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	by := store.By{Actor: store.CommandLine}
	u, err := a.db.UserByName(ctx, demoUser)
	if errors.Is(err, store.ErrNotFound) {
		_, err = a.db.AddUser(ctx, store.User{Name: demoUser, Role: store.RoleAdmin, PasswordHash: hash}, by)
	} else if err == nil {
		err = a.db.SetPassword(ctx, u.ID, hash, by)
	}
	if err != nil {
		return fmt.Errorf("make the administrator of the demonstration: %w", err)
	}
	return nil
}
