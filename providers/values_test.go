package providers

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

var queries = []string{
	"", "a=1", "a=1&a=2&b=3&a=4", "a", "=1", "&&a=1&", "a=b=c", "a+b=c+d", "%61=%62%3d%26", "a=%", "a=%1", "a=%zz", "a=%1g&b=2", "a;b=1&c=2", "a=1;2", "%3b=%3B", "a=\xff%ff", "a=%e4&b=ä", "+", "%2B%2b",
	strings.Repeat("a=1&", maxPlainFields+1), strings.Repeat("a=1&", 10001), "a=" + strings.Repeat("x%20+", 500) + "&b=" + strings.Repeat("y", 1000) + "%",
	"a=" + strings.Repeat("x%20+", 500) + "&b=" + strings.Repeat("y", 1000),
	"%0", "0%", "%%%", "a=%%%%41", "a=" + strings.Repeat("%41", 500), "a=%" + strings.Repeat("x", 509) + "%41", "a=%41" + strings.Repeat("x", 508) + "%41", "a=%41" + strings.Repeat("x", 507) + "%41", "a=%41" + strings.Repeat("x", 508) + "%%1",
}

func compareValues(t *testing.T, query string) {
	t.Helper()
	got, err := parseValues([]byte(query))
	want, wantErr := url.ParseQuery(query)
	if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
		t.Errorf("%q: %v, %v; by net/url %v, %v", query, got, err, want, wantErr)
	}
	if both, n, ok := (&Request{Body: []byte(query)}).OnlyField(); ok {
		if v := want[string(both[:n])]; wantErr != nil || len(want) != 1 || len(v) != 1 || v[0] != string(both[n:]) {
			t.Errorf("%q: only %q, %q; by net/url %v, %v", query, both[:n], both[n:], want, wantErr)
		}
	} else if wantErr == nil && query != "" && !strings.Contains(query, "&") {
		t.Errorf("%q: it has one field", query)
	}
}

func TestParseValues(t *testing.T) {
	for _, q := range queries {
		compareValues(t, q)
	}
	form, err := parseValues([]byte("a=1&b=2&a=3"))
	if err != nil {
		t.Fatal(err)
	}
	if form["a"] = append(form["a"], "4"); form.Get("b") != "2" {
		t.Error("the values of one field run into another's")
	}
}

// FuzzParseValues: whatever comes, the fields are those of net/url.
func FuzzParseValues(f *testing.F) {
	for _, q := range queries {
		f.Add(q)
	}
	f.Fuzz(compareValues)
}
