package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
)

const (
	chunkBytes = 256 << 10 // for each 5000 that go together
	together   = 5000
)

// importer is one list on its way.
type importer struct {
	cfg    Config
	in     *listcsv.Decoded
	shape  *listcsv.Shape
	format *format
	kind   Kind
	cols   [roles]int
	named  map[string]int // columns by name
	keys   bool           // those of an export are ours
	// guarded: values of an export of ours are as Text left them.
	guarded bool

	sum    Summary
	dry    *ledger // of a dry run
	headed bool    // the rejects have their header
	// before holds the states that the batch before left, where they are read ahead.
	before map[recipient.Key]recipient.State
}

// Import reads a list and stores what it says. Errors are those of reading, of
// writing rejects, of the database, and a *ListError for a list that makes no
// sense as a whole; a record that makes none is rejected. After an error the
// Summary says how far it came; the same list can be imported again.
func Import(ctx context.Context, in io.Reader, cfg Config) (Summary, error) {
	p, err := start(in, cfg)
	if err != nil {
		return Summary{}, err
	}
	if cfg.Audit == nil || cfg.DryRun {
		err = p.run(ctx)
		return p.sum, err
	}
	// Whoever reads the audit log finds an import that never came to its end, too.
	if err := cfg.Audit(begun(cfg, p.kind)); err != nil {
		return p.sum, fmt.Errorf("store the list: %w", err)
	}
	err = p.run(ctx)
	if aerr := cfg.Audit(Ended(cfg.FileName, p.sum, err, cfg.By)); aerr != nil && err == nil {
		err = fmt.Errorf("store the list: %w", aerr)
	}
	return p.sum, err
}

func (c *Config) check() error {
	switch {
	case c.Store == nil:
		return errNoStore
	case c.Keyer == nil:
		return errNoKeyer
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Patience <= 0 {
		c.Patience = time.Minute
	}
	if c.Together <= 0 {
		c.Together = together
	}
	if c.As == "" {
		c.As = recipient.OptOut
	}
	for _, k := range Meanings {
		if c.As == k {
			return nil
		}
	}
	return &ListError{Err: errors.New("as: expected opt_out, block, hard_bounce, complaint or soft_bounce")}
}

func start(in io.Reader, cfg Config) (*importer, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	p := &importer{cfg: cfg, named: map[string]int{}}
	if cfg.DryRun {
		p.dry = newLedger()
	}
	p.sum.DryRun = cfg.DryRun
	var err error
	if p.in, err = listcsv.Decode(in, cfg.Layout.Encoding); err != nil {
		return nil, err //nolint:wrapcheck // it says all
	}
	sample, err := p.in.Peek(listcsv.SampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	shape, records, err := listcsv.Sniff(sample, err != nil, cfg.Layout, cfg.Region)
	if err != nil {
		return nil, &ListError{Err: err}
	}
	p.shape = shape
	p.sum.Encoding, p.sum.Delimiter = p.in.Encoding, string(shape.Delim)
	if err := p.columns(records); err != nil {
		return nil, &ListError{Err: err}
	}
	if _, err := p.in.Discard(shape.Preamble); err != nil {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	return p, nil
}

// batch is a chunk of the list, read. Its items keep the chunk's memory.
type batch struct {
	buf     []byte
	items   []item
	bad     []reject
	rows    int
	bytes   int64
	ignored int
	undated int
	states  map[recipient.Key]recipient.State // read ahead; nil: they still have to be read
	err     error
}

type reject struct {
	line int
	why  string
	raw  []byte
}

// run reads ahead while the database writes.
func (p *importer) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	free, ready := make(chan *batch, 2), make(chan *batch, 1)
	for range cap(free) {
		free <- &batch{buf: make([]byte, 0, chunkBytes*max(1, p.cfg.Together/together))}
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() {
		defer close(ready)
		p.read(ctx, free, ready)
	})
	for b := range ready {
		if b.err != nil {
			return b.err
		}
		if err := p.take(ctx, b); err != nil {
			return err
		}
		free <- b
	}
	return ctx.Err() //nolint:wrapcheck // the caller's own
}

func (p *importer) read(ctx context.Context, free <-chan *batch, ready chan<- *batch) {
	s := listcsv.NewSplitter(p.in, p.shape.Delim)
	if p.shape.Preamble > 0 {
		s.Line++
	}
	head := p.shape.Header
	for {
		var b *batch
		select {
		case b = <-free:
		case <-ctx.Done():
			return
		}
		*b = batch{buf: b.buf, items: b.items[:0], bad: b.bad[:0]}
		c, err := s.Next(b.buf[:0])
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.err = fmt.Errorf("read the list: %w", err)
		} else {
			b.buf = c.Buf[:0]
			b.bytes = int64(len(c.Buf))
			head = p.chunk(b, c, head)
			if err = p.lookAhead(ctx, b); err != nil {
				b.err = err
			}
		}
		select {
		case ready <- b:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// lookAhead reads the states of a batch's addresses while the database writes
// the batch before: what that one writes, the importer knows by itself. Contacts
// have to wait, because an opt-out may come with one of them.
func (p *importer) lookAhead(ctx context.Context, b *batch) (err error) {
	if p.kind != Suppressions || p.dry != nil {
		return nil
	}
	b.states, err = p.states(ctx, b.items)
	return err
}

// chunk reads the records of a chunk, and reports whether the header is still to
// come.
func (p *importer) chunk(b *batch, c listcsv.Chunk, head bool) bool {
	if c.Broken != nil {
		b.reject(c.Line, c.Broken, c.Buf)
		return head
	}
	now := recipient.Micro(p.cfg.Now())
	var rec listcsv.Record
	line, rest := c.Line, c.Buf
	for len(rest) > 0 {
		n, err := rec.Read(rest, p.shape.Delim, p.shape.Columns)
		rest = rest[n:]
		at := line
		line += rec.Lines
		if err == nil && len(rec.Raw) == 0 {
			continue
		}
		if err == nil && head {
			head = false
			continue
		}
		if err == nil && rec.Count != p.shape.Columns {
			err = fmt.Errorf("%d fields instead of %d", rec.Count, p.shape.Columns)
		}
		raw := rec.Raw
		if err == nil {
			raw, err = rec.UTF8(rec.Raw, p.in.ASCII, p.shape.Delim, p.shape.Columns)
		}
		if err != nil {
			b.reject(at, err, rec.Raw)
			continue
		}
		b.rows++
		p.record(b, &row{p: p, fields: rec.Fields}, at, raw, now)
	}
	return head
}

func (p *importer) record(b *batch, r *row, line int, raw []byte, now time.Time) {
	it, undated, err := r.read(now)
	switch {
	case err != nil:
		b.rows-- // reject counts it
		b.reject(line, err, raw)
	case !it.isOne && len(it.events) == 0:
		b.ignored++
	default:
		it.line, it.raw = line, raw
		b.items = append(b.items, it)
		b.undated += undated
	}
}

func (b *batch) reject(line int, why error, raw []byte) {
	b.rows++
	b.bad = append(b.bad, reject{line, why.Error(), raw})
}
