package handlers

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
	"github.com/strikeout/strikeout/tokens"
)

// scanners are programs that open every link of a mail before its reader does,
// by the names that they give themselves, and browsers that fetch ahead.
var scanners = [][]string{
	{"User-Agent", "Mozilla/5.0 (compatible; BarracudaCentral/1.0; +https://www.barracudacentral.org)"},
	{"User-Agent", "Proofpoint URL Defense"},
	{"User-Agent", "Mimecast-URL-Scanner/1.0"},
	{"User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 SafeLinks"},
	{"User-Agent", "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)"}, // scanners that dress up
	{"User-Agent", "Symantec.cloud Email Security"},
	{"User-Agent", "Cisco IronPort", "Accept", "*/*"},
	{"User-Agent", "FortiMail URI scanner"},
	{"User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
	{"User-Agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
	{"User-Agent", "WhatsApp/2.23.20.0"},
	{"User-Agent", "curl/8.5.0"},
	{"User-Agent", "python-requests/2.32.3"},
	{"User-Agent", ""},
	{"User-Agent", browserAgent, "Sec-Purpose", "prefetch"},
	{"User-Agent", browserAgent, "Sec-Purpose", "prefetch;prerender"},
	{"User-Agent", browserAgent, "Purpose", "prefetch"},
	{"User-Agent", browserAgent, "X-Moz", "prefetch"},
	{"User-Agent", browserAgent, "X-Purpose", "preview"},
	{"User-Agent", browserAgent, "If-Modified-Since", "Sat, 01 Nov 2025 00:00:00 GMT", "Range", "bytes=0-100"},
}

// TestScannersChangeNothing opens links of every kind ten thousand times. Not
// a byte of the database changes.
func TestScannersChangeNothing(t *testing.T) {
	url := storetest.SQLite(t)
	b, db := startReal(t, url)
	email, phone := b.email("maija@example.com"), mustPhone(t, "+358401234567")
	_, _, err := db.PutContact(t.Context(), store.Contact{ExternalID: "1", Email: email, Phone: phone, EmailKey: b.keyer.Key(email), PhoneKey: b.keyer.Key(phone)},
		store.PutOptions{Source: recipient.FromAPI})
	if err != nil {
		t.Fatal(err)
	}
	gone := b.keyer.Key(b.email("gone@example.com"))
	checkPage(t, b.do("POST", "/u/"+b.links.active(gone, recipient.Email), ""), http.StatusOK, "done")
	code := store.ShortLink{Code: mailCode, Key: b.keyer.Key(email), Channel: recipient.Email, CreatedAt: b.clock.now()}
	if err := db.PutShortLinks(t.Context(), []store.ShortLink{code}); err != nil {
		t.Fatal(err)
	}
	key := b.keyer.Key(email)
	links := []struct {
		path string
		want int
	}{
		{b.links.active(key, recipient.Email), 200},
		{b.links.active(b.keyer.Key(phone), recipient.SMS), 200},
		{b.links.mint(tokens.Verify, b.links.of(key)), 200},
		{b.links.confirm(key), 200},
		{b.links.ending(key, b.clock.now().Add(-time.Hour)), 200},
		{b.links.preview(key), 200},
		{b.links.active(gone, recipient.Email), 200},
		{b.links.active(b.keyer.Key(b.email("unknown@example.com")), recipient.Email) + ".", 200},
		{b.links.active(key, recipient.Email) + "?all=1&List-Unsubscribe=One-Click&via=form&lang=fi", 200},
		{mailCode, 200},
		{b.links.active(key, recipient.Email) + "/undo", 405},
		{b.links.forged(key), 404},
	}
	before := fingerprint(t, url)
	var next atomic.Int64
	var clients sync.WaitGroup
	const parallel = 8
	requests := 10_000
	if raceDetector { // every kind of link, by every scanner; make test sends all of them without the detector
		requests = 2 * len(links) * len(scanners)
	}
	for range parallel {
		clients.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= requests {
					return
				}
				l := links[n%len(links)]
				method := []string{"GET", "HEAD"}[n/len(links)%2]
				scanner := scanners[n/(2*len(links))%len(scanners)]
				if got := b.do(method, "/u/"+l.path, "", scanner...); got.status != l.want {
					t.Errorf("%s by %q: got %d, want %d", method, scanner, got.status, l.want)
					return
				}
			}
		})
	}
	clients.Wait()
	if got := fingerprint(t, url); got != before {
		t.Error("the database has changed")
	}
	if st := db.mustState(t, key); st.OptedOut() {
		t.Error("somebody is opted out")
	}
	if st := db.mustState(t, gone); !st.OptedOut() {
		t.Error("somebody is not opted out any more")
	}
	// The print can tell: one click changes it.
	b.do("POST", "/u/"+links[0].path, "")
	if fingerprint(t, url) == before {
		t.Error("a click leaves the database as it was: does this test look at the right files?")
	}
}

func (m *moody) mustState(t *testing.T, k recipient.Key) recipient.State {
	t.Helper()
	r, err := m.Recipient(t.Context(), k)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return r.State
}

// fingerprint hashes the files of a SQLite database.
func fingerprint(t *testing.T, url string) string {
	t.Helper()
	storetest.Settle(t, url)
	sum := sha256.New()
	name := strings.TrimPrefix(url, "sqlite:")
	for _, file := range []string{name, name + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%d:", len(content))
		if _, err := bytes.NewReader(content).WriteTo(sum); err != nil {
			t.Fatal(err)
		}
	}
	return string(sum.Sum(nil))
}
