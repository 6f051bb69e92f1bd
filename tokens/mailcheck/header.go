package mailcheck

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/internal/mail"
	"github.com/strikeout/strikeout/tokens/mailin"
)

// mailto looks at the addresses for unsubscribe mails.
func (k *check) mailto(h headerLinks) {
	const name = "mailto"
	if len(h.mails) == 0 {
		if h.link != "" && k.Mailto != "" {
			k.warn(name, "List-Unsubscribe has no mailto, although one is configured: Apple Mail unsubscribes by mail", "make the links again; where the address carries a code, the links need the database")
		}
		return
	}
	for _, uri := range h.mails {
		u, err := url.Parse(uri)
		address := ""
		if err == nil {
			address, err = url.PathUnescape(u.Opaque)
		}
		if err == nil {
			_, err = recipient.ParseEmail(address)
		}
		local, _, _ := strings.Cut(address, "@")
		_, coded := mailin.NewPattern(k.Mailto).Code(address)
		switch {
		case err != nil:
			k.fail(name, "the mailto in List-Unsubscribe is not an address", "make the links again, or set mailto right")
		case len(local) > 64:
			k.fail(name, "the mailto in List-Unsubscribe has more than 64 bytes before the @: mail servers refuse it", "use a short code there; a token does not fit")
		case k.Mailto == "":
			k.warn(name, "List-Unsubscribe has a mailto, and none is configured", "set mailto, or make sure that somebody reads that address")
		case strings.Contains(k.Mailto, tokens.CodePlaceholder) && !coded:
			k.fail(name, "the mailto in List-Unsubscribe carries no code: nobody can tell who unsubscribes", "make the links again with strikeout links or POST /v1/links")
		case coded:
			k.mailCode(address)
		case !strings.EqualFold(address, configuredAddress(k.Mailto)):
			k.warn(name, "List-Unsubscribe has another mailto than the configured one", "make sure that the mails reach strikeout mail")
		default:
			k.ok(name, "the mailto in List-Unsubscribe is the configured one")
		}
	}
}

func (k *check) mailCode(address string) {
	const name = "mailto"
	if k.Code == nil {
		k.ok(name, "the mailto in List-Unsubscribe carries a code")
		return
	}
	code, _ := mailin.NewPattern(k.Mailto).Code(address)
	if _, err := k.Code(code); err != nil {
		k.fail(name, "the code of the mailto in List-Unsubscribe is not known", "make the links again with strikeout links or POST /v1/links")
		return
	}
	k.ok(name, "the mailto in List-Unsubscribe carries a code that works")
}

func configuredAddress(mailto string) string {
	address, _, _ := strings.Cut(strings.TrimPrefix(mailto, "mailto:"), "?")
	return address
}

// dkim looks whether a signature covers both headers (RFC 6376, section 3.5;
// RFC 8058, section 4). It asks no DNS, so it cannot say whether it is valid.
func (k *check) dkim() {
	const name = "dkim"
	signatures := k.m.All("DKIM-Signature")
	if len(signatures) == 0 {
		k.warn(name, "there is no DKIM-Signature, which has to cover both headers", "if your sending service signs later, check a message that has arrived")
		return
	}
	var covered, missing []string
	for _, f := range signatures {
		tags := dkimTags(f)
		var names []string
		for _, n := range strings.Split(tags["h"], ":") {
			names = append(names, strings.ToLower(strings.TrimSpace(n)))
		}
		domain := recipient.Clean(strings.ToLower(tags["d"]), 253)
		switch {
		case domain == "" || tags["b"] == "":
		case slices.Contains(names, "list-unsubscribe") && slices.Contains(names, "list-unsubscribe-post"):
			covered = append(covered, domain)
		default:
			missing = append(missing, domain)
		}
	}
	switch {
	case len(covered) > 0:
		k.ok(name, "the DKIM signature of %s covers both headers", strings.Join(covered, " and "))
	case len(missing) > 0:
		k.fail(name, "no DKIM signature covers both headers (that of "+strings.Join(missing, " and ")+" does not): mail programs will not offer one-click",
			"add list-unsubscribe and list-unsubscribe-post to the signed headers, and add them before the message is signed")
	default:
		k.fail(name, "the DKIM-Signature cannot be read", "look at what your mail server signs with")
	}
}

// dkimTags reads a tag list. White space may stand anywhere between.
func dkimTags(f mail.Field) map[string]string {
	tags := map[string]string{}
	for _, tag := range strings.Split(f.Value, ";") {
		name, value, ok := strings.Cut(tag, "=")
		if ok {
			tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
		}
	}
	return tags
}

// lines looks at the length of lines.
func (k *check) lines() {
	if n := k.m.LongLines; len(n) > 0 {
		k.fail("lines", fmt.Sprintf("line %d has more than 998 bytes: mail servers cut or fold it, and a link or a signature breaks", n[0]), "let your sending tool encode the text (quoted-printable or base64), and fold headers")
		return
	}
	k.ok("lines", "no line is longer than 998 bytes")
}
