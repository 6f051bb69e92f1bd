package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/strikeout/strikeout/store/mariadbd"
	"github.com/strikeout/strikeout/store/storebench"
)

const galeraNodes = 3

// galeraLibrary is where distributions put it.
func galeraLibrary() (string, error) {
	for _, dir := range []string{"/usr/lib/galera", "/usr/lib64/galera-4", "/usr/lib64/galera", "/usr/lib/galera-4"} {
		if path := filepath.Join(dir, "libgalera_smm.so"); fileExists(path) {
			return path, nil
		}
	}
	return "", errors.New("there is no Galera here: on Debian, apt-get install galera-4 mariadb-server-core rsync")
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// cluster starts nodes that know one another, the first as the beginning of it.
func (e *bench) cluster(ctx context.Context) (nodes []*mariadbd.Server, err error) {
	lib, err := galeraLibrary()
	if err != nil {
		return nil, err
	}
	ports := make([]int, 3*galeraNodes) // for the group, for what a node has missed, and for whole copies
	for i := range ports {
		if ports[i], err = mariadbd.FreePort(); err != nil {
			return nil, err //nolint:wrapcheck // it says what failed
		}
	}
	var group []string
	for i := range galeraNodes {
		group = append(group, fmt.Sprintf("127.0.0.1:%d", ports[i]))
	}
	options := func(i int) []string {
		return append(e.mariaOptions(), "--innodb-buffer-pool-size=256M", "--innodb-log-file-size=256M", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
			"--wsrep-on=ON", "--wsrep-provider="+lib, "--wsrep-cluster-name=bench", "--wsrep-cluster-address=gcomm://"+strings.Join(group, ","),
			fmt.Sprint("--wsrep-node-name=node-", i+1), "--wsrep-node-address=127.0.0.1",
			fmt.Sprintf("--wsrep-sst-receive-address=127.0.0.1:%d", ports[2*galeraNodes+i]), "--wsrep-sst-method=rsync",
			fmt.Sprintf("--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:%d;ist.recv_addr=127.0.0.1:%d;pc.recovery=false", ports[i], ports[galeraNodes+i]))
	}
	// Every node begins with the data of the first, so that none has to be sent.
	first, err := mariadbd.Prepare(filepath.Join(e.dir, "galera-1"), options(0)...)
	if err != nil {
		return nil, fmt.Errorf("node 1: %w", err)
	}
	nodes = append(nodes, first)
	const begin = "--wsrep-new-cluster"
	if err := first.Start(begin); err != nil {
		return nodes, fmt.Errorf("node 1: %w", err)
	}
	if err := errors.Join(synced(ctx, first, 1), first.Stop()); err != nil {
		return nodes, fmt.Errorf("node 1: %w", err)
	}
	for i := 1; i < galeraNodes; i++ {
		s, err := first.Clone(filepath.Join(e.dir, fmt.Sprint("galera-", i+1)), options(i)...)
		if err != nil {
			return nodes, fmt.Errorf("node %d: %w", i+1, err)
		}
		nodes = append(nodes, s)
	}
	if os.Geteuid() == 0 {
		// The daemon that hands over between nodes leaves root's rights behind.
		if err := openFolders(e.dir, nodes); err != nil {
			return nodes, err
		}
	}
	for i, s := range nodes {
		var once []string
		if i == 0 {
			once = append(once, begin)
		}
		if err := s.Start(once...); err != nil {
			return nodes, fmt.Errorf("node %d: %w", i+1, err)
		}
		if err := synced(ctx, s, i+1); err != nil {
			return nodes, fmt.Errorf("node %d: %w", i+1, err)
		}
	}
	return nodes, nil
}

// settled waits until every node has applied what the others committed, which
// Galera does a little later.
func settled(ctx context.Context, nodes []*mariadbd.Server) error {
	for end := time.Now().Add(readyTimeout); ; time.Sleep(50 * time.Millisecond) {
		seen := map[int64]bool{}
		for _, s := range nodes {
			db, err := storebench.Open("mysql://"+s.DSN()+"strikeout", 1)
			if err != nil {
				return err //nolint:wrapcheck // it says what failed
			}
			n, err := db.Int(ctx, "SELECT COUNT(*) FROM events")
			_ = db.Close()
			if err != nil {
				return fmt.Errorf("count the events of a node: %w", err)
			}
			seen[n] = true
		}
		if len(seen) == 1 {
			return nil
		}
		if time.Now().After(end) {
			return errors.New("the nodes do not come to the same number of events")
		}
	}
}

// openFolders lets every user write into the folders of nodes. They hold
// made-up addresses.
func openFolders(dir string, nodes []*mariadbd.Server) error {
	errs := os.Chmod(dir, 0o711) //nolint:gosec // as the comment says
	for _, s := range nodes {
		errs = errors.Join(errs, os.Chmod(s.Dir(), 0o711), os.Chmod(filepath.Join(s.Dir(), "data"), 0o777)) //nolint:gosec // as the comment says
	}
	return errs
}

// synced waits until a node takes part in a cluster of so many.
func synced(ctx context.Context, s *mariadbd.Server, size int) error {
	for end := time.Now().Add(readyTimeout); ; time.Sleep(100 * time.Millisecond) {
		state, n := nodeState(ctx, s)
		if state == "Synced" && n == size {
			return nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("it is %q in a cluster of %d, want Synced and %d", state, n, size)
		}
	}
}

func nodeState(ctx context.Context, s *mariadbd.Server) (state string, size int) {
	db, err := storebench.Open("mysql://"+s.DSN(), 1)
	if err != nil {
		return "", 0
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	const status = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = "
	state, err = db.Text(ctx, status+"'wsrep_local_state_comment'")
	if err != nil {
		return "", 0
	}
	n, err := db.Int(ctx, status+"'wsrep_cluster_size'")
	if err != nil {
		return "", 0
	}
	return state, int(n)
}

// galera runs two services, each on its own node of three, sends every event to
// both, and kills one node under load.
func (e *bench) galera(ctx context.Context) (*section, error) {
	nodes, err := e.cluster(ctx)
	defer func() {
		for _, n := range nodes {
			n.Kill()
		}
	}()
	if err != nil {
		return nil, err
	}
	url, err := storebench.Create(ctx, nodes[0].DSN(), "strikeout")
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	at := func(node int) string { return strings.Replace(url, nodes[0].Addr(), nodes[node].Addr(), 1) }
	if _, err := e.fill(ctx, "galera", url, 0); err != nil {
		return nil, err
	}
	var addrs []string
	for i := range 2 {
		svc, err := e.serve(ctx, fmt.Sprint("galera-service-", i+1), at(i))
		if err != nil {
			return nil, err
		}
		defer svc.kill()
		addrs = append(addrs, svc.addr)
	}
	s := &senders{maker: newMGMaker(e.secrets.mailgun, &e.ids, e.unloaded(20_000)), addrs: addrs, twice: true}
	began := time.Now()
	s.start(ctx, conns)
	wait := func(long time.Duration) { time.Sleep(long) }
	wait(2 * e.long)
	before, beforeTook := s.count(), time.Since(began)
	nodes[0].Kill()
	killed := time.Now()
	// The service of the dead node answers 503; its share is sent to the other,
	// which has to go on.
	if err := synced(ctx, nodes[1], galeraNodes-1); err != nil {
		return nil, errors.Join(err, s.finish())
	}
	n := s.count()
	s.addOnly(1) // as a load balancer that has seen /readyz
	for end := time.Now().Add(sendPatience); s.count() <= n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return nil, errors.Join(errors.New("nothing is taken after the kill"), s.finish())
		}
	}
	gap := time.Since(killed)
	wait(e.long)
	position, err := nodes[0].Recovered()
	if err == nil {
		err = nodes[0].Start("--wsrep-start-position=" + position)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the killed node: %w", err), s.finish())
	}
	if err := synced(ctx, nodes[0], galeraNodes); err != nil {
		return nil, errors.Join(fmt.Errorf("the killed node: %w", err), s.finish())
	}
	back := time.Since(killed)
	wait(e.long)
	if err := s.finish(); err != nil {
		return nil, err
	}
	out := &section{title: "Galera", text: fmt.Sprintf("Three nodes of MariaDB with Galera, and two services, each with a node of its own. %d senders post every event to both services at nearly the same time, so that the nodes write the same rows and one of them has to yield. "+
		"After %s the first node gets SIGKILL, comes back, and fetches what it missed. Counted once all nodes have applied everything.", conns, 2*e.long)}
	if err := settled(ctx, nodes); err != nil {
		return nil, err
	}
	var rows []string
	var t tally
	for i := range nodes {
		one, err := s.tally(ctx, at(i))
		if err != nil {
			return nil, err
		}
		t.acked = one.acked
		t.lost += one.lost
		t.twice += one.twice
		said, err := e.fsck(ctx, fmt.Sprint("galera-fsck-", i+1), at(i))
		if err != nil {
			return nil, err
		}
		rows = append(rows, fmt.Sprintf("| %d | %d | %d | %d | %s |", i+1, one.rows, one.lost, one.twice, said))
	}
	out.add(figure{what: "acknowledged events lost, on any node", value: float64(t.lost), zero: true, most: true},
		figure{what: "events counted twice, on any node", value: float64(t.twice), zero: true, most: true},
		figure{what: "events acknowledged", value: float64(t.acked)},
		figure{what: "events a second before the kill, each sent twice", value: float64(before) / beforeTook.Seconds()},
		figure{what: "repeats by the senders", value: float64(s.repeats.Load())},
		figure{what: "until the cluster took events after the kill", value: gap.Seconds(), unit: "s", digits: 1},
		figure{what: "until the killed node was whole again", value: back.Seconds(), unit: "s", digits: 1})
	out.detail("| node | events | lost | twice | fsck |\n|---|---|---|---|---|\n%s", strings.Join(rows, "\n"))
	return out, nil
}
