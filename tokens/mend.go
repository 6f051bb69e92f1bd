package tokens

import (
	"net/url"
	"strings"
	"unicode"
)

// maxLinkBytes bounds a damaged link: a token with tracking parameters.
const maxLinkBytes = 4096

// tail ends a link that a mail program found in running text, or to which a
// tracker appended parameters. None of these is in a token.
const tail = "?&#;,)>]}'\"<!*|`\u2019\u201d\u00bb\u203a\u3002"

// mend undoes what mail programs do to the token of a link: escape it once
// more, wrap it with "=" and line breaks (quoted-printable), double a dot at
// the start of a line (SMTP), drop invisible characters in, take the
// punctuation after it for a part of it, append tracking parameters. It
// returns what the token may have been, the likeliest first. A case that was
// changed cannot be restored.
func mend(link string) []string {
	if isWhole(link) {
		return []string{link}
	}
	s := link
	for range 2 {
		u, err := url.PathUnescape(strings.TrimRight(s, "%"))
		if err != nil || u == s {
			break
		}
		s = u
	}
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r == '<' || invisible(r) })
	if i := strings.IndexAny(s, tail); i >= 0 {
		s = s[:i]
	}
	s = strings.NewReplacer("=\r\n", "", "=\n", "", "=\r", "").Replace(s)
	guesses := []string{tidy(s)}
	add := func(s string) {
		if s = tidy(s); s != guesses[0] {
			guesses = append(guesses, s)
		}
	}
	// White space that is not a soft line break may also be the end.
	if i := strings.IndexFunc(s, invisible); i > 0 {
		add(s[:i])
	}
	add(quoted.Replace(s))
	return guesses
}

// quoted undoes quoted-printable that nobody decoded: a dot at the start of a
// line, and an equals sign at the end. The same letters may belong to a token
// that was wrapped there.
var quoted = strings.NewReplacer("=2E", ".", "=2e", ".", "=3D", "=", "=3d", "=")

func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '=' || invisible(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(strings.ReplaceAll(s, "..", "."), "./\\")
}

func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// isWhole reports whether nothing needs mending.
func isWhole(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '_' && (c != '.' || i+1 == len(s) || s[i+1] == '.') {
			return false
		}
	}
	return true
}
