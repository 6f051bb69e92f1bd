package handlers

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// A refusal sent while the client still uploads is easily lost: closing a
// socket with unread data resets it, and the reset overtakes the answer. So
// such a connection stops sending first, and swallows a little of the rest.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 8 << 20
)

// Bodies are read into memory, and strangers can send as many as they like. So
// all requests together may hold only so much until they are answered. When the
// others hold that, a request that is larger than this is told to come again;
// smaller ones pass, so that a flood of large ones does not shut them out.
const smallRequest = 64 << 10

var errFlooded = errors.New("too many large requests at once")

type lingerListener struct {
	net.Listener
	held  *atomic.Int64 // bytes of requests that are not answered yet
	limit int64
}

func (s *Server) lingering(ln net.Listener) net.Listener {
	return lingerListener{ln, &s.unanswered, int64(s.cfg.Limits.Unanswered)}
}

func (l lingerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // the server compares accept errors
	}
	return &lingerConn{Conn: c, all: l.held, limit: l.limit}, nil
}

type lingerConn struct {
	net.Conn
	unread  atomic.Bool // set when the answer went out before the request was read
	flooded atomic.Bool // reading stopped because of errFlooded

	all   *atomic.Int64
	limit int64
	held  atomic.Int64
}

func (c *lingerConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	mine, all := c.held.Add(int64(n)), c.all.Add(int64(n))
	if mine > smallRequest && all-mine > c.limit {
		c.flooded.Store(true)
		return 0, errFlooded // with bytes beside it the error would be overlooked
	}
	return n, err //nolint:wrapcheck // a transparent wrapper
}

// Write answers: what was read before is not held any more.
func (c *lingerConn) Write(p []byte) (int, error) {
	c.release()
	return c.Conn.Write(p) //nolint:wrapcheck // a transparent wrapper
}

func (c *lingerConn) release() { c.all.Add(-c.held.Swap(0)) }

func (c *lingerConn) Close() error {
	c.release()
	if c.unread.Load() {
		if w, ok := c.Conn.(interface{ CloseWrite() error }); ok && w.CloseWrite() == nil {
			_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))          //nolint:errcheck // closing either way
			_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes)) //nolint:errcheck // closing either way
		}
	}
	return c.Conn.Close() //nolint:wrapcheck // a transparent wrapper
}

// flooded reports whether the request was not read because of all the others.
func flooded(c *fiber.Ctx) bool {
	lc, ok := c.Context().Conn().(*lingerConn)
	return ok && lc.flooded.Load()
}

// linger marks the connection of a request that was refused unread.
func linger(c *fiber.Ctx) {
	if lc, ok := c.Context().Conn().(*lingerConn); ok {
		lc.unread.Store(true)
	}
}
