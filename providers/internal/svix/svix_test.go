package svix

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
)

// The vector of https://github.com/standard-webhooks/standard-webhooks.
const (
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // a published vector
	id        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	timestamp = "1614265330"
	body      = `{"test": 2432232314}`
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func request(prefix string) *providers.Request {
	h := http.Header{}
	h.Set(prefix+"-Id", id)
	h.Set(prefix+"-Timestamp", timestamp)
	h.Set(prefix+"-Signature", signature)
	return &providers.Request{Header: h, Body: []byte(body), ReceivedAt: time.Unix(1614265330, 0)}
}

func TestVerify(t *testing.T) {
	other := Prefix + base64.StdEncoding.EncodeToString([]byte("another secret"))
	tests := []struct {
		name    string
		secrets []string
		change  func(r *providers.Request)
		want    bool
	}{
		{"vector", []string{secret}, func(*providers.Request) {}, true},
		{"neutral names", []string{secret}, func(r *providers.Request) { r.Header = request("Webhook").Header }, true},
		{"mixed names", []string{secret}, func(r *providers.Request) {
			r.Header.Del("Svix-Id")
			r.Header.Set("Webhook-Id", id)
		}, true},
		{"without the prefix", []string{strings.TrimPrefix(secret, Prefix)}, func(*providers.Request) {}, true},
		{"our secret rotates", []string{other, secret}, func(*providers.Request) {}, true},
		{"their secret rotates", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Signature", "v1,AAAA "+signature) }, true},
		{"with a public key signature", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Signature", "v1a,AAAA "+signature+" v2,x") }, true},
		{"within the window", []string{secret}, func(r *providers.Request) { r.MaxAge = MaxAge; r.ReceivedAt = r.ReceivedAt.Add(MaxAge) }, true},
		{"any age", []string{secret}, func(r *providers.Request) { r.ReceivedAt = r.ReceivedAt.AddDate(5, 0, 0) }, true},
		{"too old", []string{secret}, func(r *providers.Request) { r.MaxAge = MaxAge; r.ReceivedAt = r.ReceivedAt.Add(MaxAge + time.Second) }, false},
		{"from the future", []string{secret}, func(r *providers.Request) { r.MaxAge = MaxAge; r.ReceivedAt = r.ReceivedAt.Add(-MaxAge - time.Second) }, false},
		{"another secret", []string{other}, func(*providers.Request) {}, false},
		{"only a public key signature", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Signature", "v1a"+signature[2:]) }, false},
		{"no version", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Signature", signature[3:]) }, false},
		{"no signature", []string{secret}, func(r *providers.Request) { r.Header.Del("Svix-Signature") }, false},
		{"no id", []string{secret}, func(r *providers.Request) { r.Header.Del("Svix-Id") }, false},
		{"another id", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Id", "msg_x") }, false},
		{"no time", []string{secret}, func(r *providers.Request) { r.Header.Del("Svix-Timestamp") }, false},
		{"another time", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Timestamp", "1614265331") }, false},
		{"the same time written differently", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Timestamp", "+1614265330") }, false},
		{"no number", []string{secret}, func(r *providers.Request) { r.Header.Set("Svix-Timestamp", "now") }, false},
		{"another body", []string{secret}, func(r *providers.Request) { r.Body = []byte(`{"test": 2432232315}`) }, false},
		{"unsigned", nil, func(r *providers.Request) { r.Header = http.Header{} }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := New("acme", providers.Settings{Values: map[string][]string{"signing_secret": tt.secrets}, Unsigned: tt.secrets == nil})
			if err != nil {
				t.Fatal(err)
			}
			r := request("Svix")
			tt.change(r)
			err = v.Verify(r)
			if (err == nil) != tt.want || err != nil && !errors.Is(err, providers.ErrUnauthentic) {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for _, bad := range []string{"whsec_", "whsec_%%%", "not base64!"} {
		_, err := New("acme", providers.Set("signing_secret", bad))
		if !errors.Is(err, providers.ErrSetting) || strings.Contains(err.Error(), bad) && bad != "whsec_" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := New("acme", providers.Set()); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("no secret: %v", err)
	}
}
