package mailcheck

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/strikeout/strikeout/tokens/internal/mail"
)

// body looks for the link in the texts, and returns those of ours.
func (k *check) body(h headerLinks) (ours []string) {
	const name = "body-link"
	texts, err := k.m.Texts()
	if err != nil && len(texts) == 0 {
		k.fail(name, "the text cannot be read: its MIME structure or encoding is broken", "look at the message that your sending tool makes")
		return nil
	}
	if len(texts) == 0 {
		k.fail(name, "the message has no text", "put unsubscribe_url where readers see it")
		return nil
	}
	for _, t := range texts {
		found, state, where := k.textLinks(t)
		what := "the text part"
		if t.HTML {
			what = "the HTML part"
		}
		for _, l := range found {
			if !slices.Contains(ours, l) {
				ours = append(ours, l)
			}
		}
		switch {
		case state == isOurs:
			k.ok(name, "%s links to %s", what, host(k.base))
		case placeholder(t.Content):
			k.fail(name, what+" still has the placeholder of the link", "check its name against the columns or variables that your sending tool knows")
		case state == isPlain:
			k.fail(name, what+" links with http://", "set public_url to the https address and make the links again")
		case state == wrapped:
			k.fail(name, what+" links to us through "+where+": click tracking rewrote the link, and mail programs' scanners and privacy tools will follow or break it", "turn click tracking off for this link")
		case where != "":
			k.fail(name, what+" has an unsubscribe link that goes to "+where+": click tracking rewrote it, or the sending service put its own", "turn click tracking off for this link, and the service's own footer")
		case h.link != "" && !t.HTML && len(texts) > 1:
			k.warn(name, what+" has no link", "add it: some people read text only")
		default:
			k.fail(name, what+" has no link to "+host(k.base), "put unsubscribe_url where readers see it")
		}
	}
	return ours
}

// textLinks returns our links in one text. The state is that of the best link;
// where names the host of one that looks like an unsubscribe link and goes
// elsewhere.
func (k *check) textLinks(t mail.Text) (ours []string, state where, where string) {
	links := plainLinks(t.Content)
	if t.HTML {
		links = htmlLinks(t.Content)
	}
	for _, l := range links {
		rest, how := k.ours(l.uri)
		switch how {
		case isOurs:
			ours = append(ours, rest)
			state = isOurs
		case isPlain:
			if state != isOurs {
				state = isPlain
			}
		case wrapped:
			if state == elsewhere {
				state, where = wrapped, host(l.uri)
			}
		default:
			if state == elsewhere && where == "" && (unsubscribeWord.MatchString(l.text) || jwtPath.MatchString(l.uri)) {
				where = host(l.uri)
			}
		}
	}
	return ours, state, where
}

// jwtPath is a link of another installation, or of another public_url.
var jwtPath = regexp.MustCompile(`/u/eyJ[A-Za-z0-9_-]+\.`)

// unsubscribeWord is how such links are called, in the languages of our pages.
var unsubscribeWord = regexp.MustCompile(`(?i)unsubscrib|opt.?out|peru.*(tilaus|uutiskirje)|avregistrera|avprenumerera|avmeld|frameld|afmeld|abmeld|abbestell|` +
	`désabonn|desabonn|désinscri|darse de baja|cancelar.*(suscrip|subscri)|annulla.*iscrizione|disiscriv|wypisz|zrezygnuj|loobu|atteikties|atsisakyti|afskrá|إلغاء`)

type link struct{ uri, text string }

// Limits of what is looked at, because anybody may post a message.
const (
	maxLinks = 2000
	maxWords = 500 // bytes of the text of a link
)

var plainURL = regexp.MustCompile(`(?i)https?://[^\s<>"]+`)

func plainLinks(s string) (out []link) {
	for _, l := range strings.Split(s, "\n") {
		for _, uri := range plainURL.FindAllString(l, maxLinks-len(out)) {
			out = append(out, link{strings.TrimRight(uri, ".,;:!?)]'"), l[:min(len(l), maxWords)]})
		}
		if len(out) >= maxLinks {
			break
		}
	}
	return out
}

// htmlLinks returns what a reader can press, with its words.
func htmlLinks(s string) (out []link) {
	z := html.NewTokenizer(strings.NewReader(s))
	open := -1 // in out
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			for _, a := range t.Attr {
				switch {
				case len(out) >= maxLinks:
				case a.Key == "href" && (t.DataAtom == atom.A || t.DataAtom == atom.Area):
					out = append(out, link{uri: strings.TrimSpace(a.Val)})
					open = len(out) - 1
				case a.Key == "alt" && open >= 0 && len(out[open].text) < maxWords:
					out[open].text += " " + a.Val
				}
			}
		case html.EndTagToken:
			if z.Token().DataAtom == atom.A {
				open = -1
			}
		case html.TextToken:
			if open >= 0 && len(out[open].text) < maxWords {
				text := z.Text()
				out[open].text += string(text[:min(len(text), maxWords)])
			}
		default:
		}
	}
}

// hides reports whether a link of ours is inside of another one, where click
// trackers put it: percent-encoded, or in base64.
func (k *check) hides(uri string) bool {
	_, after, ok := strings.Cut(uri, "://")
	if !ok {
		return false
	}
	_, needle, _ := strings.Cut(k.base, "://")
	s := after
	for range 3 {
		if strings.Contains(s, needle) {
			return true
		}
		u, err := url.QueryUnescape(s)
		if err != nil || u == s {
			break
		}
		s = u
	}
	for _, part := range strings.FieldsFunc(after, func(r rune) bool { return strings.ContainsRune("/?&=.", r) }) {
		part = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(part, "="))
		for cut := range min(4, len(part)) { // a tracker's own mark may stand before it
			b, _ := base64.RawStdEncoding.DecodeString(part[cut:]) //nolint:errcheck // what was decoded before an error counts
			if strings.Contains(string(b), needle) {
				return true
			}
		}
	}
	return false
}
