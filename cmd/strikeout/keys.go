package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/strikeout/strikeout/tokens"
)

type keysCmd struct {
	List    keysListCmd    `cmd:"" help:"List the keys of links and their states."`
	New     keysNewCmd     `cmd:"" help:"Add a key, without using it yet."`
	Rotate  keysRotateCmd  `cmd:"" help:"Sign new links with another key; old links keep working."`
	Confirm keysConfirmCmd `cmd:"" help:"For a key that may have leaked: its links need somebody who has seen the page."`
	Revoke  keysRevokeCmd  `cmd:"" help:"Break all links of a key."`
	Address keysAddressCmd `cmd:"" help:"Print the check value of the address key, not the key."`
	API     keysAPICmd     `cmd:"" name:"api" help:"Keys of the JSON API."`
}

func (keysCmd) Help() string {
	return `A running service notices changes of the keys of links within seconds. With several replicas: strikeout keys new, give the file to
all of them, then strikeout keys rotate ID.

    strikeout keys list
    strikeout keys rotate
    strikeout keys api new crm --scopes read,mint`
}

type keysListCmd struct{}

func (keysListCmd) Run(e *env) error {
	c, ring, err := e.ring()
	if err != nil {
		return err
	}
	counts, known := e.linkCounts(c)
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tALGORITHM\tSTATE\tMADE\tLINKS\tMEANS")
	for _, k := range ring.Keys() {
		made := "-"
		if !k.CreatedAt.IsZero() {
			made = k.CreatedAt.UTC().Format(time.DateOnly)
		}
		links := "-"
		if known && k.CanSign() {
			links = strconv.FormatInt(counts[k.ID].Issued, 10)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Alg, k.State, made, links, map[tokens.State]string{
			tokens.Active: "signs new links", tokens.Verify: "its links work", tokens.Confirm: "its links work after the page was seen",
			tokens.Revoked: "its links do not work"}[k.State])
	}
	return t.Flush() //nolint:wrapcheck // the terminal's own error
}

// ring loads the keys of links, which have to be there.
func (e *env) ring() (*config, *tokens.Ring, error) {
	c, err := e.config(nil)
	if err != nil {
		return nil, nil, err
	}
	r, err := c.ring()
	if err == nil && r == nil {
		err = c.errNoKeys("key that signs links")
	}
	return c, r, err
}

// changeRing saves the ring that change makes.
func (e *env) changeRing(change func(*tokens.Ring) (*tokens.Ring, error)) error {
	c, ring, err := e.ring()
	if err != nil {
		return err
	}
	changed, err := change(ring)
	if err != nil {
		return usage("keys: %w", err)
	}
	if err := changed.Save(c.tokenKeysFile); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

type keysNewCmd struct {
	Alg    string `enum:"HS256,EdDSA" default:"HS256" help:"HS256, or EdDSA."`
	ID     string `name:"id" placeholder:"ID" help:"1 to 16 of a-z 0-9 (default: random); the id that an outside minter puts into its tokens."`
	Public string `placeholder:"FILE" help:"The Ed25519 public key of an outside minter, who keeps the private half."`
}

func (keysNewCmd) Help() string {
	return `The new key verifies only, until strikeout keys rotate ID. Where the file of keys was lost, it makes a new one.

    strikeout keys new
    strikeout keys new --id agency --public agency.pem`
}

func (cmd *keysNewCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	ring, err := c.ring()
	if err != nil {
		return err
	}
	if ring == nil && cmd.Public == "" {
		if err := e.createRing(c.tokenKeysFile); err != nil {
			return err
		}
		e.printf("made %s with a fresh key: back it up with the database\n", c.tokenKeysFile)
		return nil
	}
	k, err := cmd.key(e)
	if err != nil {
		return err
	}
	if err := e.changeRing(func(r *tokens.Ring) (*tokens.Ring, error) { return r.Add(k) }); err != nil {
		return err
	}
	if !k.CanSign() {
		e.printf("%s: added; links that its owner signs work\n", k.ID)
		return nil
	}
	e.printf("%s: added, it verifies only; strikeout keys rotate %s makes it sign\n", k.ID, k.ID)
	return nil
}

func (cmd *keysNewCmd) key(e *env) (tokens.Key, error) {
	k := tokens.Key{Alg: tokens.EdDSA, CreatedAt: e.now().UTC().Truncate(time.Second)}
	var err error
	if cmd.Public != "" {
		if cmd.ID == "" {
			return k, usage("--id: is missing; the outside minter puts it into its tokens")
		}
		var text string
		if text, err = plain("public", "--public", cmd.Public).content("a file"); err != nil {
			return k, err
		}
		if k.Public, err = tokens.ParsePublicKey(text); err != nil {
			return k, usage("--public: %w", err)
		}
	} else if k, err = tokens.GenerateKey(e.rand, e.now(), cmd.Alg); err != nil {
		return k, fmt.Errorf("keys: %w", err)
	}
	if cmd.ID != "" {
		k.ID = cmd.ID
	}
	k.State = tokens.Verify
	return k, nil
}

type keysRotateCmd struct {
	ID string `arg:"" optional:"" help:"A key that is there already; without it a fresh one is made."`
}

func (cmd *keysRotateCmd) Run(e *env) error {
	id := cmd.ID
	err := e.changeRing(func(r *tokens.Ring) (*tokens.Ring, error) {
		if id != "" {
			return r.SetState(id, tokens.Active)
		}
		k, err := tokens.GenerateKey(e.rand, e.now(), tokens.HS256)
		if err != nil {
			return nil, err //nolint:wrapcheck // changeRing does
		}
		id = k.ID
		return r.Rotate(k)
	})
	if err != nil {
		return err
	}
	e.printf("%s: signs new links; links of the key before keep working\n", id)
	return nil
}

type keysConfirmCmd struct {
	ID string `arg:"" help:"The key's id."`
}

func (cmd *keysConfirmCmd) Run(e *env) error {
	return e.setState(cmd.ID, tokens.Confirm, "its links work after the page was seen; one-click requests wait for an administrator")
}

type keysRevokeCmd struct {
	ID  string `arg:"" help:"The key's id."`
	Yes bool   `short:"y" help:"Do not ask; scripts are never asked."`
}

func (keysRevokeCmd) Help() string {
	return `It says how many links the key has signed, as far as commands and the API of this installation counted them: links of minters in other languages and outside do
not count. Where a key may only have leaked, strikeout keys confirm keeps its links working.`
}

func (cmd *keysRevokeCmd) Run(e *env) error {
	c, ring, err := e.ring()
	if err != nil {
		return err
	}
	if _, err := ring.SetState(cmd.ID, tokens.Revoked); err != nil { // before anybody is asked
		return usage("keys: %w", err)
	}
	text := "it is not known how many links it has signed"
	if slices.ContainsFunc(ring.Keys(), func(k tokens.Key) bool { return k.ID == cmd.ID && !k.CanSign() }) {
		text = "its links are made outside, where nobody counts them"
	} else if counts, ok := e.linkCounts(c); ok {
		n := counts[cmd.ID]
		text = fmt.Sprintf("%d links were counted that it has signed", n.Issued)
		if !n.LastAt.IsZero() {
			text += fmt.Sprintf(", from %s to %s", n.FirstAt.Format(time.DateOnly), n.LastAt.Format(time.DateOnly))
		}
	}
	e.printf("%s: %s; they would be broken links\n", cmd.ID, text)
	if !cmd.Yes && isatty.IsTerminal(os.Stdin.Fd()) { // a script has made up its mind
		if err := e.confirm(os.Stdin, cmd.ID); err != nil {
			return err
		}
	}
	return e.setState(cmd.ID, tokens.Revoked, "its links do not work any more; strikeout keys confirm takes that back")
}

// confirm asks for a word that nobody types by accident.
func (e *env) confirm(in io.Reader, word string) error {
	e.printf("Type %s to go on: ", word)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && answer == "" || strings.TrimSpace(answer) != word {
		e.printf("nothing was changed\n")
		return errNo
	}
	return nil
}

func (e *env) setState(id string, s tokens.State, says string) error {
	err := e.changeRing(func(r *tokens.Ring) (*tokens.Ring, error) { return r.SetState(id, s) })
	if err != nil {
		return err
	}
	e.printf("%s: %s\n", id, says)
	return nil
}

type keysAddressCmd struct{}

func (keysAddressCmd) Help() string {
	return `Two installations with the same check value have the same address key. The key itself is never printed.`
}

func (keysAddressCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	_, from, err := c.savedAddressKey()
	if err != nil {
		return err
	}
	keyer, err := c.keyer()
	if err != nil {
		return err
	}
	if keyer == nil {
		return c.errNoKeys("address key")
	}
	e.printf("%s (from %s)\n", hex.EncodeToString(keyer.Check()), from)
	return nil
}
