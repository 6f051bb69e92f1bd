// Package all lists every provider Strikeout reads.
package all

import (
	"sort"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/africastalking"
	"github.com/strikeout/strikeout/providers/ahasend"
	"github.com/strikeout/strikeout/providers/awssms"
	"github.com/strikeout/strikeout/providers/azureemail"
	"github.com/strikeout/strikeout/providers/azuresms"
	"github.com/strikeout/strikeout/providers/bandwidth"
	"github.com/strikeout/strikeout/providers/brevo"
	"github.com/strikeout/strikeout/providers/bulksms"
	"github.com/strikeout/strikeout/providers/clickatell"
	"github.com/strikeout/strikeout/providers/clicksend"
	"github.com/strikeout/strikeout/providers/cm"
	"github.com/strikeout/strikeout/providers/dsn"
	"github.com/strikeout/strikeout/providers/elasticemail"
	"github.com/strikeout/strikeout/providers/elks46"
	"github.com/strikeout/strikeout/providers/gatewayapi"
	"github.com/strikeout/strikeout/providers/infobip"
	"github.com/strikeout/strikeout/providers/kumomta"
	"github.com/strikeout/strikeout/providers/linkmobility"
	"github.com/strikeout/strikeout/providers/lox24"
	"github.com/strikeout/strikeout/providers/mailersend"
	"github.com/strikeout/strikeout/providers/mailgun"
	"github.com/strikeout/strikeout/providers/mailjet"
	"github.com/strikeout/strikeout/providers/mailomat"
	"github.com/strikeout/strikeout/providers/mailtrap"
	"github.com/strikeout/strikeout/providers/mandrill"
	"github.com/strikeout/strikeout/providers/messagebird"
	"github.com/strikeout/strikeout/providers/plivo"
	"github.com/strikeout/strikeout/providers/postal"
	"github.com/strikeout/strikeout/providers/postmark"
	"github.com/strikeout/strikeout/providers/resend"
	"github.com/strikeout/strikeout/providers/scaleway"
	"github.com/strikeout/strikeout/providers/sendgrid"
	"github.com/strikeout/strikeout/providers/ses"
	"github.com/strikeout/strikeout/providers/sinch"
	"github.com/strikeout/strikeout/providers/smsbox"
	"github.com/strikeout/strikeout/providers/smtp2go"
	"github.com/strikeout/strikeout/providers/socketlabs"
	"github.com/strikeout/strikeout/providers/sparkpost"
	"github.com/strikeout/strikeout/providers/sweego"
	"github.com/strikeout/strikeout/providers/telnyx"
	"github.com/strikeout/strikeout/providers/twilio"
	"github.com/strikeout/strikeout/providers/unisendergo"
	"github.com/strikeout/strikeout/providers/vonage"
	"github.com/strikeout/strikeout/providers/zeptomail"
)

// list is literal: nothing registers itself.
var list = []providers.Info{
	// one line a provider, in alphabetical order
	africastalking.Info,
	ahasend.Info,
	awssms.Info,
	azureemail.Info,
	azuresms.Info,
	bandwidth.Info,
	brevo.Info,
	bulksms.Info,
	clickatell.Info,
	clicksend.Info,
	cm.Info,
	dsn.Info,
	elasticemail.Info,
	elks46.Info,
	gatewayapi.Info,
	infobip.Info,
	kumomta.Info,
	linkmobility.Info,
	lox24.Info,
	mailersend.Info,
	mailgun.Info,
	mailjet.Info,
	mailomat.Info,
	mailtrap.Info,
	mandrill.Info,
	messagebird.Info,
	plivo.Info,
	postal.Info,
	postmark.Info,
	resend.Info,
	scaleway.Info,
	sendgrid.Info,
	ses.Info,
	sinch.Info,
	smsbox.Info,
	smtp2go.Info,
	socketlabs.Info,
	sparkpost.Info,
	sweego.Info,
	telnyx.Info,
	twilio.Info,
	unisendergo.Info,
	vonage.Info,
	zeptomail.Info,
}

// Infos returns the catalogue, sorted by name.
func Infos() []providers.Info {
	out := append([]providers.Info(nil), list...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Lookup returns the provider of that name.
func Lookup(name string) (providers.Info, bool) {
	for _, i := range list {
		if i.Name == name {
			return i, true
		}
	}
	return providers.Info{}, false
}
