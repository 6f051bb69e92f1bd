package unisendergo

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // the provider's scheme
	"crypto/subtle"
	"encoding/hex"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxPlainBytes bounds a compressed body: a hundred events are some hundred kilobytes.
const maxPlainBytes = 16 << 20

// plain returns the body without gzip. The event format json_post_gzip sends
// compressed bodies, not always with a Content-Encoding.
func plain(body []byte) []byte {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body
	}
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(zr, maxPlainBytes+1))
	if err != nil || len(out) > maxPlainBytes {
		return nil
	}
	return out
}

// authAt finds the text of the member "auth" of a JSON object.
func authAt(body []byte) (start, end int, ok bool) {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowInvalidUTF8(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return 0, 0, false
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return 0, 0, false
		}
		if name.String() != "auth" {
			if d.SkipValue() != nil {
				return 0, 0, false
			}
			continue
		}
		v, err := d.ReadValue()
		if err != nil || v.Kind() != '"' {
			return 0, 0, false
		}
		end = int(d.InputOffset()) - 1 // before the closing quote
		return end - (len(v) - 2), end, true
	}
	return 0, 0, false
}

// authentic reports whether "auth" is the MD5 of the body in which the key
// stands in its place.
func authentic(body []byte, keys [][]byte) bool {
	start, end, ok := authAt(body)
	if !ok {
		return false
	}
	got, err := hex.DecodeString(string(body[start:end]))
	if err != nil || len(got) != md5.Size {
		return false
	}
	match := 0
	for _, key := range keys {
		h := md5.New()        //nolint:gosec // the provider's scheme
		h.Write(body[:start]) //nolint:errcheck // a hash never fails
		h.Write(key)          //nolint:errcheck // a hash never fails
		h.Write(body[end:])   //nolint:errcheck // a hash never fails
		match |= subtle.ConstantTimeCompare(h.Sum(nil), got)
	}
	return match == 1
}
