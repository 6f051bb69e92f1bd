package messagebird

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

// maxAge is the tolerance that Bird recommends; its SDK's own is one second.
const maxAge = 5 * time.Minute

const (
	jwtHeader = "MessageBird-Signature-JWT"
	oldHeader = "MessageBird-Signature"
	oldTime   = "MessageBird-Request-Timestamp"
)

const mismatch = "the signature does not match: compare signing_secret with the signing key (not the access key), and the endpoint's url with the one that Bird calls"

// Verify checks the token of classic requests or, where there is none, the
// signature over time, URL and body that Bird Channels have. The classic form
// of the latter, now deprecated, has the sorted query where Channels have the
// whole URL.
// https://developers.messagebird.com/docs/verify-http-requests and
// https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook
// (read 2026-11-20)
func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	if token := r.Header.Get(jwtHeader); token != "" {
		return a.verifyToken(r, token)
	}
	signature, stamp := r.Header.Get(oldHeader), r.Header.Get(oldTime)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	switch {
	case signature == "":
		return providers.Unauthentic(name, "the MessageBird-Signature-JWT (or MessageBird-Signature) header is missing")
	case err != nil || seconds <= 0 || stamp[0] == '+':
		return providers.Unauthentic(name, "the MessageBird-Request-Timestamp header is not a time")
	}
	body := sha256.Sum256(r.Body)
	channels := sign.Base64HMAC256(a.secrets, signature, []byte(stamp+"\n"+r.URL+"\n"), body[:])
	if !channels && !sign.Base64HMAC256(a.secrets, signature, []byte(stamp+"\n"+r.Query().Encode()+"\n"), body[:]) {
		return providers.Unauthentic(name, mismatch)
	}
	return r.Fresh(time.Unix(seconds, 0))
}

type claims struct {
	Issuer      wire.Text `json:"iss"`
	NotBefore   wire.Text `json:"nbf"`
	IssuedAt    wire.Text `json:"iat"` // in place of nbf in some tokens
	Expires     wire.Text `json:"exp"`
	ID          wire.Text `json:"jti"`
	URLHash     wire.Text `json:"url_hash"`
	PayloadHash wire.Text `json:"payload_hash"`
}

func (a adapter) verifyToken(r *providers.Request, token string) error {
	payload, ok := sign.JWTHMAC(a.secrets, []byte(token))
	var c claims
	if !ok || wire.Decode(payload, &c) != nil {
		return providers.Unauthentic(name, mismatch)
	}
	at := c.NotBefore.Time()
	if at.IsZero() {
		at = c.IssuedAt.Time()
	}
	if exp := c.Expires.Time(); at.IsZero() && !exp.IsZero() {
		at = exp.Add(-time.Minute) // what tokens live
	}
	switch {
	case c.Issuer != "MessageBird" || c.ID == "":
		return providers.Unauthentic(name, "the token is not one of MessageBird's webhooks")
	case !hashes(c.URLHash, []byte(r.URL)):
		return providers.Unauthentic(name, "the token is for another URL: the endpoint's url must be exactly the one entered at MessageBird")
	case (len(r.Body) > 0) != (c.PayloadHash != "") || c.PayloadHash != "" && !hashes(c.PayloadHash, r.Body):
		return providers.Unauthentic(name, "the token is for another body")
	case at.IsZero():
		return providers.Unauthentic(name, "the token has no time")
	}
	return r.Fresh(at)
}

// hashes reports whether a claim is the hex SHA-256 of data.
func hashes(claim wire.Text, data []byte) bool {
	got, err := hex.DecodeString(string(claim))
	want := sha256.Sum256(data)
	return err == nil && subtle.ConstantTimeCompare(got, want[:]) == 1
}
