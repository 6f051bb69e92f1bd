package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maker appends the next request of a worker, whole, to a buffer. It reports
// false when there is none left.
type maker func(worker int, buf []byte) ([]byte, bool)

// result is what came of a load.
type result struct {
	ok, failed int
	firstBad   string
	took       time.Duration
	latencies  []time.Duration // sorted
}

func (r *result) perSecond() float64 { return float64(r.ok) / r.took.Seconds() }

func (r *result) percentile(p float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[min(len(r.latencies)-1, int(p*float64(len(r.latencies))))]
}

// loader is a load on one server. Its connections stay open, as those of the
// large providers do, and each has one request under way.
type loader struct {
	addr  string
	conns int
	long  time.Duration
	warm  time.Duration // before the measurement begins
	rate  float64       // requests a second, at fixed times; 0: each when the last was answered
	make  maker
	begun func() // at the end of warm
}

const requestTimeout = 30 * time.Second

// run generates the load. It fails when requests fail, but for those whose
// answer the caller tolerates.
func (l loader) run(ctx context.Context) (*result, error) {
	start := time.Now()
	from := start.Add(l.warm)
	until := from.Add(l.long)
	out := &result{}
	var mu sync.Mutex
	var answers atomic.Int64
	var work sync.WaitGroup
	var errs error
	for w := range l.conns {
		work.Go(func() {
			one, err := l.worker(ctx, w, start, from, until, &answers)
			mu.Lock()
			defer mu.Unlock()
			out.ok += one.ok
			out.failed += one.failed
			if one.firstBad != "" {
				out.firstBad = one.firstBad
			}
			out.took = max(out.took, one.took)
			out.latencies = append(out.latencies, one.latencies...)
			errs = errors.Join(errs, err)
		})
	}
	if l.begun != nil {
		time.Sleep(time.Until(from))
		l.begun()
	}
	work.Wait()
	out.took = max(out.took, l.long)
	slices.Sort(out.latencies)
	if errs == nil && out.failed > 0 {
		errs = fmt.Errorf("%d of %d requests failed, one with %s", out.failed, out.failed+out.ok, out.firstBad)
	}
	if errs == nil && out.ok == 0 {
		errs = errors.New("no request was answered in time")
	}
	return out, errs
}

// worker sends one request after the other. On a machine so busy that none was
// answered in the time, the time lasts until one is.
func (l loader) worker(ctx context.Context, w int, start, from, until time.Time, answers *atomic.Int64) (r result, err error) {
	c, err := dial(ctx, l.addr)
	if err != nil {
		return r, err
	}
	defer c.close()
	var buf []byte
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		if l.rate > 0 {
			// From the time at which it was due: a server that is slow must not get
			// fewer requests for it.
			began = start.Add(time.Duration(float64(i*l.conns+w) / l.rate * float64(time.Second)))
			time.Sleep(time.Until(began))
		}
		if !began.Before(until) && answers.Load() > 0 {
			return r, nil
		}
		var more bool
		if buf, more = l.make(w, buf[:0]); !more {
			return r, nil
		}
		status, err := c.do(buf)
		if err != nil {
			return r, err
		}
		end := time.Now()
		if end.Before(from) || end.After(until) && answers.Load() > 0 { // what ends in the time counts, wherever it began
			continue
		}
		answers.Add(1)
		r.took = end.Sub(from)
		if status < 200 || status > 299 {
			r.failed++
			r.firstBad = strconv.Itoa(status)
			continue
		}
		r.ok++
		r.latencies = append(r.latencies, end.Sub(began))
	}
	return r, ctx.Err()
}

// conn is one connection of HTTP/1.1, as bare as it can be: the generator's
// time is taken from the same cores.
type conn struct {
	net.Conn
	in   *bufio.Reader
	body []byte // of the last answer
}

func dial(ctx context.Context, addr string) (*conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10)}, nil
}

func (c *conn) close() { _ = c.Close() }

var errAnswer = errors.New("the answer is no HTTP")

// do sends a request and reads the answer.
func (c *conn) do(request []byte) (status int, err error) {
	if err := c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	if _, err := c.Write(request); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	length := 0
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, fmt.Errorf("read the answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
				return 0, errAnswer
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, errAnswer
			}
		case len(line) == 0:
			if cap(c.body) < length {
				c.body = make([]byte, length)
			}
			c.body = c.body[:length]
			if _, err := io.ReadFull(c.in, c.body); err != nil {
				return 0, fmt.Errorf("read the answer: %w", err)
			}
			return status, nil
		case len(line) > 15 && bytes.EqualFold(line[:15], []byte("content-length:")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return 0, errAnswer
			}
		}
	}
}

// post appends a POST request.
func post(buf []byte, path, contentType string, body []byte, headers ...string) []byte {
	buf = append(append(append(buf, "POST "...), path...), " HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nContent-Type: "...)
	buf = append(append(buf, contentType...), "\r\nContent-Length: "...)
	buf = append(strconv.AppendInt(buf, int64(len(body)), 10), "\r\n"...)
	for i := 0; i+1 < len(headers); i += 2 {
		buf = append(append(append(append(buf, headers[i]...), ": "...), headers[i+1]...), "\r\n"...)
	}
	return append(append(buf, "\r\n"...), body...)
}

// get appends a GET request.
func get(buf []byte, path string, headers ...string) []byte {
	buf = append(append(append(buf, "GET "...), path...), " HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\n"...)
	for i := 0; i+1 < len(headers); i += 2 {
		buf = append(append(append(append(buf, headers[i]...), ": "...), headers[i+1]...), "\r\n"...)
	}
	return append(buf, "\r\n"...)
}
