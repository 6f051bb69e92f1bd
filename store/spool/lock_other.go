//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package spool

import (
	"errors"
	"os"
)

func lock(string) (*os.File, error) {
	return nil, errors.New("this system cannot lock a file for one process")
}
