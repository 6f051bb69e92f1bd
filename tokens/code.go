package tokens

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Lengths of short codes: random base32 in lower case, which survives mail
// programs that change the case, fits a mailto's local part (64 octets) and an
// SMS. Codes are stored, and found again by an exact look-up.
const (
	MailCodeLen = 26 // 130 bits
	SMSCodeLen  = 16 // 80 bits
)

// ErrCode is returned for what cannot be a short code.
var ErrCode = errors.New("not a short code: expected 16 or 26 of a-z and 2-7")

// NewCode makes a code of MailCodeLen or SMSCodeLen characters from the random
// source.
func NewCode(rand io.Reader, length int) (string, error) {
	if length != MailCodeLen && length != SMSCodeLen {
		return "", ErrCode
	}
	b := make([]byte, (length*5+7)/8)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return lowerBase32.EncodeToString(b)[:length], nil
}

// ParseCode returns the one spelling of a code that somebody typed or a mail
// program changed: upper case, blanks and hyphens between groups, digits that
// look like a letter (0 1 8), punctuation after it.
func ParseCode(s string) (string, error) {
	if len(s) > 128 {
		return "", ErrCode
	}
	s = strings.TrimRight(strings.TrimSpace(s), ".,;:)>]'\"")
	s = strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == '0':
			return 'o'
		case r == '1':
			return 'l'
		case r == '8':
			return 'b'
		case r == '-' || r == '=' || unicode.IsSpace(r):
			return -1
		}
		return r
	}, s)
	if len(s) != MailCodeLen && len(s) != SMSCodeLen || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", ErrCode
	}
	return s, nil
}

// ReadCode finds the code in what stands behind /u/ of a link, after what mail
// programs do to links: see Verify.
func ReadCode(link string) (string, error) {
	if len(link) > maxLinkBytes {
		return "", ErrCode
	}
	for _, s := range mend(link) {
		if code, err := ParseCode(s); err == nil {
			return code, nil
		}
	}
	return ParseCode(link)
}
