package admin

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// chart is a bar chart of days, stacked by series, as inline SVG: no script, no
// inline style. The table on the same page says the same.
type chart struct {
	ID     string
	Title  string
	Desc   string // what somebody hears who cannot see it
	Total  int64
	SVG    template.HTML
	Series []legend // of those that have any
}

type legend struct {
	Class string
	Name  string
	N     int64
}

// The drawing, in units of the viewBox.
const (
	chartWidth  = 640
	chartHeight = 170
	chartLeft   = 52
	chartTop    = 12
	chartBottom = 24
	maxSeries   = 6 // colours; the last one is for all the others
)

// series is one name's figures, by day.
type series struct {
	name string
	n    []int64
}

// newChart draws the series, which are in the order of the legend. Texts that
// others wrote get into the SVG escaped.
func newChart(id, title string, days []time.Time, list []series) chart {
	c := chart{ID: id, Title: title}
	list = fold(list)
	totals := make([]int64, len(days))
	for _, s := range list {
		for i, n := range s.n {
			totals[i] += n
			c.Total += n
		}
	}
	var top int64
	var best time.Time
	for i, day := range days {
		if totals[i] > top {
			top, best = totals[i], day
		}
	}
	c.Desc = title + ": none in " + count(len(days), "day", "days") + "."
	if c.Total > 0 {
		c.Desc = fmt.Sprintf("%s: %s in %s, most of them (%s) on %s.", title, grouped(c.Total), count(len(days), "day", "days"), grouped(top), best.Format("2 January 2006"))
	}
	scale := niceTop(top)
	var b strings.Builder
	esc := template.HTMLEscapeString
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-labelledby="%[3]s-t %[3]s-d" class="bars"><title id="%[3]s-t">%[4]s</title><desc id="%[3]s-d">%[5]s</desc>`,
		chartWidth, chartHeight, esc(id), esc(title), esc(c.Desc))
	plot := float64(chartHeight - chartTop - chartBottom)
	y := func(n int64) float64 { return chartTop + plot*(1-float64(n)/float64(scale)) }
	for _, n := range []int64{0, scale / 2, scale} {
		if n == 0 || n*2 == scale || n == scale {
			fmt.Fprintf(&b, `<line class="grid-line" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
				chartLeft, chartWidth, y(n), chartLeft-6, y(n)+4, short(n))
		}
	}
	step := float64(chartWidth-chartLeft) / float64(max(len(days), 1))
	width := max(step*0.8, 1)
	for i, day := range days {
		x := chartLeft + float64(i)*step + (step-width)/2
		var base int64
		for k, s := range list {
			n := s.n[i]
			if n == 0 {
				continue
			}
			from, to := y(base), y(base+n)
			fmt.Fprintf(&b, `<rect class="s%d" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s, %s: %s</title></rect>`,
				k, x, to, width, max(from-to, 0.5), day.Format("2 Jan"), esc(s.name), grouped(n))
			base += n
		}
	}
	if n := len(days); n > 0 {
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text><text x="%d" y="%[2]d" text-anchor="end">%[5]s</text>`,
			chartLeft, chartHeight-6, days[0].Format("2 Jan"), chartWidth, days[n-1].Format("2 Jan"))
	}
	b.WriteString(`</svg>`)
	c.SVG = template.HTML(b.String()) //nolint:gosec // every text in it is ours or escaped
	for k, s := range list {
		if n := sum(s.n); n > 0 {
			c.Series = append(c.Series, legend{Class: "s" + strconv.Itoa(k), Name: s.name, N: n})
		}
	}
	return c
}

// fold joins what has no colour of its own.
func fold(list []series) []series {
	if len(list) <= maxSeries {
		return list
	}
	rest := series{name: count(len(list)-maxSeries+1, "other", "others"), n: make([]int64, len(list[0].n))}
	for _, s := range list[maxSeries-1:] {
		for i, n := range s.n {
			rest.n[i] += n
		}
	}
	return append(list[:maxSeries-1:maxSeries-1], rest)
}

func sum(list []int64) (total int64) {
	for _, n := range list {
		total += n
	}
	return total
}

// niceTop is the least of 2, 5, 10, 20, 50 ... that is not below n.
func niceTop(n int64) int64 {
	for p := int64(1); ; p *= 10 {
		for _, f := range []int64{1, 2, 5} {
			if t := f * p; t >= n && t >= 2 {
				return t
			}
		}
		if p > 1<<58/10 {
			return max(n, 2)
		}
	}
}

// short writes a number for an axis: 12, 3.5k, 2M.
func short(n int64) string {
	for _, u := range []struct {
		size int64
		unit string
	}{{1_000_000_000, "G"}, {1_000_000, "M"}, {1000, "k"}} {
		if n >= u.size {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/float64(u.size)), ".0") + u.unit
		}
	}
	return strconv.FormatInt(n, 10)
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent writes a part of a whole, empty where nothing is known of the whole.
func percent(part, whole int64) string {
	if whole <= 0 {
		return ""
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part > 0 && p < 0.01:
		return "< 0.01 %"
	case p < 1:
		return fmt.Sprintf("%.2f %%", p)
	}
	return fmt.Sprintf("%.1f %%", p)
}
