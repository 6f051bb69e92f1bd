package wire

import "testing"

func TestOuter(t *testing.T) {
	var v struct {
		Events []Raw `json:"events"`
	}
	if err := Outer([]byte("\xef\xbb\xbf"+`{"events":[{"a":1,"a":2},{"a":3}]}`), &v); err != nil || len(v.Events) != 2 {
		t.Fatalf("%d items, %v", len(v.Events), err)
	}
	var item struct {
		A Text `json:"a"`
	}
	if Decode(v.Events[0], &item) == nil {
		t.Error("an item that says a name twice is read")
	}
	if err := Decode(v.Events[1], &item); err != nil || item.A != "3" {
		t.Errorf("the other item: %q, %v", item.A, err)
	}
	for _, body := range []string{``, `[]`, `{"events":7}`, `{"events":[}`} {
		if Outer([]byte(body), &v) == nil {
			t.Errorf("%s: read", body)
		}
	}
}
