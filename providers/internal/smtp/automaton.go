package smtp

// automaton finds all phrases in one pass (Aho and Corasick, 1975,
// https://doi.org/10.1145/360825.360855). It is built once, when the program
// starts, from the lists in words.go.
type automaton struct {
	states []state
	whole  []wholeWord // whole[0] is none
}

type state struct {
	next  [classes]uint16
	marks mark
	whole uint16 // of automaton.whole: a word that ends here and must stand alone
}

type wholeWord struct {
	mark mark
	size uint8
}

// classes are the bytes that the phrases use; all others are class 0. With so many
// a state is a power of two in size, which is quick to find.
const classes = 62

var class = func() (table [256]uint8) {
	for i, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789 '-.:") {
		table[c] = uint8(i + 1) //nolint:gosec // fewer than classes
	}
	return table
}()

var words = build()

func build() *automaton {
	a := &automaton{states: make([]state, 1), whole: make([]wholeWord, 1)}
	for _, p := range phrases {
		for _, w := range p.words {
			a.states[a.add(w)].marks |= p.mark
		}
	}
	for _, p := range wholeWords {
		for _, w := range p.words {
			a.states[a.add(w)].whole = uint16(len(a.whole))             //nolint:gosec // a few
			a.whole = append(a.whole, wholeWord{p.mark, uint8(len(w))}) //nolint:gosec // short words
		}
	}
	a.link()
	return a
}

func (a *automaton) add(word string) uint16 {
	s := uint16(0)
	for i := range len(word) {
		c := class[word[i]]
		if a.states[s].next[c] == 0 {
			a.states[s].next[c] = uint16(len(a.states)) //nolint:gosec // about a thousand states
			a.states = append(a.states, state{})
		}
		s = a.states[s].next[c]
	}
	return s
}

// link completes the trie, breadth first: where a state has no edge it goes on
// as its longest suffix would, and what that suffix means it means too.
func (a *automaton) link() {
	fail := make([]uint16, len(a.states))
	var queue []uint16
	for _, n := range a.states[0].next {
		if n != 0 {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		f := fail[s]
		own, suffix := &a.states[s], &a.states[f]
		own.marks |= suffix.marks
		if own.whole == 0 {
			own.whole = suffix.whole
		}
		if own.whole != 0 {
			own.marks |= wholeEnds
		}
		for c, n := range own.next {
			if n == 0 {
				own.next[c] = suffix.next[c]
				continue
			}
			fail[n] = suffix.next[c]
			queue = append(queue, n)
		}
	}
}
