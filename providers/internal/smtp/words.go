package smtp

import (
	"slices"
	"strings"
)

// mark is what a word in a reply means.
type mark uint16

const (
	faulty      mark = 1 << iota // the address is faulty, in a reply of class 5
	veto                         // something else was the reason
	disabled                     // the mailbox was closed (5.2.1)
	noDomain                     // the domain does not exist (5.4.4)
	unavailable                  // "mailbox unavailable": hard with 5.1.x only
	atRCPT                       // the reply answered RCPT
	rate                         // too much mail at once
	aSender                      // the reply speaks of the sender
	refusal                      // somebody was refused; veto near a sender
	unrouteable                  // Exim: hard with unknown or "no such" only
	unknown
	noAccount // Yahoo: "user doesn't have a yahoo.com account"
	account
	wholeEnds // a whole word may end here; no reply has it
)

// phrases are searched anywhere in the text, without regard to case.
var phrases = []struct {
	mark  mark
	words []string
}{
	{faulty, []string{
		"user unknown", "unknown user", "no such user", "no such recipient", "does not exist", "doesn't exist",
		"no mailbox here by that name", "mailbox not found", "invalid recipient", "invalid mailbox",
		"recipient not found", "address not found", "recipientnotfound", "not a valid mailbox",
		"account has been disabled", "account has been deactivated", "account has been closed",
		"domain not found", "nxdomain", "unknown local-part", "unknown local part", "unknown recipient", "no such mailbox", "user not found",
		"couldn't find any host named", "no such domain", "host unknown", "unknown host", "mailbox is disabled",
		"no such address", "unknown address", "recipient unknown", "null mx", "unknown mailbox",
		"recipient does not exist", "no such person at this address", "addressee unknown",
		"address not present in directory", "not listed in domino directory", "addresses were unknown", "address could not be found", "address couldn't be found",
		"not a known user", "not a valid user", "not a valid recipient", "not an active address", "rejected: invalid user", "invalid user address", "invalid-recipient", "user not known", "user not exist",
		"recipient not exist", "non-existent user", "nonexistent user", "mailbox invalid", "mailbox not present", "no mailbox found", "no mailbox by that name",
		"no account by that name", "no one at this address", "unknown email address", "unknown e-mail address", "email name is not found",
		"address is wrong or no longer valid", "nonexistentdomain", "nonexistent domain", "non-existent domain",
	}},
	{veto, []string{
		"spam", "blocked", "block list", "blocklist", "blacklist", "black list", "policy", "reputation", "rate limit", "ratelimit",
		"throttl", "greylist", "graylist", "grey list", "quota", "over limit", "too large", "content", "virus", "dmarc", "dkim",
		"relaying denied", "relay denied", "relay access denied", "relaying not allowed", "relay not permitted", "authentication",
		"temporar", "try again", "access denied", "listed at", "spamhaus", "barracuda", "sorbs", "spamcop",
		"sender verify", "sender verification", "verify sender", "sender address verif", "too many", "too quickly", "malware", "phish", "prohibit",
		"storage", "disk space", "exceeds", "limit exceeded", "size limit", "frequency limit", "timed out",
	}},
	{rate, []string{"too many", "too quickly"}},
	{disabled, []string{"disabled", "deactivated", "inactive", "closed", "terminated", "suspended"}},
	{noDomain, []string{
		"does not exist", "doesn't exist", "nxdomain", "domain not found", "no such domain", "host not found", "host or domain name not found",
		"unknown host", "host unknown", "nonexistentdomain", "nonexistent domain", "non-existent domain", // the first is Exchange's
	}},
	{unavailable, []string{"mailbox unavailable"}},
	{atRCPT, []string{"rcpt to"}},
	{aSender, []string{"sender", "mail from", "return path", "return-path", "reverse-path", "from address", "from domain", "envelope from", "your domain", "sending domain", "helo", "ehlo"}},
	{refusal, []string{"rejected", "denied", "refused"}},
	{unrouteable, []string{"unrouteable address"}},
	{unknown, []string{"unknown", "no such"}},
	{noAccount, []string{"user doesn't have a"}},
	{account, []string{"account"}},
}

// wholeWords must stand alone: "full" is not in "successfully".
var wholeWords = []struct {
	mark  mark
	words []string
}{
	{veto, []string{"full", "spf", "rbl", "dnsbl", "url", "urls", "link", "links"}},
	{rate, []string{"rate"}},
}

// wording is what a text says.
type wording struct {
	marks mark
	// refusedSender: a refusal stands near the sender. noYahoo: "account" follows noAccount.
	refusedSender, noYahoo bool
}

func (w wording) has(m mark) bool { return w.marks&m != 0 }

func (w wording) vetoed() bool { return w.has(veto) || w.refusedSender }

// aboutSender is asked before the words alone may block: "the domain of the
// sender does not exist" is not about the recipient.
func (w wording) aboutSender() bool { return w.has(aSender) }

func (w wording) faulty() bool {
	return w.has(faulty) || w.noYahoo || w.has(unrouteable) && w.has(unknown)
}

// maxText is how much of a reply is read; more is a transcript.
const maxText = 16 << 10

// How far apart, in bytes, two words still belong together.
const (
	nearSender  = 40
	nearAccount = 100
)

// read finds the words of a reply in one pass.
func read(text string) (w wording) {
	if len(text) > maxText {
		text = text[:maxText]
	}
	if len(text) <= 128 { // so that less room is cleared
		var room [128]byte
		return find(plain(room[:0], text))
	}
	var room [512]byte
	return find(plain(room[:0], text))
}

// find reads a line that plain made.
func find(line []byte) (w wording) {
	senderAt, refusalAt, accountAt := -1, -1, -1
	states := words.states
	s := &states[0]
	for i, c := range line {
		s = &states[s.next[class[c]]]
		if s.marks == 0 {
			continue
		}
		m := s.marks
		if m&wholeEnds != 0 {
			if n := words.whole[s.whole]; !wordByte(line, i+1) && !wordByte(line, i-int(n.size)) {
				w.marks |= n.mark
			}
		}
		w.marks |= m &^ wholeEnds
		if m&aSender != 0 {
			senderAt = i
		}
		if m&refusal != 0 {
			refusalAt = i
		}
		if m&(aSender|refusal) != 0 && senderAt >= 0 && refusalAt >= 0 && max(senderAt, refusalAt)-min(senderAt, refusalAt) < nearSender {
			w.refusedSender = true
		}
		if m&noAccount != 0 {
			accountAt = i
		}
		if m&account != 0 && accountAt >= 0 && i-accountAt < nearAccount {
			w.noYahoo = true
		}
	}
	return w
}

func wordByte(line []byte, i int) bool {
	if i < 0 || i >= len(line) {
		return false
	}
	c := line[i]
	return letter(c) || digit(c) || c == '_'
}

// plain appends text in lower case on one line, with single spaces, without
// the codes that each line of a reply repeats and without the addresses and the
// hosts that the reply quotes: neither <Spam.Policy@example.com> nor "host
// mx.barracudanetworks.com[192.0.2.1] said" says anything of spam.
func plain(out []byte, text string) []byte {
	n := len(out)
	out = slices.Grow(out, len(text))[:n+len(text)] // n counts what is written; it never gets longer
	start, space := true, true                      // at the start of a line; of a word
	for i := 0; i < len(text); {
		if !space { // the rest of a word
			for ; i < len(text) && inWord[text[i]] != 0; i++ {
				out[n] = inWord[text[i]]
				n++
			}
			if i == len(text) {
				break
			}
		}
		c := text[i]
		switch {
		case c <= ' ' || c == 0x7f:
			start = start || c == '\n' || c == '\r'
			if !space {
				out[n], space = ' ', true
				n++
			}
			i++
			continue
		case space && (c == '2' || c == '4' || c == '5'):
			if size := prefix(text[i:], start); size > 0 {
				i, start = i+size, false
				continue
			}
		case space && c|0x20 == 'h':
			if size := quotedHost(text[i:]); size > 0 {
				i, start = i+size, false
				continue
			}
		case c == '<':
			if size := angled(text[i:]); size > 0 {
				i, start = i+size, false
				if !space {
					out[n], space = ' ', true
					n++
				}
				continue
			}
		case c == '@':
			// Take the local part back and skip the domain.
			for n > 0 && atom(out[n-1]) {
				n--
			}
			for i++; i < len(text) && atom(text[i]); i++ { //nolint:revive // skips
			}
			space = n == 0 || out[n-1] == ' '
			continue
		case c == 0xe2 && i+2 < len(text) && text[i+1] == 0x80 && text[i+2] == 0x99: // ’
			out[n], space, start = '\'', false, false
			n++
			i += 3
			continue
		}
		out[n], space, start = lowered(c), false, false
		n++
		i++
	}
	return out[:n]
}

// inWord are the bytes that stand for themselves within a word, in lower case; 0 for
// those that plain must look at.
var inWord = func() (table [256]byte) {
	for c := range table {
		if c > ' ' && c != 0x7f && c != '<' && c != '@' && c != 0xe2 {
			table[c] = lowered(byte(c))
		}
	}
	return table
}()

func lowered(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// prefix returns the length of a code at the start of a line ("550-",
// "550-5.1.1 ") or in the middle of a reply whose lines were joined
// ("... exist. 550-5.1.1 Please ...").
func prefix(s string, lineStart bool) int {
	if !basicAt(s, 0) || len(s) < 4 || s[3] != ' ' && s[3] != '-' {
		return 0
	}
	if n := enhancedAt(s, 4); n > 0 {
		return 4 + n
	}
	if lineStart {
		return 4
	}
	return 0
}

// quotedHost returns the length of "host NAME[ADDRESS]", as Postfix and others
// name the server whose reply follows.
func quotedHost(s string) int {
	const word = "host "
	if len(s) <= len(word) || !strings.EqualFold(s[:len(word)], word) {
		return 0
	}
	bracket := false
	for i := len(word); i < len(s) && i < 300; i++ {
		switch c := s[i]; {
		case c == '[':
			bracket = true
		case c == ']' && bracket:
			return i + 1
		case c <= ' ':
			return 0
		}
	}
	return 0
}

// angled returns the length of an address in angle brackets.
func angled(s string) int {
	at := false
	for i := 1; i < len(s) && i < 330; i++ {
		switch s[i] {
		case '@':
			at = true
		case '<', '\n', '\r':
			return 0
		case '>':
			if at {
				return i + 1
			}
			return 0
		}
	}
	return 0
}

// atom reports whether c can be part of an unquoted address in running text.
func atom(c byte) bool {
	if letter(c) || digit(c) || c >= 0x80 {
		return true
	}
	switch c {
	case '.', '_', '-', '+', '=', '%', '&', '!', '#', '$', '*', '/', '?', '^', '`', '{', '|', '}', '~':
		return true
	}
	return false
}
