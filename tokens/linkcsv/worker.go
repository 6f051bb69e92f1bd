package linkcsv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/tokens"
)

// errNoAddress is the reason for a reject that is not that of an address.
var errNoAddress = errors.New("no address")

// row is a record with a recipient.
type row struct {
	raw      []byte
	key      recipient.Key
	channel  recipient.Channel
	language string
	leaveOut bool
	code     int // in worker.codes, of the short link; -1: none
	mail     int // of the mailto
}

// worker fills one job. Its slices are used again.
type worker struct {
	r     *run
	j     *job
	rec   listcsv.Record
	list  []row
	keys  []recipient.Key
	codes []Code
	url   []byte
	text  []byte
	langs map[string]string // as in the column, to a language tag
}

func (w *worker) reset(r *run, j *job) {
	w.r, w.j = r, j
	w.list, w.keys, w.codes = w.list[:0], w.keys[:0], w.codes[:0]
	if w.langs == nil {
		w.langs = map[string]string{}
	}
}

// header takes the names of the columns off the chunk.
func (w *worker) header() {
	c := &w.j.chunk
	for len(c.Buf) > 0 {
		n, err := w.rec.Read(c.Buf, w.r.lay.Delim, 0)
		c.Buf = c.Buf[n:]
		c.Line += w.rec.Lines
		if err != nil {
			w.reject(c.Line-1, w.rec.Raw, err)
		}
		if err != nil || len(w.rec.Raw) == 0 {
			continue
		}
		raw, err := w.utf8(w.rec.Raw)
		if err != nil {
			raw = bytes.ToValidUTF8(w.rec.Raw, []byte("\uFFFD"))
		}
		w.j.out = append(w.j.out, raw...)
		for _, name := range w.columns() {
			w.j.out = append(append(w.j.out, w.r.lay.Delim), name...)
		}
		w.j.out = append(w.j.out, w.r.tail...)
		return
	}
}

func (w *worker) columns() []string {
	if w.r.cfg.SubOnly {
		return []string{Sub}
	}
	return []string{URL, ListUnsubscribe, ListUnsubscribePost}
}

// rows reads the records of the chunk.
func (w *worker) rows() {
	line, rest := w.j.chunk.Line, w.j.chunk.Buf
	for len(rest) > 0 {
		n, err := w.rec.Read(rest, w.r.lay.Delim, w.r.want)
		rest = rest[n:]
		at := line
		line += w.rec.Lines
		if err == nil && len(w.rec.Raw) == 0 {
			continue // an empty line
		}
		if err == nil && w.rec.Count != w.r.lay.Columns {
			err = fmt.Errorf("%d fields instead of %d", w.rec.Count, w.r.lay.Columns)
		}
		if err == nil {
			err = w.row()
		}
		if err != nil {
			w.reject(at, w.rec.Raw, err)
		}
	}
}

// row takes the recipient out of a record.
func (w *worker) row() error {
	raw, err := w.utf8(w.rec.Raw)
	if err != nil {
		return err
	}
	a, err := w.address()
	if err != nil {
		return err
	}
	l := row{raw: raw, key: w.r.cfg.Keyer.Key(a), channel: a.Channel(), language: w.r.cfg.Options.Language, code: -1, mail: -1}
	if i := w.r.lay.language; i >= 0 {
		if tag := w.tag(listcsv.Value(w.rec.Fields[i])); tag != "" {
			l.language = tag
		}
	}
	w.list = append(w.list, l)
	return nil
}

// utf8 returns the record as UTF-8.
func (w *worker) utf8(raw []byte) ([]byte, error) {
	return w.rec.UTF8(raw, w.r.in.ASCII, w.r.lay.Delim, w.r.want) //nolint:wrapcheck // it says all
}

// address returns the recipient of the record.
func (w *worker) address() (recipient.Address, error) {
	l, c := w.r.lay, &w.r.cfg
	for _, col := range [2]struct {
		i  int
		ch recipient.Channel
	}{{l.email, recipient.Email}, {l.phone, recipient.SMS}} {
		if col.i < 0 || c.Channel != "" && c.Channel != col.ch {
			continue
		}
		v := listcsv.Value(w.rec.Fields[col.i])
		if len(v) == 0 || len(bytes.TrimSpace(v)) == 0 {
			continue
		}
		ch := col.ch
		if l.email == l.phone && bytes.IndexByte(v, '@') < 0 { // one column for both
			ch = recipient.SMS
		}
		a, err := recipient.Parse(ch, string(v), c.Region)
		if err != nil {
			return a, fmt.Errorf("%s: %w", l.Name(col.i), err)
		}
		return a, nil
	}
	return recipient.Address{}, errNoAddress
}

// tag reads a language; what is none is empty.
func (w *worker) tag(v []byte) string {
	if tag, ok := w.langs[string(v)]; ok {
		return tag
	}
	tag := listcsv.LanguageTag(string(v))
	if !tokens.ValidLanguage(tag) {
		tag = ""
	}
	if len(w.langs) < 1000 { // a column of something else does not fill the memory
		w.langs[string(v)] = tag
	}
	return tag
}

// propose makes codes for the rows that need them.
func (w *worker) propose(short, mail bool) error {
	o := w.r.cfg.Options
	add := func(length int, c Code) (int, error) {
		var err error
		if c.Code, err = tokens.NewCode(w.r.cfg.Rand, length); err != nil {
			return -1, err //nolint:wrapcheck // it says all
		}
		w.codes = append(w.codes, c)
		return len(w.codes) - 1, nil
	}
	for i := range w.list {
		l := &w.list[i]
		if l.leaveOut {
			continue
		}
		var err error
		if short {
			length := tokens.SMSCodeLen
			if l.channel == recipient.Email {
				length = tokens.MailCodeLen
			}
			if l.code, err = add(length, Code{Key: l.key, Channel: l.channel, SendOut: o.SendOut, Language: l.language, Preview: o.Preview}); err != nil {
				return err
			}
		}
		switch {
		case !mail || l.channel != recipient.Email:
		case short:
			l.mail = l.code
		default:
			// Without the send-out, so that there is one for each recipient, not one for
			// each message.
			l.mail, err = add(tokens.MailCodeLen, Code{Key: l.key, Channel: l.channel, Preview: o.Preview})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// links writes the rows with their links.
func (w *worker) links() error {
	c, out, sum := &w.r.cfg, w.j.out, &w.j.sum
	d := w.r.lay.Delim
	var batch *tokens.Batch
	for i := range w.list {
		l := &w.list[i]
		sum.Rows++
		if l.leaveOut {
			sum.Suppressed++
			continue
		}
		out = append(append(out, l.raw...), d)
		switch {
		case c.SubOnly:
			out = append(out, l.key.String()...)
		case l.code >= 0:
			w.url = c.Linker.AppendShortURL(w.url[:0], w.codes[l.code].Code)
			out = w.fields(out, l)
		default:
			o := c.Options
			o.Language = l.language
			var err error
			if batch == nil {
				if batch, err = c.Linker.NewBatch(); err != nil {
					return fmt.Errorf("mint a link: %w", err)
				}
			}
			if w.url, err = batch.AppendURL(w.url[:0], l.key, l.channel, o); err != nil {
				return fmt.Errorf("mint a link: %w", err)
			}
			sum.Minted++
			out = w.fields(out, l)
		}
		out = append(out, w.r.tail...)
		sum.Written++
		if w.r.sms != nil {
			if err := w.measure(l); err != nil {
				return err
			}
		}
	}
	w.j.out = out
	return nil
}

// fields writes the three columns of the link in w.url.
func (w *worker) fields(out []byte, l *row) []byte {
	d := w.r.lay.Delim
	out = append(append(out, w.url...), d)
	code := ""
	if l.mail >= 0 {
		code = w.codes[l.mail].Code
	}
	// No quote stands in a header, and only a comma can be a delimiter.
	start := len(out)
	out = w.r.cfg.Linker.AppendListUnsubscribe(out, w.url, code)
	if bytes.IndexByte(out[start:], d) >= 0 {
		out = append(slices.Insert(out, start, '"'), '"')
	}
	return append(append(out, d), tokens.ListUnsubscribePost...)
}

func (w *worker) measure(l *row) error {
	if w.r.sms.columns { // the record is split again: only here more of it is needed
		if _, err := w.rec.Read(l.raw, w.r.lay.Delim, w.r.want); err != nil {
			return err
		}
	}
	w.text = w.r.sms.append(w.text[:0], w.url, w.rec.Fields)
	w.j.sum.SMS.count(w.text)
	return nil
}

// reject sets a record aside.
func (w *worker) reject(line int, raw []byte, why error) {
	if w.j.sum.Rejected == 0 {
		w.j.sum.FirstLine, w.j.sum.First = line, why
	}
	w.j.sum.Rejected++
	w.j.bad = w.r.lay.AppendReject(w.j.bad, line, why.Error(), raw)
}
