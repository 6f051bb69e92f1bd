package store

import (
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite keeps a page of the file together with a header, and the driver's malloc
// rounds the two up to twice the page. So a process takes its pages from one piece
// that is cut to fit: half the memory keeps as much. All of the piece is in use
// from the start, so it is no larger than the writer's pages and some more.
const (
	pageSlot     = 4096 + 288 // a page, as all our files have them, and its header; what needs more is taken one by one, as ever
	servicePages = 20 << 20   // bytes for what sqliteWriter keeps
	bulkPages    = 72 << 20   // and sqliteBulkWriter
)

var fitOnce sync.Once

// fitPages prepares that. It comes too late once SQLite is in use, and changes
// nothing then.
func fitPages(size int) {
	fitOnce.Do(func() {
		tls := libc.NewTLS()
		defer tls.Close()
		args := libc.Xmalloc(tls, 64)
		if args == 0 {
			return
		}
		defer libc.Xfree(tls, args)
		piece := libc.Xmalloc(tls, uint64(size)) //nolint:gosec // one of the two above
		if piece == 0 {
			return
		}
		if sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, libc.VaList(args, piece, int32(pageSlot), int32(size/pageSlot))) != sqlite3.SQLITE_OK { //nolint:gosec // few
			libc.Xfree(tls, piece)
		}
	})
}
