package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

type doctorCmd struct{}

func (doctorCmd) Help() string {
	return `Each line is ok, warn or fail, and says what to do. It changes nothing. Exit code 1: something fails.

    strikeout doctor
    strikeout doctor --config /etc/strikeout.yaml`
}

// examination prints findings as they come.
type examination struct {
	*env
	colour paint
	fails  int
	warns  int
}

func (x *examination) ok(what, format string, args ...any) { x.line("ok", what, format, args) }
func (x *examination) warn(what, format string, args ...any) {
	x.warns++
	x.line("warn", what, format, args)
}

func (x *examination) fail(what, format string, args ...any) {
	x.fails++
	x.line("fail", what, format, args)
}

func (x *examination) line(level, what, format string, args []any) {
	mark := fmt.Sprintf("%-4s", level)
	switch level {
	case "ok":
		mark = x.colour.green(mark)
	case "warn":
		mark = x.colour.yellow(mark)
	default:
		mark = x.colour.red(mark)
	}
	x.printf("%s  %-14s %s\n", mark, what, fmt.Sprintf(format, args...))
}

func (cmd *doctorCmd) Run(e *env) error {
	x := &examination{env: e, colour: e.colours(e.stdout)}
	c, err := e.config(nil)
	if err != nil {
		x.fail("configuration", "%v", err)
		return errNo
	}
	file := c.file
	if file == "" {
		file = "none; the defaults"
	}
	x.ok("configuration", "%s", file)
	for _, n := range c.notes {
		x.warn("configuration", "%s", n)
	}
	x.publicURL(c)
	keyer := x.keys(c)
	x.database(c, keyer)
	x.spool(c)
	x.endpoints(c)
	x.pages(c)
	x.proxies(c)
	x.printf("%d fail, %d warn\n", x.fails, x.warns)
	if x.fails > 0 {
		return errNo
	}
	return nil
}

func (x *examination) publicURL(c *config) {
	switch {
	case c.said("public_url") == "":
		x.warn("public_url", "is not set: links lead to %s, which works on this machine only", c.publicURL)
	case strings.HasPrefix(c.publicURL, "https://"):
		x.ok("public_url", "%s", c.publicURL)
	case loopback(c.publicURL):
		x.warn("public_url", "%s works on this machine only", c.publicURL)
	default:
		x.fail("public_url", "must begin with https://: mail programs ignore one-click links without it")
	}
}

// pages examines the folder of an operator's own pages.
func (x *examination) pages(c *config) {
	w, err := x.openPages(c, nil)
	switch {
	case err != nil:
		x.fail("pages", "%v", err)
	case c.pagesDir != "":
		p := w.Pages()
		for _, s := range p.Unused() {
			x.warn("pages", "%s in %s", s, c.pagesDir)
		}
		x.ok("pages", "%d languages, changed by %s", len(p.Languages()), c.pagesDir)
	}
}

// keys examines both kinds and returns the keyer, nil when there is none.
func (x *examination) keys(c *config) *recipient.Keyer {
	keyer, err := c.keyer()
	_, from, ferr := c.savedAddressKey()
	switch {
	case err != nil || ferr != nil:
		x.fail("address_key", "%v", errors.Join(err, ferr))
	case keyer == nil:
		x.warn("address_key", "there is none yet; strikeout serve makes one in %s for an empty database", c.dataDir)
	default:
		x.ok("address_key", "from %s; keep it with the database's backups, it can never change", from)
		x.private("address_key", from)
	}
	ring, err := c.ring()
	switch {
	case err != nil:
		x.fail("token keys", "%v", err)
	case ring == nil:
		x.warn("token keys", "there is no %s yet; strikeout serve makes one for an empty database", c.tokenKeysFile)
	default:
		x.private("token keys", c.tokenKeysFile)
		active, ok := ring.Active()
		if !ok {
			x.warn("token keys", "%s has no active key: links cannot be made; strikeout keys rotate", c.tokenKeysFile)
			break
		}
		x.ok("token keys", "%d in %s, %s signs", len(ring.Keys()), c.tokenKeysFile, active.ID)
		if ahead := active.CreatedAt.Sub(x.now()); ahead > time.Minute {
			x.fail("clock", "is before the time when key %s was made, by %s: set it by NTP", active.ID, ahead.Round(time.Second))
		}
	}
	return keyer
}

// private warns of a key that others on this machine can read.
func (x *examination) private(what, name string) {
	info, err := os.Stat(name)
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		x.warn(what, "%s can be read by others: chmod 600 %s", name, name)
	}
}

func (x *examination) database(c *config, keyer *recipient.Keyer) {
	if name, ok := strings.CutPrefix(c.database, "sqlite:"); ok {
		if _, err := os.Stat(name); os.IsNotExist(err) {
			x.warn("database", "%s does not exist yet; strikeout serve or strikeout migrate makes it", name)
			return
		}
	}
	db, err := store.Open(x.ctx, store.Config{URL: c.database, Keyer: keyer, Now: x.now, Logger: x.logger(c)})
	if err == nil {
		defer db.Close() //nolint:errcheck // nothing was written
		err = db.Ping(x.ctx)
	}
	switch {
	case errors.Is(err, store.ErrWrongAddressKey):
		x.fail("address_key", "is not the one that this database was filled with: restore that one from the backup")
		return
	case errors.Is(err, store.ErrNotMigrated):
	case err != nil:
		x.fail("database", "%s cannot be reached: %v", databaseText(c.database), err)
		return
	}
	settings, err := db.Settings(x.ctx)
	if err != nil {
		x.fail("database", "its settings cannot be read: %v", err)
		return
	}
	x.ok("database", "%s, %s %s", databaseText(c.database), db.Kind(), settings["version"])
	x.durable(db.Kind(), settings)
	switch n, err := db.Pending(x.ctx); {
	case err != nil:
		x.fail("tables", "cannot tell their version: %v", err)
	case n > 0:
		x.fail("tables", "%d migrations wait: strikeout migrate", n)
		return
	default:
		x.ok("tables", "are up to date")
	}
	x.apiKeys(c, db)
	if counts, err := db.QuarantineCounts(x.ctx); err == nil {
		for name, n := range counts {
			if n > 0 {
				x.warn("quarantine", "%d requests of endpoint %s wait: strikeout replay --endpoint %s", n, name, name)
			}
		}
	}
	x.traffic(c, db)
}

// durable looks at what makes a commit survive a power cut.
func (x *examination) durable(kind string, s map[string]string) {
	wanted := map[string][]string{"innodb_flush_log_at_trx_commit": {"1"}, "sync_binlog": {"1"}}
	if kind == "sqlite" {
		wanted = map[string][]string{"journal_mode": {"wal"}, "synchronous": {"2", "full", "3", "extra"}}
	} else if v := strings.ToLower(s["log_bin"]); v == "off" || v == "0" {
		delete(wanted, "sync_binlog") // there is no binary log to sync
	}
	bad := 0
	for name, values := range wanted {
		got, known := s[name]
		if known && !contains(values, strings.ToLower(got)) {
			bad++
			x.fail("durability", "%s is %s, expected %s: without it an acknowledged report can be lost in a power cut", name, got, values[0])
		}
	}
	if bad == 0 {
		x.ok("durability", "a commit is on disk before it is answered")
	}
	if v := strings.ToLower(s["read_only"]); v == "on" || v == "1" {
		x.fail("database", "is read-only: nothing can be stored")
	}
}

// traffic says which endpoints do not do what they usually do, and why the
// latest request was rejected.
func (x *examination) traffic(c *config, db *store.DB) {
	list, err := c.endpoints()
	if err != nil {
		return // endpoints says it
	}
	names := make([]string, len(list))
	for i, ep := range list {
		names[i] = ep.name
	}
	health, err := db.HealthOf(x.ctx, names)
	if err != nil {
		x.fail("endpoints", "what they accepted and rejected cannot be read: %v", err)
		return
	}
	for _, h := range health {
		if h.Silent {
			x.warn(h.Endpoint, "nothing was accepted since %s; before, its longest pause was %.0f hours", h.LastAccepted.UTC().Format(time.RFC3339), h.Pause.Hours())
		}
		if h.Rejected == 0 || len(h.Rejections) == 0 {
			continue
		}
		last := h.Rejections[0]
		say := x.ok
		if h.Jumped || last.Hint != "" {
			say = x.warn
		}
		say(h.Endpoint, "%s", strings.TrimSpace(fmt.Sprintf("%d requests were rejected in the last day, the latest: %s. %s", h.Rejected, last.Reason, last.Hint)))
	}
}

func (x *examination) apiKeys(c *config, db *store.DB) {
	keys, err := db.APIKeys(x.ctx)
	if err != nil {
		x.fail("API keys", "cannot be read: %v", err)
		return
	}
	n := len(c.apiKeys)
	for _, k := range keys {
		if k.RevokedAt.IsZero() {
			n++
		}
	}
	if n == 0 {
		x.warn("API keys", "there is none, so no other system can ask: strikeout keys api new crm --scopes read,mint,write")
		return
	}
	x.ok("API keys", "%d", n)
}

func (x *examination) endpoints(c *config) {
	list, err := c.endpoints()
	if err != nil {
		x.fail("endpoints", "%v", err)
		return
	}
	if len(list) == 0 {
		x.warn("endpoints", "none is configured, so no provider can report: strikeout providers NAME shows how")
	}
	for _, ep := range list {
		what := ep.name
		if _, err := ep.build(nil); err != nil {
			x.fail(what, "%v", err)
			continue
		}
		for _, w := range ep.warnings() {
			x.warn(what, "%s", w)
		}
		address := ep.url
		if address == "" {
			address = c.publicURL + "/webhooks/" + url.PathEscape(ep.name)
			if len(ep.settings.All("path_secret")) > 0 {
				address += "/PATH_SECRET"
			}
		}
		proof := "signatures"
		switch {
		case ep.info.Verifies(ep.settings) && !ep.settings.Unsigned && ep.guarded():
			proof = "signatures and a shared secret"
		case ep.guarded():
			proof = "a shared secret"
		case ep.settings.Unsigned:
			proof = "nothing"
		}
		x.ok(what, "%s posts to %s; checked by %s", ep.info.Title, address, proof)
		if len(ep.settings.All(privateKeyKey)) > 0 {
			x.warn(what, "private_key is for simulate only: keep it out of real configurations")
		}
	}
}

func (x *examination) proxies(c *config) {
	everybody := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, p := range c.trustedProxies {
		for _, all := range everybody {
			if p == all {
				x.fail("proxies", "trusted_proxies holds everybody: anybody can say who they are; name the proxies")
				return
			}
		}
	}
	if len(c.trustedProxies) == 0 {
		x.ok("proxies", "none is trusted; behind one, set trusted_proxies to its address")
		return
	}
	x.ok("proxies", "%d networks are trusted", len(c.trustedProxies))
}
