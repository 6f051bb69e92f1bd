package mailgun

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Mailgun.
var Info = providers.Info{
	Name:     name,
	Title:    "Mailgun",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The HTTP webhook signing key of the account (not the API key). With subaccounts, also that of the primary account.", List: true, Verifies: true},
		{Name: reuseSetting, Help: "What to do with a signature that comes again for another recipient: Mailgun itself never does that, a relay may.", Choices: []string{"accept", "refuse"}, Default: "accept"},
	},
	RetryFor:  8 * time.Hour,
	RetryNote: "After any answer but 200 and 406 again after 5, 10 and 15 minutes, 1, 2 and 4 hours; deliveries are not repeated.",
	Setup: []string{
		"In the Mailgun control panel open API security and copy the HTTP webhook signing key into signing_secret; restart.",
		"Open Sending, Webhooks, choose the domain (or Account webhooks for all domains), and choose Add webhook.",
		"Enter {url} and tick the events listed here. The EU and the US region have separate panels.",
		"Mailgun signs only a timestamp and a token, not the event: give the endpoint a path_secret as well.",
		"Test webhook in the panel posts a sample of each event.",
	},
	Events: []string{"Permanent Failure", "Temporary Failure", "Spam Complaints", "Unsubscribes", "Delivered Messages (optional)"},
	Mapping: []providers.Mapping{
		{Report: "failed, permanent: bounce or hardfail with 550, 551, 553; any of bounce, hardfail, generic, unknown with 5.1.x, 5.0.x or 5.2.1, or with bounce-type hard", Kind: recipient.HardBounce, Note: "soft when the code or the words speak of quota, size, content, policy or the sender"},
		{Report: "failed, permanent: suppress-bounce (605)", Kind: recipient.HardBounce, Echo: true},
		{Report: "failed, permanent: suppress-unsubscribe (606)", Kind: recipient.OptOut, Echo: true},
		{Report: "failed, permanent: suppress-complaint (607)", Kind: recipient.Complaint, Echo: true},
		{Report: "failed, permanent: old, espblock, blacklisted, greylisted, 498, 499, 625 and everything else", Kind: recipient.SoftBounce},
		{Report: "failed, temporary or any other severity", Kind: recipient.SoftBounce},
		{Report: "complained", Kind: recipient.Complaint},
		{Report: "unsubscribed", Kind: recipient.OptOut, Note: "counts as a full opt-out; a mailing list is kept as its scope"},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "bounced, dropped (the form of before 2018)", Kind: recipient.HardBounce, Note: "by the same codes"},
		{Report: "accepted, rejected, opened, clicked, stored, messages in test mode and all others"},
	},
	// https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces/delete-v3--domainid--bounces--address- (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "the domain's bounces",
			Kinds:   []recipient.Kind{recipient.HardBounce},
			Page:    "https://app.mailgun.com/mg/sending/suppressions",
			Command: `curl -X DELETE --user "api:$MAILGUN_API_KEY" "https://api.mailgun.net/v3/$MAILGUN_DOMAIN/bounces/"'{address_path}'`,
			Note:    "Domains of the EU region are at api.eu.mailgun.net.",
		},
		{
			Title:   "the domain's complaints",
			Kinds:   []recipient.Kind{recipient.Complaint},
			Page:    "https://app.mailgun.com/mg/sending/suppressions",
			Command: `curl -X DELETE --user "api:$MAILGUN_API_KEY" "https://api.mailgun.net/v3/$MAILGUN_DOMAIN/complaints/"'{address_path}'`,
			Note:    "Domains of the EU region are at api.eu.mailgun.net.",
		},
		{
			Title:   "the domain's unsubscribes",
			Kinds:   []recipient.Kind{recipient.OptOut},
			Page:    "https://app.mailgun.com/mg/sending/suppressions",
			Command: `curl -X DELETE --user "api:$MAILGUN_API_KEY" "https://api.mailgun.net/v3/$MAILGUN_DOMAIN/unsubscribes/"'{address_path}'`,
			Note:    "Domains of the EU region are at api.eu.mailgun.net.",
		},
	},
	Gaps: []string{
		"The event itself is not signed. With token_reuse: refuse, a signature that comes again for another recipient is refused, as far as the process remembers: about 65 000 signatures, not across restarts and replicas.",
		"Nobody says whether a repeated request is signed afresh, so the replay window is off; a repeated event changes nothing.",
		"An unsubscribe does not tell whether it was from the domain or from a tag.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: failed("permanent", "bounce", 550, "5.1.1", "5.1.1 User unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: failed("temporary", "generic", 452, "4.2.2", "4.2.2 mailbox over quota")},
			{Name: "blocked", Title: "Refused as spam", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: failed("permanent", "espblock", 550, "5.7.1", "5.7.1 rejected as spam")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: event("complained", nil)},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: event("unsubscribed", nil)},
			{Name: "echo", Title: "Not sent: on Mailgun's list of bounces", Kinds: []recipient.Kind{recipient.HardBounce}, Build: failed("permanent", "suppress-bounce", 605, "", "Not delivering to previously bounced address")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: event("delivered", nil)},
			{Name: "old_form", Title: "A bounce in the form of before 2018", Kinds: []recipient.Kind{recipient.HardBounce}, Build: oldForm},
		},
	},
}

func signatureOf(s providers.Shot) (timestamp, token, mac string) {
	timestamp, token = strconv.FormatInt(s.At.Unix(), 10), (s.ID + "00000000000000000000000000000000000000000000000000")[:50]
	return timestamp, token, hex.EncodeToString(sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), []byte(timestamp), []byte(token)))
}

func event(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		data := sim.Object{"event": kind, "id": s.ID, "timestamp": float64(s.At.UnixMilli()) / 1000, "recipient": s.To, "tags": []string{}, "user-variables": sim.Object{},
			"flags": sim.Object{"is-test-mode": false}, "message": sim.Object{"headers": sim.Object{"message-id": s.ID + "@sender.example", "from": "news@sender.example"}}}
		for k, v := range more {
			data[k] = v
		}
		timestamp, token, mac := signatureOf(s)
		return s.Post("application/json", sim.JSON(sim.Object{"signature": sim.Object{"timestamp": timestamp, "token": token, "signature": mac}, "event-data": data}), "User-Agent", "mailgun/treq"), nil
	}
}

func failed(severity, reason string, code int, enhanced, message string) func(providers.Shot) (*providers.Request, error) {
	return event("failed", sim.Object{"severity": severity, "reason": reason, "delivery-status": sim.Object{"attempt-no": 1, "code": code, "enhanced-code": enhanced, "message": message, "description": ""}})
}

func oldForm(s providers.Shot) (*providers.Request, error) {
	timestamp, token, mac := signatureOf(s)
	form := url.Values{"event": {"bounced"}, "recipient": {s.To}, "domain": {"sender.example"}, "code": {"550"}, "error": {"5.1.1 user unknown"}, "Message-Id": {"<" + s.ID + "@sender.example>"},
		"timestamp": {timestamp}, "token": {token}, "signature": {mac}}
	return s.Post("application/x-www-form-urlencoded", []byte(form.Encode())), nil
}
