package tokens

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// testRand is a random source that repeats: SHA-256 of name and a counter.
func testRand(name string) io.Reader { return &fixedRand{name: name} }

type fixedRand struct {
	name string
	n    int
	left []byte
}

func (r *fixedRand) Read(p []byte) (int, error) {
	for i := range p {
		if len(r.left) == 0 {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", r.name, r.n))
			r.left, r.n = sum[:], r.n+1
		}
		p[i], r.left = r.left[0], r.left[1:]
	}
	return len(p), nil
}

// testRing is a ring of one active key made from the name.
func testRing(t testing.TB, name string) *Ring {
	t.Helper()
	k, err := GenerateKey(testRand(name), time.Unix(vectorNow, 0), HS256)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRing([]Key{k})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewRingRefuses(t *testing.T) {
	hs := func(secret []byte) Key { return Key{ID: "k1", Alg: HS256, State: Active, Secret: secret} }
	good := vectorSecret("any")
	private := ed25519.NewKeyFromSeed(good)
	public := private.Public().(ed25519.PublicKey)
	tests := []struct {
		name string
		keys []Key
		want string
	}{
		{"empty secret", []Key{hs(nil)}, "empty"},
		{"short secret", []Key{hs(good[:31])}, "shorter"},
		{"zeros", []Key{hs(make([]byte, 32))}, "repeats"},
		{"a pattern", []Key{hs(bytes.Repeat([]byte("abcd1234"), 8))}, "repeats"},
		{"typed", []Key{hs([]byte("a-string-secret-at-least-256-bits-long"))}, "typed"},
		{"counting", []Key{hs([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"))}, "example"},
		{"another algorithm", []Key{{ID: "k1", Alg: "RS256", State: Active, Secret: good}}, "algorithm"},
		{"no algorithm", []Key{{ID: "k1", State: Active, Secret: good}}, "algorithm"},
		{"another state", []Key{{ID: "k1", Alg: HS256, State: "on", Secret: good}}, "state"},
		{"HS256 with a public key", []Key{{ID: "k1", Alg: HS256, State: Active, Secret: good, Public: public}}, "secret only"},
		{"EdDSA with a secret", []Key{{ID: "k1", Alg: EdDSA, State: Verify, Secret: good, Public: public}}, "no secret"},
		{"EdDSA without a key", []Key{{ID: "k1", Alg: EdDSA, State: Verify}}, "public key"},
		{"EdDSA with zeros", []Key{{ID: "k1", Alg: EdDSA, State: Verify, Public: make([]byte, 32)}}, "constant"},
		{"EdDSA active, cannot sign", []Key{{ID: "k1", Alg: EdDSA, State: Active, Public: public}}, "able to sign"},
		{"EdDSA of two pairs", []Key{{ID: "k1", Alg: EdDSA, State: Active, Public: vectorKeys(t)[1].Public, Private: private}}, "belong together"},
		{"EdDSA private key cut", []Key{{ID: "k1", Alg: EdDSA, State: Active, Public: public, Private: private[:32]}}, "not an Ed25519"},
		{"two active", []Key{hs(good), {ID: "k2", Alg: HS256, State: Active, Secret: vectorSecret("b")}}, "only one key"},
		{"one id twice", []Key{hs(good), {ID: "k1", Alg: HS256, State: Verify, Secret: vectorSecret("b")}}, "two keys"},
	}
	for _, tt := range tests {
		_, err := NewRing(tt.keys)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.keys[len(tt.keys)-1].ID) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if s := string(tt.keys[0].Secret); err != nil && len(s) > 8 && strings.Contains(err.Error(), s[:8]) {
			t.Errorf("%s: the error shows the secret", tt.name)
		}
	}
	for _, id := range []string{"", "K1", "k-1", "aaaaaaaaaaaaaaaaa", "ä"} {
		if _, err := NewRing([]Key{{ID: id, Alg: HS256, State: Active, Secret: good}}); err == nil {
			t.Errorf("id %q: accepted", id)
		}
	}
}

func TestRingChanges(t *testing.T) {
	r := vectorRing(t)
	now := time.Unix(vectorNow, 0)
	if _, err := r.SetState(hsID, Revoked); err == nil || !strings.Contains(err.Error(), "rotate first") {
		t.Errorf("revoking the active key: got %v", err)
	}
	if _, err := r.SetState("other", Revoked); !errors.Is(err, ErrNoKey) {
		t.Errorf("an unknown key: got %v", err)
	}
	for _, alg := range []string{HS256, EdDSA} {
		k, err := GenerateKey(testRand(alg), now, alg)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := NewRing([]Key{k})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := fresh.Active(); !ok || got.ID != k.ID || !got.CreatedAt.Equal(now) || len(got.ID) != 5 {
			t.Errorf("%s: got %v", alg, got)
		}
		if s := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Contains(s, "[") || strings.Contains(s, "Secret") {
			t.Errorf("%s: printing a key shows it: %s", alg, s)
		}
	}
	k, err := GenerateKey(testRand("new"), now, HS256)
	if err != nil {
		t.Fatal(err)
	}
	base, err := NewRing([]Key{{ID: "a", Alg: HS256, State: Active, Secret: vectorSecret("a")}})
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := base.Rotate(k)
	if err != nil {
		t.Fatal(err)
	}
	if got := rotated.String(); got != "a=verify "+k.ID+"=active" {
		t.Errorf("rotated: got %s", got)
	}
	if got := base.String(); got != "a=active" {
		t.Errorf("the ring before changed: %s", got)
	}
	confirm, err := rotated.SetState("a", Confirm)
	if err != nil || confirm.String() != "a=confirm "+k.ID+"=active" {
		t.Errorf("confirm: got %v, %v", confirm, err)
	}
	back, err := rotated.SetState("a", Active)
	if err != nil || back.String() != "a=active "+k.ID+"=verify" {
		t.Errorf("active again: got %v, %v", back, err)
	}
	if _, err := rotated.Rotate(k); err == nil {
		t.Error("one key twice: accepted")
	}
	if _, err := GenerateKey(strings.NewReader("short"), now, HS256); err == nil {
		t.Error("a random source that ends: accepted")
	}
	if _, err := GenerateKey(testRand("x"), now, "RS256"); err == nil {
		t.Error("another algorithm: accepted")
	}
}
