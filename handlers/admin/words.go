package admin

import (
	"regexp"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// enhanced finds an enhanced status code of class 5 (RFC 3463) where it stands
// by itself.
var enhanced = regexp.MustCompile(`(?:^|[^0-9.])5\.([0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.?$|\. )`)

// codes say in words what an enhanced status code means (RFC 3463, RFC 7293). Those that are not listed leave it to the provider's words.
var codes = map[string]string{
	"1.1": noMailbox, "1.2": noDomain, "1.3": "the address is not valid", "1.6": "the mailbox has moved and left no new address",
	"2.1": "the mailbox is closed", "4.4": noDomain, "4.310": noDomain,
	"7.17": "the mailbox belongs to somebody else now", "7.18": "the domain belongs to somebody else now",
}

const (
	noMailbox = "the mailbox does not exist"
	noDomain  = "the domain does not exist"
	noNumber  = "the number is not in use"
	badNumber = "the number is not valid"
)

// wordings recognise what providers and mail servers write, in this order.
var wordings = []struct {
	channel recipient.Channel
	text    *regexp.Regexp
	means   string
}{
	{recipient.Email, regexp.MustCompile(`(?i)(domain|host)[a-z ]*(not found|does not exist|invalid)|invalid[ _]domain|no such (domain|host)|nxdomain`), noDomain},
	{recipient.Email, regexp.MustCompile(`(?i)disabled|deactivated|inactive|closed`), "the mailbox is closed"},
	{recipient.Email, regexp.MustCompile(`(?i)(unknown|no such|invalid)[ _-]*(user|mailbox|recipient|account)|(user|mailbox|recipient|account)[a-z _-]*(unknown|not[ _-]?found|does(n't| not) exist|gone)|no[ _]?mailbox|bad[ _]mailbox|not exist`), noMailbox},
	{recipient.SMS, regexp.MustCompile(`(?i)land[ -]?line|fixed line|not (a )?mobile`), "the number is not a mobile number"},
	{recipient.SMS, regexp.MustCompile(`(?i)unknown[ _-]*(subscriber|destination|handset|number)|absent subscriber - permanent|user ?does ?not ?exist|not exist|deactivated|disconnected|unallocated|not in use`), noNumber},
	{recipient.SMS, regexp.MustCompile(`(?i)invalid`), badNumber},
}

// rules are the causes of providers that send a bare number.
var rules = map[string]string{
	"twilio-30005": noNumber, "twilio-30006": "the number is not a mobile number", "bandwidth-code 4721": noNumber,
	"azure-sms-4004": noNumber, "sinch-code 100": noNumber, "sinch-code 150": noNumber, "linkmobility-result-code 2104": noNumber, "linkmobility-result-code 2106": noNumber,
	"messagebird-code 1": noNumber, "infobip-error 1": noNumber, "vonage-err-3": badNumber, "plivo-code 50": badNumber,
}

// reason says in words why a hard bounce came.
func reason(e *recipient.Event) string {
	for _, known := range []string{e.Rule, e.Rule + " " + e.Code} {
		if w, ok := rules[known]; ok {
			return w
		}
	}
	for _, text := range []string{e.Code, strings.TrimPrefix(e.Rule, "smtp-"), e.Detail} {
		for _, m := range enhanced.FindAllStringSubmatch(text, -1) {
			if w, ok := codes[m[1]]; ok && e.Channel == recipient.Email {
				return w
			}
		}
	}
	text := e.Code + " " + e.Detail
	for _, w := range wordings {
		if w.channel == e.Channel && w.text.MatchString(text) {
			return w.means
		}
	}
	if strings.Contains(text, "5.1.10") { // RFC 7505; Exchange Online says it of unknown mailboxes, in words
		return "the domain takes no mail"
	}
	return "the provider says that the " + thing(e.Channel) + " is faulty"
}

// whyBlocked says in words what a block rests upon.
func whyBlocked(e *store.StoredEvent) string {
	switch {
	case e == nil:
		return "its cause is no longer kept"
	case e.Echo:
		return "the provider still lists the " + thing(e.Channel) + " as faulty"
	case e.Kind == recipient.HardBounce:
		return reason(&e.Event)
	case e.Detail != "":
		return e.Detail
	case e.Source == recipient.FromImport:
		return "so said an imported list"
	}
	return "by hand"
}

// whyOut says in words what an opt-out rests upon.
func whyOut(e *store.StoredEvent) string {
	switch {
	case e == nil:
		return "its cause is no longer kept"
	case e.Kind == recipient.Complaint && e.Echo:
		return "the provider still lists a complaint"
	case e.Kind == recipient.Complaint:
		return "reported a message as spam"
	case e.Echo:
		return "the provider still lists an unsubscribe"
	}
	return how(&e.Event)
}

// how says in words in which way somebody opted out.
func how(e *recipient.Event) string {
	switch {
	case e.Rule == "address_changed":
		return "taken over from the contact's former address"
	case e.Source == recipient.FromProvider && e.Rule == "sms-stop-word":
		return "wrote a stop word"
	case e.Source == recipient.FromProvider:
		return "unsubscribed at the provider"
	case e.Source == recipient.FromImport:
		return "so said an imported list"
	case e.Source == recipient.FromRule:
		return "by a rule"
	case e.Source == recipient.FromAdmin, e.Source == recipient.FromAPI:
		return "entered by hand or by another system"
	}
	switch e.Evidence.Via {
	case "one_click":
		return "pressed the mail program's unsubscribe button"
	case "form":
		return "pressed the button on the unsubscribe page"
	case "mail":
		return "wrote an unsubscribe mail"
	}
	return "used an unsubscribe link"
}

// headline is one line of a history in words.
func headline(e *recipient.Event) string {
	what := thing(e.Channel)
	switch e.Kind {
	case recipient.HardBounce:
		if e.Echo {
			return "The provider still lists the " + what + " as faulty. Nothing was sent now"
		}
		return "Hard bounce: " + reason(e)
	case recipient.SoftBounce:
		return "Soft bounce: this message did not get through. That blocks nothing"
	case recipient.Complaint:
		if e.Echo {
			return "The provider still lists a complaint. Nothing was sent now"
		}
		return "Reported a message as spam"
	case recipient.OptOut:
		if e.Echo {
			return "The provider still lists an unsubscribe. Nothing was sent now"
		}
		return "Opted out: " + how(e)
	case recipient.OptIn:
		switch {
		case e.Echo:
			return "Consent without a date, from a list. It lifts nothing, and any opt-out counts more"
		case e.Evidence.Via == "undo":
			return "Opted in: took the unsubscribe back"
		case e.Rule == "sms-start-word":
			return "Opted in: wrote a start word"
		}
		return "Opted in, with consent"
	case recipient.Reactivation:
		return "The provider took the " + what + " off a list of its own. That lifts nothing here"
	case recipient.Block:
		return "Blocked by hand or by another system"
	case recipient.Unblock:
		return "Block removed"
	case recipient.Delivered:
		return "Delivered. That lifts nothing"
	}
	return string(e.Kind)
}

// who names who told us, or who acted.
func (s *Server) who(e *recipient.Event) string {
	actor := e.Actor
	if actor == "" {
		actor = "no name"
	}
	switch e.Source {
	case recipient.FromProvider:
		if info, ok := s.provider(e.Endpoint); ok {
			if info.Name == e.Endpoint {
				return info.Title
			}
			return info.Title + " (endpoint " + e.Endpoint + ")"
		}
		return "the provider of the endpoint " + e.Endpoint
	case recipient.FromLink:
		if e.SendOut != "" {
			return "the person, by a link in the send-out " + e.SendOut
		}
		return "the person"
	case recipient.FromAdmin:
		return "administrator " + actor
	case recipient.FromAPI:
		return "API key " + actor
	case recipient.FromImport:
		if e.Actor == "" {
			return "an import"
		}
		return "an import by " + actor
	}
	return "a rule"
}

// said names who told us of an event, when, and with which code.
func (s *Server) said(e *store.StoredEvent) string {
	if e == nil {
		return ""
	}
	text := s.who(&e.Event) + ", " + when(e.At)
	if e.Code != "" && e.Kind == recipient.HardBounce {
		text += ", code " + e.Code
	}
	return text
}
