package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

type tokenCmd struct {
	Inspect tokenInspectCmd `cmd:"" help:"Print what a token says, the state of its key, and whether it is valid."`
}

type tokenInspectCmd struct {
	Token string `arg:"" help:"A token or a whole link."`
}

func (tokenInspectCmd) Help() string {
	return `It needs the keys of links, and no database. Exit code 1: the token is not valid.

    strikeout token inspect https://u.example.com/u/eyJhbGciOi...`
}

func (cmd *tokenInspectCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	ring, err := c.ring()
	if err != nil {
		return err
	}
	if ring == nil {
		return c.errNoKeys("key that signs links")
	}
	token := tokenOf(cmd.Token)
	parts := strings.Split(token, ".")
	e.printf("header   %s\n", decoded(parts, 0))
	e.printf("claims   %s\n", decoded(parts, 1))

	v, err := ring.Verify(token, e.now())
	if err != nil {
		if k, ok := ring.Key(kidOf(parts)); ok {
			e.printf("key      %s (%s, %s)\n", k.ID, k.Alg, k.State)
		}
		e.printf("valid    no: %v\n", err)
		return errNo
	}
	k, _ := ring.Key(v.KeyID)
	e.printf("key      %s (%s, %s)\n", k.ID, k.Alg, k.State)
	e.printf("channel  %s\n", map[recipient.Channel]string{recipient.Email: "e-mail", recipient.SMS: "SMS"}[v.Channel])
	e.printf("address  %s (its key; the address itself is not in the link)\n", v.Key)
	e.printf("made     %s\n", v.IssuedAt.UTC().Format(time.RFC3339))
	if v.SendOut != "" {
		e.printf("send-out %s\n", v.SendOut)
	}
	if v.Language != "" {
		e.printf("language %s\n", v.Language)
	}
	e.printf("valid    yes: %s\n", meaning(v))
	return nil
}

// meaning says what the link does.
func meaning(v tokens.Verified) string {
	switch {
	case v.Preview:
		return "a preview; its page opens and changes nothing"
	case v.Expired:
		return "past its date; it still works, after the page was seen"
	case v.State == tokens.Confirm:
		return "its key may have leaked; it works after the page was seen, and one-click requests wait for an administrator"
	}
	return "it opts the address out"
}

// tokenOf takes the token out of a link, which may be the value of the header.
func tokenOf(s string) string {
	s, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		if _, after, ok := strings.Cut(u.Path, "/u/"); ok {
			return strings.TrimSuffix(strings.TrimSuffix(after, "/"), "/undo")
		}
	}
	return s
}

// decoded returns a part of a token as JSON on one line.
func decoded(parts []string, i int) string {
	if i >= len(parts) {
		return "(missing)"
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
	if err != nil {
		return "(not base64url)"
	}
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return "(not JSON)"
	}
	return recipient.Clean(out.String(), 1024)
}

func kidOf(parts []string) string {
	var head struct {
		Kid string `json:"kid"`
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(b, &head) != nil {
		return ""
	}
	return head.Kid
}
