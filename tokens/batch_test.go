package tokens_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

// A batch makes the same links as they are made one by one, in whatever order
// channels, languages and options come.
func TestBatchMakesTheSameLinks(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	keyer, err := recipient.NewKeyer([]byte("0123456789abcdefghijklmnopqrstuv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{tokens.HS256, tokens.EdDSA} {
		key, err := tokens.GenerateKey(rand.Reader, at, alg)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := tokens.NewRing([]tokens.Key{key})
		if err != nil {
			t.Fatal(err)
		}
		l, err := tokens.NewLinker(tokens.LinkerConfig{Ring: func() *tokens.Ring { return ring }, Keyer: keyer, PublicURL: "https://u.example.com/x", Now: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		batch, err := l.NewBatch()
		if err != nil {
			t.Fatal(err)
		}
		var got, want []byte
		for i := range 1000 {
			var k recipient.Key
			if _, err := rand.Read(k[:]); err != nil {
				t.Fatal(err)
			}
			o := tokens.LinkOptions{SendOut: []string{"", "a", "week-48"}[i%3], Language: []string{"", "fi", "en-GB", "sv"}[i/3%4], Preview: i%7 == 0}
			c := []recipient.Channel{recipient.Email, recipient.SMS}[i/2%2]
			if got, err = batch.AppendURL(got, k, c, o); err != nil {
				t.Fatal(err)
			}
			if want, err = l.AppendURL(want, k, c, o); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the links differ", alg)
		}
		for name, f := range map[string]func([]byte) ([]byte, error){
			"no key": func(b []byte) ([]byte, error) {
				return batch.AppendURL(b, recipient.Key{}, recipient.Email, tokens.LinkOptions{})
			},
			"no channel": func(b []byte) ([]byte, error) { return batch.AppendURL(b, recipient.Key{1}, "", tokens.LinkOptions{}) },
			"no language": func(b []byte) ([]byte, error) {
				return batch.AppendURL(b, recipient.Key{1}, recipient.Email, tokens.LinkOptions{Language: "-"})
			},
		} {
			if _, err := f(nil); err == nil {
				t.Errorf("%s: %s: got a link", alg, name)
			}
		}
	}
}
