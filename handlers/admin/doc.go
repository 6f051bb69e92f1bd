// Package admin is the administrators' desk: the pages under /admin. Like
// handlers, it knows Fiber.
//
// The rules that hold for every page:
//
//   - A page is a row of the table in routes.go. The row names the least role
//     that may use it; nothing is served that has no row. Tests try every row
//     that changes something as every role.
//   - Whatever changes something is a POST that comes from this site (fetch
//     metadata or Origin) and carries the session's token. GET changes nothing.
//   - A change and its line of the audit log are one transaction of the store.
//   - Pages work without JavaScript. The content security policy allows the
//     assets of this package alone, and nothing inline.
//   - What providers and recipients wrote is hostile: html/template escapes it,
//     recipient.Clean takes control characters out.
//   - Links are written {{at "/admin/..."}}, so that the desk works under a path.
package admin
