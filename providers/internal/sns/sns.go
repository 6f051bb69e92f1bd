// Package sns checks messages in the format of Amazon's Simple Notification
// Service, which others speak too.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
// (read 2026-11-20): an RSA signature over chosen members, with a certificate
// that the message names. A good signature proves only that some customer's
// topic sent the message, so topics are an allow-list.
package sns

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

// The types of messages.
const (
	Notification   = "Notification"
	Subscription   = "SubscriptionConfirmation"
	Unsubscription = "UnsubscribeConfirmation" // its SubscribeURL subscribes again: never fetch it
)

// Envelope is a message. Members that are signed are kept as they are.
type Envelope struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	SignatureVersion wire.Text
	Signature        wire.Text
	SigningCertURL   string
	SubscribeURL     string
	Token            string
}

// Read reads the envelope, whatever the content type says. Errors are ErrJSON.
func Read(r *providers.Request) (*Envelope, error) {
	var e Envelope
	if err := wire.Decode(r.Body, &e); err != nil {
		return nil, err
	}
	return &e, nil
}

// text returns what is signed.
func (e *Envelope) text() []byte {
	out := make([]byte, 0, len(e.Message)+512)
	add := func(name, value string) { out = append(append(append(append(out, name...), '\n'), value...), '\n') }
	add("Message", e.Message)
	add("MessageId", e.MessageID)
	if e.Type == Notification {
		if e.Subject != nil {
			add("Subject", *e.Subject)
		}
	} else {
		add("SubscribeURL", e.SubscribeURL)
	}
	add("Timestamp", e.Timestamp)
	if e.Type != Notification {
		add("Token", e.Token)
	}
	add("TopicArn", e.TopicArn)
	add("Type", e.Type)
	return out
}

// Rules are what differs between the services that speak this format.
type Rules struct {
	Provider string
	// CertURL and SubscribeURL are asked whether an https URL without credentials
	// and port, that a message names, belongs to the service. Region is that of
	// the topic.
	CertURL      func(u *url.URL, region string) bool
	SubscribeURL func(u *url.URL, region string) bool
	// Leaf is asked whether a fetched certificate is one that signs messages; nil:
	// any certificate at such a URL is.
	Leaf func(*x509.Certificate) bool
	// Confirmed is what the answer to a fetched SubscribeURL must hold.
	Confirmed string
	// ChainURL returns where the service publishes what its certificates chain to;
	// nil: the certificate's own URL is proof enough.
	ChainURL func(region string) string
}

// Checker checks the messages of one endpoint. It is safe for concurrent use.
type Checker struct {
	rules    Rules
	unsigned bool
	topics   map[string]bool
	certs    *certs
}

// TopicsSetting and CertificatesSetting are the settings that New reads.
var (
	TopicsSetting = providers.Setting{
		Name: "topics", List: true, Verifies: true,
		Help: "The ARNs of the topics that may post here. Anybody can subscribe this address to a topic of his own, so others are refused.",
	}
	CertificatesSetting = providers.Setting{
		Name: "certificates", List: true, File: true,
		Help: "Optional PEM files: signing certificates to trust instead of fetching them, or the authorities that fetched ones must chain to.",
	}
)

// New reads the settings "topics", which is required, and "certificates".
func New(rules Rules, s providers.Settings) (*Checker, error) {
	topics, err := s.Secrets(TopicsSetting.Name)
	if err != nil {
		return nil, providers.SettingError(TopicsSetting.Name, "required; anybody can subscribe this address to a topic of his own")
	}
	c := &Checker{rules: rules, unsigned: s.Unsigned, topics: map[string]bool{}}
	for _, t := range topics {
		c.topics[string(t)] = true
	}
	if c.certs, err = newCerts(rules, s); err != nil {
		return nil, err
	}
	return c, nil
}

// notNow says what could not be fetched, without the cause: that quotes the URL
// and its token.
func (c *Checker) notNow(what string) error { return notNow(c.rules.Provider, what) }

func notNow(provider, what string) error {
	return fmt.Errorf("%s: %w: %s could not be fetched", provider, providers.ErrNotNow, what)
}

func (c *Checker) refuse(reason string) error { return providers.Unauthentic(c.rules.Provider, reason) }

// Verify checks the topic, the signature and, where the endpoint has a replay
// window, the age of a message.
func (c *Checker) Verify(ctx context.Context, r *providers.Request) error {
	if c.unsigned {
		return nil
	}
	e, err := Read(r)
	if err != nil {
		return c.refuse("the body is not a message with a signature")
	}
	return c.check(ctx, r, e)
}

// check goes from what costs nothing to what costs a fetch.
func (c *Checker) check(ctx context.Context, r *providers.Request, e *Envelope) error {
	switch {
	case e.Type == "" && e.Signature == "":
		return c.refuse("the body is not a message with a signature: raw delivery and EventBridge sign nothing, so they need unsigned: true and a path_secret or basic_auth")
	case !c.topics[e.TopicArn]:
		return c.refuse("the message's TopicArn is not one of the setting topics")
	}
	for _, h := range [][2]string{{"X-Amz-Sns-Message-Type", e.Type}, {"X-Amz-Sns-Message-Id", e.MessageID}} {
		if got := r.Header.Get(h[0]); got != "" && got != h[1] {
			return c.refuse("the header " + h[0] + " is not that of the message")
		}
	}
	var hash crypto.Hash
	switch e.SignatureVersion {
	case "1":
		hash = crypto.SHA1
	case "2":
		hash = crypto.SHA256
	default:
		return c.refuse("the SignatureVersion is neither 1 nor 2")
	}
	switch e.Type {
	case Notification, Subscription, Unsubscription:
	default:
		return c.refuse("the message has no known Type")
	}
	signature, err := base64.StdEncoding.DecodeString(string(e.Signature))
	if err != nil || len(signature) == 0 {
		return c.refuse("the Signature is missing or no base64")
	}
	at := region(e.TopicArn)
	if u, ok := safeURL(e.SigningCertURL); !ok || !c.rules.CertURL(u, at) {
		return c.refuse("the SigningCertURL does not belong to the service")
	}
	text := e.text()
	if !sign.PublicKeyMatch(c.certs.given(r.ReceivedAt), hash, signature, text) {
		keys, err := c.certs.fetched(ctx, e, r.ReceivedAt)
		if err != nil {
			return err
		}
		if !sign.PublicKeyMatch(keys, hash, signature, text) {
			return c.refuse("the signature does not match")
		}
	}
	return r.Fresh(wire.Time(e.Timestamp))
}

// Handshake confirms the subscription of an allowed topic by fetching its
// SubscribeURL. Everything else is an ordinary delivery.
func (c *Checker) Handshake(ctx context.Context, r *providers.Request) (*providers.Reply, error) {
	if !strings.Contains(string(r.Body), Subscription) {
		return nil, nil
	}
	e, err := Read(r)
	if err != nil || e.Type != Subscription {
		return nil, nil
	}
	// Also where the endpoint is unsigned: what a stranger asks to fetch is not fetched.
	if err := c.check(ctx, r, e); err != nil {
		return nil, err
	}
	u, ok := safeURL(e.SubscribeURL)
	q := u.Query()
	if !ok || !c.rules.SubscribeURL(u, region(e.TopicArn)) || q.Get("Action") != "ConfirmSubscription" || q.Get("TopicArn") != e.TopicArn {
		return nil, c.refuse("the SubscribeURL does not belong to the service")
	}
	if c.certs.fetch == nil {
		return nil, c.notNow("the confirmation")
	}
	// Built anew from what was checked, so that no second reading of the text counts.
	answer, err := c.certs.fetch(ctx, "https://"+u.Hostname()+u.EscapedPath()+"?"+q.Encode())
	if err != nil || !strings.Contains(string(answer), c.rules.Confirmed) {
		return nil, c.notNow("the confirmation")
	}
	return &providers.Reply{Status: http.StatusOK}, nil
}

// safeURL accepts https without credentials, fragment and odd ports.
func safeURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil {
		return &url.URL{}, false
	}
	return u, u.Scheme == "https" && u.User == nil && u.Fragment == "" && u.Opaque == "" && (u.Port() == "" || u.Port() == "443")
}

// region returns the fourth part of an ARN.
func region(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}
