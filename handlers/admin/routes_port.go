package admin

// maxUpload is the largest list that is uploaded: a million rows of usual length.
// Larger ones are for the command line.
const maxUpload = 64 << 20

// maxLinkList is the largest list to which the desk adds links; each row grows
// tenfold.
const maxLinkList = 8 << 20

// portRoutes are lists that come in, go out, and get links.
func (s *Server) portRoutes() []row {
	const one = "/admin/imports/{id}"
	rows := []row{
		{method: get, path: "/admin/imports", role: operator, handler: s.showImports, nav: "Imports"},
		{method: post, path: "/admin/imports", role: operator, handler: s.upload, nav: "Imports", audit: "import.upload", body: maxUpload, slow: true},
		{method: get, path: one, role: operator, handler: s.showImport, nav: "Imports"},
		{method: post, path: one + "/check", role: operator, handler: s.checkImport, nav: "Imports", audit: "import.checking"},
		{method: post, path: one + "/run", role: operator, handler: s.runImport, nav: "Imports", audit: "import.running"},
		{method: post, path: one + "/drop", role: operator, handler: s.dropImport, nav: "Imports", audit: "import.drop"},
		{method: get, path: one + "/rejects.csv", role: operator, handler: s.rejectsCSV, nav: "Imports", slow: true},

		{method: get, path: "/admin/exports", role: admin, handler: s.showExports, nav: "Exports"},
		{method: post, path: "/admin/exports/{what}", role: admin, handler: s.export, nav: "Exports", audit: "export", slow: true},
	}
	if s.cfg.Links != nil {
		rows = append(rows,
			row{method: get, path: "/admin/links", role: operator, handler: s.showLinks, nav: "Links"},
			row{method: post, path: "/admin/links", role: operator, handler: s.makeLinks, nav: "Links", audit: "links", body: maxLinkList, slow: true},
			row{method: post, path: "/admin/links/check", role: operator, handler: s.checkMail, nav: "Links", asks: true, body: maxMail})
	}
	return rows
}
