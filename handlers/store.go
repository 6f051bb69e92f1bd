package handlers

import (
	"context"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

// Store is what the handlers need of the database. *store.DB has it; tests
// bring their own. Every error but the named ones means "not now".
type Store interface {
	LinkStore
	DeskStore
	port.Store

	Ping(ctx context.Context) error
	Pending(ctx context.Context) (int, error)

	Record(ctx context.Context, events []recipient.Event) (store.Recorded, error)
	Quarantine(ctx context.Context, h store.Held) error
	QuarantineCounts(ctx context.Context) (map[string]int, error)

	Act(ctx context.Context, a store.Act) (store.Outcome, error)
	Click(ctx context.Context, c store.Click) (store.Outcome, error)
	Undo(ctx context.Context, c store.Click, within time.Duration) (store.Outcome, error)
	CanUndo(ctx context.Context, c store.Click, s recipient.State, within time.Duration) (bool, error)
	Person(ctx context.Context, c recipient.Channel, key recipient.Key) (store.Person, error)
	AddRequest(ctx context.Context, r store.PersonRequest) error

	Recipient(ctx context.Context, key recipient.Key) (store.Recipient, error)
	History(ctx context.Context, key recipient.Key, limit int, before string) ([]store.StoredEvent, string, error)
	CheckStates(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error)
	States(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error)

	Feed(ctx context.Context, after int64, limit int) ([]store.StoredEvent, error)
	Erase(ctx context.Context, key recipient.Key, by store.By) error
	Flagged(ctx context.Context, f store.Flag, limit int, after string) ([]store.Recipient, string, error)

	PutContact(ctx context.Context, c store.Contact, o store.PutOptions) (store.Contact, bool, error)
	Contact(ctx context.Context, externalID string) (store.Contact, error)
	Contacts(ctx context.Context, q store.ContactQuery) ([]store.Contact, string, error)
	EraseContact(ctx context.Context, id int64, by store.By) error
	ContactsOf(ctx context.Context, key recipient.Key) ([]store.Contact, error)

	Audit(ctx context.Context, e store.AuditEntry) error
	APIKeys(ctx context.Context) ([]store.APIKey, error)
	TouchAPIKey(ctx context.Context, name string, at time.Time) error
	Meta(ctx context.Context, name string) (string, bool, error)
	SetMeta(ctx context.Context, name, value string) error
}

// DeskStore is what the quarantine, the requests from broken links, the
// counters and the brake need.
type DeskStore interface {
	Quarantined(ctx context.Context, q store.QuarantineQuery) ([]store.Held, error)
	Held(ctx context.Context, id int64) (store.Held, error)
	DropHeld(ctx context.Context, id int64, by store.By) error
	UpdateHeld(ctx context.Context, h store.Held, by store.By) error
	DiscardHeld(ctx context.Context, id int64, reason string, by store.By) error

	Requests(ctx context.Context, q store.RequestQuery) ([]store.PersonRequest, error)
	FulfilRequest(ctx context.Context, id int64, reason string, source recipient.Source, by store.By) (store.Outcome, error)
	DiscardRequest(ctx context.Context, id int64, reason string, by store.By) error

	RollUp(ctx context.Context) (n int, more bool, err error)
	CountTraffic(ctx context.Context, traffic []store.Traffic, rejections []store.Rejection) error
	HealthOf(ctx context.Context, names []string) ([]store.Health, error)
	Days(ctx context.Context, from, to time.Time) ([]store.DayCount, error)
	Reasons(ctx context.Context, from, to time.Time, kind recipient.Kind, endpoint string, limit int) ([]store.Count, error)
	Domains(ctx context.Context, from, to time.Time, kind recipient.Kind, limit int) ([]store.Count, error)

	Brake(ctx context.Context) ([]store.Incident, error)
	Incidents(ctx context.Context, limit int) ([]store.Incident, error)
	PreviewUnblock(ctx context.Context, s store.Scope) (store.Freed, error)
	UnblockIncident(ctx context.Context, s store.Scope, source recipient.Source, reason string, by store.By) (store.Freed, error)
}
