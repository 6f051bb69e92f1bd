// Package sim has what the simulators of the providers share: fresh secrets
// and bodies.
package sim

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/strikeout/strikeout/providers"
)

// Secret returns 32 hex digits from rand.
func Secret(rand io.Reader) (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// Guarded makes the settings of a provider that signs nothing: a path secret.
func Guarded(rand io.Reader) (providers.Settings, error) { return with("path_secret", rand) }

// Signed makes the settings of a provider with one shared signing secret.
func Signed(rand io.Reader) (providers.Settings, error) { return with("signing_secret", rand) }

func with(name string, rand io.Reader) (providers.Settings, error) {
	s, err := Secret(rand)
	if err != nil {
		return providers.Settings{}, err
	}
	return providers.Set(name, s), nil
}

// Object is a JSON object of a simulated body.
type Object = map[string]any

// JSON writes a body. Values are text, numbers and objects, which never fail.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return b
}

// UUID makes an id in the form of a UUID from the shot's own, so that equal
// shots have equal ids.
func UUID(id string) string {
	digits := hex.EncodeToString([]byte(id))
	digits = (digits + "00000000000000000000000000000000")[:max(32, len(digits))]
	d := digits[len(digits)-32:] // the end is what differs
	return d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:]
}

// RFC3339 writes the shot's time with milliseconds.
func RFC3339(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
