package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// Incident is a time in which an endpoint or a domain reported far more hard
// bounces than it usually does. Nothing is held back for it: events are stored
// as ever, and an administrator decides.
type Incident struct {
	ID        int64
	Dim       string // DimEndpoint or DimDomain
	Name      string
	BeganAt   time.Time
	LastAt    time.Time // until when the rate was too high
	EndedAt   time.Time // zero: it goes on
	Peak      int64     // most hard bounces in an hour
	Usual     int64     // hard bounces in an hour in which there are any
	Dismissed time.Time // zero: nobody has looked at it
	By        string    // who dismissed it
	Note      string
}

// What the brake takes for unusual.
const (
	brakeLeast   = 100 // hard bounces in an hour
	brakeTimes   = 10  // more than usual
	brakeHistory = 2   // days: at least one whole day
	incidentKept = 180 * 24 * time.Hour
)

const (
	selectBusySlots = "SELECT dim, name, SUM(n) AS n, MIN(slot) AS slot FROM hard_slots WHERE slot >= ? GROUP BY dim, name HAVING SUM(n) >= ?"
	selectUsual     = "SELECT slot, n FROM hard_slots WHERE dim = ? AND name = ? AND slot < ? ORDER BY slot"
	selectPast      = "SELECT day FROM day_counts WHERE day <= ? LIMIT 1"
	incidentColumns = "id, dim, name, began_at, last_at, ended_at, peak, usual, dismissed_at, dismissed_by, note"
	selectOpen      = "SELECT " + incidentColumns + " FROM incidents WHERE ended_at = 0"
	selectPresent   = "SELECT " + incidentColumns + " FROM incidents WHERE dismissed_at = 0 AND last_at >= ? ORDER BY last_at DESC LIMIT 100"
)

type incidentRow struct {
	ID          int64  `db:"id"`
	Dim         string `db:"dim"`
	Name        string `db:"name"`
	BeganAt     int64  `db:"began_at"`
	LastAt      int64  `db:"last_at"`
	EndedAt     int64  `db:"ended_at"`
	Peak        int64  `db:"peak"`
	Usual       int64  `db:"usual"`
	DismissedAt int64  `db:"dismissed_at"`
	DismissedBy string `db:"dismissed_by"`
	Note        string `db:"note"`
}

func (r *incidentRow) incident() Incident {
	return Incident{ID: r.ID, Dim: r.Dim, Name: r.Name, BeganAt: fromMicros(r.BeganAt), LastAt: fromMicros(r.LastAt), EndedAt: fromMicros(r.EndedAt),
		Peak: r.Peak, Usual: r.Usual, Dismissed: fromMicros(r.DismissedAt), By: r.DismissedBy, Note: r.Note}
}

func incidents(rows []incidentRow) []Incident {
	out := make([]Incident, len(rows))
	for i := range rows {
		out[i] = rows[i].incident()
	}
	return out
}

// Brake looks at the counters of the last hour, begins and ends incidents, and
// returns those that go on. One process at a time does the work.
func (db *DB) Brake(ctx context.Context) ([]Incident, error) {
	var out []Incident
	err := db.inTx(ctx, "look for incidents", func(tx *sqlx.Tx) error {
		// This row keeps other processes out, and the counters still.
		if _, err := tx.ExecContext(ctx, "UPDATE meta SET value = value WHERE name = ?", metaRollup); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		high, err := db.busy(ctx, tx)
		if err != nil {
			return err
		}
		var open []incidentRow
		if err := tx.SelectContext(ctx, &open, selectOpen); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		now := micros(db.now())
		for _, o := range open {
			h, still := high[[2]string{o.Dim, o.Name}]
			delete(high, [2]string{o.Dim, o.Name})
			if !still {
				_, err = tx.ExecContext(ctx, "UPDATE incidents SET ended_at = ? WHERE id = ?", now, o.ID)
			} else {
				_, err = tx.ExecContext(ctx, "UPDATE incidents SET last_at = ?, peak = ? WHERE id = ?", now, max(o.Peak, h.N), o.ID)
			}
			if err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		for name, h := range high {
			if _, err := tx.ExecContext(ctx, "INSERT INTO incidents (dim, name, began_at, last_at, peak, usual) VALUES (?, ?, ?, ?, ?, ?)",
				name[0], name[1], h.Slot*slotSeconds*1_000_000, now, h.N, h.usual); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		open = nil
		err = tx.SelectContext(ctx, &open, selectOpen)
		out = incidents(open)
		return err //nolint:wrapcheck // inTx wraps
	})
	return out, err
}

// busyName is who had many hard bounces in the last hour.
type busyName struct {
	Dim   string `db:"dim"`
	Name  string `db:"name"`
	N     int64  `db:"n"`
	Slot  int64  `db:"slot"` // the first
	usual int64
}

// busy returns what is above its usual rate. A past shorter than a day tells
// nothing: the first send-out of all is no incident.
func (db *DB) busy(ctx context.Context, tx *sqlx.Tx) (map[[2]string]busyName, error) {
	high := map[[2]string]busyName{}
	from := db.now().Unix()/slotSeconds - slotsAnHour + 1
	var past int64
	switch err := tx.GetContext(ctx, &past, selectPast, dayOf(db.now())-brakeHistory); {
	case errors.Is(err, sql.ErrNoRows):
		return high, nil
	case err != nil:
		return nil, err //nolint:wrapcheck // inTx wraps
	}
	var names []busyName
	if err := tx.SelectContext(ctx, &names, selectBusySlots, from, brakeLeast); err != nil {
		return nil, err //nolint:wrapcheck // inTx wraps
	}
	var known []incidentRow
	if err := tx.SelectContext(ctx, &known, selectPresent, db.now().Add(-slotsKept).UnixMicro()); err != nil {
		return nil, err //nolint:wrapcheck // inTx wraps
	}
	for _, b := range names {
		var past []struct {
			Slot int64 `db:"slot"`
			N    int64 `db:"n"`
		}
		if err := tx.SelectContext(ctx, &past, selectUsual, b.Dim, b.Name, from); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
		// Send-outs come in bursts, so hours without any are left out: a weekly
		// letter is no incident each week. Nor is an incident usual, unless an
		// administrator said that it was right.
		hours := map[int64]bool{}
		var sum int64
		for _, p := range past {
			if within(known, b, p.Slot*slotSeconds*1_000_000) {
				continue
			}
			hours[p.Slot/slotsAnHour] = true
			sum += p.N
		}
		if len(hours) > 0 {
			b.usual = sum / int64(len(hours))
		}
		if b.N > brakeTimes*b.usual {
			high[[2]string{b.Dim, b.Name}] = b
		}
	}
	return high, nil
}

func within(known []incidentRow, b busyName, at int64) bool {
	for _, k := range known {
		if k.Dim == b.Dim && k.Name == b.Name && at >= k.BeganAt && at <= k.LastAt {
			return true
		}
	}
	return false
}

// PresentIncidents returns those that nobody has dismissed and that were going
// on within the last three days, the latest first.
func (db *DB) PresentIncidents(ctx context.Context) ([]Incident, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []incidentRow
	if err := db.read.SelectContext(ctx, &rows, selectPresent, db.now().Add(-3*24*time.Hour).UnixMicro()); err != nil {
		return nil, wrap("read incidents", err)
	}
	return incidents(rows), nil
}

// Incidents returns the latest incidents, newest first.
func (db *DB) Incidents(ctx context.Context, limit int) ([]Incident, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = defaultHistory
	}
	var rows []incidentRow
	if err := db.read.SelectContext(ctx, &rows, "SELECT "+incidentColumns+" FROM incidents ORDER BY id DESC LIMIT ?", limit); err != nil {
		return nil, wrap("read incidents", err)
	}
	return incidents(rows), nil
}

// Incident returns one, or ErrNotFound.
func (db *DB) Incident(ctx context.Context, id int64) (Incident, error) {
	if err := db.ready(ctx); err != nil {
		return Incident{}, err
	}
	var r incidentRow
	if err := db.read.GetContext(ctx, &r, "SELECT "+incidentColumns+" FROM incidents WHERE id = ?", id); err != nil {
		return Incident{}, wrap("read an incident", err)
	}
	return r.incident(), nil
}

// DismissIncident takes an incident from the banner, and its line into the
// audit log. One that was dismissed already is ErrNotFound.
func (db *DB) DismissIncident(ctx context.Context, id int64, note string, by By) error {
	return db.inTx(ctx, "dismiss an incident", func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE incidents SET dismissed_at = ?, dismissed_by = ?, note = ? WHERE id = ? AND dismissed_at = 0",
			micros(db.now()), recipient.Clean(by.Actor, maxActorBytes), recipient.Clean(note, 255), id)
		if err := oneRow("dismiss an incident", res, err); err != nil {
			return err
		}
		return db.audit(ctx, tx, by.entry("incident.dismiss", "incident "+strconv.FormatInt(id, 10), note))
	})
}
