// Package listcsv reads lists of recipients as people have them: CSV and TSV
// files of any size, of the kinds that spreadsheets and sending tools write. It
// finds out encoding, delimiter, header and columns, and cuts a file into chunks
// at the ends of records, so that memory stays constant.
//
// Quotes follow RFC 4180; a quote that does not open a field is a character like
// any other. A quoted field that is closed in the wrong place or never costs its
// own line, and reading goes on with the next.
//
// It stands on the ground floor because tokens, which adds links to lists, and
// store, which imports them, do not know each other.
package listcsv

// ListError says why a list as a whole, or what the caller says of it, cannot be
// used.
type ListError struct{ Err error }

func (e *ListError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ListError) Unwrap() error { return e.Err }
