package admin

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Argon2id at the minimum that OWASP's Password Storage Cheat Sheet names
// (read 2026-11-22): 19 MiB, 2 passes, 1 lane.
const (
	argonMemoryKiB = 19 << 10
	argonPasses    = 2
	argonLanes     = 1
	argonSalt      = 16
	argonKey       = 32
)

// Limits of a password. The longest is far beyond any person's, and short
// enough that hashing it costs nothing more.
const (
	minPasswordRunes = 12
	maxPasswordBytes = 1024
)

// maxHashing is how many passwords are hashed at once: a flood of sign-ins
// must not take more than 4 x 19 MiB.
const maxHashing = 4

var (
	errPasswordShort = fmt.Errorf("the password needs at least %d characters", minPasswordRunes)
	errPasswordLong  = fmt.Errorf("the password may have at most %d bytes", maxPasswordBytes)
	errPasswordName  = errors.New("the password must not be the user's name or one character repeated")
	errHash          = errors.New("the stored password hash cannot be read")
)

// hasher hashes passwords, a few at a time.
type hasher struct {
	slots chan struct{}
	dummy string // of no password: what unknown users are compared with
	key   func(password, salt []byte, passes, memory uint32, lanes uint8, size uint32) []byte
}

func newHasher() *hasher {
	return &hasher{slots: make(chan struct{}, maxHashing), key: argon2.IDKey,
		dummy: encodePHC(make([]byte, argonSalt), make([]byte, argonKey), argonMemoryKiB, argonPasses, argonLanes)}
}

// checkPassword says what is wrong with a new password.
func checkPassword(password, userName string) error {
	p := norm.NFC.String(password)
	switch {
	case len(password) > maxPasswordBytes || len(p) > maxPasswordBytes:
		return errPasswordLong
	case utf8.RuneCountInString(p) < minPasswordRunes:
		return errPasswordShort
	case strings.EqualFold(p, userName), strings.Trim(p, string([]rune(p)[0])) == "":
		return errPasswordName
	}
	return nil
}

// HashPassword returns the PHC string of a new password.
func HashPassword(ctx context.Context, random io.Reader, password string) (string, error) {
	return newHasher().hash(ctx, random, password)
}

func (h *hasher) hash(ctx context.Context, random io.Reader, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	key, err := h.derive(ctx, password, salt, argonMemoryKiB, argonPasses, argonLanes, argonKey)
	if err != nil {
		return "", err
	}
	return encodePHC(salt, key, argonMemoryKiB, argonPasses, argonLanes), nil
}

// verify compares a password with a stored hash. An empty hash costs the same
// and never fits, so that the time does not tell who exists. With old the hash
// was made with other costs than today's.
func (h *hasher) verify(ctx context.Context, stored, password string) (ok, old bool, err error) {
	known := stored != ""
	if !known {
		stored = h.dummy
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	if len(password) > maxPasswordBytes {
		password, known = password[:maxPasswordBytes], false
	}
	key, err := h.derive(ctx, password, p.salt, p.memory, p.passes, p.lanes, uint32(len(p.key))) //nolint:gosec // parsePHC bounds it
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(key, p.key) == 1
	return same && known, p.memory != argonMemoryKiB || p.passes != argonPasses || p.lanes != argonLanes, nil
}

// derive waits for a free slot; the error is the context's when none came.
func (h *hasher) derive(ctx context.Context, password string, salt []byte, memory, passes uint32, lanes uint8, size uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	return h.key([]byte(norm.NFC.String(password)), salt, passes, memory, lanes, size), nil
}

type phc struct {
	salt, key      []byte
	memory, passes uint32
	lanes          uint8
}

var b64 = base64.RawStdEncoding.Strict()

func encodePHC(salt, key []byte, memory, passes uint32, lanes uint8) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// parsePHC reads "$argon2id$v=19$m=..,t=..,p=..$salt$hash". Costs far beyond
// ours are refused: whoever can write the table must not get all our memory.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return phc{}, errHash
	}
	var p phc
	var version int
	if n, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || n != 1 || version != argon2.Version {
		return phc{}, errHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil || n != 3 {
		return phc{}, errHash
	}
	var err1, err2 error
	p.salt, err1 = b64.DecodeString(parts[4])
	p.key, err2 = b64.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.key) < 16 || len(p.key) > 64 ||
		p.memory < 8 || p.memory > 256<<10 || p.passes < 1 || p.passes > 10 || p.lanes < 1 || p.lanes > 8 {
		return phc{}, errHash
	}
	return p, nil
}
