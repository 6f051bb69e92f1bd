package handlers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/strikeout/strikeout/store/spool"
)

// Spool says how the spool before a store stands. *spool.DB has it.
type Spool interface {
	Stats() spool.Stats
}

// spool adds the figures of a spool.
func (m *Metrics) spool(sp Spool, now func() time.Time) {
	gauge := func(name, help string, value func(s spool.Stats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "strikeout_spool_" + name, Help: help},
			func() float64 { return value(sp.Stats()) }))
	}
	counter := func(name, help string, value func(s spool.Stats) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "strikeout_spool_" + name, Help: help},
			func() float64 { return float64(value(sp.Stats())) }))
	}
	gauge("records", "Requests and clicks that wait in the spool.", func(s spool.Stats) float64 { return float64(s.Records) })
	gauge("bytes", "Bytes of the spool's files.", func(s spool.Stats) float64 { return float64(s.Bytes) })
	gauge("limit_bytes", "The most bytes that the spool takes.", func(s spool.Stats) float64 { return float64(s.Limit) })
	gauge("oldest_seconds", "How long the oldest record has waited; 0 when none does.", func(s spool.Stats) float64 { return spoolAge(s, now()).Seconds() })
	gauge("refused_files", "Files of the spool with records that the database refused; they are tried again.", func(s spool.Stats) float64 { return float64(s.Refused) })
	gauge("damaged_files", "Files of the spool of which a part cannot be read.", func(s spool.Stats) float64 { return float64(s.Damaged) })
	gauge("database_away", "1 while the database takes nothing and the spool does.", func(s spool.Stats) float64 { return flag(s.Away) })
	gauge("takes", "1 while the spool has room and its disk works.", func(s spool.Stats) float64 { return flag(s.Takes) })
	counter("spooled_total", "Requests and clicks that were spooled.", func(s spool.Stats) int64 { return s.Spooled })
	counter("stored_total", "Spooled requests and clicks that were stored.", func(s spool.Stats) int64 { return s.Replayed })
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// spoolAge is how long the oldest record has waited.
func spoolAge(s spool.Stats, now time.Time) time.Duration {
	if s.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(s.Oldest), 0)
}

// readiness is the answer of /readyz while requests may be sent here.
type readiness struct {
	Status   string      `json:"status"`
	Database string      `json:"database,omitempty"` // away
	Spool    *spoolDepth `json:"spool,omitempty"`
}

type spoolDepth struct {
	Records       int   `json:"records"`
	Bytes         int64 `json:"bytes"`
	OldestSeconds int64 `json:"oldest_seconds"`
	RefusedFiles  int   `json:"refused_files"`
	DamagedFiles  int   `json:"damaged_files"`
}

// readiness reports that requests may be sent here, with the spool's depth.
func (s *Server) readiness(stats *spool.Stats) readiness {
	r := readiness{Status: "ready"}
	if stats != nil {
		r.Spool = &spoolDepth{Records: stats.Records, Bytes: stats.Bytes, OldestSeconds: int64(spoolAge(*stats, s.now()).Seconds()),
			RefusedFiles: stats.Refused, DamagedFiles: stats.Damaged}
	}
	return r
}
