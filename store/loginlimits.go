package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
)

// Guessing is slowed down by counters in the database, so that replicas share
// them: one for the network (an IPv4 /24 or an IPv6 /64), and one for the account.
// The account's own counter would let a stranger keep its owner out. So a network
// from which the account has signed in before has a counter of its own, which
// strangers elsewhere cannot move.

// limit is one kind of counter: so many failures are free, then the wait
// doubles from first to most.
type limit struct {
	free  int64
	first time.Duration
	most  time.Duration
}

var (
	networkLimit = limit{free: 30, first: time.Second, most: 15 * time.Minute} // offices share an address
	accountLimit = limit{free: 5, first: time.Second, most: 5 * time.Minute}
	knownLimit   = limit{free: 5, first: time.Second, most: time.Minute}
)

// Bounds of the table.
const (
	limitForget = 24 * time.Hour      // failures older than this do not count
	limitKnown  = 60 * 24 * time.Hour // how long a network is remembered as the account's own
	pruneEvery  = 256                 // sign-ins between two looks at the size
)

// maxLimitRows bounds the table, give or take what pruneEvery sign-ins add;
// beyond it the oldest rows are forgotten.
const maxLimitRows = 50_000

func (l limit) wait(failures int64) time.Duration {
	if failures < l.free {
		return 0
	}
	return min(l.first<<min(failures-l.free, 20), l.most)
}

type limitID [16]byte

func newLimitID(parts ...string) limitID {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p)) //nolint:errcheck // a hash never fails
		h.Write([]byte{0}) //nolint:errcheck // a hash never fails
	}
	return limitID(h.Sum(nil)[:16])
}

func limitIDs(account string, a netip.Addr) (network, acct, known limitID) {
	bits := 24
	if a = a.Unmap(); a.Is6() {
		bits = 64
	}
	net := ""
	if p, err := a.WithZone("").Prefix(bits); err == nil {
		net = p.String()
	}
	return newLimitID("network", net), newLimitID("account", account), newLimitID("known", account, net)
}

type limitRow struct {
	ID       []byte `db:"id"`
	Failures int64  `db:"failures"`
	LastAt   int64  `db:"last_at"`
	UntilAt  int64  `db:"until_at"`
	GoodAt   int64  `db:"good_at"`
}

// BeginLogin counts an attempt to sign in before the password is looked at, as
// if it had failed: many at once cannot slip past the count. It returns how long
// to wait when the attempt is refused; zero lets it go on, and LoginSucceeded
// takes the count back.
func (db *DB) BeginLogin(ctx context.Context, account string, a netip.Addr) (wait time.Duration, err error) {
	network, acct, known := limitIDs(account, a)
	now := db.now()
	err = db.inTx(ctx, "count a sign-in", func(tx *sqlx.Tx) error {
		wait = 0
		rows, err := db.lockLimits(ctx, tx, now, network, acct, known)
		if err != nil {
			return err
		}
		counted := []struct {
			id limitID
			limit
		}{{network, networkLimit}, {acct, accountLimit}}
		if rows[known].GoodAt > micros(now.Add(-limitKnown)) {
			counted[1].id, counted[1].limit = known, knownLimit
		}
		for _, c := range counted {
			wait = max(wait, fromMicros(rows[c.id].UntilAt).Sub(now))
		}
		if wait > 0 {
			return nil // refused attempts do not count: whoever keeps trying is not kept out for ever
		}
		wait = 0
		for _, c := range counted {
			r := rows[c.id]
			if fromMicros(r.LastAt).Before(now.Add(-limitForget)) {
				r.Failures = 0
			}
			r.Failures++
			if _, err := tx.ExecContext(ctx, "UPDATE login_limits SET failures = ?, last_at = ?, until_at = ? WHERE id = ?",
				r.Failures, micros(now), micros(now.Add(c.wait(r.Failures))), c.id[:]); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		return nil
	})
	if err == nil && db.logins.Add(1)%pruneEvery == 0 {
		err = db.pruneLimits(ctx, now)
	}
	return wait, err
}

// LoginSucceeded forgets the failures of an account from this network, which is
// the account's own from now on, and takes one from the network's.
func (db *DB) LoginSucceeded(ctx context.Context, account string, a netip.Addr) error {
	network, acct, known := limitIDs(account, a)
	now := db.now()
	return db.inTx(ctx, "count a sign-in", func(tx *sqlx.Tx) error {
		rows, err := db.lockLimits(ctx, tx, now, network, acct, known)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE login_limits SET failures = 0, until_at = 0 WHERE id = ?", acct[:]); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		if _, err := tx.ExecContext(ctx, "UPDATE login_limits SET failures = 0, until_at = 0, last_at = ?, good_at = ? WHERE id = ?", micros(now), micros(now), known[:]); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		_, err = tx.ExecContext(ctx, "UPDATE login_limits SET failures = ?, until_at = 0 WHERE id = ?", max(0, rows[network].Failures-1), network[:])
		return err //nolint:wrapcheck // inTx wraps
	})
}

// lockLimits makes missing rows and locks all, in one order.
func (db *DB) lockLimits(ctx context.Context, tx *sqlx.Tx, now time.Time, ids ...limitID) (map[limitID]limitRow, error) {
	slices.SortFunc(ids, func(a, b limitID) int { return bytes.Compare(a[:], b[:]) })
	out := map[limitID]limitRow{}
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, "INSERT INTO login_limits (id, last_at) VALUES (?, ?)"+db.d.conflict("id")+"failures = login_limits.failures", id[:], micros(now)); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
		var r limitRow
		if err := tx.GetContext(ctx, &r, "SELECT id, failures, last_at, until_at, good_at FROM login_limits WHERE id = ?"+db.d.forUpdate, id[:]); err != nil {
			return nil, err //nolint:wrapcheck // inTx wraps
		}
		out[id] = r
	}
	return out, nil
}

// pruneLimits forgets what has expired and, when strangers fill the table with
// names that do not exist, what is oldest.
func (db *DB) pruneLimits(ctx context.Context, now time.Time) error {
	return db.inTx(ctx, "forget old sign-ins", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM login_limits WHERE last_at < ? AND good_at < ?", micros(now.Add(-limitForget)), micros(now.Add(-limitKnown))); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		var n int
		if err := tx.GetContext(ctx, &n, "SELECT COUNT(*) FROM login_limits WHERE good_at = 0"); err != nil || n <= db.limitRows {
			return err //nolint:wrapcheck // inTx wraps
		}
		// An account's own networks stay: an attacker cannot make those.
		var last int64
		if err := tx.GetContext(ctx, &last, "SELECT last_at FROM login_limits WHERE good_at = 0 ORDER BY last_at LIMIT 1 OFFSET ?", n-db.limitRows-1); err != nil {
			return err //nolint:wrapcheck // inTx wraps
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM login_limits WHERE good_at = 0 AND last_at <= ?", last)
		return err //nolint:wrapcheck // inTx wraps
	})
}
