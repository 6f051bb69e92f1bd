package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/strikeout/strikeout/store/storebench"
)

// suppressionsList writes a list of blocked addresses.
func (e *bench) suppressionsList(n int) (path string, err error) {
	path = filepath.Join(e.dir, "suppressions.csv")
	var b strings.Builder
	b.WriteString("email,state,at,reason\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,blocked,2026-01-05T10:00:00Z,550 5.1.1 no such user\n", address(i))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("write a list: %w", err)
	}
	return path, nil
}

// importing is a contender: `strikeout import` of a list into a new database.
func (e *bench) importing(name, list string, lite bool) (contender, error) {
	pid := 0
	if !lite {
		if err := e.startServer(); err != nil {
			return contender{}, err
		}
		pid = e.server.PID()
	}
	var folder string
	p := e.process(name, e.addresses, 0, list, pid, func(ctx context.Context) *exec.Cmd {
		c := exec.CommandContext(ctx, e.program, "import", "-") //nolint:gosec // our own program
		c.Dir, c.Env = folder, []string{"HOME=" + folder}
		return c
	})
	run := p.run
	p.run = func(ctx context.Context) (s sample, err error) {
		id := fmt.Sprintf("imports_%d", e.ids.take())
		url := "sqlite:" + filepath.Join(e.dir, id+".db")
		if !lite {
			if url, err = storebench.Create(ctx, e.server.DSN(), id); err != nil {
				return s, err //nolint:wrapcheck // it says what failed
			}
		}
		if folder, err = e.config(id, url, anyPort); err != nil {
			return s, err
		}
		if _, err = e.command(ctx, folder, nil, "migrate"); err != nil {
			return s, err
		}
		return run(ctx)
	}
	return p, nil
}

// imports measures lists on their way into a new database.
func (e *bench) imports(ctx context.Context) (*section, error) {
	people, err := e.peopleList(e.addresses)
	if err != nil {
		return nil, err
	}
	suppressions, err := e.suppressionsList(e.addresses)
	if err != nil {
		return nil, err
	}
	s := &section{title: "Imports", text: fmt.Sprintf("`strikeout import` of lists of %s rows into a new database: contacts with a name, a language and an address each, and blocked addresses with a time and a reason.", count(e.addresses))}
	var all []contender
	for _, k := range []struct {
		what, list string
		lite       bool
	}{
		{"contacts, SQLite", people, true}, // first: after its own lists MariaDB is busy for a while
		{"suppressions, SQLite", suppressions, true},
		{"contacts, MariaDB", people, false},
		{"suppressions, MariaDB", suppressions, false},
	} {
		c, err := e.importing(k.what, k.list, k.lite)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	t, err := e.compare(ctx, all...)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		s.add(figure{what: "a million " + c.name, value: 1e6 / t.value(c.name), must: 60, aim: 60, most: true, unit: "s", disturbed: t.disturbed(c.name)})
	}
	for _, c := range all {
		s.add(figure{what: "memory, " + c.name, value: float64(t.peak(c.name)) / 1e6, unit: "MB"})
	}
	s.details = append(s.details, t.table())
	return s, nil
}
