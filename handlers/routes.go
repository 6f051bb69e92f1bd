package handlers

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// style says how a route answers when something goes wrong.
type style int

const (
	asProblem style = iota // RFC 9457
	asPage                 // a page for a person
)

// route is one line of the table from which everything else follows: what
// Fiber serves, what logs, metrics and problems call it, and what the OpenAPI
// document must describe.
type route struct {
	methods string // separated by spaces; GET brings HEAD along
	pattern string // "/v1/contacts/{external_id}"
	scope   string // of the API key; empty: no key
	style   style
	handler fiber.Handler
	meter   *routeMeter
}

// fiberPath writes the pattern as Fiber wants it.
func (r *route) fiberPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.pattern)
}

func (s *Server) routeTable() []*route {
	const one = "/v1/recipients/{channel}/{address}"
	table := []*route{
		{methods: "GET POST OPTIONS", pattern: "/webhooks/{endpoint}", handler: s.webhook},
		{methods: "GET POST OPTIONS", pattern: "/webhooks/{endpoint}/{secret}", handler: s.webhook},

		{methods: "GET", pattern: "/u/{token}", style: asPage, handler: s.showUnsubscribe},
		{methods: "POST", pattern: "/u/{token}", style: asPage, handler: s.unsubscribe},
		{methods: "POST", pattern: "/u/{token}/undo", style: asPage, handler: s.undo},
		{methods: "GET", pattern: "/assets/{name}", handler: s.asset},

		{methods: "GET", pattern: "/v1/recipients", scope: scopeRead, handler: s.listRecipients},
		{methods: "GET", pattern: one, scope: scopeRead, handler: s.getRecipient},
		{methods: "DELETE", pattern: one, scope: scopeAdmin, handler: s.erase},
		{methods: "POST", pattern: one + "/block", scope: scopeWrite, handler: s.block},
		{methods: "POST", pattern: one + "/unblock", scope: scopeWrite, handler: s.unblock},
		{methods: "POST", pattern: one + "/opt-out", scope: scopeWrite, handler: s.optOut},
		{methods: "POST", pattern: one + "/opt-in", scope: scopeWrite, handler: s.optIn},
		{methods: "POST", pattern: "/v1/lookup", scope: scopeRead, handler: s.lookup},
		{methods: "POST", pattern: "/v1/check", scope: scopeRead, handler: s.check},
		{methods: "POST", pattern: "/v1/links", scope: scopeMint, handler: s.links},
		{methods: "POST", pattern: "/v1/links/check", scope: scopeRead + " " + scopeMint, handler: s.checkLinks},
		{methods: "POST", pattern: "/v1/mail", scope: scopeWrite, handler: s.mailed},
		{methods: "GET", pattern: "/v1/contacts", scope: scopeRead, handler: s.listContacts},
		{methods: "GET", pattern: "/v1/contacts/{external_id}", scope: scopeRead, handler: s.getContact},
		{methods: "PUT", pattern: "/v1/contacts/{external_id}", scope: scopeWrite, handler: s.putContact},
		{methods: "DELETE", pattern: "/v1/contacts/{external_id}", scope: scopeAdmin, handler: s.eraseContact},

		{methods: "POST", pattern: "/v1/imports", scope: scopeWrite, handler: s.importList},
		{methods: "GET", pattern: "/v1/exports/{what}", scope: scopeAdmin, handler: s.exportList},

		{methods: "GET", pattern: "/v1/events", scope: scopeRead, handler: s.events},

		{methods: "GET", pattern: "/v1/quarantine", scope: scopeRead, handler: s.listQuarantine},
		{methods: "POST", pattern: "/v1/quarantine/replay", scope: scopeWrite, handler: s.replayMany},
		{methods: "GET", pattern: "/v1/quarantine/{id}", scope: scopeAdmin, handler: s.getHeld},
		{methods: "POST", pattern: "/v1/quarantine/{id}/discard", scope: scopeAdmin, handler: s.discardHeld},
		{methods: "POST", pattern: "/v1/quarantine/{id}/replay", scope: scopeWrite, handler: s.replayHeld},
		{methods: "GET", pattern: "/v1/requests", scope: scopeRead, handler: s.listRequests},
		{methods: "POST", pattern: "/v1/requests/{id}/opt-out", scope: scopeWrite, handler: s.fulfilRequest},
		{methods: "POST", pattern: "/v1/requests/{id}/discard", scope: scopeWrite, handler: s.discardRequest},
		{methods: "GET", pattern: "/v1/endpoints", scope: scopeRead, handler: s.listEndpoints},
		{methods: "GET", pattern: "/v1/stats", scope: scopeRead, handler: s.stats},
		{methods: "GET", pattern: "/v1/incidents", scope: scopeRead, handler: s.listIncidents},
		{methods: "POST", pattern: "/v1/incidents/unblock", scope: scopeWrite, handler: s.unblockIncident},

		{methods: "GET", pattern: "/v1/openapi.yaml", handler: s.openAPI},
		{methods: "GET", pattern: "/healthz", handler: s.healthz},
		{methods: "GET", pattern: "/readyz", handler: s.readyz},
	}
	if !s.cfg.SeparateMetrics {
		table = append(table, s.metricsRoute())
	}
	return table
}

func (s *Server) metricsRoute() *route {
	return &route{methods: "GET", pattern: "/metrics", handler: s.serveMetrics}
}

// register puts the table into a Fiber app.
func (s *Server) register(app *fiber.App, table []*route) {
	for _, r := range table {
		r.meter = s.metrics.route(r.pattern)
		h := s.wrap(r)
		for _, m := range strings.Fields(r.methods) {
			if m == http.MethodGet {
				app.Get(r.fiberPath(), h) // and HEAD
				continue
			}
			app.Add(m, r.fiberPath(), h)
		}
	}
}

// find returns the route that a request would have taken, for requests that
// were refused before Fiber looked: nil when there is none.
func find(table []*route, path string) *route {
	for _, r := range table {
		if matches(r.pattern, path) {
			return r
		}
	}
	return nil
}

func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if !strings.HasPrefix(p[i], "{") && !strings.EqualFold(p[i], q[i]) {
			return false
		}
	}
	return true
}
