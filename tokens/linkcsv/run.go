package linkcsv

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/strikeout/strikeout/recipient/listcsv"
)

const (
	chunkBytes = 256 << 10
	bom        = "\xef\xbb\xbf"
)

// run is one list on its way.
type run struct {
	cfg    Config
	lay    *layout
	in     *listcsv.Decoded
	want   int // fields that have to be looked at
	sms    *smsText
	tail   []byte // the line end of the output
	result Summary
}

// Run reads a list and writes it with links. Errors are those of reading,
// writing, and the functions of the Config, and a list whose layout makes no
// sense; a record that makes none is rejected. What was written before an
// error is of no use.
func Run(ctx context.Context, in io.Reader, out io.Writer, cfg Config) (Summary, error) {
	if err := cfg.check(); err != nil {
		return Summary{}, err
	}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.chunkBytes <= 0 {
		cfg.chunkBytes = chunkBytes
	}
	r, err := start(in, cfg)
	if err != nil {
		return Summary{}, err
	}
	if err := r.head(out); err != nil {
		return r.result, err
	}
	if err := r.body(ctx, out); err != nil {
		return r.result, err
	}
	return r.result, nil
}

func start(in io.Reader, cfg Config) (*run, error) {
	r := &run{cfg: cfg}
	var err error
	if r.in, err = listcsv.Decode(in, cfg.Layout.Encoding); err != nil {
		return nil, err
	}
	sample, err := r.in.Peek(listcsv.SampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	if r.lay, err = sniff(sample, err != nil, cfg.Layout, cfg.Region); err != nil {
		return nil, &ListError{Err: err}
	}
	l := r.lay
	r.tail = []byte(l.Tail())
	r.want = max(l.email, l.phone, l.language) + 1
	if cfg.SMSText != "" {
		if r.sms, err = parseSMSText(cfg.SMSText, l); err != nil {
			return nil, &ListError{Err: err}
		}
		r.want = max(r.want, r.sms.want)
	}
	r.result.Encoding, r.result.Delimiter = r.in.Encoding, l.Delim
	for _, i := range []int{l.email, l.phone, l.language} {
		if i >= 0 {
			r.result.Columns = append(r.result.Columns, l.Name(i))
		}
	}
	return r, nil
}

// head writes what stands before the records: a byte order mark where there was
// one, because spreadsheets need it, and the names of the columns.
func (r *run) head(out io.Writer) error {
	if !r.in.BOM && r.lay.Preamble == 0 {
		return nil
	}
	b := []byte{}
	if r.in.BOM {
		b = append(b, bom...)
	}
	pre := make([]byte, r.lay.Preamble)
	if _, err := io.ReadFull(r.in, pre); err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	_, err := out.Write(append(b, pre...))
	return wrapWrite(err)
}

func wrapWrite(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write the list: %w", err)
}

// job is a chunk on its way through a worker. Jobs are used again and again, so
// their number bounds the memory.
type job struct {
	in    []byte // room for the chunk
	chunk listcsv.Chunk
	first bool // the header is in it
	out   []byte
	bad   []byte // rejected records as CSV
	sum   Summary
	err   error
	done  chan struct{}
	work  worker
}

// body reads chunks, lets workers fill them, and writes them in order.
func (r *run) body(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := 2*r.cfg.Workers + 1
	free, todo, order := make(chan *job, jobs), make(chan *job, jobs), make(chan *job, jobs)
	for range jobs {
		free <- &job{in: make([]byte, 0, max(r.cfg.chunkBytes, 1)), done: make(chan struct{}, 1)}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range r.cfg.Workers {
		wg.Go(func() {
			for j := range todo {
				r.fill(ctx, j)
				j.done <- struct{}{}
			}
		})
	}
	var readErr error
	wg.Go(func() {
		defer close(order)
		defer close(todo)
		readErr = r.read(ctx, free, todo, order)
	})
	err := r.write(order, free, out)
	cancel()          // where writing failed, reading has to stop
	for range order { //nolint:revive // until the reader has closed it
	}
	if err == nil {
		err = readErr
	}
	return err
}

func (r *run) read(ctx context.Context, free <-chan *job, todo, order chan<- *job) error {
	s := listcsv.NewSplitter(r.in, r.lay.Delim)
	if r.lay.Preamble > 0 {
		s.Line++
	}
	first := r.lay.Header
	for {
		var j *job
		select {
		case j = <-free:
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the caller's own
		}
		c, err := s.Next(j.in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the list: %w", err)
		}
		j.chunk, j.first = c, first
		first = first && c.Broken != nil
		if cap(c.Buf) > cap(j.in) {
			j.in = c.Buf
		}
		order <- j // both have room for all jobs
		todo <- j
	}
}

func (r *run) write(order <-chan *job, free chan<- *job, out io.Writer) error {
	headed := false
	for j := range order {
		<-j.done
		if j.err != nil {
			return j.err
		}
		if len(j.out) > 0 {
			if _, err := out.Write(j.out); err != nil {
				return wrapWrite(err)
			}
		}
		if len(j.bad) > 0 && r.cfg.Rejects != nil {
			b := j.bad
			if !headed {
				headed = true
				b = append(r.lay.AppendRejectsHead(nil), b...)
			}
			if _, err := r.cfg.Rejects.Write(b); err != nil {
				return fmt.Errorf("write the rejected records: %w", err)
			}
		}
		r.result.add(j.sum)
		if r.cfg.Progress != nil {
			r.cfg.Progress(r.result)
		}
		free <- j
	}
	return nil
}

func (s *Summary) add(o Summary) {
	s.Rows += o.Rows
	s.Written += o.Written
	s.Suppressed += o.Suppressed
	s.Minted += o.Minted
	if o.Rejected > 0 && s.Rejected == 0 {
		s.FirstLine, s.First = o.FirstLine, o.First
	}
	s.Rejected += o.Rejected
	s.Bytes += o.Bytes
	s.SMS.add(o.SMS)
}

// fill works on one chunk.
func (r *run) fill(ctx context.Context, j *job) {
	j.out, j.bad, j.sum, j.err = j.out[:0], j.bad[:0], Summary{Bytes: int64(len(j.chunk.Buf))}, nil
	w := &j.work
	w.reset(r, j)
	if j.chunk.Broken != nil {
		w.reject(j.chunk.Line, bytes.TrimRight(j.chunk.Buf, "\r\n"), j.chunk.Broken)
		return
	}
	if j.first {
		w.header()
	}
	w.rows()
	if j.err = r.ask(ctx, w); j.err == nil {
		j.err = w.links()
	}
}

// ask asks the database once for the whole chunk.
func (r *run) ask(ctx context.Context, w *worker) error {
	if r.cfg.Suppressed != nil && len(w.list) > 0 {
		for i := range w.list {
			w.keys = append(w.keys, w.list[i].key)
		}
		out, err := r.cfg.Suppressed(ctx, w.keys)
		if err != nil {
			return fmt.Errorf("check for suppressed addresses: %w", err)
		}
		for i := range w.list {
			w.list[i].leaveOut = out[i]
		}
	}
	short := r.cfg.Short && !r.cfg.SubOnly
	mail := !r.cfg.SubOnly && r.cfg.Linker.NeedsCode()
	if !short && !mail {
		return nil
	}
	if err := w.propose(short, mail); err != nil {
		return err
	}
	if len(w.codes) == 0 {
		return nil
	}
	if err := r.cfg.Codes(ctx, w.codes); err != nil {
		return fmt.Errorf("keep short codes: %w", err)
	}
	return nil
}
