// Package port brings lists of contacts and suppressions in, and takes them out,
// as CSV of any size and in constant memory. It belongs to the store's room,
// because it needs the tables and nothing above them; the command line, the API
// and the administrators' desk share it.
//
// An import can only tighten. What a list says against an address becomes an
// event with source "import": at the time that the list gives, or, where it gives
// none, as an echo, which suppresses an address that nobody knew and loses to
// every unblock and opt-in. Nothing in a list unblocks. Only consent opts in,
// with its source and wording, and only a dated one can lift something.
//
// Fingerprints follow from what a row says, so the same list again changes
// nothing, and an import that was interrupted is simply run again.
package port
