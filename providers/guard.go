package providers

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Guard checks what stands in for, or in front of, a signature: a secret path
// segment and HTTP Basic credentials. Several values of each are accepted
// (rotation). Comparison takes the same time whatever is wrong.
type Guard struct {
	basic [][sha256.Size]byte
	path  [][sha256.Size]byte
}

// NewGuard takes the values of basic_auth ("user:password") and path_secret.
func NewGuard(basicAuth, pathSecrets []string) Guard {
	var g Guard
	for _, v := range basicAuth {
		g.basic = append(g.basic, sha256.Sum256([]byte(v)))
	}
	for _, v := range pathSecrets {
		g.path = append(g.path, sha256.Sum256([]byte(v)))
	}
	return g
}

// Active reports whether anything is checked.
func (g Guard) Active() bool { return len(g.basic) > 0 || len(g.path) > 0 }

// WantsBasic reports whether Basic credentials are required, so that a 401 can
// carry a challenge.
func (g Guard) WantsBasic() bool { return len(g.basic) > 0 }

// WantsPath reports whether a secret path segment is required.
func (g Guard) WantsPath() bool { return len(g.path) > 0 }

// Check reports whether the Authorization header and the path segment satisfy
// every configured guard. The reason is for people and names no value.
func (g Guard) Check(authorization, pathSecret string) (ok bool, reason string) {
	if len(g.path) > 0 && !oneOf(g.path, pathSecret) {
		return false, "the path secret is missing or wrong"
	}
	if len(g.path) == 0 && pathSecret != "" {
		return false, "this endpoint has no path secret"
	}
	if len(g.basic) > 0 && !oneOf(g.basic, basicCredentials(authorization)) {
		return false, "the Basic credentials are missing or wrong"
	}
	return true, ""
}

// oneOf never matches an empty value: an empty setting must not open the door.
func oneOf(want [][sha256.Size]byte, got string) bool {
	if got == "" {
		return false
	}
	sum := sha256.Sum256([]byte(got))
	match := 0
	for i := range want {
		match |= subtle.ConstantTimeCompare(want[i][:], sum[:])
	}
	return match == 1
}

func basicCredentials(header string) string {
	scheme, value, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return ""
	}
	return string(b)
}
