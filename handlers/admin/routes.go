package admin

import (
	"slices"
	"strings"

	"github.com/strikeout/strikeout/store"
)

// row is one line of the table from which everything follows: what Fiber
// serves, who may use it, and what the audit log calls it.
type row struct {
	method  string
	path    string     // "/admin/users/{id}"
	role    store.Role // the least that may use it; empty: anybody, signed in or not
	handler func(*Ctx) error
	// audit is the action under which the store writes the change down. Every
	// row that is no GET has one, but those that only ask.
	audit string
	// asks: a POST that changes nothing and keeps what it asks for out of the URL.
	asks bool
	// nav is the entry of the navigation that this page belongs to.
	nav string
	// body is the most bytes of an upload; 0: those of a form.
	body int
	// slow pages (exports) are not cut off by the timeout.
	slow bool
}

// Shorthands for tables.
const (
	get      = "GET"
	post     = "POST"
	anybody  = store.Role("")
	viewer   = store.RoleViewer
	operator = store.RoleOperator
	admin    = store.RoleAdmin
)

func (s *Server) routeTable() []*row {
	rows := slices.Concat(s.accessRoutes(), s.contactRoutes(), s.deskRoutes(), s.queueRoutes(), s.portRoutes())
	table := make([]*row, len(rows))
	for i := range rows {
		table[i] = &rows[i]
	}
	return table
}

// accessRoutes are about who may use the desk.
func (s *Server) accessRoutes() []row {
	return []row{
		{method: get, path: "/admin/assets/{name}", role: anybody, handler: s.asset},
		{method: get, path: "/admin/login", role: anybody, handler: s.showLogin},
		{method: post, path: "/admin/login", role: anybody, handler: s.login, audit: "login"},
		{method: post, path: "/admin/logout", role: anybody, handler: s.logout, audit: "logout"},
		{method: get, path: "/admin/oidc/start", role: anybody, handler: s.startOIDC},
		{method: get, path: "/admin/oidc/callback", role: anybody, handler: s.endOIDC},
		{method: get, path: "/admin/start/{token}", role: anybody, handler: s.showStart},
		{method: post, path: "/admin/start/{token}", role: anybody, handler: s.start, audit: "user.password"},

		{method: get, path: "/admin/account", role: viewer, handler: s.showAccount},
		{method: post, path: "/admin/account/password", role: viewer, handler: s.changePassword, audit: "user.password"},
		{method: post, path: "/admin/account/sessions/{session}/end", role: viewer, handler: s.endOwnSession, audit: "session.end"},

		{method: get, path: "/admin/users", role: admin, handler: s.showUsers, nav: "Users"},
		{method: post, path: "/admin/users", role: admin, handler: s.addUser, nav: "Users", audit: "user.add"},
		{method: get, path: "/admin/users/{id}", role: admin, handler: s.showUser, nav: "Users"},
		{method: post, path: "/admin/users/{id}/link", role: admin, handler: s.newUserLink, nav: "Users", audit: "user.invite"},
		{method: post, path: "/admin/users/{id}/role", role: admin, handler: s.setRole, nav: "Users", audit: "user.role"},
		{method: post, path: "/admin/users/{id}/disable", role: admin, handler: s.disableUser, nav: "Users", audit: "user.disable"},
		{method: post, path: "/admin/users/{id}/enable", role: admin, handler: s.enableUser, nav: "Users", audit: "user.enable"},
		{method: post, path: "/admin/users/{id}/sessions/{session}/end", role: admin, handler: s.endUserSession, nav: "Users", audit: "session.end"},

		{method: get, path: "/admin/keys", role: admin, handler: s.showKeys, nav: "API keys"},
		{method: post, path: "/admin/keys", role: admin, handler: s.addKey, nav: "API keys", audit: "key.add"},
		{method: post, path: "/admin/keys/revoke", role: admin, handler: s.revokeKey, nav: "API keys", audit: "key.revoke"},

		{method: get, path: "/admin/audit", role: admin, handler: s.showAudit, nav: "Audit log"},
		{method: get, path: "/admin/audit.csv", role: admin, handler: s.auditCSV, slow: true},
		{method: get, path: "/admin/audit.ndjson", role: admin, handler: s.auditNDJSON, slow: true},
	}
}

// fiberPath writes the path as Fiber wants it.
func (r *row) fiberPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.path)
}

// matches reports whether a request's path is this row's.
func (r *row) matches(path string) bool {
	p, q := strings.Split(r.path, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
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

// entry is a link of the navigation.
type entry struct {
	name, path string
	role       store.Role
}

// navigation is what the pages' head offers, in this order. A row's nav is the
// name of an entry.
var navigation = []entry{
	{"Dashboard", "/admin", viewer},
	{"Contacts", "/admin/contacts", viewer},
	{"Requests", "/admin/requests", viewer},
	{"Quarantine", "/admin/quarantine", viewer},
	{"Links", "/admin/links", operator},
	{"Imports", "/admin/imports", operator},
	{"Exports", "/admin/exports", admin},
	{"Users", "/admin/users", admin},
	{"API keys", "/admin/keys", admin},
	{"Audit log", "/admin/audit", admin},
}
