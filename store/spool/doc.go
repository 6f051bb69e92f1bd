// Package spool keeps what a database cannot take now, on a disk of this
// machine, so that it can be acknowledged all the same: reports of providers,
// clicks, and requests for the quarantine. In the background it stores them,
// oldest first, as received when they were received.
//
// A directory belongs to one process. It holds segments, files that only grow
// (see segment.go); an append returns after an fsync that it may share with
// others. A segment is deleted when all of it is committed to the database. So
// a crash stores some of it twice, and the fingerprints of the events make once
// of that. A disk that fails costs a segment its future, not its past: the next
// append begins another.
//
// The spool holds addresses in clear. Its files are for their owner alone and
// are deleted within seconds of the database's return.
package spool
