package unisendergo

import (
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"json:auth"}}
	settings = providers.Set("signing_secret", "6unisendertestapikey0000000000000000001") // TEST-ONLY
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func one(status, code, reply string) string {
	info := `"delivery_info":{"delivery_status":"` + code + `","destination_response":"` + reply + `"}`
	if code == "" {
		info = `"delivery_info":null`
	}
	return `{"job_id":"1sTrK0","metadata":[],"email":"a@example.com","status":"` + status + `","event_time":"2026-01-05 10:00:01",` + info + `}`
}

func batchOf(events ...string) string {
	return `{"auth":"bc01a2a53ae1d4845788d352066e90a8","events_by_user":[{"user_id":456,"events":[` + strings.Join(events, ",") + `]}]}`
}

func status(data string) string {
	return `{"event_name":"transactional_email_status","event_data":` + data + `}`
}

func flat(data string) string {
	return `{"auth":"bc01a2a53ae1d4845788d352066e90a8","event_name":"transactional_email_status","user_id":456,` + data[1:]
}

func white(data string) string {
	data = strings.NewReplacer("event_time", "record_time", "delivery_info", "delivery_report", "delivery_status", "delivery_report_status").Replace(data)
	return `{"auth":"x","records_by_user":[{"user_id":1,"records":[{"record_name":"transactional_email_status","record_data":` + data + `}]}]}`
}

func TestKinds(t *testing.T) {
	var cases []providertest.Case
	add := func(title, data, want string) {
		cases = append(cases, providertest.Case{Name: title + " in a batch", Body: batchOf(status(data)), Want: want},
			providertest.Case{Name: title + " flat", Body: flat(data), Want: want}, providertest.Case{Name: title + " white label", Body: white(data), Want: want})
	}
	for _, code := range []string{"err_user_unknown", "err_user_inactive", "err_mailbox_discarded"} {
		add(code, one("hard_bounced", code, ""), "hard_bounce a@example.com "+code)
	}
	for _, empty := range []string{"[]", `""`, "null"} { // how PHP writes an object without members
		add("delivery_info "+empty, `{"job_id":"j","email":"a@example.com","status":"soft_bounced","event_time":"2026-01-05 10:00:01","delivery_info":`+empty+`}`, "soft_bounce a@example.com soft_bounced")
	}
	for _, code := range []string{
		"err_unreachable", "err_domain_inactive", "err_no_dns", "err_no_smtp", "err_dest_invalid", "err_mailbox_full", "err_too_large", "err_will_retry", "err_resend", "err_retry_letter", "err_giveup",
		"err_spam_rejected", "err_blacklisted", "err_destination_misconfigured", "err_delivery_failed", "err_src_invalid", "err_not_available", "err_unknown", "err_lost", "err_internal", "err_new",
	} {
		add(code, one("hard_bounced", code, ""), "soft_bounce a@example.com "+code)
	}
	for _, code := range []string{"err_unsubscribed", "err_skip_letter", "err_spam_skipped", "err_spam_removed", "skip_dup_unreachable", "skip_dup_temp_unreachable", "skip_dup_mailbox_full", "not_sent"} {
		add(code, one("hard_bounced", code, ""), "")
	}
	add("no delivery_info", one("hard_bounced", "", ""), "soft_bounce a@example.com hard_bounced")
	add("refused as unknown", one("hard_bounced", "err_delivery_failed", "550 5.1.1 no such user"), "hard_bounce a@example.com err_delivery_failed")
	add("refused as spam", one("hard_bounced", "err_delivery_failed", "550 5.7.1 spam"), "soft_bounce a@example.com err_delivery_failed")
	add("another code with a hard reply", one("hard_bounced", "err_spam_rejected", "550 5.1.1 no such user"), "soft_bounce a@example.com err_spam_rejected")
	for kind, want := range map[string]string{
		"soft_bounced": "soft_bounce a@example.com soft_bounced", "spam": "complaint a@example.com spam", "unsubscribed": "opt_out a@example.com", "subscribed": "reactivation a@example.com",
		"delivered": "delivered a@example.com delivered", "accepted": "", "sent": "", "opened": "", "clicked": "", "new": "",
	} {
		add(kind, one(kind, "", ""), want)
	}
	add("spam with ok_fbl", one("spam", "ok_fbl", ""), "complaint a@example.com ok_fbl")
	add("soft with a hard code", one("soft_bounced", "err_user_unknown", ""), "soft_bounce a@example.com err_user_unknown")
	good, nobody, bad := status(one("delivered", "", "")), status(`{"job_id":"1","status":"spam"}`), status(`{"job_id":"1","status":"spam","email":"nobody"}`)
	cases = append(cases,
		providertest.Case{Name: "bad items cost no others", Body: batchOf(nobody, good, bad, `7`, good), Want: "delivered a@example.com delivered; delivered a@example.com delivered; !no_recipient; !bad_recipient; !unreadable"},
		providertest.Case{Name: "two users", Body: `{"events_by_user":[{"events":[` + good + `]},{"events":null},{"events":[` + good + `]}]}`, Want: "delivered a@example.com delivered; delivered a@example.com delivered"},
		providertest.Case{Name: "one user without a list", Body: `{"events_by_user":{"events":` + good + `}}`, Want: "delivered a@example.com delivered"},
		providertest.Case{Name: "spam block", Body: batchOf(`{"event_name":"transactional_spam_block","event_data":{"block_time":"2026-01-05 10:00:07","block_type":"one_smtp","domain":"example.com"}}`)},
		providertest.Case{Name: "no events", Body: `{"auth":"x","events_by_user":[]}`},
		providertest.Case{Name: "nothing known", Body: `{"auth":"x"}`, Want: "!unreadable"},
		providertest.Case{Name: "users are text", Body: `{"events_by_user":"x"}`, Want: "!unreadable"},
	)
	providertest.Table(t, Info, settings, cases)
}

// What is kept of a batch can be read again by itself.
func TestKeptItems(t *testing.T) {
	a, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	r := &providers.Request{Method: "POST", Body: []byte(batchOf(status(one("delivered", "", "")), status(`{"status":"spam"}`)))}
	_, err = a.Parse(r)
	r.Body = providers.QuarantineBody(err, nil)
	events, err := a.Parse(r)
	if got := providertest.Outcome(events, err); got != "!no_recipient" {
		t.Errorf("the kept items read as %q", got)
	}
}
