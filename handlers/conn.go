package handlers

import (
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

type lingerListener struct{ net.Listener }

func (l lingerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // the server compares accept errors
	}
	return &lingerConn{Conn: c}, nil
}

type lingerConn struct {
	net.Conn
	unread atomic.Bool // set when the answer went out before the request was read
}

func (c *lingerConn) Close() error {
	if c.unread.Load() {
		if w, ok := c.Conn.(interface{ CloseWrite() error }); ok && w.CloseWrite() == nil {
			_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))          //nolint:errcheck // closing either way
			_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes)) //nolint:errcheck // closing either way
		}
	}
	return c.Conn.Close() //nolint:wrapcheck // a transparent wrapper
}

// linger marks the connection of a request that was refused unread.
func linger(c *fiber.Ctx) {
	if lc, ok := c.Context().Conn().(*lingerConn); ok {
		lc.unread.Store(true)
	}
}
