package main

import (
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers/all"
)

func TestDemo(t *testing.T) {
	t.Chdir(t.TempDir())
	// Nothing around it may change what it shows.
	writeFile(t, "strikeout.yaml", "listen: nonsense\n")
	r := strikeout(t, map[string]string{"STRIKEOUT_DATABASE": "mysql://nobody@tcp(127.0.0.1:1)/none"}, "demo", "--once", "--listen", "127.0.0.1:0", "--data-dir", "data")
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	m := regexp.MustCompile(`(\d+) signed reports of (\d+) providers`).FindStringSubmatch(r.stdout)
	samples, infos := 0, all.Infos()
	for _, i := range infos {
		samples += len(i.Simulate.Samples)
	}
	if m == nil || m[1] != strconv.Itoa(samples) || m[2] != strconv.Itoa(len(infos)) {
		t.Errorf("reports: got %v, want %d of %d providers", m, samples, len(infos))
	}
	for _, want := range []string{
		`Hanna Hard\s+hanna@example\.com\s+BLOCKED\s+hard_bounce: ".+", says Twilio SendGrid`,
		`Sofia Soft\s+sofia@example\.com\s+may be written to\s+soft_bounce: ".+", says Mailgun`,
		`Carl Complaint\s+carl@example\.com\s+OPTED OUT\s+complaint: `,
		`Otto Optout\s+otto@example\.com\s+OPTED OUT\s+opt_out: ".+", says Postmark`,
		`Dora Delivered\s+dora@example\.com\s+may be written to\s+delivered: `,
		`Stefan Stop\s+\+15555550106\s+OPTED OUT\s+opt_out: ".+", says Twilio`,
		`Klaara Click\s+klaara@example\.com\s+OPTED OUT\s+opt_out: pressed the button`,
		`Lena Left\s+lena@example\.com\s+may be written to\s+nothing happened`,
		`http://127\.0\.0\.1:\d+/u/eyJ`, `KEY=so_live_`, `curl -s .*/v1/check`,
	} {
		if !regexp.MustCompile(want).MatchString(r.stdout) {
			t.Errorf("the summary lacks %s", want)
		}
	}
	if strings.Contains(r.stdout, "\033") {
		t.Error("colours where nobody looks")
	}
	if t.Failed() {
		t.Logf("the summary:\n%s", r.stdout)
	}
	if _, err := os.Stat("data/strikeout.db"); err != nil {
		t.Errorf("--data-dir was not used: %v", err)
	}
}

func TestDemoTakesAFreePort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:8080")
	if err == nil {
		defer ln.Close() //nolint:errcheck // the test's own end
	}
	var out buffer
	got, err := (&demoCmd{}).listen(&env{ctx: t.Context(), stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close() //nolint:errcheck // the test's own end
	if !strings.Contains(out.String(), "127.0.0.1:8080 is taken, so this is on "+got.Addr().String()) {
		t.Errorf("got %s, said %q", got.Addr(), out.String())
	}
}
