package smtp

// automaton finds all phrases in one pass (Aho and Corasick, 1975,
// https://doi.org/10.1145/360825.360855). It is built once, when the program
// starts, from the lists in words.go.
type automaton struct {
	next  [][classes]uint16
	marks []mark
	whole []wholeWord // a word that ends in this state and must stand alone
}

type wholeWord struct {
	mark mark
	size uint8
}

// classes are the bytes that the phrases use; all others are class 0.
const classes = 48

var class = func() (table [256]uint8) {
	for i, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789 '-.:") {
		table[c] = uint8(i + 1) //nolint:gosec // fewer than classes
	}
	return table
}()

var words = build()

func build() *automaton {
	a := &automaton{}
	a.state()
	for _, p := range phrases {
		for _, w := range p.words {
			a.marks[a.add(w)] |= p.mark
		}
	}
	for _, p := range wholeWords {
		for _, w := range p.words {
			a.whole[a.add(w)] = wholeWord{p.mark, uint8(len(w))} //nolint:gosec // short words
		}
	}
	a.link()
	return a
}

func (a *automaton) state() uint16 {
	a.next = append(a.next, [classes]uint16{})
	a.marks = append(a.marks, 0)
	a.whole = append(a.whole, wholeWord{})
	return uint16(len(a.next) - 1) //nolint:gosec // about a thousand states
}

func (a *automaton) add(word string) uint16 {
	s := uint16(0)
	for i := range len(word) {
		c := class[word[i]]
		if a.next[s][c] == 0 {
			n := a.state()
			a.next[s][c] = n
		}
		s = a.next[s][c]
	}
	return s
}

// link completes the trie, breadth first: where a state has no edge it goes on
// as its longest suffix would, and what that suffix means it means too.
func (a *automaton) link() {
	fail := make([]uint16, len(a.next))
	var queue []uint16
	for _, n := range a.next[0] {
		if n != 0 {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		f := fail[s]
		a.marks[s] |= a.marks[f]
		if a.whole[s].size == 0 {
			a.whole[s] = a.whole[f]
		}
		if a.whole[s].size > 0 {
			a.marks[s] |= wholeEnds
		}
		for c := range a.next[s] {
			n := a.next[s][c]
			if n == 0 {
				a.next[s][c] = a.next[f][c]
				continue
			}
			fail[n] = a.next[f][c]
			queue = append(queue, n)
		}
	}
}
