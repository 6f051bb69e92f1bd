package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
)

// problem is an answer that is not a success: RFC 9457 when it is written.
// Detail never holds a path, an address, a token or a part of a body.
type problem struct {
	status int
	detail string
	header map[string]string
	extra  map[string]any // members beyond those of RFC 9457
	cause  error          // for the log

	// On routes for people: the page instead of the plain "unavailable", and its language.
	view templates.View
	lang string
}

func (p *problem) Error() string {
	if p.cause != nil && p.cause.Error() != p.detail {
		return fmt.Sprintf("%d: %s: %v", p.status, p.detail, p.cause)
	}
	return fmt.Sprintf("%d: %s", p.status, p.detail)
}

func (p *problem) Unwrap() error { return p.cause }

func refuse(status int, detail string) *problem { return &problem{status: status, detail: detail} }

// with adds an extension member.
func (p *problem) with(name string, value any) *problem {
	if p.extra == nil {
		p.extra = map[string]any{}
	}
	p.extra[name] = value
	return p
}

func (p *problem) head(name, value string) *problem {
	if p.header == nil {
		p.header = map[string]string{}
	}
	p.header[name] = value
	return p
}

// invalid is a 422 that names the field.
func invalid(field, expected string) *problem {
	return refuse(http.StatusUnprocessableEntity, field+": "+expected).with("field", field)
}

// retryAfter is what a client is told to wait when we cannot store: about as
// long as a database takes to restart.
const retryAfter = 10 * time.Second

// busy answers with the status that makes this client come again.
func busy(status int, cause error) *problem {
	return (&problem{status: status, detail: "cannot store now, please try again", cause: cause}).
		head(fiber.HeaderRetryAfter, strconv.Itoa(int(retryAfter.Seconds())))
}

// problemOf is the one table from errors to answers.
func problemOf(err error) *problem {
	var p *problem
	var shared *store.SharedError
	var fe *fiber.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, store.ErrNotFound):
		return &problem{status: http.StatusNotFound, detail: "there is no such record", cause: err}
	case errors.As(err, &shared):
		return (&problem{status: http.StatusConflict, cause: err,
			detail: "the new address belongs to another contact; send accept_shared to let them share it"}).
			with("channel", shared.Channel).with("contacts", shared.Contacts)
	case errors.Is(err, store.ErrConsent):
		return invalid("consent", "source and wording are required")
	case errors.Is(err, providers.ErrUnauthentic):
		return refuse(http.StatusUnauthorized, err.Error())
	case errors.Is(err, recipient.ErrAddress), errors.Is(err, recipient.ErrShortCode), errors.Is(err, recipient.ErrChannel):
		return refuse(http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, store.ErrInvalid): // it names the field, never its value
		return refuse(http.StatusUnprocessableEntity, strings.TrimPrefix(err.Error(), "store: "))
	case errors.Is(err, errEncoding):
		return refuse(http.StatusUnsupportedMediaType, err.Error()).head(fiber.HeaderAcceptEncoding, "gzip, identity")
	case errors.Is(err, errBadGzip):
		return refuse(http.StatusBadRequest, err.Error())
	case errors.Is(err, errInflatedBig):
		return refuse(http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, store.ErrUnavailable):
		return busy(http.StatusServiceUnavailable, err)
	case errors.As(err, &fe):
		return fromFiber(fe)
	}
	// What we did not foresee is ours, and worth another try.
	return busy(http.StatusServiceUnavailable, err)
}

// fromFiber keeps the status and replaces the text: Fiber's own quotes the path.
func fromFiber(fe *fiber.Error) *problem {
	detail := map[int]string{
		http.StatusNotFound:                    "there is nothing here",
		http.StatusMethodNotAllowed:            "this method is not allowed here",
		http.StatusRequestTimeout:              "the request took too long to arrive",
		http.StatusRequestEntityTooLarge:       "the body is too large",
		http.StatusRequestHeaderFieldsTooLarge: "the headers are too large",
		http.StatusBadRequest:                  "the request is not valid HTTP",
	}[fe.Code]
	if detail == "" {
		detail = http.StatusText(fe.Code)
	}
	return refuse(fe.Code, detail)
}

const problemType = "application/problem+json"

// write sends the problem. Instance is the route pattern.
func (p *problem) write(c *fiber.Ctx, instance string) error {
	body := map[string]any{"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "detail": p.detail}
	if instance != "" {
		body["instance"] = instance
	}
	for k, v := range p.extra {
		body[k] = v
	}
	for k, v := range p.header {
		c.Set(k, v)
	}
	c.Status(p.status)
	if err := sendJSON(c, body); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, problemType)
	return nil
}
