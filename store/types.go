package store

import (
	"log/slog"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Config says which database to open and how.
type Config struct {
	// URL is "mysql://user:password@tcp(host:3306)/name" (the driver's own DSN
	// after the scheme) or "sqlite:path/to/file.db".
	URL string
	// Keyer holds the address key; the database refuses another than the first it
	// was used with. Nil skips the check, for commands that touch no address.
	Keyer *recipient.Keyer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger gets what an operator should see; nil discards.
	Logger *slog.Logger
	// Observer is told of commits and of the queue; nil is fine.
	Observer Observer
	// QueueEvents and QueueBytes bound what waits in Record; zero means 50 000
	// events and 64 MiB. One endpoint may fill at most half of either.
	QueueEvents int
	QueueBytes  int64
	// BatchEvents bounds one transaction of Record; zero means 2000.
	BatchEvents int
	// MaxOpenConns bounds the connections of the general pool; zero means 20.
	MaxOpenConns int
	// Bulk is for whoever writes much at once, and alone in its process: SQLite
	// copies its log into the main file less often, and keeps more of it in memory.
	Bulk bool
}

// Observer is told what Record does, for metrics. Its methods must not block.
type Observer interface {
	// Committed follows every transaction of Record; took is its duration. With
	// an error nothing of the batch is known to be stored.
	Committed(events, duplicates int, took time.Duration, err error)
	// Queued reports what waits at the moment.
	Queued(events int, bytes int64)
}

// Recorded says what became of the events of one Record.
type Recorded struct {
	Stored     int
	Duplicates int               // known already; they changed nothing
	Spooled    int               // kept by a spool, which stores them later
	Refused    []recipient.Event // the database will never take these
}

// Act is what a person or a rule decided about an address.
type Act struct {
	Kind     recipient.Kind // Block, Unblock, OptOut or OptIn
	Channel  recipient.Channel
	Key      recipient.Key
	Address  recipient.Address // optional
	Source   recipient.Source
	Actor    string // the user or API key
	Reason   string // becomes the event's detail
	SendOut  string
	Evidence recipient.Evidence // an opt-in needs its Consent
	// Seen, where it is not nil, is the State.Answered on which the person decided.
	// When something newer came since, the act is ErrChanged: nobody has seen what
	// it would lift.
	Seen *time.Time
	// By, where its Actor is set, is written to the audit log in the same
	// transaction.
	By By
}

// Click is the use of an unsubscribe link.
type Click struct {
	Channel  recipient.Channel
	Key      recipient.Key
	TokenID  string // tells this link from others of the same address
	SendOut  string
	Evidence recipient.Evidence
	Source   recipient.Source // empty means recipient.FromLink
	// ReceivedAt is when a click that comes late was made; zero means now. Such a
	// click does not outrank an opt-in that came after it.
	ReceivedAt time.Time
	// Everything says that the person's other channels are meant too. The database
	// does not look at it, a spool does: who they are cannot be told while the
	// database is away.
	Everything bool
}

// Outcome is what an act or a click did.
type Outcome struct {
	Before, After recipient.State
	Event         recipient.Event // the event that stands for it; of an earlier click when Changed is false
	Changed       bool            // false: this link's opt-out stood already
	Spooled       bool            // kept by a spool, which performs it later; nothing else is known
}

// Recipient is one address as it stands.
type Recipient struct {
	Key      recipient.Key
	Channel  recipient.Channel
	Address  recipient.Address // zero where only the key is known, or after an erasure
	ErasedAt time.Time
	State    recipient.State
}

// StoredEvent is an event with its place in the history. IDParts are not kept.
type StoredEvent struct {
	ID int64
	recipient.Event
}

// Contact is a person as another system knows them.
type Contact struct {
	ID                 int64  // set by the store
	ExternalID         string // at most 191 bytes
	Name, Language     string
	Email, Phone       recipient.Address // zero: none, or erased
	EmailKey, PhoneKey recipient.Key
	CreatedAt          time.Time // set by the store
	UpdatedAt          time.Time
}

// PutOptions says who saves a contact and what they accept.
type PutOptions struct {
	// AcceptShared allows an address that belongs to another contact already.
	AcceptShared bool
	// Consent, where given since, opts in those addresses of the contact that were
	// erased, and makes them readable again.
	Consent *recipient.Consent
	Source  recipient.Source // FromAdmin, FromAPI or FromImport
	Actor   string
	// KeepUnread lets the contact keep an address that was erased, where it is left
	// empty: whoever edits the contact cannot read it, and so cannot repeat it.
	KeepUnread bool
	// OnlyNew refuses to replace a contact: ErrExists.
	OnlyNew bool
	// Seen is the UpdatedAt that whoever saves has seen. When somebody saved the
	// contact since, it is ErrChanged. Zero: whatever stands there is replaced.
	Seen time.Time
	// By, where its Actor is set, is written to the audit log in the same
	// transaction, unless the contact stays as it was.
	By By
}

// ContactQuery finds contacts by key, or by the beginning of a name, of a later
// word of a name, of an external id or of an address. Empty lists all.
type ContactQuery struct {
	Q     string
	Key   recipient.Key // when set, Q is ignored
	Limit int           // zero means 50
	After string        // the cursor that the previous page returned
	Flag  Flag          // only those with an address that has it; empty: all
	// HideAddresses keeps addresses out of the search: somebody who sees them
	// masked must not spell them out letter by letter.
	HideAddresses bool
}

// APIKey is a key of the JSON API, without its secret.
type APIKey struct {
	Name       string
	Scopes     []string
	Hash       [32]byte // SHA-256 of the whole secret
	CreatedAt  time.Time
	LastUsedAt time.Time // zero: never
	RevokedAt  time.Time // zero: it works
}

// Held is a verified request that could not be understood, kept for replay.
type Held struct {
	ID         int64
	Endpoint   string
	Provider   string
	Reason     string // unreadable, no_recipient, bad_recipient or refused_row
	Method     string
	URL        string // path and query, without secrets
	Header     map[string][]string
	Body       []byte // at most MaxHeldBytes
	Size       int64  // bytes of the body as stored, set by the store
	ReceivedAt time.Time
	Key        recipient.Key // where the request is about one address only
	Detail     string        // which field could not be read, never its value
	ReplayedAt time.Time     // of the last replay that left something
}

// QuarantineQuery selects held requests; the zero query selects all.
type QuarantineQuery struct {
	Endpoint, Reason string
	After            int64 // ids greater than this
	Limit            int   // zero means 100
}

// PersonRequest is what somebody asked for on the page of a broken or doubtful
// link. It changes no state until an administrator acts.
type PersonRequest struct {
	ID         int64
	Channel    recipient.Channel
	Address    recipient.Address // as typed; zero for Kind "confirm"
	Key        recipient.Key     // of Address where that is set
	TokenID    string
	Kind       string // typed or confirm
	Language   string
	ReceivedAt time.Time
	ResolvedAt time.Time
	ResolvedBy string
	Resolution string
}

// RequestQuery selects people's requests.
type RequestQuery struct {
	Resolved bool  // include those that somebody dealt with
	After    int64 // ids greater than this
	Limit    int   // zero means 100
}

// FsckOptions says what Fsck may change.
type FsckOptions struct {
	Repair   bool           // raise fields that are lower than the events say
	Rebuild  bool           // lower fields too; refused once retention has run
	Progress func(done int) // addresses checked so far; may be nil
}

// FsckReport says what Fsck found.
type FsckReport struct {
	Recipients  int              // addresses compared
	Events      int              // events folded
	Different   int              // fields that differ
	Differences []FsckDifference // the first 10 000 of them
	Repaired    int              // fields changed
}

// FsckDifference is one field whose stored time is not what the events say.
type FsckDifference struct {
	Key        recipient.Key
	Channel    recipient.Channel
	Field      string    // the column, such as blocked_at
	Have, Want time.Time // zero: never
}
