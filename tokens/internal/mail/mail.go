// Package mail reads messages (RFC 5322, MIME) as they are: what is wrong with
// one must not keep the rest from being read.
package mail

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // texts come in every charset
)

// Limits of what is looked at.
const (
	maxFields = 2000
	maxField  = 16 << 10 // of one value
	maxParts  = 200
	maxText   = 8 << 20 // of all texts
)

// MaxLine is the most bytes of a line, without its end (RFC 5322, section 2.1.1).
const MaxLine = 998

// Field is one field of the header.
type Field struct {
	Name  string
	Value string // unfolded: what stands between the lines is one blank
}

// Text is a part that people read.
type Text struct {
	HTML    bool
	Content string // decoded, UTF-8
}

// Message is one mail.
type Message struct {
	Fields []Field
	Body   []byte // still encoded
	// LongLines are the numbers of the lines over MaxLine, the first ten.
	LongLines []int
}

// Read splits a message. It never fails: lines that are no field, such as the
// first one of a mailbox file, are skipped.
func Read(raw []byte) *Message {
	m := &Message{}
	rest := raw
	for n := 1; len(rest) > 0 && len(m.LongLines) < 10; n++ {
		var line []byte
		if line, rest = cut(rest); len(line) > MaxLine {
			m.LongLines = append(m.LongLines, n)
		}
	}
	for rest = raw; len(rest) > 0; {
		var line []byte
		line, rest = cut(rest)
		if len(line) == 0 {
			break
		}
		last := len(m.Fields) - 1
		if line[0] == ' ' || line[0] == '\t' {
			if last >= 0 && len(m.Fields[last].Value) < maxField {
				f := &m.Fields[last]
				f.Value = strings.TrimSpace(f.Value + " " + strings.TrimSpace(string(line)))
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") || len(m.Fields) >= maxFields {
			continue
		}
		m.Fields = append(m.Fields, Field{Name: string(name), Value: string(bytes.TrimSpace(value))})
	}
	m.Body = rest
	return m
}

// cut cuts at the first line end, CRLF or LF, and drops it.
func cut(raw []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(raw, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// All returns the fields of that name, in any case.
func (m *Message) All(name string) (out []Field) {
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f)
		}
	}
	return out
}

// Get returns the first value of that name; empty where there is none.
func (m *Message) Get(name string) string {
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Has reports whether there is a field of that name.
func (m *Message) Has(name string) bool { return len(m.All(name)) > 0 }

// Texts returns the parts that people read, but attachments. A part that cannot
// be decoded is an error beside those that can.
func (m *Message) Texts() (texts []Text, err error) {
	var h message.Header
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding", "Content-Disposition"} {
		if v := m.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	e, err := message.New(h, bytes.NewReader(m.Body))
	if e == nil {
		return nil, fmt.Errorf("the message: %w", err)
	}
	left, parts := int64(maxText), 0
	walk := e.Walk(func(_ []int, p *message.Entity, perr error) error {
		if parts++; parts > maxParts {
			return fmt.Errorf("more than %d parts", maxParts)
		}
		if p == nil {
			return perr
		}
		kind, _, kerr := p.Header.ContentType()
		if kerr != nil && kind == "" {
			kind = "text/plain"
		}
		disposition, _, _ := p.Header.ContentDisposition() //nolint:errcheck // none, then
		kind = strings.ToLower(kind)
		if kind != "text/plain" && kind != "text/html" || strings.EqualFold(disposition, "attachment") {
			return nil
		}
		b, rerr := io.ReadAll(io.LimitReader(p.Body, left))
		left -= int64(len(b))
		texts = append(texts, Text{HTML: kind == "text/html", Content: strings.ToValidUTF8(string(b), "\uFFFD")})
		if rerr != nil && err == nil {
			err = rerr
		}
		return nil
	})
	if walk != nil {
		err = walk
	}
	if err != nil && message.IsUnknownCharset(err) {
		err = nil // links are ASCII in every charset that mail uses
	}
	return texts, err
}
