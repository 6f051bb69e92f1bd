package mariadbd

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// KeepPort finds a port of 127.0.0.1 that nobody listens on, and keeps it until
// it is closed: nobody else is given it, and yet a server that sets SO_REUSEADDR,
// as mariadbd and Go do, may listen on it, end, and listen again. Tests open many
// ports at once, so one that is only looked up is soon another's. Where the
// system does not allow that, nothing is kept.
func KeepPort() (port int, kept io.Closer, err error) {
	syscall.ForkLock.RLock() // no child inherits it
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, fmt.Errorf("find a port: %w", err)
	}
	f := os.NewFile(uintptr(fd), "port") //nolint:gosec // a descriptor is small
	if port, err = bind(fd); err != nil {
		_ = f.Close()
		return 0, nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", fmt.Sprint("127.0.0.1:", port))
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		_ = f.Close()
	}
	return port, f, nil
}

// FreePort finds a port of 127.0.0.1 that nobody listens on just now.
func FreePort() (int, error) {
	port, kept, err := KeepPort()
	if err != nil {
		return 0, err
	}
	_ = kept.Close()
	return port, nil
}

func bind(fd int) (port int, err error) {
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	a, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	in, ok := a.(*syscall.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("find a port: %T is no address of IPv4", a)
	}
	return in.Port, nil
}
