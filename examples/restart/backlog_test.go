package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestStandardMessagesComeBackWithTheirContentAndWhatIsLeftOfTheirDelay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backlog.jsonl")
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		before, err := inq.NewStandard("before", inq.WithDelay(time.Second))
		require.NoError(t, err)
		defer before.Close()
		plain := inq.Message{
			Body:        "<plain> & \"simple\"\n",
			Attributes:  map[string]inq.Attribute{"text": inq.String("ä"), "bytes": inq.Binary([]byte{0, 255})},
			GroupID:     "tenant",
			TraceHeader: "trace",
			SenderID:    "sender",
		}
		for _, m := range []inq.Message{plain, {Body: "late", Delay: 10 * time.Second}} {
			_, err := before.Send(ctx, m)
			require.NoError(t, err)
		}
		time.Sleep(4 * time.Second)
		ds, err := before.Receive(ctx, inq.ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1, "in flight while it is saved")
		n, err := save(file, before.Messages())
		require.NoError(t, err)
		require.Equal(t, 2, n)
		time.Sleep(time.Second) // the service is down

		after, err := inq.NewStandard("after", inq.WithDelay(time.Second))
		require.NoError(t, err)
		defer after.Close()
		n, err = restore(ctx, after, file)
		require.NoError(t, err)
		require.Equal(t, 2, n)

		ds, err = after.Receive(ctx, inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
		require.Len(t, ds, 1, "the queue's own delay must not begin again")
		require.Equal(t, plain, ds[0].Message())
		require.Equal(t, 1, ds[0].ReceiveCount)
		began := time.Now()
		ds, err = after.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Equal(t, "late", ds[0].Body)
		require.Equal(t, 5*time.Second, time.Since(began))
	})
}

func TestFIFOMessagesComeBackInOrderAndAreStillDeduplicated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backlog.jsonl")
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		newQueue := func() *inq.FIFO {
			q, err := inq.NewFIFO("orders.fifo", inq.WithDelay(time.Second))
			require.NoError(t, err)
			return q
		}
		message := func(i int) inq.Message {
			return inq.Message{Body: fmt.Sprint(i), GroupID: "customer", DeduplicationID: fmt.Sprint("order-", i)}
		}
		before, after := newQueue(), newQueue()
		defer before.Close()
		defer after.Close()
		for i := range 5 {
			_, err := before.Send(ctx, message(i))
			require.NoError(t, err)
		}

		_, err := save(file, before.Messages())
		require.NoError(t, err)
		_, err = restore(ctx, after, file)
		require.NoError(t, err)

		again, err := after.Send(ctx, message(3))
		require.NoError(t, err)
		require.True(t, again.Duplicate())
		ds, err := after.Receive(ctx, inq.ReceiveInput{Max: 10, Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 5)
		for i := range ds {
			require.Equal(t, fmt.Sprint(i), ds[i].Body)
		}
	})
}

func TestNoBacklogIsAnEmptyOne(t *testing.T) {
	messages, err := load(filepath.Join(t.TempDir(), "none.jsonl"))
	require.NoError(t, err)
	require.Empty(t, messages)
}

func TestADamagedBacklogIsRefusedAndStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backlog.jsonl")
	text := `{"message":{"Body":"whole"}}` + "\n" + `{"message":{"Bo`
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))

	err := run(t.Context(), []string{"-file", file, "-for", "1ns"}, new(strings.Builder))

	require.ErrorContains(t, err, "backlog.jsonl: message 2: unexpected EOF")
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, text, string(kept))
}

func TestASaveThatFailsLeavesTheOldFileAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "backlog.jsonl")
	require.NoError(t, os.MkdirAll(filepath.Join(file, "in the way"), 0o755))

	_, err := save(file, slices.Values([]inq.Snapshot{{Body: "new"}}))

	require.Error(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.DirExists(t, filepath.Join(file, "in the way"))
}

func TestTwoRunsDoEveryJobOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backlog.jsonl")
	synctest.Test(t, func(t *testing.T) {
		var first, second strings.Builder
		// 2 workers begin a job every 400 ms: at 900 ms they have done 4 and have 2 in their hands.
		require.NoError(t, run(context.Background(), []string{"-file", file, "-jobs", "12", "-for", "900ms"}, &first))
		require.NoError(t, run(context.Background(), []string{"-file", file, "-jobs", "0", "-for", "10s"}, &second))

		require.Len(t, doneIn(first.String()), 6)
		require.Contains(t, first.String(), "6 jobs are saved")
		require.Contains(t, second.String(), "6 jobs of the last run are sent again")
		require.Contains(t, second.String(), "0 jobs are saved")
		all := append(doneIn(first.String()), doneIn(second.String())...)
		slices.Sort(all)
		require.Len(t, slices.Compact(all), 12)
	})
}

// doneIn returns the jobs that a run says it has done.
func doneIn(output string) (jobs []string) {
	for line := range strings.Lines(output) {
		if job, ok := strings.CutPrefix(line, "done: "); ok {
			jobs = append(jobs, job)
		}
	}
	return jobs
}
