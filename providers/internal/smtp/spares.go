package smtp

// Spares reports whether a bounce that the provider calls hard names another
// reason than the address: a temporary failure, a full mailbox, the size, the
// content, a policy. It is for providers whose verdict is good where the code
// is: a code that says more than "failed" decides alone, 5.2.1 and the codes of
// mail systems and routes leave the verdict standing, and words count only where
// no such code is, or beside 5.2.1, which a mailbox that gets too much mail at
// once has too, and 5.1.0, which is often about the sender. A code in the text
// that tells more than the status can spare the address, and a temporary status
// does whatever the text says. Code is the one that decided, "" where there is none.
func Spares(r Reply) (code string, spared bool) {
	e := EnhancedCode(r.Status)
	if e != "" && e[0] == '4' {
		return e, true
	}
	if found := scan(r.Text).enhanced; weight(found) > weight(e) && (weight(e) < 2 || spares(found)) {
		e = found
	}
	if weight(e) < 2 {
		return firstOf(e, BasicCode(r.Code), BasicCode(r.Text)), Excuses(r)
	}
	switch e {
	case "5.1.0":
		w := read(r.Text)
		return e, w.vetoed() || w.aboutSender() && !w.faulty()
	case "5.2.1":
		w := read(r.Text)
		return e, w.has(rate) && !w.has(disabled)
	}
	return e, spares(e)
}

// spares reports whether a code alone names another reason than the address.
func spares(e string) bool {
	switch e {
	case "5.1.7", "5.1.8", "5.2.2", "5.2.3", "5.3.4":
		return true
	}
	return e[0] == '4' || e[2] == '6' || e[2] == '7'
}
