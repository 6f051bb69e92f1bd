package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A segment is a file that begins with fileMagic. Records follow, each with a
// header of headerBytes:
//
//	4  recordMagic
//	4  length of the payload
//	8  when it was accepted, microseconds since 1970
//	4  CRC-32C of the payload
//	4  CRC-32C of the 20 bytes before
//
// Numbers are big-endian. The second sum tells a record that was cut off, and so
// was never acknowledged, from one whose length went bad on the disk.
const (
	fileMagic   = "strkspl1"
	recordMagic = "\xf5SoR" // no text begins like this
	headerBytes = 24
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is a record as it stands in a segment.
type frame struct {
	at      int64 // microseconds
	payload []byte
}

// appendFrame appends a record to b.
func appendFrame(b []byte, f frame) []byte {
	from := len(b)
	b = append(b, recordMagic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload))) //nolint:gosec // append refuses what is larger
	b = binary.BigEndian.AppendUint64(b, uint64(f.at))           //nolint:gosec // as written
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(f.payload, castagnoli))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
	return append(b, f.payload...)
}

// header reads a header; ok is false when it is none.
func header(b []byte) (at int64, length int, sum uint32, ok bool) {
	if len(b) < headerBytes || string(b[:4]) != recordMagic || crc32.Checksum(b[:20], castagnoli) != binary.BigEndian.Uint32(b[20:]) {
		return 0, 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(b[8:])), int(binary.BigEndian.Uint32(b[4:])), binary.BigEndian.Uint32(b[16:]), true //nolint:gosec // as written
}

// cursor walks over the records of a segment. It survives any content: what is
// damaged is stepped over, up to the next record that is whole.
type cursor struct {
	data    []byte
	at      int
	damaged int  // bytes that were records once
	cut     bool // the last record was never finished, so nobody relies on it
}

func newCursor(data []byte) *cursor {
	c := &cursor{data: data}
	if bytes.HasPrefix(data, []byte(fileMagic)) {
		c.at = len(fileMagic)
	}
	return c
}

func (c *cursor) next() (frame, bool) {
	for c.at < len(c.data) {
		rest := c.data[c.at:]
		if f, n, ok := readFrame(rest); ok {
			c.at += n
			return f, true
		}
		if unfinished(rest) {
			c.cut, c.at = true, len(c.data)
			break
		}
		n := 1
		for n < len(rest) {
			i := bytes.Index(rest[n:], []byte(recordMagic))
			if i < 0 {
				n = len(rest)
				break
			}
			n += i
			if _, _, ok := readFrame(rest[n:]); ok {
				break
			}
			n++
		}
		c.damaged += n
		c.at += n
	}
	return frame{}, false
}

func readFrame(b []byte) (f frame, n int, ok bool) {
	at, length, sum, ok := header(b)
	if !ok || length > len(b)-headerBytes {
		return frame{}, 0, false
	}
	payload := b[headerBytes : headerBytes+length]
	return frame{at, payload}, headerBytes + length, crc32.Checksum(payload, castagnoli) == sum
}

// unfinished reports whether the end of a segment is what a crash leaves: less
// than a header, a sound header with less than its payload, or the zeros of a
// file that grew before its content was written.
func unfinished(rest []byte) bool {
	if _, length, _, ok := header(rest); ok {
		return length > len(rest)-headerBytes
	}
	return len(rest) < headerBytes || len(bytes.TrimLeft(rest, "\x00")) == 0
}
