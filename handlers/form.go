package handlers

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// clickForm is what the body of a POST to a link says. A valid link opts out
// whatever the body: it only tells how.
type clickForm struct {
	via     string
	all     bool   // "stop everything"
	nonce   string // of a confirmation page
	words   string // the version of what the page said
	address string // typed on the page of a broken link
}

const (
	maxFormBytes = 8 << 10
	maxFormParts = 20
)

// readForm reads the body leniently: any Content-Type, urlencoded or
// multipart, cut to 8 KiB.
func readForm(c *fiber.Ctx) clickForm {
	body := c.Context().PostBody()
	body = bytes.Clone(body[:min(len(body), maxFormBytes)])
	values := parseForm(string(c.Request().Header.ContentType()), body)
	f := clickForm{via: viaBare, all: truthy(values.Get("all")), nonce: values.Get("nonce"), words: values.Get("words"), address: values.Get("address")}
	switch {
	case strings.EqualFold(values.Get("List-Unsubscribe"), "One-Click"):
		f.via = viaOneClick
	case len(values) > 0:
		f.via = viaForm
	}
	return f
}

func truthy(v string) bool { return v == "1" || v == "on" || v == "true" || v == "yes" }

// parseForm returns the fields it knows. Field names are compared as written,
// except for that of RFC 8058.
func parseForm(contentType string, body []byte) url.Values {
	known := url.Values{}
	add := func(name, value string) {
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, "List-Unsubscribe"):
			known.Add("List-Unsubscribe", strings.TrimSpace(value))
		case name == "all" || name == "nonce" || name == "words" || name == "address" || name == "via":
			known.Add(name, strings.TrimSpace(value))
		}
	}
	// The guess also helps where the boundary is not the one that was announced,
	// as in the example of RFC 8058, section 8.2.
	_, params, _ := mime.ParseMediaType(contentType) //nolint:errcheck // no parameters, then
	multi := false
	for _, boundary := range []string{params["boundary"], guessBoundary(body)} {
		if boundary != "" && len(known) == 0 {
			multi = true
			eachPart(body, boundary, add)
		}
	}
	if multi {
		return known
	}
	for pair := range strings.SplitSeq(string(bytes.TrimSpace(body)), "&") {
		name, value, _ := strings.Cut(pair, "=")
		add(unescape(name), unescape(value))
	}
	return known
}

func eachPart(body []byte, boundary string, add func(name, value string)) {
	mr := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFormParts {
		part, err := mr.NextRawPart()
		if err != nil {
			return
		}
		value, err := io.ReadAll(part)
		if err != nil && len(value) == 0 {
			return
		}
		add(part.FormName(), string(value))
	}
}

func unescape(s string) string {
	if v, err := url.QueryUnescape(s); err == nil {
		return v
	}
	return s
}

// guessBoundary reads the boundary off the first line of a multipart body
// whose Content-Type was lost on the way.
func guessBoundary(body []byte) string {
	line, _, ok := bytes.Cut(body, []byte("\n"))
	line = bytes.TrimRight(line, "\r ")
	if !ok || !bytes.HasPrefix(line, []byte("--")) || len(line) < 3 || len(line) > 72 {
		return ""
	}
	return string(line[2:])
}
