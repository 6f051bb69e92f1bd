package handlers

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// endpointJSON is how an endpoint does.
type endpointJSON struct {
	Name         string          `json:"name"`
	Provider     string          `json:"provider"`
	LastAccepted *time.Time      `json:"last_accepted_at"`
	LastRejected *time.Time      `json:"last_rejected_at"`
	Accepted     int64           `json:"accepted_last_day"`
	Rejected     int64           `json:"rejected_last_day"`
	Silent       bool            `json:"silent"`
	Jumped       bool            `json:"rejections_jumped"`
	Rejections   []rejectionJSON `json:"rejections"`
}

type rejectionJSON struct {
	Reason  string     `json:"reason"`
	Hint    *string    `json:"hint"`
	FirstAt *time.Time `json:"first_at"`
	LastAt  *time.Time `json:"last_at"`
	N       int64      `json:"requests"`
}

func (s *Server) listEndpoints(c *fiber.Ctx) error {
	ctx, cancel := s.withTimeout()
	defer cancel()
	list, err := s.cfg.Store.HealthOf(ctx, s.endpointNames())
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	out := struct {
		Endpoints []endpointJSON `json:"endpoints"`
	}{[]endpointJSON{}}
	for _, h := range list {
		e := endpointJSON{Name: h.Endpoint, Provider: s.endpoints[h.Endpoint].Info.Name, LastAccepted: when(h.LastAccepted), LastRejected: when(h.LastRejected),
			Accepted: h.Accepted, Rejected: h.Rejected, Silent: h.Silent, Jumped: h.Jumped, Rejections: []rejectionJSON{}}
		for _, r := range h.Rejections {
			e.Rejections = append(e.Rejections, rejectionJSON{Reason: r.Reason, Hint: text(r.Hint), FirstAt: when(r.FirstAt), LastAt: when(r.LastAt), N: r.N})
		}
		out.Endpoints = append(out.Endpoints, e)
	}
	return sendJSON(c, out)
}

const (
	defaultDays = 30
	maxDays     = 90
	topReasons  = 20
)

type dayJSON struct {
	Day      string           `json:"day"`
	Endpoint *string          `json:"endpoint"`
	Source   recipient.Source `json:"source"`
	Kind     recipient.Kind   `json:"kind"`
	N        int64            `json:"events"`
}

type reasonJSON struct {
	Kind recipient.Kind `json:"kind"`
	Code string         `json:"code"`
	Rule string         `json:"rule"`
	N    int64          `json:"events"`
}

type domainJSON struct {
	Kind   recipient.Kind `json:"kind"`
	Domain string         `json:"domain"`
	N      int64          `json:"events"`
}

// stats answers GET /v1/stats: the counters behind the dashboard.
func (s *Server) stats(c *fiber.Ctx) error {
	n, err := queryInt(c, "days", defaultDays, maxDays)
	if err != nil {
		return err
	}
	to := s.now()
	from := to.AddDate(0, 0, 1-n)
	ctx, cancel := s.withTimeout()
	defer cancel()
	out := struct {
		Days    []dayJSON    `json:"days"`
		Reasons []reasonJSON `json:"reasons"`
		Domains []domainJSON `json:"domains"`
	}{[]dayJSON{}, []reasonJSON{}, []domainJSON{}}
	days, err := s.cfg.Store.Days(ctx, from, to)
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	for _, d := range days {
		out.Days = append(out.Days, dayJSON{Day: d.Day.Format(time.DateOnly), Endpoint: text(d.Endpoint), Source: d.Source, Kind: d.Kind, N: d.N})
	}
	for _, kind := range []recipient.Kind{recipient.HardBounce, recipient.SoftBounce, recipient.Complaint} {
		if kind != recipient.Complaint {
			list, err := s.cfg.Store.Reasons(ctx, from, to, kind, "", topReasons)
			if err != nil {
				return err //nolint:wrapcheck // likewise
			}
			for _, r := range list {
				out.Reasons = append(out.Reasons, reasonJSON{Kind: kind, Code: r.Code, Rule: r.Rule, N: r.N})
			}
		}
		list, err := s.cfg.Store.Domains(ctx, from, to, kind, topReasons)
		if err != nil {
			return err //nolint:wrapcheck // likewise
		}
		for _, d := range list {
			out.Domains = append(out.Domains, domainJSON{Kind: kind, Domain: d.Domain, N: d.N})
		}
	}
	return sendJSON(c, out)
}

type incidentJSON struct {
	ID          int64      `json:"id"`
	Endpoint    *string    `json:"endpoint"`
	Domain      *string    `json:"domain"`
	BeganAt     *time.Time `json:"began_at"`
	LastAt      *time.Time `json:"last_at"`
	EndedAt     *time.Time `json:"ended_at"`
	Peak        int64      `json:"peak_per_hour"`
	Usual       int64      `json:"usual_per_hour"`
	DismissedAt *time.Time `json:"dismissed_at"`
	DismissedBy *string    `json:"dismissed_by"`
}

func (s *Server) listIncidents(c *fiber.Ctx) error {
	limit, err := queryInt(c, "limit", defaultEvents, maxEvents)
	if err != nil {
		return err
	}
	ctx, cancel := s.withTimeout()
	defer cancel()
	list, err := s.cfg.Store.Incidents(ctx, limit)
	if err != nil {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	out := struct {
		Incidents []incidentJSON `json:"incidents"`
	}{[]incidentJSON{}}
	for _, i := range list {
		j := incidentJSON{ID: i.ID, BeganAt: when(i.BeganAt), LastAt: when(i.LastAt), EndedAt: when(i.EndedAt), Peak: i.Peak, Usual: i.Usual,
			DismissedAt: when(i.Dismissed), DismissedBy: text(i.By)}
		if i.Dim == store.DimDomain {
			j.Domain = text(i.Name)
		} else {
			j.Endpoint = text(i.Name)
		}
		out.Incidents = append(out.Incidents, j)
	}
	return sendJSON(c, out)
}

// unblockTime is how long a large incident may take.
const unblockTime = 5 * time.Minute

// unblockIncident lifts the blocks that rest upon wrong hard bounces alone. It
// counts only, unless dry_run is false.
func (s *Server) unblockIncident(c *fiber.Ctx) error {
	in := struct {
		Endpoint string    `json:"endpoint"`
		Domain   string    `json:"domain"`
		Rule     string    `json:"rule"`
		From     time.Time `json:"from"`
		To       time.Time `json:"to"`
		Reason   string    `json:"reason"`
		DryRun   *bool     `json:"dry_run"`
	}{}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	scope := store.Scope{Endpoint: in.Endpoint, Rule: in.Rule, From: recipient.Micro(in.From), To: recipient.Micro(in.To)}
	if in.Domain != "" {
		a, err := recipient.ParseEmail("a@" + in.Domain)
		if err != nil {
			return invalid("domain", "not a domain")
		}
		_, scope.Domain, _ = strings.Cut(a.Value(), "@")
	}
	dry := in.DryRun == nil || *in.DryRun
	why := recipient.Clean(in.Reason, 255)
	switch {
	case in.Endpoint == "" && in.Domain == "":
		return invalid("endpoint", "an endpoint or a domain is required")
	case in.From.IsZero():
		return invalid("from", "required: a time such as 2026-01-31T16:45:00Z")
	case !in.To.After(in.From) || in.To.Sub(in.From) > store.MaxScope:
		return invalid("to", "a time after from, by seven days at most")
	case why == "" && !dry:
		return invalid("reason", "required")
	}
	ctx, cancel := context.WithTimeout(context.Background(), unblockTime)
	defer cancel()
	var freed store.Freed
	var err error
	if dry {
		freed, err = s.cfg.Store.PreviewUnblock(ctx, scope)
	} else {
		freed, err = s.cfg.Store.UnblockIncident(ctx, scope, recipient.FromAPI, why, s.by(c))
	}
	if err != nil && (freed.Free == 0 || errors.Is(err, store.ErrInvalid)) {
		return err //nolint:wrapcheck // problemOf knows the store's errors
	}
	return sendJSON(c, struct {
		DryRun    bool `json:"dry_run"`
		Bounces   int  `json:"hard_bounces"`
		Addresses int  `json:"addresses"`
		Free      int  `json:"unblocked"` // or would be
		Kept      int  `json:"kept"`
		Complete  bool `json:"complete"` // false: the database went away on the way, ask again
	}{dry, freed.Bounces, freed.Addresses, freed.Free, freed.Kept, err == nil})
}
