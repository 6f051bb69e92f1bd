// Package handlers is Strikeout's HTTP side: the webhooks of providers, the
// unsubscribe pages of recipients, the JSON API of other systems, and what
// operators look at. It is the only package that knows Fiber.
//
// The rules that hold everywhere:
//
//   - Nothing of a request outlives its handler: Fiber reuses the memory behind
//     every string and slice, so a kept one would turn into the next request's.
//     Requests are copied once, at the edge, and bodies are read raw.
//   - GET and HEAD change nothing. A webhook is answered 2xx only after the
//     commit.
//   - Handlers return errors; errors.go turns them into answers. Problems follow
//     RFC 9457, one-click unsubscribe RFC 8058.
//   - Logs, metrics and problems name the route pattern, never the path: paths
//     carry secrets, tokens and addresses.
package handlers
