package ses

import (
	"strings"

	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// subscription is a change of a person's preferences in a contact list.
type subscription struct {
	ContactList wire.Text   `json:"contactList"`
	Timestamp   wire.Text   `json:"timestamp"`
	Source      wire.Text   `json:"source"`
	New         preferences `json:"newTopicPreferences"`
	Old         preferences `json:"oldTopicPreferences"`
}

type preferences struct {
	All    wire.Text `json:"unsubscribeAll"`
	Topics []struct {
		Name   wire.Text `json:"topicName"`
		Status wire.Text `json:"subscriptionStatus"`
	} `json:"topicSubscriptionStatus"`
}

// change returns what the new preferences mean beside the old ones, and their
// scope: the list, and the topics where only some changed. Leaving one topic
// and joining another is an opt-out: of two readings the one that sends less.
func (s *subscription) change() (recipient.Kind, string) {
	list := s.ContactList.String()
	if s.New.All.Bool() {
		return recipient.OptOut, list
	}
	old := map[string]string{}
	for _, t := range s.Old.Topics {
		old[t.Name.String()] = t.Status.Lower()
	}
	var left, joined []string
	for _, t := range s.New.Topics {
		was, is := old[t.Name.String()], t.Status.Lower()
		switch {
		case is == "optout" && was != "optout":
			left = append(left, t.Name.String())
		case is == "optin" && was == "optout":
			joined = append(joined, t.Name.String())
		}
	}
	switch {
	case len(left) > 0:
		return recipient.OptOut, scope(list, left)
	case s.Old.All.Bool() && s.New.All != "":
		return recipient.Reactivation, list
	case len(joined) > 0:
		return recipient.Reactivation, scope(list, joined)
	}
	return "", ""
}

func scope(list string, topics []string) string { return list + "/" + strings.Join(topics, ",") }
