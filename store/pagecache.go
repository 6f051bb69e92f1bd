package store

import (
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite keeps a page of the file together with a header, and the driver's malloc
// rounds the two up to twice the page. So a process that writes in bulk takes its
// pages from one piece that is cut to fit: half the memory keeps as much.
const (
	pageSlot  = 4096 + 288 // a page, as all our files have them, and its header; what needs more is taken one by one, as ever
	bulkPages = 72 << 20   // bytes for what sqliteBulkWriter keeps, and some readers
)

// fitPages prepares that. It comes too late once SQLite is in use, and changes
// nothing then.
var fitPages = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	args := libc.Xmalloc(tls, 64)
	if args == 0 {
		return
	}
	defer libc.Xfree(tls, args)
	piece := libc.Xmalloc(tls, bulkPages)
	if piece == 0 {
		return
	}
	if sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, libc.VaList(args, piece, int32(pageSlot), int32(bulkPages/pageSlot))) != sqlite3.SQLITE_OK {
		libc.Xfree(tls, piece)
	}
})
