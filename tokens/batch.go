package tokens

import (
	"hash"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// Batch makes the links of many recipients at one moment: what their tokens have
// in common is prepared once. It is for one goroutine at a time.
type Batch struct {
	linker *Linker
	key    *ringKey
	at     time.Time
	mac    hash.Hash // nil: the key signs otherwise
	start  []byte    // URL and token up to the recipient's key
	cut    int       // where the token begins in it
	ends   map[batchEnd][]byte
	last   batchEnd // and its text: most follow one like them
	end    []byte
	part   []byte
	sum    []byte
}

// batchEnd is what follows the key in a token.
type batchEnd struct {
	channel recipient.Channel
	o       LinkOptions
}

// subStart is how a payload begins. The key that follows it ends at a byte that
// base64 can be cut at; so the rest can be encoded by itself.
const (
	subStart = `{"sub":"`
	subCut   = 6                     // of subStart, that base64 can be cut at
	subBytes = len(subStart) + 22    // with the key
	maxEnds  = 256                   // languages of a list; more are not kept
	_        = uint(-(subBytes % 3)) // it does not compile when it cannot be cut there
)

// NewBatch prepares links of this moment, signed with the active key.
func (l *Linker) NewBatch() (*Batch, error) {
	r := l.ring()
	if r == nil || r.active == nil {
		return nil, ErrNoActiveKey
	}
	b := &Batch{linker: l, key: r.active, at: l.now(), cut: len(l.base), ends: map[batchEnd][]byte{}}
	b.start = append(append(b.start, l.base...), b.key.header...)
	b.start = appendBase64(b.start, []byte(subStart[:subCut]))
	b.mac = b.key.newMAC()
	return b, nil
}

// AppendURL is Linker.AppendURL.
func (b *Batch) AppendURL(dst []byte, key recipient.Key, c recipient.Channel, o LinkOptions) ([]byte, error) {
	if b.mac == nil {
		return b.key.appendMint(append(dst, b.linker.base...), b.claims(key, c, o))
	}
	if key.IsZero() {
		return dst, errSub
	}
	if e := (batchEnd{c, o}); b.end == nil || e != b.last {
		if err := b.turn(e); err != nil {
			return dst, err
		}
	}
	start := len(dst) + b.cut
	dst = append(dst, b.start...)
	b.part = appendBase64(append(b.part[:0], subStart[subCut:]...), key[:])
	dst = append(appendBase64(dst, b.part), b.end...)
	b.mac.Reset()
	b.mac.Write(dst[start:]) //nolint:errcheck // a hash never fails
	b.sum = b.mac.Sum(b.sum[:0])
	return appendBase64(append(dst, '.'), b.sum), nil
}

func (b *Batch) claims(key recipient.Key, c recipient.Channel, o LinkOptions) Claims {
	return Claims{Key: key, Channel: c, IssuedAt: b.at, SendOut: o.SendOut, Language: o.Language, Preview: o.Preview}
}

// turn makes e the end of the next tokens.
func (b *Batch) turn(e batchEnd) error {
	end, ok := b.ends[e]
	if !ok {
		c := b.claims(recipient.Key{1}, e.channel, e.o)
		if err := c.check(); err != nil {
			return err
		}
		end = appendBase64(nil, c.appendEnd(nil))
		if len(b.ends) < maxEnds {
			b.ends[e] = end
		}
	}
	b.last, b.end = e, end
	return nil
}

// appendEnd writes what follows the key in a payload.
func (c *Claims) appendEnd(p []byte) []byte {
	if c.Channel == recipient.Email {
		p = append(p, `","c":"e","iat":`...)
	} else {
		p = append(p, `","c":"s","iat":`...)
	}
	p = strconv.AppendInt(p, c.IssuedAt.Unix(), 10)
	if c.SendOut != "" {
		p = append(append(append(p, `,"m":"`...), c.SendOut...), '"')
	}
	if c.Language != "" {
		p = append(append(append(p, `,"l":"`...), c.Language...), '"')
	}
	if c.Preview {
		p = append(p, `,"p":true`...)
	}
	return append(p, '}')
}
