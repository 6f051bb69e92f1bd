package storebench

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Row is a row of recipients to load.
type Row struct {
	Key     recipient.Key
	Address recipient.Address
	Blocked bool
}

// loadRows is the number of rows of one statement of Load.
const loadRows = 2000

// Load fills recipients with rows from..to of a population. The rows go in
// sorted, which is many times faster than in random order, but in two passes:
// the second splits the pages that the first filled, so that they end up about
// as full as random inserts leave them.
func (d *DB) Load(ctx context.Context, from, to int, row func(i int) Row) error {
	const slice = 500_000 // bounds the memory, not the speed
	for ; from < to; from += slice {
		n := min(slice, to-from)
		rows := make([]Row, n)
		for i := range rows {
			rows[i] = row(from + i)
		}
		first := n * 6 / 10
		for _, pass := range [][]Row{rows[:first], rows[first:]} {
			slices.SortFunc(pass, func(a, b Row) int { return bytes.Compare(a.Key[:], b.Key[:]) })
			if err := d.load(ctx, pass); err != nil {
				return fmt.Errorf("load addresses: %w", err)
			}
		}
	}
	return nil
}

func (d *DB) load(ctx context.Context, rows []Row) error {
	const workers = 2
	errs := make(chan error, workers)
	half := (len(rows) + 1) / 2
	for _, part := range [workers][]Row{rows[:half], rows[half:]} {
		go func() {
			w := writer{mysql: d.mysql}
			for chunk := range slices.Chunk(part, loadRows) {
				if err := d.Exec(ctx, w.rows(chunk)); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	return firstError(<-errs, <-errs)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

var loadedAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func (w *writer) rows(rows []Row) string {
	w.b = append(w.b[:0], "INSERT INTO recipients (recipient_key, channel, address, delivered_at, blocked_at) VALUES "...)
	for i := range rows {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '(')
		w.key(rows[i].Key)
		w.b = append(w.b, ',')
		w.text(string(rows[i].Address.Channel()))
		w.b = append(w.b, ',')
		w.text(rows[i].Address.Value())
		w.b = append(w.b, ',')
		w.b = strconv.AppendInt(w.b, loadedAt, 10)
		blocked := int64(0)
		if rows[i].Blocked {
			blocked = loadedAt
		}
		w.b = append(w.b, ',')
		w.b = strconv.AppendInt(w.b, blocked, 10)
		w.b = append(w.b, ')')
	}
	return string(w.b)
}

// Size is what a table takes on the disk.
type Size struct {
	Rows        int64
	Data, Index int64 // bytes
}

// TableSize asks InnoDB, after its statistics were renewed.
func (d *DB) TableSize(ctx context.Context, table string) (s Size, err error) {
	var answer [4]string
	err = d.sql.QueryRowContext(ctx, "ANALYZE TABLE "+table).Scan(&answer[0], &answer[1], &answer[2], &answer[3]) //nolint:gosec // our own words
	if err != nil {
		return s, err //nolint:wrapcheck // a yardstick
	}
	if s.Rows, err = d.Int(ctx, "SELECT COUNT(*) FROM "+table); err != nil { //nolint:gosec // our own words
		return s, err
	}
	err = d.sql.QueryRowContext(ctx, "SELECT data_length, index_length FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?", table).Scan(&s.Data, &s.Index)
	return s, err //nolint:wrapcheck // a yardstick
}

// Index is what an index takes. The primary key holds the rows.
type Index struct {
	Name          string
	Pages, Leaves int64
	KeyBytes      int // of an entry above the leaves
}

// Indexes asks InnoDB's statistics, which TableSize renews.
func (d *DB) Indexes(ctx context.Context, table string) (list []Index, err error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT index_name, MAX(IF(stat_name = 'size', stat_value, 0)), MAX(IF(stat_name = 'n_leaf_pages', stat_value, 0)) "+
		"FROM mysql.innodb_index_stats WHERE database_name = DATABASE() AND table_name = ? GROUP BY index_name ORDER BY index_name = 'PRIMARY' DESC, index_name", table)
	if err != nil {
		return nil, err //nolint:wrapcheck // a yardstick
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	keys := map[string]int{"events PRIMARY": 8, "events events_recipient": 16 + 8 + 8}
	for rows.Next() {
		var x Index
		if err := rows.Scan(&x.Name, &x.Pages, &x.Leaves); err != nil {
			return nil, err //nolint:wrapcheck // a yardstick
		}
		if x.KeyBytes = keys[table+" "+x.Name]; x.KeyBytes == 0 {
			x.KeyBytes = 16
		}
		list = append(list, x)
	}
	return list, rows.Err() //nolint:wrapcheck // a yardstick
}
