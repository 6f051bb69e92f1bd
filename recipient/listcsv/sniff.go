package listcsv

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/strikeout/strikeout/recipient"
)

// Layout is what the caller knows of a file; the rest is detected.
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

// Shape is what a file looks like: a Layout that fits it, apart from the columns
// that the caller's business is.
type Shape struct {
	Delim    byte
	CRLF     bool
	Preamble int // bytes of Excel's line "sep=;" before everything else
	Header   bool
	Names    []string // of the columns, where there is a header
	Columns  int
}

var delimiters = []byte{',', ';', '\t', '|'}

// Sniff completes what the caller knows with what the beginning of the file
// shows. It also returns the values of the first records, without the header.
// The columns of the Layout are for the caller to find.
func Sniff(sample []byte, whole bool, known Layout, region string) (*Shape, [][]string, error) {
	l := &Shape{Delim: known.Delimiter}
	if i := bytes.IndexByte(sample, '\n'); i >= 0 {
		l.CRLF = i > 0 && sample[i-1] == '\r'
		if line := chomp(sample[:i+1]); len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) {
			l.Preamble = i + 1
			if l.Delim == 0 {
				l.Delim = line[4]
			}
		}
	}
	sample = sample[l.Preamble:]
	if l.Delim == 0 {
		l.Delim = guessDelimiter(sample, whole)
	}
	if bytes.IndexByte(delimiters, l.Delim) < 0 {
		return nil, nil, fmt.Errorf("delimiter: expected a comma, a semicolon, a tab or a bar")
	}
	records := split(sample, whole, l.Delim, 100)
	if len(records) == 0 {
		return nil, nil, fmt.Errorf("the list is empty")
	}
	first := records[0]
	l.Columns = len(first)
	l.Header = known.Header == HeaderYes || known.Header != HeaderNo && !anyAddress(first, region)
	if l.Header {
		l.Names, records = first, records[1:]
	}
	return l, records, nil
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
	var r Record
	var out [][]string
	for len(sample) > 0 && len(out) < most {
		n, err := r.Read(sample, delim, 1<<16)
		sample = sample[n:]
		if err != nil || len(r.Raw) == 0 {
			continue
		}
		values := make([]string, len(r.Fields))
		for i, f := range r.Fields {
			values[i] = strings.TrimSpace(string(Value(f)))
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

// Find returns the first column that has one of some names; -1: none has.
func (l *Shape) Find(names map[string]bool) int {
	for i, n := range l.Names {
		if names[Plain(n)] {
			return i
		}
	}
	return -1
}

// Column returns the column that somebody gives by name or by number, from 1.
// What is what the error calls it.
func (l *Shape) Column(what, given string) (int, error) {
	for i, n := range l.Names {
		if n == given {
			return i, nil
		}
	}
	for i, n := range l.Names {
		if Plain(n) == Plain(given) {
			return i, nil
		}
	}
	if n, err := strconv.Atoi(given); err == nil {
		if n >= 1 && n <= l.Columns {
			return n - 1, nil
		}
		return -1, fmt.Errorf("%s: the list has %d columns", what, l.Columns)
	}
	if !l.Header {
		return -1, fmt.Errorf("%s: the list has no header, so give the column's number", what)
	}
	return -1, fmt.Errorf("%s: the list has no column of this name", what)
}

// Name is the name of a column, or its number.
func (l *Shape) Name(i int) string {
	if i < len(l.Names) && l.Names[i] != "" {
		return l.Names[i]
	}
	return strconv.Itoa(i + 1)
}

// LanguageTag reads a language as people write it in lists: fi, fi_FI,
// fi_FI.UTF-8, EN-gb. What is no language is empty.
func LanguageTag(s string) string {
	tag := strings.ReplaceAll(strings.TrimSpace(s), "_", "-")
	if i := strings.IndexByte(tag, '.'); i >= 0 {
		tag = tag[:i]
	}
	if len(tag) > 35 {
		return "" // RFC 5646, section 4.4.1
	}
	for i, part := range strings.Split(tag, "-") {
		letters := strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
		switch {
		case i == 0 && (len(part) < 2 || len(part) > 3 || !letters):
			return ""
		case part == "" || len(part) > 8 || !letters && strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
			return ""
		}
	}
	return tag
}

// Tail is the line end of the list.
func (l *Shape) Tail() string {
	if l.CRLF {
		return "\r\n"
	}
	return "\n"
}

// AppendRejectsHead writes the header of a file of rejected records.
func (l *Shape) AppendRejectsHead(b []byte) []byte {
	b = append(append(b, "line"...), l.Delim)
	b = append(b, "reason"...)
	for _, n := range l.Names {
		b = AppendField(append(b, l.Delim), []byte(n), l.Delim)
	}
	return append(b, l.Tail()...)
}

// AppendReject writes a rejected record, with its line and the reason.
func (l *Shape) AppendReject(b []byte, line int, why string, raw []byte) []byte {
	b = strconv.AppendInt(b, int64(line), 10)
	b = AppendField(append(b, l.Delim), []byte(why), l.Delim)
	b = append(append(b, l.Delim), bytes.ToValidUTF8(raw, []byte("\uFFFD"))...)
	return append(b, l.Tail()...)
}

// Holding returns the first column in which most values that are not empty are
// addresses of the channel; -1 when there is none.
func Holding(records [][]string, c recipient.Channel, region string) int {
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

// Plain takes away what people write differently in the same name: case,
// accents, blanks and punctuation.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(name))
}

// Names makes the set that Find takes of names that are separated by blanks.
func Names(list string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(list) {
		m[Plain(n)] = true
	}
	return m
}

// What columns are called in lists of the languages that the pages speak, and
// by well-known sending tools.
var (
	EmailNames = Names(`email e-mail mail emailaddress e-mail-address email_address emailaddr mailaddress subscriberemail contactemail
		useremail customeremail primaryemail workemail emailaddress1 email1 recipient recipientemail toemail emailid address_email
		sähköposti sähköpostiosoite sposti e-post epost e-postadress epostadress mejl mejladress e-postadresse epostadresse mailadresse
		emailadresse netfang tölvupóstur epostiaadress meil meiliaadress epasts e-pasts epastaadrese elpaštas el.paštas elpastas elektroninispaštas
		e-mail-adresse emailadres e-mailadres mailadres courriel adressemail adressee-mail adresseemail adresseélectronique mél
		correo correoelectrónico correoelectronico direccióndecorreo emaildireccion posta postaelettronica indirizzoemail indirizzodiposta
		adresemail adrese-mail adresmailowy poczta emailadresse endereçodeemail enderecoemail correioeletrónico correioeletrônico
		البريد البريدالإلكتروني почта электроннаяпочта`)
	PhoneNames = Names(`phone phonenumber phone_no phoneno tel telephone telephonenumber telno mobile mobilephone mobilenumber mobileno cell cellphone
		cellnumber sms smsnumber msisdn gsm number_mobile contactnumber contactphone smsphone phone1
		puhelin puhelinnumero puh matkapuhelin matkapuhelinnumero gsm-numero kännykkä telefon telefonnummer mobil mobilnummer mobiltelefon
		mobiltelefonnummer mobilnr telefonnr tlf tlfnr sími símanúmer farsími farsímanúmer telefoninumber mobiilinumber mobiiltelefon tālrunis talrunis tālrunanumurs
		mobilaistālrunis telefonas telefononumeris mobilusis mobilustelefonas handy handynummer rufnummer mobilfunknummer telefoonnummer telefoon
		mobiel mobielnummer gsmnummer téléphone numérodetéléphone portable téléphoneportable numéroportable teléfono móvil teléfonomóvil celular
		númerodeteléfono telefono cellulare numeroditelefono numerotelefono telefonocellulare komórka numertelefonu nrtelefonu telefonkomórkowy
		telefone telemóvel númerodetelefone numerotelefone الهاتف رقمالهاتف الجوال رقمالجوال телефон`)
	LanguageNames = Names(`language languagecode languagetag lang locale preferredlanguage userlanguage culture
		kieli kielikoodi asiointikieli språk språkkod sprog sprak tungumál keel valoda kalba sprache sprachcode taal langue idioma lingua język jezyk
		língua اللغة язык`)
)
