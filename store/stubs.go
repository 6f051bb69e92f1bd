package store

import (
	"context"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

func (db *DB) AddRequest(ctx context.Context, r PersonRequest) error { return ErrUnavailable }
func (db *DB) Requests(ctx context.Context, q RequestQuery) ([]PersonRequest, error) {
	return nil, ErrUnavailable
}
func (db *DB) ResolveRequest(ctx context.Context, id int64, actor, how string) error {
	return ErrUnavailable
}
func (db *DB) PutContact(ctx context.Context, c Contact, o PutOptions) (Contact, bool, error) {
	return Contact{}, false, ErrUnavailable
}
func (db *DB) Contact(ctx context.Context, externalID string) (Contact, error) {
	return Contact{}, ErrUnavailable
}
func (db *DB) Contacts(ctx context.Context, q ContactQuery) ([]Contact, string, error) {
	return nil, "", ErrUnavailable
}
func (db *DB) ContactsOf(ctx context.Context, key recipient.Key) ([]Contact, error) {
	return nil, ErrUnavailable
}
func (db *DB) APIKeys(ctx context.Context) ([]APIKey, error)       { return nil, ErrUnavailable }
func (db *DB) AddAPIKey(ctx context.Context, k APIKey) error       { return ErrUnavailable }
func (db *DB) RevokeAPIKey(ctx context.Context, name string) error { return ErrUnavailable }
func (db *DB) Quarantine(ctx context.Context, h Held) error        { return ErrUnavailable }
func (db *DB) QuarantineCounts(ctx context.Context) (map[string]int, error) {
	return nil, ErrUnavailable
}
func (db *DB) Quarantined(ctx context.Context, q QuarantineQuery) ([]Held, error) {
	return nil, ErrUnavailable
}
func (db *DB) Held(ctx context.Context, id int64) (Held, error) { return Held{}, ErrUnavailable }
func (db *DB) DropHeld(ctx context.Context, id int64) error     { return ErrUnavailable }
func (db *DB) UpdateHeld(ctx context.Context, h Held) error     { return ErrUnavailable }
func (db *DB) Retain(ctx context.Context, keep map[recipient.Kind]time.Duration) (int, error) {
	return 0, ErrUnavailable
}
func (db *DB) Settings(ctx context.Context) (map[string]string, error) { return nil, ErrUnavailable }
func (db *DB) Erase(ctx context.Context, key recipient.Key, actor string) error {
	return ErrUnavailable
}
