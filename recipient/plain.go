package recipient

import "strings"

// plainEmail reads what most addresses are, letters, digits and a little
// punctuation, at a tenth of the time that Unicode's tables take. It returns
// what parseEmail would, or false when that has to look.
func plainEmail(s string) (Address, bool) {
	at := strings.IndexByte(s, '@')
	if at < 1 || at > maxLocalBytes || len(s) > maxEmailBytes {
		return Address{}, false
	}
	var seen class
	for i := range at {
		c := classes[s[i]]
		if c&inLocal == 0 {
			return Address{}, false
		}
		seen |= c
	}
	label, labels, digits := at+1, 0, true // where the label began; whether it is digits so far
	for i := at + 1; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			c := classes[s[i]]
			if c&inDomain == 0 || s[i] == '-' && s[i-1] == '-' { // two hyphens: perhaps xn--
				return Address{}, false
			}
			digits = digits && '0' <= s[i] && s[i] <= '9'
			seen |= c
			continue
		}
		if i == label || i-label > 63 || s[label] == '-' || s[i-1] == '-' {
			return Address{}, false
		}
		labels++
		if i == len(s) {
			break
		}
		label, digits = i+1, true
	}
	if labels < 2 || digits {
		return Address{}, false
	}
	if seen&upper != 0 {
		s = lowerASCII(s)
	}
	return Address{Email, s}, true
}

// plainPhone reads what is the normal form already, as most providers write it.
func plainPhone(s string) (Address, bool) {
	if len(s) < 1+minDigits || len(s) > 1+maxDigits || s[0] != '+' || s[1] == '0' {
		return Address{}, false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return Address{}, false
		}
	}
	return Address{SMS, s}, true
}

// class says where a byte may stand in a plain address.
type class uint8

const (
	inLocal class = 1 << iota
	inDomain
	upper
)

var classes = func() (t [256]class) {
	for c := '0'; c <= '9'; c++ {
		t[c] = inLocal | inDomain
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] = inLocal | inDomain
		t[c-'a'+'A'] = inLocal | inDomain | upper
	}
	t['-'], t['_'] = inLocal|inDomain, inLocal|inDomain
	t['.'], t['+'] = inLocal, inLocal
	return t
}()
