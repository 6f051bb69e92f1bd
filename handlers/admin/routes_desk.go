package admin

// deskRoutes are the dashboard, imports, exports and the brake.
func (s *Server) deskRoutes() []row {
	return []row{
		{method: get, path: "/admin", role: viewer, handler: s.showHome, nav: "Dashboard"},
	}
}

type homeView struct{}

func (homeView) page() string  { return "home.html" }
func (homeView) title() string { return "Dashboard" }

func (s *Server) showHome(c *Ctx) error { return s.render(c, 200, homeView{}) }
