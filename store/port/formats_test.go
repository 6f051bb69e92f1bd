package port_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestForeignLists(t *testing.T) {
	const at = "2026-11-20T10:00:00Z"
	when := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	unix := fmt.Sprint(when.Unix())
	hard, soft := recipient.State{BlockedAt: when}, recipient.State{SoftBouncedAt: when}
	out, complaint := recipient.State{OptedOutAt: when}, recipient.State{ComplainedAt: when}
	tests := []struct {
		file, in string
		format   string
		kind     port.Kind
		want     []recipient.State // of a@example.com, b@example.com, c@example.com
	}{
		{"suppressed.csv", "EmailAddress,Reason,LastUpdateTime\na@example.com,BOUNCE," + at + "\nb@example.com,COMPLAINT,2026-11-20T10:00:00+00:00\n", "ses", port.Suppressions, []recipient.State{hard, complaint}},
		{"list.txt", "a@example.com,BOUNCE," + at + "\nb@example.com,COMPLAINT," + at + "\n", "list", port.Suppressions, []recipient.State{hard, complaint}},
		{"dump.csv", "EmailAddress,SuppressionReason,Origin,CreatedAt\na@example.com,HardBounce,Recipient," + at + "\nb@example.com,SpamComplaint,Recipient,2026-11-20T05:00:00-05:00\nc@example.com,ManualSuppression,Recipient," + at + "\n",
			"postmark", port.Suppressions, []recipient.State{hard, complaint, out}},
		{"suppression_bounces.csv", "status,reason,email,created\n5.1.1,\"550 unknown, \"\"user\"\"\",a@example.com," + unix + "\n5.7.1,policy,b@example.com," + unix + "\n,550 no,c@example.com," + unix + "\n",
			"sendgrid_bounces", port.Suppressions, []recipient.State{hard, soft, hard}},
		{"suppression_blocks (1).csv", "status,reason,email,created\n5.1.1,550 refused,a@example.com," + unix + "\n", "sendgrid_bounces", port.Suppressions, []recipient.State{soft}},
		{"renamed.csv", "status,reason,email,created\n5.1.1,550 unknown,a@example.com," + unix + "\n5.7.1,blocked,b@example.com," + unix + "\n", "sendgrid_bounces", port.Suppressions, []recipient.State{hard, soft}},
		{"i.csv", "reason,email,created\nMail domain mentioned in email address is unknown,a@example.com," + unix + "\n", "sendgrid_invalid_emails", port.Suppressions, []recipient.State{hard}},
		{"s.csv", "ip,email,created\n192.0.2.1,a@example.com," + unix + "\n", "sendgrid_spam_reports", port.Suppressions, []recipient.State{complaint}},
		{"u.csv", "email,created\na@example.com," + unix + "\n", "sendgrid_unsubscribes", port.Suppressions, []recipient.State{out}},
		{"b.csv", "address,code,error,created_at\na@example.com,550,No such mailbox,\"Fri, 20 Nov 2026 10:00:00 UTC\"\n", "mailgun_bounces", port.Suppressions, []recipient.State{hard}},
		{"u.csv", "address,tags,created_at\na@example.com,*,\"Fri, 20 Nov 2026 10:00:00 UTC\"\n", "mailgun_unsubscribes", port.Suppressions, []recipient.State{out}},
		{"c.csv", "address,created_at\na@example.com,\"Fri, 20 Nov 2026 10:00:00 GMT\"\n", "mailgun_complaints", port.Suppressions, []recipient.State{complaint}},
		{"subscribers.csv", "uuid,email,name,attributes,status,created_at,updated_at\nu1,a@example.com,Anna,\"{\"\"city\"\": \"\"x\"\"}\",enabled," + at + "," + at + "\nu2,b@example.com,Bob,{},blocklisted,2020-01-01T00:00:00Z," + at + "\n",
			"listmonk_subscribers", port.Contacts, []recipient.State{{}, out}},
		{"bounces.csv", "id,type,source,email,created_at\n1,hard,api,a@example.com," + at + "\n2,soft,api,b@example.com," + at + "\n3,complaint,api,c@example.com," + at + "\n", "listmonk_bounces", port.Suppressions, []recipient.State{hard, soft, complaint}},
		{"dnc.csv", "email,channel,reason,date_added,comments\na@example.com,email,2,2026-11-20 10:00:00,x\nb@example.com,email,1,2026-11-20 10:00:00,\nc@example.com,email,3,2026-11-20 10:00:00,\n", "mautic_do_not_contact", port.Suppressions, []recipient.State{hard, out, out}},
		{"own.tsv", "E-post\tStatus\tDatum\na@example.com\tHard bounce\t20.11.2026 10:00\nb@example.com\tunsubscribed\t20.11.2026 10:00\nc@example.com\tactive\t20.11.2026 10:00\n", "list", port.Suppressions, []recipient.State{hard, out, {}}},
	}
	db := storetest.Open(t, store.Config{URL: storetest.SQLite(t)})
	for n, tt := range tests {
		t.Run(tt.format+" "+tt.file, func(t *testing.T) {
			b := &bench{t: t, db: db, now: noon}
			domain := fmt.Sprintf("@list%d.example", n) // one database, nobody in it twice
			s, bad := b.list(strings.ReplaceAll(tt.in, "@example.com", domain), func(c *port.Config) { c.FileName = tt.file })
			if s.Format != tt.format || s.Kind != tt.kind || bad != "" || s.Undated != 0 || s.Title() == "" {
				t.Errorf("got %+v, rejects %q", s, bad)
			}
			for i, want := range tt.want {
				if d := cmp.Diff(want, b.state(string(rune('a'+i))+domain)); d != "" {
					t.Errorf("address %d (-want +got):\n%s", i+1, d)
				}
			}
			if list, _, err := db.History(t.Context(), storetest.Keyer().Key(address(t, "a"+domain)), 10, ""); err != nil || len(list) > 0 && (list[0].Source != recipient.FromImport || list[0].Actor != "anna" || list[0].Rule != "list_"+tt.format) {
				t.Errorf("history: got %+v, %v", list, err)
			}
		})
	}
}
