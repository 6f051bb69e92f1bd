package port

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
)

// role is what a column is for.
type role int

const (
	roleID role = iota
	roleName
	roleFirst
	roleLast
	roleLanguage
	roleEmail
	rolePhone
	roleAddress // of the channel in roleChannel
	roleChannel
	roleKey // of an address that may not be read
	roleKind
	roleDate
	roleCode
	roleDetail
	roleConsentSource
	roleConsentWording
	roleConsentAt
	roleConsentEvidence
	roleConsentChannel
	roles
)

// roleTitles are the words of Summary.Columns and of errors.
var roleTitles = [roles]string{"id", "name", "first name", "last name", "language", "email", "phone", "address", "channel", "key", "kind", "date", "code", "reason",
	"consent source", "consent wording", "consent date", "consent evidence", "consent channel"}

// roleNames are what columns are called in lists. Those of kinds and dates are
// tried one after the other, the others as they come.
var (
	roleNames = map[role]map[string]bool{
		roleID: listcsv.Names(`external_id externalid id uuid customer_id customerid customer_number contact_id contactid user_id userid subscriber_id member_id crm_id person_id
			asiakasnumero asiakas_id tunniste kundnummer kund_id kundennummer kunden_id kundenummer klantnummer kliendinumber klienta_numurs numéro_client numero_cliente nr_klienta`),
		roleName: listcsv.Names(`name full_name fullname display_name contact_name customer_name person
			nimi koko_nimi namn fullständigt_namn navn nafn vards vardas nom nombre nome imię_i_nazwisko naam الاسم`),
		roleFirst:           listcsv.Names(`first_name firstname given_name etunimi förnamn fornavn eesnimi vārds vorname prénom voornaam nombre_de_pila imię primeiro_nome`),
		roleLast:            listcsv.Names(`last_name lastname surname family_name sukunimi efternamn etternavn perekonnanimi uzvārds pavardė nachname nom_de_famille achternaam apellido apellidos cognome nazwisko sobrenome apelido`),
		roleLanguage:        listcsv.LanguageNames,
		roleEmail:           listcsv.EmailNames,
		rolePhone:           listcsv.PhoneNames,
		roleChannel:         listcsv.Names("channel kanava kanal"),
		roleCode:            listcsv.Names("code status_code bounce_code error_code diagnostic_code enhanced_status"),
		roleDetail:          listcsv.Names("detail details description error message comment comments notes diagnostic bounce_message"),
		roleConsentSource:   listcsv.Names("consent_source optin_source opt_in_source"),
		roleConsentWording:  listcsv.Names("consent_wording consent_text optin_wording opt_in_wording"),
		roleConsentAt:       listcsv.Names("consent_at consent_date consent_time optin_at opt_in_at opted_in_at optin_date opt_in_date"),
		roleConsentEvidence: listcsv.Names("consent_evidence consent_reference"),
		roleConsentChannel:  listcsv.Names("consent_channel"),
	}
	kindNames = []string{"kind", "suppressiontype", "suppressionreason", "type", "bouncetype", "reason", "status", "event", "category", "state",
		"syy", "tila", "tyyppi", "orsak", "grund", "typ", "årsag", "grunn", "põhjus", "motif", "raison", "motivo", "razón", "reden", "powód"}
	dateNames = []string{"at", "suppressedat", "unsubscribedat", "optedoutat", "optoutat", "bouncedat", "complainedat", "occurredat", "eventdate", "date", "created", "createdat", "dateadded",
		"timestamp", "time", "lastupdatetime", "updatedat", "pvm", "päivämäärä", "datum", "dato"}
)

var (
	errWord     = errors.New("the word for what happened is not known: use hard_bounce, block, complaint, opt_out or soft_bounce")
	errNobody   = errors.New("no address")
	errChannel  = errors.New("channel: use email or sms")
	errKeyOnly  = errors.New("no address, and its key is of another installation")
	errBadID    = errors.New("the id must be 1 to 191 bytes of plain text")
	errNoColumn = errors.New("no column with e-mail addresses or phone numbers: name it")
)

// columns finds the columns of a list, and what it is.
func (p *importer) columns(records [][]string) error {
	for r := range p.cols {
		p.cols[r] = -1
	}
	if p.shape.Header {
		p.format = recognise(p.shape.Names)
		for r, names := range roleNames {
			p.cols[r] = p.shape.Find(names)
		}
	}
	if p.format == nil {
		p.format = &format{name: "list"}
	}
	p.guarded = strings.HasPrefix(p.format.name, "strikeout_")
	if p.format.name == "strikeout_suppressions" {
		p.cols[roleAddress], p.cols[roleKey], p.cols[roleEmail] = p.own("address"), p.own("recipient_key"), -1
		p.keysFit(records)
	}
	for r, name := range p.format.cols {
		p.cols[r] = p.own(name)
	}
	if err := p.given(); err != nil {
		return err
	}
	if p.cols[roleEmail] < 0 && p.cols[rolePhone] < 0 && p.cols[roleAddress] < 0 {
		p.cols[roleEmail] = listcsv.Holding(records, recipient.Email, p.cfg.Region)
		p.cols[rolePhone] = listcsv.Holding(records, recipient.SMS, p.cfg.Region)
		p.mixed(records)
	}
	if p.cols[roleEmail] < 0 && p.cols[rolePhone] < 0 && p.cols[roleAddress] < 0 {
		return errNoColumn
	}
	if p.format.name == "list" {
		p.guess(records)
	}
	return p.decide()
}

// mixed finds a column that holds addresses of both channels.
func (p *importer) mixed(records [][]string) {
	email, phone := &p.cols[roleEmail], &p.cols[rolePhone]
	i, channel := *email, recipient.SMS
	if *email < 0 {
		i, channel = *phone, recipient.Email
	}
	if i < 0 || *email >= 0 && *phone >= 0 {
		return
	}
	for _, r := range records {
		if i >= len(r) || strings.Contains(r[i], "@") != (channel == recipient.Email) {
			continue
		}
		if _, err := recipient.Parse(channel, r[i], p.cfg.Region); err == nil {
			*email, *phone = i, i
			return
		}
	}
}

// own returns the column of a name.
func (p *importer) own(name string) int {
	return p.shape.Find(map[string]bool{listcsv.Plain(name): true})
}

// given sets the columns that the caller names.
func (p *importer) given() error {
	c := p.cfg.Columns
	for r, name := range map[role]string{roleID: c.ID, roleName: c.Name, roleLanguage: c.Language, roleEmail: c.Email, rolePhone: c.Phone, roleKind: c.Kind, roleDate: c.Date} {
		switch name {
		case "":
		case "-":
			p.cols[r] = -1
		default:
			i, err := p.shape.Column(roleTitles[r]+" column", name)
			if err != nil {
				return err //nolint:wrapcheck // it says all
			}
			p.cols[r] = i
		}
	}
	return nil
}

// guess finds in somebody's own list the columns that say what happened and
// when. Names such as "reason" and "status" mean that only where the words in
// them do; without a header the words alone tell.
func (p *importer) guess(records [][]string) {
	if p.cols[roleKind] < 0 && p.cfg.Columns.Kind != "-" {
		for _, n := range kindNames {
			i := p.own(n)
			if i >= 0 && (n == "kind" || allWords(records, i)) {
				p.cols[roleKind] = i
				break
			}
		}
		for i := range p.shape.Columns {
			if !p.shape.Header && p.cols[roleKind] < 0 && i != p.cols[roleEmail] && i != p.cols[rolePhone] && allWords(records, i) {
				p.cols[roleKind] = i
			}
		}
	}
	if p.cols[roleDate] < 0 && p.cfg.Columns.Date != "-" {
		for _, n := range dateNames {
			if i := p.own(n); i >= 0 && i != p.cols[roleKind] {
				p.cols[roleDate] = i
				break
			}
		}
		for i := range p.shape.Columns {
			if !p.shape.Header && p.cols[roleDate] < 0 && !slices.Contains(p.cols[:], i) && allDates(records, i) {
				p.cols[roleDate] = i
			}
		}
	}
	if i := p.own("reason"); p.cols[roleDetail] < 0 && i >= 0 && i != p.cols[roleKind] {
		p.cols[roleDetail] = i
	}
}

func allWords(records [][]string, i int) bool {
	return all(records, i, func(v string) bool { _, ok := word(v); return ok })
}

func allDates(records [][]string, i int) bool {
	return all(records, i, func(v string) bool { _, err := ParseTime(v); return err == nil })
}

// all reports whether a column has values and all of them fit.
func all(records [][]string, i int, fits func(string) bool) bool {
	some := false
	for _, r := range records {
		if i < len(r) && r[i] != "" {
			if some = true; !fits(r[i]) {
				return false
			}
		}
	}
	return some
}

// decide settles what the list holds.
func (p *importer) decide() error {
	switch {
	case p.cfg.Kind.Valid():
		p.kind = p.cfg.Kind
	case p.cfg.Kind != "":
		return fmt.Errorf("kind: expected %s or %s", Contacts, Suppressions)
	case p.format.kind != "":
		p.kind = p.format.kind
	case p.cols[roleID] >= 0, p.cols[roleConsentWording] >= 0:
		p.kind = Contacts
	case p.cols[roleKind] >= 0:
		p.kind = Suppressions
	default:
		return ErrNoKind
	}
	p.sum.Kind, p.sum.Format = p.kind, p.format.name
	for r := range roles {
		if i := p.cols[r]; i >= 0 && p.uses(r) {
			p.sum.Columns = append(p.sum.Columns, roleTitles[r]+": "+p.shape.Name(i))
		}
	}
	return nil
}

// uses reports whether lists of this kind look at a column.
func (p *importer) uses(r role) bool {
	switch r {
	case roleID, roleName, roleFirst, roleLast, roleLanguage, roleConsentSource, roleConsentWording, roleConsentAt, roleConsentEvidence, roleConsentChannel:
		return p.kind == Contacts
	}
	return p.kind == Suppressions || r == roleEmail || r == rolePhone || p.cols[roleKind] >= 0 || p.format.facts != nil
}

// keysFit finds out whether the keys in an export are those of this
// installation: then rows of which the address may not be read any more count.
func (p *importer) keysFit(records [][]string) {
	channel := p.own("channel")
	for _, r := range records {
		if len(r) != p.shape.Columns || r[p.cols[roleAddress]] == "" || r[p.cols[roleKey]] == "" {
			continue
		}
		a, err := recipient.Parse(recipient.Channel(r[channel]), unguard(r[p.cols[roleAddress]]), "")
		if err != nil {
			continue
		}
		if p.keys = p.cfg.Keyer.Key(a).Hex() == r[p.cols[roleKey]]; !p.keys {
			return
		}
	}
}
