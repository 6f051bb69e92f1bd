package sns

import (
	"crypto/x509"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
)

// DomainsSetting is for partitions of Amazon that are newer than this program.
var DomainsSetting = providers.Setting{
	Name: "sns_domains", List: true,
	Help: "Rarely needed: further domains of Amazon's partitions whose sns.<region> hosts are trusted, beside amazonaws.com and amazonaws.com.cn.",
}

// How SNS delivers to HTTPS, whatever publishes to the topic.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html (read 2026-11-20).
const (
	RetryFor  = time.Minute
	RetryNote = "By default only three more attempts, 20 seconds apart, after a 5xx, a 429 or no answer within 15 seconds, and none after another 4xx; a delivery policy allows up to an hour."
)

// Amazon returns the rules of Amazon's own service. The host must be SNS' own
// in the region of the topic: anybody can own a bucket below amazonaws.com.
func Amazon(provider string, s providers.Settings) (Rules, error) {
	domains := []string{"amazonaws.com", "amazonaws.com.cn"}
	for _, d := range s.All(DomainsSetting.Name) {
		if d = strings.ToLower(d); !strings.Contains(d, ".") || strings.Trim(d, letters+".-") != "" || d[0] == '.' {
			return Rules{}, providers.SettingError(DomainsSetting.Name, "expected a domain such as amazonaws.com")
		}
		domains = append(domains, d)
	}
	ours := func(u *url.URL, region string) bool {
		if u.Port() != "" || u.RawPath != "" || !isRegion(region) {
			return false
		}
		for _, d := range domains {
			if u.Host == "sns."+region+"."+d {
				return true
			}
		}
		return false
	}
	return Rules{
		Provider: provider,
		CertURL: func(u *url.URL, region string) bool {
			id, prefix := strings.CutPrefix(u.Path, "/SimpleNotificationService-")
			id, suffix := strings.CutSuffix(id, ".pem")
			return ours(u, region) && prefix && suffix && within(id, letters+"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1, 64) && u.RawQuery == "" && !u.ForceQuery
		},
		SubscribeURL: func(u *url.URL, region string) bool {
			q := u.Query()
			return ours(u, region) && u.Path == "/" && len(q) == 3 && len(q["Action"]) == 1 && len(q["TopicArn"]) == 1 && len(q["Token"]) == 1 &&
				within(q.Get("Token"), "0123456789abcdef", 64, 1024)
		},
		Leaf:      func(c *x509.Certificate) bool { return isSigner(c.Subject.CommonName, domains) },
		Confirmed: "SubscriptionArn",
	}, nil
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

func isRegion(s string) bool { return within(s, letters+"-", 3, 30) }

// within reports whether s has only characters of the alphabet, and min to max of them.
func within(s, alphabet string, min, max int) bool {
	return len(s) >= min && len(s) <= max && strings.Trim(s, alphabet) == ""
}

// isSigner knows the names in Amazon's signing certificates: sns.amazonaws.com,
// or that of one region.
func isSigner(name string, domains []string) bool {
	for _, d := range domains {
		rest, ok := strings.CutSuffix(name, "."+d)
		if !ok {
			continue
		}
		region, regional := strings.CutPrefix(rest, "sns.")
		if rest == "sns" || regional && isRegion(region) {
			return true
		}
	}
	return false
}
