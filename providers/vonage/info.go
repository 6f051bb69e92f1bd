package vonage

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Vonage.
var Info = providers.Info{
	Name:     name,
	Title:    "Vonage (SMS API, Messages API)",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts",
	Signing:  providers.SignsOption,
	Settings: append([]providers.Setting{
		{Name: "signing_secret", Help: "The signature secret of the account, in API settings (not the API secret).", List: true, Verifies: true},
		{Name: methodSetting, Help: "The signature method in API settings; only the SMS API uses it. Not set: any of them is accepted.", Choices: []string{"md5hash", "md5", "sha1", "sha256", "sha512"}},
	}, sms.WordSettings...),
	RetryFor:  24 * time.Hour,
	RetryNote: "Every answer but 2xx is followed by another attempt, for 24 hours.",
	Setup: []string{
		"In the Vonage dashboard open API settings and note the signature secret; choose SHA-256 HMAC as the signature method.",
		"SMS API: enter {url} under Delivery receipts and under Inbound SMS webhooks; any HTTP method is read. Its webhooks are unsigned until you ask Vonage's support to sign them; until then leave signing_secret out and give this endpoint a path_secret.",
		"Messages API: open the application, Messages, and enter {url} as the Status URL and the Inbound URL. It signs by itself: set signing_secret.",
		"With unsigned SMS webhooks and signed Messages make two endpoints.",
	},
	Events: []string{"Delivery receipts (SMS API)", "Inbound SMS (SMS API)", "Status (Messages API)", "Inbound (Messages API)"},
	Mapping: []providers.Mapping{
		{Report: "expired, failed, rejected: 3; rejected, undeliverable: 1170, 1190", Kind: recipient.HardBounce},
		{Report: "expired, failed, rejected: 9; rejected, undeliverable: 1240", Kind: recipient.OptOut, Note: "our sender is kept as its scope"},
		{Report: "expired, failed, rejected, undeliverable: every other code, or none", Kind: recipient.SoftBounce, Note: "also 4, barred by the person: the bar can be lifted"},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "inbound: STOP and its kin", Kind: recipient.OptOut, Note: "our number is kept as its scope"},
		{Report: "inbound: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "accepted, buffered, unknown, submitted, read, other channels than SMS and MMS and all others"},
	},
	Gaps: []string{
		"The SMS API signs only for those who ask; unsigned, the secret in the address is the proof.",
		"Signatures have no expiry, because retries go on for 24 hours; a repeated request changes nothing.",
		"The Messages API's token and basic_auth use the same header: beside the token only a path_secret is possible.",
		"Some routes report delivered when they hand the text over.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: func(rand io.Reader) (providers.Settings, error) {
			s, err := sim.Signed(rand)
			if err == nil {
				s.Values[methodSetting] = []string{"sha256"}
			}
			return s, err
		},
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number is no longer active (receipt, GET)", Kinds: []recipient.Kind{recipient.HardBounce}, Build: receipt("failed", "3", asQuery)},
			{Name: "soft", Title: "The phone was off (receipt, JSON)", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: receipt("expired", "2", asJSON)},
			{Name: "opt_out", Title: "Refused: the person had opted out (receipt, form)", Kinds: []recipient.Kind{recipient.OptOut}, Build: receipt("rejected", "9", asForm)},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: inbound("Stop", asJSON)},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: inbound("START", asForm)},
			{Name: "delivered", Title: "Delivered (receipt, form)", Kinds: []recipient.Kind{recipient.Delivered}, Build: receipt("delivered", "0", asForm)},
			{Name: "messages_hard", Title: "The number is no longer active (Messages API)", Kinds: []recipient.Kind{recipient.HardBounce}, Build: rejected(1190, "Absent Subscriber - Permanent")},
			{Name: "messages_soft", Title: "The phone was off (Messages API)", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: rejected(1180, "Absent Subscriber - Temporary")},
		},
	},
}

const simulatedNumber = "15005550001"

type encoding func(providers.Shot, map[string]string) *providers.Request

func asQuery(s providers.Shot, p map[string]string) *providers.Request {
	return s.Get(values(p).Encode())
}

func asForm(s providers.Shot, p map[string]string) *providers.Request {
	return s.Post("application/x-www-form-urlencoded", []byte(values(p).Encode()))
}

func asJSON(s providers.Shot, p map[string]string) *providers.Request {
	return s.Post("application/json", sim.JSON(p))
}

func values(p map[string]string) url.Values {
	out := url.Values{}
	for k, v := range p {
		out.Set(k, v)
	}
	return out
}

func receipt(status, code string, as encoding) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return signed(s, map[string]string{"status": status, "err-code": code, "price": "0.03330000", "scts": s.At.UTC().Format("0601021504"), "client-ref": "a=1&b"}, as)
	}
}

func inbound(words string, as encoding) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return signed(s, map[string]string{"type": "text", "text": words, "keyword": strings.ToUpper(words)}, as)
	}
}

func signed(s providers.Shot, p map[string]string, as encoding) (*providers.Request, error) {
	p["msisdn"], p["to"], p["messageId"], p["api-key"] = strings.TrimPrefix(s.To, "+"), simulatedNumber, s.ID, "abcd1234"
	p["message-timestamp"], p["timestamp"], p["nonce"] = s.At.UTC().Format(time.DateTime), strconv.FormatInt(s.At.Unix(), 10), sim.UUID(s.ID)
	text, err := signedText(p)
	if err != nil {
		return nil, err
	}
	p["sig"] = hex.EncodeToString(sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), text))
	return as(s, p), nil
}

func rejected(code int, detail string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		body := sim.JSON(sim.Object{"message_uuid": sim.UUID(s.ID), "to": strings.TrimPrefix(s.To, "+"), "from": simulatedNumber, "timestamp": sim.RFC3339(s.At), "status": "rejected", "channel": "sms",
			"error": sim.Object{"type": "https://developer.vonage.com/api-errors/messages#" + strconv.Itoa(code), "title": code, "detail": detail, "instance": s.ID}})
		sum := sha256.Sum256(body)
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iat": s.At.Unix(), "jti": sim.UUID(s.ID), "iss": "Vonage", "payload_hash": hex.EncodeToString(sum[:]), "api_key": "abcd1234"}).
			SignedString([]byte(s.Settings.Get("signing_secret", "")))
		if err != nil {
			return nil, err
		}
		return s.Post("application/json", body, "Authorization", "Bearer "+token), nil
	}
}
