package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what the providers use
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

func secrets(s ...string) [][]byte {
	var out [][]byte
	for _, v := range s {
		out = append(out, []byte(v))
	}
	return out
}

// TestVectors checks HMACs against RFC 4231 and RFC 2202, test case 2.
func TestVectors(t *testing.T) {
	const msg = "what do ya want for nothing?"
	sum256, err := hex.DecodeString("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
	if err != nil {
		t.Fatal(err)
	}
	sum1, err := hex.DecodeString("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
	if err != nil {
		t.Fatal(err)
	}
	if got := Sum(sha256.New, []byte("Jefe"), []byte(msg)); string(got) != string(sum256) {
		t.Errorf("SHA-256: %x", got)
	}
	if got := Sum(sha1.New, []byte("Jefe"), []byte("what do ya want "), []byte("for nothing?")); string(got) != string(sum1) {
		t.Errorf("SHA-1 in parts: %x", got)
	}
	if !HexHMAC256(secrets("Jefe"), hex.EncodeToString(sum256), []byte(msg)) {
		t.Error("hex refused")
	}
	if !HexHMAC256(secrets("Jefe"), strings.ToUpper(hex.EncodeToString(sum256)), []byte(msg)) {
		t.Error("upper case hex refused")
	}
	if !Base64HMAC256(secrets("Jefe"), base64.StdEncoding.EncodeToString(sum256), []byte(msg)) {
		t.Error("base64 refused")
	}
	if !Base64HMAC1(secrets("Jefe"), base64.StdEncoding.EncodeToString(sum1), []byte(msg)) {
		t.Error("SHA-1 refused")
	}
}

func TestHMAC(t *testing.T) {
	body := []byte("body")
	mac := hex.EncodeToString(Sum(sha256.New, []byte("new"), body))
	tests := []struct {
		name    string
		secrets [][]byte
		mac     string
		want    bool
	}{
		{"first", secrets("new", "old"), mac, true},
		{"second", secrets("old", "new"), mac, true},
		{"wrong", secrets("old"), mac, false},
		{"no secret", nil, mac, false},
		{"empty secret", secrets(""), hex.EncodeToString(Sum(sha256.New, nil, body)), false},
		{"empty", secrets("new"), "", false},
		{"short", secrets("new"), mac[:32], false},
		{"longer", secrets("new"), mac + "00", false},
		{"not hex", secrets("new"), strings.Repeat("z", 64), false},
		{"odd", secrets("new"), mac[:63], false},
		{"prefixed", secrets("new"), "sha256=" + mac, false},
	}
	for _, tt := range tests {
		if got := HexHMAC256(tt.secrets, tt.mac, body); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if HexHMAC256(secrets("new"), mac, []byte("Body")) {
		t.Error("accepts another body")
	}
}

func TestToken(t *testing.T) {
	tests := []struct {
		secrets [][]byte
		got     string
		want    bool
	}{
		{secrets("a", "b"), "a", true}, {secrets("a", "b"), "b", true}, {secrets("a"), "A", false}, {secrets("a"), "", false}, {secrets("a"), "aa", false},
		{nil, "", false}, {nil, "a", false}, {secrets(""), "", false}, {secrets("a", "a"), "a", true},
	}
	for _, tt := range tests {
		if got := Token(tt.secrets, tt.got); got != tt.want {
			t.Errorf("Token(%q, %q) = %v", tt.secrets, tt.got, got)
		}
	}
}

// key is a private key with its public half as PKIX DER.
type key struct {
	private crypto.Signer
	der     []byte
}

func keys(t *testing.T) map[string]key {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]key{}
	for name, k := range map[string]crypto.Signer{"ecdsa": ec, "rsa": rs, "ed25519": ed} {
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		out[name] = key{k, der}
	}
	return out
}

func TestPublicKey(t *testing.T) {
	for name, k := range keys(t) {
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.der}))
		bare := base64.StdEncoding.EncodeToString(k.der)
		forms := map[string]string{
			"PEM": text, "PEM with spaces": "\n " + text + "\n", "PEM with written line ends": strings.ReplaceAll(text, "\n", `\n`),
			"PEM with CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "base64": bare, "base64 in lines": bare[:20] + "\n" + bare[20:] + "\n",
		}
		switch p := k.private.Public().(type) {
		case ed25519.PublicKey:
			forms["32 bytes base64"] = base64.StdEncoding.EncodeToString(p)
			forms["32 bytes hex"] = hex.EncodeToString(p)
		case *rsa.PublicKey:
			forms["PKCS #1"] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(p)}))
		}
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1e9, 0)}
		cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.private.Public(), k.private)
		if err != nil {
			t.Fatal(err)
		}
		forms["certificate"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
		for form, text := range forms {
			got, err := PublicKey(text)
			if err != nil {
				t.Errorf("%s, %s: %v", name, form, err)
				continue
			}
			if !got.(interface{ Equal(crypto.PublicKey) bool }).Equal(k.private.Public()) {
				t.Errorf("%s, %s: another key", name, form)
			}
		}
	}
	for _, bad := range []string{"", "x", "-----BEGIN PUBLIC KEY-----", base64.StdEncoding.EncodeToString([]byte("not a key")), "AAAA", strings.Repeat("0", 62),
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"} {
		if k, err := PublicKey(bad); !errors.Is(err, ErrPublicKey) || k != nil {
			t.Errorf("%q: %v, %v", bad, k, err)
		}
	}
	if _, err := PublicKeys([]string{"x"}); !errors.Is(err, ErrPublicKey) {
		t.Errorf("PublicKeys: %v", err)
	}
	if got, err := PublicKeys(nil); err != nil || len(got) != 0 {
		t.Errorf("PublicKeys(nil): %v, %v", got, err)
	}
}

func TestPublicKeyMatch(t *testing.T) {
	all, msg := keys(t), []byte("timestamp.body")
	digest := sha256.Sum256(msg)
	for name, k := range all {
		var sig []byte
		var err error
		if name == "ed25519" {
			sig, err = k.private.Sign(rand.Reader, msg, crypto.Hash(0))
		} else {
			sig, err = k.private.Sign(rand.Reader, digest[:], crypto.SHA256)
		}
		if err != nil {
			t.Fatal(err)
		}
		pub := []crypto.PublicKey{k.private.Public()}
		others := []crypto.PublicKey{}
		for other, o := range all {
			if other != name {
				others = append(others, o.private.Public())
			}
		}
		if !PublicKeyMatch(pub, crypto.SHA256, sig, []byte("timestamp"), []byte(".body")) {
			t.Errorf("%s: refused in parts", name)
		}
		if !PublicKeyMatch(append(others, pub...), crypto.SHA256, sig, msg) {
			t.Errorf("%s: refused while keys rotate", name)
		}
		flipped := append([]byte(nil), sig...)
		flipped[len(flipped)/2] ^= 1
		for what, ok := range map[string]bool{
			"another key":     PublicKeyMatch(others, crypto.SHA256, sig, msg),
			"no key":          PublicKeyMatch(nil, crypto.SHA256, sig, msg),
			"another message": PublicKeyMatch(pub, crypto.SHA256, sig, []byte("timestamp.Body")),
			"no message":      PublicKeyMatch(pub, crypto.SHA256, sig),
			"no signature":    PublicKeyMatch(pub, crypto.SHA256, nil, msg),
			"short":           PublicKeyMatch(pub, crypto.SHA256, sig[:len(sig)-1], msg),
			"longer":          PublicKeyMatch(pub, crypto.SHA256, append(append([]byte(nil), sig...), 0), msg),
			"changed":         PublicKeyMatch(pub, crypto.SHA256, flipped, msg),
		} {
			if ok {
				t.Errorf("%s: accepted with %s", name, what)
			}
		}
	}
	wide := sha512.Sum512(msg)
	sig, err := all["rsa"].private.Sign(rand.Reader, wide[:], crypto.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	if !PublicKeyMatch([]crypto.PublicKey{all["rsa"].private.Public()}, crypto.SHA512, sig, msg) {
		t.Error("SHA-512 refused")
	}
	if PublicKeyMatch([]crypto.PublicKey{all["rsa"].private.Public()}, crypto.SHA256, sig, msg) {
		t.Error("another hash accepted")
	}
}

func BenchmarkHexHMAC256(b *testing.B) {
	body := []byte(strings.Repeat("x", 1000))
	s := secrets("3f2a77c0deadbeef3f2a77c0deadbeef")
	mac := hex.EncodeToString(Sum(sha256.New, s[0], body))
	b.ReportAllocs()
	for b.Loop() {
		if !HexHMAC256(s, mac, body) {
			b.Fatal("refused")
		}
	}
}
