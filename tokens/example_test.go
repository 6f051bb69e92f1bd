package tokens_test

import (
	"fmt"
	"html/template"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

// The two lines that another program needs: open the installation's keys, ask
// for a link.
func ExampleOpenLinker() {
	keysFile, addressKey := exampleInstallation()
	defer func() { _ = os.RemoveAll(filepath.Dir(keysFile)) }()

	links, err := tokens.OpenLinker("https://u.example.com", keysFile, addressKey)
	if err != nil {
		log.Fatal(err)
	}
	link, err := links.LinkTo("nobody@example.com", tokens.LinkOptions{SendOut: "spring-2026", Language: "fi"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.HasPrefix(link.URL, "https://u.example.com/u/eyJ"))
	fmt.Println(link.ListUnsubscribe == "<"+link.URL+">")
	fmt.Println(link.ListUnsubscribePost)
	// Output:
	// true
	// true
	// List-Unsubscribe=One-Click
}

func ExampleLinker_Funcs() {
	links := exampleLinks()
	page := template.Must(template.New("mail").Funcs(links.Funcs(tokens.LinkOptions{SendOut: "spring-2026"})).
		Parse(`<a href="{{unsubscribeURL .Email}}">Unsubscribe</a>`))
	var b strings.Builder
	if err := page.Execute(&b, map[string]string{"Email": "nobody@example.com"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.String()[:len(`<a href="https://u.example.com/u/`)])
	// Output: <a href="https://u.example.com/u/
}

// Header is ready to be written into a message.
func ExampleLink_Header() {
	link, err := exampleLinks().LinkTo("nobody@example.com", tokens.LinkOptions{})
	if err != nil {
		log.Fatal(err)
	}
	header := strings.ReplaceAll(link.Header(), link.Token, "TOKEN")
	fmt.Print(strings.ReplaceAll(header, "\r\n", "\n"))
	// Output:
	// List-Unsubscribe: <https://u.example.com/u/TOKEN>,
	//  <mailto:unsubscribe@example.com?subject=unsubscribe>
	// List-Unsubscribe-Post: List-Unsubscribe=One-Click
}

// Verify takes links as mail programs leave them.
func ExampleRing_Verify() {
	ring, now := exampleRing(), time.Date(2026, 9, 21, 0, 0, 0, 0, time.UTC)
	token, err := ring.Mint(tokens.Claims{Key: recipient.Key{1, 2, 3}, Channel: recipient.Email, IssuedAt: now})
	if err != nil {
		log.Fatal(err)
	}
	v, err := ring.Verify(token+").", now.AddDate(20, 0, 0))
	fmt.Println(v.Channel, v.Key, v.State, err)
	_, err = ring.Verify(strings.ToLower(token), now)
	fmt.Println(err)
	// Output:
	// email AQIDAAAAAAAAAAAAAAAAAA active <nil>
	// not a valid link token: malformed: the header has more or other members than alg, kid and typ
}

func exampleRing() *tokens.Ring {
	key, err := tokens.GenerateKey(strings.NewReader("what crypto/rand.Reader gives in earnest"), time.Unix(1790000000, 0), tokens.HS256)
	if err != nil {
		log.Fatal(err)
	}
	ring, err := tokens.NewRing([]tokens.Key{key})
	if err != nil {
		log.Fatal(err)
	}
	return ring
}

const exampleAddressKey = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="

func exampleLinks() *tokens.Linker {
	secret, err := tokens.DecodeAddressKey(exampleAddressKey)
	if err != nil {
		log.Fatal(err)
	}
	keyer, err := recipient.NewKeyer(secret)
	if err != nil {
		log.Fatal(err)
	}
	ring := exampleRing()
	links, err := tokens.NewLinker(tokens.LinkerConfig{Ring: func() *tokens.Ring { return ring }, Keyer: keyer,
		PublicURL: "https://u.example.com", Mailto: "unsubscribe@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	return links
}

func exampleInstallation() (keysFile, addressKey string) {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		log.Fatal(err)
	}
	keysFile = filepath.Join(dir, "keys.yaml")
	if err := exampleRing().Save(keysFile); err != nil {
		log.Fatal(err)
	}
	return keysFile, exampleAddressKey
}
