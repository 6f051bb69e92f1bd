package sms

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// WordSettings are the settings of every adapter that reads texts from people.
var WordSettings = []providers.Setting{
	{Name: StopSetting, Help: "More words that stop messages, beside the built-in ones.", List: true},
	{Name: StartSetting, Help: "More words that ask for messages again.", List: true},
}

// Words returns the built-in words and those of the endpoint's settings.
func Words(s providers.Settings) *Keywords {
	return NewKeywords(s.All(StopSetting), s.All(StartSetting))
}

// Received adds the event of a text that a person sent, if it is a stop or a
// start word. Field is where the person's number stands; at is the provider's
// time, zero where it gave none.
func (k *Keywords) Received(b *providers.Batch, field string, in Inbound, at time.Time) {
	e, ok := k.Event(in)
	if !ok {
		return
	}
	e.At, e.EventID, e.IDParts = at, in.ID, []string{"text", in.ID}
	if in.ID == "" {
		e.IDParts = append([]string{"text", MSISDN(in.To), fold(in.Text), at.Format(time.RFC3339Nano)}, in.Parts...)
	}
	b.AddTo(recipient.SMS, field, MSISDN(in.Number), e)
}

// Params are the named values of one flat report: a JSON object of scalars, or
// the fields of a form with the query behind it, because people put what the
// report lacks into the callback URL.
type Params struct {
	json        map[string]wire.Text
	form, query url.Values
}

// Get returns the first non-empty value of the names, without white space
// around it; a JSON null, object or array is empty.
func (p Params) Get(names ...string) string {
	for _, n := range names {
		v := p.json[n].String()
		if v == "" {
			v = strings.TrimSpace(p.form.Get(n))
		}
		if v != "" {
			return v
		}
	}
	for _, n := range names {
		if v := strings.TrimSpace(p.query.Get(n)); v != "" {
			return v
		}
	}
	return ""
}

// Empty reports whether there is not one value: somebody tried the URL.
func (p Params) Empty() bool { return len(p.json)+len(p.form)+len(p.query) == 0 }

var bom = []byte("\xef\xbb\xbf")

// EachParams hands every flat report of a request to read, whether it came as
// a query, a form, a JSON object or an array of them, and returns what Parse
// returns.
func EachParams(provider string, r *providers.Request, read func(*providers.Batch, Params)) ([]recipient.Event, error) {
	body := bytes.TrimSpace(bytes.TrimPrefix(r.Body, bom))
	if r.Method == http.MethodGet { // whatever a GET carries, no provider signs it
		body = nil
	}
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		query := r.Query()
		return Each(provider, "body", r.Body, nil, func(b *providers.Batch, m *map[string]wire.Text) {
			read(b, Params{json: *m, query: query})
		})
	}
	p := Params{query: r.Query()}
	if len(body) > 0 {
		form, err := r.Form()
		if err != nil {
			return nil, providers.Malformed(provider, "body", providers.ErrForm)
		}
		p.form = form
	}
	b := providers.NewBatch(provider, 1)
	read(b, p)
	return b.Done()
}

// Each hands the items of an array to read one by one, so that a bad one does
// not cost the others, and returns what Parse returns. Of several items only the
// rejected ones are kept, as one array; wrap, if not nil, puts that array back
// where the provider has it.
func Each[T any](provider, field string, array []byte, wrap func(array []byte) []byte, read func(*providers.Batch, *T)) ([]recipient.Event, error) {
	b, bad, err := batch.Array(provider, field, array, read)
	if bad != nil && wrap != nil {
		bad = wrap(bad)
	}
	return batch.Done(b, bad, err)
}
