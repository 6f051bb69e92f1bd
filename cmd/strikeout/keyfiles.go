package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
)

// addressKeyFile holds the address key where the configuration has none.
const addressKeyFile = "address.key"

func (c *config) addressKeyPath() string { return filepath.Join(c.dataDir, addressKeyFile) }

// savedAddressKey returns the key of the configuration or of the data
// directory, and where it came from; nil when there is none.
func (c *config) savedAddressKey() (key []byte, from string, err error) {
	key, err = c.addressKey()
	if err != nil || key != nil {
		return key, c.said("address_key"), err
	}
	name := c.addressKeyPath()
	text, err := os.ReadFile(name) //nolint:gosec // the operator names the directory
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("read the address key: %w", err)
	}
	key, ok := decodeKey(string(text))
	if !ok {
		return nil, "", &configError{where: name, reason: "expected " + addressKeyExpected}
	}
	return key, name, nil
}

// keyer returns the keyer of the address key there is; nil when there is none.
func (c *config) keyer() (*recipient.Keyer, error) {
	key, from, err := c.savedAddressKey()
	if err != nil || key == nil {
		return nil, err
	}
	k, err := recipient.NewKeyer(key)
	if err != nil {
		return nil, &configError{where: from, reason: err.Error()}
	}
	return k, nil
}

// ring returns the keys that sign links; nil when there is no file yet.
func (c *config) ring() (*tokens.Ring, error) {
	r, err := tokens.LoadRing(c.tokenKeysFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, c.wrongRing(err)
	}
	return r, nil
}

// wrongRing is an error of the keys file; its text names the file and the line.
func (c *config) wrongRing(err error) error {
	return &configError{where: "token_keys_file", reason: strings.TrimPrefix(err.Error(), "token keys: ")}
}

// errNoKeys says what to do where a command needs keys and there are none.
func (c *config) errNoKeys(what string) error {
	return usage("there is no %s yet: strikeout serve and strikeout migrate make one for an empty database", what)
}

// ensureKeys makes the keys that are missing, for an empty database only: with
// fresh keys no link ever sent works, and nobody's opt-out is found again.
func (e *env) ensureKeys(ctx context.Context, c *config) (made []string, err error) {
	keyer, err := c.keyer()
	if err != nil {
		return nil, err
	}
	ring, err := c.ring()
	if err != nil || keyer != nil && ring != nil {
		return nil, err
	}
	if err := e.onlyWhenEmpty(ctx, c, keyer == nil); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if keyer == nil {
		key := make([]byte, recipient.AddressKeyBytes)
		if _, err := io.ReadFull(e.rand, key); err != nil {
			return nil, fmt.Errorf("random source: %w", err)
		}
		if err := createFile(c.addressKeyPath(), []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
			return nil, fmt.Errorf("write the address key: %w", err)
		}
		made = append(made, c.addressKeyPath())
	}
	if ring == nil {
		if err := e.createRing(c.tokenKeysFile); err != nil {
			return made, err
		}
		made = append(made, c.tokenKeysFile)
	}
	return made, nil
}

func (e *env) createRing(name string) error {
	k, err := tokens.GenerateKey(e.rand, e.now(), tokens.HS256)
	if err != nil {
		return fmt.Errorf("make a key for links: %w", err)
	}
	r, err := tokens.NewRing([]tokens.Key{k})
	if err != nil {
		return fmt.Errorf("make a key for links: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make the directory of the keys: %w", err)
	}
	if err := r.Save(name); err != nil {
		return fmt.Errorf("save the keys of links: %w", err)
	}
	return nil
}

// onlyWhenEmpty refuses to make keys for a database that is in use.
func (e *env) onlyWhenEmpty(ctx context.Context, c *config, addressKey bool) error {
	if name, ok := strings.CutPrefix(c.database, "sqlite:"); ok {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	db, err := store.Open(ctx, store.Config{URL: c.database, Now: e.now})
	if err != nil {
		return fmt.Errorf("there are keys to be made, which needs a look into the database: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	empty, err := db.Empty(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("there are keys to be made, which needs a look into the database: %w", err)
	case empty:
		return nil
	case addressKey:
		return usage("address_key: the database is in use, and its address key is neither configured nor in %s: restore it from the backup", c.addressKeyPath())
	}
	return usage("token_keys_file: the database is in use, and %s is missing: restore it from the backup, or accept that no link sent so far works and run strikeout keys new", c.tokenKeysFile)
}

// createFile writes a file that must not exist, whole or not at all: a
// temporary one is linked to its name, which fails where the name is taken.
func createFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone, or harmless
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	return err
}

func syncDir(name string) error {
	d, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	return errors.Join(d.Sync(), d.Close())
}
