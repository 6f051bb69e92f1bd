package linkcsv

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/tokens"
)

// The columns that are added. With Config.SubOnly it is Sub alone.
const (
	URL                 = "unsubscribe_url"
	ListUnsubscribe     = "list_unsubscribe"
	ListUnsubscribePost = "list_unsubscribe_post"
	Sub                 = "sub"
)

func isOurs(name string) bool {
	return name == URL || name == ListUnsubscribe || name == ListUnsubscribePost || name == Sub
}

// Config says what to do with a list. Keyer is required, and Linker unless
// SubOnly is set.
type Config struct {
	Linker *tokens.Linker
	Keyer  *recipient.Keyer
	// Layout is what the caller knows of the list; the rest is detected. Of the first
	// two columns at least one is found, or the list is refused.
	Layout listcsv.Layout
	// Region completes national phone numbers ("FI").
	Region string
	// Channel says whom a row is about that has an e-mail address and a phone
	// number; empty: the e-mail address. With a channel, rows without an address
	// of it are rejected.
	Channel recipient.Channel
	// Options are those of every link; a language column wins over Language.
	Options tokens.LinkOptions

	// SubOnly writes what stands for an address in a token, for outside minters,
	// instead of links.
	SubOnly bool
	// Short makes short links, which stand in a table: Codes keeps them.
	Short bool
	// Codes keeps short codes, and puts the ones that exist already for the same
	// recipient and claims into their place. Required with Short, and where the
	// Linker's mailto carries a code.
	Codes func(ctx context.Context, codes []Code) error
	// Suppressed reports which recipients must be left out; nil: none.
	Suppressed func(ctx context.Context, keys []recipient.Key) ([]bool, error)

	// SMSText is a text message with {url}, and perhaps {column} of the list. It
	// is measured for each row and changes nothing.
	SMSText string

	// Rejects gets the records that cannot be used, as CSV with the columns line,
	// reason and those of the list; nil: nobody does.
	Rejects io.Writer
	// Progress is called after each chunk, from one goroutine; may be nil.
	Progress func(Summary)

	Workers int              // goroutines that make links; default GOMAXPROCS
	Rand    io.Reader        // of codes; default crypto/rand
	Now     func() time.Time // default time.Now

	chunkBytes int // for tests; default 256 KiB
}

// Code is a short code: of a link, or of the mailto address in a header.
type Code struct {
	Code     string // proposed; replaced by the one that exists already
	Key      recipient.Key
	Channel  recipient.Channel
	SendOut  string
	Language string
	Preview  bool
}

// Summary says what became of a list.
type Summary struct {
	Rows       int   // records with a recipient, those left out included
	Written    int   // of these, in the output
	Suppressed int   // left out
	Rejected   int   // records that could not be used
	Minted     int   // tokens that were signed
	Bytes      int64 // of the list, as UTF-8
	SMS        SMS   // of Config.SMSText
	FirstLine  int   // of the first rejected record
	First      error // why

	Encoding  string
	Delimiter byte
	Columns   []string // the columns that were used, by name or number
}

// Errors of a Config.
var (
	errNoKeyer  = errors.New("linkcsv: no address key")
	errNoLinker = errors.New("linkcsv: no linker")
	errNoCodes  = errors.New("linkcsv: short codes need a table")
)

// ListError says why a list as a whole, or what the Config says of it, cannot be
// used.
type ListError = listcsv.ListError

func (c *Config) check() error {
	switch {
	case c.Keyer == nil:
		return errNoKeyer
	case c.Linker == nil && !c.SubOnly:
		return errNoLinker
	case c.Codes == nil && !c.SubOnly && (c.Short || c.Linker.NeedsCode()):
		return errNoCodes
	}
	return nil
}
