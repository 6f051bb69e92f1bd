package handlers

import (
	"context"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// quiet has nothing for the desk and notes only what is counted. Tests of the
// desk's routes bring a real store.
type quiet struct {
	traffic    []store.Traffic
	rejections []store.Rejection
}

func (f *fakeStore) CountTraffic(_ context.Context, t []store.Traffic, r []store.Rejection) error {
	unlock, err := f.lock()
	defer unlock()
	if err == nil {
		f.traffic, f.rejections = append(f.traffic, t...), append(f.rejections, r...)
	}
	return err
}

func (f *fakeStore) HealthOf(_ context.Context, names []string) ([]store.Health, error) {
	unlock, err := f.lock()
	defer unlock()
	out := make([]store.Health, len(names))
	for i, n := range names {
		out[i].Endpoint = n
	}
	return out, err
}

func (*quiet) Quarantined(context.Context, store.QuarantineQuery) ([]store.Held, error) {
	return nil, nil
}
func (*quiet) Held(context.Context, int64) (store.Held, error) {
	return store.Held{}, store.ErrNotFound
}
func (*quiet) DropHeld(context.Context, int64, store.By) error            { return store.ErrNotFound }
func (*quiet) UpdateHeld(context.Context, store.Held, store.By) error     { return store.ErrNotFound }
func (*quiet) DiscardHeld(context.Context, int64, string, store.By) error { return store.ErrNotFound }
func (*quiet) Requests(context.Context, store.RequestQuery) ([]store.PersonRequest, error) {
	return nil, nil
}
func (*quiet) FulfilRequest(context.Context, int64, string, recipient.Source, store.By) (store.Outcome, error) {
	return store.Outcome{}, store.ErrNotFound
}
func (*quiet) DiscardRequest(context.Context, int64, string, store.By) error {
	return store.ErrNotFound
}
func (*quiet) RollUp(context.Context) (int, bool, error) { return 0, false, nil }
func (*quiet) Days(context.Context, time.Time, time.Time) ([]store.DayCount, error) {
	return nil, nil
}
func (*quiet) Reasons(context.Context, time.Time, time.Time, recipient.Kind, string, int) ([]store.Count, error) {
	return nil, nil
}
func (*quiet) Domains(context.Context, time.Time, time.Time, recipient.Kind, int) ([]store.Count, error) {
	return nil, nil
}
func (*quiet) Brake(context.Context) ([]store.Incident, error)          { return nil, nil }
func (*quiet) Incidents(context.Context, int) ([]store.Incident, error) { return nil, nil }
func (*quiet) PreviewUnblock(context.Context, store.Scope) (store.Freed, error) {
	return store.Freed{}, nil
}
func (*quiet) UnblockIncident(context.Context, store.Scope, recipient.Source, string, store.By) (store.Freed, error) {
	return store.Freed{}, nil
}
