package providertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// checkArrays: an item of an array means what it means alone, whatever stands
// beside it, and still does when the request is gone. Readers follow what the
// items have in common and use room again; this is what that must not change.
func checkArrays(t *testing.T, info providers.Info, opts Options) {
	t.Helper()
	s := newSettings(t, info, opts)
	a := adapter(t, info, s)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's
	frame, items, first := listOf(t, info, a, s)
	if first == nil {
		return // one event a request
	}
	for _, f := range load(t) {
		for _, other := range Frames(f.req.Body) {
			if other.Path == frame.Path {
				items = append(items, other.Items...)
			}
		}
	}
	parse := func(items []json.RawMessage) ([]recipient.Event, error) {
		r := clone(first)
		r.Body = frame.With(items)
		events, err := a.Parse(r)
		for i := range r.Body {
			r.Body[i] = '#'
		}
		return events, err
	}
	for range 150 {
		var list []json.RawMessage
		for range 1 + random.IntN(24) {
			item := items[random.IntN(len(items))]
			for range random.IntN(3) {
				item = bent(random, item)
			}
			list = append(list, item)
		}
		got, err := parse(list)
		var want []recipient.Event
		var bad error
		for _, item := range list {
			events, err := parse([]json.RawMessage{item})
			want, bad = append(want, events...), errors.Join(bad, err)
		}
		if (err == nil) != (bad == nil) {
			t.Fatalf("alone: %v; together: %v\n%s", bad, err, join(list))
		}
		if len(got) != len(want) {
			t.Fatalf("%d events alone, %d together: %v\n%s", len(want), len(got), err, join(list))
		}
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("event %d: alone\n%+v\ntogether\n%+v\n%s", i, want[i], got[i], join(list))
			}
		}
	}
}

// listOf finds the array that an adapter reads as a list of events: from two of
// its items come the events of both.
func listOf(t *testing.T, info providers.Info, a providers.Adapter, s providers.Settings) (frame Frame, items []json.RawMessage, first *providers.Request) {
	t.Helper()
	for _, x := range tries(t, info, s) {
		r := x.build(t)
		one, err := a.Parse(clone(r))
		if err != nil || len(one) == 0 {
			continue
		}
		for _, f := range Frames(r.Body) {
			if frame.With == nil {
				twice := clone(r)
				twice.Body = f.With(slices.Concat(f.Items, f.Items))
				if two, err := a.Parse(twice); err == nil && reflect.DeepEqual(two, slices.Concat(one, one)) {
					frame, first = f, r
				}
			}
			if f.Path == frame.Path {
				items = append(items, f.Items...)
			}
		}
	}
	return frame, items, first
}

// bent changes an item a little: members move, go, come twice, or hold something
// else.
func bent(random *rand.Rand, item json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(item, &members) != nil || len(members) == 0 {
		return item
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	random.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
	chosen := names[0]
	switch random.IntN(7) {
	case 0:
		names = names[1:]
	case 1:
		junk := []string{`null`, `""`, `0`, `"x"`, `{}`, `[]`, `true`, `1.5e3`, `[{}]`, `"\u00e4\n"`, `{"a":{"b":[1,{"c":2}]}}`}
		members[chosen] = json.RawMessage(junk[random.IntN(len(junk))])
	case 2:
		more := fmt.Sprint("more", random.Uint32())
		names = append(names, more)
		members[more] = json.RawMessage(`{"event":"bounce","list":[{"a":1},{"a":2}]}`)
	default:
		for _, name := range names { // deeper, where there is something
			if inner := bent(random, members[name]); string(inner) != string(members[name]) {
				members[name] = inner
				break
			}
		}
	}
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return item
		}
		b = append(append(append(b, quoted...), ':'), members[name]...)
	}
	return append(b, '}')
}
