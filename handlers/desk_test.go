package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// The desk is served where it belongs, and only there.
func TestDesk(t *testing.T) {
	desk, err := admin.New(admin.Config{Store: storetest.Open(t, store.Config{URL: storetest.SQLite(t)}), Keyer: storetest.Keyer(), URL: "http://127.0.0.1", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Config)
		want   int
	}{
		{"mounted", func(c *Config) { c.Desk = desk }, http.StatusOK},
		{"elsewhere", func(c *Config) { c.Desk, c.SeparateDesk = desk, true }, http.StatusNotFound},
		{"none", func(*Config) {}, http.StatusNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, tt.change)
			if got := b.do("GET", "/admin/login", ""); got.status != tt.want {
				t.Errorf("login: got %d, want %d", got.status, tt.want)
			}
			if tt.want != http.StatusOK {
				return
			}
			if got := b.do("GET", "/admin/nothing", ""); got.status != http.StatusNotFound || !strings.Contains(got.body, "<h1>") {
				t.Errorf("a missing page: got %d\n%s", got.status, got.body)
			}
			form := url.Values{"name": {"x"}, "password": {strings.Repeat("a", 300<<10)}}
			if got := b.do("POST", "/admin/login", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); got.status != http.StatusRequestEntityTooLarge ||
				!strings.Contains(got.body, "lists have at most 64 MiB") || got.header.Get("Content-Security-Policy") == "" {
				t.Errorf("a large form: got %d\n%s", got.status, got.body)
			}
			if got := b.do("GET", "/metrics", ""); !strings.Contains(got.body, `route="/admin"`) || strings.Contains(got.body, "/admin/") {
				t.Error("metrics: the desk is not counted under one name")
			}
		})
	}
}
