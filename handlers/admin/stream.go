package admin

import (
	"bufio"
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Limits of an export that is written while it is read.
const (
	streamLife  = 30 * time.Minute
	streamStall = 30 * time.Second // for the client to take what was written
)

func (s *Server) stream(c *Ctx, contentType, name, broken string, write func(ctx context.Context, w *bufio.Writer, flush func() error) error) error {
	return Stream(c.Ctx, c.Log, contentType, name, broken, write)
}

// Stream answers with a file that is written piece by piece, so that its size
// does not matter. Write is called after the handler has returned: it must not
// touch c. It calls flush after every piece. When it fails the file ends with
// broken, because a status was sent long ago.
func Stream(c *fiber.Ctx, log *slog.Logger, contentType, name, broken string, write func(ctx context.Context, w *bufio.Writer, flush func() error) error) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithTimeout(context.Background(), streamLife)
		defer cancel()
		// The server's own write timeout is meant for pages.
		flush := func() error {
			_ = conn.SetWriteDeadline(time.Now().Add(streamStall)) //nolint:errcheck // the write says more
			return w.Flush()
		}
		if err := write(ctx, w, flush); err != nil {
			log.Warn("an export ended early", "err", err)
			w.WriteString(broken) //nolint:errcheck // nobody reads any more, perhaps
		}
		_ = flush() //nolint:errcheck // nobody reads any more, perhaps
	})
	return nil
}
