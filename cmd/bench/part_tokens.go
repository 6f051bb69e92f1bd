package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

// loop is a contender: how many times f can be done in a second of one core. It
// counts processor time, which other programs do not change.
func (e *bench) loop(name, unit string, f func()) contender {
	return contender{name, unit, func(context.Context) (sample, error) {
		c, err := costOf(e.long/6, func() error {
			f()
			return nil
		})
		return sample{value: float64(time.Second) / float64(max(c.cpu, 1))}, err
	}}
}

// process is a contender: a process that reads a list, on so many cores (0: on
// all), with the help of a database (0: of none).
func (e *bench) process(name string, rows, cores int, list string, database int, cmd func(ctx context.Context) *exec.Cmd) contender {
	return contender{name, "rows/s", func(ctx context.Context) (sample, error) {
		in, err := os.Open(list) //nolint:gosec // our own file
		if err != nil {
			return sample{}, fmt.Errorf("open the list: %w", err)
		}
		defer in.Close() //nolint:errcheck // read only
		c := cmd(ctx)
		c.Stdin = in
		if cores > 0 {
			c.Env = append(c.Env, fmt.Sprintf("GOMAXPROCS=%d", cores))
		}
		m := startMeter(0, database)
		began := time.Now()
		if err := c.Start(); err != nil {
			return sample{}, fmt.Errorf("%s: %w", name, err)
		}
		// Not the peak of its usage: that begins with ours, from before it became
		// another program.
		var peak int64
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		for running := true; running; {
			select {
			case err = <-ended:
				running = false
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, peakBytes(c.Process.Pid))
			}
		}
		if err != nil {
			return sample{}, fmt.Errorf("%s: %w", name, err)
		}
		took := time.Since(began)
		cpu := m.stop()
		cpu.service = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds() / took.Seconds()
		cpu.other = max(0, cpu.other-cpu.service)
		return sample{value: float64(rows) / took.Seconds(), peak: peak, cpu: cpu}, nil
	}}
}

func (e *bench) tokens(ctx context.Context) (*section, error) {
	key, err := tokens.GenerateKey(rand.Reader, time.Now(), tokens.HS256)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	ring, err := tokens.NewRing([]tokens.Key{key})
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	claims := tokens.Claims{Key: e.secrets.keyer.Key(recipient.Stored(recipient.Email, address(1))), Channel: recipient.Email, IssuedAt: time.Now(), SendOut: "week-48", Language: "fi"}
	buf, err := ring.AppendMint(nil, claims)
	if err != nil {
		return nil, fmt.Errorf("mint: %w", err)
	}
	signed := buf[:len(buf)-44] // without the dot and the signature
	text := make([]byte, len(signed))
	copy(text, signed)
	mac := hmac.New(sha256.New, key.Secret)
	var sum [sha256.Size]byte
	mintOne := func() {
		if buf, err = ring.AppendMint(buf[:0], claims); err != nil {
			panic(err) // it worked above
		}
	}
	t, err := e.compare(ctx, e.loop(mint, "/s", mintOne), e.loop(bareHMAC, "/s", func() {
		mac.Reset()
		mac.Write(text) //nolint:errcheck // a hash never fails
		mac.Sum(sum[:0])
	}))
	if err != nil {
		return nil, err
	}
	list, err := e.list(e.listRows)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	folder, err := e.config("links", "sqlite:nothing.db", anyPort)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the null device: %w", err)
	}
	defer null.Close() //nolint:errcheck // nothing is in it
	copies := func(ctx context.Context) *exec.Cmd {
		c := exec.CommandContext(ctx, self) //nolint:gosec // ourselves
		c.Env, c.Stdout = []string{childMode + "=" + modeCopyCSV}, null
		return c
	}
	links := func(ctx context.Context) *exec.Cmd {
		c := exec.CommandContext(ctx, e.program, "links", "-", "-o", "-", "--send-out", "week-48") //nolint:gosec // our own program
		c.Dir, c.Env, c.Stdout = folder, []string{"HOME=" + folder}, null
		return c
	}
	tokenCost, err := costOf(e.long/20, func() error {
		mintOne()
		return nil
	})
	if err != nil {
		return nil, err
	}
	c, err := e.compare(ctx, e.process(plainCopy, e.listRows, 1, list, 0, copies), e.process(oneCore, e.listRows, 1, list, 0, links), e.process(twoCores, e.listRows, 2, list, 0, links))
	if err != nil {
		return nil, err
	}
	_ = os.Remove(filepath.Join(e.dir, "list.csv")) //nolint:errcheck // the folder goes at the end
	s := &section{title: "Links", text: fmt.Sprintf("A token of %d characters, against the HMAC that is in it; and `strikeout links` on a list of %s rows, against reading and writing the same list with encoding/csv.", len(buf), count(e.listRows))}
	s.add(figure{what: "minting, of the bare HMAC", value: t.ratio(mint, bareHMAC), must: 0.45, aim: 0.6, digits: 2, disturbed: t.disturbed(mint, bareHMAC)},
		figure{what: "allocations of a token", value: math.Floor(tokenCost.allocs), must: 2, aim: 0, most: true},
		figure{what: "links on one core, of the plain copy", value: c.ratio(oneCore, plainCopy), must: 0.35, aim: 0.6, digits: 2, disturbed: c.disturbed(oneCore, plainCopy)},
		figure{what: "links on two cores, times one core", value: c.ratio(twoCores, oneCore), must: 1.6, aim: 1.85, digits: 2, disturbed: c.disturbed(oneCore, twoCores)},
		figure{what: "memory of links", value: float64(c.peak(twoCores)) / 1e6, must: 100, aim: 100, most: true, unit: "MB"})
	s.details = append(s.details, t.table(), c.table())
	return s, nil
}
