package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// charted are the kinds that have a chart, in order.
var charted = []struct {
	kind  recipient.Kind
	title string
}{
	{recipient.HardBounce, "Hard bounces"},
	{recipient.SoftBounce, "Soft bounces"},
	{recipient.Complaint, "Complaints"},
	{recipient.OptOut, "Opt-outs"},
	{recipient.OptIn, "Opt-ins"},
}

// spans are the periods that one can choose, in days.
var spans = []int{7, 30, 90}

// topLines is how long the lists of reasons and domains are.
const topLines = 10

type dashboardView struct {
	Days     int
	Spans    []int
	Endpoint string // only this one; empty: all
	Names    []string
	Alerts   []alert
	Charts   []chart
	Daily    []dayLine // newest first
	Sources  []sourceLine
	Tops     []top
	Health   []healthLine
	Requests int
	Held     int
}

func (dashboardView) page() string  { return "home.html" }
func (dashboardView) title() string { return "Dashboard" }

// alert is what somebody should look at now.
type alert struct {
	Class string // warn or error
	Text  string
	Path  string
	Link  string
}

// dayLine is the table's line of one day.
type dayLine struct {
	Day       time.Time
	N         []int64 // by charted
	Delivered int64
}

// sourceLine is what one endpoint, or people, brought in the period.
type sourceLine struct {
	Name      string
	Title     string
	N         []int64
	Delivered int64
	HardRate  string // of what was delivered or bounced
	Complain  string // of what was delivered
}

type top struct {
	ID, Title string
	Lines     []topLine
}

type topLine struct {
	Name, Detail string
	N            int64
}

type healthLine struct {
	store.Health
	Title string
	Last  *store.Rejection // the latest reason
}

func (s *Server) showDashboard(c *Ctx) error {
	v := dashboardView{Days: 30, Spans: spans, Endpoint: recipient.Clean(c.Query("endpoint"), 128)}
	if n, err := strconv.Atoi(c.Query("days")); err == nil && slices.Contains(spans, n) {
		v.Days = n
	}
	to := s.now()
	from := to.AddDate(0, 0, 1-v.Days)
	counts, err := s.cfg.Store.Days(c.Std, from, to)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	v.fill(counts, from)
	if err := s.tops(c, &v, from, to); err != nil {
		return err
	}
	if err := s.health(c, &v); err != nil {
		return err
	}
	if v.Requests, err = s.cfg.Store.RequestCount(c.Std); err != nil {
		return err //nolint:wrapcheck // likewise
	}
	held, err := s.cfg.Store.QuarantineCounts(c.Std)
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	for _, n := range held {
		v.Held += n
	}
	return s.render(c, http.StatusOK, v)
}

// sourceNames say in words who told us, where it was no provider.
var sourceNames = map[recipient.Source]string{
	recipient.FromLink: "unsubscribe links", recipient.FromAdmin: "administrators", recipient.FromAPI: "the API",
	recipient.FromImport: "imports", recipient.FromRule: "rules",
}

func sourceName(d store.DayCount) string {
	if d.Endpoint != "" {
		return d.Endpoint
	}
	if n := sourceNames[d.Source]; n != "" {
		return n
	}
	return string(d.Source)
}

// fill makes charts and tables of the counters.
func (v *dashboardView) fill(counts []store.DayCount, from time.Time) {
	first := from.Truncate(24 * time.Hour)
	days := make([]time.Time, v.Days)
	v.Daily = make([]dayLine, v.Days)
	for i := range days {
		days[i] = first.AddDate(0, 0, i)
		v.Daily[i] = dayLine{Day: days[i], N: make([]int64, len(charted))}
	}
	sources := map[string]*sourceLine{}
	figures := map[string][][]int64{} // by source and charted
	for _, d := range counts {
		i := int(d.Day.Sub(first).Hours()) / 24
		d.Endpoint = recipient.Clean(d.Endpoint, 128)
		if d.Endpoint != "" && !slices.Contains(v.Names, d.Endpoint) {
			v.Names = append(v.Names, d.Endpoint)
		}
		if i < 0 || i >= v.Days || v.Endpoint != "" && d.Endpoint != v.Endpoint {
			continue
		}
		name := sourceName(d)
		line := sources[name]
		if line == nil {
			line = &sourceLine{Name: name, N: make([]int64, len(charted))}
			sources[name] = line
			figures[name] = make([][]int64, len(charted))
			for k := range charted {
				figures[name][k] = make([]int64, v.Days)
			}
		}
		if d.Kind == recipient.Delivered {
			line.Delivered += d.N
			v.Daily[i].Delivered += d.N
			continue
		}
		for k := range charted {
			if charted[k].kind == d.Kind {
				line.N[k] += d.N
				v.Daily[i].N[k] += d.N
				figures[name][k][i] += d.N
			}
		}
	}
	for _, l := range sources {
		if l.Delivered > 0 {
			l.HardRate, l.Complain = percent(l.N[0], l.N[0]+l.Delivered), percent(l.N[2], l.Delivered)
		}
		v.Sources = append(v.Sources, *l)
	}
	// The largest first, so that the colours go to who matters.
	sort.Slice(v.Sources, func(i, j int) bool {
		a, b := sum(v.Sources[i].N)+v.Sources[i].Delivered, sum(v.Sources[j].N)+v.Sources[j].Delivered
		if a != b {
			return a > b
		}
		return v.Sources[i].Name < v.Sources[j].Name
	})
	for k, of := range charted {
		list := make([]series, len(v.Sources))
		for i, l := range v.Sources {
			list[i] = series{name: l.Name, n: figures[l.Name][k]}
		}
		v.Charts = append(v.Charts, newChart("chart-"+string(of.kind), of.title, days, list))
	}
	slices.Reverse(v.Daily)
	slices.Sort(v.Names)
}

// Columns are the heads of the tables.
func (dashboardView) Columns() []string {
	out := make([]string, len(charted))
	for i, c := range charted {
		out[i] = c.title
	}
	return out
}

// tops reads the lists of reasons and domains.
func (s *Server) tops(c *Ctx, v *dashboardView, from, to time.Time) error {
	for _, of := range []struct {
		kind  recipient.Kind
		title string
	}{{recipient.HardBounce, "Reasons of hard bounces"}, {recipient.SoftBounce, "Reasons of soft bounces"}} {
		list, err := s.cfg.Store.Reasons(c.Std, from, to, of.kind, v.Endpoint, topLines)
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		t := top{ID: "top-" + string(of.kind), Title: of.title}
		for _, l := range list {
			t.Lines = append(t.Lines, topLine{Name: orNone(l.Code), Detail: l.Rule, N: l.N})
		}
		v.Tops = append(v.Tops, t)
	}
	if v.Endpoint != "" {
		return nil // domains are counted for all endpoints together
	}
	for _, of := range []struct {
		kind  recipient.Kind
		title string
	}{{recipient.HardBounce, "Domains with hard bounces"}, {recipient.Complaint, "Domains with complaints"}} {
		list, err := s.cfg.Store.Domains(c.Std, from, to, of.kind, topLines)
		if err != nil {
			return err //nolint:wrapcheck // likewise
		}
		t := top{ID: "domains-" + string(of.kind), Title: of.title}
		for _, l := range list {
			t.Lines = append(t.Lines, topLine{Name: l.Domain, N: l.N})
		}
		v.Tops = append(v.Tops, t)
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "without a code"
	}
	return s
}

// health fills in how the endpoints do, and what is alarming.
func (s *Server) health(c *Ctx, v *dashboardView) error {
	endpoints := s.endpoints()
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = e.Name
	}
	list, err := s.cfg.Store.HealthOf(c.Std, names)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	for i, h := range list {
		l := healthLine{Health: h, Title: endpoints[i].Title}
		if len(h.Rejections) > 0 {
			l.Last = &h.Rejections[0]
		}
		v.Health = append(v.Health, l)
		v.Alerts = append(v.Alerts, s.healthAlerts(h)...)
	}
	incidents, err := s.cfg.Store.PresentIncidents(c.Std)
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	for _, i := range incidents {
		v.Alerts = append(v.Alerts, alert{Class: "error", Text: incidentText(i), Path: s.at("/admin/incidents"), Link: "Look at it"})
	}
	return nil
}

func (s *Server) healthAlerts(h store.Health) (out []alert) {
	path := s.at("/admin/endpoints/" + url.PathEscape(h.Endpoint))
	if h.Silent {
		out = append(out, alert{Class: "warn", Path: path, Link: "Look at it",
			Text: fmt.Sprintf("%s has gone silent: nothing was accepted since %s. In the two weeks before, its longest pause was %s.", h.Endpoint, when(h.LastAccepted), count(int(h.Pause.Hours()), "hour", "hours"))})
	}
	if h.Jumped {
		text := fmt.Sprintf("%s rejects more than usual: %s in the last two hours, usually %s. After a rotation, its secret may be wrong.", h.Endpoint, count(int(h.RejectedLately), "request", "requests"), grouped(h.RejectedUsual))
		if len(h.Rejections) > 0 && h.Rejections[0].Hint != "" {
			text += " " + h.Rejections[0].Hint
		}
		out = append(out, alert{Class: "error", Path: path, Link: "Look at it", Text: text})
	}
	return out
}

func incidentText(i store.Incident) string {
	where := "The endpoint " + i.Name
	if i.Dim == store.DimDomain {
		where = "The domain " + i.Name
	}
	since := "since " + when(i.BeganAt)
	if !i.EndedAt.IsZero() {
		since = "from " + when(i.BeganAt) + " to " + when(i.LastAt)
	}
	return fmt.Sprintf("%s brought far more hard bounces than usual %s: up to %s in an hour, usually %s. Their addresses are blocked.", where, since, grouped(i.Peak), grouped(i.Usual))
}

// endpointView is how one endpoint does.
type endpointView struct {
	store.Health
	Of     Endpoint
	Alerts []alert
}

func (endpointView) page() string    { return "endpoint.html" }
func (v endpointView) title() string { return "Endpoint " + v.Of.Name }

func (s *Server) showEndpoint(c *Ctx) error {
	name := c.Param("endpoint")
	for _, e := range s.endpoints() {
		if e.Name != name {
			continue
		}
		list, err := s.cfg.Store.HealthOf(c.Std, []string{name})
		if err != nil {
			return err //nolint:wrapcheck // it says where it comes from
		}
		return s.render(c, http.StatusOK, endpointView{Health: list[0], Of: e, Alerts: s.healthAlerts(list[0])})
	}
	return errNotFound
}
