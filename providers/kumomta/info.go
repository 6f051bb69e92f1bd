package kumomta

import (
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/verp"
	"github.com/strikeout/strikeout/recipient"
)

// hook is the Lua that posts records and repeats them until they are stored.
const hook = `local log_hooks = require 'policy-extras.log_hooks'
log_hooks:new {
  name = 'strikeout',
  log_parameters = { meta = {}, headers = {} },
  constructor = function(domain, tenant, campaign)
    local connection = {}
    local client = kumo.http.build_client {}
    function connection:send(message)
      local response = client:post '{url}'
        :header('Content-Type', 'application/json')
        :header('Authorization', 'Bearer <auth_token>')
        :body(message:get_data())
        :send()
      if response:status_is_success() then
        return tostring(response:status_code())
      end
      kumo.reject(451, 'strikeout answered ' .. response:status_code())
    end
    return connection
  end,
}`

// Info describes KumoMTA.
var Info = providers.Info{
	Name:      name,
	Title:     "KumoMTA",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://docs.kumomta.com/userguide/operation/webhooks/",
	Signing:   providers.SignsOption,
	BodyLimit: 16 << 20, // a feedback report brings the mail; a hook may send batches
	Settings: append(token.Settings("the header that your Lua policy adds"),
		providers.Setting{Name: verp.Setting, Help: "Checks the return path of bounce mail that arrived later (OOB): without a proof made with this secret such a bounce counts as soft. The same as for the provider dsn, which tells how to make return paths.", List: true}),
	RejectFinal: true,
	RetryNote:   "The stock helper log_hooks:new_json drops a record at any answer but 2xx; the hook in the setup steps tries again, after 1 minute at first and up to 20 minutes later on.",
	Setup: []string{
		"Set auth_token to a long random text. (log_hooks:new_json cannot add a header: with it use a path_secret instead, and know that it drops records whenever Strikeout cannot store them.)",
		"Add this to the policy, init.lua, with the token in it, and restart kumod:\n" + hook,
		"To have late bounces and complaints read, switch log_oob and log_arf on for the domain of your return paths (get_listener_domain), and set verp_secret: anybody can mail a bounce there.",
		"The bounce classifier (kumo.configure_bounce_classifier) is not needed, but helps with replies that hold no code.",
	},
	Events: []string{"Bounce", "OOB", "TransientFailure", "Expiration", "Feedback", "Delivery (optional)"},
	Mapping: []providers.Mapping{
		{Report: "Bounce, OOB whose reply says that the address is faulty", Kind: recipient.HardBounce, Note: "by its codes and words; else by InvalidRecipient or BadDomain of the classifier, with a code of class 5. An OOB with verp_secret only with its proof"},
		{Report: "Bounce, OOB with any other reply, or none", Kind: recipient.SoftBounce},
		{Report: "Bounce, OOB labelled AutoReply, ChallengeResponse, Subscribe", Note: "unless the reply says that the address is faulty"},
		{Report: "Bounce, OOB labelled Unsubscribe", Kind: recipient.OptOut, Note: "only by rules of your own"},
		{Report: "TransientFailure, Expiration", Kind: recipient.SoftBounce},
		{Report: "Feedback of type abuse, fraud, virus, other or none", Kind: recipient.Complaint},
		{Report: "Feedback of type opt-out, opt-out-list", Kind: recipient.OptOut},
		{Report: "Delivery", Kind: recipient.Delivered},
		{Report: "AdminBounce, Reception, Rejection, Delayed, AdminRebind, DeferredInjectionRebind, XferIn, XferOut, Feedback of other types, and all others"},
	},
	Gaps: []string{
		"KumoMTA signs nothing: whoever knows the token can report anything.",
		"OOB and Feedback records are made from mail that anybody can send. Without verp_secret a forged bounce mail can block an address.",
		"A complaint whose report hides the recipient goes to quarantine unless KumoMTA's supplemental trace header or our own return path names the person.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: token.Simulated,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: entry("Bounce", 550, []int{5, 1, 1}, "User unknown", "InvalidRecipient")},
			{Name: "policy", Title: "Refused by a policy", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: entry("Bounce", 554, []int{5, 7, 1}, "Message rejected by policy", "PolicyRelated")},
			{Name: "soft", Title: "The mailbox is full, KumoMTA tries again", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: entry("TransientFailure", 452, []int{4, 2, 2}, "Mailbox full", "QuotaIssues")},
			{Name: "oob", Title: "A bounce mail that came later", Kinds: []recipient.Kind{recipient.HardBounce}, Build: entry("OOB", 550, []int{5, 1, 1}, "mailbox gone", "Uncategorized")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: complained("abuse")},
			{Name: "opt_out", Title: "A provider's unsubscribe button", Kinds: []recipient.Kind{recipient.OptOut}, Build: complained("opt-out")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: entry("Delivery", 250, []int{2, 0, 0}, "OK", "Uncategorized")},
		},
	},
}

func entry(kind string, code int, enhanced []int, content, label string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		m, err := common(s, kind)
		if err != nil {
			return nil, err
		}
		m["recipient"], m["bounce_classification"] = s.To, label
		m["response"] = sim.Object{"code": code, "enhanced_code": sim.Object{"class": enhanced[0], "subject": enhanced[1], "detail": enhanced[2]}, "content": content, "command": "RCPT TO:<" + s.To + ">"}
		return token.Sign(s.Settings, s.Post("application/json", sim.JSON(m))), nil
	}
}

func complained(kind string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		m, err := common(s, "Feedback")
		if err != nil {
			return nil, err
		}
		m["sender"], m["recipient"] = "fbl@isp.example", "fbl@bounces.example.net"
		m["feedback_report"] = sim.Object{"feedback_type": kind, "version": "1", "original_rcpto_to": []string{"<" + s.To + ">"}, "original_message": "From: <news@sender.example>\nTo: <" + s.To + ">\n\n"}
		return token.Sign(s.Settings, s.Post("application/json", sim.JSON(m))), nil
	}
}

// common makes what all records have, with a return path of ours when there is
// a secret to make one.
func common(s providers.Shot, kind string) (sim.Object, error) {
	sender := "bounce@bounces.example.net"
	if v := verp.New(s.Settings.All(verp.Setting)...); v.Active() {
		to, err := recipient.ParseEmail(s.To)
		if err != nil {
			return nil, err
		}
		if sender, err = v.Mint(sender, to); err != nil {
			return nil, err
		}
	}
	return sim.Object{"type": kind, "id": s.ID, "sender": sender, "timestamp": s.At.Unix(), "event_time": s.At.UTC().Format(time.RFC3339Nano),
		"num_attempts": 0, "feedback_report": nil, "nodeid": "0b0e0000-0000-4000-8000-0000000000de"}, nil
}
