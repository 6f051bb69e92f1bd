// Package tokens signs and reads the tokens of unsubscribe links, and builds
// the links, the message headers (RFC 2369, RFC 8058) and template functions
// that carry them.
//
// A token is a JWT (RFC 7519) with the header members alg and kid and the
// claims
//
//	sub  the recipient's key, 22 characters of base64url: nobody's address
//	c    the channel: e (e-mail) or s (SMS)
//	iat  when it was made, whole seconds since 1970
//	m    the send-out, optional: up to 32 of A-Z a-z 0-9 _ . -
//	l    the language of the page, optional: a language tag
//	p    true for a preview, which opens the page and changes nothing
//
// and no expiry, because a link has to work for as long as somebody has the
// message. HS256 signs our own links; EdDSA is for outside minters, who hold
// a private key of their own and get sub values from us.
//
// Other programs mint links in two lines: see [OpenLinker].
package tokens
