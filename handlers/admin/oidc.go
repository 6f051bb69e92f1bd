package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/strikeout/strikeout/store"
)

// methodOIDC is what sessions say that began at the identity provider.
const methodOIDC = "oidc"

// OIDC says which identity provider people may sign in by (OpenID Connect Core
// 1.0, code flow with PKCE). Who may: people whose verified e-mail address is
// the name of a user; and, where Domains or Groups are given, everybody they
// let in.
type OIDC struct {
	Issuer       string // exactly as the provider writes it; https, or http on loopback
	ClientID     string
	ClientSecret string   // empty for a public client
	Title        string   // on the button; default the issuer's host
	Scopes       []string // beyond openid, email and profile
	// Domains of verified e-mail addresses; empty: any.
	Domains []string
	// Groups gives members of a group a role, at every sign-in; empty: roles are
	// kept in the desk. With Groups, somebody in none of them is refused.
	Groups map[string]store.Role
	// GroupsClaim is the claim of the ID token that lists groups; default "groups".
	GroupsClaim string
	// Role is what new people get when Domains lets them in and Groups is empty;
	// default viewer.
	Role store.Role
	// NoPassword switches signing in by password off.
	NoPassword bool
	// Client makes the requests to the provider; nil: one with a timeout.
	Client *http.Client
}

// flowLife is how long somebody may take at the identity provider.
const flowLife = 10 * time.Minute

// clockSkew is how far the identity provider's clock may be from ours.
const clockSkew = 2 * time.Minute

// relyingParty is our side of OpenID Connect.
type relyingParty struct {
	OIDC
	redirect string
	now      func() time.Time

	mu       sync.Mutex
	provider *oidc.Provider // after the first successful discovery
	logout   string         // end_session_endpoint
}

// Check says what is wrong with the settings; it asks nobody.
func (c OIDC) Check() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("admin: oidc: issuer: expected a URL such as https://id.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return errors.New("admin: oidc: issuer: expected https")
	case c.ClientID == "":
		return errors.New("admin: oidc: client_id is missing")
	case c.Role != "" && !c.Role.Valid():
		return errors.New("admin: oidc: role: expected viewer, operator or admin")
	}
	for _, r := range c.Groups {
		if !r.Valid() {
			return errors.New("admin: oidc: groups: expected viewer, operator or admin")
		}
	}
	return nil
}

func newRelyingParty(c OIDC, redirect string, now func() time.Time) (*relyingParty, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Title == "" {
		u, _ := url.Parse(c.Issuer) //nolint:errcheck // Check did
		c.Title = u.Host
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = "groups"
	}
	if c.Role == "" {
		c.Role = store.RoleViewer
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &relyingParty{OIDC: c, redirect: redirect, now: now}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// discover reads the provider's metadata, until it has succeeded once.
func (rp *relyingParty) discover(ctx context.Context) (*oidc.Provider, error) {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	if rp.provider != nil {
		return rp.provider, nil
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, rp.Client), rp.Issuer)
	if err != nil {
		return nil, &failure{status: http.StatusBadGateway, text: "The identity provider does not answer as it should. Please try again in a moment.", cause: errors.New("oidc discovery failed: " + kindOf(err))}
	}
	var more struct {
		Logout string `json:"end_session_endpoint"`
	}
	if err := p.Claims(&more); err == nil && strings.HasPrefix(more.Logout, "http") {
		rp.logout = more.Logout
	}
	rp.provider = p
	return p, nil
}

// kindOf says what failed without quoting an answer, which may hold tokens.
func kindOf(err error) string {
	var re *oauth2.RetrieveError
	var ue *url.Error
	var im *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &re):
		return fmt.Sprintf("the token endpoint refused: %q", re.ErrorCode)
	case errors.As(err, &im):
		return "the issuer is another than the configured one"
	case errors.As(err, &ue):
		return fmt.Sprintf("no connection: %v", ue.Err)
	}
	return fmt.Sprintf("%T", err)
}

func (rp *relyingParty) oauth(p *oidc.Provider) *oauth2.Config {
	scopes := append([]string{oidc.ScopeOpenID, "email", "profile"}, rp.Scopes...)
	return &oauth2.Config{ClientID: rp.ClientID, ClientSecret: rp.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: rp.redirect, Scopes: scopes}
}

// logoutURL is where to sign out at the provider too; empty: it is not known.
func (rp *relyingParty) logoutURL(back string) string {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	u, err := url.Parse(rp.logout)
	if err != nil || rp.logout == "" {
		return ""
	}
	q := u.Query()
	q.Set("client_id", rp.ClientID)
	q.Set("post_logout_redirect_uri", back)
	u.RawQuery = q.Encode()
	return u.String()
}

// claims are what we read of an ID token.
type claims struct {
	Email         string
	EmailVerified bool
	Groups        []string
	Party         string // azp
}

func (rp *relyingParty) claims(t *oidc.IDToken) (claims, error) {
	var raw map[string]any
	if err := t.Claims(&raw); err != nil {
		return claims{}, errors.New("the claims cannot be read")
	}
	c := claims{}
	c.Email, _ = raw["email"].(string)
	c.Party, _ = raw["azp"].(string)
	switch v := raw["email_verified"].(type) {
	case bool:
		c.EmailVerified = v
	case string: // some providers write it so
		c.EmailVerified = v == "true"
	}
	switch v := raw[rp.GroupsClaim].(type) {
	case string:
		c.Groups = []string{v}
	case []any:
		for _, g := range v {
			if s, ok := g.(string); ok {
				c.Groups = append(c.Groups, s)
			}
		}
	}
	return c, nil
}

// admit decides by domains and groups whether somebody may come in. The role is
// empty where the desk keeps it.
func (rp *relyingParty) admit(c claims) (role store.Role, ok bool) {
	if len(rp.Domains) > 0 {
		_, domain, _ := strings.Cut(c.Email, "@")
		if !c.EmailVerified || !slices.ContainsFunc(rp.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return "", false
		}
	}
	if len(rp.Groups) == 0 {
		return "", true
	}
	for _, g := range c.Groups {
		if r, known := rp.Groups[g]; known && (role == "" || r.Includes(role)) {
			role = r
		}
	}
	return role, role != ""
}

// subjectOf names an account by issuer and sub, and by nothing that changes or
// can be given to somebody else, such as an e-mail address.
func subjectOf(issuer, sub string) string {
	h := sha256.New()
	for _, p := range []string{issuer, sub} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])      //nolint:errcheck // a hash never fails
		h.Write([]byte(p)) //nolint:errcheck // a hash never fails
	}
	return "oidc:" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// skewed is the clock that an ID token's end is compared with.
func (rp *relyingParty) skewed() time.Time { return rp.now().Add(-clockSkew) }
