package token

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
)

func TestVerify(t *testing.T) {
	tests := []struct {
		name          string
		settings      providers.Settings
		header, value string
		ok            bool
	}{
		{"no token configured", providers.Set(), "", "", true},
		{"bearer", providers.Set(Setting, "t0ken"), "Authorization", "Bearer t0ken", true},
		{"bearer in lower case", providers.Set(Setting, "t0ken"), "authorization", "bearer  t0ken ", true},
		{"the second of two", providers.Set(Setting, "new", Setting, "t0ken"), "Authorization", "Bearer t0ken", true},
		{"bare", providers.Set(Setting, "t0ken"), "Authorization", "t0ken", true},
		{"entered with its scheme", providers.Set(Setting, "Bearer t0ken"), "Authorization", "Bearer t0ken", true},
		{"own header", providers.Set(Setting, "t0ken", HeaderSetting, "x-api-key"), "X-Api-Key", "t0ken", true},
		{"extra header", providers.Set(Setting, "t0ken"), "X-Old-Token", "t0ken", true},
		{"missing", providers.Set(Setting, "t0ken"), "", "", false},
		{"empty", providers.Set(Setting, "t0ken"), "Authorization", "", false},
		{"empty bearer", providers.Set(Setting, "t0ken"), "Authorization", "Bearer ", false},
		{"wrong", providers.Set(Setting, "t0ken"), "Authorization", "Bearer t0ken2", false},
		{"prefix", providers.Set(Setting, "t0ken"), "Authorization", "Bearer t0ke", false},
		{"other scheme", providers.Set(Setting, "t0ken"), "Authorization", "Basic t0ken", false},
		{"other header", providers.Set(Setting, "t0ken", HeaderSetting, "X-Api-Key"), "Authorization", "Bearer t0ken", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &providers.Request{Header: http.Header{}}
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			err := New("acme", tt.settings, "X-Old-Token").Verify(context.Background(), r)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, providers.ErrUnauthentic) {
				t.Errorf("Verify: %v, want accepted: %v", err, tt.ok)
			}
			if err != nil && strings.Contains(err.Error(), "t0ken") {
				t.Error("the error shows the token")
			}
		})
	}
}

func TestSign(t *testing.T) {
	s, err := Simulated(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"", "Authorization", "X-Api-Key"} {
		if header != "" {
			s.Values[HeaderSetting] = []string{header}
		}
		r := Sign(s, &providers.Request{Header: http.Header{}})
		if err := New("acme", s).Verify(context.Background(), r); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	if r := Sign(providers.Set(), &providers.Request{Header: http.Header{}}); len(r.Header) != 0 {
		t.Errorf("a header without a token: %v", r.Header)
	}
}
