package handlers

import (
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
)

// visitor is what a request to a link tells of whoever sent it.
type visitor struct {
	ip, userAgent string // empty unless the configuration keeps them
	scanner       bool   // it looks like a program that presses buttons
}

const maxUserAgentBytes = 256

func (s *Server) visitor(c *fiber.Ctx) visitor {
	agent := recipient.Clean(string(c.Request().Header.UserAgent()), maxUserAgentBytes)
	v := visitor{scanner: scannerAgent.MatchString(agent) && !fetchedByBrowser(c)}
	if s.cfg.Evidence.IP {
		v.ip = s.client(c).String()
	}
	if s.cfg.Evidence.UserAgent {
		v.userAgent = agent
	}
	return v
}

// scannerAgent knows mail scanners by the names that they give themselves, and
// the libraries that programs are written with. It marks opt-outs, no more: a
// wrong guess must not cost anybody theirs. It refuses an undo.
var scannerAgent = regexp.MustCompile(`(?i)barracuda|proofpoint|mimecast|messagelabs|symantec|trend ?micro|forcepoint|websense|ironport|cisco|` +
	`forti(guard|mail|net)|sophos|checkpoint|palo ?alto|zscaler|safelinks|bitdefender|kaspersky|avira|cloudmark|vade|hornetsecurity|mailguard|` +
	`spamhaus|spamexperts|virustotal|urlscan|phishtank|google-safety|linkcheck|link ?preview|` +
	`\b(bot|crawler|spider|scanner)\b|bot/|` +
	`python-|aiohttp|\bcurl/|\bwget/|go-http-client|java/|okhttp|apache-httpclient|libwww-perl|headless|phantomjs|node-fetch|axios/`)

// fetchedByBrowser reports whether a browser of the last years says how the
// request came about (https://www.w3.org/TR/fetch-metadata/).
func fetchedByBrowser(c *fiber.Ctx) bool {
	const prefix = "sec-fetch-"
	for name := range c.Request().Header.All() {
		if len(name) > len(prefix) && strings.EqualFold(string(name[:len(prefix)]), prefix) {
			return true
		}
	}
	return false
}

// suspicion is why a program may have pressed the button. A one-click is not
// suspect: programs send it for people.
func (v visitor) suspicion(via string) string {
	if v.scanner && via != viaOneClick {
		return "a scanner's user agent, and no browser behind it"
	}
	return ""
}
