package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// configError says which setting is wrong, where it stands and what was
// expected. It never holds the value: that may be a secret.
type configError struct {
	where  string // "strikeout.yaml:12", "STRIKEOUT_LISTEN", "--listen"
	key    string // "endpoints.sendgrid.public_key"
	reason string
}

func (e *configError) Error() string {
	parts := []string{e.where, e.key, e.reason}
	if e.key == "" || e.key == e.where {
		parts = []string{e.where, e.reason}
	}
	return strings.Join(parts, ": ")
}

// value is one setting as somebody wrote it, and where.
type value struct {
	key    string
	origin string     // the flag or the variable; empty: the file
	file   string     // as it was named
	node   *yaml.Node // a scalar for flags and variables
	dir    string     // what relative paths are relative to
	getenv func(string) string
}

func (v value) where() string {
	if v.origin != "" {
		return v.origin
	}
	return v.file + ":" + strconv.Itoa(v.node.Line)
}

func (v value) fail(format string, args ...any) error {
	return &configError{where: v.where(), key: v.key, reason: fmt.Sprintf(format, args...)}
}

// at returns a part of v.
func (v value) at(name string, n *yaml.Node) value {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	v.node = n
	switch {
	case v.key == "":
		v.key = name
	case strings.HasPrefix(name, "["):
		v.key += name
	default:
		v.key += "." + name
	}
	return v
}

func (v value) null() bool { return v.node.Kind == yaml.ScalarNode && v.node.Tag == "!!null" }

// text returns a scalar with its ${VARIABLES} filled in. Expected says what to
// write where there is none.
func (v value) text(expected string) (string, error) {
	if v.node.Kind != yaml.ScalarNode {
		return "", v.fail("expected %s, not a list or a block of keys", expected)
	}
	s := v.node.Value
	if v.origin == "" && strings.Contains(s, "${") {
		var err error
		if s, err = v.expand(s); err != nil {
			return "", err
		}
	}
	if strings.TrimSpace(s) == "" || v.null() {
		return "", v.fail("is empty; expected %s", expected)
	}
	return s, nil
}

// expand fills in ${NAME} from the environment. "$${" stands for "${".
func (v value) expand(s string) (string, error) {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			return b.String() + s, nil
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		name, rest, ok := strings.Cut(s[i+2:], "}")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return "", v.fail("expected ${NAME} with the name of a variable (write $${ for a plain ${)")
		}
		filled := v.getenv(name)
		if filled == "" {
			return "", v.fail("the variable %s is not set", name)
		}
		b.WriteString(s[:i] + filled)
		s = rest
	}
}

// list returns one value or several. Flags and variables separate them by commas.
func (v value) list() []value {
	if v.null() {
		return nil
	}
	if v.node.Kind == yaml.SequenceNode {
		out := make([]value, len(v.node.Content))
		for i, n := range v.node.Content {
			out[i] = v.at(fmt.Sprintf("[%d]", i), n)
		}
		return out
	}
	if v.origin == "" || v.node.Kind != yaml.ScalarNode {
		return []value{v}
	}
	var out []value
	for part := range strings.SplitSeq(v.node.Value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			one := v
			one.node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: part}
			out = append(out, one)
		}
	}
	return out
}

// texts returns one text or several.
func (v value) texts(expected string) ([]string, error) {
	list := v.list()
	if len(list) == 0 {
		return nil, v.fail("is empty; expected %s", expected)
	}
	var out []string
	for _, one := range list {
		s, err := one.text(expected)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// field is one key of a block.
type field struct {
	name string
	line int
	value
}

// fields returns the keys of a block in their order. A key that stands there
// twice is an error: YAML would silently take one of them.
func (v value) fields(expected string) ([]field, error) {
	if v.null() {
		return nil, nil
	}
	if v.node.Kind != yaml.MappingNode {
		return nil, v.fail("expected %s", expected)
	}
	seen := map[string]int{}
	var out []field
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := v.node.Content[i]
		f := field{name: k.Value, line: k.Line, value: v.at(k.Value, v.node.Content[i+1])}
		if k.Kind != yaml.ScalarNode {
			return nil, v.at("", k).fail("expected a key")
		}
		if first, twice := seen[k.Value]; twice {
			return nil, f.here("stands twice; the first is on line %d", first)
		}
		seen[k.Value] = k.Line
		out = append(out, f)
	}
	return out, nil
}

// here is fail on the line of the key.
func (f field) here(format string, args ...any) error {
	return &configError{where: f.file + ":" + strconv.Itoa(f.line), key: f.key, reason: fmt.Sprintf(format, args...)}
}

// unknown says which keys there are, or the one that was probably meant.
func (f field) unknown(known []string) error {
	if near := nearest(f.name, known); near != "" {
		return f.here("unknown key, did you mean %q?", near)
	}
	return f.here("unknown key, expected one of %s", strings.Join(known, ", "))
}

// nearest returns the candidate that differs from s by a slip of the keyboard,
// or by case, hyphen or underscore; empty when there is none.
func nearest(s string, candidates []string) string {
	fold := strings.NewReplacer("-", "", "_", "", " ", "")
	plain := func(t string) string { return fold.Replace(strings.ToLower(t)) }
	best, at := "", 3
	for _, c := range candidates {
		d := distance(plain(s), plain(c))
		if d < at && d < max(2, len(c)/2) {
			best, at = c, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

// path returns a file name; relative ones are relative to the file that names them.
func (v value) path(expected string) (string, error) {
	s, err := v.text(expected)
	if err != nil {
		return "", err
	}
	return v.resolve(s), nil
}

func (v value) resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(v.dir, name)
}

// content reads the file that v names.
func (v value) content(expected string) (string, error) {
	name, err := v.path(expected)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return "", v.fail("cannot read the file: %v", err)
	}
	return string(b), nil
}

func (v value) boolean() (bool, error) {
	s, err := v.text("true or false")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, v.fail("expected true or false")
}

const durationExpected = "a duration such as 30s, 24h or 90d"

func (v value) duration() (time.Duration, error) {
	s, err := v.text(durationExpected)
	if err != nil {
		return 0, err
	}
	d, ok := parseDuration(s)
	if !ok {
		return 0, v.fail("expected %s", durationExpected)
	}
	return d, nil
}

// parseDuration reads Go's durations with days and weeks before them: "90d", "1d12h", "0".
func parseDuration(s string) (time.Duration, bool) {
	const day = 24 * time.Hour
	if s = strings.TrimSpace(s); s == "" {
		return 0, false
	}
	if s == "0" {
		return 0, true
	}
	var total time.Duration
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		count, rest, ok := strings.Cut(s, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(count, 10, 32)
		if err != nil || time.Duration(n) > (math.MaxInt64-total)/unit.size { //nolint:gosec // 32 bits
			return 0, false
		}
		total += time.Duration(n) * unit.size //nolint:gosec // 32 bits
		s = rest
	}
	if s == "" {
		return total, true
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > math.MaxInt64-total {
		return 0, false
	}
	return total + d, true
}

// bytes reads "2MiB", "512 KiB", "1GiB" or a plain number of bytes.
func (v value) bytes(least, most int) (int, error) {
	const expected = "a number of bytes such as 2MiB"
	s, err := v.text(expected)
	if err != nil {
		return 0, err
	}
	unit := 1
	for name, size := range map[string]int{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(s, name); ok {
			s, unit = strings.TrimSpace(rest), size
			break
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most/unit || n*unit < least {
		if most == math.MaxInt {
			return 0, v.fail("expected %s, at least %d", expected, least)
		}
		return 0, v.fail("expected %s, from %d to %d", expected, least, most)
	}
	return n * unit, nil
}
