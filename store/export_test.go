package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// SQL gives tests the general pool.
func SQL(db *DB) *sqlx.DB { return db.write }

// URL is what the database was opened with.
func URL(db *DB) string { return db.url }

// Queued is the number of events that wait or are being written.
func Queued(db *DB) int {
	db.record.q.mu.Lock()
	defer db.record.q.mu.Unlock()
	return db.record.q.total.events
}

// Statement is a statement of a hot path with arguments that fit.
type Statement struct {
	Text string
	Args []any
}

// Statements lists the statements that must find their rows by an index.
func Statements(db *DB, keys []recipient.Key, prints []recipient.Fingerprint) map[string]Statement {
	k, lots := keys[0][:], int64(1)<<62
	s := map[string]Statement{
		"states":         {selectStates(keys[:100]), nil},
		"check states":   {selectStates(keys[:100]) + everSuppressed, nil},
		"known events":   {selectKnown(prints[:100]), nil},
		"by print":       {selectByPrint(prints[:3]), nil},
		"locked states":  {selectRecipients + "IN (" + string(keyList(nil, keys[:3])) + ") ORDER BY recipient_key" + db.d.forUpdate, nil},
		"recipient":      {selectRecipients + "= ?", []any{k}},
		"person":         {selectPersons[recipient.Email] + onePerson, []any{k}},
		"person, phone":  {selectPersons[recipient.SMS] + onePerson, []any{k}},
		"persons":        {somePersons(recipient.Email, keys[:50]), nil},
		"known people":   {countKnown(keys[:50]), nil},
		"own click":      {selectOwnClick, []any{prints[0][:]}},
		"fsck, people":   {selectRecipients + "> ? ORDER BY recipient_key LIMIT ?", []any{k, 100}},
		"history":        {selectHistory, []any{k, lots, lots, lots, 100}},
		"feed":           {selectFeed, []any{10, 200, 100}},
		"retention":      {strings.Replace(selectOld, "(?)", "(?, ?)", 1), []any{0, 100, "delivered", "soft_bounce", lots}},
		"retention, end": {selectNext, []any{100}},
		"contact":        {selectContacts + "WHERE c.external_id = ?", []any{[]byte("1")}},
		"by email":       {contactsByEmail, []any{k, 0, 10}},
		"by phone":       {contactsByPhone, []any{k, 0, 10}},
		"contacts":       {contactsByID, []any{100, 10}},
		"search":         {termsFrom, []any{[]byte("person1"), []byte("person2"), []byte("person1"), 0, 10}},
		"held":           {countHeld, []any{"acme"}},
		"held twins":     {countTwins, []any{"acme", 1, lots, k, "unreadable"}},
		"late click":     {selectLate, []any{k, lots, lots}},
		"erasures":       {selectErasures(keys[:100]), nil},
		"same request":   {countSame, []any{k, RequestTyped}},
		"requests":       {countWaiting, nil},
		"short link":     {selectShortLink, []any{prints[0][:]}},
		"short links":    {selectShortLinks(keys[:100]), []any{"spring"}},
		"sharing":        {"SELECT COUNT(*) FROM contacts WHERE email_key = ? AND email_on = 1 AND external_id <> ?", []any{k, []byte("1")}},
	}
	s["uncounted"] = Statement{selectUncounted, []any{10, 200, 100}}
	s["days"] = Statement{selectDays, []any{20, 22}}
	s["reasons"] = Statement{selectReasons, []any{20, 22, "hard_bounce"}}
	s["reasons, one"] = Statement{selectReasons + ofEndpoint, []any{20, 22, "hard_bounce", "e1"}}
	s["domains"] = Statement{selectDomains, []any{20, 22, "hard_bounce"}}
	hours, hourArgs, err := sqlx.In(selectHours, []string{"e1", "e2"}, 400)
	if err != nil {
		panic(err)
	}
	s["hours"] = Statement{hours, hourArgs}
	s["busy slots"] = Statement{selectBusySlots, []any{5990, 100}}
	s["usual"] = Statement{selectUsual, []any{"domain", "e1", 5990}}
	s["past"] = Statement{selectPast, []any{20}}
	s["incident's ids"] = Statement{selectRange, []any{"domain", "e1", 100, 200}}
	s["incident's events"] = Statement{selectScope, []any{10, 200}}
	s["blocks"] = Statement{selectBlocks(keys[:100]), nil}
	s["open incidents"] = Statement{selectOpen, nil}
	s["present incidents"] = Statement{selectPresent, []any{5990}}
	for i := 1; i < 1<<len(Flags); i++ {
		s["flagged "+strconv.Itoa(i)] = Statement{selectFlagged(i), []any{lots, lots, k, 51}}
	}
	s["sharing, email"] = Statement{sharing(recipient.Email), []any{k}}
	s["sharing, phone"] = Statement{sharing(recipient.SMS), []any{k}}
	s["contacts at"] = Statement{selectByKeys("email", keys[:50]), []any{1000}}
	s["contacts at, phone"] = Statement{selectByKeys("phone", keys[:50]), []any{1000}}
	s["causes"] = Statement{selectAt, []any{k, 0, 1, 2, 3, 4, 5}}
	s["echoes"] = Statement{selectEchoes, []any{k}}
	s["told"] = Statement{selectTold, []any{k, 0}}
	s["event"] = Statement{selectEvent, []any{5}}
	s["contact by id"] = Statement{selectContacts + "WHERE c.id = ?", []any{5}}
	q, args, err := sqlx.In(firstTerms, []int64{1, 2, 3}, []byte("person1"), []byte("person2"))
	if err != nil {
		panic(err)
	}
	s["first terms"] = Statement{q, args}
	s["contacts by ids"] = Statement{selectByIDs([]string{"1", "2", "3"}), nil}
	s["uploads"] = Statement{selectUploads, []any{lots, 10}}
	s["upload"] = Statement{selectUpload + "WHERE id = ?", []any{5}}
	s["contact ids"] = Statement{selectThere([]string{"1", "2", "3"}), nil}
	s["owners"] = Statement{selectOwners(recipient.Email, keys[:100]), nil}
	s["owners, phone"] = Statement{selectOwners(recipient.SMS, keys[:100]), nil}
	s["known addresses"] = Statement{db.d.selectKnownAddresses(keys[:100]), nil}
	s["new events"] = Statement{newEvents, []any{5990}}
	s["new contacts"] = Statement{newContacts(5990), nil}
	s["suppressed"] = Statement{selectSuppressed, []any{k, 100}}
	s["fsck, events"] = Statement{selectFolded, []any{beforeBytes(keys[0]), k}}
	return s
}

func beforeBytes(k recipient.Key) []byte { b := before(k); return b[:] }

// ShareFeed and InsertEvents are what writers do.
func ShareFeed(ctx context.Context, db *DB, tx *sqlx.Tx) error { return db.shareFeed(ctx, tx) }

// InsertEvents inserts one event.
func InsertEvents(ctx context.Context, db *DB, tx *sqlx.Tx, e recipient.Event) error {
	return db.insertEvents(ctx, tx, []*recipient.Event{&e})
}

// ForgetPause lets the feed look again at once.
func ForgetPause(db *DB) {
	db.feed.mu.Lock()
	defer db.feed.mu.Unlock()
	db.feed.retryAt = time.Time{}
}

// SetMaxLimitRows bounds the table of sign-ins.
func SetMaxLimitRows(db *DB, n int) { db.limitRows = n }

// Unavailable is how a batch reports what kept one of its events out.
func Unavailable(err error) error {
	batch := []*entry{{}}
	_ = failAll(batch, err)
	return batch[0].err
}

// PersonsTogether is Person for several that are asked for in one statement,
// some of whom nobody waits for any more.
func PersonsTogether(db *DB, c recipient.Channel, keys []recipient.Key, gone func(int) bool) ([]Person, []error) {
	people, errs := make([]Person, len(keys)), make([]error, len(keys))
	left, leave := context.WithCancel(context.Background())
	leave()
	l := &looks{db: db, running: looksRunning}
	for i, k := range keys {
		o := &look{channel: c, key: k, ctx: context.Background(), done: make(chan struct{})}
		if gone(i) {
			o.ctx = left
		}
		l.waiting = append(l.waiting, o)
	}
	all := slices.Clone(l.waiting)
	for range looksRunning {
		l.next()
	}
	l.work.Wait()
	for i, o := range all {
		if !gone(i) {
			<-o.done
		}
		people[i], errs[i] = o.out, o.err
	}
	if l.running != 0 || len(l.waiting) != 0 {
		panic("somebody still waits")
	}
	return people, errs
}

// MaxSharing and LooksGroup are the limits of PersonsTogether.
const (
	MaxSharing = maxSharing
	LooksGroup = looksGroup
)

// CopyLog does now what follows acts on SQLite a little later.
func CopyLog(ctx context.Context, db *DB) error { return db.copies.copyLog(ctx) }

// Away reports whether a server's error means that it takes nothing now.
func Away(number uint16, state string) bool {
	e := &mysql.MySQLError{Number: number}
	copy(e.SQLState[:], state)
	return classify(e) == away
}
