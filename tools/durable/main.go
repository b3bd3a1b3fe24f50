// Durable compares queues that keep every message on the disk before they answer: inq with a journal,
// embedded NATS JetStream with sync always, and goqite on SQLite with synchronous=FULL. It is a module of
// its own, and in no list of modules: building SQLite takes minutes.
//
//	cd tools/durable && GOWORK=off go run .
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const about = `durable compares how many messages a second queues take and hand out that keep
each one on the disk before they answer. Rounds of all of them take turns, since
disks change their mind; what counts are the ratios of one round. It takes
rounds x queues x kinds x senders x the time of a run.

    send        messages sent
    lifecycle   messages sent, received and deleted, by the same goroutine

Flags:
`

// queue is one of those that are compared.
type queue interface {
	send(ctx context.Context, body []byte) error
	// lifecycle sends one message, receives one and deletes it.
	lifecycle(ctx context.Context, body []byte) error
	close() error
}

var queues = []struct {
	name string
	open func(dir string) (queue, error)
}{{"inq", openInq}, {"nats", openNATS}, {"goqite", openGoqite}}

func main() {
	flag.Usage = func() {
		fmt.Fprint(os.Stdout, about)
		flag.CommandLine.SetOutput(os.Stdout)
		flag.PrintDefaults()
	}
	rounds := flag.Int("rounds", 5, "how often each is run")
	length := flag.Duration("for", time.Second, "how long a run takes")
	dir := flag.String("dir", "", "`directory` on the disk in question (default: that for temporary files)")
	only := flag.String("only", "", "compare only these `names`, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *length, *dir, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, length time.Duration, dir, only string) error {
	results := map[string][]float64{} // by case and queue, one of each round
	kinds := []string{"send", "lifecycle"}
	senders := []int{1, 100}
	for round := range rounds {
		for _, kind := range kinds {
			for _, n := range senders {
				for _, q := range queues {
					if only != "" && !slices.Contains(strings.Split(only, ","), q.name) {
						continue
					}
					rate, err := measure(ctx, q.open, dir, kind, n, length)
					if err != nil {
						return fmt.Errorf("%s, %s, %d senders: %w", q.name, kind, n, err)
					}
					if ctx.Err() != nil {
						return ctx.Err()
					}
					key := fmt.Sprint(kind, " ", n, " ", q.name)
					results[key] = append(results[key], rate)
					fmt.Fprintf(os.Stderr, "round %d of %d: %-9s %3d senders  %-6s %9.0f/s\n", round+1, rounds, kind, n, q.name, rate)
				}
			}
		}
	}
	fmt.Printf("median messages/s of %d rounds, and the median of inq's ratio to it in the same round\n", rounds)
	for _, kind := range kinds {
		for _, n := range senders {
			fmt.Printf("%-9s %3d senders:", kind, n)
			ours := results[fmt.Sprint(kind, " ", n, " inq")]
			for _, q := range queues {
				theirs := results[fmt.Sprint(kind, " ", n, " ", q.name)]
				if len(theirs) == 0 {
					continue
				}
				fmt.Printf("  %s %.0f", q.name, median(theirs))
				if q.name != "inq" && len(ours) == len(theirs) {
					ratios := make([]float64, len(ours))
					for i := range ours {
						ratios[i] = ours[i] / theirs[i]
					}
					fmt.Printf(" (%.1fx)", median(ratios))
				}
			}
			fmt.Println()
		}
	}
	return nil
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return xs[len(xs)/2]
}

// measure runs one queue in a new directory.
func measure(ctx context.Context, open func(string) (queue, error), dir, kind string, senders int, length time.Duration) (rate float64, err error) {
	dir, err = os.MkdirTemp(dir, "durable-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	q, err := open(dir)
	if err != nil {
		return 0, err
	}
	defer q.close()
	do := q.send
	if kind == "lifecycle" {
		do = q.lifecycle
	}
	body := []byte(strings.Repeat("x", 256))
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	began := time.Now()
	for range senders {
		all.Go(func() {
			for time.Since(began) < length && ctx.Err() == nil && failed.Load() == nil {
				if err := do(ctx, body); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}
