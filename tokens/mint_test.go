package tokens

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/strikeout/strikeout/recipient"
)

func anyClaims(t *rapid.T) Claims {
	key := recipient.Key{}
	copy(key[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
	key[0] |= 1 // never the zero key
	return Claims{
		Key:      key,
		Channel:  rapid.SampledFrom([]recipient.Channel{recipient.Email, recipient.SMS}).Draw(t, "channel"),
		IssuedAt: time.Unix(rapid.Int64Range(earliest, vectorNow).Draw(t, "iat"), 0).UTC(),
		SendOut:  rapid.StringMatching(`[A-Za-z0-9_.-]{0,32}`).Draw(t, "m"),
		Language: rapid.SampledFrom([]string{"", "fi", "en-GB", "zh-Hant-TW"}).Draw(t, "l"),
		Preview:  rapid.Bool().Draw(t, "p"),
	}
}

// What is minted is read back, by us and by golang-jwt on its own.
func TestMint(t *testing.T) {
	r, now := vectorRing(t), time.Unix(vectorNow, 0)
	rapid.Check(t, func(t *rapid.T) {
		want := anyClaims(t)
		for _, id := range []string{hsID, edID} {
			token, err := r.MintWith(id, want)
			if err != nil {
				t.Fatal(err)
			}
			v, err := r.Verify(token, now)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(Verified{Claims: want, KeyID: id, State: r.byID[id].State, TokenID: TokenID(token)}, v); d != "" {
				t.Fatalf("(-want +got):\n%s", d)
			}
			parsed, err := jwt.Parse(token, r.byID[id].verifyKey, jwt.WithStrictDecoding(), jwt.WithValidMethods([]string{r.byID[id].Alg}),
				jwt.WithTimeFunc(func() time.Time { return now }))
			if err != nil || parsed.Header["kid"] != id {
				t.Fatalf("golang-jwt: %v", err)
			}
			if c := parsed.Claims.(jwt.MapClaims); c["sub"] != want.Key.String() || c["iat"] != float64(want.IssuedAt.Unix()) {
				t.Fatalf("golang-jwt: got %v", c)
			}
		}
	})
}

func TestMintRefuses(t *testing.T) {
	r := vectorRing(t)
	good := Claims{Key: recipient.Key{1}, Channel: recipient.Email, IssuedAt: time.Unix(vectorNow, 0)}
	tests := []struct {
		name   string
		change func(*Claims)
	}{
		{"zero key", func(c *Claims) { c.Key = recipient.Key{} }},
		{"no channel", func(c *Claims) { c.Channel = "" }},
		{"another channel", func(c *Claims) { c.Channel = "fax" }},
		{"no time", func(c *Claims) { c.IssuedAt = time.Time{} }},
		{"a far future", func(c *Claims) { c.IssuedAt = time.Unix(1e11, 0) }},
		{"long send-out", func(c *Claims) { c.SendOut = strings.Repeat("x", 33) }},
		{"quote in the send-out", func(c *Claims) { c.SendOut = `a","c":"s` }},
		{"quote in the language", func(c *Claims) { c.Language = `fi"` }},
	}
	for _, tt := range tests {
		c := good
		tt.change(&c)
		if got, err := r.AppendMint([]byte("x"), c); err == nil || string(got) != "x" {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
	}
	reader, err := newRing(vectorKeys(t)[1:])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Mint(good); !errors.Is(err, ErrNoActiveKey) {
		t.Errorf("no active key: got %v", err)
	}
	if _, err := r.MintWith("other", good); !errors.Is(err, ErrNoKey) {
		t.Errorf("an unknown key: got %v", err)
	}
}

func TestMintAppends(t *testing.T) {
	r := vectorRing(t)
	c := Claims{Key: recipient.Key{1}, Channel: recipient.SMS, IssuedAt: time.Unix(vectorNow, 0)}
	want, err := r.Mint(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.AppendMint([]byte("https://u.example.com/u/"), c)
	if err != nil || string(got) != "https://u.example.com/u/"+want {
		t.Errorf("got %q, %v", got, err)
	}
	var wg sync.WaitGroup // signers are shared
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got, err := r.Mint(c); err != nil || got != want {
					t.Errorf("got %q, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		if got, want := string(appendBase64([]byte("x"), b)), "x"+base64.RawURLEncoding.EncodeToString(b); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestMintAllocates(t *testing.T) {
	r := vectorRing(t)
	c := Claims{Key: recipient.Key{1}, Channel: recipient.Email, IssuedAt: time.Unix(vectorNow, 0), SendOut: "spring", Language: "fi"}
	buf := make([]byte, 0, 512)
	got := testing.AllocsPerRun(200, func() {
		if _, err := r.AppendMint(buf[:0], c); err != nil {
			t.Fatal(err)
		}
	})
	if got > mintAllocs {
		t.Errorf("AppendMint: got %v allocations, want at most %v", got, mintAllocs)
	}
	got = testing.AllocsPerRun(200, func() {
		if _, err := r.Mint(c); err != nil {
			t.Fatal(err)
		}
	})
	if got > mintAllocs+2 {
		t.Errorf("Mint: got %v allocations, want at most %v", got, mintAllocs+2)
	}
}

// A token minted, per the cost of its signature alone.
func BenchmarkMint(b *testing.B) {
	r := vectorRing(b)
	c := Claims{Key: recipient.Key{1}, Channel: recipient.Email, IssuedAt: time.Unix(vectorNow, 0), SendOut: "spring-2026"}
	token, err := r.Mint(c)
	if err != nil {
		b.Fatal(err)
	}
	text := []byte(token[:strings.LastIndexByte(token, '.')])
	b.Run("bare HMAC", func(b *testing.B) {
		m, sum := hmac.New(sha256.New, vectorSecret("HS256")), make([]byte, 0, 32)
		b.ReportAllocs()
		for b.Loop() {
			m.Reset()
			m.Write(text)
			sum = m.Sum(sum[:0])
		}
	})
	b.Run("HS256", func(b *testing.B) {
		buf := make([]byte, 0, 512)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.AppendMint(buf[:0], c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("EdDSA", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.MintWith(edID, c); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r, now := vectorRing(b), time.Unix(vectorNow, 0)
	v := readVectors(b).Valid[0]
	for name, token := range map[string]string{"HS256": v.HS256, "EdDSA": v.EdDSA, "damaged": v.HS256 + "%0A", "dots": strings.Repeat(".", 4000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Verify(token, now); (err == nil) == (name == "dots") {
					b.Fatal(err)
				}
			}
		})
	}
}
