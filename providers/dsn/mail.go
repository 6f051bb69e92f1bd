package dsn

import (
	"bytes"
	"io"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // human parts come in every charset
)

// Limits of what is read of one mail. A report is small; what is large is the
// returned original, of which only the header matters.
const (
	maxPartBytes = 1 << 20
	maxParts     = 100
	maxDepth     = 10

	maxFields     = 1000
	maxFieldBytes = 64 << 10
)

// header holds the fields of one header block, in order.
type header []struct{ name, value string }

// all returns the values of every field of that name.
func (h header) all(name string) (out []string) {
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			out = append(out, f.value)
		}
	}
	return out
}

// get returns the first value, "" where there is none.
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// readHeader reads header fields up to the empty line. It does so by itself
// because go-message gives the whole mail up at the first line that is no
// field, and mail servers write such lines. Those are skipped.
func readHeader(raw []byte) (h header, rest []byte) {
	name, value := "", []byte(nil) // the field that may still go on
	flush := func() {
		if name != "" && len(h) < maxFields {
			h = append(h, struct{ name, value string }{name, string(value)})
		}
		name = ""
	}
	for len(raw) > 0 {
		line, more := cutLine(raw)
		raw = more
		trimmed := bytes.TrimSpace(line)
		if len(trimmed) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(value) < maxFieldBytes {
				value = append(append(value, ' '), trimmed...)
			}
			continue
		}
		n, v, ok := bytes.Cut(trimmed, []byte(":"))
		n = bytes.TrimRight(n, " \t")
		if !ok || len(n) == 0 || bytes.ContainsAny(n, " \t") {
			continue
		}
		flush()
		v = bytes.TrimSpace(v)
		name, value = string(n), append([]byte(nil), v[:min(len(v), maxFieldBytes)]...)
	}
	flush()
	return h, raw
}

// cutLine cuts at the first line end, CRLF or LF, and drops it.
func cutLine(raw []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(raw, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// part is a mail or a part of one.
type part struct {
	header header
	kind   string // media type in lower case
	params map[string]string
	body   []byte // still encoded
}

func readPart(raw []byte) part {
	p := part{}
	p.header, p.body = readHeader(raw)
	h := p.mime()
	kind, params, err := h.ContentType()
	p.kind, p.params = strings.ToLower(kind), params
	if err != nil && p.params["boundary"] == "" { // a boundary that should have been quoted
		p.params = map[string]string{"boundary": looseParam(p.header.get("Content-Type"), "boundary="), "report-type": looseParam(p.header.get("Content-Type"), "report-type=")}
	}
	return p
}

// mime returns the two fields that say how the body is to be read.
func (p part) mime() message.Header {
	var h message.Header
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding"} {
		if v := p.header.get(name); v != "" {
			h.Set(name, v)
		}
	}
	return h
}

func looseParam(field, key string) string {
	i := strings.Index(strings.ToLower(field), key)
	if i < 0 || len(strings.ToLower(field)) != len(field) {
		return ""
	}
	v, _, _ := strings.Cut(field[i+len(key):], ";")
	return strings.Trim(strings.TrimSpace(v), `"`)
}

// decoded returns the body without its transfer encoding, in UTF-8 where the
// charset is known. What cannot be decoded to its end is kept up to there.
func (p part) decoded() []byte {
	e, err := message.New(p.mime(), bytes.NewReader(p.body))
	if e == nil || err != nil && e.Body == nil {
		return p.body
	}
	out, _ := io.ReadAll(io.LimitReader(e.Body, maxPartBytes)) //nolint:errcheck // the readable part is what we want
	return out
}

// children returns the parts of a multipart body.
func (p part) children() (out []part) {
	boundary := p.params["boundary"]
	if boundary == "" {
		return nil
	}
	open, end := []byte("--"+boundary), []byte("--"+boundary+"--")
	start, at := -1, 0
	for rest := p.body; len(rest) > 0 && len(out) < maxParts; {
		line, more := cutLine(rest)
		line = bytes.TrimRight(line, " \t")
		next := at + len(rest) - len(more)
		if last := bytes.Equal(line, end); last || bytes.Equal(line, open) {
			if start >= 0 {
				out = append(out, readPart(p.body[start:at]))
			}
			if start = next; last {
				return out
			}
		}
		at, rest = next, more
	}
	if start >= 0 && start < len(p.body) { // the end is missing
		out = append(out, readPart(p.body[start:]))
	}
	return out
}

// letter is a mail that may report something.
type letter struct {
	header
	kind     string // media type of the whole
	report   string // report-type of the whole
	status   []part // delivery reports, RFC 3464
	feedback []part // complaints, RFC 5965
	receipt  bool   // a disposition notification, RFC 8098
	text     string // what is written for people
	returned header // of the mail that the report is about
	parts    int
}

// read takes a raw mail apart.
func read(raw []byte) *letter {
	raw = bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), "\r\n")
	if bytes.HasPrefix(raw, []byte("From ")) { // an mbox separator
		_, raw = cutLine(raw)
	}
	p := readPart(raw)
	l := &letter{header: p.header, kind: p.kind, report: strings.ToLower(p.params["report-type"])}
	l.walk(p, 0)
	return l
}

// walk never goes into a returned mail: that may itself be somebody else's
// bounce, which is none of this report.
func (l *letter) walk(p part, depth int) {
	l.parts++
	if depth > maxDepth || l.parts > maxParts {
		return
	}
	_, sub, _ := strings.Cut(p.kind, "/")
	switch {
	case strings.HasPrefix(p.kind, "multipart/"):
		for _, c := range p.children() {
			l.walk(c, depth+1)
		}
	case sub == "delivery-status", sub == "global-delivery-status":
		l.status = append(l.status, p)
	case sub == "feedback-report":
		l.feedback = append(l.feedback, p)
	case sub == "disposition-notification", sub == "global-disposition-notification":
		l.receipt = true
	case p.kind == "message/rfc822", p.kind == "message/global", sub == "rfc822-headers", p.kind == "message/global-headers":
		if l.returned == nil {
			l.returned, _ = readHeader(p.decoded())
		}
	case p.kind == "text/plain", p.kind == "":
		if len(l.text) < maxPartBytes {
			l.text += string(p.decoded()) + "\n"
		}
	}
}

// when returns when the report was written.
func (l *letter) when() time.Time {
	if t := date(l.get("Date")); !t.IsZero() {
		return t
	}
	_, at, _ := strings.Cut(l.get("Received"), ";")
	return date(at)
}

// date reads an RFC 5322 date; without a zone it is UTC. The zero time for
// anything else.
func date(s string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	for _, try := range []string{s, s + " +0000"} {
		if t, err := mail.ParseDate(try); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t.UTC()
		}
	}
	return time.Time{}
}
