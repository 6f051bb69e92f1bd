package mariadbd

import (
	"fmt"
	"net"
	"testing"
)

// A kept port can be listened on, again and again.
func TestKeepPort(t *testing.T) {
	port, kept, err := KeepPort()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close() //nolint:errcheck // nothing was written
	other, kept2, err := KeepPort()
	if err != nil {
		t.Fatal(err)
	}
	defer kept2.Close() //nolint:errcheck // nothing was written
	if other == port {
		t.Errorf("both ports are %d", port)
	}
	for range 2 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
		_ = c.Close()
		t.Error("nobody listens, and somebody answers")
	}
}
