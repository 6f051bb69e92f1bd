package wire

import "testing"

func TestObject(t *testing.T) {
	type inner struct {
		A Text `json:"a"`
	}
	tests := []struct {
		body, want string
		ok         bool
	}{
		{`{"o":{"a":1,"b":[]}}`, "1", true},
		{`{"o":[],"b":{}}`, "", true},
		{`{"o":null}`, "", true},
		{`{"o":"x"}`, "", true},
		{`{"o":7}`, "", true},
		{`{}`, "", true},
		{`{"o":{"a":"` + "\xff" + `"}}`, "\uFFFD", true},
		{`{"o":{"a":1,"a":2}}`, "1", false},
		{`{"o":[1}`, "", false},
	}
	for _, tt := range tests {
		var v struct {
			O Object[inner] `json:"o"`
		}
		err := Decode([]byte(tt.body), &v)
		if kind := v.O.Kind; err == nil && (kind == '{') != (tt.want != "") || (kind == 0) != (tt.body == "{}") {
			t.Errorf("%s: kind %v", tt.body, kind)
		}
		if (err == nil) != tt.ok || string(v.O.V.A) != tt.want {
			t.Errorf("%s: %q, %v", tt.body, v.O.V.A, err)
		}
	}
}
