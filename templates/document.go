package templates

import (
	"html/template"
	"strings"

	"golang.org/x/text/unicode/bidi"

	"github.com/strikeout/strikeout/recipient"
)

// document is what a page's template reads.
type document struct {
	common
	pages *Pages
	t     *texts

	Page Page
	View View
	Main template.HTML // in the layout: the page's own part
}

// T returns a text with its placeholders filled in: {sender} always, others
// from name, value pairs.
func (d *document) T(key string, pairs ...string) (string, error) {
	sender := d.Sender()
	values := make([]string, 0, len(pairs)+2)
	values = append(values, "{sender}", d.isolate(sender))
	for i := 0; i+1 < len(pairs); i += 2 {
		values = append(values, "{"+pairs[i]+"}", d.isolate(pairs[i+1]))
	}
	text, err := d.t.get(key, sender == "")
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(values...).Replace(text), nil
}

// Unicode's isolates keep a name in another script from rearranging the
// sentence around it (UAX #9, section 2.4.2).
const (
	firstStrongIsolate = "\u2068"
	popIsolate         = "\u2069"
)

func (d *document) isolate(s string) string {
	if d.t.rtl || hasRightToLeft(s) {
		return firstStrongIsolate + s + popIsolate
	}
	return s
}

func withoutIsolates(s string) string {
	return strings.NewReplacer(firstStrongIsolate, "", popIsolate, "").Replace(s)
}

func hasRightToLeft(s string) bool {
	for _, r := range s {
		if p, _ := bidi.LookupRune(r); p.Class() == bidi.R || p.Class() == bidi.AL {
			return true
		}
	}
	return false
}

// Lang returns the page's language tag.
func (d *document) Lang() string { return d.t.tag }

// Dir returns the direction of the page's script.
func (d *document) Dir() string { return d.t.dir() }

// titles are the texts that stand as a page's heading, where that is not the
// page's own.
var titles = map[Page]string{
	PageExpired:           "confirm.title",
	PageEverythingStopped: "stopped.title",
}

// Title returns the document's title.
func (d *document) Title() (string, error) {
	key := titles[d.Page]
	if key == "" {
		key = string(d.Page) + ".title"
	}
	title, err := d.T(key)
	if err == nil && d.Sender() != "" {
		title += " – " + d.isolate(d.Sender())
	}
	return title, err
}

// Sender returns the sender's name in the page's language, empty where none is
// configured.
func (d *document) Sender() string { return d.pages.sender(d.t) }

// Words returns the version of what the page says. Its forms carry it, so that
// the evidence names the words that were shown, whatever changes meanwhile.
func (d *document) Words() string { return d.pages.versions[d.t.tag] }

// Help returns where to get help.
func (d *document) Help() string { return d.pages.opts.HelpURL }

// Privacy returns where to read how personal data is treated.
func (d *document) Privacy() string { return d.pages.opts.PrivacyURL }

// Stylesheet returns the stylesheet's path.
func (d *document) Stylesheet() string { return d.pages.opts.BasePath + d.pages.style.Path }

// Logo returns the logo's path, empty where there is none.
func (d *document) Logo() string {
	if d.pages.logo == nil {
		return ""
	}
	return d.pages.opts.BasePath + d.pages.logo.Path
}

// Masked returns the masked address, empty where it is not known.
func (d *document) Masked() string { return d.Address.text }

// Channel returns the name of the link's channel.
func (d *document) Channel() (string, error) {
	switch d.Link.Channel {
	case recipient.Email:
		return d.T("channel.email")
	case recipient.SMS:
		return d.T("channel.sms")
	}
	return "", nil
}

// Reason returns the sentence that says why nothing was undone.
func (d *document) Reason() (string, error) {
	v, _ := d.View.(UndoRefused)
	switch v.Reason {
	case UndoLate:
		return d.T("undo_refused.late")
	case UndoBefore:
		return d.T("undo_refused.before")
	case UndoComplaint:
		return d.T("undo_refused.complaint")
	}
	return d.T("undo_refused.none")
}

// Action returns where a form posts to: the link, or what follows it. It keeps
// the language, so that the answer speaks as the page did.
func (d *document) Action(suffix string) string { return d.address(suffix, d.t.tag) }

func (d *document) address(suffix, lang string) string {
	if d.Path == "" {
		return "?lang=" + lang
	}
	return d.pages.opts.BasePath + d.Path + suffix + "?lang=" + lang
}

// choice is one language to switch to.
type choice struct {
	Lang, Dir, Name, URL string
	Current              bool
}

// Switch returns the languages to choose from, each by its own name. The links
// lead to the link itself, which changes nothing when opened.
func (d *document) Switch() []choice {
	out := make([]choice, 0, len(d.pages.languages.tags))
	for _, tag := range d.pages.languages.tags {
		t := d.pages.languages.texts[tag]
		out = append(out, choice{tag, t.dir(), t.byKey["language.name"], d.address("", tag), tag == d.t.tag})
	}
	return out
}
