package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// What a provider's words about a failed message look like; half a line of a
// mail server.
const (
	words  = "5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address"
	mxHost = "mx1.mail.example.com"
)

// ids counts the events of a whole run, so that none comes twice unless meant.
type ids struct{ next atomic.Int64 }

func (c *ids) take() int64 { return c.next.Add(1) }

// mgMaker makes Mailgun's report of a failed message, 1.4 kB as in its
// documentation, and signs it.
type mgMaker struct {
	secret string
	ids    *ids
	people *people
	parts  [][]byte

	repeat float64    // this share of the requests comes from old
	old    [][][]byte // of each worker
	keep   [][][]byte // of each worker, some of what it sent; nil: nothing is kept
}

// Places in the template, in the order of newMGMaker's cuts.
const (
	cutTimestamp = "@timestamp@"
	cutToken     = "@token@"
	cutSignature = "@signature@"
	cutID        = "@id@"
	cutAddress   = "@address@"
	cutAt        = "@at@"
)

func newMGMaker(secret string, c *ids, p *people) *mgMaker {
	type object = map[string]any
	body, err := json.Marshal(struct {
		Signature object `json:"signature"`
		Data      object `json:"event-data"`
	}{
		object{"timestamp": cutTimestamp, "token": cutToken, "signature": cutSignature},
		object{"event": "failed", "id": cutID, "timestamp": cutAt, "log-level": "error", "severity": "permanent", "reason": "bounce", "recipient": cutAddress,
			"recipient-domain": "mail.example.com", "recipient-provider": "Other",
			"envelope": object{"sender": "news@sender.example", "transport": "smtp", "targets": cutAddress, "sending-ip": "192.0.2.25"},
			"delivery-status": object{"attempt-no": 1, "code": 550, "enhanced-code": "5.1.1", "message": words, "description": "", "mx-host": mxHost, "session-seconds": 0.43,
				"retry-seconds": 600, "certificate-verified": true, "tls": true, "utf8": true, "first-delivery-attempt-seconds": 0.014},
			"flags":   object{"is-routed": false, "is-authenticated": true, "is-system-test": false, "is-test-mode": false, "is-delayed-bounce": false},
			"message": object{"headers": object{"to": cutAddress, "message-id": cutID + "@sender.example", "from": "Sender <news@sender.example>", "subject": "The news of the week"}, "attachments": []string{}, "size": 51234},
			"storage": object{"url": "https://storage.example.com/v3/domains/sender.example/messages/AwABBQ" + cutID, "region": "europe-west1", "key": "AwABBQ" + cutID},
			"tags":    []string{"newsletter", "week-48"}, "campaigns": []string{}, "user-variables": object{"customer": "4711", "list": "weekly"}},
	})
	if err != nil {
		panic(err) // the words above are JSON
	}
	m := &mgMaker{secret: secret, ids: c, people: p, old: make([][][]byte, maxWorkers)}
	body = bytes.ReplaceAll(body, []byte(`"`+cutAt+`"`), []byte(cutAt)) // a number
	for len(body) > 0 {
		at, which := len(body), ""
		for _, cut := range [...]string{cutTimestamp, cutToken, cutSignature, cutID, cutAddress, cutAt} {
			if i := bytes.Index(body, []byte(cut)); i >= 0 && i < at {
				at, which = i, cut
			}
		}
		m.parts = append(m.parts, body[:at], []byte(which))
		body = body[at+len(which):]
	}
	return m
}

// maxWorkers bounds what belongs to a worker.
const maxWorkers = 512

// eventID is Mailgun's id of an event.
func eventID(id int64) string { return "Ase7i2zsRYeDXztHGENqRA-" + strconv.FormatInt(id, 10) }

func (m *mgMaker) next(worker int, buf []byte) ([]byte, bool) {
	id := m.ids.take()
	if old := m.old[worker]; m.repeat > 0 && len(old) > 0 && float64(id%1000) < 1000*m.repeat {
		m.old[worker] = old[1:]
		return append(buf, old[0]...), true
	}
	buf = m.request(buf, id, m.people.draw())
	if m.keep != nil && id%100 < 2 {
		m.keep[worker] = append(m.keep[worker], bytes.Clone(buf))
	}
	return buf, true
}

func (m *mgMaker) request(buf []byte, id int64, person int) []byte {
	now := time.Now()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	token := fmt.Sprintf("%050x", id)
	mac := hmac.New(sha256.New, []byte(m.secret))
	mac.Write([]byte(timestamp)) //nolint:errcheck // a hash never fails
	mac.Write([]byte(token))     //nolint:errcheck // a hash never fails
	to := address(person)
	body := make([]byte, 0, 2048)
	for _, p := range m.parts {
		switch string(p) {
		case cutTimestamp:
			body = append(body, timestamp...)
		case cutToken:
			body = append(body, token...)
		case cutSignature:
			body = hex.AppendEncode(body, mac.Sum(nil))
		case cutID:
			body = append(body, eventID(id)...)
		case cutAddress:
			body = append(body, to...)
		case cutAt:
			body = strconv.AppendFloat(body, float64(now.UnixMilli())/1000, 'f', 3, 64)
		default:
			body = append(body, p...)
		}
	}
	return post(buf, "/webhooks/mailgun", "application/json", body)
}

// sgMaker makes signed arrays of bounces. Signing takes longer than all else,
// so they are made before the measurement.
type sgMaker struct {
	key    *ecdsa.PrivateKey
	public string // as SendGrid shows it
	ids    *ids
	people *people
	ready  chan []byte
}

func newSGMaker(c *ids, p *people) (*sgMaker, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return &sgMaker{key: key, public: base64.StdEncoding.EncodeToString(der), ids: c, people: p}, nil
}

// prepare makes requests of a number of events each.
func (s *sgMaker) prepare(requests, events int) error {
	s.ready = make(chan []byte, requests)
	for range requests {
		r, err := s.request(events)
		if err != nil {
			return err
		}
		s.ready <- r
	}
	return nil
}

func (s *sgMaker) request(events int) ([]byte, error) {
	now := time.Now()
	body := []byte{'['}
	for i := range events {
		if i > 0 {
			body = append(body, ',')
		}
		id := s.ids.take()
		body = fmt.Appendf(body, `{"email":%q,"event":"bounce","type":"bounce","timestamp":%d,"smtp-id":"<%d@sender.example>","sg_event_id":"evt-%032d","sg_message_id":"filter0001p1mdw1-%d.0",`+
			`"bounce_classification":"Invalid Address","status":"5.1.1","reason":%q,"ip":"192.0.2.25","tls":1,"category":["newsletter"],"customer":"4711"}`,
			address(s.people.draw()), now.Unix(), id, id, id, "550 "+words)
	}
	body = append(body, ']')
	timestamp := strconv.FormatInt(now.Unix(), 10)
	h := sha256.New()
	h.Write([]byte(timestamp)) //nolint:errcheck // a hash never fails
	h.Write(body)              //nolint:errcheck // a hash never fails
	sig, err := ecdsa.SignASN1(rand.Reader, s.key, h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return post(nil, "/webhooks/sendgrid", "application/json", body, "X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(sig),
		"X-Twilio-Email-Event-Webhook-Timestamp", timestamp), nil
}

func (s *sgMaker) next(_ int, buf []byte) ([]byte, bool) {
	select {
	case r := <-s.ready:
		return append(buf, r...), true
	default:
		return buf, false
	}
}

// bounces makes the events that the service would make of Mailgun's reports,
// sorted by key as a batch is: what the bare statements write.
func bounces(n int, c *ids, p *people) []recipient.Event {
	now := recipient.Micro(time.Now())
	out := make([]recipient.Event, 0, n)
	seen := make(map[recipient.Key]bool, n)
	for len(out) < n {
		id := c.take()
		a, k := p.person(p.draw())
		if seen[k] {
			continue
		}
		seen[k] = true
		eventID := eventID(id)
		e := recipient.Event{Kind: recipient.HardBounce, Address: a, Channel: recipient.Email, Key: k, At: now, ReceivedAt: now, Source: recipient.FromProvider,
			Endpoint: "mailgun", EventID: eventID, MessageID: eventID + "@sender.example", Code: "5.1.1", Rule: "mailgun-enhanced", Detail: words}
		e.Fingerprint = recipient.NewFingerprint(e.Endpoint, []string{"failed", eventID, now.Format(time.DateOnly)}, k, e.Kind)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b recipient.Event) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return out
}
