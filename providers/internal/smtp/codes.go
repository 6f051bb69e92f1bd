package smtp

// EnhancedCode returns the first enhanced status code in s, "" where there is
// none. Version numbers and IP addresses are no codes.
func EnhancedCode(s string) string {
	for i := 0; i+4 < len(s); i++ {
		if n := enhancedAt(s, i); n > 0 {
			return s[i : i+n]
		}
	}
	return ""
}

// BasicCode returns the three-digit reply code in s, "" where there is none:
// the first that stands where replies begin, else the first at all.
func BasicCode(s string) string {
	code, _ := basicCode(s)
	return code
}

// codes are what one text says.
type codes struct {
	enhanced string // the first of those that tell most
	basic    string
	placed   bool // basic stands where replies begin, so it is no other number
}

// scan finds the codes of a reply. The basic code before the chosen enhanced
// one ("550 5.1.1") belongs to it.
func scan(s string) (c codes) {
	at := -1
	for i := 0; i+4 < len(s); i++ {
		if s[i] < '2' || s[i] > '5' {
			continue
		}
		n := enhancedAt(s, i)
		if n == 0 {
			continue
		}
		if e := s[i : i+n]; weight(e) > weight(c.enhanced) {
			c.enhanced, at = e, i
		}
		i += n
	}
	if at >= 4 && basicAt(s, at-4) {
		c.basic, c.placed = s[at-4:at-1], true
		return c
	}
	c.basic, c.placed = basicCode(s)
	return c
}

func basicCode(s string) (code string, placed bool) {
	for i := 0; i+2 < len(s); i++ {
		if !basicAt(s, i) {
			continue
		}
		if begins(s[:i]) {
			return s[i : i+3], true
		}
		if code == "" {
			code = s[i : i+3]
		}
		i += 2
	}
	return code, false
}

// begins reports whether a reply can begin after s.
func begins(s string) bool {
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	if s == "" {
		return true
	}
	switch s[len(s)-1] {
	case ':', ';', '(', '[', '<', '"', '\'', '\n', '\r', '=', ',', '>':
		return true
	}
	return false
}

// basicAt reports whether a basic code stands at i.
func basicAt(s string, i int) bool {
	if i+2 >= len(s) || s[i] != '2' && s[i] != '4' && s[i] != '5' || !digit(s[i+1]) || !digit(s[i+2]) {
		return false
	}
	if i > 0 && (digit(s[i-1]) || s[i-1] == '.' || letter(s[i-1]) || s[i-1] == '-' && i > 1 && digit(s[i-2])) {
		return false
	}
	if i+3 == len(s) {
		return true
	}
	switch s[i+3] {
	case ' ', '\t', '\r', '\n', '-', '#', ':', ';', ',', ')', ']', '"', '\'', '<':
		return true
	case '.': // the end of a sentence, or Yahoo's "554.30"; not an IP address
		j := i + 4
		for j < len(s) && digit(s[j]) {
			j++
		}
		return j == len(s) || s[j] != '.'
	}
	return false
}

// enhancedAt returns the length of the enhanced code at i, 0 where there is
// none. Subjects have one digit (RFC 3463 knows 0 to 7), so "Exim 4.94.2" is
// not a code.
func enhancedAt(s string, i int) int {
	if i+4 >= len(s) || s[i] != '2' && s[i] != '4' && s[i] != '5' || s[i+1] != '.' || !digit(s[i+2]) || s[i+3] != '.' || !digit(s[i+4]) {
		return 0
	}
	if i > 0 && (digit(s[i-1]) || s[i-1] == '.' || letter(s[i-1])) {
		return 0
	}
	j := i + 5
	for j < len(s) && j < i+7 && digit(s[j]) {
		j++
	}
	switch {
	case j == len(s):
	case digit(s[j]), s[j] == '.' && j+1 < len(s) && digit(s[j+1]):
		return 0
	}
	return j - i
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
