package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The test binary is the service's child modes too.
func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		if err := child(mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Every part runs, small, and ends with figures. What they say is another
// matter: this machine has other things to do.
func TestEveryPartRuns(t *testing.T) {
	document := filepath.Join(t.TempDir(), "benchmarks.md")
	var names []string
	for _, p := range parts {
		if p.name != "galera" { // needs more than the other tests do
			names = append(names, p.name)
		}
	}
	for _, only := range []string{strings.Join(names, ","), "start"} { // the second leaves what the first measured
		var out, errs bytes.Buffer
		if err := run(t.Context(), []string{"-short", "-only", only, "-dir", t.TempDir(), "-o", document}, &out, &errs); err != nil {
			t.Fatalf("run: %v\n%s", err, errs.String())
		}
		if strings.Contains(errs.String(), "127.0.0.1") {
			t.Errorf("what is printed names addresses:\n%s", errs.String())
		}
	}
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		begin, end := mark(name)
		_, rest, ok := strings.Cut(string(b), begin)
		body, _, ended := strings.Cut(rest, end)
		if !ok || !ended || !strings.Contains(body, "\n| ") {
			t.Errorf("part %s: no table in the document", name)
		}
		if strings.Contains(body, "NaN") || strings.Contains(body, "Inf") {
			t.Errorf("part %s: a figure is no number:\n%s", name, body)
		}
	}
	if n := strings.Count(string(b), "## The program"); n != 1 {
		t.Errorf("the part start is there %d times, want 1", n)
	}
}

func TestBadArguments(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-only nothing", `no part "nothing"`},
		{"-rounds 0", "-rounds"},
		{"-addresses 5", "-addresses"},
		{"ingest", `unexpected "ingest"`},
	} {
		var out bytes.Buffer
		err := run(t.Context(), strings.Fields(tt.args), &out, &out)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.args, err, tt.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		v    []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(tt.v); got != tt.want {
			t.Errorf("median(%v): got %v, want %v", tt.v, got, tt.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		f    figure
		want string
	}{
		{figure{value: 0.5, must: 0.3, aim: 0.45}, "aim reached"},
		{figure{value: 0.4, must: 0.3, aim: 0.45}, "reached"},
		{figure{value: 0.2, must: 0.3, aim: 0.45}, "**missed**"},
		{figure{value: 9, must: 15, aim: 8, most: true}, "reached"},
		{figure{value: 16, must: 15, aim: 8, most: true, disturbed: true}, "**missed** ⚠"},
		{figure{value: 1}, ""},
	} {
		if got := tt.f.verdict(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.f, got, tt.want)
		}
	}
}
