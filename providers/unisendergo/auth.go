package unisendergo

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // the provider's scheme
	"crypto/subtle"
	"encoding/hex"
	"io"

	"github.com/strikeout/strikeout/providers/internal/wire"
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

// authentic reports whether "auth" is the MD5 of the body in which the key
// stands in its place.
func authentic(body []byte, keys [][]byte) bool {
	start, end, ok := wire.Member(body, "auth")
	if !ok || body[start] != '"' {
		return false
	}
	start, end = start+1, end-1 // without the quotes
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
