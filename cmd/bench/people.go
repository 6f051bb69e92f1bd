package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storebench"
)

// people are the addresses of a database: the first known of them are in it
// already, and of the events half are about those and half about new ones.
type people struct {
	keyer *recipient.Keyer
	known int
	next  *atomic.Int64 // the next new one; nil: nobody is new
}

func newPeople(keyer *recipient.Keyer, known int) *people {
	p := &people{keyer: keyer, known: known, next: new(atomic.Int64)}
	p.next.Store(int64(known))
	return p
}

// address is the normal form of the i-th address.
func address(i int) string { return fmt.Sprintf("reader.%09d@mail.example.com", i) }

func (p *people) person(i int) (recipient.Address, recipient.Key) {
	a := recipient.Stored(recipient.Email, address(i))
	return a, p.keyer.Key(a)
}

// draw picks whom the next event is about.
func (p *people) draw() int {
	if p.known > 0 && (p.next == nil || rand.IntN(2) == 0) { //nolint:gosec // load, no secret
		return rand.IntN(p.known) //nolint:gosec // load, no secret
	}
	return int(p.next.Add(1)) - 1
}

// row is the i-th address as it stands in the database; every fifth is blocked.
func (p *people) row(i int) storebench.Row {
	a, k := p.person(i)
	return storebench.Row{Key: k, Address: a, Blocked: i%5 == 0}
}
