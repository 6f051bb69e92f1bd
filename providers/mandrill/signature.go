package mandrill

import (
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

const signatureHeader = "X-Mandrill-Signature"

// testKey signs the post by which Mandrill tests a URL whose key nobody knows
// yet. It is published, so it proves nothing of events.
var testKey = [][]byte{[]byte("test-webhook")}

type signature struct{ secrets [][]byte }

func (s *signature) verify(r *providers.Request) error {
	if len(s.secrets) == 0 {
		return nil
	}
	got := r.Header.Get(signatureHeader)
	if got == "" {
		return providers.Unauthentic(name, "the "+signatureHeader+" header is missing")
	}
	fields, _, only := r.OnlyField()
	if !only {
		form, err := r.Form()
		if err != nil {
			return providers.Unauthentic(name, "the signed form cannot be read")
		}
		fields = signedFields(form)
	}
	urls := [][]byte{[]byte(r.URL)}
	if with := withCredentials(r); with != "" {
		urls = append(urls, []byte(with))
	}
	for _, u := range urls {
		if sign.Base64HMAC1(s.secrets, got, u, fields) {
			return nil
		}
		if sign.Base64HMAC1(testKey, got, u, fields) {
			if isTest(r) {
				return nil
			}
			return providers.Unauthentic(name, "events are signed with the published test key")
		}
	}
	return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the webhook's key, and url with the webhook's URL as it was entered at Mandrill")
}

// isTest reports whether a form holds nothing but an empty array of events.
func isTest(r *providers.Request) bool {
	form, err := r.Form()
	if err != nil || len(form) != 1 {
		return false
	}
	items, err := wire.Array([]byte(form.Get(field)))
	return err == nil && len(items) == 0
}

// signedFields returns names and values in the order that Mandrill signs.
func signedFields(form url.Values) []byte {
	names := make([]string, 0, len(form))
	size := 0
	for n, values := range form {
		names = append(names, n)
		for _, v := range values {
			size += len(n) + len(v)
		}
	}
	sort.Strings(names)
	out := make([]byte, 0, size)
	for _, n := range names {
		for _, v := range form[n] {
			out = append(append(out, n...), v...)
		}
	}
	return out
}

// withCredentials returns the URL with the Basic credentials of the request:
// where somebody entered them in the URL, Mandrill signs them too.
func withCredentials(r *providers.Request) string {
	scheme, rest, ok := strings.Cut(r.URL, "://")
	user, password, basic := (&http.Request{Header: r.Header}).BasicAuth()
	host, _, _ := strings.Cut(rest, "/")
	if !ok || !basic || strings.Contains(host, "@") {
		return ""
	}
	return scheme + "://" + user + ":" + password + "@" + rest
}

// reason is "reject" of a rejected mail: an object with the reason, or the
// reason itself. Its form is not documented.
type reason = wire.Either[struct {
	Reason wire.Text `json:"reason"`
}]

// word writes a reason as the send API does: hard-bounce.
func word(t wire.Text) string { return strings.ReplaceAll(t.Lower(), "_", "-") }
