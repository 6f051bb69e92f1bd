package recipient

import "time"

// State is all we need to know of an address: when each kind of thing last
// happened. The zero time is "never".
type State struct {
	BlockedAt, UnblockedAt              time.Time
	OptedOutAt, ComplainedAt, OptedInAt time.Time
	SoftBouncedAt, DeliveredAt          time.Time
}

// EchoAt is the time an echo counts as: later than never, earlier than any
// person. It suppresses an address we knew nothing of and loses against every
// unblock and opt-in.
var EchoAt = time.UnixMicro(1).UTC()

// Join returns, field by field, the later time. It is associative, commutative
// and idempotent, so the order, the repetition and the splitting of events do
// not matter.
func (s State) Join(o State) State {
	for i, f := range s.fields() {
		if t := *o.fields()[i]; t.After(*f) {
			*f = t
		}
	}
	return s
}

func (s *State) fields() [7]*time.Time {
	return [7]*time.Time{&s.BlockedAt, &s.UnblockedAt, &s.OptedOutAt, &s.ComplainedAt, &s.OptedInAt, &s.SoftBouncedAt, &s.DeliveredAt}
}

// Blocked reports whether a hard bounce or a block stands: BlockedAt is set
// and UnblockedAt is not later.
func (s State) Blocked() bool {
	return !s.BlockedAt.IsZero() && !s.UnblockedAt.After(s.BlockedAt)
}

// OptedOut reports whether an opt-out or a complaint stands: the later of the
// two is set and OptedInAt is not later. A tie stays suppressed.
func (s State) OptedOut() bool {
	t := later(s.OptedOutAt, s.ComplainedAt)
	return !t.IsZero() && !s.OptedInAt.After(t)
}

// Suppressed reports whether the address is blocked or opted out.
func (s State) Suppressed() bool { return s.Blocked() || s.OptedOut() }

// Field returns the field that events of kind k move, nil for a kind that
// moves none (a reactivation lifts nothing).
func (s *State) Field(k Kind) *time.Time {
	switch k {
	case HardBounce, Block:
		return &s.BlockedAt
	case Unblock:
		return &s.UnblockedAt
	case OptOut:
		return &s.OptedOutAt
	case Complaint:
		return &s.ComplainedAt
	case OptIn:
		return &s.OptedInAt
	case SoftBounce:
		return &s.SoftBouncedAt
	case Delivered:
		return &s.DeliveredAt
	}
	return nil
}

// With returns the state after one more event. An echo counts as EchoAt.
func (s State) With(e Event) State {
	f := s.Field(e.Kind)
	if f == nil {
		return s
	}
	if at := e.EffectiveAt(); at.After(*f) {
		*f = at
	}
	return s
}

// Fold returns the state that a history leads to.
func Fold(events []Event) State {
	var s State
	for _, e := range events {
		s = s.With(e)
	}
	return s
}

// Answered returns the time of what an act of a person answers: an unblock the
// block, an opt-in the opt-out or complaint. Zero: there is nothing to answer.
func (s State) Answered(k Kind) time.Time {
	switch k {
	case Unblock:
		return s.BlockedAt
	case OptIn:
		return later(s.OptedOutAt, s.ComplainedAt)
	case OptOut:
		return s.OptedInAt
	case Block:
		return s.UnblockedAt
	}
	return time.Time{}
}

// AnswerAt returns the time of an act of a person: now, or a microsecond after
// what the act answers, whichever is later. So an unblock always unblocks,
// whatever the clocks say.
func (s State) AnswerAt(k Kind, now time.Time) time.Time {
	now = Micro(now)
	answered := s.Answered(k)
	if answered.IsZero() {
		return now
	}
	return later(now, answered.Add(time.Microsecond))
}

// Micro cuts t to whole microseconds in UTC, the precision of the tables.
func Micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
