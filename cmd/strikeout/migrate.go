package main

import (
	"fmt"
)

type migrateCmd struct{}

func (migrateCmd) Help() string {
	return `For an empty database it makes the keys too, where none are configured.

    strikeout migrate --database 'mysql://owner:password@tcp(db:3306)/strikeout'`
}

func (cmd *migrateCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	made, err := e.ensureKeys(e.ctx, c)
	for _, name := range made {
		e.printf("made %s: back it up with the database\n", name)
	}
	if err != nil {
		return err
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	applied, err := db.Migrate(e.ctx)
	for _, name := range applied {
		e.printf("applied %s\n", name)
	}
	if err != nil {
		return wrongKey(c, err)
	}
	if len(applied) == 0 {
		fmt.Fprintln(e.stdout, "the tables are up to date")
	}
	return nil
}
