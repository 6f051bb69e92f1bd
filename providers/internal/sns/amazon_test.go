package sns

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
)

func amazonRules(t *testing.T, pairs ...string) Rules {
	t.Helper()
	rules, err := Amazon("amazon", providers.Set(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

const (
	certFile = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
	arn      = "arn:aws:sns:eu-west-1:123456789012:x"
)

var hex64 = strings.Repeat("0f", 32)

func TestAmazonURLs(t *testing.T) {
	rules := amazonRules(t)
	certs := map[string]bool{
		"https://sns.eu-west-1.amazonaws.com/" + certFile:                              true,
		"https://sns.eu-west-1.amazonaws.com.cn/" + certFile:                           true,
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-test.pem":       true,
		"http://sns.eu-west-1.amazonaws.com/" + certFile:                               false,
		"HTTPS://sns.us-east-1.amazonaws.com/" + certFile:                              false, // another region than the topic's
		"https://sns.eu-west-1.amazonaws.com:443/" + certFile:                          false,
		"https://sns.eu-west-1.amazonaws.com:8443/" + certFile:                         false,
		"https://u@sns.eu-west-1.amazonaws.com/" + certFile:                            false,
		"https://u:p@sns.eu-west-1.amazonaws.com/" + certFile:                          false,
		"https://sns.eu-west-1.amazonaws.com/" + certFile + "#x":                       false,
		"https://sns.eu-west-1.amazonaws.com/" + certFile + "?x=1":                     false,
		"https://sns.eu-west-1.amazonaws.com/" + certFile + "?":                        false,
		"https://sns.eu-west-1.amazonaws.com/a/" + certFile:                            false,
		"https://sns.eu-west-1.amazonaws.com/a/../" + certFile:                         false,
		"https://sns.eu-west-1.amazonaws.com/%53impleNotificationService-0123.pem":     false,
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-.pem":           false,
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a%2f..%2fb.pem": false,
		"https://sns.eu-west-1.amazonaws.com/cert.pem":                                 false,
		"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem.txt":   false,
		"https://sns.eu-west-1.amazonaws.com.evil.example/" + certFile:                 false,
		"https://sns.eu-west-1.evil.amazonaws.com/" + certFile:                         false,
		"https://evil.example/sns.eu-west-1.amazonaws.com/" + certFile:                 false,
		"https://sns.eu-west-1.amazonaws.com@evil.example/" + certFile:                 false,
		"https://evil.example\\@sns.eu-west-1.amazonaws.com/" + certFile:               false,
		"https://s3.amazonaws.com/" + certFile:                                         false,
		"https://s3.eu-west-1.amazonaws.com/bucket/" + certFile:                        false,
		"https://bucket.s3.eu-west-1.amazonaws.com/" + certFile:                        false,
		"https://sns.amazonaws.com/" + certFile:                                        false,
		"https://sns.eu-west-1.amazonaws.eu/" + certFile:                               false,
		"https://SNS.eu-west-1.amazonaws.com/" + certFile:                              false,
		"//sns.eu-west-1.amazonaws.com/" + certFile:                                    false,
		"": false,
	}
	for url, want := range certs {
		u, ok := safeURL(url)
		if got := ok && rules.CertURL(u, region(arn)); got != want {
			t.Errorf("certificate at %s: %v", url, got)
		}
	}
	subscribe := func(host, rest string) string {
		return "https://" + host + "/" + rest
	}
	const ours = "sns.eu-west-1.amazonaws.com"
	for url, want := range map[string]bool{
		subscribe(ours, "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64):                          true,
		subscribe(ours, "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64[:63]):                     false,
		subscribe(ours, "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+strings.Repeat("0", 1025)):      false,
		subscribe(ours, "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+strings.ToUpper(hex64)):         false,
		subscribe(ours, "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64+"&Token="+hex64):          false,
		subscribe(ours, "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64+"&Endpoint=x"):            false,
		subscribe(ours, "x?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64):                         false,
		subscribe("sns.us-east-1.amazonaws.com", "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64): false,
		subscribe("169.254.169.254", "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64):             false,
		subscribe("localhost", "?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+hex64):                   false,
	} {
		u, ok := safeURL(url)
		if got := ok && rules.SubscribeURL(u, region(arn)); got != want {
			t.Errorf("subscription at %.80s: %v", url, got)
		}
	}
	if u, _ := safeURL("https://sns.eusc-de-east-1.amazonaws.eu/" + certFile); !amazonRules(t, "sns_domains", "amazonaws.eu").CertURL(u, "eusc-de-east-1") {
		t.Error("a further domain is not trusted")
	}
	for _, bad := range []string{"com", ".com", "amazonaws.eu/x", "a b.c"} {
		if _, err := Amazon("amazon", providers.Set("sns_domains", bad)); !errors.Is(err, providers.ErrSetting) {
			t.Errorf("domain %q: %v", bad, err)
		}
	}
}

func TestAmazonSigner(t *testing.T) {
	rules := amazonRules(t)
	for name, want := range map[string]bool{
		"sns.amazonaws.com": true, "sns.cn-north-1.amazonaws.com.cn": true, "sns.amazonaws.com.cn": true,
		"sns.amazonaws.com TEST ONLY": false, "s3.amazonaws.com": false, "xsns.amazonaws.com": false, "sns.a.b.amazonaws.com": false, "": false,
	} {
		if got := rules.Leaf(&x509.Certificate{Subject: pkix.Name{CommonName: name}}); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestAmazonCertificateOfSomethingElse(t *testing.T) {
	body := file(t, samples[2])
	serve := func(context.Context, string) ([]byte, error) { return []byte(authority(t)[1]), nil }
	if err := checker(t, amazonRules(t), body, serve).Verify(t.Context(), request(body)); !errors.Is(err, providers.ErrUnauthentic) {
		t.Errorf("got %v", err)
	}
}

func TestHeadersMustAgree(t *testing.T) {
	body := file(t, samples[2])
	c := checker(t, amazonRules(t), body, nil, file(t, "TEST-ONLY-signing-cert.pem"))
	for header, bad := range map[string]string{"X-Amz-Sns-Message-Type": Subscription, "X-Amz-Sns-Message-Id": "other"} {
		r := request(body)
		r.Header = map[string][]string{header: {bad}}
		if err := c.Verify(t.Context(), r); !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// TestConfirmation: the address is built anew, and an answer that confirms
// nothing has confirmed nothing.
func TestConfirmation(t *testing.T) {
	body := file(t, samples[3])
	fetched, answer := "", "<ConfirmSubscriptionResponse><SubscriptionArn>x</SubscriptionArn></ConfirmSubscriptionResponse>"
	c := checker(t, amazonRules(t), body, func(_ context.Context, u string) ([]byte, error) { fetched = u; return []byte(answer), nil }, file(t, "TEST-ONLY-signing-cert.pem"))
	if reply, err := c.Handshake(t.Context(), request(body)); reply == nil || err != nil {
		t.Fatalf("%v, %v", reply, err)
	}
	if want := "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token="; !strings.HasPrefix(fetched, want) {
		t.Errorf("fetched %s", fetched)
	}
	answer = "<ErrorResponse/>"
	if reply, err := c.Handshake(t.Context(), request(body)); reply != nil || !errors.Is(err, providers.ErrNotNow) {
		t.Errorf("not confirmed: %v, %v", reply, err)
	}
}

func TestCache(t *testing.T) {
	var fetches atomic.Int32
	cert, fail, open := file(t, "TEST-ONLY-signing-cert.pem"), false, make(chan struct{})
	c, err := newCerts(amazon, providers.Settings{Fetch: func(context.Context, string) ([]byte, error) {
		fetches.Add(1)
		<-open
		if fail {
			return nil, errors.New("down")
		}
		return []byte(cert), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	get := func(url string, at time.Time) error {
		list, err := c.get(t.Context(), url, at)
		if err == nil && len(list) != 1 {
			return fmt.Errorf("%d certificates", len(list))
		}
		return err
	}
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() {
			if err := get("first", now); err != nil {
				t.Error(err)
			}
		})
	}
	close(open)
	together.Wait()
	if n := fetches.Load(); n != 1 || get("first", now.Add(23*time.Hour)) != nil || fetches.Load() != n {
		t.Errorf("fetched %d times, then again", n)
	}
	n := fetches.Load()
	if err := get("first", now.Add(25*time.Hour)); err != nil || fetches.Load() != n+1 {
		t.Errorf("after a day: %v, fetched %d times more", err, fetches.Load()-n)
	}
	fail = true
	if err := get("first", now.Add(72*time.Hour)); err != nil {
		t.Errorf("stale: %v", err)
	}
	if err := get("unknown", now); !errors.Is(err, providers.ErrNotNow) {
		t.Errorf("down: %v", err)
	}
	fail = false
	for i := range 2 * maxCached {
		if err := get(fmt.Sprint(i), now); err != nil {
			t.Fatal(err)
		}
		if err := get("first", now.Add(25*time.Hour)); err != nil { // used all the time, so it stays
			t.Fatal(err)
		}
	}
	if len(c.cache) != maxCached || c.cache["first"] == nil || c.cache["0"] != nil {
		t.Errorf("%d cached, the first: %v", len(c.cache), c.cache["first"] != nil)
	}
}

func TestUnwrap(t *testing.T) {
	tests := []struct{ name, body, want, id string }{
		{"notification", `{"Type":"Notification","MessageId":"m","Message":" {\"a\":1} "}`, `{"a":1}`, "m"},
		{"plain words", `{"Type":"Notification","MessageId":"m","Message":"Successfully validated SNS topic"}`, "", ""},
		{"subscription", `{"Type":"SubscriptionConfirmation","Message":"{}"}`, "", ""},
		{"unsubscription", `{"Type":"UnsubscribeConfirmation","Message":"{}"}`, "", ""},
		{"raw", `{"eventType":"Bounce"}`, `{"eventType":"Bounce"}`, "header"},
		{"EventBridge", `{"id":"e","detail-type":"Email Bounced","time":"t","detail":{"a":1}}`, `{"a":1}`, "e"},
		{"EventBridge by SNS", `{"Type":"Notification","MessageId":"m","Message":"{\"detail-type\":\"x\",\"detail\":{\"a\":1}}"}`, `{"a":1}`, "m"},
		{"EventBridge without detail", `{"id":"e","detail-type":"x"}`, `{"id":"e","detail-type":"x"}`, "header"},
	}
	for _, tt := range tests {
		r := request(tt.body)
		r.Header = map[string][]string{"X-Amz-Sns-Message-Id": {"header"}}
		rec, err := Unwrap("amazon", r)
		if err != nil || string(rec.Body) != tt.want || rec.ID != tt.id {
			t.Errorf("%s: %s, %q, %v", tt.name, rec.Body, rec.ID, err)
		}
	}
	if _, err := Unwrap("amazon", request(`[1]`)); !errors.Is(err, providers.ErrMalformed) {
		t.Errorf("no JSON object: %v", err)
	}
}
