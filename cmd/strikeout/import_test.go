package main

import (
	"os"
	"strings"
	"testing"
)

// Lists go in and out by the program.
func TestImportAndExport(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "migrate").want(t, 0, "")
	writeFile(t, "suppression_bounces.csv", "status,reason,email,created\n5.1.1,550 unknown,a@example.com,1790083507\n,x,nobody,1\n")
	strikeout(t, nil, "import", "suppression_bounces.csv", "--dry-run").want(t, 0, "1 addresses would be newly blocked")
	strikeout(t, nil, "check", "a@example.com").want(t, 0, "")
	r := strikeout(t, nil, "import", "suppression_bounces.csv")
	for _, want := range []string{"SendGrid, bounces", "1 addresses are newly blocked", "1 rejected, the first on line 3", "see suppression_bounces.rejects.csv"} {
		r.want(t, 0, want)
	}
	strikeout(t, nil, "import", "suppression_bounces.csv").want(t, 0, "0 addresses are newly blocked\n0 addresses are newly opted out\n0 new entries in the history\n1 entries are in the history already")
	strikeout(t, nil, "check", "a@example.com").want(t, exitNo, "blocked")
	bad, err := os.ReadFile("suppression_bounces.rejects.csv")
	if err != nil || !strings.HasPrefix(string(bad), "line,reason,status,reason,email,created\n3,") {
		t.Errorf("rejects %q, %v", bad, err)
	}
	writeFile(t, "people.txt", "b@example.com\n")
	strikeout(t, nil, "import", "people.txt").want(t, exitUsage, "say contacts or suppressions (--kind)")
	strikeout(t, nil, "import", "people.txt", "--kind", "suppressions", "--listed-at", "soon").want(t, exitUsage, "--listed-at")
	strikeout(t, nil, "import", "people.txt", "--kind", "suppressions", "--listed-at", "2999-01-01").want(t, exitUsage, "future")
	strikeout(t, nil, "import", "people.txt", "--kind", "suppressions", "--as", "opt_in").want(t, exitUsage, "--as")
	strikeout(t, nil, "import", "people.txt", "--email-column", "mail", "--kind", "suppressions").want(t, exitUsage, "email column")
	strikeout(t, nil, "import", "none.csv").want(t, exitUsage, "none.csv")
	strikeout(t, nil, "import", "people.txt", "--kind", "suppressions").want(t, 0, "1 addresses are newly opted out")
	writeFile(t, "contacts.csv", "external_id,name,email\n1,=Anna,a@example.com\n")
	strikeout(t, nil, "import", "contacts.csv").want(t, 0, "1 contacts added")
	strikeout(t, nil, "export", "contacts").want(t, 0, "1,'=Anna,,a@example.com,,true,false,,")
	strikeout(t, nil, "export", "suppressions", "-o", "out.csv").want(t, 0, "2 rows")
	out, err := os.ReadFile("out.csv")
	if err != nil || strings.Count(string(out), "\n") != 3 {
		t.Errorf("export %q, %v", out, err)
	}
	strikeout(t, nil, "import", "out.csv").want(t, 0, "our own export of suppressions\n0 addresses are newly blocked\n0 addresses are newly opted out")
	strikeout(t, nil, "export", "everything").want(t, exitUsage, "contacts")
}
