package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/templates"
)

// config is what flags, variables and the file say together.
type config struct {
	file string // as it was named; empty: there is none
	dir  string // what relative paths of the defaults are relative to

	listen, adminListen, metricsListen string
	publicURL                          string
	mailto                             string // takes unsubscribe mails; empty: links carry none
	adminURL                           string // what administrators call; empty: see desk.go
	database                           string
	dataDir                            string
	tokenKeysFile                      string
	defaultRegion                      string
	spool                              string // empty: there is none
	spoolLimit                         int    // bytes; 0: the default
	retention                          map[recipient.Kind]time.Duration
	trustedProxies                     []netip.Prefix
	apiKeys                            []handlers.APIKey
	pages                              templates.Options
	pagesDir                           string // what an operator changes of the pages; empty: nothing
	evidence                           handlers.Evidence
	migrate                            bool
	drainWait                          time.Duration
	logLevel                           slog.Level
	logFormat                          string

	// Read when they are needed: not every command needs every secret.
	addressKeyValue *value
	oidcValue       *value
	endpointsValue  *value

	origins map[string]string // key: where it was said
	notes   []string          // what deserves a warning at the start
}

// said reports where a key was set; empty means that the default stands.
func (c *config) said(key string) string { return c.origins[key] }

// setting is one top-level key of the configuration.
type setting struct {
	key string
	set func(c *config, v value) error
	// nested keys stand in the file only: a variable could not hold them.
	nested bool
}

// settings are all top-level keys. The variable of a key is STRIKEOUT_ and its
// name in capitals.
var settings = []setting{
	{key: "listen", set: func(c *config, v value) error { return setListen(&c.listen, v) }},
	{key: "admin_listen", set: func(c *config, v value) error { return setListen(&c.adminListen, v) }},
	{key: "metrics_listen", set: func(c *config, v value) error { return setListen(&c.metricsListen, v) }},
	{key: "public_url", set: setPublicURL},
	{key: "mailto", set: setMailto},
	{key: "admin_url", set: setAdminURL},
	{key: "oidc", set: func(c *config, v value) error { c.oidcValue = &v; return nil }, nested: true},
	{key: "database", set: setDatabase},
	{key: "data_dir", set: func(c *config, v value) error { return setPath(&c.dataDir, v, "a directory") }},
	{key: "address_key", set: func(c *config, v value) error { c.addressKeyValue = &v; return nil }},
	{key: "token_keys_file", set: func(c *config, v value) error { return setPath(&c.tokenKeysFile, v, "a file such as keys.yaml") }},
	{key: "default_region", set: setRegion},
	{key: "retention", set: setRetention, nested: true},
	{key: "spool", set: func(c *config, v value) error { return setPath(&c.spool, v, "a directory") }},
	{key: "spool_limit", set: func(c *config, v value) (err error) { c.spoolLimit, err = v.bytes(leastSpool, math.MaxInt); return err }},
	{key: "trusted_proxies", set: setProxies},
	{key: "api_keys", set: setAPIKeys, nested: true},
	{key: "endpoints", set: func(c *config, v value) error { c.endpointsValue = &v; return nil }, nested: true},
	{key: "pages", set: setPages, nested: true},
	{key: "evidence", set: setEvidence},
	{key: "migrate", set: func(c *config, v value) (err error) { c.migrate, err = v.boolean(); return err }},
	{key: "drain_wait", set: func(c *config, v value) (err error) { c.drainWait, err = v.duration(); return err }},
	{key: "log_level", set: setLogLevel},
	{key: "log_format", set: setLogFormat},
}

func variable(key string) string { return "STRIKEOUT_" + strings.ToUpper(key) }

const defaultConfigFile = "strikeout.yaml"

// loadConfig reads the file, then the variables, then the flags: the later
// wins. Flags are named by their keys.
func loadConfig(file string, flags map[string]string, getenv func(string) string) (*config, error) {
	c := &config{listen: "127.0.0.1:8080", migrate: true, logFormat: "text", origins: map[string]string{},
		retention: map[recipient.Kind]time.Duration{recipient.Delivered: 90 * 24 * time.Hour, recipient.SoftBounce: 90 * 24 * time.Hour}}
	values, err := c.readFile(file, getenv)
	if err != nil {
		return nil, err
	}
	for _, s := range settings {
		v, ok := values[s.key]
		if !s.nested {
			if text := getenv(variable(s.key)); text != "" {
				v, ok = plain(s.key, variable(s.key), text), true
			}
			if text, set := flags[s.key]; set {
				v, ok = plain(s.key, "--"+strings.ReplaceAll(s.key, "_", "-"), text), true
			}
		}
		if !ok {
			continue
		}
		if err := s.set(c, v); err != nil {
			return nil, err
		}
		c.origins[s.key] = v.where()
	}
	c.complete()
	return c, nil
}

// plain is the value of a flag or a variable. Its paths are relative to the
// working directory.
func plain(key, origin, text string) value {
	return value{key: key, origin: origin, node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}}
}

// complete fills in what follows from the rest.
func (c *config) complete() {
	in := func(name string) string { return filepath.Join(c.dir, name) }
	if c.dataDir == "" {
		c.dataDir = in("strikeout-data")
	}
	if c.database == "" {
		c.database = "sqlite:" + filepath.Join(c.dataDir, "strikeout.db")
	}
	if c.tokenKeysFile == "" {
		c.tokenKeysFile = filepath.Join(c.dataDir, "keys.yaml")
	}
	if c.publicURL == "" {
		c.publicURL = "http://" + reachable(c.listen)
	}
	if c.spoolLimit > 0 && c.spool == "" {
		c.notes = append(c.notes, c.said("spool_limit")+": spool_limit: there is no spool without the setting spool, which names a directory")
	}
}

// reachable turns "0.0.0.0:8080" and ":8080" into an address to call.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// readFile returns the values of the file by key.
func (c *config) readFile(name string, getenv func(string) string) (map[string]value, error) {
	named := name != ""
	if !named {
		name = defaultConfigFile
	}
	text, err := os.ReadFile(name) //nolint:gosec // the operator names it
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case err != nil:
		if info, serr := os.Stat(name); serr == nil && info.IsDir() {
			err = errors.New("is a directory, expected a YAML file")
		}
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &configError{where: name, reason: err.Error()}
	}
	c.file, c.dir = name, filepath.Dir(name)
	root, err := parseYAML(name, text)
	if err != nil || root == nil {
		return nil, err
	}
	known := make([]string, len(settings))
	for i, s := range settings {
		known[i] = s.key
	}
	fields, err := value{file: name, node: root, dir: c.dir, getenv: getenv}.fields("keys such as \"listen: 127.0.0.1:8080\"")
	if err != nil {
		return nil, err
	}
	out := map[string]value{}
	for _, f := range fields {
		if !contains(known, f.name) {
			return nil, f.unknown(known)
		}
		out[f.name] = f.value
	}
	return out, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parseYAML returns the one document's root; nil when the file says nothing.
func parseYAML(name string, text []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
			return nil, &configError{where: name, reason: "expected one YAML document"}
		}
		if root := doc.Content[0]; root.Tag != "!!null" {
			return root, nil
		}
		return nil, nil
	}
	where, reason := name, err.Error()
	if m := yamlLine.FindStringSubmatch(reason); m != nil {
		if reason = m[2]; m[1] != "" {
			where += ":" + m[1]
		}
	}
	return nil, &configError{where: where, reason: "not valid YAML: " + reason}
}

func contains(list []string, s string) bool {
	for _, o := range list {
		if o == s {
			return true
		}
	}
	return false
}

func setPath(to *string, v value, expected string) (err error) {
	*to, err = v.path(expected)
	return err
}

func setListen(to *string, v value) error {
	const expected = "host:port such as 127.0.0.1:8080"
	s, err := v.text(expected)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil || port == "" {
		return v.fail("expected %s", expected)
	}
	if _, err := net.DefaultResolver.LookupPort(context.Background(), "tcp", port); err != nil { // it asks no network
		return v.fail("expected %s; its port is none", expected)
	}
	*to = s
	return nil
}

func setPublicURL(c *config, v value) error {
	s, path, err := baseURL(v, "https://u.example.com")
	c.publicURL, c.pages.BasePath = s, path
	return err
}

// baseURL reads a URL to which paths are appended, and the path of its own.
func baseURL(v value, such string) (base, path string, err error) {
	expected := "a URL such as " + such
	s, err := v.text(expected)
	if err != nil {
		return "", "", err
	}
	u, ok := webURL(s)
	if !ok || u.RawQuery != "" || u.Fragment != "" {
		return "", "", v.fail("expected %s, without a query", expected)
	}
	return strings.TrimSuffix(s, "/"), strings.TrimSuffix(u.Path, "/"), nil
}

// setMailto takes the address without its scheme; newLinker judges the rest.
func setMailto(c *config, v value) error {
	s, err := v.text("an address such as u-{code}@unsub.example.com")
	c.mailto = strings.TrimPrefix(s, "mailto:")
	return err
}

func webURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	return u, err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func setDatabase(c *config, v value) error {
	const expected = "mysql://user:password@tcp(host:3306)/name or sqlite:path/to/file.db"
	s, err := v.text(expected)
	if err != nil {
		return err
	}
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case ok && scheme == "sqlite" && strings.TrimPrefix(rest, "//") != "":
		c.database = "sqlite:" + v.resolve(strings.TrimPrefix(rest, "//"))
	case ok && scheme == "mysql" && strings.HasPrefix(rest, "//"):
		c.database = s
	default:
		return v.fail("expected %s", expected)
	}
	if err := store.CheckURL(c.database); err != nil {
		return v.fail("%s", strings.TrimPrefix(err.Error(), store.ErrInvalid.Error()+": "))
	}
	return nil
}

func setRegion(c *config, v value) error {
	s, err := v.text("a country such as FI")
	if err != nil {
		return err
	}
	s = strings.ToUpper(s)
	if len(s) != 2 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return v.fail("expected the two letters of a country, such as FI")
	}
	if _, err := recipient.ParsePhone("0401234567", s); err != nil && strings.Contains(err.Error(), "region") {
		return v.fail("expected the two letters of a country, such as FI")
	}
	c.defaultRegion = s
	return nil
}

func setLogLevel(c *config, v value) error {
	s, err := v.text("debug, info, warn or error")
	if err != nil {
		return err
	}
	if c.logLevel.UnmarshalText([]byte(s)) != nil {
		return v.fail("expected debug, info, warn or error")
	}
	return nil
}

func setLogFormat(c *config, v value) error {
	s, err := v.text("text or json")
	if err != nil {
		return err
	}
	if s != "text" && s != "json" {
		return v.fail("expected text or json")
	}
	c.logFormat = s
	return nil
}
