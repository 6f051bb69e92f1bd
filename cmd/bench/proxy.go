package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// distant passes bytes to a server and back as a longer way would: each arrives
// half a round trip later, and none waits for another.
type distant struct {
	net.Listener
	target string
	half   time.Duration
	mu     sync.Mutex
	open   map[net.Conn]bool
}

func newDistant(ctx context.Context, target string, roundTrip time.Duration) (*distant, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", anyPort)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &distant{Listener: l, target: target, half: roundTrip / 2, open: map[net.Conn]bool{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(c)
		}
	}()
	return p, nil
}

func (p *distant) close() {
	_ = p.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

func (p *distant) pass(client net.Conn) {
	server, err := net.Dial("tcp", p.target) //nolint:noctx // loopback
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	both.Go(func() { p.copy(client, server) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

type late struct {
	at   time.Time
	data []byte
}

// copy ends both ends when one of them has ended.
func (p *distant) copy(to, from net.Conn) {
	way := make(chan late, 4096)
	go func() {
		defer close(way)
		for {
			buf := make([]byte, 32<<10)
			n, err := from.Read(buf)
			if n > 0 {
				way <- late{time.Now().Add(p.half), buf[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for l := range way {
		time.Sleep(time.Until(l.at))
		if _, err := to.Write(l.data); err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
	for range way { // its sender must not wait for ever
	}
}
