package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/providers/providertest"
	"github.com/strikeout/strikeout/recipient"
)

// cost is what one call of a function takes on one core.
type cost struct {
	cpu    time.Duration
	allocs float64
}

// processorTime is what this process has used: unlike the clock it does not
// see other programs.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// costOf calls f for about the given time.
func costOf(long time.Duration, f func() error) (cost, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, used, n := time.Now(), processorTime(), 0
	for time.Since(began) < long {
		for range 1 + n/8 { // the clock is asked now and then
			if err := f(); err != nil {
				return cost{}, err
			}
			n++
		}
	}
	used = processorTime() - used
	runtime.ReadMemStats(&after)
	return cost{used / time.Duration(n), float64(after.Mallocs-before.Mallocs) / float64(n)}, nil
}

// trial is something whose cost is measured in rounds.
type trial struct {
	name string
	cost *cost
	f    func() error
}

// leastCosts measures all trials in turns, so many times, and keeps the least of
// each: the neighbours of a virtual machine make the same work dearer for
// seconds, never cheaper.
func leastCosts(long time.Duration, rounds int, trials []trial) error {
	for n := range rounds {
		for _, t := range trials {
			c, err := costOf(long, t.f)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			if n == 0 || c.cpu < t.cost.cpu {
				t.cost.cpu = c.cpu
			}
			t.cost.allocs = c.allocs
		}
	}
	return nil
}

// proof says how a provider's requests are authenticated.
type proof string

const (
	sharedKey proof = "shared key"
	publicKey proof = "public key"
	noProof   proof = "none of its own"
)

// proofOf is what the settings of a provider say.
func proofOf(s providers.Settings) proof {
	switch {
	case len(s.All("public_key"))+len(s.All("certificates"))+len(s.All("topics"))+len(s.All(providers.PrivateKeySetting)) > 0:
		return publicKey
	case len(s.All("signing_secret")) > 0:
		return sharedKey
	}
	return noProof
}

// adapterRow is one line of the table.
type adapterRow struct {
	name   string
	proof  proof
	isJSON bool
	bytes  int
	one    cost
	plain  cost // encoding/json, into maps
	each   cost // of an array of arrayEvents

	single, unmarshal, array func() error // what costs that; nil: there is none
}

const arrayEvents = 1000

func (e *bench) adapters(context.Context) (*section, error) {
	// With a second core idle, the garbage collector would search it for work.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var rows []*adapterRow
	infos := all.Infos()
	if e.short {
		infos = infos[:4]
	}
	var trials []trial
	for _, info := range infos {
		r, err := rowOf(info)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", info.Name, err)
		}
		rows = append(rows, r)
		for _, t := range []trial{{info.Name, &r.one, r.single}, {info.Name, &r.plain, r.unmarshal}, {info.Name, &r.each, r.array}} {
			if t.f != nil {
				trials = append(trials, t)
			}
		}
	}
	rounds := 2 * e.rounds
	if err := leastCosts(e.long/25, rounds, trials); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b *adapterRow) int { return strings.Compare(a.name, b.name) })
	s := &section{title: "Adapters", text: "Verify and Parse of each provider's typical report, the simulator's permanent failure, on one core; and Parse alone of an array of 1000 of them, for each event. " +
		fmt.Sprintf("It is processor time, the least of %d rounds: other programs change it little. The last column but two compares with `json.Unmarshal` of the same body into maps.", rounds)}
	var slowest, most, inArray, slow figure
	keep := func(f *figure, what string, v float64) {
		if v >= f.value {
			f.value, f.what = v, what
		}
	}
	var b strings.Builder
	b.WriteString("| provider | authenticated by | bytes | µs | allocations | of `json.Unmarshal` | in an array: µs each | allocations each |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		us := float64(r.one.cpu) / 1e3
		if r.isJSON && r.proof == sharedKey {
			keep(&slowest, "slowest signed JSON webhook with a shared key: "+r.name, us)
			keep(&most, "most allocations of one of those: "+r.name, r.one.allocs)
		}
		if r.proof != publicKey {
			keep(&slow, "slowest of all without public-key signatures: "+r.name, us)
		}
		ratio, each, eachAllocs := "", "", ""
		if r.isJSON {
			ratio = fmt.Sprintf("%.2f", float64(r.one.cpu)/float64(max(r.plain.cpu, 1)))
		}
		if r.array != nil {
			v := float64(r.each.cpu) / 1e3 / arrayEvents
			keep(&inArray, "slowest event in an array: "+r.name, v)
			each, eachAllocs = fmt.Sprintf("%.2f", v), fmt.Sprintf("%.1f", r.each.allocs/arrayEvents)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %.1f | %.0f | %s | %s | %s |\n", r.name, r.proof, r.bytes, us, r.one.allocs, ratio, each, eachAllocs)
	}
	goal := func(f figure, must float64, unit string, digits int) {
		if f.what == "" {
			return
		}
		f.must, f.aim, f.most, f.unit, f.digits = must, must, true, unit, digits
		s.add(f)
	}
	goal(slowest, 15, "µs", 1)
	goal(most, 40, "", 0)
	goal(inArray, 3, "µs", 2)
	goal(slow, 200, "µs", 1)
	s.details = append(s.details, b.String())
	return s, nil
}

// rowOf makes what is measured of one provider.
func rowOf(info providers.Info) (*adapterRow, error) {
	set, err := info.Simulate.Settings(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make settings: %w", err)
	}
	a, err := info.New(set)
	if err != nil {
		return nil, fmt.Errorf("make an adapter: %w", err)
	}
	sample := info.Simulate.Samples[0]
	if i := slices.IndexFunc(info.Simulate.Samples, func(s providers.Sample) bool { return slices.Contains(s.Kinds, recipient.HardBounce) }); i >= 0 {
		sample = info.Simulate.Samples[i]
	}
	shot := func(i int) (*providers.Request, error) {
		channel := sample.Channel
		if channel == "" {
			channel = info.Channels[0]
		}
		to := address(i)
		if channel == recipient.SMS {
			to = fmt.Sprintf("+1555%07d", 5550100+i)
		}
		return sample.Build(providers.Shot{Settings: set, URL: "https://u.example.com/webhooks/" + info.Name, To: to, ID: fmt.Sprintf("%024x", i+1), At: time.Now()}) //nolint:wrapcheck // the caller says which
	}
	first, err := shot(0)
	if err != nil {
		return nil, err
	}
	r := &adapterRow{name: info.Name, proof: proofOf(set), isJSON: json.Valid(first.Body), bytes: len(first.Body) + len(first.RawQuery)}
	ctx := context.Background()
	r.single = func() error {
		c := again(first)
		if err := a.Verify(ctx, c); err != nil {
			return err //nolint:wrapcheck // the caller says which
		}
		events, err := a.Parse(c)
		if err == nil && len(events) == 0 {
			err = fmt.Errorf("the sample %q has no events", sample.Name)
		}
		return err //nolint:wrapcheck // the caller says which
	}
	if r.isJSON {
		r.unmarshal = func() error {
			var v any
			return json.Unmarshal(first.Body, &v) //nolint:wrapcheck // it is valid
		}
	}
	many := make([][]byte, arrayEvents)
	for i := range many {
		one, err := shot(i)
		if err != nil {
			return nil, err
		}
		many[i] = one.Body
	}
	array := again(first)
	alone, err := a.Parse(again(first))
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says which
	}
	if !gather(many, func(body []byte) bool {
		array.Body = body
		events, err := a.Parse(again(array))
		// A mail's several recipients are no list of events: each tells less.
		return err == nil && len(events) == arrayEvents && events[0].Kind == alone[0].Kind
	}) {
		return r, nil // one event a request
	}
	r.array = func() error {
		_, err := a.Parse(again(array))
		return err //nolint:wrapcheck // the caller says which
	}
	return r, nil
}

// again is a request as it comes in: what an adapter keeps in it is not there.
func again(r *providers.Request) *providers.Request {
	return &providers.Request{Method: r.Method, URL: r.URL, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body, Endpoint: "bench", ReceivedAt: r.ReceivedAt, Guarded: true}
}

// gather makes one body of many: one of the arrays in the first gets the items
// of all. It offers what comes of that until one is taken, and reports whether one was.
func gather(bodies [][]byte, take func([]byte) bool) bool {
	for _, f := range providertest.Frames(bodies[0]) {
		var items []json.RawMessage
		for _, b := range bodies {
			for _, other := range providertest.Frames(b) {
				if other.Path == f.Path {
					items = append(items, other.Items...)
				}
			}
		}
		if take(f.With(items)) {
			return true
		}
	}
	return false
}
