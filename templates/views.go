package templates

import "github.com/strikeout/strikeout/recipient"

// Page names a page, and, for [Pages.Wording], an offer inside pages.
type Page string

// The pages. Each has a view type of the same name.
const (
	PageConfirm           Page = "confirm"
	PageExpired           Page = "expired"
	PageConfirmKey        Page = "confirm_key"
	PageDone              Page = "done"
	PageAlready           Page = "already"
	PageEverythingStopped Page = "everything_stopped"
	PageUndone            Page = "undone"
	PageUndoRefused       Page = "undo_refused"
	PageBadLink           Page = "bad_link"
	PageRequested         Page = "requested"
	PagePending           Page = "pending"
	PageReceived          Page = "received"
	PagePreview           Page = "preview"
	PageUnavailable       Page = "unavailable"
)

// The offers inside pages that have a wording of their own.
const (
	OfferUndo Page = "undo" // on Done, Already and EverythingStopped
	OfferAll  Page = "all"  // "stop everything"
)

// Masked is an address as a page may show it: "m•••@e•••.fi". The zero Masked
// is an address that we cannot read; the page then speaks of "the address this
// message was sent to".
type Masked struct{ text string }

// Mask makes a Masked. There is no other way to make one, so no page can show
// a whole address.
func Mask(a recipient.Address) Masked { return Masked{a.Mask()} }

// Link is what the page of a link that verified may know of it. Whatever is
// empty is left out of the page.
type Link struct {
	Path    string            // of the link, "/u/TOKEN": where the forms post to
	Channel recipient.Channel // the one that the link stops
	Address Masked
	SendOut string // the mailing's reference
}

// View is the content of one page.
type View interface {
	// page returns the page's name and what all pages share.
	page() (Page, common)
}

// common is what the shared parts of the pages read.
type common struct {
	Link
	Nonce string
	Typed string // an address that somebody typed
}

// Confirm asks before anything happens: the answer to a GET.
type Confirm struct {
	Link
	Others bool // more than the link's channel can be stopped: offer that
}

// Expired is Confirm for a link past its date. The link still works.
type Expired struct {
	Link
	Nonce  string
	Others bool
}

// ConfirmKey is Confirm for a link whose signing key may have leaked: the form
// carries a nonce, which shows that somebody has seen the page.
type ConfirmKey struct {
	Link
	Nonce  string
	Again  bool // the nonce that was posted was too old or wrong
	Others bool
}

// Done says that the opt-out is stored.
type Done struct {
	Link
	Nonce   string // for the other buttons of a link that needs one
	CanUndo bool   // offer to take it back
	Others  bool   // more than the link's channel can be stopped: offer that
}

// Already says that an earlier opt-out stands.
type Already struct {
	Link
	Nonce   string
	CanUndo bool
	Others  bool
}

// EverythingStopped says that all channels of the person are opted out.
type EverythingStopped struct {
	Link
	CanUndo bool // of the link's own channel
}

// Undone says that the person will receive messages again and that the consent
// is recorded.
type Undone struct {
	Link
	Nonce string
}

// UndoReason is why an opt-out cannot be taken back on the page.
type UndoReason string

// The reasons. Any other is shown as UndoNone.
const (
	UndoNone      UndoReason = "none"      // no opt-out by this link stands
	UndoLate      UndoReason = "late"      // too long ago
	UndoBefore    UndoReason = "before"    // the address was opted out already when the link was used
	UndoComplaint UndoReason = "complaint" // reported as spam
)

// UndoRefused says why nothing was undone.
type UndoRefused struct {
	Link
	Reason UndoReason
}

// BadLink is the page of every link that does not verify, whatever the cause.
// Its form takes a typed address, which becomes a request for the
// administrator. It shows nothing of the link.
type BadLink struct {
	Path    string // where the form posts to; empty: the page's own address
	Missing bool   // the form came without an address
}

// Requested answers the form of BadLink, the same way for every input.
type Requested struct{ Path string }

// Pending says that a one-click request was kept for the administrator,
// because the key of its link may have leaked.
type Pending struct{ Link }

// Received says that the wish is kept safely and takes effect a little later,
// because the database cannot take it now.
type Received struct{ Link }

// Preview is the page of a link from a test or preview message: it opens and
// changes nothing. It shows what the real page shows, until its button was
// pressed.
type Preview struct {
	Link
	Pressed bool
}

// Unavailable says that we cannot store anything now. With a Path or an
// Address, its button posts the same request again.
type Unavailable struct {
	Path    string // of the link
	Undo    bool   // the request was to undo
	All     bool   // the request was to stop everything
	Nonce   string // as posted
	Words   string // as posted: the version of the words that were shown
	Address string // as typed on the page of a link that does not work
}

// Shown is Words, where it is nothing but a version.
func (v Unavailable) Shown() string {
	if !version.MatchString(v.Words) {
		return ""
	}
	return v.Words
}

// CanRepeat reports whether there is a request to post again.
func (v Unavailable) CanRepeat() bool { return v.Path != "" || v.Address != "" }

func (v Confirm) page() (Page, common) { return PageConfirm, common{Link: v.Link} }
func (v Expired) page() (Page, common) { return PageExpired, common{Link: v.Link, Nonce: v.Nonce} }
func (v ConfirmKey) page() (Page, common) {
	return PageConfirmKey, common{Link: v.Link, Nonce: v.Nonce}
}
func (v Done) page() (Page, common)              { return PageDone, common{Link: v.Link, Nonce: v.Nonce} }
func (v Already) page() (Page, common)           { return PageAlready, common{Link: v.Link, Nonce: v.Nonce} }
func (v EverythingStopped) page() (Page, common) { return PageEverythingStopped, common{Link: v.Link} }
func (v Undone) page() (Page, common)            { return PageUndone, common{Link: v.Link, Nonce: v.Nonce} }
func (v UndoRefused) page() (Page, common)       { return PageUndoRefused, common{Link: v.Link} }
func (v BadLink) page() (Page, common)           { return PageBadLink, common{Link: Link{Path: v.Path}} }
func (v Requested) page() (Page, common)         { return PageRequested, common{Link: Link{Path: v.Path}} }
func (v Pending) page() (Page, common)           { return PagePending, common{Link: v.Link} }
func (v Received) page() (Page, common)          { return PageReceived, common{Link: v.Link} }
func (v Preview) page() (Page, common)           { return PagePreview, common{Link: v.Link} }
func (v Unavailable) page() (Page, common) {
	return PageUnavailable, common{Link: Link{Path: v.Path}, Nonce: v.Nonce, Typed: recipient.Clean(v.Address, maxTypedBytes)}
}
