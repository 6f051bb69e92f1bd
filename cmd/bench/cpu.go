package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is the unit of CPU times in /proc: 100 a second on every Linux there is.
const ticks = 100

// cpuSeconds returns the CPU time that a process has used.
func cpuSeconds(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything; the fields after it do not.
	i := bytes.LastIndexByte(b, ')')
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / ticks
}

// busySeconds returns the CPU time that all processes together have used.
func busySeconds() float64 {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	sum := 0.0
	for i, f := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // idle, waiting for a disk; guests are in user
			continue
		}
		n, _ := strconv.ParseFloat(f, 64)
		sum += n
	}
	return sum / ticks
}

// peakBytes returns the most that a process has had in memory.
func peakBytes(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	f := strings.Fields(rest)
	if len(f) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(f[0], 10, 64)
	return n << 10
}

// split says which cores were busy with what.
type split struct{ service, database, generator, other float64 }

// meter measures a split. Processes that a run does not have are 0.
type meter struct {
	service, database                int
	at                               time.Time
	serviceS, databaseS, ownS, busyS float64
}

func (m *meter) read() (service, database, own, busy float64) {
	if m.service != 0 {
		service = cpuSeconds(m.service)
	}
	if m.database != 0 {
		database = cpuSeconds(m.database)
	}
	return service, database, cpuSeconds(os.Getpid()), busySeconds()
}

func startMeter(service, database int) *meter {
	m := &meter{service: service, database: database, at: time.Now()}
	m.serviceS, m.databaseS, m.ownS, m.busyS = m.read()
	return m
}

func (m *meter) stop() split {
	service, database, own, busy := m.read()
	s := time.Since(m.at).Seconds()
	out := split{service: (service - m.serviceS) / s, database: (database - m.databaseS) / s, generator: (own - m.ownS) / s}
	out.other = max(0, (busy-m.busyS)/s-out.service-out.database-out.generator)
	return out
}

// quiet is the most that other work may take in cores; above it a figure gets a
// warning.
const quiet = 0.2

// waitQuiet waits until other work leaves the machine alone, at most the given
// time.
func waitQuiet(longest time.Duration) {
	const look = 500 * time.Millisecond
	for end := time.Now().Add(longest); time.Now().Before(end); {
		m := startMeter(0, 0)
		time.Sleep(look)
		if m.stop().other <= quiet {
			return
		}
	}
}
