package tokens

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

func TestVerifyState(t *testing.T) {
	r, now := vectorRing(t), time.Unix(vectorNow, 0)
	c := Claims{Key: recipient.Key{1}, Channel: recipient.Email, IssuedAt: now}
	for id, want := range map[string]State{hsID: Active, edID: Verify, "leaked": Confirm} {
		token, err := r.MintWith(id, c)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := r.Verify(token, now); err != nil || v.State != want || v.Expired {
			t.Errorf("%s: got %q, %v, want %q", id, v.State, err, want)
		}
	}
	// Rotation keeps old links alive, under the same name.
	before := testRing(t, "before")
	old, err := before.Mint(c)
	if err != nil {
		t.Fatal(err)
	}
	k, err := GenerateKey(testRand("after"), now, HS256)
	if err != nil {
		t.Fatal(err)
	}
	after, err := before.Rotate(k)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := after.Verify(old, now); err != nil || v.State != Verify || v.TokenID != TokenID(old) {
		t.Errorf("after a rotation: got %+v, %v", v, err)
	}
}

func TestVerifyLenientWhereItMayBe(t *testing.T) {
	r, now := vectorRing(t), time.Unix(vectorNow, 0)
	tests := []struct {
		name, header, payload string
		expired               bool
	}{
		{"typ JWT", `{"alg":"HS256","typ":"JWT","kid":"vec1"}`, goodPayload, false},
		{"typ unsub+jwt", `{"typ":"unsub+jwt","alg":"HS256","kid":"vec1"}`, goodPayload, false},
		{"blanks", `{ "alg": "HS256", "kid": "vec1" }`, `{"sub": "AAAAAAAAAAAAAAAAAAAAAQ", "iat": 1790000000, "c": "e"}`, false},
		{"unknown claims", goodHeader, with(`}`, `,"iss":"acme","jti":"1","list":["a"],"SUB":"x"}`), false},
		{"a day ahead", goodHeader, with("1790000000", "1790086400"), false},
		{"made in 2020", goodHeader, with("1790000000", "1577836800"), false},
		{"exp to come", goodHeader, with(`}`, `,"exp":1790000001}`), false},
		{"exp passed", goodHeader, with(`}`, `,"exp":1790000000}`), true},
		{"exp long passed", goodHeader, with(`}`, `,"exp":1}`), true},
		{"nbf passed", goodHeader, with(`}`, `,"nbf":1789999999}`), false},
	}
	for _, tt := range tests {
		v, err := r.Verify(forge(tt.header, tt.payload), now)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		want := Active
		if tt.expired {
			want = Confirm // an end that has passed costs a step, not the link
		}
		if v.Expired != tt.expired || v.State != want {
			t.Errorf("%s: got %+v", tt.name, v)
		}
	}
}

// Every change of one character breaks a token.
func TestEveryCharacterCounts(t *testing.T) {
	r, now := vectorRing(t), time.Unix(vectorNow, 0)
	good := readVectors(t).Valid[0].HS256
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	for i := range len(good) {
		for j := range len(alphabet) {
			if alphabet[j] == good[i] {
				continue
			}
			changed := good[:i] + alphabet[j:j+1] + good[i+1:]
			if _, err := r.Verify(changed, now); err == nil {
				t.Fatalf("character %d changed to %q: accepted", i, alphabet[j])
			}
		}
		if _, err := r.Verify(good[:i]+good[i+1:], now); err == nil {
			t.Fatalf("without character %d: accepted", i)
		}
	}
}

// Hostile lengths cost nothing: 100 KB are refused unread.
func TestHostileLengths(t *testing.T) {
	r, now := vectorRing(t), time.Unix(vectorNow, 0)
	for _, unit := range []string{".", "=", "%", "%25", "a", "a.", "\u200b", " ", "é"} {
		for _, n := range []int{1000, 100_000} {
			link := strings.Repeat(unit, n/len(unit))
			if _, err := r.Verify(link, now); !errors.Is(err, ErrMalformed) {
				t.Errorf("%d bytes of %q: got %v", n, unit, err)
			}
		}
	}
	huge := strings.Repeat(".", 100_000)
	if got := testing.AllocsPerRun(10, func() {
		if _, err := r.Verify(huge, now); err == nil {
			t.Error("accepted")
		}
	}); got > 0 {
		t.Errorf("100 KB of dots: got %v allocations, want 0", got)
	}
}

// A token has one name, whatever happened to it on the way, and no two share one.
func TestTokenID(t *testing.T) {
	seen := map[string]string{}
	for _, v := range readVectors(t).Valid {
		for _, token := range []string{v.HS256, v.EdDSA} {
			id := TokenID(token)
			if len(id) != 22 || strings.Contains(token, id) {
				t.Errorf("got %q", id)
			}
			if other, ok := seen[id]; ok && other != token {
				t.Error("two tokens, one name")
			}
			seen[id] = token
		}
	}
}

func FuzzVerify(f *testing.F) {
	v := readVectors(f)
	for _, tt := range v.Valid {
		f.Add(tt.HS256)
		f.Add(tt.EdDSA)
	}
	for _, tt := range v.Damaged {
		f.Add(tt.Link)
	}
	for _, tt := range v.Invalid {
		f.Add(tt.Token)
	}
	r, now := vectorRing(f), time.Unix(v.Now, 0)
	f.Fuzz(func(t *testing.T, link string) {
		got, err := r.Verify(link, now)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || Reason(err) == "other" {
				t.Errorf("got %v", err)
			}
			if len(link) > 40 && strings.Contains(err.Error(), link[:40]) {
				t.Error("the error quotes the link")
			}
			return
		}
		if err := got.check(); err != nil {
			t.Errorf("accepted claims that nobody can mint: %v", err)
		}
		if k, ok := r.Key(got.KeyID); !ok || k.State == Revoked || len(got.TokenID) != 22 {
			t.Errorf("got %+v", got)
		}
		again, err := r.MintWith(got.KeyID, got.Claims)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := r.Verify(again, now); err != nil || v.Claims != got.Claims {
			t.Errorf("minted again: got %+v, %v, want %+v", v, err, got)
		}
	})
}

// The vectors' own tokens are all that a fuzzer can find; hostile JSON needs a
// signature to reach the claims.
func FuzzClaims(f *testing.F) {
	f.Add(goodHeader, goodPayload)
	f.Add(goodHeader, with(`}`, `,"m":"a","l":"fi","p":true,"exp":1,"nbf":2}`))
	f.Add(`{"alg":"HS256","kid":"vec1","typ":"JWT"}`, `{"sub":"AAAAAAAAAAAAAAAAAAAAAQ","c":"s","iat":1790000000,"sub":""}`)
	r, now := vectorRing(f), time.Unix(vectorNow, 0)
	f.Fuzz(func(t *testing.T, header, payload string) {
		got, err := r.Verify(forge(header, payload), now)
		if err != nil {
			if Reason(err) == "other" {
				t.Errorf("got %v", err)
			}
			return
		}
		if err := got.check(); err != nil || got.IssuedAt.After(now.Add(aheadLimit)) || got.KeyID != hsID {
			t.Errorf("accepted %+v: %v", got, err)
		}
	})
}
