package templates

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// skeletons keeps the pages that everybody meets as they were rendered once,
// with gaps where links differ: filling the gaps takes a fraction of the time
// that rendering does. Only values that html/template would leave as they are go into
// gaps; whatever else comes is rendered.
type skeletons struct {
	known sync.Map // skeletonKey: []part
}

type skeletonKey struct {
	lang string
	view View // with gaps
}

// part is text, and the gap after it: none where it is -1.
type part struct {
	text string
	gap  int
}

// gaps stand for a link's path, masked address and send-out.
var gaps = [...]string{"/0gapPath0", "0gapAddress0", "0gapSendOut0"}

type fillings [len(gaps)]string

// hollow makes gaps in what pages show of a link.
func hollow(l *Link) (f fillings, ok bool) {
	for i, s := range []*string{&l.Path, &l.Address.text, &l.SendOut} {
		if *s == "" {
			continue
		}
		if !inert(*s) || i == 2 && (len(*s) > maxSendOutBytes || strings.Contains(*s, " ")) {
			return f, false
		}
		f[i], *s = *s, gaps[i]
	}
	return f, l.Path == "" || plainPath(f[0])
}

// inert reports whether a string means itself in HTML text and in a quoted
// attribute.
func inert(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.~/@ +%", r) && r != '•' {
			return false
		}
	}
	return true
}

// hollowView makes gaps in the view of a page that is worth keeping.
func hollowView(v View) (gapped View, f fillings, ok bool) {
	switch v := v.(type) {
	case Confirm:
		f, ok = hollow(&v.Link)
		return v, f, ok
	case Done:
		f, ok = hollow(&v.Link)
		return v, f, ok && v.Nonce == ""
	case Already:
		f, ok = hollow(&v.Link)
		return v, f, ok && v.Nonce == ""
	}
	return nil, f, false
}

// write writes a page that is known, or becomes known by render. It reports
// whether it did: else the page must be rendered.
func (k *skeletons) write(w io.Writer, lang string, v View, render func(io.Writer, View) error) (bool, error) {
	gapped, f, ok := hollowView(v)
	if !ok {
		return false, nil
	}
	key := skeletonKey{lang, gapped}
	parts, ok := k.known.Load(key)
	if !ok {
		var b bytes.Buffer
		if err := render(&b, gapped); err != nil {
			return true, err
		}
		parts, _ = k.known.LoadOrStore(key, split(b.String()))
	}
	var b bytes.Buffer
	b.Grow(8 << 10)
	for _, p := range parts.([]part) { //nolint:errcheck // nothing else is stored
		b.WriteString(p.text)
		if p.gap >= 0 {
			b.WriteString(f[p.gap])
		}
	}
	_, err := w.Write(b.Bytes())
	return true, err //nolint:wrapcheck // the writer's own
}

// split cuts a page at its gaps.
func split(doc string) []part {
	var parts []part
	for {
		at, gap := len(doc), -1
		for i, g := range gaps {
			if n := strings.Index(doc, g); n >= 0 && n < at {
				at, gap = n, i
			}
		}
		parts = append(parts, part{doc[:at], gap})
		if gap < 0 {
			return parts
		}
		doc = doc[at+len(gaps[gap]):]
	}
}
