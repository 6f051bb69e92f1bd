package admin

import (
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

const historyPage = 20

// historyView is what happened, newest first.
type historyView struct {
	Lines []historyLine
	Older string // the next page; empty: this is the last
	Newer string // the first page, where this is another
	Both  bool   // of two addresses: lines say of which
}

type historyLine struct {
	ID       int64
	At       time.Time
	Of       string // "E-mail" or "Phone"
	Headline string
	Who      string
	Words    string // the provider's own, or the reason somebody gave
	Code     string
	Standing string // it counts now: "blocks the address"
	Receipt  []fact
	Facts    []fact
}

type fact struct{ Name, Value string }

// history reads one page of the history of some addresses as one. The time of
// the page comes with the request.
func (s *Server) history(c *Ctx, panels []panel, path string) (historyView, error) {
	h := historyView{Both: len(panels) > 1}
	before := c.Query("before")
	keys := make([]recipient.Key, len(panels))
	byKey := map[recipient.Key]*panel{}
	for i := range panels {
		keys[i] = panels[i].recipient.Key
		byKey[keys[i]] = &panels[i]
	}
	events, next, err := s.cfg.Store.Histories(c.Std, keys, historyPage, before)
	if err != nil {
		return h, err //nolint:wrapcheck // it says where it comes from
	}
	for i := range events {
		h.Lines = append(h.Lines, s.historyLine(c, &events[i], byKey[events[i].Key]))
	}
	if next != "" {
		h.Older = s.at(path + "?before=" + next + "#history")
	}
	if before != "" {
		h.Newer = s.at(path + "#history")
	}
	return h, nil
}

func (s *Server) historyLine(c *Ctx, e *store.StoredEvent, p *panel) historyLine {
	// Whoever sees addresses masked must not read them in what others wrote.
	open := c.User.Can(operator)
	text := func(v string) string {
		if v = recipient.Clean(v, recipient.MaxDetailBytes); !open { // cleaned first: an invisible letter must not hide an address
			v = recipient.Redact(v, p.recipient.Address)
		}
		return v
	}
	words := func(v string) string {
		if v = text(v); !open {
			v = veiled(v)
		}
		return v
	}
	l := historyLine{ID: e.ID, At: e.At, Of: p.Title, Headline: headline(&e.Event), Who: s.who(&e.Event), Words: words(e.Detail), Code: text(e.Code)}
	switch {
	case is(p.causes.Block, e) && p.Blocked:
		l.Standing = "This blocks the " + thing(e.Channel) + " now."
	case (is(p.causes.OptOut, e) || is(p.causes.Complaint, e) && p.complaintStands) && p.OptedOut:
		l.Standing = "This keeps the " + thing(e.Channel) + " opted out now."
	case e.Kind == recipient.HardBounce && !p.Blocked && is(p.causes.Block, e):
		l.Standing = "Somebody removed this block later."
	case e.Kind == recipient.HardBounce && !e.Echo && e.ReceivedAt.After(p.recipient.State.UnblockedAt) && !e.At.After(p.recipient.State.UnblockedAt):
		l.Standing = "It is older than the removal of the block, so it did not block again."
	}
	ev := e.Evidence
	if ct := ev.Consent; ct != nil {
		l.Receipt = facts("Given in", words(ct.Source), "Agreed to", words(ct.Wording), "Given on", day(ct.At), "Evidence", words(ct.Evidence),
			"Recorded by", s.who(&e.Event), "Recorded", when(e.ReceivedAt))
	}
	whose := speaker(e.Source)
	l.Facts = facts("Kind", string(e.Kind), "Happened", stamp(e.At), "Heard", stamp(e.ReceivedAt), "Source", string(e.Source), "Endpoint", e.Endpoint,
		"Rule", text(e.Rule), whose+" code", text(e.Code), whose+" words", words(e.Detail), "Message", text(e.MessageID), "Event", text(e.EventID),
		"Send-out", text(e.SendOut), "Actor", e.Actor, "Way", ev.Via, "Link's key", ev.KeyID, "Link made", ev.IssuedAt,
		"The page said", text(ev.Wording), "Its version", ev.WordingVersion, "Its language", ev.Language, "Text message", words(ev.Text), "Doubt", text(ev.Suspicious))
	if e.Echo && e.Kind != recipient.OptIn {
		l.Facts = append(l.Facts, fact{"Echo", "the provider reports its own list, not something new"})
	}
	if open {
		l.Facts = append(l.Facts, facts("IP address", ev.IP, "Browser", text(ev.UserAgent))...)
	}
	return l
}

// speaker says whose code and words an event has.
func speaker(s recipient.Source) string {
	switch s {
	case recipient.FromProvider:
		return "Provider's"
	case recipient.FromImport:
		return "The list's"
	case recipient.FromAdmin:
		return "Administrator's"
	case recipient.FromAPI:
		return "The caller's"
	}
	return "Its"
}

func is(cause, e *store.StoredEvent) bool { return cause != nil && cause.ID == e.ID }

// facts pairs names and values, cleaned, and leaves out what is empty.
func facts(pairs ...string) []fact {
	var out []fact
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := recipient.Clean(pairs[i+1], recipient.MaxDetailBytes); v != "" {
			out = append(out, fact{pairs[i], v})
		}
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// day writes a date for people.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006")
}
