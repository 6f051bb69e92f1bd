package handlers

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
)

// sendJSON writes v with the status set before.
func sendJSON(c *fiber.Ctx, v any) error {
	var b bytes.Buffer
	enc := stdjson.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err //nolint:wrapcheck // our own types always marshal
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Context().Response.SetBodyRaw(b.Bytes())
	return nil
}

// readJSON reads the body into v, whatever its Content-Type says. Unknown
// members are ignored; a member of the wrong type is named, never quoted. An
// empty body is accepted only where every member is optional.
func readJSON(c *fiber.Ctx, v any, optional bool) error {
	body := bytes.TrimSpace(bytes.Clone(c.BodyRaw()))
	if len(body) == 0 && optional {
		return nil
	}
	err := json.Unmarshal(body, v)
	var wrong *json.SemanticError
	switch {
	case string(body) == "null" && !optional: // a slip of a program, which would empty a contact
		return invalid("body", "not of the expected type")
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return invalid(fieldOf(wrong.JSONPointer), "not of the expected type")
	}
	return refuse(http.StatusBadRequest, "the body is not JSON")
}

// fieldOf turns "/recipients/3/address" into "recipients[3].address".
func fieldOf(p jsontext.Pointer) string {
	var b strings.Builder
	for t := range p.Tokens() {
		if _, err := strconv.Atoi(t); err == nil {
			b.WriteString("[" + t + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(recipient.Clean(t, 64))
	}
	if b.Len() == 0 {
		return "body"
	}
	return b.String()
}

// when is a time in JSON: null for never, and for the moment an echo counts as,
// which is a rank and no time.
func when(t time.Time) *time.Time {
	if !t.After(recipient.EchoAt) {
		return nil
	}
	return &t
}

// text is a string in JSON that is null when there is none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
