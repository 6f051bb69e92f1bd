package admin

// queueRoutes are what waits for somebody: people's requests and the
// quarantine.
func (s *Server) queueRoutes() []row {
	return []row{
		{method: get, path: "/admin/requests", role: viewer, handler: s.showRequests, nav: "Requests"},
		{method: post, path: "/admin/requests/{id}/opt-out", role: operator, handler: s.fulfilRequest, nav: "Requests", audit: "request.resolve"},
		{method: post, path: "/admin/requests/{id}/discard", role: operator, handler: s.discardRequest, nav: "Requests", audit: "request.resolve"},

		{method: get, path: "/admin/quarantine", role: viewer, handler: s.showQuarantine, nav: "Quarantine"},
		{method: post, path: "/admin/quarantine/replay", role: operator, handler: s.replayAll, nav: "Quarantine", audit: "quarantine.replay"},
		{method: get, path: "/admin/quarantine/{id}", role: viewer, handler: s.showHeld, nav: "Quarantine"},
		{method: post, path: "/admin/quarantine/{id}/replay", role: operator, handler: s.replayOne, nav: "Quarantine", audit: "quarantine.replay"},
		{method: post, path: "/admin/quarantine/{id}/discard", role: operator, handler: s.discardHeld, nav: "Quarantine", audit: "quarantine.discard"},
	}
}
