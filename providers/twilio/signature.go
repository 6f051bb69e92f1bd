package twilio

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
)

const (
	signatureHeader = "X-Twilio-Signature"
	bodyHash        = "bodySHA256"
)

// Verify checks the base64 HMAC-SHA1 over the URL as it was entered at Twilio
// and, for forms, over every parameter. A body that is no form is covered by
// its hash in the URL.
//
// https://www.twilio.com/docs/usage/webhooks/webhooks-security and twilio-node's
// lib/webhooks/webhooks.ts (read 2026-11-20).
func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	got := r.Header.Get(signatureHeader)
	if got == "" {
		return providers.Unauthentic(name, "the "+signatureHeader+" header is missing")
	}
	var params []byte
	switch want := r.Query().Get(bodyHash); {
	case want != "":
		hash, err := hex.DecodeString(want)
		if sum := sha256.Sum256(r.Body); err != nil || subtle.ConstantTimeCompare(hash, sum[:]) != 1 {
			return providers.Unauthentic(name, "the body does not match its hash in the address")
		}
	case isStream(r):
		return providers.Unauthentic(name, "a JSON body without its hash in the address is not signed")
	case r.Method != http.MethodGet: // Parse reads no body of a GET either
		form, err := r.Form()
		if err != nil {
			return providers.Unauthentic(name, "the body is not a form")
		}
		params = signedParams(form)
	}
	for _, u := range addresses(r.URL) {
		if sign.Base64HMAC1(a.secrets, got, []byte(u), params) {
			return nil
		}
	}
	return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the account's Auth Token, and the setting url with the address entered at Twilio")
}

// signedParams writes every parameter, sorted by name; of equal names the
// values, sorted and each once, as twilio-node does.
func signedParams(form url.Values) []byte {
	names := make([]string, 0, len(form))
	size := 0
	for n, values := range form {
		names = append(names, n)
		for _, v := range values {
			size += len(n) + len(v)
		}
	}
	slices.Sort(names)
	out := make([]byte, 0, size)
	for _, n := range names {
		values := form[n]
		if len(values) > 1 {
			values = slices.Clone(values)
			slices.Sort(values)
			values = slices.Compact(values)
		}
		for _, v := range values {
			out = append(append(out, n...), v...)
		}
	}
	return out
}

// addresses returns the URL as it is, and with the standard port where it has
// none, else without its port: Twilio's services sign one or the other.
func addresses(raw string) []string {
	raw, _, _ = strings.Cut(raw, "#") // connection overrides are not signed
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return []string{raw}
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	user, host := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, host = authority[:at+1], authority[at+1:]
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	} else {
		port := ":443"
		if strings.EqualFold(scheme, "http") {
			port = ":80"
		}
		host += port
	}
	return []string{raw, scheme + "://" + user + host + path}
}
