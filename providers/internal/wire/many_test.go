package wire

import (
	"strings"
	"testing"
)

func TestMany(t *testing.T) {
	for body, want := range map[string]string{
		`{"to":[{"a":"x"},{"a":"y"}]}`:            "x,y",
		`{"to":{"a":"x"}}`:                        "x",
		`{"to":[null,7,"x",[{"a":"z"}],{"a":1}]}`: "1",
		`{"to":null}`:                             "",
		`{"to":"x"}`:                              "",
		`{"to":[]}`:                               "",
		`{}`:                                      "",
		`{"to":[{"a":{"b":1}}]}`:                  "",
	} {
		var v struct {
			To Many[struct {
				A Text `json:"a"`
			}] `json:"to"`
		}
		if err := Decode([]byte(body), &v); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		var got []string
		for _, it := range v.To {
			got = append(got, it.A.String())
		}
		if s := strings.Join(got, ","); s != want {
			t.Errorf("%s: got %q, want %q", body, s, want)
		}
	}
	var v struct {
		To Many[struct{}] `json:"to"`
	}
	for _, body := range []string{`{"to":[{}`, `{"to":[{"a":1,"a":2}]}`, `{"to":[`} {
		if Decode([]byte(body), &v) == nil {
			t.Errorf("%s: read", body)
		}
	}
}
