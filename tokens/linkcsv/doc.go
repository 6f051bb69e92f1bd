// Package linkcsv adds unsubscribe links to lists of recipients: CSV files of
// any size and of the kinds that spreadsheets and sending tools write.
//
// A file is read once and in constant memory. It is cut into chunks at the ends
// of records, the chunks are worked on by all cores, and the result is written
// in the order of the input. Records are copied as they are, byte for byte, and
// get three more columns. Encoding, delimiter, header and columns are detected
// (see recipient/listcsv); what comes out is UTF-8.
//
// A record that cannot be used is set aside with its line and the reason, and
// never ends the run. Quotes follow RFC 4180; a quote that does not open a
// field is a character like any other. A quoted field that is closed in the
// wrong place or never costs its own line, and reading goes on with the next.
package linkcsv
