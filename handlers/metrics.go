package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// Metrics are the figures of one process, in a registry of their own. It is
// also the observer of the store's commits, so it is made before either.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	other    *routeMeter
	panics   *prometheus.CounterVec

	webhooks     *prometheus.CounterVec
	events       *prometheus.CounterVec
	lastAccepted *prometheus.GaugeVec
	rejecting    *prometheus.GaugeVec
	held         *prometheus.GaugeVec
	silent       *prometheus.GaugeVec
	jumped       *prometheus.GaugeVec
	incidents    *prometheus.GaugeVec

	clicks    *prometheus.CounterVec
	badTokens *prometheus.CounterVec
	apiDenied *prometheus.CounterVec

	suspicious prometheus.Counter

	commits, failed, committed, duplicates prometheus.Counter
	commitEvents, commitSeconds            prometheus.Histogram
	queueEvents, queueBytes                prometheus.Gauge
}

// NewMetrics makes the registry, with the figures of the Go runtime and the
// process in it.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "strikeout_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "strikeout_" + name, Help: help}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("http_requests_total", "Requests by route pattern and status.", "route", "status"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "strikeout_http_request_seconds",
			Help: "Time to answer, by route pattern.", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 11)}, []string{"route"}),
		panics:       counter("panics_total", "Panics that were recovered, by route pattern or endpoint.", "where"),
		webhooks:     counter("webhook_requests_total", "Requests of providers by endpoint and what came of them.", "endpoint", "result"),
		events:       counter("webhook_events_total", "Events of providers by endpoint: stored, duplicate, refused by the database, spooled.", "endpoint", "result"),
		lastAccepted: gauge("endpoint_last_accepted_timestamp_seconds", "When the endpoint last accepted a request.", "endpoint"),
		rejecting:    gauge("endpoint_rejecting", "1 while an endpoint that worked within the last day rejects everything.", "endpoint"),
		held:         gauge("quarantine_requests", "Requests in quarantine by endpoint, counted each minute.", "endpoint"),
		silent:       gauge("endpoint_silent", "1 while nothing comes to an endpoint for more than twice its longest pause of two weeks.", "endpoint"),
		jumped:       gauge("endpoint_rejections_jumped", "1 while an endpoint rejects far more requests than usual.", "endpoint"),
		incidents:    gauge("hard_bounce_incidents", "Endpoints or recipient domains with far more hard bounces than usual.", "by"),
		clicks:       counter("unsubscribe_total", "What happened on unsubscribe links.", "result"),
		badTokens:    counter("unsubscribe_bad_tokens_total", "Links that did not verify, by reason.", "reason"),
		apiDenied:    counter("api_denied_total", "API requests without a valid key or the scope they need.", "why"),
	}
	m.suspicious = prometheus.NewCounter(prometheus.CounterOpts{Name: "strikeout_suspicious_opt_outs_total",
		Help: "Opt-outs by a button that a program may have pressed; they count all the same."})
	m.commits = prometheus.NewCounter(prometheus.CounterOpts{Name: "strikeout_store_commits_total", Help: "Commits of webhook events."})
	m.failed = prometheus.NewCounter(prometheus.CounterOpts{Name: "strikeout_store_commit_errors_total", Help: "Commits that failed."})
	m.committed = prometheus.NewCounter(prometheus.CounterOpts{Name: "strikeout_store_events_total", Help: "Events in successful commits."})
	m.duplicates = prometheus.NewCounter(prometheus.CounterOpts{Name: "strikeout_store_duplicates_total", Help: "Events that were there already."})
	m.commitEvents = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "strikeout_store_commit_events",
		Help: "Events in one commit.", Buckets: prometheus.ExponentialBuckets(1, 3, 9)})
	m.commitSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "strikeout_store_commit_seconds",
		Help: "Time of one commit.", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 11)})
	m.queueEvents = prometheus.NewGauge(prometheus.GaugeOpts{Name: "strikeout_store_queue_events", Help: "Events waiting for a commit."})
	m.queueBytes = prometheus.NewGauge(prometheus.GaugeOpts{Name: "strikeout_store_queue_bytes", Help: "Bytes waiting for a commit."})
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.seconds, m.panics, m.webhooks, m.events, m.lastAccepted, m.rejecting, m.held, m.silent, m.jumped, m.incidents, m.clicks, m.badTokens, m.apiDenied, m.suspicious,
		m.commits, m.failed, m.committed, m.duplicates, m.commitEvents, m.commitSeconds, m.queueEvents, m.queueBytes)
	m.other = m.route("other")
	return m
}

// Registry takes further collectors.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Committed notes one commit of the store.
func (m *Metrics) Committed(events, duplicates int, took time.Duration, err error) {
	m.commitSeconds.Observe(took.Seconds())
	if err != nil {
		m.failed.Inc()
		return
	}
	m.commits.Inc()
	m.commitEvents.Observe(float64(events))
	m.committed.Add(float64(events))
	m.duplicates.Add(float64(duplicates))
}

// Queued notes the depth of the store's queue.
func (m *Metrics) Queued(events int, bytes int64) {
	m.queueEvents.Set(float64(events))
	m.queueBytes.Set(float64(bytes))
}

// routeMeter counts one route; its children are looked up once.
type routeMeter struct {
	vec      *prometheus.CounterVec
	pattern  string
	seconds  prometheus.Observer
	byStatus sync.Map // int: prometheus.Counter
}

func (m *Metrics) route(pattern string) *routeMeter {
	return &routeMeter{vec: m.requests, pattern: pattern, seconds: m.seconds.WithLabelValues(pattern)}
}

func (r *routeMeter) count(status int, took time.Duration) {
	r.seconds.Observe(took.Seconds())
	if c, ok := r.byStatus.Load(status); ok {
		c.(prometheus.Counter).Inc()
		return
	}
	c := r.vec.WithLabelValues(r.pattern, strconv.Itoa(status))
	r.byStatus.Store(status, c)
	c.Inc()
}

// endpointMeter counts one endpoint.
type endpointMeter struct {
	accepted, rejected, quarantined, malformed, tooLarge, badEncoding, busy, handshake prometheus.Counter
	stored, duplicates, refusedRows, spooled                                           prometheus.Counter
	lastAccepted, rejecting, held, silent, jumped                                      prometheus.Gauge
}

func (m *Metrics) endpoint(name string) *endpointMeter {
	result := func(r string) prometheus.Counter { return m.webhooks.WithLabelValues(name, r) }
	return &endpointMeter{
		accepted: result("accepted"), rejected: result("rejected"), quarantined: result("quarantined"), malformed: result("malformed"),
		tooLarge: result("too_large"), badEncoding: result("bad_encoding"), busy: result("busy"), handshake: result("handshake"),
		stored: m.events.WithLabelValues(name, "stored"), duplicates: m.events.WithLabelValues(name, "duplicate"),
		refusedRows:  m.events.WithLabelValues(name, "refused"),
		spooled:      m.events.WithLabelValues(name, "spooled"),
		lastAccepted: m.lastAccepted.WithLabelValues(name), rejecting: m.rejecting.WithLabelValues(name), held: m.held.WithLabelValues(name),
		silent: m.silent.WithLabelValues(name), jumped: m.jumped.WithLabelValues(name),
	}
}

// refused counts a body that could not be inflated.
func (e *endpointMeter) refused(err error) {
	if errors.Is(err, errInflatedBig) {
		e.tooLarge.Inc()
		return
	}
	e.badEncoding.Inc()
}

func (s *Server) serveMetrics(c *fiber.Ctx) error {
	families, err := s.metrics.registry.Gather()
	if err != nil && len(families) == 0 {
		return &problem{status: http.StatusInternalServerError, detail: "the metrics cannot be gathered", cause: err}
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	c.Set(fiber.HeaderContentType, string(format))
	enc := expfmt.NewEncoder(c.Context().Response.BodyWriter(), format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return err //nolint:wrapcheck // a buffer does not fail
		}
	}
	return nil
}
