package inq

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/journal/faultfs"
)

// brokerSteps are what a broker is asked to do, one after the other, until the disk stops. Each says
// what is true of the broker once it was acknowledged, and what may be true while it was not.
type brokerSteps struct {
	b      *Broker
	queues map[string]map[string]string // what is certain: tags and some settings, by queue
	doubt  string                       // the queue of the step that failed
}

func (s *brokerSteps) run() error {
	ctx := context.Background()
	var failed error
	step := func(name string, do func() error, known func()) {
		if failed != nil {
			return
		}
		s.doubt = name
		if failed = do(); failed == nil {
			known()
			s.doubt = ""
		}
	}
	for i := range 6 {
		a, gone := fmt.Sprint("a", i), fmt.Sprint("gone", i)
		step(a, func() error {
			_, err := s.b.CreateQueue(ctx, a, map[string]string{"DelaySeconds": "1"}, map[string]string{"k": "1"})
			return err
		}, func() { s.queues[a] = map[string]string{"delay": "1s", "k": "1"} })
		step(gone, func() error { _, err := s.b.CreateStandard(gone); return err }, func() { s.queues[gone] = map[string]string{"delay": "0s"} })
		step(a, func() error { return s.b.SetAttributes(ctx, a, map[string]string{"DelaySeconds": "2"}) }, func() { s.queues[a]["delay"] = "2s" })
		step(a, func() error { return s.b.SetTags(ctx, a, map[string]string{"l": "2"}) }, func() { s.queues[a]["l"] = "2" })
		step(gone, func() error { return s.b.DeleteQueue(ctx, gone) }, func() { delete(s.queues, gone) })
	}
	return failed
}

// look returns the same of a broker.
func (s *brokerSteps) look(t *testing.T, b *Broker) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, name := range b.names {
		q, err := b.Queue(name)
		require.NoError(t, err)
		tags, err := b.Tags(context.Background(), name)
		require.NoError(t, err)
		tags["delay"] = q.Config().Delay.String()
		all[name] = tags
	}
	return all
}

// TestTheDiskOfABrokerStopsAtEveryCall has the power go at each call of the file system in turn, and again
// while the next broker reads what is left.
func TestTheDiskOfABrokerStopsAtEveryCall(t *testing.T) {
	calls, points := 0, 0
	for stop := 0; stop <= calls; stop++ {
		synctest.Test(t, func(t *testing.T) {
			files := faultfs.New()
			files.Inject(func(c faultfs.Call) faultfs.Fault { return faultfs.Fault{Crash: c.N == stop, Part: c.N%2 == 1} })
			s := &brokerSteps{queues: map[string]map[string]string{}}
			j, err := OpenJournal("dir", onFiles(files), WithSegmentSize(16<<10))
			if err == nil {
				s.b, err = NewBroker(WithBrokerJournal(j), WithoutCooldowns())
				if err == nil {
					err = s.run()
				}
			}
			if stop == 0 {
				require.NoError(t, err)
				calls = files.Calls()
			}
			files.Crash()
			if s.b != nil {
				_ = s.b.Close()
			}
			if j != nil {
				_ = j.Close()
			}

			random := rand.New(rand.NewPCG(uint64(stop), 7))
			disk := files.AfterPowerLoss(random)
			again := 1 + random.IntN(6)
			disk.Inject(func(c faultfs.Call) faultfs.Fault { return faultfs.Fault{Crash: c.N == again} })
			if j, err := OpenJournal("dir", onFiles(disk)); err == nil {
				if b, err := NewBroker(WithBrokerJournal(j)); err == nil {
					_ = b.Close()
				}
				_ = j.Close()
			}
			disk = disk.AfterPowerLoss(random)
			j, err = OpenJournal("dir", onFiles(disk))
			require.NoError(t, err, "call %d, %d", stop, again)
			b, err := NewBroker(WithBrokerJournal(j))
			require.NoError(t, err, "call %d, %d", stop, again)
			want, got := s.queues, s.look(t, b)
			for _, name := range slices.Collect(maps.Keys(got)) {
				if name == s.doubt { // it may have been carried out or not, as a whole
					delete(got, name)
				}
			}
			delete(want, s.doubt)
			require.Equal(t, want, got, "call %d, %d; in doubt: %s", stop, again, s.doubt)
			require.Len(t, b.journal.Queues(), len(b.names))
			require.NoError(t, b.Close())
			require.NoError(t, j.Close())
			points++
			time.Sleep(time.Second)
		})
	}
	t.Logf("%d crash points", points)
}
