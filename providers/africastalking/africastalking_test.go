package africastalking

import (
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func dlr(status, reason string) string {
	return "id=ATXid_1&status=" + status + "&phoneNumber=%2B447700900123&networkCode=99999&retryCount=0&failureReason=" + reason
}

func mo(text string) string {
	return "id=m1&linkId=l&text=" + text + "&from=%2B358450000013&to=12345&date=2026-11-22+19%3A33%3A00"
}

func TestKinds(t *testing.T) {
	const to = " +447700900123"
	cases := []providertest.Case{
		{Name: "success", Body: dlr("Success", ""), Want: "delivered" + to},
		{Name: "in capitals", Body: dlr("FAILED", "USERDOESNOTEXIST"), Want: "hard_bounce" + to + " USERDOESNOTEXIST"},
		{Name: "absent as the status", Body: dlr("AbsentSubscriber", ""), Want: "soft_bounce" + to + " AbsentSubscriber"},
		{Name: "another reason as the status", Body: dlr("UserDoesNotExist", "")},
		{Name: "no reason", Body: "id=ATXid_1&status=Failed&phoneNumber=%2B447700900123", Want: "soft_bounce" + to},
		{Name: "raw plus", Body: "id=ATXid_1&status=Failed&phoneNumber=+447700900123", Want: "soft_bounce" + to},
		{Name: "no plus", Body: "id=ATXid_1&status=Failed&phoneNumber=447700900123", Want: "soft_bounce" + to},
		{Name: "nobody", Body: "id=ATXid_1&status=Failed&failureReason=UserDoesNotExist", Want: "!no_recipient"},
		{Name: "nobody, on its way", Body: "id=ATXid_1&status=Sent"},
		{Name: "opt-out", Body: "senderId=STRIKEOUT&phoneNumber=%2B447700900123", Want: "opt_out" + to + " STRIKEOUT"},
		{Name: "opt-out of nobody", Body: "senderId=STRIKEOUT", Want: "!no_recipient"},
		{Name: "subscription", Body: "phoneNumber=%2B447700900123&shortCode=1&keyword=k&updateType=deletion"},
		{Name: "subscription with a sender", Body: "phoneNumber=%2B447700900123&senderId=x&updateType=Addition"},
		{Name: "nothing", Want: "!unreadable"},
		{Name: "only a number", Body: "phoneNumber=%2B447700900123", Want: "!unreadable"},
		{Name: "JSON", Body: `{"id":"ATXid_1","status":"Failed","phoneNumber":"+447700900123","failureReason":"UserDoesNotExist","retryCount":0}`, Want: "hard_bounce" + to + " UserDoesNotExist"},
		{Name: "STOP", Body: mo("STOP"), Want: "opt_out +358450000013 12345"},
		{Name: "unsubscribe", Body: mo("Unsubscribe"), Want: "opt_out +358450000013 12345"},
		{Name: "START", Body: mo("START"), Want: "opt_in +358450000013 12345"},
		{Name: "hello", Body: mo("hello")},
		{Name: "empty text", Body: mo("")},
		{Name: "text from nobody", Body: "id=m1&text=STOP&to=12345", Want: "!no_recipient"},
	}
	for _, status := range []string{"Sent", "Submitted", "Buffered", "Queued"} {
		cases = append(cases, providertest.Case{Name: "status " + status, Body: dlr(status, "UserDoesNotExist")})
	}
	for kind, list := range map[string]string{
		"hard_bounce": "UserDoesNotExist InvalidPhoneNumber",
		"opt_out":     "UserInBlackList UserInBlacklist",
		"soft_bounce": "UserIsInactive UserAccountSuspended NotNetworkSubscriber NotNetworkSubcriber AbsentSubscriber UserMemoryCapacityExceeded InsufficientCredit InvalidLinkId UserNotSubscribedToProduct DoNotDisturbRejection DeliveryFailure RejectedByGateway SystemError InvalidSenderId UnknownError SomethingNew",
	} {
		for _, reason := range strings.Fields(list) {
			for _, status := range []string{"Failed", "Rejected", "Expired"} {
				cases = append(cases, providertest.Case{Name: status + " " + reason, Body: dlr(status, reason), Want: kind + to + " " + reason})
			}
		}
	}
	for i := range cases {
		if !strings.HasPrefix(cases[i].Body, "{") {
			cases[i].Header = []string{"Content-Type", "application/x-www-form-urlencoded"}
		}
	}
	providertest.Table(t, Info, providers.Set(), cases)
}

// TestOptOutAgain: a repeated request is the same event; an opt-out of another
// day is another, or the person's word would be lost.
func TestOptOutAgain(t *testing.T) {
	a, err := New(providers.Set())
	if err != nil {
		t.Fatal(err)
	}
	parts := func(at time.Time) string {
		events, err := a.Parse(&providers.Request{Method: "POST", Body: []byte("senderId=STRIKEOUT&phoneNumber=%2B447700900123"), ReceivedAt: at})
		if err != nil || len(events) != 1 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		return strings.Join(events[0].IDParts, " ")
	}
	at := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	if parts(at) != parts(at.Add(time.Hour)) {
		t.Error("an hour later it is another event")
	}
	if parts(at) == parts(at.AddDate(0, 1, 0)) {
		t.Error("a month later it is the same event")
	}
}

func TestOwnDecisions(t *testing.T) {
	providertest.Table(t, Info, providers.Set("hard_codes", "UserIsInactive"), []providertest.Case{
		{Name: "inactive", Body: dlr("Failed", "UserIsInactive"), Header: []string{"Content-Type", "application/x-www-form-urlencoded"}, Want: "hard_bounce +447700900123 UserIsInactive"},
	})
}
