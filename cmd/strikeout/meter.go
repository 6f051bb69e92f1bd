package main

import (
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
)

// meter reads a list and shows on a terminal how far it is, how fast, and how
// long it will take. Without a terminal it is silent.
type meter struct {
	in   io.Reader
	read atomic.Int64
	bar  *progressbar.ProgressBar // nil: silent
}

// newMeter shows the progress of in on w, called what; size 0 is not known.
func newMeter(w io.Writer, in io.Reader, size int64, what string) *meter {
	m := &meter{in: in}
	if !isTerminal(w) {
		return m
	}
	if size == 0 {
		size = -1
	}
	m.bar = progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(what))
	return m
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.in.Read(b)
	m.read.Add(int64(n))
	return n, err //nolint:wrapcheck // the reader's own, io.EOF among them
}

func (m *meter) show(rows int) {
	if m.bar == nil {
		return
	}
	m.bar.Describe(strconv.Itoa(rows) + " rows")
	_ = m.bar.Set64(m.read.Load()) //nolint:errcheck // a bar that cannot be drawn stops nothing
}

func (m *meter) clear() {
	if m.bar != nil {
		_ = m.bar.Clear() //nolint:errcheck // likewise
	}
}
