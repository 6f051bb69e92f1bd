package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// figure is one line of a section's table of goals.
type figure struct {
	what      string
	value     float64
	must, aim float64 // 0: no goal
	most      bool    // the goal is an upper bound
	zero      bool    // the goal is 0
	unit      string
	digits    int
	disturbed bool
}

func (f figure) show(v float64) string {
	return strings.TrimSpace(fmt.Sprintf("%.*f %s", f.digits, v, f.unit))
}

func (f figure) verdict() string {
	good := func(goal float64) bool {
		if f.most {
			return f.value <= goal
		}
		return f.value >= goal
	}
	v := ""
	switch {
	case f.zero && f.value == 0:
		v = "reached"
	case f.zero:
		v = "**missed**"
	case f.must == 0:
	case good(f.aim) && f.aim != f.must:
		v = "aim reached"
	case good(f.must):
		v = "reached"
	default:
		v = "**missed**"
	}
	if f.disturbed {
		v = strings.TrimSpace(v + " ⚠")
	}
	return v
}

func (f figure) row() string {
	bound := ""
	if f.zero {
		bound = "0"
	}
	if f.must != 0 {
		sign := "≥ "
		if f.most {
			sign = "≤ "
		}
		bound = sign + f.show(f.must)
		if f.aim != f.must {
			bound += ", aim " + f.show(f.aim)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", f.what, f.show(f.value), bound, f.verdict())
}

// section is a part of the document. A run replaces the sections that it
// measured and leaves the others.
type section struct {
	name    string // of the part
	title   string
	text    string // what is measured, and how
	figures []figure
	details []string // tables and paragraphs
}

func (s *section) add(f ...figure) { s.figures = append(s.figures, f...) }
func (s *section) detail(format string, a ...any) {
	s.details = append(s.details, fmt.Sprintf(format, a...))
}
func mark(name string) (begin, end string) {
	return "<!-- part " + name + " -->\n", "<!-- end " + name + " -->\n"
}
func (s *section) markdown(when time.Time, cmd string) string {
	begin, end := mark(s.name)
	var b strings.Builder
	fmt.Fprintf(&b, "%s## %s\n\n%s\n\nMeasured on %s with `%s`.\n\n", begin, s.title, s.text, when.UTC().Format("2 January 2006"), cmd)
	if len(s.figures) > 0 {
		b.WriteString("| figure | result | goal | |\n|---|---|---|---|\n")
		for _, f := range s.figures {
			b.WriteString(f.row())
		}
		b.WriteString("\n")
	}
	for _, d := range s.details {
		b.WriteString(strings.TrimRight(d, "\n") + "\n\n")
	}
	return b.String() + end
}

const introduction = `# Benchmarks

` + "`make bench`" + ` measures this on any Linux machine with Go and MariaDB, in minutes; ` + "`make bench ARGS=-full`" + ` takes the large sizes, and
` + "`go run ./cmd/bench -help`" + ` lists the parts. It builds the program as it is shipped, starts it as a child process with a private MariaDB or SQLite on a
folder of its own, and loads it over loopback.

How to read it:

- **A figure is a ratio** wherever it can be, and its denominator was measured in the same run, in turns with the numerator, at least three times; shown
  is the median of the rounds. Absolute numbers are those of one machine on one day; ratios travel better.
- The load generator, the service and the database share the same cores. The tables say how many cores each of them took.
- ⚠ says that other programs took more than 0.2 cores during one of the measurements. Such a figure is a lower bound at best; run it again on a quiet machine.
- *Durable* means that each 2xx followed a commit that was synced: ` + "`innodb_flush_log_at_trx_commit=1`" + `, ` + "`synchronous=FULL`" + `. Cloud disks sync more slowly than most
  development machines, which makes group commit worth more there, not less.

`

// write puts the sections into the document.
func (e *bench) write(path string, sections []*section, when time.Time) error {
	old, err := os.ReadFile(path) //nolint:gosec // the user names it
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("read the document: %w", err)
	}
	bodies := map[string]string{}
	for _, p := range parts {
		begin, end := mark(p.name)
		if _, rest, ok := strings.Cut(string(old), begin); ok {
			if body, _, ok := strings.Cut(rest, end); ok {
				bodies[p.name] = begin + body + end
			}
		}
	}
	begin, end := mark("machine")
	bodies["machine"] = begin + e.machine() + end
	for _, s := range sections {
		bodies[s.name] = s.markdown(when, e.commandLine)
	}
	var b strings.Builder
	b.WriteString(introduction + bodies["machine"])
	for _, p := range parts {
		if body := bodies[p.name]; body != "" {
			b.WriteString("\n" + body)
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil { //nolint:gosec // a document
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// machine describes where this runs, without its name.
func (e *bench) machine() string {
	cpu := procValue("/proc/cpuinfo", "model name")
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	kernel, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-") // the rest is the distributor's
	memory := strings.Fields(procValue("/proc/meminfo", "MemTotal") + " 0")[0]
	var kb int64
	_, _ = fmt.Sscan(memory, &kb)
	return fmt.Sprintf("## Machine\n\n| | |\n|---|---|\n| processor | %d cores of %s |\n| memory | %.0f GB |\n| kernel | Linux %s |\n| disk | %s |\n| Go | %s |\n| MariaDB | %s |\n| its settings | %s |\n",
		runtime.NumCPU(), cpu, float64(kb)/1e6, kernel, e.disk(), strings.TrimPrefix(runtime.Version(), "go"), e.mariaVersion, "`"+strings.Join(e.mariaOptions(), "` `")+"`")
}

func procValue(file, key string) string {
	b, err := os.ReadFile(file) //nolint:gosec // our own words
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
