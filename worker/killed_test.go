package worker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// TestAJobThatKillsItsProcessReachesTheAttemptLimit starts a process whose worker gets a job that ends it
// without a word. The receives are in the journal: the third attempt is the last, although no handler ever
// returned.
func TestAJobThatKillsItsProcessReachesTheAttemptLimit(t *testing.T) {
	// The receive in which the worker buries it counts as well.
	for limit, receives := range map[string]int{"worker": 4, "queue": 3} {
		t.Run("of the "+limit, func(t *testing.T) {
			dir := t.TempDir()
			var handled []string
			for start := 1; ; start++ {
				require.Less(t, start, 10, "it ends the process for ever: %q", handled)
				cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWorker$", "-test.v")
				cmd.Env = append(os.Environ(), "INQ_KILLED_WORKER="+dir, "INQ_KILLED_LIMIT="+limit)
				output, err := cmd.CombinedOutput()
				for line := range strings.Lines(string(output)) {
					if what, ok := strings.CutPrefix(line, "handled "); ok {
						handled = append(handled, strings.TrimSpace(what))
					}
				}
				var exit *exec.ExitError
				if errors.As(err, &exit) && exit.ExitCode() == killedStatus {
					continue
				}
				require.NoError(t, err, string(output))
				require.Contains(t, string(output), fmt.Sprintf("dead: poison after %d receives\n", receives))
				break
			}
			slices.Sort(handled) // the good one has its turn somewhere between
			require.Equal(t, []string{"good 1", "poison 1", "poison 2", "poison 3"}, handled)
		})
	}
}

const killedStatus = 3

// TestKilledWorker is the process of the test above, and nothing without it.
func TestKilledWorker(t *testing.T) {
	dir, limit := os.Getenv("INQ_KILLED_WORKER"), os.Getenv("INQ_KILLED_LIMIT")
	if dir == "" {
		return
	}
	ctx, done := context.WithCancel(t.Context())
	j, err := inq.OpenJournal(dir, inq.WithReleaseOnOpen())
	require.NoError(t, err)
	first := len(j.Queues()) == 0
	dead, err := inq.NewStandard("dead", inq.WithJournal(j))
	require.NoError(t, err)
	receives := 1000 // more than the worker's
	var opts []worker.Option
	if limit == "queue" {
		receives = 3
	} else {
		opts = append(opts, worker.WithMaxAttempts(3))
	}
	jobs, err := inq.NewStandard("jobs", inq.WithJournal(j), inq.WithDeadLetter(dead, receives))
	require.NoError(t, err)
	if first {
		_, err := jobs.SendBatch(ctx, []inq.Message{{Body: "poison"}, {Body: "good"}})
		require.NoError(t, err)
	}
	out := bufio.NewWriterSize(os.Stdout, 0)
	// It works until the dead letter is there.
	arrived := make(chan struct{}, 1000)
	require.NoError(t, dead.Configure(inq.WithObserver(func([]inq.Event) { arrived <- struct{}{} })))
	go func() {
		for dead.Stats().Visible == 0 || jobs.Stats().Visible+jobs.Stats().NotVisible > 0 {
			<-arrived
		}
		done()
	}()
	require.NoError(t, jobs.Configure(inq.WithObserver(func([]inq.Event) { arrived <- struct{}{} })))
	w, err := worker.New(jobs, worker.HandlerFunc(func(_ context.Context, d *inq.Delivery) error {
		fmt.Fprintf(out, "handled %s %d\n", d.Body, d.ReceiveCount)
		_ = out.Flush()
		if d.Body == "poison" {
			os.Exit(killedStatus)
		}
		return nil
	}), append(opts, worker.WithConcurrency(1))...)
	require.NoError(t, err)
	require.NoError(t, w.Run(ctx))
	for m := range dead.Messages() {
		fmt.Printf("dead: %s after %d receives\n", m.Body, m.ReceiveCount)
	}
	require.NoError(t, j.Close())
}
