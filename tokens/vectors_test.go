package tokens

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"hash"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorsFile = "testdata/vectors.json"

// vectors are published: minters in other languages check themselves with
// them. testdata/recipes reads the same file.
type vectors struct {
	About      string          `json:"about"`
	AddressKey []byte          `json:"address_key"` // base64
	Now        int64           `json:"now"`
	PublicURL  string          `json:"public_url"`
	Keys       []vectorKey     `json:"keys"`
	Valid      []validVector   `json:"valid"`
	Damaged    []damagedVector `json:"damaged"`
	Invalid    []invalidVector `json:"invalid"`
}

type vectorKey struct {
	ID      string `json:"id"`
	Alg     string `json:"alg"`
	State   State  `json:"state"`
	Secret  []byte `json:"secret,omitempty"`
	Public  []byte `json:"public_key,omitempty"`
	Private []byte `json:"private_key,omitempty"` // the seed
}

type validVector struct {
	Channel  recipient.Channel `json:"channel"`
	Address  string            `json:"address"` // as somebody typed it
	Normal   string            `json:"normal"`
	Sub      string            `json:"sub"`
	IssuedAt int64             `json:"iat"`
	SendOut  string            `json:"send_out"`
	Language string            `json:"language"`
	HS256    string            `json:"hs256"`
	EdDSA    string            `json:"eddsa"`
}

type damagedVector struct {
	Name  string `json:"name"`
	Link  string `json:"link"` // percent-decoded once
	Token string `json:"token"`
}

type invalidVector struct {
	Name   string `json:"name"`
	Token  string `json:"token"`
	Reason string `json:"reason"`
}

const (
	vectorNow  = 1790000000 // 2026-09-21
	hsID, edID = "vec1", "vec2"
)

func vectorSecret(name string) []byte {
	sum := sha256.Sum256([]byte("strikeout test vectors: " + name))
	return sum[:]
}

func vectorKeys(t testing.TB) []Key {
	t.Helper()
	private := ed25519.NewKeyFromSeed(vectorSecret("EdDSA"))
	public := private.Public().(ed25519.PublicKey)
	old := func(id string, s State) Key {
		return Key{ID: id, Alg: HS256, State: s, Secret: vectorSecret(id)}
	}
	return []Key{
		{ID: hsID, Alg: HS256, State: Active, Secret: vectorSecret("HS256")},
		{ID: edID, Alg: EdDSA, State: Verify, Public: public, Private: private},
		old("leaked", Confirm), old("revoked", Revoked),
	}
}

func vectorRing(t testing.TB) *Ring {
	t.Helper()
	r, err := newRing(vectorKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func vectorKeyer(t testing.TB) *recipient.Keyer {
	t.Helper()
	k, err := recipient.NewKeyer(vectorSecret("address key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	want := makeVectors(t)
	if *update {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(want); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v := readVectors(t)
	if d := cmp.Diff(want, v); d != "" {
		t.Fatalf("published vectors changed: others rely on them (-want +got):\n%s", d)
	}
	r, now := vectorRing(t), time.Unix(v.Now, 0)
	for _, tt := range v.Valid {
		for id, token := range map[string]string{hsID: tt.HS256, edID: tt.EdDSA} {
			got, err := r.Verify(token, now)
			if err != nil {
				t.Errorf("%s %s: %v", tt.Normal, id, err)
				continue
			}
			if got.Key.String() != tt.Sub || got.Channel != tt.Channel || got.IssuedAt.Unix() != tt.IssuedAt || got.SendOut != tt.SendOut ||
				got.Language != tt.Language || got.KeyID != id || got.Preview || got.Expired {
				t.Errorf("%s %s: got %+v", tt.Normal, id, got)
			}
		}
	}
	for _, tt := range v.Damaged {
		got, err := r.Verify(tt.Link, now)
		if err != nil || got.TokenID != TokenID(tt.Token) {
			t.Errorf("damaged, %s: got %v", tt.Name, err)
		}
	}
	for _, tt := range v.Invalid {
		got, err := r.Verify(tt.Token, now)
		if Reason(err) != tt.Reason || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v (%s), want %s", tt.Name, err, Reason(err), tt.Reason)
		}
		if err != nil && (got != Verified{}) {
			t.Errorf("%s: refused, and yet got %+v", tt.Name, got)
		}
		if err != nil && len(tt.Token) > 30 && strings.Contains(err.Error(), tt.Token[:30]) {
			t.Errorf("%s: the error quotes the token", tt.Name)
		}
	}
}

// The keys of the vectors are no secrets, so a service refuses them.
func TestPublishedKeysAreRefused(t *testing.T) {
	for _, k := range vectorKeys(t)[:2] {
		if _, err := NewRing([]Key{k}); !errors.Is(err, errPublished) || !strings.Contains(err.Error(), k.ID) {
			t.Errorf("%s: got %v", k.ID, err)
		}
	}
}

func encodeSegment(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func signHMAC(new func() hash.Hash, secret []byte, text string) string {
	m := hmac.New(new, secret)
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// forge signs any header and payload with the HS256 key of the vectors.
func forge(header, payload string) string {
	return signHMAC(sha256.New, vectorSecret("HS256"), encodeSegment(header)+"."+encodeSegment(payload))
}

const (
	goodHeader  = `{"alg":"HS256","kid":"vec1"}`
	goodPayload = `{"sub":"AAAAAAAAAAAAAAAAAAAAAQ","c":"e","iat":1790000000}`
)

// with returns the good payload with one text replaced.
func with(old, replacement string) string {
	if !strings.Contains(goodPayload, old) {
		panic("no " + old)
	}
	return strings.Replace(goodPayload, old, replacement, 1)
}

func makeVectors(t testing.TB) vectors {
	t.Helper()
	r, keyer := vectorRing(t), vectorKeyer(t)
	v := vectors{
		About:      "Test vectors for minters of unsubscribe links. The keys are published: a service refuses them.",
		AddressKey: vectorSecret("address key"), Now: vectorNow, PublicURL: "https://u.example.com",
	}
	for _, k := range vectorKeys(t) {
		vk := vectorKey{ID: k.ID, Alg: k.Alg, State: k.State, Secret: k.Secret, Public: k.Public}
		if k.Alg == EdDSA {
			vk.Private = k.Private.Seed()
		}
		v.Keys = append(v.Keys, vk)
	}
	for _, in := range []struct {
		c                          recipient.Channel
		address, sendOut, language string
	}{
		{"email", "nobody@example.com", "", ""},
		{"email", "Nobody@Example.COM", "spring-2026", ""},
		{"email", "  nobody@example.com\t", "", "fi"},
		{"email", "first.last+tag@example.org", "A_b.c-9", "en-GB"},
		{"email", "firstlast@example.org", "0123456789abcdefghijklmnopqrstuv", "zh-Hant-TW"},
		{"email", "o'brien_{x}@mail.example.net", "", ""},
		{"email", "a@xn--bcher-kva.example", "", "sv"},
		{"email", "UPPER_under-score@SUB.EXAMPLE.NET", "s", "pt-BR"},
		{"email", "1234567@example.com", "", ""},
		{"sms", "+15550100123", "", ""},
		{"sms", "+358 40 123-4567", "kesa2026", "fi"},
		{"sms", "00447700900123", "", "en"},
		{"sms", "+1 (555) 010.0199", "", ""},
	} {
		a, err := recipient.Parse(in.c, in.address, "")
		if err != nil {
			t.Fatal(err)
		}
		c := Claims{Key: keyer.Key(a), Channel: in.c, IssuedAt: time.Unix(vectorNow-3600, 0), SendOut: in.sendOut, Language: in.language}
		hs, err := r.Mint(c)
		if err != nil {
			t.Fatal(err)
		}
		ed, err := r.MintWith(edID, c)
		if err != nil {
			t.Fatal(err)
		}
		v.Valid = append(v.Valid, validVector{in.c, in.address, a.Value(), Sub(keyer, a), c.IssuedAt.Unix(), in.sendOut, in.language, hs, ed})
	}
	v.Damaged = makeDamaged(v.Valid[0].HS256)
	v.Invalid = makeInvalid(t, r, v)
	return v
}

func makeDamaged(token string) (all []damagedVector) {
	add := func(name, link string) { all = append(all, damagedVector{name, link, token}) }
	for _, end := range []string{".", ",", ")", ">", "'", `"`, "=", " ", "\n", "\r\n", ";", "]", "...", ").", `">`, "/", "&gt;", "\u00a0", "\u201d",
		"%0A", "%2E", "%3E", "%20", "%0D%0A", "%", "?utm_source=x&utm_medium=email", "&utm_source=x", "&fbclid=y.z", "#top", "%3Futm_source=x", "%26gclid%3D1",
		`"><img src=x>`, "\nAnd more text", " and more text"} {
		add("after it "+strings.ToValidUTF8(end, ""), token+end)
	}
	third := len(token) / 3
	cut := func(gap string) string { return token[:third] + gap + token[third:2*third] + gap + token[2*third:] }
	add("quoted-printable, CRLF", cut("=\r\n"))
	add("quoted-printable, LF", cut("=\n"))
	add("quoted-printable, escaped", cut("=%0D%0A"))
	add("wrapped, CRLF and blank", cut("\r\n "))
	add("zero width space", cut("\u200b"))
	add("soft hyphen", cut("\u00ad"))
	add("dots escaped", strings.ReplaceAll(token, ".", "%2E"))
	add("dots escaped twice", strings.ReplaceAll(token, ".", "%252E"))
	add("dot stuffed", strings.Replace(token, ".", "..", 1))
	add("white space before", " \n"+token)
	add("angle brackets around", "<"+token+">")
	return all
}

func makeInvalid(t testing.TB, r *Ring, v vectors) (all []invalidVector) {
	t.Helper()
	good := v.Valid[0].HS256
	add := func(name, reason, token string) { all = append(all, invalidVector{name, token, reason}) }
	header := func(name, h string) { add(name, "malformed", forge(h, goodPayload)) }
	claims := func(name, p string) { add(name, "claims", forge(goodHeader, p)) }
	text := func(h string) string { return encodeSegment(h) + "." + encodeSegment(goodPayload) }
	claims0 := Claims{Key: recipient.Key{1}, Channel: recipient.Email, IssuedAt: time.Unix(vectorNow, 0)}
	mint := func(id string) string {
		s, err := r.MintWith(id, claims0)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	public := vectorKeys(t)[1].Public

	add("nothing", "malformed", "")
	add("no token", "malformed", "hello")
	add("dots", "malformed", "...")
	add("two parts", "malformed", strings.Join(strings.Split(good, ".")[:2], "."))
	add("four parts", "malformed", good+".AAAA")
	add("the parts of an encrypted token", "malformed", good+".AAAA.AAAA")
	add("lower case", "malformed", strings.ToLower(good))
	add("more path", "malformed", good+"/x")
	add("longer than 1024", "malformed", forge(goodHeader, with(`"c"`, `"x":"`+strings.Repeat("y", 1000)+`","c"`)))

	add("alg none", "malformed", text(`{"alg":"none","kid":"vec1"}`)+".")
	add("alg none with a signature", "malformed", text(`{"alg":"none","kid":"vec1"}`)+".AAAA")
	add("alg HS384, rightly signed", "malformed", signHMAC(sha512.New384, vectorSecret("HS256"), text(`{"alg":"HS384","kid":"vec1"}`)))
	header("alg in lower case", `{"alg":"hs256","kid":"vec1"}`)
	header("alg RS256, signed with HMAC", `{"alg":"RS256","kid":"vec1"}`)
	header("alg EdDSA for a secret key", `{"alg":"EdDSA","kid":"vec1"}`)
	header("alg missing", `{"kid":"vec1"}`)
	header("alg null", `{"alg":null,"kid":"vec1"}`)
	add("alg HS256, signed with the public key of an EdDSA key", "malformed", signHMAC(sha256.New, public, text(`{"alg":"HS256","kid":"vec2"}`)))
	header("kid missing", `{"alg":"HS256","typ":"JWT"}`)
	header("kid a number", `{"alg":"HS256","kid":1}`)
	header("kid in upper case", `{"alg":"HS256","kid":"VEC1"}`)
	header("kid a path", `{"alg":"HS256","kid":"../vec1"}`)
	header("kid of 17", `{"alg":"HS256","kid":"aaaaaaaaaaaaaaaaa"}`)
	header("kid twice", `{"alg":"HS256","kid":"vec2","kid":"vec1"}`)
	header("Kid", `{"alg":"HS256","Kid":"vec1"}`)
	add("unknown kid", "unknown_key", forge(`{"alg":"HS256","kid":"other"}`, goodPayload))
	add("revoked key", "revoked", mint("revoked"))
	for _, name := range []string{`"crit":["exp"]`, `"jku":"https://example.com/"`, `"jwk":{"kty":"oct","k":"AA"}`, `"x5u":"https://example.com/"`, `"x5c":["AA"]`, `"zip":"DEF"`, `"b64":false`, `"cty":"JWT"`} {
		header("header with "+name, `{"alg":"HS256","kid":"vec1",`+name+`}`)
	}
	header("another typ", `{"alg":"HS256","kid":"vec1","typ":"at+jwt"}`)
	header("header null", `null`)
	header("header a list", `[]`)
	header("header cut", `{"alg":"HS256","kid":"vec1"`)
	header("two headers", goodHeader+goodHeader)

	claims("payload null", `null`)
	claims("payload a list", `[`+goodPayload+`]`)
	claims("payload a text", `"x"`)
	claims("payload cut", goodPayload[:len(goodPayload)-1])
	claims("two payloads", goodPayload+goodPayload)
	claims("not UTF-8", with(`"c"`, "\"x\":\"\xff\",\"c\""))
	claims("sub missing", `{"c":"e","iat":1790000000}`)
	claims("sub empty", with("AAAAAAAAAAAAAAAAAAAAAQ", ""))
	claims("sub of 21", with("AAAAAAAAAAAAAAAAAAAAAQ", "AAAAAAAAAAAAAAAAAAAAA"))
	claims("sub with spare bits", with("AAAAAAAAAAAAAAAAAAAAAQ", "AAAAAAAAAAAAAAAAAAAAAR"))
	claims("sub all zero", with("AAAAAAAAAAAAAAAAAAAAAQ", "AAAAAAAAAAAAAAAAAAAAAA"))
	claims("sub an address", with("AAAAAAAAAAAAAAAAAAAAAQ", "nobodyatall@example.com"))
	claims("sub a number", with(`"AAAAAAAAAAAAAAAAAAAAAQ"`, "1"))
	claims("sub twice", with(`"c"`, `"sub":"AAAAAAAAAAAAAAAAAAAAAg","c"`))
	claims("sub twice, escaped", with(`"c"`, `"s\u0075b":"AAAAAAAAAAAAAAAAAAAAAg","c"`))
	claims("Sub", with(`"sub"`, `"Sub"`))
	claims("c missing", with(`"c":"e",`, ""))
	claims("c spelled out", with(`"e"`, `"email"`))
	claims("c in upper case", with(`"e"`, `"E"`))
	claims("c twice", with(`"c"`, `"c":"s","c"`))
	claims("iat missing", with(`,"iat":1790000000`, ""))
	claims("iat a text", with("1790000000", `"1790000000"`))
	claims("iat with a fraction", with("1790000000", "1790000000.5"))
	claims("iat with an exponent", with("1790000000", "1.79e9"))
	claims("iat in milliseconds", with("1790000000", "1790000000000"))
	claims("iat in 2019", with("1790000000", "1577836799"))
	claims("iat negative", with("1790000000", "-1"))
	claims("iat beyond 64 bits", with("1790000000", "99999999999999999999"))
	add("iat in 2099", "future", forge(goodHeader, with("1790000000", "4070908800")))
	add("iat in two days", "future", forge(goodHeader, with("1790000000", "1790172800")))
	add("nbf in an hour", "future", forge(goodHeader, with(`}`, `,"nbf":1790003600}`)))
	claims("m of 33", with(`}`, `,"m":"`+strings.Repeat("x", 33)+`"}`))
	claims("m with a blank", with(`}`, `,"m":"a b"}`))
	claims("m beyond ASCII", with(`}`, `,"m":"kesä"}`))
	claims("m a number", with(`}`, `,"m":2026}`))
	claims("l with an underscore", with(`}`, `,"l":"fi_FI"}`))
	claims("l ends with a hyphen", with(`}`, `,"l":"fi-"}`))
	claims("l of 36", with(`}`, `,"l":"abcdefgh-abcdefgh-abcdefgh-abcdefgh-a"}`))
	claims("p a number", with(`}`, `,"p":1}`))
	claims("exp a text", with(`}`, `,"exp":"1790000000"}`))

	add("signed with another key", "signature", signHMAC(sha256.New, vectorSecret("leaked"), text(goodHeader)))
	add("signed with an empty key", "signature", signHMAC(sha256.New, nil, text(goodHeader)))
	add("signature cut", "signature", good[:len(good)-3])
	add("signature of another token", "signature", v.Valid[1].HS256[:strings.LastIndexByte(v.Valid[1].HS256, '.')]+good[strings.LastIndexByte(good, '.'):])
	add("signature with spare bits", "malformed", flipSpareBits(good))
	add("EdDSA signature with spare bits", "malformed", flipSpareBits(v.Valid[0].EdDSA))
	add("no signature", "malformed", text(goodHeader)+".")
	add("the other base64 alphabet", "malformed", strings.Replace(good, ".", "+.", 1))
	return all
}

// flipSpareBits changes the last character so that a lenient decoder sees the
// same bytes.
func flipSpareBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + alphabet[i^1:][:1]
}
