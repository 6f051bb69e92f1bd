// Package templates renders the pages that recipients see behind an
// unsubscribe link: embedded HTML, texts per language, one stylesheet, and one
// typed view per page. It knows nothing of HTTP or storage.
//
// The pages work without JavaScript, cookies, web fonts or any third party and
// aim at WCAG 2.2 AA (https://www.w3.org/TR/WCAG22/). They show masked
// addresses only: [Masked] can be made from a [recipient.Address] and from
// nothing else. Opening a page changes nothing; only its POST forms do
// (RFC 8058, section 3.2).
//
// The forms post to the link itself or to its /undo, with these fields:
//
//	via=form    every form, so that it can be told from a one-click POST
//	all=1       "stop everything"
//	words=...   the version of what the page said, see [Pages.Version]
//	nonce=...   a page that proves it was opened, see [ConfirmKey]
//	address=... typed by a person whose link does not work, see [BadLink]
//
// An operator's folder can change texts, colours and whole pages: [Options],
// [Watcher].
//
// To add a language, put texts/TAG.json next to the others: New and the tests
// name every text that is missing, unused, or whose placeholders differ.
// Right-to-left scripts set the page's direction by themselves. A text whose
// key ends in _anon stands in where no sender name is configured.
package templates
