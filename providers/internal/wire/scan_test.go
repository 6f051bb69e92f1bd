package wire

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// everything has a field of every shape.
type everything struct {
	Text    Text                     `json:"text"`
	String  string                   `json:"a-string,omitempty"`
	Raw     Raw                      `json:"raw"`
	List    List                     `json:"list"`
	Any     Text                     `json:"anyCase,case:ignore"`
	Inner   inner                    `json:"inner"`
	To      *inner                   `json:"to"`
	Object  Object[deep]             `json:"object"`
	Many    Many[deep]               `json:"many"`
	Either  Either[deep]             `json:"either"`
	Raws    []Raw                    `json:"raws"`
	Inners  []inner                  `json:"inners"`
	Eithers []Either[inner]          `json:"eithers"`
	Texts   map[string]Text          `json:"texts"`
	Map     map[string]Object[inner] `json:"map"`
	Members Members[Object[inner]]   `json:"members"`
	Tos     Members[*Many[*inner]]   `json:"tos"`
	Loose   Loose[Either[folded]]    `json:"loose"`
	Codes   []uint16                 `json:"codes"`
	Bytes   []byte                   `json:"bytes"`
	Number  int                      `json:"number"`
	Own     own                      `json:"own"`
	Bare    Text
	None    Text `json:"-"`
}

type inner struct {
	A Text `json:"a"`
	B List `json:"b"`
	C Object[struct {
		D Text `json:"d"`
	}] `json:"c"`
}

type folded struct {
	A Text   `json:"a,case:ignore"`
	S string `json:"s"`
	N []int  `json:"n"`
}

type deep struct {
	A    Text         `json:"a"`
	Deep Many[deeper] `json:"deep"`
}

type deeper struct {
	Again Object[inner] `json:"again"`
}

// own reads itself.
type own struct{ kind jsontext.Kind }

func (o *own) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	o.kind = d.PeekKind()
	return d.SkipValue()
}

// plainDocuments are what the scanner must take by itself: else it is of no use.
var plainDocuments = []string{
	`{}`, ` { } `, `null`, "\xef\xbb\xbf{\"text\":\"a\"}\r\n", `{"unknown":[1,{"x":[]},-0.5e+10,true,false,null,"\u00e9\n"],"text":"after"}`,
	`{"text":"a","a-string":"b","raw":{"x" : [1, 2]},"list":["a",1,null,{}],"ANY_case":true,"Bare":-1.50,"None":"no"}`,
	`{"text":"550 5.1.1 \u003cnobody@example.com\u003e\r\nno such \"user\" \\ \/ \ud83d\ude00 é","raw":null,"list":" x "}`,
	`{"inner":{"a":1,"b":[],"c":{"d":"x","e":{}}},"to":{"a":null},"object":{"a":{},"deep":[{"again":{"a":7}},3,{}]}}`,
	`{"inner":null,"to":null,"object":[],"many":{"a":"one"},"either":"text","raws":[],"inners":null,"texts":{},"map":{},"codes":[],"bytes":"","number":0,"own":7}`,
	`{"many":[{"a":1},null,"x",{"deep":{"again":"no"}}],"either":{"a":"x"},"raws":[{"a":1},2],"inners":[{"a":1},null],"eithers":["a",{"a":"b"},null]}`,
	`{"texts":{"a":"x","b":1,"c":null,"":{}},"map":{"a":{"a":1},"b":2},"codes":[1,2],"bytes":"eA==","number":7,"own":{"x":1}}`,
	`{"members":{"a":{"a":1},"b":[],"c":{"b":["x","y"],"c":{"d":1}}},"tos":{"a":{"a":1},"b":[{"a":2},{"b":"q"}],"c":null}}`, `{"members":null,"tos":{"x":null}}`,
	`{"loose":{"A":"x","s":"y"}}`, `{"loose":"x"}`, `{"loose":{"a":1,"A":2}}`, `{"loose":{"a":1,"s":7}}`, `{"loose":[{"s":1}]}`, `{"loose":{"a":"x","n":[1,"y"]},"many":[{"loose":{}},{"a":1}]}`, `{"inners":[{"a":"b"},{"a":"c"}],"loose":{"s":{"a":[{},{}]}},"to":{"b":["c"]}}`,
	`{"many":[{"a":1,"deep":[{"again":{"b":["x"]}},{"again":{"b":["y"]}}]},{"deep":{"again":{"b":"z"}},"a":2},{"deep":[],"a":3},{"a":4,"deep":[{"again":{"a":5}}],"x":{"y":[{"z":1},{"z":2,"w":3},{"w":4}]}}]}`,
	`{"inners":[{"a":"x","b":["q","r"],"c":{"d":"e"}},{"a":"x","b":["q"],"c":{"d":"e","f":1}},{"c":{"d":"e"},"a":"x"},{"a":"x","b":["s"],"c":null}],"to":{"a":"1","b":"2"}}`,
}

var oddDocuments = []string{
	``, ` `, `nul`, `[]`, `{"text":1,"text":2}`, `{"x":1,"x":2}`, `{"x":{"a":1,"b":{},"a":2}}`, `{"anyCase":1,"ANYCASE":2}`, `{"t\u0065xt":"a"}`, `{"é":1}`, `{"é":1,"raw":[9],"raws":[8,{"y":1}],"inners":[{"a":"z"}],"list":["q"],"to":{"b":"c"}}`,
	"{\"text\":\"\xff\"}", "{\"x\":\"\xff\"}", "{\"\xff\":1,\"\xfe\":2}", `{"text":"\ud800"}`, `{"x":"\ud800"}`, `{"text":"\x"}`, `{"text":"\u00g0"}`, "{\"text\":\"\n\"}", "{\"text\":\"12345678\x1f\"}",
	`{"text":01}`, `{"text":1.}`, `{"text":-}`, `{"text":1e}`, `{"text":+1}`, `{"text":tru}`, `{"text":truex}`, `{"text":NaN}`, `{"text":1,}`, `{,"text":1}`, `{"text":1 "list":2}`, `{"text"}`, `{"text":}`, `{text:1}`,
	`{"raws":[1,]}`, `{"raws":[,1]}`, `{"raws":[1 2]}`, `{"raws":[1}`, `{"raws":7}`, `{"inners":{}}`, `{"inner":[]}`, `{"a-string":7}`, `{"number":"7"}`, `{"bytes":"!"}`, `{"texts":[]}`, `{"texts":{"a":1,"a":2}}`,
	`{"raw":{"a":1,"a":2}}`, `{"raws":[{"a":1,"a":2}]}`, `{"text":"a"}{}`, `{"text":"a"}x`, "{\"text\":\"a\"}\x00", `{"list":["a",["b"]`, `{"text":"a`, `{"text":"a\`, `{"":1,"":2}`, `{"":1}`,
	strings.Repeat(`{"x":`, 70) + `1` + strings.Repeat(`}`, 70), strings.Repeat(`[`, 10001) + strings.Repeat(`]`, 10001), "\xef\xbb\xbf\xef\xbb\xbf{}",
	`{"inners":[{"a":1,"x":2},{"a":1,"a":2}]}`, `{"inners":[{"a":1,"x":2},{"a":1,"x":2,"x":3}]}`, `{"raws":[{"x":1,"y":2},{"x":1,"x":2}]}`, `{"x":[{"x":1,"y":2},{"x":1,"y":3,"y":3}]}`, `{"many":[{"a":1,"deep":{}},{"a":1,"deep" {}}]}`, `{"members":{"a":1,"a":2}}`, `{"members":[]}`, `{"members":{"\u0061":{}}}`, `{"loose":{"x":1,"x":2}}`, `{"loose":{"a":1,"x":1,"x":2},"inners":[{"x":1,"a":"y"},{"x":1,"x":2}]}`, `{"loose":{"\u0061":1}}`, `{"loose":{"a":"ÿ"}}`, `{"loose":{"s":tru}}`, `{"loose":{"s":1]}`, `{"tos":{"a":{},"b":7,"c":"x"}}`,
}

// reference is the v2 decoder alone.
func reference(body []byte, v any, repeats bool) error {
	opts := options
	if repeats {
		opts = splitting
	}
	return json.Unmarshal(bytes.TrimPrefix(body, bom), v, opts)
}

// compare says whether the scanner took a body, after holding it to the v2 decoder.
func compare(t *testing.T, body []byte, repeats bool) bool {
	t.Helper()
	before := bytes.Clone(body)
	var quick, whole, want everything
	took := scan(bytes.TrimPrefix(body, bom), reflect.ValueOf(&quick).Elem(), repeats)
	err := reference(body, &want, repeats)
	switch {
	case took && err != nil:
		t.Errorf("%q is taken, and the v2 decoder says: %v", body, err)
	case took && !reflect.DeepEqual(quick, want):
		t.Errorf("%q:\n%+v, by the v2 decoder\n%+v", body, quick, want)
	}
	if got := decode(body, &whole, repeats); (got == nil) != (err == nil) || !reflect.DeepEqual(whole, want) {
		t.Errorf("%q: %v\n%+v, by the v2 decoder: %v\n%+v", body, got, whole, err, want)
	}
	if !bytes.Equal(before, body) {
		t.Errorf("%q: the body was changed to %q", before, body)
	}
	return took
}

func TestScannerTakesWhatIsPlain(t *testing.T) {
	for _, d := range plainDocuments {
		if !compare(t, []byte(d), false) {
			t.Errorf("%s: not taken", d)
		}
		compare(t, []byte(d), true)
	}
	long := `{"text":"` + strings.Repeat("x", 2*keptRoom) + `","list":["` + strings.Repeat("é", keptRoom) + `\n"]}`
	if !compare(t, []byte(long), false) {
		t.Error("a long document is not taken")
	}
}

func TestScannerLeavesWhatIsOdd(t *testing.T) {
	for _, d := range oddDocuments {
		compare(t, []byte(d), false)
		compare(t, []byte(d), true)
	}
	// Names that are hashed alike, and more of them than are compared.
	var b strings.Builder
	for i := range 300 {
		b.WriteString(`,"` + strings.Repeat("x", i) + `y":1`)
	}
	compare(t, []byte(`{`+b.String()[1:]+`}`), false)
	compare(t, []byte(`{`+b.String()[1:]+`,"xy":1}`), false)
	for i := range 100 { // in every place of the eight bytes
		compare(t, []byte(`{"text":"`+strings.Repeat("x", i)+"\x1f"+`"}`), false)
		compare(t, []byte(`{"text":"`+strings.Repeat("x", i)+`\"é`+strings.Repeat("y", i)+`"}`), false)
		compare(t, []byte(`{"text":"`+strings.Repeat("x", i)), false)
	}
}

// Decode must not join what it reads to what stood there before, whether or not
// the scanner gives up half way.
func TestDecodeIntoWhatWasRead(t *testing.T) {
	for _, first := range plainDocuments {
		for _, second := range append(oddDocuments, plainDocuments...) {
			a, b := []byte(first), []byte(second)
			var got, want everything
			if Decode(a, &got) != nil || reference([]byte(first), &want, false) != nil {
				t.Fatalf("%s: not read", first)
			}
			gotErr, wantErr := Decode(b, &got), reference([]byte(second), &want, false)
			if (gotErr == nil) != (wantErr == nil) || gotErr == nil && !reflect.DeepEqual(got, want) {
				t.Errorf("%s after %s: %v\n%+v, by the v2 decoder: %v\n%+v", second, first, gotErr, got, wantErr, want)
			}
			if string(b) != second || string(a) != first {
				t.Errorf("%s after %s: a body was changed", second, first)
			}
		}
	}
}

// FuzzDecode: what the scanner takes is what the v2 decoder takes.
func FuzzDecode(f *testing.F) {
	for _, d := range append(oddDocuments, plainDocuments...) {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		compare(t, body, false)
		compare(t, body, true)
		if items, ok := newScanner(body, true).split(); ok {
			s := splitter{body: body}
			if err := json.Unmarshal(body, &s, splitting); err != nil || !reflect.DeepEqual(items, s.items) {
				t.Errorf("%q: %q, by the v2 decoder: %q, %v", body, items, s.items, err)
			}
		}
		compareEach(t, body)
		compareMember(t, body)
		compareEach(t, Join([]Raw{body, Raw(`{"text":"plain"}`), body}))
	})
}

// compareEach holds Each, and EachAt with that array deep within, to splitting and
// decoding by the v2 decoder.
func compareEach(t *testing.T, body []byte) {
	t.Helper()
	items, wantErr := splitOdd(bytes.TrimPrefix(body, bom))
	want := make([]*everything, len(items))
	whole := wantErr == nil
	for i, raw := range items {
		if want[i] = new(everything); reference(raw, want[i], false) != nil {
			want[i], whole = nil, false
		}
	}
	n := 0
	each := func(raw Raw, item *everything) { // compared at once: what it holds is used again
		if n < len(items) && wantErr == nil && (string(raw) != string(items[n]) || !reflect.DeepEqual(item, want[n])) {
			t.Errorf("%q: %q\n%+v, by the v2 decoder: %q\n%+v", body, raw, item, items[n], want[n])
		}
		n++
	}
	if err := Each(body, each); err != wantErr || err == nil && n != len(items) { //nolint:errorlint // it is ErrJSON itself
		t.Errorf("%q: %d items, %v; by the v2 decoder: %d, %v", body, n, err, len(items), wantErr)
	}
	if wantErr != nil || bytes.HasPrefix(body, bom) || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		return
	}
	n = 0
	if EachAt([]byte(`{"x":[1],"a":[{"y":{},"b":`+string(body)+`,"z":[]},{"b":[]}],"y":null}`), each, "a", "b") && (!whole || n != len(items)) {
		t.Errorf("%q within is taken, with %d items; by the v2 decoder: %d, %v", body, n, len(items), wantErr)
	}
}

func TestEach(t *testing.T) {
	for _, d := range append(oddDocuments, plainDocuments...) {
		for _, body := range []string{d, "\xef\xbb\xbf [" + d + "] ", `[{"text":"a"},` + d + `,{"text":"b"},{"text":"c","text":"d"}]`, `[` + d + `,]`, `[` + d + `]x`, `[{"text":"a"},` + d} {
			compareEach(t, []byte(body))
		}
	}
}

// Items that look like those before them, and then do not, are read as they stand.
func TestEachFollowsNoWrongTrail(t *testing.T) {
	values := []string{`"x"`, `"y"`, `7`, `null`, `[]`, `{}`, `{"a":1}`, `{"b":"q","a":"x"}`, `{"a":"x","b":["r"]}`, `[{"a":1},{"a":2}]`, `[[{"a":1,"b":2}],{"a":3}]`,
		`[{"b":"s"},{"a":"t","c":{"d":"u"}}]`, `{"c":{"d":"v"},"a":"w"}`, `{"deep":[{"again":{"a":1}},{"again":[{"a":2}]}],"a":3}`, `{"deep":{"again":{"b":["z"]}}}`, `{"x":{"a":1},"y":{"a":1}}`, `{"a":1,"x":2,"a":3}`}
	names := []string{"text", "raw", "list", "inner", "to", "object", "many", "either", "inners", "eithers", "members", "tos", "loose", "ANYcase", "x", "y", "map"}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	for range 1000 {
		var b strings.Builder
		order := random.Perm(len(names))[:4]
		for i := range 6 {
			if i > 0 {
				b.WriteByte(',')
			}
			if random.IntN(3) == 0 {
				order[random.IntN(4)] = random.IntN(len(names))
			}
			for j, n := range order[:1+random.IntN(4)] {
				b.WriteString([]string{`,`, `{`}[max(0, 1-j)] + `"` + names[n] + `":` + values[random.IntN(len(values))])
			}
			b.WriteByte('}')
		}
		compareEach(t, []byte("["+b.String()+"]"))
		compare(t, []byte(`{"x":[`+b.String()+`],"raws":[`+b.String()+`]}`), true)
	}
}

// compareMember holds Member to the v2 decoder.
func compareMember(t *testing.T, body []byte) {
	t.Helper()
	for _, name := range []string{"text", "either", ""} {
		from, to, ok := Member(body, name)
		wantFrom, wantTo, want := oddMember(body, name)
		if from != wantFrom || to != wantTo || ok != want {
			t.Errorf("%q: %q from %d to %d, %v; by the v2 decoder from %d to %d, %v", body, name, from, to, ok, wantFrom, wantTo, want)
		}
	}
}

func TestMember(t *testing.T) {
	for _, d := range append(oddDocuments, plainDocuments...) {
		compareMember(t, []byte(d))
		compareMember(t, []byte(` {"x":[{"text":1}], "text" : "yes" , rubbish `))
	}
	if from, to, ok := Member([]byte(`{"x":{"text":1}, "text" : "yes" , rubbish`), "text"); !ok || from != 26 || to != 31 {
		t.Errorf("from %d to %d, %v", from, to, ok)
	}
}

func TestEachAt(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":[{"b":[{"text":"1"},{"text":"2"}]},{"x":7,"b":[{"text":"3"}],"y":{}},{"b":[]}],"c":[]}`: "123",
		`{"a":[]}`: "",
		`{"a":[{"b":[{"text":"1"}]}],"x":1,"x":2}`:           "odd",
		`{"a":[{"b":[{"text":"1","text":"2"}]}]}`:            "odd",
		`{"a":[{"b":[{"text":"1"}]}],"a":[]}`:                "odd",
		`{"a":[{"b":[],"b":[]}]}`:                            "odd",
		`{"a":[{"b":[]},{"x":1,"b":[],"x":1}]}`:              "odd",
		`{"a":[{"b":[{"text":"1"}]}]} x`:                     "odd",
		`{"a":[{"b":[{"text":"1"},7]}]}`:                     "odd",
		`{"a":[{"b":{"text":"1"}}]}`:                         "odd",
		`{"a":[{"c":[]}]}`:                                   "odd",
		`{"a":[[{"b":[]}]]}`:                                 "odd",
		`{"a":{"b":[]}}`:                                     "odd",
		`{"c":[]}`:                                           "odd",
		`[{"b":[]}]`:                                         "odd",
		`{"a":[{"b":[{"text":"1"}]},{"b":[{"text":"2"}]},]}`: "odd",
	} {
		got := ""
		if ok := EachAt([]byte(body), func(_ Raw, e *everything) { got += string(e.Text) }, "a", "b"); !ok {
			got = "odd"
		}
		if got != want {
			t.Errorf("%s: %q, not %q", body, got, want)
		}
	}
}
