package providers

import (
	"net/url"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/recipient"
)

// OwnList is a list on which the provider itself keeps addresses. What was
// lifted in Strikeout stays there until somebody takes it off.
type OwnList struct {
	Title string           // "the account's suppression list"
	Kinds []recipient.Kind // what puts an address on it
	Page  string           // where a person takes one off
	// Command does the same. {address} becomes the address quoted for a shell,
	// {address_path} the address percent-encoded, {address_json} the address within
	// JSON within single quotes.
	Command string
	Note    string // one sentence
}

// Holds reports whether an event of the kind puts an address on the list.
func (l OwnList) Holds(k recipient.Kind) bool { return slices.Contains(l.Kinds, k) }

// Fill puts an address into the command. What a shell would run in it is quoted.
func (l OwnList) Fill(address string) string {
	quote := strings.NewReplacer("'", `'\''`)
	inJSON := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	return strings.NewReplacer("{address}", "'"+quote.Replace(address)+"'", "{address_path}", url.PathEscape(address),
		"{address_json}", quote.Replace(inJSON.Replace(address))).Replace(l.Command)
}
