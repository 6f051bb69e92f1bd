package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/strikeout/strikeout/recipient"
)

// ShortLink is what a short code stands for: the claims of a token, without a
// key that could be revoked.
type ShortLink struct {
	Code      string // 1 to 26 bytes
	Key       recipient.Key
	Channel   recipient.Channel
	SendOut   string    // at most 32 bytes of ASCII
	Language  string    // at most 35 bytes of ASCII
	Preview   bool      // opens the page and changes nothing
	CreatedAt time.Time // zero: now
}

const maxCodeBytes = 26

func (l ShortLink) check() error {
	switch {
	case l.Code == "" || len(l.Code) > maxCodeBytes:
		return fmt.Errorf("%w short link: code", ErrInvalid)
	case l.Key.IsZero():
		return fmt.Errorf("%w short link: it is about nobody", ErrInvalid)
	case !l.Channel.Valid():
		return fmt.Errorf("%w short link: channel", ErrInvalid)
	case len(l.SendOut) > 32 || !ascii(l.SendOut):
		return fmt.Errorf("%w short link: send-out", ErrInvalid)
	case len(l.Language) > maxLanguageBytes || !ascii(l.Language):
		return fmt.Errorf("%w short link: language", ErrInvalid)
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// same names the links that can share a code: those of one recipient that say
// the same, with a code of the same length.
func (l ShortLink) same() ShortLink {
	l.Code, l.CreatedAt = strconv.Itoa(len(l.Code)), time.Time{}
	return l
}

// PutShortLinks keeps short links; it is made for thousands. Where a link to
// the same recipient with the same claims exists, its code takes the place of
// the proposed one, so that the table does not grow when a list is done again.
func (db *DB) PutShortLinks(ctx context.Context, links []ShortLink) error {
	if len(links) == 0 {
		return nil
	}
	now := db.now()
	for i := range links {
		if err := links[i].check(); err != nil {
			return err
		}
		if links[i].CreatedAt.IsZero() {
			links[i].CreatedAt = now
		}
	}
	known := map[ShortLink]string{}
	err := db.inTx(ctx, "keep short links", func(tx *sqlx.Tx) error {
		clear(known)
		if err := knownShortLinks(ctx, tx, links, known); err != nil {
			return err
		}
		var fresh []ShortLink
		for _, l := range links {
			if k := l.same(); known[k] == "" {
				known[k] = l.Code
				fresh = append(fresh, l)
			}
		}
		for c := range slices.Chunk(fresh, statesChunk) {
			if _, err := tx.ExecContext(ctx, string(db.d.appendShortLinks(nil, c))); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range links {
		links[i].Code = known[links[i].same()]
	}
	return nil
}

const shortLinkColumns = "code, recipient_key, channel, send_out, language, preview, created_at"

// knownShortLinks finds those that exist already, the oldest code of each.
func knownShortLinks(ctx context.Context, tx *sqlx.Tx, links []ShortLink, known map[ShortLink]string) error {
	keys := map[string][]recipient.Key{} // by send-out
	for _, l := range links {
		keys[l.SendOut] = append(keys[l.SendOut], l.Key)
	}
	for _, sendOut := range slices.Sorted(maps.Keys(keys)) {
		for c := range slices.Chunk(keys[sendOut], statesChunk) {
			var rows []shortLinkRow
			if err := tx.SelectContext(ctx, &rows, selectShortLinks(c), sendOut); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
			slices.SortFunc(rows, func(a, b shortLinkRow) int {
				return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), bytes.Compare(a.Code, b.Code))
			})
			for _, r := range rows {
				l := r.link()
				if k := l.same(); known[k] == "" {
					known[k] = l.Code
				}
			}
		}
	}
	return nil
}

func selectShortLinks(keys []recipient.Key) string {
	b := append([]byte(nil), "SELECT "+shortLinkColumns+" FROM short_links WHERE recipient_key IN ("...)
	return string(append(keyList(b, keys), ") AND send_out = ?"...))
}

// appendShortLinks writes the INSERT. Send-out and language are ASCII.
func (d dialect) appendShortLinks(b []byte, links []ShortLink) []byte {
	slices.SortFunc(links, func(a, b ShortLink) int { return cmp.Compare(a.Code, b.Code) })
	b = append(b, "INSERT INTO short_links ("+shortLinkColumns+") VALUES "...)
	for i, l := range links {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "(x'"...)
		b = hex.AppendEncode(b, []byte(l.Code))
		b = append(b, "',"...)
		b = appendKey(b, l.Key)
		for _, s := range [...]string{string(l.Channel), l.SendOut, l.Language} {
			b = append(b, ',')
			b = d.text(b, s)
		}
		b = append(b, ',', '0')
		if l.Preview {
			b[len(b)-1] = '1'
		}
		b = append(b, ',')
		b = strconv.AppendInt(b, micros(l.CreatedAt), 10)
		b = append(b, ')')
	}
	return b
}

type shortLinkRow struct {
	Code      []byte `db:"code"`
	Key       []byte `db:"recipient_key"`
	Channel   string `db:"channel"`
	SendOut   string `db:"send_out"`
	Language  string `db:"language"`
	Preview   bool   `db:"preview"`
	CreatedAt int64  `db:"created_at"`
}

func (r shortLinkRow) link() ShortLink {
	l := ShortLink{Code: string(r.Code), Channel: recipient.Channel(r.Channel), SendOut: r.SendOut, Language: r.Language, Preview: r.Preview, CreatedAt: fromMicros(r.CreatedAt)}
	copy(l.Key[:], r.Key)
	return l
}

// ShortLink returns what a code stands for; a code that nobody issued is
// ErrNotFound.
func (db *DB) ShortLink(ctx context.Context, code string) (ShortLink, error) {
	if err := db.ready(ctx); err != nil {
		return ShortLink{}, err
	}
	var r shortLinkRow
	err := db.read.GetContext(ctx, &r, selectShortLink, []byte(code))
	if errors.Is(err, sql.ErrNoRows) {
		return ShortLink{}, ErrNotFound
	}
	return r.link(), wrap("read a short link", err)
}

const selectShortLink = "SELECT " + shortLinkColumns + " FROM short_links WHERE code = ?"

// LinkCount says how many links a key of links has signed, as far as we were
// told: minters in other languages and outside minters do not count.
type LinkCount struct {
	Issued          int64
	FirstAt, LastAt time.Time
}

// CountLinks adds links to the counts of the keys that signed them.
func (db *DB) CountLinks(ctx context.Context, issued map[string]int64) error {
	now := micros(db.now())
	add := "issued = link_counts.issued + " + db.d.proposed("issued") + ", last_at = " + db.d.later + "(link_counts.last_at, " + db.d.proposed("last_at") + ")"
	return db.inTx(ctx, "count links", func(tx *sqlx.Tx) error {
		for _, id := range slices.Sorted(maps.Keys(issued)) {
			if issued[id] <= 0 {
				continue
			}
			if id == "" || len(id) > 16 || !ascii(id) {
				return fmt.Errorf("%w count of links: key id", ErrInvalid)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO link_counts (key_id, issued, first_at, last_at) VALUES (?, ?, ?, ?)"+db.d.conflict("key_id")+add,
				id, issued[id], now, now); err != nil {
				return err //nolint:wrapcheck // inTx wraps
			}
		}
		return nil
	})
}

// LinkCounts returns the counts by key id.
func (db *DB) LinkCounts(ctx context.Context) (map[string]LinkCount, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	var rows []struct {
		ID      string `db:"key_id"`
		Issued  int64  `db:"issued"`
		FirstAt int64  `db:"first_at"`
		LastAt  int64  `db:"last_at"`
	}
	if err := db.read.SelectContext(ctx, &rows, "SELECT key_id, issued, first_at, last_at FROM link_counts"); err != nil {
		return nil, wrap("read the counts of links", err)
	}
	out := make(map[string]LinkCount, len(rows))
	for _, r := range rows {
		out[r.ID] = LinkCount{r.Issued, fromMicros(r.FirstAt), fromMicros(r.LastAt)}
	}
	return out, nil
}
