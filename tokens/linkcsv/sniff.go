package linkcsv

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/strikeout/strikeout/recipient"
)

// Layout says where things stand in a file. In a Config it holds what the
// caller knows; the rest is detected.
type Layout struct {
	Encoding  string // one of the constants; empty: detect
	Delimiter byte   // comma, semicolon, tab or bar; 0: detect
	// Header: HeaderYes, HeaderNo, or empty to detect.
	Header Header
	// Columns by name or number (from 1); empty: detect. At least one of the first
	// two is found, or the file is refused. "-" means that there is none.
	Email, Phone, Language string
}

// Header says whether the first record holds the names of the columns.
type Header string

// The headers of a Layout.
const (
	HeaderYes Header = "yes"
	HeaderNo  Header = "no"
)

// layout is a Layout that fits a file.
type layout struct {
	delim                  byte
	crlf                   bool
	preamble               int // bytes of Excel's line "sep=;" before everything else
	header                 bool
	names                  []string // of the columns, where there is a header
	columns                int
	email, phone, language int // -1: none
}

var delimiters = []byte{',', ';', '\t', '|'}

// sniff completes what the caller knows with what the beginning of the file
// shows.
func sniff(sample []byte, whole bool, known Layout, region string) (*layout, error) {
	l := &layout{delim: known.Delimiter}
	if i := bytes.IndexByte(sample, '\n'); i >= 0 {
		l.crlf = i > 0 && sample[i-1] == '\r'
		if line := chomp(sample[:i+1]); len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) {
			l.preamble = i + 1
			if l.delim == 0 {
				l.delim = line[4]
			}
		}
	}
	sample = sample[l.preamble:]
	if l.delim == 0 {
		l.delim = guessDelimiter(sample, whole)
	}
	if bytes.IndexByte(delimiters, l.delim) < 0 {
		return nil, fmt.Errorf("delimiter: expected a comma, a semicolon, a tab or a bar")
	}
	records := split(sample, whole, l.delim, 100)
	if len(records) == 0 {
		return nil, fmt.Errorf("the list is empty")
	}
	first := records[0]
	l.columns = len(first)
	l.header = known.Header == HeaderYes || known.Header != HeaderNo && !anyAddress(first, region)
	if l.header {
		l.names, records = first, records[1:]
	}
	return l, l.find(known, records, region)
}

// guessDelimiter takes the one that splits most records into as many fields as
// the first, and among equals into the most.
func guessDelimiter(sample []byte, whole bool) byte {
	best, bestShare, bestFields := delimiters[0], 0.0, 1
	for _, d := range delimiters {
		records := split(sample, whole, d, 100)
		if len(records) == 0 || len(records[0]) < 2 {
			continue
		}
		same := 0
		for _, r := range records {
			if len(r) == len(records[0]) {
				same++
			}
		}
		share := float64(same) / float64(len(records))
		if share > bestShare || share == bestShare && len(records[0]) > bestFields {
			best, bestShare, bestFields = d, share, len(records[0])
		}
	}
	return best
}

// split returns the values of the first records.
func split(sample []byte, whole bool, delim byte, most int) [][]string {
	if end, _ := lastRecord(sample, delim, whole); !whole {
		sample = sample[:end]
	}
	var r record
	var out [][]string
	for len(sample) > 0 && len(out) < most {
		n, err := r.read(sample, delim, 1<<16)
		sample = sample[n:]
		if err != nil || len(r.raw) == 0 {
			continue
		}
		values := make([]string, len(r.fields))
		for i, f := range r.fields {
			values[i] = strings.TrimSpace(string(value(f)))
		}
		out = append(out, values)
	}
	return out
}

func isAddress(s, region string) (recipient.Channel, bool) {
	if strings.Contains(s, "@") {
		_, err := recipient.ParseEmail(s)
		return recipient.Email, err == nil
	}
	// A bare number may be anything: an id, a post code.
	if !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "00") && (region == "" || !strings.HasPrefix(s, "0")) {
		return "", false
	}
	_, err := recipient.ParsePhone(s, region)
	return recipient.SMS, err == nil
}

func anyAddress(fields []string, region string) bool {
	for _, f := range fields {
		if _, ok := isAddress(f, region); ok {
			return true
		}
	}
	return false
}

// find sets the columns: those that the caller names, else by their names in
// the header, else the first one that holds addresses.
func (l *layout) find(known Layout, records [][]string, region string) error {
	var err error
	byName := func(names map[string]bool) int {
		for i, n := range l.names {
			if names[plain(n)] {
				return i
			}
		}
		return -1
	}
	set := func(what, given string, names map[string]bool) (int, error) {
		switch given {
		case "-":
			return -1, nil
		case "":
			return byName(names), nil
		}
		return l.column(what, given)
	}
	if l.email, err = set("email column", known.Email, emailNames); err != nil {
		return err
	}
	if l.phone, err = set("phone column", known.Phone, phoneNames); err != nil {
		return err
	}
	if l.language, err = set("language column", known.Language, languageNames); err != nil {
		return err
	}
	if l.email < 0 && l.phone < 0 {
		if known.Email != "-" {
			l.email = holding(records, recipient.Email, region)
		}
		if known.Phone != "-" {
			l.phone = holding(records, recipient.SMS, region)
		}
	}
	if l.email < 0 && l.phone < 0 {
		return fmt.Errorf("no column with e-mail addresses or phone numbers: name it")
	}
	for _, n := range l.names {
		if isOurs(n) {
			return fmt.Errorf("the list has a column %s already", n)
		}
	}
	return nil
}

func (l *layout) column(what, given string) (int, error) {
	for i, n := range l.names {
		if n == given {
			return i, nil
		}
	}
	for i, n := range l.names {
		if plain(n) == plain(given) {
			return i, nil
		}
	}
	if n, err := strconv.Atoi(given); err == nil {
		if n >= 1 && n <= l.columns {
			return n - 1, nil
		}
		return -1, fmt.Errorf("%s: the list has %d columns", what, l.columns)
	}
	if !l.header {
		return -1, fmt.Errorf("%s: the list has no header, so give the column's number", what)
	}
	return -1, fmt.Errorf("%s: the list has no column of this name", what)
}

// holding returns the first column in which most values that are not empty are
// addresses of the channel; -1 when there is none.
func holding(records [][]string, c recipient.Channel, region string) int {
	if len(records) == 0 {
		return -1
	}
	for i := range records[0] {
		values, good := 0, 0
		for _, r := range records {
			if i >= len(r) || r[i] == "" {
				continue
			}
			values++
			if got, ok := isAddress(r[i], region); ok && got == c {
				good++
			}
		}
		if good > 0 && 2*good > values {
			return i
		}
	}
	return -1
}

// plain takes away what people write differently in the same name: case,
// accents, blanks and punctuation.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(name))
}

func names(list string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(list) {
		m[plain(n)] = true
	}
	return m
}

// What columns are called in lists of the languages that the pages speak, and
// by well-known sending tools.
var (
	emailNames = names(`email e-mail mail emailaddress e-mail-address email_address emailaddr mailaddress subscriberemail contactemail
		useremail customeremail primaryemail workemail emailaddress1 email1 recipient recipientemail toemail emailid address_email
		sähköposti sähköpostiosoite sposti e-post epost e-postadress epostadress mejl mejladress e-postadresse epostadresse mailadresse
		emailadresse netfang tölvupóstur epostiaadress meil meiliaadress epasts e-pasts epastaadrese elpaštas el.paštas elpastas elektroninispaštas
		e-mail-adresse emailadres e-mailadres mailadres courriel adressemail adressee-mail adresseemail adresseélectronique mél
		correo correoelectrónico correoelectronico direccióndecorreo emaildireccion posta postaelettronica indirizzoemail indirizzodiposta
		adresemail adrese-mail adresmailowy poczta emailadresse endereçodeemail enderecoemail correioeletrónico correioeletrônico
		البريد البريدالإلكتروني почта электроннаяпочта`)
	phoneNames = names(`phone phonenumber phone_no phoneno tel telephone telephonenumber telno mobile mobilephone mobilenumber mobileno cell cellphone
		cellnumber sms smsnumber msisdn gsm number_mobile contactnumber contactphone smsphone phone1
		puhelin puhelinnumero puh matkapuhelin matkapuhelinnumero gsm-numero kännykkä telefon telefonnummer mobil mobilnummer mobiltelefon
		mobiltelefonnummer mobilnr telefonnr tlf tlfnr sími símanúmer farsími farsímanúmer telefoninumber mobiilinumber mobiiltelefon tālrunis talrunis tālrunanumurs
		mobilaistālrunis telefonas telefononumeris mobilusis mobilustelefonas handy handynummer rufnummer mobilfunknummer telefoonnummer telefoon
		mobiel mobielnummer gsmnummer téléphone numérodetéléphone portable téléphoneportable numéroportable teléfono móvil teléfonomóvil celular
		númerodeteléfono telefono cellulare numeroditelefono numerotelefono telefonocellulare komórka numertelefonu nrtelefonu telefonkomórkowy
		telefone telemóvel númerodetelefone numerotelefone الهاتف رقمالهاتف الجوال رقمالجوال телефон`)
	languageNames = names(`language languagecode languagetag lang locale preferredlanguage userlanguage culture
		kieli kielikoodi asiointikieli språk språkkod sprog sprak tungumál keel valoda kalba sprache sprachcode taal langue idioma lingua język jezyk
		língua اللغة язык`)
)
