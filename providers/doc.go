// Package providers is the contract between Strikeout and the e-mail and SMS
// providers that post webhooks to it: what an adapter gets, what it returns,
// and how a provider describes itself.
//
// To add a provider:
//
//  1. Make a folder named after the package (the slug's letters: "46elks" is
//     elks46) with one file that opens with the provider's documentation URLs.
//  2. Put Verify, Parse and a table from the provider's words to
//     [recipient.Kind] there. What the table does not list is soft or nothing:
//     only a report that says the address is faulty may be a hard bounce, and it
//     carries Code and Rule. Helpers for signatures, JSON, times, SMTP replies
//     and SMS words are in providers/internal.
//  3. Fill Info in info.go next to it: settings, setup steps, mapping, retry
//     behaviour, known gaps, and truly signed samples for the simulator.
//  4. Keep captured requests in testdata as NAME.http, each with a
//     Fixture-Source header, and call providertest.Run, Table and Fuzz.
//  5. Add one line to providers/all and run `make generate`.
//
// Handlers fix the order Handshake, Verify, Parse, store; an adapter never
// stores, never answers by itself, and knows neither clock nor environment.
package providers
