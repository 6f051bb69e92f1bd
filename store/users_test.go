package store_test

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

var anna = store.By{Actor: "anna", Network: "192.0.2.1"}

func user(t testing.TB, db *store.DB, name string, role store.Role) store.User {
	t.Helper()
	u, err := db.AddUser(t.Context(), store.User{Name: name, Role: role, PasswordHash: "h"}, anna)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// actions are what the audit log says, oldest first.
func actions(t testing.TB, db *store.DB) []string {
	t.Helper()
	log, err := db.AuditLog(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(log))
	for i, e := range log {
		out[len(log)-1-i] = e.Action
	}
	return out
}

func TestUserName(t *testing.T) {
	for in, want := range map[string]string{" Anna@Example.COM ": "anna@example.com", "": "", "a\nb": "", "a\u202eb": "", "E\u0301va": "\u00e9va"} {
		if got := store.UserName(in); got != want {
			t.Errorf("UserName(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		if has, err := db.HasAdmin(ctx); err != nil || has {
			t.Fatalf("at first: got %v, %v", has, err)
		}
		admin := user(t, db, "anna@example.com", store.RoleAdmin)
		if _, err := db.AddUser(ctx, store.User{Name: "anna@example.com", Role: store.RoleViewer}, anna); !errors.Is(err, store.ErrTaken) {
			t.Errorf("a taken name: got %v", err)
		}
		for _, u := range []store.User{{Name: "Upper", Role: store.RoleViewer}, {Name: "a", Role: "root"}, {Role: store.RoleViewer}} {
			if _, err := db.AddUser(ctx, u, anna); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%+v: got %v", u, err)
			}
		}
		for what, change := range map[string]func() error{
			"role":     func() error { return db.SetRole(ctx, admin.ID, store.RoleViewer, anna) },
			"disable":  func() error { return db.SetDisabled(ctx, admin.ID, true, anna) },
			"password": func() error { return db.SetPassword(ctx, admin.ID, "", anna) },
		} {
			before := len(actions(t, db))
			if err := change(); !errors.Is(err, store.ErrLastAdmin) {
				t.Errorf("%s of the last administrator: got %v", what, err)
			}
			if got := len(actions(t, db)); got != before {
				t.Errorf("%s: a refused change stands in the audit log", what)
			}
		}
		bo := user(t, db, "bo@example.com", store.RoleViewer)
		set(noon.Add(time.Hour))
		if err := db.SetRole(ctx, bo.ID, store.RoleAdmin, anna); err != nil {
			t.Fatal(err)
		}
		if err := db.SetDisabled(ctx, admin.ID, true, anna); err != nil {
			t.Fatal(err)
		}
		got, err := db.User(ctx, admin.ID)
		if err != nil || !got.DisabledAt.Equal(now()) || got.Role != store.RoleAdmin || !got.CreatedAt.Equal(noon) {
			t.Errorf("disabled: got %+v, %v", got, err)
		}
		if err := db.LinkSubject(ctx, bo.ID, "s1", anna); err != nil {
			t.Fatal(err)
		}
		if got, err := db.UserBySubject(ctx, "s1"); err != nil || got.ID != bo.ID {
			t.Errorf("by subject: got %+v, %v", got, err)
		}
		for who, id := range map[string]int64{"a taken account": admin.ID, "a second account": bo.ID} {
			if err := db.LinkSubject(ctx, id, map[int64]string{admin.ID: "s1", bo.ID: "s2"}[id], anna); !errors.Is(err, store.ErrTaken) {
				t.Errorf("%s: got %v", who, err)
			}
		}
		if err := db.SetRole(ctx, 999, store.RoleViewer, anna); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: got %v", err)
		}
		log, err := db.Audited(ctx, store.AuditQuery{Action: "user.", Actor: "anna", Limit: 1})
		if err != nil || len(log) != 1 || log[0].Action != "user.link" || log[0].Object != "user bo@example.com" || log[0].Network != "192.0.2.1" {
			t.Errorf("audit: got %+v, %v", log, err)
		}
	})
}

// Two administrators who demote each other at once must not leave none.
func TestLastTwoAdministrators(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ids := []int64{user(t, db, "a", store.RoleAdmin).ID, user(t, db, "b", store.RoleAdmin).ID}
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if err := db.SetDisabled(t.Context(), id, true, anna); err != nil && !errors.Is(err, store.ErrLastAdmin) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if has, err := db.HasAdmin(t.Context()); err != nil || !has {
			t.Errorf("an administrator is left: got %v, %v", has, err)
		}
	})
}

func hash(s string) [32]byte { return sha256.Sum256([]byte(s)) }

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		u := user(t, db, "anna@example.com", store.RoleAdmin)
		bo := user(t, db, "bo@example.com", store.RoleAdmin)
		add := func(secret, before string, id int64) {
			t.Helper()
			if err := db.AddSession(ctx, store.Session{Hash: hash(secret), UserID: id, Method: "password", Network: "192.0.2.1", Agent: "Firefox"}, hash(before), anna); err != nil {
				t.Fatal(err)
			}
		}
		alive := func(secret string) bool {
			t.Helper()
			_, _, err := db.Session(ctx, hash(secret))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		add("one", "", u.ID)
		add("two", "one", u.ID)
		if alive("one") || !alive("two") {
			t.Error("the session that the browser had before lives on")
		}
		s, who, err := db.Session(ctx, hash("two"))
		if err != nil || who.Name != u.Name || who.Role != store.RoleAdmin || s.Agent != "Firefox" || !s.CreatedAt.Equal(noon) {
			t.Errorf("got %+v, %+v, %v", s, who, err)
		}
		if err := db.SetFlash(ctx, s.Hash, "Saved."); err != nil {
			t.Fatal(err)
		}
		if s, _, err = db.Session(ctx, s.Hash); err != nil || s.Flash != "Saved." {
			t.Errorf("message: got %+v, %v", s, err)
		}

		set(noon.Add(store.SessionIdle - time.Second))
		if !alive("two") {
			t.Error("idle for less than the limit: gone")
		}
		add("idle", "", u.ID)
		set(now().Add(store.SessionIdle))
		if alive("two") || alive("idle") {
			t.Error("idle for the limit: alive")
		}
		add("busy", "", u.ID)
		made := now()
		for now().Sub(made) < store.SessionLife-store.SessionIdle {
			set(now().Add(store.SessionIdle - time.Minute))
			if !alive("busy") {
				t.Fatalf("in use: gone after %s", now().Sub(made))
			}
		}
		set(made.Add(store.SessionLife))
		if alive("busy") {
			t.Error("alive after the longest life")
		}

		add("a", "", u.ID)
		add("b", "", u.ID)
		add("c", "", u.ID)
		add("other", "", bo.ID)
		list, err := db.SessionsOf(ctx, u.ID)
		if err != nil || len(list) != 3 {
			t.Fatalf("list: got %+v, %v", list, err)
		}
		if err := db.EndSessionsOf(ctx, u, store.Session{Hash: hash("other")}.ID(), [32]byte{}, anna); !errors.Is(err, store.ErrNotFound) || !alive("other") {
			t.Errorf("somebody else's session: got %v", err)
		}
		if err := db.EndSessionsOf(ctx, u, store.Session{Hash: hash("a")}.ID(), [32]byte{}, anna); err != nil || alive("a") || !alive("b") {
			t.Errorf("one: got %v", err)
		}
		if err := db.EndSessionsOf(ctx, u, "", hash("b"), anna); err != nil || alive("c") || !alive("b") {
			t.Errorf("all others: got %v", err)
		}
		for what, change := range map[string]func() error{
			"role":     func() error { return db.SetRole(ctx, u.ID, store.RoleOperator, anna) },
			"password": func() error { return db.SetPassword(ctx, u.ID, "new", anna) },
		} {
			add(what, "", u.ID)
			if err := change(); err != nil || alive(what) {
				t.Errorf("after a change of %s: alive, %v", what, err)
			}
		}
		add("last", "", u.ID)
		if err := db.SetDisabled(ctx, u.ID, true, anna); err != nil || alive("last") || !alive("other") {
			t.Errorf("disabled: %v", err)
		}
		if err := db.EndSession(ctx, hash("other"), anna); err != nil || alive("other") {
			t.Errorf("signed out: %v", err)
		}
	})
}

func TestInvites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		for _, s := range []string{"setup", "setup 2", "setup 3"} {
			if err := db.AddInvite(ctx, hash(s), nil, anna); err != nil {
				t.Fatal(err)
			}
		}
		set(noon.Add(store.SetupLife))
		if _, err := db.Invite(ctx, hash("setup")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after its hour: got %v", err)
		}
		set(noon.Add(store.SetupLife - time.Second))
		if i, err := db.Invite(ctx, hash("setup")); err != nil || i.Kind != store.InviteSetup {
			t.Fatalf("got %+v, %v", i, err)
		}
		// Both links at once: one administrator.
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, s := range []string{"setup", "setup 2"} {
			wg.Go(func() { _, errs[i] = db.UseInvite(ctx, hash(s), s, "h", "192.0.2.1") })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("two set-up links at once: got %v", errs)
		}
		users, err := db.Users(ctx)
		if err != nil || len(users) != 1 || users[0].Role != store.RoleAdmin {
			t.Fatalf("users: got %+v, %v", users, err)
		}
		if _, err := db.Invite(ctx, hash("setup 3")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a set-up link where an administrator is: got %v", err)
		}
		if err := db.AddInvite(ctx, hash("late"), nil, anna); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("another set-up link: got %v", err)
		}

		u, err := db.AddUser(ctx, store.User{Name: "bo", Role: store.RoleViewer}, anna)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"first", "second"} {
			if err := db.AddInvite(ctx, hash(s), &u, anna); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.UseInvite(ctx, hash("first"), "", "h2", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a replaced link: got %v", err)
		}
		if got, err := db.UseInvite(ctx, hash("second"), "ignored", "h2", ""); err != nil || got.Name != "bo" {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := db.UseInvite(ctx, hash("second"), "", "h3", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a used link: got %v", err)
		}
		if got, err := db.User(ctx, u.ID); err != nil || got.PasswordHash != "h2" || got.Role != store.RoleViewer {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := db.AddInvite(ctx, hash("gone"), &u, anna); err != nil {
			t.Fatal(err)
		}
		if err := db.SetDisabled(ctx, u.ID, true, anna); err != nil {
			t.Fatal(err)
		}
		if _, err := db.UseInvite(ctx, hash("gone"), "", "h4", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a disabled user's link: got %v", err)
		}
	})
}

var (
	home   = netip.MustParseAddr("192.0.2.10")
	away   = netip.MustParseAddr("198.51.100.7")
	nearby = netip.MustParseAddr("198.51.100.99") // the same /24 as away
)

func TestLoginLimits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		begin := func(account string, a netip.Addr) time.Duration {
			t.Helper()
			w, err := db.BeginLogin(ctx, account, a)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		// The owner has signed in from home once.
		begin("anna", home)
		if err := db.LoginSucceeded(ctx, "anna", home); err != nil {
			t.Fatal(err)
		}
		tried := 0
		for range 60 {
			if begin("anna", away) == 0 {
				tried++
			}
		}
		if tried != 5 {
			t.Errorf("a stranger's guesses at once: %d were let through, want 5", tried)
		}
		if w := begin("anna", netip.MustParseAddr("203.0.113.1")); w == 0 {
			t.Error("the same account from a third network is not slowed down")
		}
		if w := begin("anna", home); w != 0 {
			t.Errorf("the owner at home has to wait %s for what a stranger did", w)
		}
		// Waiting doubles, and has a bound.
		var last time.Duration
		for range 20 {
			w := begin("anna", away)
			set(now().Add(w))
			if begin("anna", away) != 0 {
				t.Fatal("refused after the wait")
			}
			last = begin("anna", away)
		}
		if last != 5*time.Minute {
			t.Errorf("the longest wait: got %s", last)
		}
		if begin("bo", nearby) != 0 {
			t.Error("one account's failures stop another account of the network too early")
		}
		// Many names from one network.
		refused := 0
		for i := range 60 {
			if begin(nth(i).Value(), netip.MustParseAddr("203.0.113.200")) != 0 {
				refused++
			}
		}
		if refused < 25 {
			t.Errorf("60 names from one network: %d refused", refused)
		}
		set(now().Add(25 * time.Hour))
		for range 2 {
			if begin("anna", away) != 0 {
				t.Error("failures of yesterday count")
			}
		}
	})
}

// Guesses sent at the same moment must be counted one by one.
func TestLoginLimitsInParallel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, _ := clock()
		db := open(store.Config{Now: now})
		var wg sync.WaitGroup
		var mu sync.Mutex
		tried := 0
		for range 40 {
			wg.Go(func() {
				w, err := db.BeginLogin(t.Context(), "anna", away)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if w == 0 {
					tried++
				}
			})
		}
		wg.Wait()
		if tried != 5 {
			t.Errorf("got %d, want 5", tried)
		}
	})
}

// Somebody who tries names that do not exist must not fill the database.
func TestLoginLimitsAreBounded(t *testing.T) {
	const most = 200
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		store.SetMaxLimitRows(db, most)
		ctx := t.Context()
		if err := db.LoginSucceeded(ctx, "anna", home); err != nil {
			t.Fatal(err)
		}
		for i := range 1024 {
			set(now().Add(time.Millisecond))
			if _, err := db.BeginLogin(ctx, nth(i).Value(), netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := store.SQL(db).GetContext(ctx, &n, "SELECT COUNT(*) FROM login_limits"); err != nil || n > most+1+1 {
			t.Errorf("rows: got %d, %v", n, err)
		}
		if err := store.SQL(db).GetContext(ctx, &n, "SELECT COUNT(*) FROM login_limits WHERE good_at > 0"); err != nil || n != 1 {
			t.Errorf("the owner's own network: got %d, %v", n, err)
		}
	})
}

func TestAPIKeysAreAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx := t.Context()
		k := store.APIKey{Name: "crm", Scopes: []string{"read", "mint"}, Hash: hash("k")}
		if err := db.MakeAPIKey(ctx, k, anna); err != nil {
			t.Fatal(err)
		}
		if err := db.AddAPIKey(ctx, k); !errors.Is(err, store.ErrKeyTaken) {
			t.Errorf("taken: got %v", err)
		}
		if err := db.EndAPIKey(ctx, "crm", anna); err != nil {
			t.Fatal(err)
		}
		if err := db.RevokeAPIKey(ctx, "crm"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revoked: got %v", err)
		}
		if got := actions(t, db); len(got) != 2 || got[0] != "key.add" || got[1] != "key.revoke" {
			t.Errorf("audit: got %v", got)
		}
	})
}
