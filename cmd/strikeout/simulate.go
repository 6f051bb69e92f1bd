package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

type simulateCmd struct {
	Provider   string `arg:"" help:"A provider of the catalogue."`
	Event      string `arg:"" optional:"" help:"A sample, such as hard, soft, complaint, opt_out or delivered; without it: one of each."`
	Endpoint   string `placeholder:"NAME" help:"The configured endpoint whose secrets sign; needed where the provider has several."`
	URL        string `name:"url" placeholder:"URL" help:"Where to send (default: the endpoint on this machine)."`
	To         string `placeholder:"ADDRESS" help:"Whom the report is about (default: a reserved address)."`
	Count      int    `default:"1" help:"How many of each."`
	PrivateKey string `placeholder:"FILE" help:"The private key that signs, where Strikeout has the public one only."`
	NewSecrets bool   `help:"Print an endpoint with fresh secrets for strikeout.yaml, and send nothing."`
	Yes        bool   `help:"Send to other machines and about real addresses too: it will block and opt out whom it names."`
}

func (simulateCmd) Help() string {
	return `The requests are truly signed, with the secrets of the configured endpoint. Without --yes they go to this machine only, and are
about addresses that belong to nobody. Exit code 1: a request was not accepted.

    strikeout simulate postmark hard --to nobody@example.com
    strikeout simulate sendgrid --private-key test-key.pem      # where only the public key is configured
    strikeout simulate ses --new-secrets >> strikeout.yaml      # a test endpoint that simulate can sign for`
}

func (cmd *simulateCmd) Run(e *env) error {
	info, err := lookupProvider(cmd.Provider)
	if err != nil {
		return err
	}
	if cmd.NewSecrets {
		return e.newSecrets(info)
	}
	if cmd.Count < 1 {
		return usage("--count: expected a number from 1 on")
	}
	samples, err := cmd.samples(info)
	if err != nil {
		return err
	}
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	ep, err := cmd.endpoint(c, info)
	if err != nil {
		return err
	}
	if cmd.PrivateKey != "" {
		v := plain("private_key", "--private-key", cmd.PrivateKey)
		text, err := v.content("a file")
		if err != nil {
			return err
		}
		ep.settings.Values[privateKeyKey] = []string{text}
	}
	address, err := cmd.address(c, ep)
	if err != nil {
		return err
	}
	failed := 0
	for _, s := range samples {
		for i := range cmd.Count {
			to, err := cmd.recipient(c, info, s, i)
			if err != nil {
				return err
			}
			ok, err := e.simulate(info, s, ep, address, to)
			if err != nil {
				return err
			}
			if !ok {
				failed++
			}
		}
	}
	if failed > 0 {
		return errNo
	}
	return nil
}

// simulate sends one request and prints what was sent and what came back.
func (e *env) simulate(info providers.Info, s providers.Sample, ep endpointConfig, address, to string) (bool, error) {
	id, err := e.randomID()
	if err != nil {
		return false, err
	}
	r, err := shoot(info, s, ep.settings, address, to, id, e.now())
	if err != nil {
		return false, usage("%w%s", err, missingKeyHint(info, ep.settings))
	}
	e.printf("%s: %s, about %s\n", s.Name, s.Title, to)
	e.printf("  %s %s, %d bytes, at best %s\n", r.Method, masked(r.URL, ep.settings), len(r.Body), kindsText(s.Kinds))
	a, err := send(e.ctx, r)
	if err != nil {
		return false, fmt.Errorf("%w (is strikeout serve running?)", err)
	}
	e.printf("  answer %d in %s", a.status, a.took.Round(100_000))
	if !a.ok() {
		if after := a.header.Get("Retry-After"); after != "" {
			e.printf(", try again after %s s", after)
		}
		e.printf(": %s", recipient.Clean(a.body, 300))
	}
	e.printf("\n")
	return a.ok(), nil
}

// missingKeyHint says how to sign where the configuration has a public key only.
func missingKeyHint(info providers.Info, s providers.Settings) string {
	if len(s.All(privateKeyKey)) > 0 {
		return ""
	}
	return fmt.Sprintf(" (if it lacks the private key: --private-key FILE, or a test endpoint by strikeout simulate %s --new-secrets)", info.Name)
}

func (e *env) randomID() (string, error) {
	b := make([]byte, 8)
	if _, err := io.ReadFull(e.rand, b); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// masked hides the path secret of an address that is printed.
func masked(address string, s providers.Settings) string {
	for _, secret := range s.All("path_secret") {
		address = strings.ReplaceAll(address, "/"+url.PathEscape(secret), "/…")
	}
	address, query, _ := strings.Cut(address, "?")
	if query != "" {
		address += "?…"
	}
	return address
}

func (cmd *simulateCmd) samples(info providers.Info) ([]providers.Sample, error) {
	var names []string
	for _, s := range info.Simulate.Samples {
		if s.Name == cmd.Event {
			return []providers.Sample{s}, nil
		}
		names = append(names, s.Name)
	}
	if cmd.Event == "" {
		return info.Simulate.Samples, nil
	}
	return nil, usage("%s has no sample %q, expected one of %s", info.Name, cmd.Event, strings.Join(names, ", "))
}

// endpoint finds the endpoint whose secrets sign.
func (cmd *simulateCmd) endpoint(c *config, info providers.Info) (endpointConfig, error) {
	all, err := c.endpoints(info.Name)
	if err != nil {
		return endpointConfig{}, err
	}
	var found []endpointConfig
	var names []string
	for _, e := range all {
		names = append(names, e.name)
		if cmd.Endpoint == "" || cmd.Endpoint == e.name {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return endpointConfig{}, usage("%s has several endpoints, choose one of %s with --endpoint", info.Name, strings.Join(names, ", "))
	case len(names) > 0:
		return endpointConfig{}, usage("%s has no endpoint %q, expected one of %s", info.Name, cmd.Endpoint, strings.Join(names, ", "))
	}
	where := c.file
	if where == "" {
		where = "the configuration (there is no " + defaultConfigFile + " here; see --config)"
	}
	return endpointConfig{}, usage("%s has no endpoint of provider %s; strikeout simulate %s --new-secrets prints one to add", where, info.Name, info.Name)
}

// address is where to send: this machine, unless told otherwise.
func (cmd *simulateCmd) address(c *config, ep endpointConfig) (string, error) {
	address := cmd.URL
	if address == "" {
		address = "http://" + reachable(c.listen) + "/webhooks/" + url.PathEscape(ep.name)
	}
	if _, ok := webURL(address); !ok {
		return "", usage("--url: expected http://... or https://...")
	}
	if !loopback(address) && !cmd.Yes {
		return "", usage("--url: is not on this machine; --yes sends there all the same")
	}
	return address, nil
}

func (cmd *simulateCmd) recipient(c *config, info providers.Info, s providers.Sample, n int) (string, error) {
	channel := channelOf(info, s)
	if cmd.To == "" {
		return reservedAddress(channel, n), nil
	}
	a, err := recipient.Parse(channel, cmd.To, c.defaultRegion)
	if err != nil {
		return "", usage("--to: %w (%s reports are about %s)", err, s.Name, channel)
	}
	if !reserved(a) && !cmd.Yes {
		return "", usage("--to: may belong to somebody; use example.com, .test or +1 555 555 01xx, or --yes")
	}
	return a.Value(), nil
}

// newSecrets prints an endpoint for test configurations.
func (e *env) newSecrets(info providers.Info) error {
	s, err := info.Simulate.Settings(e.rand)
	if err != nil {
		return fmt.Errorf("make secrets for %s: %w", info.Name, err)
	}
	e.printf("%s", endpointYAML(info.Name, info, s))
	return nil
}
