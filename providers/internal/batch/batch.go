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
	c := collector{provider: provider, size: len(array)}
	err = wire.Each(array, func(raw wire.Raw, item *T) {
		c.begin(raw)
		read(c.b, c.n, item)
		c.end(raw)
	})
	switch {
	case err != nil && field == "":
		return nil, nil, providers.Malformed(provider, "body", providers.ErrNotJSON)
	case err != nil:
		return nil, nil, providers.Malformed(provider, field, providers.ErrNotJSON)
	}
	b, bad = c.done()
	return b, bad, nil
}

// At is Array for the array under a name of an object, in one pass. It is not ok
// where anything in the body is not plain, or no such array is there: then the
// body is to be read in steps.
func At[T any](provider string, body []byte, name string, read func(*providers.Batch, *T)) (b *providers.Batch, bad []byte, ok bool) {
	c := collector{provider: provider, size: len(body)}
	ok = wire.EachAt(body, func(raw wire.Raw, item *T) {
		c.begin(raw)
		read(c.b, item)
		c.end(raw)
	}, name)
	if !ok {
		return nil, nil, false
	}
	b, bad = c.done()
	return b, bad, true
}

// Items is Array for items that have been found already.
func Items[T any](provider, field string, items []wire.Raw, read func(*providers.Batch, *T)) (b *providers.Batch, bad []byte) {
	c := collector{provider: provider}
	c.b = providers.NewBatch(provider, len(items))
	for _, raw := range items {
		c.begin(raw)
		var item T
		if wire.Decode(raw, &item) != nil {
			c.b.Reject(providers.Malformed(provider, field, providers.ErrNotJSON))
		} else {
			read(c.b, &item)
		}
		c.end(raw)
	}
	return c.done()
}

// collector notes which items could not be read.
type collector struct {
	provider string
	size     int // of what holds the items
	b        *providers.Batch
	rejected []wire.Raw
	n        int // of the items
	before   int // how many had been rejected before this one
}

func (c *collector) begin(raw wire.Raw) {
	if c.b == nil { // room for as many as there are, if all are as long as the first
		c.b = providers.NewBatch(c.provider, max(1, c.size/(len(raw)+1)))
	}
	c.before = c.b.Rejected()
}

func (c *collector) end(raw wire.Raw) {
	if c.b.Rejected() > c.before {
		c.rejected = append(c.rejected, raw)
	}
	c.n++
}

// done returns the batch and those of its items to keep.
func (c *collector) done() (b *providers.Batch, bad []byte) {
	if c.b == nil {
		c.b = providers.NewBatch(c.provider, 0)
	}
	if len(c.rejected) > 0 && len(c.rejected) < c.n {
		bad = wire.Join(c.rejected)
	}
	return c.b, bad
}
