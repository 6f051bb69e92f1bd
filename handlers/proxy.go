package handlers

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// client returns the address of whoever sent the request. X-Forwarded-For is
// believed only as far as trusted proxies wrote it: the walk goes from right to
// left and stops at the first address that is no trusted proxy. Everything
// further left was written by the client and may be forged.
func (s *Server) client(c *fiber.Ctx) netip.Addr {
	peer := peerOf(c)
	if !s.trusted(peer) {
		return peer
	}
	return walk(peer, forwardedFor(c), s.trusted)
}

// local reports whether the request comes from this machine. A local proxy
// that is not trusted makes every client look local, so a request that a proxy
// has touched counts as local only when the proxy is trusted.
func (s *Server) local(c *fiber.Ctx) bool {
	if !s.client(c).IsLoopback() {
		return false
	}
	if s.trusted(peerOf(c)) {
		return true
	}
	for _, h := range []string{fiber.HeaderXForwardedFor, fiber.HeaderForwarded, "X-Real-Ip", fiber.HeaderVia} {
		if len(c.Request().Header.Peek(h)) > 0 {
			return false
		}
	}
	return true
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func walk(peer netip.Addr, hops []string, trusted func(netip.Addr) bool) netip.Addr {
	at := peer
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break // unreadable: the last hop we could read is the best answer
		}
		at = hop
		if !trusted(hop) {
			break
		}
	}
	return at
}

func peerOf(c *fiber.Ctx) netip.Addr {
	a, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return a.Unmap()
}

func forwardedFor(c *fiber.Ctx) []string {
	var hops []string
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		hops = append(hops, strings.Split(string(line), ",")...)
	}
	return hops
}

// parseHop reads "192.0.2.1", "192.0.2.1:4711", "2001:db8::1" and "[2001:db8::1]:4711".
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
