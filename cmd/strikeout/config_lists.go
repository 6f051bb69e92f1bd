package main

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

// setRetention reads how long events of a kind are kept. What is not named
// keeps its default: delivered and soft_bounce 90 days, the rest for ever.
func setRetention(c *config, v value) error {
	fields, err := v.fields("kinds and durations such as {delivered: 90d}")
	if err != nil {
		return err
	}
	known := make([]string, len(recipient.Kinds))
	for i, k := range recipient.Kinds {
		known[i] = string(k)
	}
	for _, f := range fields {
		if !contains(known, f.name) {
			return f.unknown(known)
		}
		if s := strings.TrimSpace(f.node.Value); s == "forever" {
			delete(c.retention, recipient.Kind(f.name))
			continue
		}
		d, err := f.duration()
		if err != nil {
			return err
		}
		if d < 24*time.Hour {
			return f.fail("expected at least 1d, or forever")
		}
		c.retention[recipient.Kind(f.name)] = d
	}
	return nil
}

func setProxies(c *config, v value) error {
	const expected = "addresses such as 10.0.0.0/8"
	for _, one := range v.list() {
		s, err := one.text(expected)
		if err != nil {
			return err
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return one.fail("expected %s", expected)
			}
			p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		}
		if p.Addr().Is4In6() {
			return one.fail("expected an IPv4 prefix without ::ffff:")
		}
		c.trustedProxies = append(c.trustedProxies, p.Masked())
	}
	return nil
}

// scopes are what an API key may be allowed.
var scopes = []string{"read", "mint", "write", "admin"}

func setAPIKeys(c *config, v value) error {
	seen, hashes := map[string]bool{}, map[[32]byte]bool{}
	for _, one := range v.list() {
		fields, err := one.fields(`{name: ..., scopes: [...], sha256: "..."}`)
		if err != nil {
			return err
		}
		var k handlers.APIKey
		var hashed bool
		known := []string{"name", "scopes", "sha256"}
		for _, f := range fields {
			switch f.name {
			case "name":
				k.Name, err = f.text("a name")
			case "scopes":
				k.Scopes, err = scopesOf(f.value)
			case "sha256":
				hashed = true
				err = hashOf(&k.SHA256, f.value)
			default:
				err = f.unknown(known)
			}
			if err != nil {
				return err
			}
		}
		switch {
		case k.Name == "":
			return one.fail("name: is missing")
		case seen[k.Name]:
			return one.fail("name: another key has the same")
		case len(k.Scopes) == 0:
			return one.fail("scopes: is missing, expected some of %s", strings.Join(scopes, ", "))
		case !hashed:
			return one.fail("sha256: is missing, expected 64 hex digits: the SHA-256 of the whole key")
		case hashes[k.SHA256]: // the scopes of which of them would count?
			return one.fail("sha256: another key has the same")
		}
		seen[k.Name], hashes[k.SHA256] = true, true
		c.apiKeys = append(c.apiKeys, k)
	}
	return nil
}

func scopesOf(v value) ([]string, error) {
	expected := "some of " + strings.Join(scopes, ", ")
	list, err := v.texts(expected)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if !contains(scopes, s) {
			return nil, v.fail("expected %s", expected)
		}
	}
	return list, nil
}

func hashOf(to *[32]byte, v value) error {
	const expected = "64 hex digits: the SHA-256 of the whole key"
	s, err := v.text(expected)
	if err != nil {
		return err
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(to) {
		return v.fail("expected %s", expected)
	}
	copy(to[:], b)
	return nil
}

// setEvidence reads what is kept of a visitor's connection with an opt-out;
// nothing by default, because it is personal data.
func setEvidence(c *config, v value) error {
	const expected = "some of ip, user_agent"
	for _, one := range v.list() {
		s, err := one.text(expected)
		if err != nil {
			return err
		}
		switch s {
		case "ip":
			c.evidence.IP = true
		case "user_agent":
			c.evidence.UserAgent = true
		default:
			return one.fail("expected %s", expected)
		}
	}
	return nil
}

// setPages reads what an installation shows of itself to recipients.
func setPages(c *config, v value) error {
	fields, err := v.fields("keys such as sender: Example Ltd")
	if err != nil {
		return err
	}
	known := []string{"sender", "help_url", "privacy_url", "logo", "default_language", "dir"}
	for _, f := range fields {
		switch f.name {
		case "sender":
			c.pages.Sender, err = f.text("the name of whoever sends the messages")
		case "help_url":
			c.pages.HelpURL, err = f.text("an https: or mailto: URL")
		case "privacy_url":
			c.pages.PrivacyURL, err = f.text("an https: URL")
		case "default_language":
			c.pages.DefaultLanguage, err = f.text("a language such as fi")
		case "dir":
			const expected = "a folder with texts, colours or pages of your own"
			if c.pagesDir, err = f.path(expected); err == nil {
				if info, serr := os.Stat(c.pagesDir); serr != nil || !info.IsDir() {
					err = f.fail("is no folder that can be read; expected %s", expected)
				}
			}
		case "logo":
			var name string
			if name, err = f.path("a PNG, JPEG, GIF or WebP file"); err == nil {
				if c.pages.Logo, err = os.ReadFile(name); err != nil { //nolint:gosec // the operator names it
					err = f.fail("cannot read the file: %v", err)
				}
			}
		default:
			err = f.unknown(known)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const addressKeyExpected = "32 random bytes in base64 (openssl rand -base64 32)"

// addressKey returns the configured key; nil when none is.
func (c *config) addressKey() ([]byte, error) {
	if c.addressKeyValue == nil {
		return nil, nil
	}
	s, err := c.addressKeyValue.text(addressKeyExpected)
	if err != nil {
		return nil, err
	}
	key, ok := decodeKey(s)
	if !ok {
		return nil, c.addressKeyValue.fail("expected %s", addressKeyExpected)
	}
	if _, err := recipient.NewKeyer(key); err != nil {
		return nil, c.addressKeyValue.fail("expected %s", addressKeyExpected)
	}
	return key, nil
}

// decodeKey reads base64 in either alphabet, padded or not.
func decodeKey(s string) ([]byte, bool) {
	b, err := tokens.DecodeAddressKey(strings.TrimSpace(s))
	return b, err == nil && len(b) >= recipient.AddressKeyBytes
}
