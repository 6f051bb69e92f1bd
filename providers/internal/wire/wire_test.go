package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	type doc struct {
		Name string `json:"name"`
		Code Text   `json:"code"`
	}
	tests := []struct {
		name, body string
		want       doc
		ok         bool
	}{
		{"plain", `{"name":"a","code":"b"}`, doc{"a", "b"}, true},
		{"unknown members", `{"x":[1,{"y":2}],"name":"a"}`, doc{Name: "a"}, true},
		{"names match exactly", `{"Name":"a","CODE":"b"}`, doc{}, true},
		{"byte order mark", "\xef\xbb\xbf{\"name\":\"a\"}", doc{Name: "a"}, true},
		{"white space", " \r\n{\"name\":\"a\"}\t ", doc{Name: "a"}, true},
		{"broken UTF-8", "{\"name\":\"a\xe4b\"}", doc{Name: "a\uFFFDb"}, true},
		{"lone surrogate", `{"name":"a\ud800b"}`, doc{Name: "a\uFFFDb"}, true},
		{"null", `null`, doc{}, true},
		{"a name twice", `{"name":"a","name":"b"}`, doc{}, false},
		{"a name twice, deep", `{"x":{"y":1,"y":2}}`, doc{}, false},
		{"two values", `{"name":"a"}{"name":"b"}`, doc{}, false},
		{"array", `[{"name":"a"}]`, doc{}, false},
		{"wrong type", `{"name":1}`, doc{}, false},
		{"cut", `{"name":"a"`, doc{}, false},
		{"empty", ``, doc{}, false},
		{"trailing comma", `{"name":"a",}`, doc{}, false},
		{"comment", `{"name":"a"} // x`, doc{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got doc
			err := Decode([]byte(tt.body), &got)
			if (err == nil) != tt.ok {
				t.Fatalf("err = %v, want ok = %v", err, tt.ok)
			}
			if err != nil {
				if err != ErrJSON { //nolint:errorlint // it must not wrap the decoder's, which quotes the input
					t.Errorf("err = %v, want ErrJSON itself", err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestText(t *testing.T) {
	tests := []struct{ json, want string }{
		{`"a b"`, "a b"}, {`" a "`, "a"}, {`12`, "12"}, {`4323372036854775807`, "4323372036854775807"}, {`-1.50`, "-1.50"}, {`1e3`, "1e3"},
		{`true`, "true"}, {`false`, "false"}, {`null`, ""}, {`{}`, ""}, {`{"a":[1]}`, ""}, {`[]`, ""}, {`["a"]`, ""}, {`""`, ""},
		{`"\u0000x"`, "\x00x"}, {`"\ud83d\ude00"`, "😀"}, {`99999999999999999999999999`, "99999999999999999999999999"},
	}
	for _, tt := range tests {
		got := struct {
			A, B Text
		}{A: "stale"}
		if err := Decode([]byte(`{"A":`+tt.json+`,"B":"after"}`), &got); err != nil {
			t.Errorf("%s: %v", tt.json, err)
			continue
		}
		if got.A.String() != tt.want || got.B != "after" {
			t.Errorf("%s: got %q, then %q", tt.json, got.A.String(), got.B)
		}
	}
	for in, want := range map[Text]bool{"true": true, "True": true, " 1 ": true, "0": false, "false": false, "": false, "yes": false} {
		if in.Bool() != want {
			t.Errorf("Bool(%q) = %v", in, !want)
		}
	}
	if got := Text(" HardBounce ").Lower(); got != "hardbounce" {
		t.Errorf("Lower: %q", got)
	}
	if got := Text("1767607205").Time(); !got.Equal(time.Unix(1767607205, 0)) {
		t.Errorf("Time: %v", got)
	}
}

func TestList(t *testing.T) {
	tests := []struct {
		json string
		want List
	}{
		{`["a","b"]`, List{"a", "b"}}, {`"a"`, List{"a"}}, {`[]`, nil}, {`null`, nil}, {`""`, nil}, {`{}`, nil}, {`7`, List{"7"}},
		{`["a",7,true,null,{"x":1},["y"]]`, List{"a", "7", "true", "", "", ""}}, {`[" a "]`, List{"a"}},
	}
	for _, tt := range tests {
		got := struct {
			A List
			B Text
		}{A: List{"stale"}}
		if err := Decode([]byte(`{"A":`+tt.json+`,"B":"after"}`), &got); err != nil {
			t.Errorf("%s: %v", tt.json, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got.A); diff != "" || got.B != "after" {
			t.Errorf("%s: then %q\n%s", tt.json, got.B, diff)
		}
	}
	for _, bad := range []string{`["a"`, `["a",]`, `["a" "b"]`} {
		var l List
		if err := Decode([]byte(bad), &l); !errors.Is(err, ErrJSON) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestArray(t *testing.T) {
	tests := []struct {
		name, body string
		want       []string
		ok         bool
	}{
		{"two", `[{"a":1},{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}, true},
		{"spaces", " [ {\"a\" : 1} ,\n\t2 , \"x\" ] ", []string{`{"a" : 1}`, `2`, `"x"`}, true},
		{"mixed", `[null,[],{},1]`, []string{`null`, `[]`, `{}`, `1`}, true},
		{"empty", `[]`, nil, true},
		{"one object", ` {"a":1} `, []string{`{"a":1}`}, true},
		{"byte order mark", "\xef\xbb\xbf[1]", []string{`1`}, true},
		{"broken UTF-8 stays in the item", "[\"\xff\"]", []string{"\"\xff\""}, true},
		{"null", `null`, nil, false},
		{"text", `"a"`, nil, false},
		{"number", `1`, nil, false},
		{"nothing", ``, nil, false},
		{"space", " \n", nil, false},
		{"cut", `[{"a":1}`, nil, false},
		{"cut in an item", `[{"a":1},{"b"`, nil, false},
		{"trailing comma", `[1,]`, nil, false},
		{"leading comma", `[,1]`, nil, false},
		{"two commas", `[1,,2]`, nil, false},
		{"no comma", `[1 2]`, nil, false},
		{"more after it", `[1] [2]`, nil, false},
		{"rubbish after it", `[1]x`, nil, false},
		{"two objects", `{"a":1}{"b":2}`, nil, false},
		{"a name twice is for the item to refuse", `[{"a":1,"a":2},3]`, []string{`{"a":1,"a":2}`, `3`}, true},
		{"wrong bracket", `[1}`, nil, false},
		{"too deep", strings.Repeat("[", 20000), nil, false},
		{"too deep, closed", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			items, err := Array([]byte(tt.body))
			if (err == nil) != tt.ok {
				t.Fatalf("err = %v, want ok = %v", err, tt.ok)
			}
			var got []string
			for _, it := range items {
				got = append(got, string(it))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	for _, body := range []string{`[]`, `[1]`, `[{"a":1},"x",null]`} {
		items, err := Array([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(Join(items)); got != body {
			t.Errorf("got %s, want %s", got, body)
		}
	}
}

// FuzzArray: Array takes what the decoder takes, and gives the same items.
func FuzzArray(f *testing.F) {
	for _, s := range []string{`[1,{"a":[2]},"x"]`, `[]`, ` [ ] `, `{"a":1}`, `[1,]`, `[,1]`, `[1}`, `[1][2]`, `[{"a":1,"a":2}]`, "\xef\xbb\xbf[1]", "[\"\xff\"]"} {
		f.Add([]byte(s))
	}
	decode := func(body []byte, v any) error { return json.Unmarshal(bytes.TrimPrefix(body, bom), v, splitting) }
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := Array(body)
		var want []Raw
		wantErr := decode(body, &want)
		if wantErr != nil { // one object stands for an array of it
			var one struct{}
			var raw Raw
			if decode(body, &one) == nil && decode(body, &raw) == nil && raw.Kind() == '{' {
				want, wantErr = []Raw{raw}, nil
			}
		} else if want == nil { // null is no array
			wantErr = ErrJSON
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("Array: %v, decoder: %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if len(items) != len(want) {
			t.Fatalf("%d items, decoder %d", len(items), len(want))
		}
		for i := range items {
			if string(items[i]) != string(want[i]) {
				t.Errorf("item %d: %s, decoder %s", i, items[i], want[i])
			}
			var v any
			if err := decode(items[i], &v); err != nil {
				t.Errorf("item %d cannot be decoded: %v", i, err)
			}
		}
		if again, err := Array(Join(items)); err != nil || len(again) != len(items) {
			t.Errorf("joined: %v, %d items", err, len(again))
		}
	})
}

func BenchmarkArray(b *testing.B) {
	item := Raw(`{"event":"bounce","email":"nobody@example.com","timestamp":1767607205,"reason":"550 5.1.1 The email account that you tried to reach does not exist.","status":"5.1.1","sg_event_id":"x"}`)
	items := make([]Raw, 1000)
	for i := range items {
		items[i] = item
	}
	body := Join(items)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Array(body); err != nil {
			b.Fatal(err)
		}
	}
}

func TestArrayLeavesRepeatedNamesToTheItem(t *testing.T) {
	items, err := Array([]byte(`[{"a":1},{"a":1,"a":2},{"a":3}]`))
	if err != nil || len(items) != 3 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	for i, raw := range items {
		var v struct {
			A Text `json:"a"`
		}
		if err := Decode(raw, &v); (err != nil) != (i == 1) {
			t.Errorf("item %d: %v", i, err)
		}
	}
}

func TestLower(t *testing.T) {
	for _, s := range []string{"", "x", "X", "Hard_Bounce-9 [@{`", "STRASSE", "Straße", "ÄÖ", "\u212a", "İ", "\xffA", strings.Repeat("aB", 64), strings.Repeat("aB", 65)} {
		if got, want := lower(s), strings.ToLower(s); got != want {
			t.Errorf("lower(%q) = %q, not %q", s, got, want)
		}
	}
}
