package sign

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"
	"testing"
)

func TestJWT256(t *testing.T) {
	e := base64.RawURLEncoding
	raw := func(head, claims, secret string) string {
		signed := e.EncodeToString([]byte(head)) + "." + e.EncodeToString([]byte(claims))
		return signed + "." + e.EncodeToString(Sum(sha256.New, []byte(secret), []byte(signed)))
	}
	const claims = `{"id":1}`
	good := NewJWT256([]byte("secret"), []byte(claims))
	flipped := []byte(good)
	flipped[len(flipped)-2] ^= 1
	tests := []struct {
		name, token string
		ok          bool
	}{
		// https://gatewayapi.com/docs/apis/rest/ (read 2026-11-20)
		{"published", "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjoxNTIyNzY0MDYyLCJzdGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbCwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2JiYWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOciAJedZFB13r9wEo8t3Y", true},
		{"own", good, true},
		{"space around it", " " + good + "\n", true},
		{"other secret", NewJWT256([]byte("secret2"), []byte(claims)), false},
		{"flipped", string(flipped), false},
		{"none", raw(`{"alg":"none"}`, claims, "secret"), false},
		{"no signature", e.EncodeToString([]byte(`{"alg":"none"}`)) + "." + e.EncodeToString([]byte(claims)) + ".", false},
		{"another algorithm", raw(`{"alg":"HS512"}`, claims, "secret"), false},
		{"algorithm in lower case", raw(`{"alg":"hs256"}`, claims, "secret"), false},
		{"two algorithms", raw(`{"alg":"none","alg":"HS256"}`, claims, "secret"), false},
		{"critical extension", raw(`{"alg":"HS256","crit":["x"]}`, claims, "secret"), false},
		{"header is no JSON", raw(`HS256`, claims, "secret"), false},
		{"two parts", strings.Join(strings.Split(good, ".")[:2], "."), false},
		{"four parts", good + ".x", false},
		{"padded", good + "=", false},
		{"empty", "", false},
		{"dots", "..", false},
	}
	for _, tt := range tests {
		for _, secrets := range [][][]byte{{[]byte("secret")}, {[]byte("new"), []byte("secret")}} {
			got, ok := JWT256(secrets, []byte(tt.token))
			if ok != tt.ok {
				t.Errorf("%s: %v", tt.name, ok)
			}
			if ok && tt.name != "published" && string(got) != claims {
				t.Errorf("%s: claims %s", tt.name, got)
			}
			if ok && string(JWTClaims([]byte(tt.token))) != string(got) {
				t.Errorf("%s: other claims without the check", tt.name)
			}
		}
		if _, ok := JWT256(nil, []byte(tt.token)); ok {
			t.Errorf("%s: accepted without a secret", tt.name)
		}
	}
}

func TestJWTHMAC(t *testing.T) {
	const claims = `{"id":1}`
	e := base64.RawURLEncoding
	for alg, h := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New, "none": sha256.New, "hs256": sha256.New} {
		signed := e.EncodeToString([]byte(`{"alg":"`+alg+`"}`)) + "." + e.EncodeToString([]byte(claims))
		token := []byte(signed + "." + e.EncodeToString(Sum(h, []byte("secret"), []byte(signed))))
		got, ok := JWTHMAC(secrets("new", "secret"), token)
		if want := strings.HasPrefix(alg, "HS"); ok != want || ok && string(got) != claims {
			t.Errorf("%s: %s, %v", alg, got, ok)
		}
		if _, ok := JWTHMAC(secrets("other"), token); ok {
			t.Errorf("%s: accepted with another secret", alg)
		}
		if _, ok := JWT256(secrets("secret"), token); ok != (alg == "HS256") {
			t.Errorf("%s: JWT256 says %v", alg, ok)
		}
	}
}

func TestJWTClaims(t *testing.T) {
	for _, token := range []string{"", ".", "a", "a.b", "a.!.c", "a.e30=.c"} {
		if got := JWTClaims([]byte(token)); got != nil {
			t.Errorf("%q: %q", token, got)
		}
	}
}
