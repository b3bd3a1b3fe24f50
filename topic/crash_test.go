package topic

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/durable"
	"example.com/inq/internal/journal/faultfs"
)

// journaledWorld is an account and a broker over the files of a journal.
func journaledWorld(t *testing.T, files *faultfs.FS) (*world, *inq.Journal, error) {
	j, err := inq.OpenJournal("dir", durable.OnFiles(files).(inq.JournalOption), inq.WithSegmentSize(16<<10))
	if err != nil {
		return nil, nil, err
	}
	w := &world{T: t, log: &logText{}}
	if w.broker, err = inq.NewBroker(inq.WithAccount("123456789012"), inq.WithoutCooldowns(), inq.WithBrokerJournal(j)); err != nil {
		_ = j.Close()
		return nil, nil, err
	}
	if w.Account, err = NewAccount(WithBroker(w.broker), WithLogger(slog.New(slog.NewTextHandler(w.log, nil)))); err != nil {
		_, _ = w.broker.Close(), j.Close()
		return nil, nil, err
	}
	return w, j, nil
}

// crashRun is what one process did until the disk stopped.
type crashRun struct {
	sent, acknowledged map[string][]string // by topic
	taken, deleting    map[string]bool     // from the narrow queue: for good, or not for sure
}

// work publishes to a Standard and a FIFO topic, one of whose queues takes little, until an error.
func (r *crashRun) work(w *world) error {
	ctx := w.Context()
	standard, err := w.CreateStandard("s")
	if err != nil {
		return err
	}
	fifo, err := w.CreateFIFO("f.fifo")
	if err != nil {
		return err
	}
	for _, name := range []string{"a", "b", "narrow"} {
		var opts []inq.StandardOption
		if name == "narrow" {
			opts = append(opts, inq.WithCapacity(2, 0))
		}
		q, err := w.broker.CreateStandard(name, opts...)
		if err != nil {
			return err
		}
		if _, err := standard.Subscribe(Queue(q), WithRawDelivery()); err != nil {
			return err
		}
	}
	plain, err := w.broker.CreateStandard("plain")
	if err != nil {
		return err
	}
	if _, err := fifo.Subscribe(Queue(plain), WithRawDelivery()); err != nil {
		return err
	}
	narrow, err := w.broker.Queue("narrow")
	if err != nil {
		return err
	}
	for _, name := range []string{"a.fifo", "b.fifo"} {
		q, err := w.broker.CreateFIFO(name)
		if err != nil {
			return err
		}
		if _, err := fifo.Subscribe(QueueARN(q.ARN()), WithRawDelivery()); err != nil {
			return err
		}
	}
	for i := range 24 {
		body := fmt.Sprintf("%02d", i)
		r.sent["s"] = append(r.sent["s"], body)
		if _, err := standard.Publish(ctx, Message{Body: body}); err != nil {
			return err
		}
		r.acknowledged["s"] = append(r.acknowledged["s"], body)
		var batch []Message
		for _, body := range []string{"x" + body, "y" + body} {
			batch = append(batch, Message{Body: body, GroupID: "g", DeduplicationID: body})
			r.sent["f"] = append(r.sent["f"], body)
		}
		if _, err := fifo.PublishBatch(ctx, batch); err != nil {
			return err
		}
		r.acknowledged["f"] = append(r.acknowledged["f"], "x"+body, "y"+body)
		if _, err := fifo.PublishBatch(ctx, batch); err != nil { // all of them duplicates
			return err
		}
		if i%3 == 2 { // which lets copies in that wait
			ds, err := narrow.Receive(ctx, inq.ReceiveInput{Max: 10})
			if err != nil {
				return err
			}
			for i := range ds {
				r.deleting[ds[i].Body] = true
				if err := ds[i].Delete(ctx); err != nil {
					return err
				}
				r.taken[ds[i].Body] = true
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
	}
	return nil
}

// repeat publishes the latest messages once more, as a publisher does that got no answer.
func (r *crashRun) repeat(t *testing.T, w *world) {
	fifo, err := w.Topic("f.fifo")
	if err != nil {
		return
	}
	for _, body := range r.sent["f"][max(len(r.sent["f"])-4, 0):] {
		_, err := fifo.Publish(t.Context(), Message{Body: body, GroupID: "g", DeduplicationID: body})
		require.NoError(t, err)
		if !slices.Contains(r.acknowledged["f"], body) {
			r.acknowledged["f"] = append(r.acknowledged["f"], body)
		}
	}
}

// arrived drains all queues, until copies that wait have come too.
func arrived(t *testing.T, w *world) map[string][]string {
	all := map[string][]string{}
	for range 16 {
		synctest.Wait()
		for _, name := range []string{"a", "b", "narrow", "plain", "a.fifo", "b.fifo"} {
			if q, err := w.broker.Queue(name); err == nil {
				all[name] = append(all[name], bodies(t, q)...)
			}
		}
		time.Sleep(25 * time.Second)
	}
	return all
}

// check looks whether everything that was acknowledged has arrived, once, and nothing that was not sent.
func (r *crashRun) check(t *testing.T, at string, all map[string][]string) {
	require.Equal(t, all["a.fifo"], all["b.fifo"], "%s: a copy for one queue of the topic and not for the other", at)
	require.True(t, slices.IsSortedFunc(all["a.fifo"], func(a, b string) int { return strings.Compare(a[1:]+a[:1], b[1:]+b[:1]) }), "%s: %v", at, all["a.fifo"])
	for name, topic := range map[string]string{"a": "s", "b": "s", "narrow": "s", "plain": "f", "a.fifo": "f", "b.fifo": "f"} {
		times := map[string]int{}
		if name == "narrow" {
			for body := range r.taken {
				times[body]++
			}
		}
		for _, body := range all[name] {
			times[body]++
			require.Contains(t, r.sent[topic], body, at)
			require.Equal(t, 1, times[body], "%s: %s came to %s twice", at, body, name)
		}
		for _, body := range r.acknowledged[topic] {
			if name == "narrow" && r.deleting[body] && !r.taken[body] {
				continue
			}
			require.Equal(t, 1, times[body], "%s: %s did not come to %s", at, body, name)
		}
	}
}

// TestTheDiskStopsAtEveryCall has the power go at each call of the file system in turn.
func TestTheDiskStopsAtEveryCall(t *testing.T) {
	calls, points := 0, 0
	for stop := 0; stop <= calls; stop++ {
		synctest.Test(t, func(t *testing.T) {
			files := faultfs.New()
			files.Inject(func(c faultfs.Call) faultfs.Fault { return faultfs.Fault{Crash: c.N == stop, Part: c.N%2 == 0} })
			r := &crashRun{map[string][]string{}, map[string][]string{}, map[string]bool{}, map[string]bool{}}
			w, j, err := journaledWorld(t, files)
			if err == nil {
				err = r.work(w)
				synctest.Wait()
			}
			if stop == 0 { // the run that is only counted
				require.NoError(t, err)
				calls = files.Calls()
			}
			files.Crash()
			if w != nil {
				_, _, _ = w.Account.Close(), w.broker.Close(), j.Close()
			}

			disk := files.AfterPowerLoss(rand.New(rand.NewPCG(uint64(stop), 1)))
			w, j, err = journaledWorld(t, disk)
			require.NoError(t, err, "call %d", stop)
			r.repeat(t, w)
			r.check(t, fmt.Sprintf("call %d", stop), arrived(t, w))
			checkInvariants(t, w.Account)
			require.NoError(t, w.Account.Close())
			require.NoError(t, w.broker.Close())
			require.NoError(t, j.Close())
			points++
		})
	}
	t.Logf("%d crash points", points)
	require.Greater(t, points, 100)
}

func TestAnAccountBeginsOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, files := t.Context(), faultfs.New()
		w, j, err := journaledWorld(t, files)
		require.NoError(t, err)
		topic := w.standard("t")
		q, err := w.broker.CreateStandard("q")
		require.NoError(t, err)
		w.subscribe(topic, Queue(q), WithRawDelivery())
		files.SetLimit(files.Used() + 100_000)
		published := 0
		for ; err == nil; published++ {
			_, err = topic.Publish(ctx, Message{Body: strings.Repeat("x", 500)})
		}
		require.ErrorIs(t, err, inq.ErrJournalFull)
		files.Crash()
		w.close()
		_ = j.Close()

		files = files.AfterKill()
		files.SetLimit(files.Used())
		w, j, err = journaledWorld(t, files)
		require.NoError(t, err)
		defer j.Close()
		defer w.close()
		topic, err = w.Topic("t")
		require.NoError(t, err)
		_, err = topic.Publish(ctx, Message{Body: "x"})
		require.ErrorIs(t, err, inq.ErrJournalFull)
		back, err := w.broker.Queue("q")
		require.NoError(t, err)
		require.Len(t, bodies(t, back), published-1)
	})
}
