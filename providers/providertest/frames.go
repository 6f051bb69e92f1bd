package providertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
)

// Frame is a body around one of the arrays in it.
type Frame struct {
	Path  string            // of the array
	Items []json.RawMessage // that are in it
	With  func(items []json.RawMessage) []byte
}

// Frames finds the arrays of a body that is JSON, or a form with JSON in its
// fields. An array within an array's only item counts as one of its own.
func Frames(body []byte) []Frame {
	if json.Valid(body) {
		return framesOf("", body, func(v []byte) []byte { return v })
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	var all []Frame
	for _, field := range slices.Sorted(maps.Keys(form)) {
		all = append(all, framesOf(field+"=", []byte(form.Get(field)), func(v []byte) []byte {
			f := maps.Clone(form)
			f.Set(field, string(v))
			return []byte(f.Encode())
		})...)
	}
	return all
}

func framesOf(path string, v []byte, whole func([]byte) []byte) (all []Frame) {
	switch v = bytes.TrimSpace(v); {
	case bytes.HasPrefix(v, []byte("[")):
		var items []json.RawMessage
		if json.Unmarshal(v, &items) != nil {
			return nil
		}
		path += "[]"
		all = append(all, Frame{path, items, func(items []json.RawMessage) []byte { return whole(join(items)) }})
		if len(items) == 1 {
			all = append(all, framesOf(path, items[0], func(v []byte) []byte { return whole(join([]json.RawMessage{v})) })...)
		}
	case bytes.HasPrefix(v, []byte("{")):
		var members map[string]json.RawMessage
		if json.Unmarshal(v, &members) != nil {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			all = append(all, framesOf(path+"."+name, members[name], func(v []byte) []byte {
				m := maps.Clone(members)
				m[name] = v
				b, err := json.Marshal(m)
				if err != nil {
					return nil
				}
				return whole(b)
			})...)
		}
	}
	return all
}

func join(items []json.RawMessage) []byte {
	b := []byte{'['}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, ']')
}
