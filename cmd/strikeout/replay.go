package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/store"
)

type replayCmd struct {
	Endpoint string `placeholder:"NAME" help:"Only the requests of this endpoint."`
	Reason   string `placeholder:"REASON" help:"Only unreadable, no_recipient, bad_recipient or refused_row."`
	DryRun   bool   `help:"List them and change nothing."`
}

func (replayCmd) Help() string {
	return `Quarantine holds requests that were authentic and could not be understood. After a fix, an upgrade or a change of the
configuration they can be read again, as of the time when they came. Exit code 1: some still cannot be read.

    strikeout replay --dry-run
    strikeout replay --endpoint postmark`
}

func (cmd *replayCmd) Run(e *env) error {
	if cmd.Reason != "" && !contains(providers.Reasons(), cmd.Reason) {
		return usage("--reason: expected one of %s", strings.Join(providers.Reasons(), ", "))
	}
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	a, err := e.newApp(c, e.logger(c))
	if err != nil {
		return err
	}
	defer a.db.Close() //nolint:errcheck // nothing waits in it
	list, err := cmd.list(e, a.db)
	if err != nil {
		return err
	}
	done, left := 0, 0
	for _, h := range list {
		e.printf("%d  %s  %s (%s)  %s: %s\n", h.ID, h.ReceivedAt.UTC().Format(time.RFC3339), h.Endpoint, h.Provider, h.Reason, h.Detail)
		if cmd.DryRun {
			continue
		}
		ok, err := e.replay(a, h.ID)
		switch {
		case err != nil:
			return err
		case ok:
			done++
		default:
			left++
		}
	}
	if cmd.DryRun {
		e.printf("%d requests in quarantine\n", len(list))
		return nil
	}
	e.printf("%d requests: %d understood and gone from quarantine, %d stay\n", len(list), done, left)
	if left > 0 {
		return errNo
	}
	return nil
}

// list returns all of them, without their bodies, before any is touched.
func (cmd *replayCmd) list(e *env, db *store.DB) ([]store.Held, error) {
	var out []store.Held
	q := store.QuarantineQuery{Endpoint: cmd.Endpoint, Reason: cmd.Reason}
	for {
		page, err := db.Quarantined(e.ctx, q)
		if err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		if len(page) == 0 {
			return out, nil
		}
		out = append(out, page...)
		q.After = page[len(page)-1].ID
	}
}

// replay reads one request again. What was understood leaves quarantine.
func (e *env) replay(a *app, id int64) (bool, error) {
	res, err := a.server.ReplayHeld(e.ctx, id, store.By{Actor: store.CommandLine})
	switch {
	case errors.Is(err, admin.ErrNoEndpoint), errors.Is(err, store.ErrNotFound):
		e.printf("    not read: %v\n", err)
		return false, nil
	case err != nil:
		return false, fmt.Errorf("replay: %w", err)
	}
	e.printf("    %d events stored, %d known already", res.Stored, res.Duplicates)
	if res.Understood {
		e.printf(", understood\n")
		return true, nil
	}
	e.printf(", still: %s\n", res.Detail)
	return false, nil
}
