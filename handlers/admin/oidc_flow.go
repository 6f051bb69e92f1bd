package admin

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"

	"github.com/strikeout/strikeout/store"
)

// flow is one sign-in under way. The browser keeps it in a cookie, so that only
// the browser that began can end it, and nobody can fill our memory with flows.
type flow struct {
	state, nonce, verifier string
	expires                int64
	next                   string
}

func (f flow) encode() string {
	return strings.Join([]string{f.state, f.nonce, f.verifier, strconv.FormatInt(f.expires, 10), base64.RawURLEncoding.EncodeToString([]byte(f.next))}, ".")
}

func (s *Server) readFlow(cookie string) (flow, bool) {
	parts := strings.Split(cookie, ".")
	if len(parts) != 5 {
		return flow{}, false
	}
	expires, err := strconv.ParseInt(parts[3], 10, 64)
	next, nerr := base64.RawURLEncoding.DecodeString(parts[4])
	if err != nil || nerr != nil || s.now().Unix() >= expires || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return flow{}, false
	}
	return flow{parts[0], parts[1], parts[2], expires, localPath(string(next))}, true
}

func (s *Server) flowCookie() string { return s.boundName("so-oidc") }

// startOIDC sends the browser to the identity provider. It is a link and no
// form: the content security policy would stop a form's redirect.
func (s *Server) startOIDC(c *Ctx) error {
	if s.oidc == nil || c.Method() != fiber.MethodGet {
		return errNotFound
	}
	p, err := s.oidc.discover(c.Std)
	if err != nil {
		return err
	}
	f := flow{verifier: oauth2.GenerateVerifier(), expires: s.now().Add(flowLife).Unix(), next: localPath(c.Query("next"))}
	for _, to := range []*string{&f.state, &f.nonce} {
		if *to, _, err = s.newSecret(); err != nil {
			return err
		}
	}
	s.setCookie(c, s.flowCookie(), f.encode(), flowLife)
	c.Set(fiber.HeaderLocation, s.oidc.oauth(p).AuthCodeURL(f.state, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier)))
	c.Status(http.StatusSeeOther)
	return nil
}

func refuseOIDC(why string) error {
	return &failure{status: http.StatusForbidden, text: "The identity provider could not sign you in here. " + why, cause: errors.New("oidc: " + why)}
}

// endOIDC is where the identity provider sends the browser back to.
func (s *Server) endOIDC(c *Ctx) error {
	if s.oidc == nil || c.Method() != fiber.MethodGet {
		return errNotFound
	}
	f, ok := s.readFlow(strings.Clone(c.Cookies(s.flowCookie())))
	s.setCookie(c, s.flowCookie(), "", 0) // one try
	switch iss := c.Query("iss"); {
	case !ok:
		return refuseOIDC("The sign-in was not begun in this browser, or it took too long. Please begin again.")
	case !hmac.Equal([]byte(f.state), []byte(c.Query("state"))):
		return refuseOIDC("The answer does not belong to this sign-in. Please begin again.")
	case iss != "" && iss != s.oidc.Issuer: // RFC 9207
		return refuseOIDC("The answer comes from another provider.")
	case c.Query("error") != "" || c.Query("code") == "":
		return refuseOIDC("It refused.")
	}
	token, err := s.exchange(c, f)
	if err != nil {
		return s.oidcFailed(c, err)
	}
	cl, err := s.oidc.claims(token)
	if err == nil && (len(token.Audience) > 1 || cl.Party != "") && cl.Party != s.oidc.ClientID {
		err = refuseOIDC("Its answer was made for another program.")
	}
	if err != nil {
		return s.oidcFailed(c, err)
	}
	u, err := s.oidcUser(c, subjectOf(token.Issuer, token.Subject), cl)
	if err != nil {
		return s.oidcFailed(c, err)
	}
	if err := s.signIn(c, u, methodOIDC); err != nil {
		return err
	}
	return s.to(c, f.next, "")
}

// oidcFailed writes an attempt down that came from a provider's answer.
func (s *Server) oidcFailed(c *Ctx, err error) error {
	entry := store.AuditEntry{Actor: "unknown", Action: "login.failed", Detail: "by " + methodOIDC, Network: c.network()}
	if aerr := s.cfg.Store.Audit(c.Std, entry); aerr != nil {
		c.Log.Warn("cannot write the audit log", "err", aerr)
	}
	return err
}

// exchange turns the code into an ID token and checks it: signature, issuer,
// audience, times and nonce.
func (s *Server) exchange(c *Ctx, f flow) (*oidc.IDToken, error) {
	p, err := s.oidc.discover(c.Std)
	if err != nil {
		return nil, err
	}
	ctx := oidc.ClientContext(c.Std, s.oidc.Client)
	answer, err := s.oidc.oauth(p).Exchange(ctx, c.Query("code"), oauth2.VerifierOption(f.verifier))
	if err != nil {
		return nil, &failure{status: http.StatusBadGateway, text: "The identity provider did not confirm the sign-in. Please begin again.", cause: errors.New("oidc: " + kindOf(err))}
	}
	raw, _ := answer.Extra("id_token").(string)
	if raw == "" {
		return nil, refuseOIDC("Its answer has no ID token.")
	}
	token, err := p.Verifier(&oidc.Config{ClientID: s.oidc.ClientID, Now: s.oidc.skewed}).Verify(ctx, raw)
	if err != nil {
		return nil, refuseOIDC("Its answer is not valid.")
	}
	switch {
	case !hmac.Equal([]byte(token.Nonce), []byte(f.nonce)):
		return nil, refuseOIDC("Its answer belongs to another sign-in.")
	case token.Subject == "" || len(token.Subject) > 255:
		return nil, refuseOIDC("Its answer names nobody.")
	case token.IssuedAt.After(s.oidc.now().Add(clockSkew)):
		return nil, refuseOIDC("Its clock is ahead of ours.")
	}
	return token, nil
}

// oidcUser finds, links or makes the user of an account.
func (s *Server) oidcUser(c *Ctx, subject string, cl claims) (store.User, error) {
	role, ok := s.oidc.admit(cl)
	if !ok {
		return store.User{}, refuseOIDC("Your account may not use this desk. Ask its administrator.")
	}
	by := store.By{Actor: methodOIDC, Network: c.network()}
	u, err := s.cfg.Store.UserBySubject(c.Std, subject)
	if errors.Is(err, store.ErrNotFound) {
		u, err = s.newOIDCUser(c, subject, cl, role, by)
	}
	if err != nil {
		return store.User{}, err
	}
	if !u.DisabledAt.IsZero() {
		return store.User{}, refuseOIDC("Your account may not use this desk. Ask its administrator.")
	}
	if role != "" && role != u.Role {
		err := s.cfg.Store.SetRole(c.Std, u.ID, role, by)
		if errors.Is(err, store.ErrLastAdmin) {
			return store.User{}, refuseOIDC("Your groups there make you less than an administrator, and you are the last one here.")
		}
		if err != nil {
			return store.User{}, err //nolint:wrapcheck // it says where it comes from
		}
		u.Role = role
	}
	return u, nil
}

// newOIDCUser links an account that we see for the first time to the user whose
// name is its verified e-mail address, or makes a user where domains or groups
// let everybody in.
func (s *Server) newOIDCUser(c *Ctx, subject string, cl claims, role store.Role, by store.By) (store.User, error) {
	name := store.UserName(cl.Email)
	if name == "" || !cl.EmailVerified {
		return store.User{}, refuseOIDC("It does not say that your e-mail address is verified.")
	}
	u, err := s.cfg.Store.UserByName(c.Std, name)
	switch {
	case err == nil && u.DisabledAt.IsZero():
		err = s.cfg.Store.LinkSubject(c.Std, u.ID, subject, by)
		if errors.Is(err, store.ErrTaken) {
			return store.User{}, refuseOIDC("The user of your e-mail address belongs to another account.")
		}
		return u, err //nolint:wrapcheck // it says where it comes from
	case err == nil:
		return u, nil // the caller refuses
	case !errors.Is(err, store.ErrNotFound):
		return store.User{}, err //nolint:wrapcheck // it says where it comes from
	case len(s.oidc.Domains) == 0 && len(s.oidc.Groups) == 0:
		return store.User{}, refuseOIDC("Your account may not use this desk. Ask its administrator.")
	}
	if role == "" {
		role = s.oidc.Role
	}
	return s.cfg.Store.AddUser(c.Std, store.User{Name: name, Role: role, Subject: subject}, by) //nolint:wrapcheck // it says where it comes from
}
