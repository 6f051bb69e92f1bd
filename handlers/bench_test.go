package handlers

import (
	"log/slog"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/strikeout/strikeout/recipient"
)

// BenchmarkWebhook is the road of one event without network and database.
func BenchmarkWebhook(b *testing.B) {
	t := newBench(b)
	cfg := t.config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	srv, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	handle := srv.App().Handler()
	body := []byte(acme("a@example.com", recipient.HardBounce, "1"))
	ctx := &fasthttp.RequestCtx{}
	b.ReportAllocs()
	for b.Loop() {
		ctx.Request.Reset()
		ctx.Response.Reset()
		ctx.Request.Header.SetMethod("POST")
		ctx.Request.SetRequestURI("/webhooks/acme")
		ctx.Request.Header.Set("Content-Type", "application/json")
		ctx.Request.Header.Set("User-Agent", "acme/1.0")
		ctx.Request.Header.Set(signed, "good")
		ctx.Request.SetBody(body)
		handle(ctx)
		if ctx.Response.StatusCode() != 200 {
			b.Fatal(ctx.Response.StatusCode())
		}
	}
}
