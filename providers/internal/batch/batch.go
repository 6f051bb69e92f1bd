// Package batch reads arrays of reports item by item, so that one that cannot
// be read costs none of the others.
package batch

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// JSON reads a body that is an array of T, or one T, and returns what Parse
// returns. Of an array it keeps only the items that could not be read.
func JSON[T any](provider string, body []byte, read func(*providers.Batch, *T)) ([]recipient.Event, error) {
	items, err := wire.Array(body)
	if err != nil {
		return nil, providers.Malformed(provider, "body", providers.ErrNotJSON)
	}
	b, bad := Items(provider, "[]", items, read)
	if bad != nil {
		b.Keep(bad)
	}
	return b.Done()
}

// Items reads the items of an array, which field names in errors. Bad is an array
// of those that could not be read; nil where that is none, or all.
func Items[T any](provider, field string, items []wire.Raw, read func(*providers.Batch, *T)) (b *providers.Batch, bad []byte) {
	b = providers.NewBatch(provider, len(items))
	var rejected []wire.Raw
	for _, raw := range items {
		before := b.Rejected()
		var item T
		if wire.Decode(raw, &item) != nil {
			b.Reject(providers.Malformed(provider, field, providers.ErrNotJSON))
		} else {
			read(b, &item)
		}
		if b.Rejected() > before {
			rejected = append(rejected, raw)
		}
	}
	if len(rejected) > 0 && len(rejected) < len(items) {
		bad = wire.Join(rejected)
	}
	return b, bad
}
