package templates

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// maxAcceptBytes bounds the work that a header can cause.
const maxAcceptBytes = 256

// Languages returns the tags of the languages that there are texts for, sorted.
func (p *Pages) Languages() []string { return slices.Clone(p.languages.tags) }

// Pick chooses the language of a page. Strongest is query, the person's own
// choice of "?lang=" (the links at the foot of each page set it); then the
// language that the link was made for, then the browser's Accept-Language,
// then the default. What is empty, malformed or unknown is passed over.
func (p *Pages) Pick(tokenLang, query, acceptLanguage string) string {
	for _, s := range []string{query, tokenLang} {
		if len(s) > maxAcceptBytes {
			continue
		}
		if tag, err := language.Parse(s); err == nil {
			if l := p.languages.match(tag); l != "" {
				return l
			}
		}
	}
	if len(acceptLanguage) > maxAcceptBytes {
		acceptLanguage = acceptLanguage[:maxAcceptBytes]
		acceptLanguage = acceptLanguage[:strings.LastIndexByte(acceptLanguage, ',')+1]
		acceptLanguage = strings.TrimSuffix(acceptLanguage, ",")
	}
	if tags, _, err := language.ParseAcceptLanguage(acceptLanguage); err == nil {
		if l := p.languages.match(tags...); l != "" {
			return l
		}
	}
	return p.fallback
}

// match returns the language that fits the tags best, the first of them most;
// empty when none does. Related languages (CLDR sends Estonian readers to
// Finnish) only count when no tag names a language that is there.
func (c *catalogue) match(tags ...language.Tag) string {
	var own []language.Tag
	for _, t := range tags {
		base, _ := t.Base()
		if c.bases[base] {
			own = append(own, t)
		}
	}
	if len(own) > 0 {
		tags = own
	}
	if len(tags) == 0 {
		return ""
	}
	if _, i, conf := c.matcher.Match(tags...); conf != language.No {
		return c.tags[i]
	}
	return ""
}
