//go:build !race

package tokens

const mintAllocs = 0.0
