// Package dsn reads raw mail that came back: delivery reports (RFC 3464),
// complaints (ARF, RFC 5965; Outlook's JMRP) and the bounces of mail servers
// that follow neither. The mail is posted as it is, or in a field of a form or
// of JSON, as inbound relays do.
//
// Enhanced codes: RFC 3463 and the IANA registry; the forms of qmail, Exim,
// Sendmail, Gmail, Exchange and others as their sources and mails show them
// (read 2026-11-20). go-message undoes transfer encodings and charsets.
//
// A mail proves nothing of itself: anybody can write one that says "5.1.1".
// With the setting verp_secret only a report that brings a proof minted by us
// for that very address may block it (see Verp); all others count as soft.
package dsn

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/verp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "dsn"

// VerpSetting is the setting whose values make and check return paths.
const VerpSetting = verp.Setting

// IDHeader is a header field that may carry Verp's Token in the mail itself. It
// comes back with the returned original where the return path does not.
const IDHeader = verp.IDHeader

// Verp makes return paths for mail and checks them on bounces.
type Verp = verp.Verp

// NewVerp takes the values of verp_secret. The first one mints, every one of
// them proves.
func NewVerp(secrets ...string) Verp { return verp.New(secrets...) }

var errNotMail = errors.New("not a mail")

type adapter struct {
	token.Header
	verp verp.Verp
}

// New takes the settings "verp_secret" and "auth_token", both optional.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{token.New(name, s), NewVerp(s.All(VerpSetting)...)}, nil
}

// Parse returns the events of one mail. A mail that reports nothing gives no
// events and no error.
func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	raw, paths := posted(r)
	if len(strings.TrimSpace(string(raw))) == 0 {
		return nil, providers.Malformed(name, "mail", providers.ErrMissing)
	}
	l := read(raw)
	if len(l.header) == 0 {
		return nil, providers.Malformed(name, "mail", errNotMail)
	}
	d := &reader{letter: l, verp: a.verp, batch: providers.NewBatch(name, 1)}
	d.event.At, d.event.MessageID = l.when(), smtp.MessageID(l.returned.get("Message-ID"))
	if d.event.EventID = smtp.MessageID(l.get("Message-ID")); d.event.EventID == "" {
		sum := sha256.Sum256(raw)
		d.event.EventID = hex.EncodeToString(sum[:])
	}
	d.collectPaths(paths)
	switch {
	case len(l.feedback) > 0:
		d.complaint()
	case d.jmrp():
	case l.receipt:
	case len(l.status) > 0 && d.deliveryReport():
	default:
		d.plain()
	}
	return d.batch.Done()
}

// Names of fields in which inbound relays pass the raw mail and its envelope
// recipient: SendGrid (email, envelope), Mailgun (body-mime, recipient), Postal
// (message, base64, rcpt_to), Postmark (RawEmail, OriginalRecipient).
var (
	mailFields = []string{"email", "body-mime", "message", "raw", "mime", "rfc822", "mail", "RawEmail", "raw_email"}
	rcptFields = []string{"rcpt", "recipient", "rcpt_to", "envelope_to", "envelope", "to", "OriginalRecipient"}
)

// posted returns the raw mail of a request and the envelope recipients that
// stand beside it.
func posted(r *providers.Request) (raw []byte, paths []string) {
	paths = append(paths, r.Header.Values("X-Original-To")...)
	paths = append(paths, r.Header.Values("Delivered-To")...)
	query := r.Query()
	for _, f := range rcptFields {
		paths = append(paths, query[f]...)
	}
	kind := strings.ToLower(r.Header.Get("Content-Type"))
	switch {
	case strings.HasPrefix(kind, "multipart/form-data"), strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		form, err := r.Form()
		if err != nil {
			return r.Body, paths // curl calls everything a form when it is told nothing
		}
		for _, f := range rcptFields {
			paths = append(paths, form[f]...)
		}
		for _, f := range mailFields {
			if file := r.File(f); len(file) > 0 {
				return file, paths
			}
			if v := form.Get(f); v != "" {
				return unwrap(v, wire.Text(form.Get("base64")).Bool()), paths
			}
		}
	case strings.HasPrefix(kind, "application/json"), len(r.Body) > 0 && r.Body[0] == '{':
		var fields map[string]wire.Text
		if wire.Decode(r.Body, &fields) != nil {
			return nil, nil
		}
		for _, f := range rcptFields {
			if v := fields[f].String(); v != "" {
				paths = append(paths, v)
			}
		}
		for _, f := range mailFields {
			if v := string(fields[f]); v != "" {
				return unwrap(v, fields["base64"].Bool()), paths
			}
		}
		return nil, nil
	}
	return r.Body, paths
}

// unwrap undoes base64, which a mail is never by chance: it has a colon.
func unwrap(v string, encoded bool) []byte {
	if encoded || !strings.Contains(v, ":") {
		if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v), "")); err == nil {
			return b
		}
	}
	return []byte(v)
}
