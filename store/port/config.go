package port

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/store"
)

// Kind says what the rows of a list are.
type Kind string

// The kinds of lists.
const (
	Contacts     Kind = "contacts"
	Suppressions Kind = "suppressions"
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return k == Contacts || k == Suppressions }

// Store is what this package asks of *store.DB.
type Store interface {
	Record(ctx context.Context, events []recipient.Event) (store.Recorded, error)
	States(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.State, error)
	KnownEvents(ctx context.Context, prints []recipient.Fingerprint) (map[recipient.Fingerprint]bool, error)
	PutContacts(ctx context.Context, list []store.Contact, o store.PutOptions) ([]store.ContactResult, error)
	PlanContacts(ctx context.Context, list []store.Contact, o store.PutOptions) ([]store.ContactResult, error)
	Contacts(ctx context.Context, q store.ContactQuery) ([]store.Contact, string, error)
	Suppressed(ctx context.Context, after recipient.Key, limit int) ([]store.Recipient, error)
}

// Config says what to do with a list. Store and Keyer are required.
type Config struct {
	Store Store
	Keyer *recipient.Keyer

	// Kind is what the list holds; empty: what its header says.
	Kind Kind
	// As is what a row means that does not say so itself: OptOut (also when empty),
	// Block, HardBounce, Complaint or SoftBounce.
	As recipient.Kind
	// ListedAt is when the list was taken from wherever it comes from: rows without
	// a time of their own count as of then. Zero: nobody knows, so they count as
	// older than anything that a person did.
	ListedAt time.Time
	// FileName tells two lists of SendGrid apart that look the same.
	FileName string
	Columns  Columns
	Layout   listcsv.Layout // encoding, delimiter and header, where known
	Region   string         // completes national phone numbers ("FI")
	// AcceptShared lets contacts have an address that belongs to another.
	AcceptShared bool
	// DryRun changes nothing and says what would change.
	DryRun bool
	Actor  string // the user or API key, for the history

	// Audit writes down that an import began and how it ended; By is who did. Nil:
	// that is done elsewhere. A dry run is not written down.
	Audit func(store.AuditEntry) error
	By    store.By

	// Rejects gets the records that cannot be used, as CSV with the columns line,
	// reason and those of the list; nil: nobody does.
	Rejects io.Writer
	// Rejected is told of each of them; may be nil.
	Rejected func(line int, reason string)
	// Progress is called after each step, from one goroutine; may be nil.
	Progress func(Summary)

	// Together is how many records go into one transaction; default 5000. On SQLite
	// more is faster, because each page of an index is written fewer times, and
	// others wait longer.
	Together int

	Now func() time.Time // default time.Now

	// Patience is how long an import waits for a database that is away; default one
	// minute.
	Patience time.Duration
}

// Columns names columns by name or by number, where the header does not.
type Columns struct {
	ID, Name, Language, Email, Phone, Kind, Date string
}

// Summary says what became of a list, or with DryRun what would.
type Summary struct {
	Kind      Kind     `json:"kind"`
	Format    string   `json:"format"` // whose list it is, such as "sendgrid_bounces"; "list": nobody's in particular
	Encoding  string   `json:"encoding"`
	Delimiter string   `json:"delimiter"`
	Columns   []string `json:"columns"` // those that are used: "email: E-Mail"
	DryRun    bool     `json:"dry_run"`

	Rows     int   `json:"rows"` // records, the rejected among them
	Bytes    int64 `json:"bytes"`
	Rejected int   `json:"rejected"`
	Ignored  int   `json:"ignored"` // records that say nothing against an address, and nothing else

	Created   int `json:"contacts_created"`
	Changed   int `json:"contacts_changed"`
	Unchanged int `json:"contacts_unchanged"`
	Carried   int `json:"opt_outs_carried"` // along to the new address of a contact

	Events int `json:"events"`       // new in the history
	Known  int `json:"events_known"` // there already: the list was imported before

	Blocked  int `json:"newly_blocked"` // addresses
	OptedOut int `json:"newly_opted_out"`
	OptedIn  int `json:"newly_opted_in"` // by dated consent
	// Outweighed are entries that stand in the history alone: a later unblock or
	// opt-in, or a later opt-out than a consent, counts more.
	Outweighed int `json:"outweighed"`
	Undated    int `json:"undated"` // entries without a time that can be read
	// AtMost: the list is so long that an address in it twice may count twice in a
	// dry run.
	AtMost bool `json:"at_most,omitempty"`

	FirstLine   int    `json:"first_rejected_line,omitempty"`
	FirstReason string `json:"first_rejected_reason,omitempty"`
}

// ListError says why a list as a whole, or what the Config says of it, cannot be
// used.
type ListError = listcsv.ListError

// Errors of a Config.
var (
	errNoStore = errors.New("port: no store")
	errNoKeyer = errors.New("port: no address key")
)

// Meanings are the values of Config.As.
var Meanings = []recipient.Kind{recipient.OptOut, recipient.Block, recipient.HardBounce, recipient.Complaint, recipient.SoftBounce}
