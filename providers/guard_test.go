package providers

import (
	"encoding/base64"
	"strings"
	"testing"
)

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestGuard(t *testing.T) {
	tests := []struct {
		name        string
		basic, path []string
		auth        string
		segment     string
		want        bool
	}{
		{"nothing configured", nil, nil, "", "", true},
		{"credentials nobody asked for", nil, nil, basic("hook:x"), "", true},
		{"a segment nobody asked for", nil, nil, "", "x", false},
		{"basic", []string{"hook:s3cret"}, nil, basic("hook:s3cret"), "", true},
		{"basic, lower case scheme", []string{"hook:s3cret"}, nil, "basic " + basic("hook:s3cret")[6:], "", true},
		{"basic, rotating", []string{"hook:new", "hook:old"}, nil, basic("hook:old"), "", true},
		{"basic, password with colon", []string{"hook:a:b"}, nil, basic("hook:a:b"), "", true},
		{"basic, wrong password", []string{"hook:s3cret"}, nil, basic("hook:secret"), "", false},
		{"basic, wrong user", []string{"hook:s3cret"}, nil, basic("hooks:s3cret"), "", false},
		{"basic, missing", []string{"hook:s3cret"}, nil, "", "", false},
		{"basic, other scheme", []string{"hook:s3cret"}, nil, "Bearer " + basic("hook:s3cret")[6:], "", false},
		{"basic, no base64", []string{"hook:s3cret"}, nil, "Basic %%%", "", false},
		{"basic, no value", []string{"hook:s3cret"}, nil, "Basic", "", false},
		{"basic, plain", []string{"hook:s3cret"}, nil, "Basic hook:s3cret", "", false},
		{"basic, empty setting", []string{""}, nil, "", "", false},
		{"basic, empty setting and credentials", []string{""}, nil, basic(""), "", false},
		{"path", nil, []string{"abc"}, "", "abc", true},
		{"path, rotating", nil, []string{"new", "old"}, "", "old", true},
		{"path, wrong", nil, []string{"abc"}, "", "abd", false},
		{"path, prefix", nil, []string{"abc"}, "", "ab", false},
		{"path, longer", nil, []string{"abc"}, "", "abcd", false},
		{"path, missing", nil, []string{"abc"}, "", "", false},
		{"path, empty setting", nil, []string{""}, "", "", false},
		{"both", []string{"hook:x"}, []string{"abc"}, basic("hook:x"), "abc", true},
		{"both, no path", []string{"hook:x"}, []string{"abc"}, basic("hook:x"), "", false},
		{"both, no basic", []string{"hook:x"}, []string{"abc"}, "", "abc", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := NewGuard(tt.basic, tt.path)
			if want := len(tt.basic)+len(tt.path) > 0; g.Active() != want {
				t.Errorf("Active() = %v", g.Active())
			}
			if want := len(tt.basic) > 0; g.WantsBasic() != want {
				t.Errorf("WantsBasic() = %v", g.WantsBasic())
			}
			ok, reason := g.Check(tt.auth, tt.segment)
			if ok != tt.want {
				t.Errorf("Check = %v (%s)", ok, reason)
			}
			if ok != (reason == "") {
				t.Errorf("ok = %v with the reason %q", ok, reason)
			}
			for _, v := range append(append([]string{tt.segment}, tt.basic...), tt.path...) {
				if v != "" && strings.Contains(reason, v) {
					t.Error("the reason shows a value")
				}
			}
		})
	}
}
