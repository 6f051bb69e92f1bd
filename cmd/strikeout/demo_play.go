package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
)

// person is a sample contact, and what happens to it.
type person struct {
	id, name, lang string
	email, phone   string
	from, sample   string // the provider that reports it, and as what
}

var people = []person{
	{"1001", "Hanna Hard", "fi", "hanna@example.com", "", "sendgrid", "hard"},
	{"1002", "Sofia Soft", "sv", "sofia@example.com", "", "mailgun", "soft"},
	{"1003", "Carl Complaint", "en", "carl@example.com", "", "ses", "complaint"},
	{"1004", "Otto Optout", "en", "otto@example.com", "", "postmark", "opt_out"},
	{"1005", "Dora Delivered", "en", "dora@example.com", "", "sparkpost", "delivered"},
	{"1006", "Stefan Stop", "sv", "", "+15555550106", "twilio", "stop"},
	{"1007", "Klaara Click", "fi", "klaara@example.com", "", "", ""},
	{"1008", "Lena Left", "en", "lena@example.com", "+15555550108", "", ""},
}

// call asks the service as another system would.
func (d *demo) call(ctx context.Context, method, path string, in, out any) (answer, error) {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, &body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+d.apiKey)
	req.Header.Set("Content-Type", "application/json")
	a, err := do(req)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil {
		return a, nil
	}
	if !a.ok() {
		return a, fmt.Errorf("%s %s: the answer is %d", method, path, a.status)
	}
	if err := json.Unmarshal([]byte(a.body), out); err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return a, nil
}

func (d *demo) addContacts(ctx context.Context) error {
	for _, p := range people {
		in := map[string]any{"name": p.name, "language": p.lang, "email": nullable(p.email), "phone": nullable(p.phone), "accept_shared": true}
		if _, err := d.call(ctx, "PUT", "/v1/contacts/"+p.id, in, new(any)); err != nil {
			return err
		}
	}
	return nil
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// report is one simulated request and what came of it.
type report struct {
	info    providers.Info
	sample  providers.Sample
	to      recipient.Address
	trouble string // empty: as the provider's table says
}

// state is what the API says of an address.
type state struct {
	Known    bool `json:"known"`
	Blocked  bool `json:"blocked"`
	OptedOut bool `json:"opted_out"`
	Events   []struct {
		Kind     recipient.Kind `json:"kind"`
		Endpoint string         `json:"endpoint"`
	} `json:"events"`
}

func (d *demo) state(ctx context.Context, a recipient.Address) (state, error) {
	var s state
	_, err := d.call(ctx, "POST", "/v1/lookup", map[string]any{"channel": a.Channel(), "address": a.Value()}, &s)
	return s, err
}

// traffic sends every sample of every provider: some to the sample contacts,
// the others to addresses of their own.
func (d *demo) traffic(ctx context.Context) ([]report, error) {
	var out []report
	phones := 0
	for _, info := range all.Infos() {
		for _, s := range info.Simulate.Samples {
			channel := channelOf(info, s)
			to := fmt.Sprintf("%s.%s@example.com", strings.ReplaceAll(s.Name, "_", "-"), info.Name)
			if channel == recipient.SMS {
				to = fmt.Sprintf("+1555%07d", 2000000+phones)
				phones++
			}
			if i := slices.IndexFunc(people, func(p person) bool { return p.from == info.Name && p.sample == s.Name }); i >= 0 {
				to = people[i].email + people[i].phone
			}
			a, err := recipient.Parse(channel, to, "")
			if err != nil {
				return nil, fmt.Errorf("the sample %s of %s: %w", s.Name, info.Name, err)
			}
			r := report{info: info, sample: s, to: a}
			if r.trouble, err = d.deliver(ctx, r); err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// deliver sends one sample and looks whether the history now says what it should.
func (d *demo) deliver(ctx context.Context, r report) (trouble string, err error) {
	id, err := d.randomID()
	if err != nil {
		return "", err
	}
	req, err := shoot(r.info, r.sample, d.settings[r.info.Name], d.base+"/webhooks/"+r.info.Name, r.to.Value(), id, d.now())
	if err != nil {
		return "", err
	}
	a, err := send(ctx, req)
	if err != nil {
		return "", err
	}
	if !a.ok() {
		return fmt.Sprintf("the answer is %d", a.status), nil
	}
	s, err := d.state(ctx, r.to)
	if err != nil {
		return "", err
	}
	for _, want := range r.sample.Kinds {
		if !slices.ContainsFunc(s.Events, func(e struct {
			Kind     recipient.Kind `json:"kind"`
			Endpoint string         `json:"endpoint"`
		}) bool {
			return e.Kind == want && e.Endpoint == r.info.Name
		}) {
			return fmt.Sprintf("no %s in the history", want), nil
		}
	}
	return "", nil
}

// click makes two links, presses the button of the first and leaves the second.
func (d *demo) click(ctx context.Context) (clicked, left string, err error) {
	var links []struct {
		URL string `json:"url"`
	}
	in := map[string]any{"send_out": "demo", "recipients": []map[string]any{
		{"channel": "email", "address": "klaara@example.com"}, {"channel": "email", "address": "lena@example.com"}}}
	if _, err := d.call(ctx, "POST", "/v1/links", in, &links); err != nil {
		return "", "", err
	}
	if len(links) != 2 {
		return "", "", fmt.Errorf("POST /v1/links: %d links, expected 2", len(links))
	}
	req, err := http.NewRequestWithContext(ctx, "POST", links[0].URL, strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return "", "", fmt.Errorf("click: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := do(req)
	if err != nil {
		return "", "", fmt.Errorf("click: %w", err)
	}
	if a.status != http.StatusOK {
		return "", "", fmt.Errorf("click: the answer is %d, expected 200", a.status)
	}
	return links[0].URL, links[1].URL, nil
}

// summary prints what to look at. The states are read back through the API.
func (d *demo) summary(ctx context.Context, reports []report, _, left string, took time.Duration) error {
	p := d.colours(d.stdout)
	providersSeen, wrong := map[string]bool{}, 0
	for _, r := range reports {
		providersSeen[r.info.Name] = true
		if r.trouble != "" {
			wrong++
		}
	}
	d.printf("\n%s on %s\n", p.bold("Strikeout runs"), p.bold(d.base))
	d.printf("%d signed reports of %d providers, one click and the states read back took %s.\n\n", len(reports), len(providersSeen), took.Round(10*time.Millisecond))
	for _, person := range people {
		if err := d.personLine(ctx, p, person, reports); err != nil {
			return err
		}
	}
	for _, r := range reports {
		if r.trouble != "" {
			d.printf("%s %s %s: %s\n", p.red("not as expected:"), r.info.Name, r.sample.Name, r.trouble)
		}
	}
	d.printf("\n%s, the link that Lena has not used yet: look as often as you like, only the button changes something\n  %s\n", p.bold("Open"), left)
	d.printf("\n%s, the administrators' desk: name %s, password %s\n  %s/admin\n", p.bold("Sign in"), demoUser, d.password, d.base)
	d.printf("\n%s\n", p.bold("Ask"))
	d.printf("  KEY=%s\n", d.apiKey)
	d.printf("  curl -s -H \"Authorization: Bearer $KEY\" %s/v1/recipients/email/hanna@example.com\n", d.base)
	d.printf("  curl -s -H \"Authorization: Bearer $KEY\" %s/v1/check -d '{\"channel\":\"email\",\"addresses\":[\"hanna@example.com\",\"sofia@example.com\",\"klaara@example.com\"]}'\n", d.base)
	d.printf("  curl -s -H \"Authorization: Bearer $KEY\" %s/v1/recipients/email/hanna@example.com/unblock -d '{\"reason\":\"she called\"}'\n", d.base)
	d.printf("\n%s %s/v1/openapi.yaml  %s/metrics  %s/readyz\n", p.bold("More"), d.base, d.base, d.base)
	d.printf("%s strikeout serve in an empty directory; strikeout providers NAME sets a provider up.\n", p.bold("Next"))
	if wrong > 0 {
		return &exitError{exitNo, fmt.Errorf("%d of %d reports did not come out as expected", wrong, len(reports))}
	}
	d.printf("\nCtrl-C ends it.\n")
	return nil
}

// personLine prints one contact as the contact card would show it.
func (d *demo) personLine(ctx context.Context, p paint, who person, reports []report) error {
	channel, address := recipient.Email, who.email
	if address == "" {
		channel, address = recipient.SMS, who.phone
	}
	a, err := recipient.Parse(channel, address, "")
	if err != nil {
		return fmt.Errorf("the sample contact %s: %w", who.id, err)
	}
	s, err := d.state(ctx, a)
	if err != nil {
		return err
	}
	shown := fmt.Sprintf("%-20s", address)
	says := "may be written to"
	switch {
	case s.Blocked:
		shown, says = p.red(p.struck(address))+shown[len(address):], "BLOCKED"
	case s.OptedOut:
		shown, says = p.struck(address)+shown[len(address):], "OPTED OUT"
	}
	what := "nothing happened"
	if len(s.Events) > 0 {
		e := s.Events[0]
		what = string(e.Kind)
		for _, r := range reports {
			if r.to == a {
				what += fmt.Sprintf(": %q, says %s", r.sample.Title, r.info.Title)
			}
		}
		if e.Endpoint == "" {
			what += ": pressed the button of her unsubscribe link"
		}
	}
	d.printf("  %-15s %s  %-17s  %s\n", who.name, shown, says, what)
	return nil
}
