package admin

import (
	"errors"
	"time"
)

// OIDC says which identity provider people may sign in by.
type OIDC struct{}

type relyingParty struct{}

func newRelyingParty(OIDC, string, func() time.Time) (*relyingParty, error) {
	return nil, errors.New("admin: no identity provider yet")
}
