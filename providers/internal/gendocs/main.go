// Command gendocs writes what can be said about the providers from their Info:
// docs/providers/NAME.md, the index beside them, and the table in the README.
// A test fails when any of it is stale.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/strikeout/strikeout/providers/all"
)

//go:generate go run . ../../..

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// folder holds the pages, from the project's root.
const folder = "docs/providers"

// run brings everything up to date and names what it changed.
func run(args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("expected one argument, the project's root")
	}
	root, err := os.OpenRoot(args[0])
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // only opened
	readme, err := root.ReadFile("README.md")
	if err != nil {
		return err
	}
	files, err := render(all.Infos(), readme)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	stale, err := compare(root.FS(), files)
	if err != nil {
		return err
	}
	for _, path := range stale {
		if content, ok := files[path]; ok {
			err = root.WriteFile(path, content, 0o644)
		} else {
			err = root.Remove(path)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// compare returns the paths that differ from files: those that are missing,
// those that say something else, and pages of providers that are gone.
func compare(root fs.FS, files map[string][]byte) ([]string, error) {
	var stale []string
	for _, path := range sorted(files) {
		have, err := fs.ReadFile(root, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(have, files[path]) {
			stale = append(stale, path)
		}
	}
	pages, err := fs.Glob(root, folder+"/*.md")
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		if files[page] == nil {
			stale = append(stale, page)
		}
	}
	return stale, nil
}
