package admin

// deskRoutes are the dashboard, how endpoints do, and the brake.
func (s *Server) deskRoutes() []row {
	return []row{
		{method: get, path: "/admin", role: viewer, handler: s.showDashboard, nav: "Dashboard"},
		{method: get, path: "/admin/endpoints/{endpoint}", role: viewer, handler: s.showEndpoint, nav: "Dashboard"},
		{method: get, path: "/admin/incidents", role: viewer, handler: s.showIncidents, nav: "Dashboard"},
		{method: post, path: "/admin/incidents/{id}/dismiss", role: operator, handler: s.dismissIncident, nav: "Dashboard", audit: "incident.dismiss"},
		{method: get, path: "/admin/unblock", role: operator, handler: s.previewUnblock, nav: "Dashboard", slow: true},
		{method: post, path: "/admin/unblock", role: operator, handler: s.unblockIncident, nav: "Dashboard", audit: "incident.unblock", slow: true},
	}
}
