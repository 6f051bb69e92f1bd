package handlers

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// errAdapterPanic marks a panic in an adapter. The report it was about is not
// lost for it: an authentic one is kept, any other has to come again.
var errAdapterPanic = errors.New("the adapter panicked")

// rescue turns a panic into an error without its value, which may quote the
// request; runtime errors do not.
func rescue(provider string, err *error) {
	v := recover()
	if v == nil {
		return
	}
	cause := errAdapterPanic
	if e, ok := v.(runtime.Error); ok {
		cause = fmt.Errorf("%w: %s", errAdapterPanic, e.Error())
	}
	*err = &providers.ParseError{Provider: provider, Field: "request", Err: cause}
}

func handshake(ctx context.Context, ep *endpoint, r *providers.Request) (reply *providers.Reply, err error) {
	h, ok := ep.Adapter.(providers.Handshaker)
	if !ok {
		return nil, nil
	}
	defer rescue(ep.Info.Name, &err)
	return h.Handshake(ctx, r)
}

func verify(ctx context.Context, ep *endpoint, r *providers.Request) (err error) {
	defer rescue(ep.Info.Name, &err)
	return ep.Adapter.Verify(ctx, r)
}

func parse(ep *endpoint, r *providers.Request) (events []recipient.Event, err error) {
	defer rescue(ep.Info.Name, &err)
	return ep.Adapter.Parse(r)
}

func (s *Server) adapterPanicked(ep *endpoint, err error) {
	s.metrics.panics.WithLabelValues(ep.Name).Inc()
	s.log.Error("panic", "endpoint", ep.Name, "provider", ep.Info.Name, "err", err)
}
