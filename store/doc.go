// Package store keeps what recipients and providers told us, in MySQL or
// MariaDB for production and in SQLite for one machine. It is the only package
// that knows SQL.
//
// The state of an address is the latest time of each kind of thing (see
// recipient.State). Every change is a row in events, which only grows, and one
// upsert per address that keeps the later time in each column. So the order,
// the repetition and the batching of events do not matter.
//
// The rules that hold everywhere:
//
//   - A duplicate changes nothing: a state is joined only from events whose row
//     was inserted in the same transaction.
//   - Webhooks take the road of Record, in groups; people's acts have a road of
//     their own and never wait behind them.
//   - An address stands in no error text and in no log.
package store
