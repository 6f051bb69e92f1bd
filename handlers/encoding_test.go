package handlers

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func zipped(t testing.TB, s string) string {
	t.Helper()
	return zip(t, strings.NewReader(s))
}

// bomb is half a mebibyte that would become 512: many members in one stream,
// because compressing as much takes long under the race detector.
var bomb = sync.OnceValue(func() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, io.LimitReader(zeros{}, 4<<20)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return strings.Repeat(b.String(), 128)
})

// zippedZeros is n zero bytes, without holding them.
func zippedZeros(t testing.TB, n int64) string {
	t.Helper()
	return zip(t, io.LimitReader(zeros{}, n))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func zip(t testing.TB, r io.Reader) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestInflate(t *testing.T) {
	const plain = "to=nobody@example.com"
	tests := []struct {
		name      string
		body      string
		encodings []string
		want      string
		err       error
	}{
		{name: "none", body: plain, want: plain},
		{name: "empty", body: plain, encodings: []string{""}, want: plain},
		{name: "identity", body: plain, encodings: []string{"Identity"}, want: plain},
		{name: "gzip", body: zipped(t, plain), encodings: []string{"gzip"}, want: plain},
		{name: "GZIP and identity", body: zipped(t, plain), encodings: []string{"identity, GZIP"}, want: plain},
		{name: "x-gzip", body: zipped(t, plain), encodings: []string{"x-gzip"}, want: plain},
		{name: "two members", body: zipped(t, "to=") + zipped(t, "x"), encodings: []string{"gzip"}, want: "to=x"},
		{name: "nothing inside", body: zipped(t, ""), encodings: []string{"gzip"}, want: ""},
		{name: "twice", body: plain, encodings: []string{"gzip, gzip"}, err: errEncoding},
		{name: "twice in two headers", body: plain, encodings: []string{"gzip", "gzip"}, err: errEncoding},
		{name: "br", body: plain, encodings: []string{"br"}, err: errEncoding},
		{name: "deflate", body: plain, encodings: []string{"deflate"}, err: errEncoding},
		{name: "junk", body: plain, encodings: []string{"gzip"}, err: errBadGzip},
		{name: "no body", body: "", encodings: []string{"gzip"}, err: errBadGzip},
		{name: "cut", body: zipped(t, plain)[:20], encodings: []string{"gzip"}, err: errBadGzip},
		{name: "tail", body: zipped(t, plain) + "junk", encodings: []string{"gzip"}, err: errBadGzip},
		{name: "small but dense", body: zippedZeros(t, 60<<10), encodings: []string{"gzip"}, want: strings.Repeat("\x00", 60<<10)},
		{name: "ratio", body: zippedZeros(t, 2<<20), encodings: []string{"gzip"}, err: errInflatedBig},
		{name: "size", body: zippedZeros(t, 64<<20), encodings: []string{"gzip"}, err: errInflatedBig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := inflate([]byte(tt.body), tt.encodings, 8<<20)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error: got %v, want %v", err, tt.err)
			}
			if tt.err == nil && string(got) != tt.want {
				t.Errorf("body: got %d bytes, want %d", len(got), len(tt.want))
			}
		})
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte(zipped(f, "x")), "gzip")
	f.Add([]byte("x"), "identity")
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		got, err := inflate(body, []string{encoding}, 1<<20)
		if err == nil && len(got) > max(1<<20, len(body)) {
			t.Errorf("%d bytes became %d", len(body), len(got))
		}
	})
}

// A bomb costs no more than the limit.
func TestGzipBombCostsLittle(t *testing.T) {
	b := start(t, nil)
	bomb := bomb()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 4 {
		if got := b.do("POST", "/webhooks/acme", bomb, signed, "good", "Content-Encoding", "gzip"); got.status != http.StatusRequestEntityTooLarge {
			t.Fatalf("status: got %d, want 413", got.status)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.Sys) - int64(before.Sys); grown > 80<<20 {
		t.Errorf("memory taken from the system: got %d MiB, want at most 80", grown>>20)
	}
	if got := b.metric(`strikeout_webhook_requests_total{endpoint="acme",result="too_large"}`); got != "4" {
		t.Errorf("counted as too large: got %q, want 4", got)
	}
}
