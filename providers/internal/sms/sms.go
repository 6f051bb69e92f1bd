// Package sms holds what the SMS providers share: number forms, the words by
// which people stop and start messages, and the states of delivery reports.
package sms

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/strikeout/strikeout/recipient"
)

// MSISDN puts the + before a bare number with country code, as most providers
// report it, with or without spaces and hyphens between the digits. A value that
// already starts with + or 00 stays as it is; a space at its start is a + that a
// query decoded, and %2B one that was encoded twice. Short codes and sender names
// stay what they are and are refused later.
func MSISDN(s string) string {
	if strings.HasPrefix(s, " ") && len(s) > 1 && s[1] >= '0' && s[1] <= '9' {
		s = "+" + s[1:]
	}
	s = strings.TrimPrefix(strings.TrimSpace(s), "tel:")
	if len(s) > 3 && strings.EqualFold(s[:3], "%2B") {
		s = "+" + s[3:]
	}
	if s == "" || s[0] == '+' || strings.HasPrefix(s, "00") {
		return s
	}
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == ' ' || c == '-':
		default:
			return s
		}
	}
	if digits < minDigits {
		return s
	}
	return "+" + s
}

// minDigits is what E.164 numbers have at least; shorter ones are short codes.
const minDigits = 7

// IsShortCode reports whether a sender is a short code: a few digits without +.
func IsShortCode(from string) bool {
	return from != "" && len(from) <= 8 && strings.Trim(from, "0123456789") == ""
}

// Stop are the words that stop messages, by language (BCP 47). The English
// ones are the CTIA list that carriers and providers enforce themselves. A
// text counts only when it is such a word and nothing else.
var Stop = map[string][]string{
	"en": {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "remove", "optout", "opt out", "opt-out"},
	"fi": {"lopeta", "peru", "peruuta", "seis", "poista"},
	"sv": {"stopp", "avsluta", "avanmäl", "avbryt", "avregistrera"},
	"nb": {"stopp", "avslutt", "avmeld", "meld av"},
	"da": {"stop", "afmeld", "frameld", "afslut"},
	"de": {"stopp", "abmelden", "abmeldung", "abbestellen", "austragen"},
	"nl": {"afmelden", "uitschrijven", "stoppen"},
	"fr": {"arret", "arrêt", "arreter", "arrêter", "desabonner", "désabonner", "desinscription", "désinscription", "stop sms"},
	"es": {"alto", "baja", "parar", "cancelar", "detener"},
	"it": {"annulla", "disdici", "cancella"},
	"pt": {"parar", "sair", "cancelar", "remover"},
	"pl": {"rezygnuje", "rezygnuję", "wypisz", "koniec"},
	"et": {"lõpeta", "lopeta", "stopp"},
	"lv": {"beigt", "atteikties"},
	"lt": {"sustabdyti", "atsisakyti"},
	"is": {"hætta", "afskrá"},
	"cs": {"odhlasit", "odhlásit", "zrusit", "zrušit"},
	"hu": {"leiratkozas", "leiratkozás", "leiratkozom"},
	"ro": {"dezabonare"},
	"hr": {"odjava"},
	"el": {"διαγραφη", "διαγραφή"},
	"ru": {"стоп", "отписаться"},
	"uk": {"стоп", "відписатися"},
	"tr": {"ret", "iptal"},
}

// Start are the words by which a person asks for messages again.
var Start = map[string][]string{
	"en": {"start", "unstop"},
	"fi": {"aloita"},
	"sv": {"starta"},
	"de": {"starten"},
	"fr": {"demarrer", "démarrer"},
	"es": {"iniciar", "comenzar"},
	"da": {"tilmeld"},
	"nb": {"meld på"},
}

// Setting names under which every SMS adapter accepts more words.
const (
	StopSetting  = "stop_words"
	StartSetting = "start_words"
)

// Keywords tells stop and start texts from all others.
type Keywords struct{ stop, start map[string]bool }

// NewKeywords returns the words of every language and the operator's own.
func NewKeywords(moreStop, moreStart []string) *Keywords {
	k := &Keywords{map[string]bool{}, map[string]bool{}}
	for _, words := range Stop {
		k.add(k.stop, words)
	}
	for _, words := range Start {
		k.add(k.start, words)
	}
	k.add(k.stop, moreStop)
	k.add(k.start, moreStart)
	return k
}

func (k *Keywords) add(to map[string]bool, words []string) {
	for _, w := range words {
		if f := fold(w); f != "" {
			to[f] = true
		}
	}
}

// fold lowers, composes, and drops the marks, spaces and invisible characters
// that people and phones put around a word.
func fold(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	return strings.Join(strings.Fields(strings.TrimFunc(s, aside)), " ")
}

func aside(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector)
}

// plain drops emoji and other symbols around a folded word too.
func plain(folded string) string {
	return strings.TrimFunc(folded, func(r rune) bool { return aside(r) || unicode.IsSymbol(r) })
}

// Kind returns OptOut for a whole stop word, OptIn for a whole start word and
// "" for every other text.
func (k *Keywords) Kind(text string) recipient.Kind {
	switch f := fold(text); {
	case f == "":
		return ""
	case k.stop[f], k.stop[plain(f)]: // "STOP" with an angry face is a stop; a start is taken by the letter
		return recipient.OptOut
	case k.start[f]:
		return recipient.OptIn
	}
	return ""
}

// Inbound is a text that a person sent.
type Inbound struct {
	Text   string
	To     string // the number or sender the person answered
	ID     string // the provider's id of the text
	Number string // the person's number, for the consent record
	// Before is what the person wrote before Text, such as the keyword of a shared
	// short code; it is part of the evidence.
	Before string
	// Parts tell a text without an ID from others like it.
	Parts []string
}

// Event turns a stop or start text into an event; ok is false for every other
// text. A start is an opt-in with the text itself as consent, the one opt-in
// that a provider may bring.
func (k *Keywords) Event(in Inbound) (e recipient.Event, ok bool) {
	e.Kind = k.Kind(in.Text)
	if e.Kind == "" {
		return e, false
	}
	e.MessageID, e.Code = in.ID, MSISDN(in.To)
	whole := recipient.Clean(in.Before+" "+in.Text, 160)
	e.Evidence = recipient.Evidence{Via: "text", Text: whole}
	e.Rule = "sms-stop-word"
	if e.Kind == recipient.OptIn {
		e.Rule = "sms-start-word"
		e.Evidence.Consent = &recipient.Consent{Source: "sms", Wording: whole, Evidence: in.ID}
	}
	return e, true
}
