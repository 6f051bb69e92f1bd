package recipient

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func anyEvent() *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		return Event{
			Kind: rapid.SampledFrom(Kinds).Draw(t, "kind"),
			Echo: rapid.Bool().Draw(t, "echo"),
			At:   noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "at")) * time.Microsecond), // ties are likely
		}
	})
}

func anyState() *rapid.Generator[State] {
	return rapid.Custom(func(t *rapid.T) State { return Fold(rapid.SliceOfN(anyEvent(), 0, 12).Draw(t, "events")) })
}

// Whatever the order, the repetition and the way a history is split: one state.
func TestFoldOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(anyEvent(), 0, 20).Draw(t, "events")
		want := Fold(events)
		if len(events) == 0 {
			if want != (State{}) {
				t.Fatalf("nothing happened: got %+v", want)
			}
			return
		}
		again := rapid.Permutation(append(append([]Event(nil), events...), rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "repeated")...)).Draw(t, "shuffled")
		cut := rapid.IntRange(0, len(again)).Draw(t, "cut")
		first, second := Fold(again[:cut]), Fold(again[cut:])
		for _, got := range []State{Fold(again), first.Join(second), second.Join(first), first.Join(second).Join(first)} {
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("(-want +got):\n%s", d)
			}
		}
	})
}

func TestJoinIsALattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyState().Draw(t, "a"), anyState().Draw(t, "b"), anyState().Draw(t, "c")
		if a.Join(b) != b.Join(a) {
			t.Fatal("not commutative")
		}
		if a.Join(b).Join(c) != a.Join(b.Join(c)) {
			t.Fatal("not associative")
		}
		if a.Join(a) != a || a.Join(State{}) != a || a.Join(b).Join(b) != a.Join(b) {
			t.Fatal("not idempotent")
		}
	})
}

// The rules, one history each.
func TestState(t *testing.T) {
	ev := func(k Kind, s int) Event { return Event{Kind: k, At: at(s)} }
	echo := func(k Kind, s int) Event { return Event{Kind: k, At: at(s), Echo: true} }
	tests := []struct {
		name              string
		events            []Event
		blocked, optedOut bool
	}{
		{"nothing", nil, false, false},
		{"hard bounce", []Event{ev(HardBounce, 0)}, true, false},
		{"block by a person", []Event{ev(Block, 0)}, true, false},
		{"soft bounces", []Event{ev(SoftBounce, 0), ev(SoftBounce, 1), ev(SoftBounce, 2)}, false, false},
		{"complaint blocks nothing", []Event{ev(Complaint, 0)}, false, true},
		{"opt-out", []Event{ev(OptOut, 0)}, false, true},
		{"delivered lifts nothing", []Event{ev(HardBounce, 0), ev(OptOut, 0), ev(Delivered, 1)}, true, true},
		{"reactivation lifts nothing", []Event{ev(HardBounce, 0), ev(OptOut, 0), ev(Complaint, 0), ev(Reactivation, 1)}, true, true},
		{"unblock lifts a block", []Event{ev(HardBounce, 0), ev(Block, 0), ev(Unblock, 1)}, false, false},
		{"unblock lifts no opt-out", []Event{ev(OptOut, 0), ev(Unblock, 1)}, false, true},
		{"opt-in lifts opt-out and complaint", []Event{ev(OptOut, 0), ev(Complaint, 0), ev(OptIn, 1)}, false, false},
		{"opt-in lifts no block", []Event{ev(HardBounce, 0), ev(OptIn, 1)}, true, false},
		{"an opt-in answers the later of the two", []Event{ev(OptOut, 0), ev(OptIn, 1), ev(Complaint, 2)}, false, true},
		{"a tie stays blocked", []Event{ev(HardBounce, 0), ev(Unblock, 0)}, true, false},
		{"a tie stays opted out", []Event{ev(OptOut, 0), ev(OptIn, 0)}, false, true},
		{"a tie stays complained", []Event{ev(Complaint, 0), ev(OptIn, 0)}, false, true},
		{"an old bounce, late", []Event{ev(Unblock, 1), ev(HardBounce, 0)}, false, false},
		{"a new bounce", []Event{ev(Unblock, 1), ev(HardBounce, 2)}, true, false},
		{"an echo of what we did not know", []Event{echo(HardBounce, 5), echo(OptOut, 5)}, true, true},
		{"an echo never beats a person", []Event{ev(HardBounce, 0), ev(OptOut, 0), ev(Unblock, 1), ev(OptIn, 1), echo(HardBounce, 9), echo(OptOut, 9), echo(Complaint, 9)}, false, false},
		{"an echo of a complaint", []Event{echo(Complaint, 5)}, false, true},
		{"an echo changes no time", []Event{ev(HardBounce, 0), echo(HardBounce, 5), ev(Unblock, 1)}, false, false},
		{"an echoed lift lifts what is only echoed", []Event{echo(HardBounce, 5), echo(Unblock, 5)}, true, false},
	}
	for _, tt := range tests {
		s := Fold(tt.events)
		if s.Blocked() != tt.blocked || s.OptedOut() != tt.optedOut || s.Suppressed() != (tt.blocked || tt.optedOut) {
			t.Errorf("%s: got blocked %v, opted out %v, want %v, %v", tt.name, s.Blocked(), s.OptedOut(), tt.blocked, tt.optedOut)
		}
	}
	if s := Fold([]Event{echo(HardBounce, 5)}); !s.BlockedAt.Equal(EchoAt) || EchoAt.UnixMicro() != 1 {
		t.Errorf("an echo counts at %v", s.BlockedAt)
	}
}

// Each kind moves its own field, a reactivation none.
func TestField(t *testing.T) {
	seen := map[State]Kind{}
	for _, k := range Kinds {
		s := State{}.With(Event{Kind: k, At: noon})
		if (k == Reactivation) != (s == State{}) {
			t.Errorf("%s: got %+v", k, s)
		}
		if other, ok := seen[s]; ok && (k != Block || other != HardBounce) {
			t.Errorf("%s moves the field of %s", k, other)
		}
		seen[s] = k
		if !k.Valid() {
			t.Errorf("%s is not valid", k)
		}
	}
	if s := (State{}).With(Event{Kind: "bounce", At: noon}); s != (State{}) || Kind("bounce").Valid() || Kind("").Valid() {
		t.Error("an unknown kind counts")
	}
}

// An act of a person always works, whatever the clocks say.
func TestAnswerAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyState().Draw(t, "state")
		now := noon.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "now")) * time.Microsecond)
		for _, k := range []Kind{Block, Unblock, OptOut, OptIn} {
			e := Event{Kind: k, At: s.AnswerAt(k, now)}
			got := s.With(e)
			if e.At.Before(now) || !e.At.Equal(Micro(e.At)) {
				t.Fatalf("%s at %v, before now", k, e.At)
			}
			worked := map[Kind]bool{Block: got.Blocked(), Unblock: !got.Blocked(), OptOut: got.OptedOut(), OptIn: !got.OptedOut()}[k]
			if !worked {
				t.Fatalf("%s on %+v has no effect", k, s)
			}
			if Fold([]Event{e}).Join(s) != got {
				t.Fatal("the fold disagrees")
			}
		}
	})
	// Only as late as it has to be.
	for _, k := range Kinds {
		if got := (State{}).AnswerAt(k, noon); !got.Equal(noon) {
			t.Errorf("%s: got %v, want now", k, got)
		}
	}
	if got, want := (State{BlockedAt: at(60)}).AnswerAt(Unblock, noon), at(60).Add(time.Microsecond); !got.Equal(want) {
		t.Errorf("unblock of a block ahead of the clock: got %v, want %v", got, want)
	}
}

func TestMicro(t *testing.T) {
	in := time.Date(2026, 11, 24, 14, 0, 0, 123456789, time.FixedZone("EET", 2*3600))
	if got, want := Micro(in), time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC); got != want { //nolint:revive // UTC is part of it
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Micro(time.Time{}); !got.IsZero() {
		t.Errorf("never: got %v", got)
	}
}
