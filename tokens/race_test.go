//go:build race

package tokens

// The race detector makes pools forget some of what is put back.
const mintAllocs = 8.0
