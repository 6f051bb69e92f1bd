package sms

import (
	"context"

	"github.com/strikeout/strikeout/providers"
)

// Unsigned is embedded by the adapters of providers that sign nothing: the
// endpoint's path secret or Basic credentials are checked before.
type Unsigned struct{}

// Verify accepts every request that the endpoint's guard let through.
func (Unsigned) Verify(context.Context, *providers.Request) error { return nil }

// Silent is embedded by the adapters of providers that send the body of our
// answer back to the person as a text.
type Silent struct{}

// Reply is a 200 without a body.
func (Silent) Reply(*providers.Request) *providers.Reply { return &providers.Reply{} }

// GuardStep is the first setup step of every provider that signs nothing.
const GuardStep = "Give this endpoint a path_secret of at least 20 random characters, and basic_auth on top if you like: the provider signs nothing, the address is the secret."
