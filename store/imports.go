package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Stage says how far an uploaded list is.
type Stage string

// The stages. A dry run comes first; nothing is stored before somebody has seen
// what would change.
const (
	StageChecking Stage = "checking" // the dry run runs
	StageChecked  Stage = "checked"
	StageRunning  Stage = "running"
	StageDone     Stage = "done"
	StageFailed   Stage = "failed" // the list makes no sense, or it broke off
)

// Upload is a list that somebody uploaded.
type Upload struct {
	ID        int64
	Name      string // of the file
	Options   string // JSON, the caller's own
	Size      int64  // bytes
	By        string
	CreatedAt time.Time
	Stage     Stage
	BeatAt    time.Time // last sign of life of whoever works on it
	Report    string    // JSON, the caller's own
	Problem   string    // why it failed
}

// Lost reports whether whoever worked on the list is gone.
func (u Upload) Lost(now time.Time) bool {
	return (u.Stage == StageChecking || u.Stage == StageRunning) && now.Sub(u.BeatAt) > beatLost
}

const (
	// UploadFor is how long an uploaded list and its rejects are kept.
	UploadFor = 24 * time.Hour
	// uploadsFor is how long it is known what became of it.
	uploadsFor = 90 * 24 * time.Hour
	beatLost   = 30 * time.Second
	partBytes  = 1 << 20
	maxUploads = 100
)

// The parts of an upload.
const (
	UploadList    = "list"
	UploadRejects = "rejects"
)

type uploadRow struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	Options   string `db:"options"`
	Size      int64  `db:"size"`
	By        string `db:"created_by"`
	CreatedAt int64  `db:"created_at"`
	Stage     string `db:"stage"`
	BeatAt    int64  `db:"beat_at"`
	Report    string `db:"report"`
	Problem   string `db:"problem"`
}

func (r *uploadRow) upload() Upload {
	return Upload{ID: r.ID, Name: r.Name, Options: r.Options, Size: r.Size, By: r.By, CreatedAt: fromMicros(r.CreatedAt), Stage: Stage(r.Stage), BeatAt: fromMicros(r.BeatAt), Report: r.Report, Problem: r.Problem}
}

const (
	selectUpload  = "SELECT id, name, options, size, created_by, created_at, stage, beat_at, report, problem FROM imports "
	selectUploads = selectUpload + "WHERE id < ? ORDER BY id DESC LIMIT ?"
)

// AddUpload keeps a list, to be checked by runner.
func (db *DB) AddUpload(ctx context.Context, u Upload, body []byte, runner string, by By) (int64, error) {
	now := recipient.Micro(db.now())
	var id int64
	err := db.inTx(ctx, "keep an upload", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO imports (name, options, size, created_by, created_at, stage, runner, beat_at, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
			recipient.Clean(u.Name, 255), u.Options, len(body), recipient.Clean(by.Actor, maxActorBytes), micros(now), string(StageChecking), runner, micros(now))
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if id, err = res.LastInsertId(); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := putParts(ctx, tx, id, UploadList, body); err != nil {
			return err
		}
		return db.audit(ctx, tx, by.entry("import.upload", uploadName(id), recipient.Clean(u.Name, 255)))
	})
	return id, err
}

func uploadName(id int64) string { return "import " + strconv.FormatInt(id, 10) }

// putParts replaces the parts of one kind.
func putParts(ctx context.Context, tx *sqlx.Tx, id int64, kind string, body []byte) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM import_parts WHERE import_id = ? AND kind = ?", id, kind); err != nil {
		return err //nolint:wrapcheck // inTx wraps
	}
	enc, _ := codec()
	for n := 0; len(body) > 0; n++ {
		some := body[:min(len(body), partBytes)]
		body = body[len(some):]
		if _, err := tx.ExecContext(ctx, "INSERT INTO import_parts (import_id, kind, part, body) VALUES (?, ?, ?, ?)", id, kind, n, enc.EncodeAll(some, nil)); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
	}
	return nil
}

// Uploads returns the newest uploads.
func (db *DB) Uploads(ctx context.Context) ([]Upload, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []uploadRow
	if err := db.read.SelectContext(ctx, &rows, selectUploads, int64(1)<<62, maxUploads); err != nil {
		return nil, wrap("list uploads", err)
	}
	out := make([]Upload, len(rows))
	for i := range rows {
		out[i] = rows[i].upload()
	}
	return out, nil
}

// Upload returns one, or ErrNotFound.
func (db *DB) Upload(ctx context.Context, id int64) (Upload, error) {
	if err := db.ready(ctx); err != nil {
		return Upload{}, err
	}
	var r uploadRow
	if err := db.read.GetContext(ctx, &r, selectUpload+"WHERE id = ?", id); err != nil {
		return Upload{}, wrap("read an upload", err)
	}
	return r.upload(), nil
}

// UploadPart returns a part of a list or its rejects, from 0 on; ErrNotFound is
// the end.
func (db *DB) UploadPart(ctx context.Context, id int64, kind string, n int) ([]byte, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var b []byte
	if err := db.read.GetContext(ctx, &b, "SELECT body FROM import_parts WHERE import_id = ? AND kind = ? AND part = ?", id, kind, n); err != nil {
		return nil, wrap("read an upload", err)
	}
	_, dec := codec()
	out, err := dec.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("store: part %d of upload %d: %w", n, id, err)
	}
	return out, nil
}

// TakeUpload gives an upload to a runner, who checks it or runs it. It is false
// where that is not its turn: it runs only after a check, unless a run broke off.
// Two people who press the button at once start one run.
func (db *DB) TakeUpload(ctx context.Context, id int64, to Stage, runner string, by By) (bool, error) {
	where, args := "stage = ? OR stage = ? AND beat_at < ?", []any{string(StageChecked), string(StageRunning)}
	if to == StageChecking {
		where, args = "stage IN (?, ?) OR stage IN (?, ?) AND beat_at < ?", []any{string(StageChecked), string(StageFailed), string(StageChecking), string(StageRunning)}
	}
	took := false
	err := db.inTx(ctx, "take an upload", func(tx *sqlx.Tx) error {
		took = false
		now := db.now()
		all := append([]any{string(to), runner, micros(now), id}, append(args, micros(now.Add(-beatLost)))...)
		res, err := tx.ExecContext(ctx, "UPDATE imports SET stage = ?, runner = ?, beat_at = ?, problem = '' WHERE id = ? AND ("+where+")", all...)
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err //nolint:wrapcheck // inTx wraps
		}
		took = true
		return db.audit(ctx, tx, by.entry("import."+string(to), uploadName(id), ""))
	})
	return took, err
}

// BeatUpload is a sign of life of a runner; false: the upload is another's now,
// or gone.
func (db *DB) BeatUpload(ctx context.Context, id int64, runner, report string) (bool, error) {
	if err := db.ready(ctx); err != nil {
		return false, err
	}
	res, err := db.write.ExecContext(ctx, "UPDATE imports SET beat_at = ?, report = ? WHERE id = ? AND runner = ?", micros(db.now()), report, id, runner)
	if err != nil {
		return false, wrap("note progress", err)
	}
	n, err := res.RowsAffected()
	return n > 0, wrap("note progress", err)
}

// EndUpload ends a run, with what was rejected. An entry of the audit log with an
// action is written along.
func (db *DB) EndUpload(ctx context.Context, u Upload, runner string, rejects []byte, entry AuditEntry) error {
	return db.inTx(ctx, "end an upload", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE imports SET stage = ?, runner = '', beat_at = ?, report = ?, problem = ? WHERE id = ? AND runner = ?",
			string(u.Stage), micros(db.now()), u.Report, recipient.Clean(u.Problem, 255), u.ID, runner)
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err //nolint:wrapcheck // inTx wraps
		}
		if err := putParts(ctx, tx, u.ID, UploadRejects, rejects); err != nil || entry.Action == "" {
			return err
		}
		return db.audit(ctx, tx, entry)
	})
}

// DropUpload deletes an upload and what was kept of it. What was imported stays.
func (db *DB) DropUpload(ctx context.Context, id int64, by By) error {
	return db.inTx(ctx, "drop an upload", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM import_parts WHERE import_id = ?", id); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		res, err := tx.ExecContext(ctx, "DELETE FROM imports WHERE id = ?", id)
		if err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = ErrNotFound
			}
			return err //nolint:wrapcheck // inTx wraps
		}
		return db.audit(ctx, tx, by.entry("import.drop", uploadName(id), ""))
	})
}

// dropOldUploads deletes lists that nobody needs any more: they hold addresses of
// people whom an erasure would not find there.
func (db *DB) dropOldUploads(ctx context.Context) error {
	now := db.now()
	if _, err := db.write.ExecContext(ctx, "DELETE FROM import_parts WHERE import_id IN (SELECT id FROM imports WHERE created_at < ?)", micros(now.Add(-UploadFor))); err != nil {
		return wrap("delete old uploads", err)
	}
	_, err := db.write.ExecContext(ctx, "DELETE FROM imports WHERE created_at < ?", micros(now.Add(-uploadsFor)))
	return wrap("delete old uploads", err)
}
