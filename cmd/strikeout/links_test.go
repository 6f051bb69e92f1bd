package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/store/storetest"
)

// rows reads a file that links wrote.
func rows(t *testing.T, name string) (names []string, list []map[string]string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	r := csv.NewReader(f)
	if names, err = r.Read(); err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return names, list
		}
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, v := range rec {
			row[names[i]] = v
		}
		list = append(list, row)
	}
}

func page(t *testing.T, method, link string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest(method, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := do(req)
	if err != nil {
		t.Fatal(err)
	}
	return a.status, a.body
}

// A list goes through the program, and its links work in the service.
func TestLinksCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, nil)
	list := "id,E-Mail,Phone,Language\n1,a@example.com,,fi\n2,,+1 555 123 0100,\n3,nobody,,\n4,b@example.com,,\n"
	writeFile(t, "in.csv", list)
	public := []string{"--public-url", s.base}
	links := func(args ...string) result {
		return strikeout(t, nil, append(append([]string{"links", "in.csv", "-o", "out.csv"}, args...), public...)...)
	}

	links("--send-out", "spring").want(t, 0, "1 rejected, the first on line 4: E-Mail: not a valid address")
	names, got := rows(t, "out.csv")
	if strings.Join(names, ",") != "id,E-Mail,Phone,Language,unsubscribe_url,list_unsubscribe,list_unsubscribe_post" || len(got) != 3 {
		t.Fatalf("got %q, %d rows", names, len(got))
	}
	if status, body := page(t, "GET", got[0]["unsubscribe_url"]); status != 200 || !strings.Contains(body, `lang="fi"`) {
		t.Errorf("the page: %d", status)
	}
	bad, err := os.ReadFile("out.rejects.csv")
	if err != nil || !strings.HasPrefix(string(bad), "line,reason,id,E-Mail,Phone,Language\n4,E-Mail: ") {
		t.Errorf("rejects %q, %v", bad, err)
	}
	if info, err := os.Stat("out.csv"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info, err)
	}
	strikeout(t, nil, "keys", "list").want(t, 0, "  3      signs new links")

	// Who has pressed is left out of the next list.
	if status, _ := page(t, "POST", got[0]["unsubscribe_url"]); status != 200 {
		t.Errorf("the click: %d", status)
	}
	links("--skip-suppressed").want(t, 0, "2 of 3 recipients written, 1 blocked or opted out")
	if _, got = rows(t, "out.csv"); len(got) != 2 || got[0]["id"] != "2" {
		t.Errorf("got %v", got)
	}

	// Short ones and previews open in the service too; previews change nothing.
	links("--short", "--preview", "--sms-text", "Stop: {url}").want(t, 0, "text messages: 3 in one part")
	_, got = rows(t, "out.csv")
	again := got[1]["unsubscribe_url"]
	if len(again) != len(s.base)+len("/u/")+16 {
		t.Errorf("a short link %s", again)
	}
	for _, m := range []string{"GET", "POST"} {
		if status, body := page(t, m, again); status != 200 || !strings.Contains(body, `data-page="preview"`) {
			t.Errorf("%s of a preview: %d", m, status)
		}
	}
	strikeout(t, nil, "check", "+15551230100").want(t, 0, "ok")
	links("--short", "--preview").want(t, 0, "3 of 3")
	if _, got = rows(t, "out.csv"); got[1]["unsubscribe_url"] != again {
		t.Error("the same list has other codes the second time")
	}

	links("--sub-only").want(t, 0, "3 of 3")
	if names, got = rows(t, "out.csv"); names[len(names)-1] != "sub" || len(got[0]["sub"]) != 22 {
		t.Errorf("got %q %v", names, got[0])
	}
}

// Nothing of a run that failed is left, and the file of the last one stays.
func TestLinksFailWhole(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "migrate").want(t, 0, "")
	writeFile(t, "in.csv", "email\na@example.com\n")
	writeFile(t, "out.csv", "old")
	writeFile(t, "out.rejects.csv", "old")
	for want, args := range map[string][]string{
		"the list has no column of this name": {"--email-column", "e"},
		"has no {url}":                        {"--sms-text", "hello"},
		"--send-out: at most 32":              {"--send-out", "a b"},
		"--delimiter: expected":               {"--delimiter", "x"},
		"encoding: expected one of":           {"--encoding", "latin5"},
		"--sub-only makes no links":           {"--sub-only", "--short"},
		"no such file":                        {"--config", "none.yaml"},
	} {
		strikeout(t, nil, append([]string{"links", "in.csv", "-o", "out.csv"}, args...)...).want(t, exitUsage, want)
	}
	strikeout(t, nil, "links", "none.csv", "-o", "out.csv").want(t, exitUsage, "no such file")
	// A database that cannot be asked: nobody may be written to because of that.
	away := map[string]string{"STRIKEOUT_DATABASE": "mysql://nobody@tcp(127.0.0.1:1)/none"}
	strikeout(t, away, "links", "in.csv", "-o", "out.csv", "--skip-suppressed").want(t, exitNow, "strikeout: ")
	if b, err := os.ReadFile("out.csv"); err != nil || string(b) != "old" {
		t.Errorf("the output: %q, %v", b, err)
	}
	// Without a database to ask, links are made all the same.
	strikeout(t, away, "links", "in.csv", "-o", "out.csv").want(t, 0, "1 of 1 recipients written")
	if b, err := os.ReadFile("out.rejects.csv"); err != nil || len(b) != 0 {
		t.Errorf("the rejects of an earlier run: %q, %v", b, err)
	}
	files, err := filepath.Glob(".*")
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %q, %v", files, err)
	}
}

// piped runs the built program with something on its standard input.
func (s *service) piped(in string, args ...string) (out, errs string, code int) {
	s.t.Helper()
	cmd := s.command(args...)
	cmd.Stdin = strings.NewReader(in)
	var o, e buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// A list, a message and a mail go through the built program on both databases,
// as a mailing does: links, check, and the mails that come back.
func TestMailingEndToEnd(t *testing.T) {
	for name, database := range map[string]func() string{"sqlite": func() string { return "sqlite:strikeout.db" }, "mariadb": func() string { return storetest.MariaDB(t) }} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, database())
			config := filepath.Join(s.dir, "strikeout.yaml")
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, config, "mailto: u-{code}@unsub.example.com\n"+string(text))
			s.start()

			out, errs, code := s.piped("email\na@example.com\nb@example.com\n", "links", "-", "-o", "-")
			lines := strings.Split(out, "\n")
			if code != 0 || len(lines) != 4 || errs != "2 of 2 recipients written (utf-8, columns email)\n" {
				t.Fatalf("links: %d\n%s%s", code, out, errs)
			}
			writeFile(t, filepath.Join(s.dir, "out.csv"), out)
			_, list := rows(t, filepath.Join(s.dir, "out.csv"))
			link, header := list[0]["unsubscribe_url"], list[0]["list_unsubscribe"]

			message := fmt.Sprintf("From: News <n@example.org>\r\nTo: a@example.com\r\nList-Unsubscribe: %s\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"+
				"DKIM-Signature: d=example.org; b=x; h=from:list-unsubscribe:list-unsubscribe-post\r\n\r\nUnsubscribe: %s\r\n", header, link)
			if out, errs, code := s.piped(message, "check-mail"); code != 0 || strings.Contains(out, "warn") || strings.Contains(out, link) {
				t.Errorf("check-mail: %d\n%s%s", code, out, errs)
			}
			if out, _, code := s.piped(strings.Replace(message, "a@example.com", "b@example.com", 1), "check-mail", "--json"); code != exitNo || !strings.Contains(out, `"result": "fail"`) {
				t.Errorf("check-mail of another recipient: %d\n%s", code, out)
			}

			_, mailto, _ := strings.Cut(header, "<mailto:")
			mailto, _, _ = strings.Cut(mailto, "?")
			mail := "From: c@example.net\r\nTo: " + mailto + "\r\nSubject:\r\n%s\r\n"
			if _, errs, code := s.piped(fmt.Sprintf(mail, "Auto-Submitted: auto-replied\r\n"), "mail"); code != 0 || s.lookup("email", "a@example.com").OptedOut {
				t.Errorf("an automatic answer: %d %s", code, errs)
			}
			if _, errs, code := s.piped(fmt.Sprintf(mail, ""), "mail"); code != 0 || !s.lookup("email", "a@example.com").OptedOut || strings.Contains(errs, "example.net") {
				t.Errorf("a mail: %d %s", code, errs)
			}
			if s.lookup("email", "b@example.com").OptedOut || s.lookup("email", "c@example.net").OptedOut {
				t.Error("somebody else is opted out")
			}
			if _, _, code := s.piped("", "mail"); code != exitTemp {
				t.Errorf("an empty mail: %d", code)
			}
			if _, _, code := s.piped("hello", "mail"); code != exitData {
				t.Errorf("no mail: %d", code)
			}
			if _, _, code := s.piped("To: x@unsub.example.com\n\n", "mail", "--rcpt", "u-x@unsub.example.com"); code != exitNoUser {
				t.Errorf("nobody: %d", code)
			}
			if _, _, code := s.piped(fmt.Sprintf(mail, ""), "mail", "--rcpx", "x"); code != exitTemp {
				t.Errorf("a slip in master.cf: %d", code)
			}
		})
	}
}
