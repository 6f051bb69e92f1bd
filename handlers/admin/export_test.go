package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/strikeout/strikeout/store"
)

// NewTestSession makes a user of a role and signs it in, without a password. It
// returns the value of the Cookie header and the token that forms carry.
func NewTestSession(t testing.TB, db *store.DB, role store.Role) (cookie, csrf string) {
	t.Helper()
	name := string(role) + "-" + rand.Text()[:8] + "@example.com"
	u, err := db.AddUser(t.Context(), store.User{Name: store.UserName(name), Role: role, PasswordHash: "x"}, store.By{Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // it never fails
	secret := base64.RawURLEncoding.EncodeToString(b)
	if err := db.AddSession(t.Context(), store.Session{Hash: sha256.Sum256([]byte(secret)), UserID: u.ID, Method: "test"}, [32]byte{}, store.By{Actor: u.Name}); err != nil {
		t.Fatal(err)
	}
	return "so=" + secret, csrfToken(secret)
}
