// Package batch reads arrays of reports item by item, so that one that cannot
// be read costs none of the others.
package batch

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// JSON reads a body that is an array of T, or one T, and returns what Parse
// returns. Of an array it keeps only the items that could not be read.
func JSON[T any](provider string, body []byte, read func(*providers.Batch, *T)) ([]recipient.Event, error) {
	return Done(Array(provider, "[]", body, read))
}

// Done returns what Parse returns, of what Array or Indexed returned.
func Done(b *providers.Batch, bad []byte, err error) ([]recipient.Event, error) {
	if err != nil {
		return nil, err
	}
	if bad != nil {
		b.Keep(bad)
	}
	return b.Done()
}

// Array reads an array of T, or one T, which field names in errors ("events[]").
// An item is good until read returns. Bad is an array of those that could not be
// read; nil where that is none, or all. The error is that of Parse.
func Array[T any](provider, field string, array []byte, read func(*providers.Batch, *T)) (b *providers.Batch, bad []byte, err error) {
	return Indexed(provider, strings.TrimSuffix(field, "[]"), array, func(b *providers.Batch, _ int, item *T) {
		if item == nil {
			b.Reject(providers.Malformed(provider, field, providers.ErrNotJSON))
			return
		}
		read(b, item)
	})
}

// Indexed is Array where errors name the index of an item. An item that is no T
// is nil, and for read to reject. Field is that of the array; "": it is the body.
func Indexed[T any](provider, field string, array []byte, read func(b *providers.Batch, i int, item *T)) (b *providers.Batch, bad []byte, err error) {
	var rejected []wire.Raw
	n := 0
	err = wire.Each(array, func(raw wire.Raw, item *T) {
		if b == nil { // room for as many as there are, if all are as long as the first
			b = providers.NewBatch(provider, max(1, len(array)/(len(raw)+1)))
		}
		before := b.Rejected()
		if read(b, n, item); b.Rejected() > before {
			rejected = append(rejected, raw)
		}
		n++
	})
	switch {
	case err != nil && field == "":
		return nil, nil, providers.Malformed(provider, "body", providers.ErrNotJSON)
	case err != nil:
		return nil, nil, providers.Malformed(provider, field, providers.ErrNotJSON)
	case b == nil:
		b = providers.NewBatch(provider, 0)
	}
	if len(rejected) > 0 && len(rejected) < n {
		bad = wire.Join(rejected)
	}
	return b, bad, nil
}

// Items is Array for items that have been found already.
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
