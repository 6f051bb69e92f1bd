package sns

import (
	"bytes"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/wire"
)

// Record is what a service published, out of its envelope.
type Record struct {
	Body []byte // JSON; nil: nothing to read
	ID   string // the id of the delivery, the same when it is repeated
	Time string // when it was published
	Type string // EventBridge's "detail-type", else empty
}

// eventBridge is what an EventBridge rule sends to an API destination, or
// publishes to a topic.
type eventBridge struct {
	ID         wire.Text `json:"id"`
	DetailType wire.Text `json:"detail-type"`
	Time       wire.Text `json:"time"`
	Detail     wire.Raw  `json:"detail"`
}

// validated begins what SES publishes when a topic is chosen.
const validated = "Successfully validated SNS topic"

// Unwrap returns the record of a notification, of a raw delivery or of an
// EventBridge event. Confirmations, and notifications in plain words, such as
// "Successfully validated SNS topic", have none. Errors are ParseErrors.
func Unwrap(provider string, r *providers.Request) (Record, error) {
	if bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte(validated)) { // raw delivery
		return Record{}, nil
	}
	e, err := Read(r)
	if err != nil {
		return Record{}, providers.Malformed(provider, "body", providers.ErrNotJSON)
	}
	rec := Record{Body: r.Body, ID: strings.TrimSpace(r.Header.Get("X-Amz-Sns-Message-Id"))}
	switch e.Type {
	case Notification:
		inner := strings.TrimSpace(e.Message)
		if !strings.HasPrefix(inner, "{") {
			return Record{}, nil
		}
		rec = Record{Body: []byte(inner), ID: e.MessageID, Time: e.Timestamp}
	case Subscription, Unsubscription:
		return Record{}, nil
	}
	if !bytes.Contains(rec.Body, []byte(`"detail-type"`)) {
		return rec, nil
	}
	var b eventBridge
	if err := wire.Decode(rec.Body, &b); err != nil {
		return Record{}, providers.Malformed(provider, "body", providers.ErrNotJSON)
	}
	if b.DetailType == "" || b.Detail.Kind() != '{' {
		return rec, nil
	}
	return Record{Body: b.Detail, ID: firstOf(b.ID.String(), rec.ID), Time: firstOf(b.Time.String(), rec.Time), Type: b.DetailType.String()}, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
