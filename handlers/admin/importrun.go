package admin

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

// jobs are the imports that this process works on. What they read and how far
// they are stands in the database: any replica shows it, and another can go on.
type jobs struct {
	runner string          // names this process
	ctx    context.Context //nolint:containedctx // ends the jobs, with the process
	cancel context.CancelFunc
	room   chan struct{}
	work   sync.WaitGroup
}

const (
	maxJobs    = 2               // at once; others wait their turn
	beatEvery  = 2 * time.Second // far less than what counts as lost
	maxRejects = 8 << 20
)

func newJobs() *jobs {
	j := &jobs{runner: rand.Text(), room: make(chan struct{}, maxJobs)}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	return j
}

// Close breaks off the imports that run here, and waits for them. They can be
// run again.
func (s *Server) Close() {
	s.jobs.cancel()
	s.jobs.work.Wait()
}

// start works on an upload in the background, which the caller has taken.
func (j *jobs) start(s *Server, id int64, stage store.Stage, by store.By) {
	j.work.Go(func() {
		r := &importRun{s: s, id: id, stage: stage, by: by}
		defer func() {
			if v := recover(); v != nil { // its value may quote the list
				s.log.Error("panic", "route", "import", "stack", string(debug.Stack()))
				r.end(store.StageFailed, "Something went wrong here. It was written to the log.", nil)
			}
		}()
		r.ctx, r.cancel = context.WithCancel(j.ctx)
		defer r.cancel()
		stop := r.beat()
		defer stop()
		select {
		case j.room <- struct{}{}:
			defer func() { <-j.room }()
		case <-r.ctx.Done():
			return
		}
		r.run()
	})
}

// importRun is one run, dry or not, of one upload.
type importRun struct {
	s      *Server
	id     int64
	stage  store.Stage
	by     store.By
	ctx    context.Context //nolint:containedctx // lives as long as the run
	cancel context.CancelFunc

	mu  sync.Mutex
	sum port.Summary
}

func (r *importRun) report() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := json.Marshal(r.sum)
	if err != nil {
		return ""
	}
	return string(b)
}

// beat tells the database that somebody works on the list. When the list is
// another's now, the run ends.
func (r *importRun) beat() (stop func()) {
	done := make(chan struct{})
	var once sync.WaitGroup
	once.Go(func() {
		t := time.NewTicker(beatEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				mine, err := r.s.cfg.Store.BeatUpload(r.ctx, r.id, r.s.jobs.runner, r.report())
				if err == nil && !mine {
					r.cancel()
				}
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(done); once.Wait() })
}

func (r *importRun) run() {
	u, err := r.s.cfg.Store.Upload(r.ctx, r.id)
	if err != nil {
		r.s.log.Warn("cannot read an upload", "err", err)
		return
	}
	var o uploadOptions
	if err := json.Unmarshal([]byte(u.Options), &o); err != nil {
		r.end(store.StageFailed, "What was said of this list cannot be read any more. Upload it again.", nil)
		return
	}
	rejects := &capped{most: maxRejects}
	cfg := port.Config{Store: r.s.cfg.Store, Keyer: r.s.cfg.Keyer, Kind: o.Kind, As: o.As, FileName: u.Name, Region: r.s.cfg.DefaultRegion, AcceptShared: o.AcceptShared,
		DryRun: r.stage == store.StageChecking, Actor: r.by.Actor, Rejects: rejects, Now: r.s.cfg.Now, Progress: func(sum port.Summary) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.sum = sum
		}}
	if cfg.ListedAt, err = port.ParseTime(o.ListedAt); err != nil {
		r.end(store.StageFailed, "The date of the list cannot be read any more. Upload it again.", nil)
		return
	}
	sum, err := port.Import(r.ctx, &uploadReader{r: r}, cfg)
	r.mu.Lock()
	r.sum = sum
	r.mu.Unlock()
	var list *port.ListError
	switch {
	case errors.As(err, &list):
		r.end(store.StageFailed, "This list cannot be used: "+err.Error()+".", nil)
	case errors.Is(err, store.ErrNotFound):
		r.end(store.StageFailed, "The list was kept for a day and is gone. Upload it again.", nil)
	case r.ctx.Err() != nil:
		r.end(store.StageFailed, "It broke off, because the service was stopped. Check it again and go on; nothing counts twice.", nil)
	case err != nil:
		r.s.log.Warn("an import broke off", "upload", r.id, "err", err)
		r.end(store.StageFailed, "It broke off: the database did not take it. Check it again and go on; nothing counts twice.", rejects.Bytes())
	case r.stage == store.StageChecking:
		r.end(store.StageChecked, "", rejects.Bytes())
	default:
		r.end(store.StageDone, "", rejects.Bytes())
	}
}

// end writes down what came of it, with the audit log where something changed.
func (r *importRun) end(stage store.Stage, problem string, rejects []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), r.s.cfg.Timeout)
	defer cancel()
	u := store.Upload{ID: r.id, Stage: stage, Report: r.report(), Problem: problem}
	var entry store.AuditEntry
	if r.stage == store.StageRunning {
		var err error
		if problem != "" {
			err = errors.New(problem)
		}
		entry = port.Ended(fmt.Sprintf("import %d", r.id), r.sum, err, r.by)
	}
	if err := r.s.cfg.Store.EndUpload(ctx, u, r.s.jobs.runner, rejects, entry); err != nil {
		r.s.log.Warn("cannot write down what came of an import", "upload", r.id, "err", err)
	}
}

// uploadReader reads an upload part by part.
type uploadReader struct {
	r    *importRun
	n    int
	rest []byte
}

func (u *uploadReader) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		b, err := u.r.s.cfg.Store.UploadPart(u.r.ctx, u.r.id, store.UploadList, u.n)
		if errors.Is(err, store.ErrNotFound) && u.n > 0 {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err //nolint:wrapcheck // port wraps it
		}
		u.rest, u.n = b, u.n+1
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// capped keeps the beginning of what is written to it.
type capped struct {
	bytes.Buffer
	most int
}

func (c *capped) Write(b []byte) (int, error) {
	if c.Len() < c.most {
		c.Buffer.Write(b) //nolint:errcheck // it never fails
	}
	return len(b), nil
}
