package tokens

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The keys file is YAML:
//
//	keys:
//	  - id: k7q2x                          # the kid of tokens
//	    alg: HS256
//	    state: active                      # active, verify, confirm, revoked
//	    secret: base64 of 32 bytes or more
//	    created_at: 2026-11-24T19:00:00Z   # optional
//	  - id: agency
//	    alg: EdDSA
//	    state: verify
//	    public_key: base64 or PEM          # what the outside minter sent us
//	    private_key: base64 of the seed    # only where we sign ourselves

// FileError says what is wrong with a keys file, and where. It quotes nothing
// of the file but key ids.
type FileError struct {
	Path string
	Line int // 0: not one line
	Err  error
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// maxFileBytes is far above any number of keys that makes sense.
const maxFileBytes = 1 << 20

// LoadRing reads a keys file. A missing file is fs.ErrNotExist; a wrong one is
// a *FileError.
func LoadRing(path string) (*Ring, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("token keys: %w", err)
	}
	return parseRing(path, b)
}

func parseRing(path string, b []byte) (*Ring, error) {
	fail := func(line int, format string, args ...any) error {
		return &FileError{Path: path, Line: line, Err: fmt.Errorf(format, args...)}
	}
	if len(b) > maxFileBytes {
		return nil, fail(0, "larger than 1 MiB")
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fail(yamlLine(err), "not valid YAML") // its own text may quote a secret
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fail(0, "expected `keys:` and a list of keys")
	}
	root := doc.Content[0]
	var list *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		name := root.Content[i]
		if name.Value != "keys" || list != nil {
			return nil, fail(name.Line, "expected `keys:` once and nothing else at the top")
		}
		list = root.Content[i+1]
	}
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, fail(root.Line, "`keys` must be a list of at least one key")
	}
	keys := make([]Key, 0, len(list.Content))
	ids := map[string]int{}
	active := 0
	for _, n := range list.Content {
		k, line, err := parseKey(n)
		if err != nil {
			return nil, fail(line, "%s%w", named(k.ID), err)
		}
		if !validKeyID(k.ID) {
			return nil, fail(n.Line, "the id must be 1 to 16 of a-z and 0-9")
		}
		if err := k.check(); err != nil {
			return nil, fail(n.Line, "%s%w", named(k.ID), err)
		}
		if k.isPublished() {
			return nil, fail(n.Line, "%s%w", named(k.ID), errPublished)
		}
		if other := ids[k.ID]; other != 0 {
			return nil, fail(n.Line, "%sthe key of line %d has this id too", named(k.ID), other)
		}
		if k.State == Active {
			if active != 0 {
				return nil, fail(n.Line, "%sactive, but so is the key of line %d: only one signs", named(k.ID), active)
			}
			active = n.Line
		}
		ids[k.ID] = n.Line
		keys = append(keys, k)
	}
	r, err := NewRing(keys)
	if err != nil {
		return nil, fail(0, "%w", err)
	}
	return r, nil
}

// named is the beginning of an error about a key, where its id is one.
func named(id string) string {
	if !validKeyID(id) {
		return ""
	}
	return `key "` + id + `": `
}

var yamlLineNumber = regexp.MustCompile(`line (\d+)`)

func yamlLine(err error) (line int) {
	if m := yamlLineNumber.FindStringSubmatch(err.Error()); m != nil {
		fmt.Sscan(m[1], &line) //nolint:errcheck // digits; 0 where too many
	}
	return line
}

func parseKey(n *yaml.Node) (k Key, line int, err error) {
	if n.Kind != yaml.MappingNode {
		return k, n.Line, errors.New("expected a key: id, alg, state and so on")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		if seen[name] {
			return k, value.Line, errors.New("a field stands twice")
		}
		seen[name] = true
		if value.Kind != yaml.ScalarNode {
			return k, value.Line, errors.New("expected a plain value")
		}
		if err := k.set(name, value.Value); err != nil {
			return k, n.Content[i].Line, err
		}
	}
	if len(k.Private) > 0 && len(k.Public) == 0 {
		k.Public = k.Private.Public().(ed25519.PublicKey)
	}
	return k, n.Line, nil
}

func (k *Key) set(name, value string) (err error) {
	switch name {
	case "id":
		k.ID = value
	case "alg":
		k.Alg = value
	case "state":
		k.State = State(value)
	case "secret":
		if k.Secret, err = decodeBase64(value); err != nil {
			return errors.New("secret is not base64")
		}
	case "public_key":
		k.Public, err = ParsePublicKey(value)
	case "private_key":
		b, err := decodeBase64(value)
		if err != nil || len(b) != ed25519.SeedSize {
			return errors.New("private_key is not the base64 of 32 bytes")
		}
		k.Private = ed25519.NewKeyFromSeed(b)
	case "created_at":
		if value == "" {
			return nil
		}
		if k.CreatedAt, err = time.Parse(time.RFC3339, value); err != nil {
			return errors.New("created_at is not a time such as 2026-11-24T19:00:00Z")
		}
		k.CreatedAt = k.CreatedAt.UTC()
	default:
		return errors.New("an unknown field; known are id, alg, state, secret, public_key, private_key and created_at")
	}
	return err
}

// ParsePublicKey reads an Ed25519 public key: PEM as openssl writes it, the
// base64 inside it, or the base64 of the 32 bytes.
func ParsePublicKey(s string) (ed25519.PublicKey, error) {
	wrong := errors.New("public_key is not an Ed25519 key in PEM or base64")
	var der []byte
	if block, _ := pem.Decode([]byte(strings.TrimSpace(s))); block != nil {
		der = block.Bytes
	} else {
		b, err := decodeBase64(s)
		if err != nil {
			return nil, wrong
		}
		if len(b) == ed25519.PublicKeySize {
			return b, nil
		}
		der = b
	}
	any, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, wrong
	}
	key, ok := any.(ed25519.PublicKey)
	if !ok {
		return nil, wrong
	}
	return key, nil
}

type fileYAML struct {
	Keys []keyYAML `yaml:"keys"`
}

type keyYAML struct {
	ID        string `yaml:"id"`
	Alg       string `yaml:"alg"`
	State     State  `yaml:"state"`
	Secret    string `yaml:"secret,omitempty"`
	Public    string `yaml:"public_key,omitempty"`
	Private   string `yaml:"private_key,omitempty"`
	CreatedAt string `yaml:"created_at,omitempty"`
}

const fileComment = `# The keys that sign unsubscribe links. Back this file up: links in old messages
# need the keys they were signed with. Change it with "strikeout keys".
`

// Save writes the keys file, readable by its owner only, in one step: readers
// see the old file or the new one. A symbolic link stays one.
func (r *Ring) Save(path string) error {
	f := fileYAML{Keys: []keyYAML{}}
	for _, k := range r.keys {
		y := keyYAML{ID: k.ID, Alg: k.Alg, State: k.State, Secret: encode(k.Secret), Public: encode(k.Public)}
		if len(k.Private) > 0 {
			y.Private = encode(k.Private.Seed())
		}
		if !k.CreatedAt.IsZero() {
			y.CreatedAt = k.CreatedAt.UTC().Format(time.RFC3339)
		}
		f.Keys = append(f.Keys, y)
	}
	b, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("token keys: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := replaceFile(path, append([]byte(fileComment), b...)); err != nil {
		return fmt.Errorf("token keys: %w", err)
	}
	return nil
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// replaceFile writes next to path, syncs and renames, so that a crash leaves
// one of the two files whole.
func replaceFile(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	defer func() {
		if err != nil {
			f.Close()           //nolint:errcheck // the first error counts
			os.Remove(f.Name()) //nolint:errcheck // nothing more to do
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	if err = f.Sync(); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	if err = f.Close(); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	d, err := os.Open(dir) //nolint:gosec // the folder of that file
	if err != nil {
		return nil // the file is in place; only its durability is less certain
	}
	defer d.Close() //nolint:errcheck // opened to sync only
	return d.Sync() //nolint:wrapcheck // the caller says what for
}
