package handlers

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// Errors of inflate.
var (
	errEncoding    = errors.New("only gzip and identity are accepted as content encodings")
	errBadGzip     = errors.New("the body is not valid gzip")
	errInflatedBig = errors.New("the body is too large after inflation")
)

// A compressed body may grow by this factor. Real event arrays reach about 30.
const (
	maxRatio     = 100
	ratioMinimum = 64 << 10 // below this size the factor does not matter
)

var gzipReaders sync.Pool

// inflate undoes the content encodings of a body, given as the values of the
// Content-Encoding header. It never holds more than limit bytes.
func inflate(body []byte, encodings []string, limit int) ([]byte, error) {
	coded := false
	for _, line := range encodings {
		for name := range strings.SplitSeq(line, ",") {
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "", "identity":
			case "gzip", "x-gzip":
				if coded {
					return nil, errEncoding // twice: nobody sends that honestly
				}
				coded = true
			default:
				return nil, errEncoding
			}
		}
	}
	if !coded {
		return body, nil
	}
	limit = min(limit, max(ratioMinimum, maxRatio*len(body)))
	return gunzip(body, limit)
}

// plain reports whether a body is what it seems.
func plain(encodings [][]byte) bool {
	for _, e := range encodings {
		if name := string(bytes.TrimSpace(e)); name != "" && !strings.EqualFold(name, "identity") {
			return false
		}
	}
	return true
}

func gunzip(body []byte, limit int) ([]byte, error) {
	r, _ := gzipReaders.Get().(*gzip.Reader)
	var err error
	if r == nil {
		r, err = gzip.NewReader(bytes.NewReader(body))
	} else {
		err = r.Reset(bytes.NewReader(body))
	}
	if err != nil {
		return nil, errBadGzip
	}
	defer gzipReaders.Put(r)
	var out bytes.Buffer
	out.Grow(min(limit, 4*len(body)) + bytes.MinRead)
	n, err := out.ReadFrom(io.LimitReader(r, int64(limit)+1))
	if n > int64(limit) {
		return nil, errInflatedBig
	}
	if err != nil {
		return nil, errBadGzip
	}
	return out.Bytes(), nil
}
