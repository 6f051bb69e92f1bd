package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// sample is one measurement.
type sample struct {
	value    float64 // what is compared, such as events a second
	p50, p99 time.Duration
	peak     int64 // bytes of memory that the service has had at most
	cpu      split
}

// contender is one of several ways to do the same, which are measured in turns.
type contender struct {
	name string
	unit string // of its value
	run  func(ctx context.Context) (sample, error)
}

// contest holds the rounds of a comparison.
type contest struct {
	contenders []contender
	rounds     map[string][]sample
}

// compare measures the contenders in turns: what changes on the machine from
// minute to minute meets all of them. Rounds in which other work disturbed one
// are repeated, as far as the options allow; the disturbed ones are dropped only
// when enough others are there.
func (e *bench) compare(ctx context.Context, contenders ...contender) (*contest, error) {
	t := &contest{contenders: contenders, rounds: map[string][]sample{}}
	var all [][]sample
	undisturbed := 0
	for n := 0; n < e.rounds+e.extra && undisturbed < e.rounds; n++ {
		late := time.Now().After(e.hurry)
		if late && n >= e.rounds {
			break
		}
		round := make([]sample, len(contenders))
		calm := true
		for i, c := range contenders {
			if !late {
				waitQuiet(e.patience)
			}
			s, err := c.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			round[i] = s
			calm = calm && s.cpu.other <= quiet
			e.progress("  %-52s %10s %s%s", c.name, number(s.value), c.unit, warning(s.cpu))
		}
		if calm {
			undisturbed++
		}
		all = append(all, round)
	}
	for _, round := range all {
		if undisturbed >= e.rounds && disturbed(round) {
			continue
		}
		for i, c := range contenders {
			t.rounds[c.name] = append(t.rounds[c.name], round[i])
		}
	}
	return t, nil
}

func disturbed(round []sample) bool {
	return slices.ContainsFunc(round, func(s sample) bool { return s.cpu.other > quiet })
}

func warning(c split) string {
	if c.other <= quiet {
		return ""
	}
	return fmt.Sprintf("   (other work took %.1f cores)", c.other)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

func values[T any](list []T, f func(T) float64) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// ratio is the median of the rounds' own ratios.
func (t *contest) ratio(of, to string) float64 {
	var v []float64
	for i, s := range t.rounds[of] {
		v = append(v, s.value/t.rounds[to][i].value)
	}
	return median(v)
}

func (t *contest) value(name string) float64 {
	return median(values(t.rounds[name], func(s sample) float64 { return s.value }))
}

func (t *contest) p50(name string) time.Duration {
	return time.Duration(median(values(t.rounds[name], func(s sample) float64 { return float64(s.p50) })))
}

func (t *contest) p99(name string) time.Duration {
	return time.Duration(median(values(t.rounds[name], func(s sample) float64 { return float64(s.p99) })))
}

func (t *contest) peak(name string) int64 {
	var most int64
	for _, s := range t.rounds[name] {
		most = max(most, s.peak)
	}
	return most
}

// disturbed reports whether other work took part in one of the measurements.
func (t *contest) disturbed(names ...string) bool {
	for _, n := range names {
		if disturbed(t.rounds[n]) {
			return true
		}
	}
	return false
}

// table describes the contenders.
func (t *contest) table() string {
	b := "| measured | median | range | p50 | p99 | cores: service | database | generator | other | memory |\n|---|---|---|---|---|---|---|---|---|---|\n"
	for _, c := range t.contenders {
		rounds := t.rounds[c.name]
		v := values(rounds, func(s sample) float64 { return s.value })
		core := func(f func(split) float64) string {
			return fmt.Sprintf("%.2f", median(values(rounds, func(s sample) float64 { return f(s.cpu) })))
		}
		memory := ""
		if n := t.peak(c.name); n > 0 {
			memory = megabytes(n)
		}
		b += fmt.Sprintf("| %s | %s %s | %s–%s | %s | %s | %s | %s | %s | %s | %s |\n", c.name, number(median(v)), c.unit, number(slices.Min(v)), number(slices.Max(v)),
			millis(t.p50(c.name)), millis(t.p99(c.name)), core(func(s split) float64 { return s.service }), core(func(s split) float64 { return s.database }),
			core(func(s split) float64 { return s.generator }), core(func(s split) float64 { return s.other }), memory)
	}
	return b
}

// number writes a figure with three digits that matter.
func number(v float64) string {
	switch {
	case v >= 100_000:
		return fmt.Sprintf("%.0f k", v/1000)
	case v >= 1000:
		return fmt.Sprintf("%.1f k", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func millis(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
