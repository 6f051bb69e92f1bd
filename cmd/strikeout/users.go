package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/store"
)

type usersCmd struct {
	List   usersListCmd   `cmd:"" help:"List the users."`
	Add    usersAddCmd    `cmd:"" help:"Add a user and print a one-time link to choose a password by."`
	Reset  usersResetCmd  `cmd:"" name:"reset-password" help:"Take a user's password and sessions away and print a one-time link."`
	Role   usersRoleCmd   `cmd:"" help:"Change what a user may do."`
	Lock   usersLockCmd   `cmd:"" name:"disable" help:"Lock a user out at once, with all sessions and links."`
	Unlock usersUnlockCmd `cmd:"" name:"enable" help:"Let a user in again."`
}

func (usersCmd) Help() string {
	return `Viewers look and see masked addresses; operators act on contacts and addresses; admins manage users and keys, export and erase.

    strikeout users add anna@example.com --role admin
    strikeout users reset-password anna@example.com

Links start with admin_url, or else with the address of admin_listen, or else with public_url.`
}

// withUsers opens what the commands need and says in words what went wrong.
func (e *env) withUsers(run func(db *store.DB, desk *admin.Server, by store.By) error) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	db, keyer, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	desk, err := e.newDesk(c, db, keyer, nil, nil, nil)
	if err != nil {
		return err
	}
	err = run(db, desk, store.By{Actor: store.CommandLine})
	switch {
	case errors.Is(err, store.ErrLastAdmin):
		return usage("this is the last administrator who can sign in; make another one first")
	case errors.Is(err, store.ErrTaken):
		return usage("name: there is a user of this name")
	case errors.Is(err, store.ErrNotFound):
		return usage("name: there is no such user; strikeout users list shows them")
	case err != nil:
		return fmt.Errorf("users: %w", err)
	}
	return nil
}

// printLink prints a one-time link alone on stdout.
func (e *env) printLink(desk *admin.Server, u store.User, by store.By) error {
	link, err := desk.InviteLink(e.ctx, u, by)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	fmt.Fprintf(e.stderr, "%s chooses a password by this link. It works once, for three days.\n", u.Name)
	e.printf("%s\n", link)
	return nil
}

type usersListCmd struct{}

func (usersListCmd) Run(e *env) error {
	return e.withUsers(func(db *store.DB, _ *admin.Server, _ store.By) error {
		users, err := db.Users(e.ctx)
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "NAME\tROLE\tPASSWORD\tPROVIDER\tLAST SIGN-IN\tLOCKED OUT")
		yes := map[bool]string{true: "yes", false: "-"}
		for _, u := range users {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Name, u.Role, yes[u.PasswordHash != ""], yes[u.Subject != ""], day(u.LoginAt), day(u.DisabledAt))
		}
		return t.Flush() //nolint:wrapcheck // the terminal's own error
	})
}

type usersAddCmd struct {
	Name string `arg:"" help:"The user's name, such as an e-mail address."`
	Role string `enum:"viewer,operator,admin" default:"viewer" help:"viewer, operator or admin (default viewer)."`
}

func (cmd *usersAddCmd) Run(e *env) error {
	name := store.UserName(cmd.Name)
	if name == "" {
		return usage("name: expected 1 to 120 bytes without control characters")
	}
	return e.withUsers(func(db *store.DB, desk *admin.Server, by store.By) error {
		u, err := db.AddUser(e.ctx, store.User{Name: name, Role: store.Role(cmd.Role)}, by)
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		return e.printLink(desk, u, by)
	})
}

type userArg struct {
	Name string `arg:"" help:"The user's name."`
}

// change finds the user and changes it.
func (a userArg) change(e *env, f func(db *store.DB, desk *admin.Server, u store.User, by store.By) error) error {
	return e.withUsers(func(db *store.DB, desk *admin.Server, by store.By) error {
		u, err := db.UserByName(e.ctx, store.UserName(a.Name))
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		return f(db, desk, u, by)
	})
}

type usersResetCmd struct{ userArg }

// Run keeps the old password of the last administrator until the link is used:
// the one who asks may be that administrator, and the link may get lost.
func (cmd *usersResetCmd) Run(e *env) error {
	return cmd.change(e, func(db *store.DB, desk *admin.Server, u store.User, by store.By) error {
		if !u.DisabledAt.IsZero() {
			return usage("name: this user is locked out; strikeout users enable lets the user in again")
		}
		if err := db.SetPassword(e.ctx, u.ID, "", by); err != nil && !errors.Is(err, store.ErrLastAdmin) {
			return err //nolint:wrapcheck // it says where it comes from
		}
		return e.printLink(desk, u, by)
	})
}

type usersRoleCmd struct {
	userArg
	Role string `arg:"" enum:"viewer,operator,admin" help:"viewer, operator or admin."`
}

func (cmd *usersRoleCmd) Run(e *env) error {
	return cmd.change(e, func(db *store.DB, _ *admin.Server, u store.User, by store.By) error {
		if err := db.SetRole(e.ctx, u.ID, store.Role(cmd.Role), by); err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		e.printf("%s: %s; sessions from before are ended\n", u.Name, cmd.Role)
		return nil
	})
}

type usersLockCmd struct{ userArg }

func (cmd *usersLockCmd) Run(e *env) error {
	return cmd.change(e, func(db *store.DB, _ *admin.Server, u store.User, by store.By) error {
		if err := db.SetDisabled(e.ctx, u.ID, true, by); err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		e.printf("%s: locked out\n", u.Name)
		return nil
	})
}

type usersUnlockCmd struct{ userArg }

func (cmd *usersUnlockCmd) Run(e *env) error {
	return cmd.change(e, func(db *store.DB, _ *admin.Server, u store.User, by store.By) error {
		if err := db.SetDisabled(e.ctx, u.ID, false, by); err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		e.printf("%s: may sign in again\n", u.Name)
		return nil
	})
}
