package admin

import (
	"context"
	"errors"

	"github.com/strikeout/strikeout/store"
)

// Service is what the desk asks of the program that takes the webhooks.
type Service interface {
	// Endpoints lists what is configured, by name.
	Endpoints() []Endpoint
	// ReplayHeld reads a quarantined request again and keeps what is still not
	// understood. A request of an endpoint that is not configured any more is an
	// ErrNoEndpoint, a missing one store.ErrNotFound.
	ReplayHeld(ctx context.Context, id int64, by store.By) (Replayed, error)
}

// Endpoint is one that is configured.
type Endpoint struct {
	Name     string
	Provider string // its name in the catalogue
	Title    string // as people write it
}

// Replayed says what came of a request that was read again.
type Replayed struct {
	Stored, Duplicates int
	Understood         bool   // all of it; it has left quarantine
	Detail             string // what is still not understood
}

// ErrNoEndpoint says that no endpoint of this name is configured.
var ErrNoEndpoint = errors.New("no such endpoint is configured")

// Attach gives the desk what it asks. It is called before the first request.
func (s *Server) Attach(svc Service) { s.svc = svc }

// endpoints lists what is configured; nothing where no service is attached.
func (s *Server) endpoints() []Endpoint {
	if s.svc == nil {
		return nil
	}
	return s.svc.Endpoints()
}
