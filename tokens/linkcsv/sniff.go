package linkcsv

import (
	"fmt"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
)

// layout is a Layout that fits a file.
type layout struct {
	listcsv.Shape
	email, phone, language int // -1: none
}

// sniff completes what the caller knows with what the beginning of the file
// shows.
func sniff(sample []byte, whole bool, known listcsv.Layout, region string) (*layout, error) {
	shape, records, err := listcsv.Sniff(sample, whole, known, region)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all
	}
	l := &layout{Shape: *shape}
	return l, l.find(known, records, region)
}

// find sets the columns: those that the caller names, else by their names in
// the header, else the first one that holds addresses.
func (l *layout) find(known listcsv.Layout, records [][]string, region string) error {
	var err error
	set := func(what, given string, names map[string]bool) (int, error) {
		switch given {
		case "-":
			return -1, nil
		case "":
			return l.Find(names), nil
		}
		return l.Column(what, given)
	}
	if l.email, err = set("email column", known.Email, listcsv.EmailNames); err != nil {
		return err
	}
	if l.phone, err = set("phone column", known.Phone, listcsv.PhoneNames); err != nil {
		return err
	}
	if l.language, err = set("language column", known.Language, listcsv.LanguageNames); err != nil {
		return err
	}
	if l.email < 0 && l.phone < 0 {
		if known.Email != "-" {
			l.email = listcsv.Holding(records, recipient.Email, region)
		}
		if known.Phone != "-" {
			l.phone = listcsv.Holding(records, recipient.SMS, region)
		}
	}
	if l.email < 0 && l.phone < 0 {
		return fmt.Errorf("no column with e-mail addresses or phone numbers: name it")
	}
	for _, n := range l.Names {
		if isOurs(n) {
			return fmt.Errorf("the list has a column %s already", n)
		}
	}
	return nil
}
