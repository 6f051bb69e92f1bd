package linkcsv

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// copyCSV is the measure: what reading and writing the same list costs with
// encoding/csv.
func copyCSV(b *testing.B, in string) {
	b.Helper()
	r := csv.NewReader(bufio.NewReaderSize(strings.NewReader(in), 64<<10))
	r.ReuseRecord = true
	w := csv.NewWriter(bufio.NewWriterSize(io.Discard, 64<<10))
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = w.Write(rec)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	w.Flush()
}

// BenchmarkRatios runs a copy by encoding/csv on one core, and links on one and
// on two, in turns, and reports ratios of the medians: one core to the copy, and
// two cores to one.
func BenchmarkRatios(b *testing.B) {
	const rows = 200_000
	_, c := setup(b, "")
	in := list(rows)
	links := func(cores int) time.Duration {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		c.Workers = 0
		start := time.Now()
		s, err := Run(b.Context(), strings.NewReader(in), io.Discard, c)
		if err != nil || s.Written != rows {
			b.Fatal(s, err)
		}
		return time.Since(start)
	}
	plain := func() time.Duration {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		start := time.Now()
		copyCSV(b, in)
		return time.Since(start)
	}
	var all [3][]time.Duration
	for b.Loop() {
		for range 5 {
			all[0] = append(all[0], plain())
			all[1] = append(all[1], links(1))
			all[2] = append(all[2], links(2))
		}
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return d[len(d)/2].Seconds()
	}
	one := median(all[1])
	b.ReportMetric(median(all[0])/one, "of-csv-copy")
	b.ReportMetric(one/median(all[2]), "two-cores")
	b.ReportMetric(rows/one/1000, "krows/s")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkLinks(b *testing.B) {
	_, c := setup(b, "unsubscribe@example.com")
	in := list(100_000)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(b.Context(), strings.NewReader(in), io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
}
