package inq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// This file crashes queues with a journal at every call that the journal makes of its files, in a fixed run of
// operations, and looks at what is there afterwards: after the end of the process, and after the loss of the
// power. Then it crashes the recovery as well.

// crashRun is one run of the operations.
type crashRun struct {
	t      *testing.T
	rng    *rand.Rand
	fs     *faultfs.FS
	j      *Journal
	queues []*queue // two of each type; the second is the dead-letter queue of the first
	told   map[string]*crashMessage
	sends  int
	have   []crashDelivery
	ended  error // the first error of a journal
}

// crashMessage is what a producer and consumers know of a message.
type crashMessage struct {
	body, group, id, number string
	queue                   int
	order                   int
	sent                    bool // for sure
	deleted                 bool // for sure
	perhaps                 bool // it may have been deleted, or purged
	receives                int  // deliveries that returned
}

type crashDelivery struct {
	Delivery
	queue int
}

// open opens the journal and makes the queues.
func (r *crashRun) open(opts ...JournalOption) error {
	j, err := OpenJournal("journal", append([]JournalOption{onFiles(r.fs), WithSegmentSize(64 << 10)}, opts...)...)
	if err != nil {
		return err
	}
	r.j = j
	r.queues = nil
	common := Options(WithJournal(j), WithVisibilityTimeout(20*time.Second), WithoutSQSLimits())
	for _, name := range []string{"jobs", "dead"} {
		q, err := NewStandard(name, common)
		if err != nil {
			return err
		}
		r.queues = append(r.queues, &q.queue)
	}
	for _, name := range []string{"jobs.fifo", "dead.fifo"} {
		q, err := NewFIFO(name, common)
		if err != nil {
			return err
		}
		r.queues = append(r.queues, &q.queue)
	}
	for i := 0; i < 4; i += 2 {
		p := patch{set: setDeadLetter}
		p.target, p.maxReceives = r.queues[i+1].self, 3
		if err := r.queues[i].configure(&p); err != nil {
			return err
		}
	}
	return nil
}

// end stops what the queues do by themselves, as the end of the process does.
func (r *crashRun) end() {
	r.fs.Crash()
	for _, q := range r.queues {
		stop(q)
	}
	if r.j != nil {
		_ = r.j.log.Close()
	}
}

// over notes that a call failed for the journal, and reports whether it did.
func (r *crashRun) over(err error) bool {
	if errors.Is(err, ErrJournalFailed) || errors.Is(err, faultfs.ErrCrashed) {
		r.ended = err
		return true
	}
	return false
}

// message makes the next message of a queue.
func (r *crashRun) message(i int) (Message, *crashMessage) {
	r.sends++
	m := &crashMessage{body: fmt.Sprintf("m%d", r.sends), queue: i, order: r.sends}
	m.body += strings.Repeat(".", r.rng.IntN(16000))
	in := Message{Body: m.body}
	if i >= 2 {
		m.group = string(rune('a' + r.rng.IntN(3)))
		in.GroupID, in.DeduplicationID = m.group, fmt.Sprintf("id%d", r.sends)
	} else {
		if r.rng.IntN(2) == 0 {
			m.group = "tenant"
			in.GroupID = m.group
		}
		if r.rng.IntN(4) == 0 {
			in.Delay = 3 * time.Second
		}
	}
	if r.rng.IntN(4) == 0 {
		in.Attributes = map[string]Attribute{"n": Number("1")}
	}
	r.told[m.body] = m
	return in, m
}

func (m *crashMessage) accepted(s Sent) { m.sent, m.id, m.number = true, s.ID(), s.SequenceNumber() }

// step does one operation.
func (r *crashRun) step() {
	ctx := context.Background()
	i := 2 * r.rng.IntN(2)
	q := r.queues[i]
	switch k := r.rng.IntN(100); {
	case k < 25:
		in, m := r.message(i)
		s, err := q.Send(ctx, in)
		if r.over(err) {
			return
		}
		require.NoError(r.t, err)
		m.accepted(s)
	case k < 32:
		ins, ms := make([]Message, 3), make([]*crashMessage, 3)
		for n := range ins {
			ins[n], ms[n] = r.message(i)
		}
		sent, err := q.SendBatch(ctx, ins)
		if r.over(err) {
			return
		}
		require.NoError(r.t, err)
		for n, m := range ms {
			m.accepted(sent[n])
		}
	case k < 52:
		from := i + r.rng.IntN(8)/7
		ds, err := r.queues[from].Receive(ctx, ReceiveInput{Max: 1 + r.rng.IntN(10)})
		if r.over(err) {
			return
		}
		require.NoError(r.t, err)
		for _, d := range ds {
			m := r.told[d.Body]
			require.False(r.t, m.deleted, "%.8s was deleted", d.Body)
			m.receives = d.ReceiveCount
			r.have = append(r.have, crashDelivery{d, from})
		}
	case k < 64:
		if d, ok := r.take(); ok {
			m := r.told[d.Body]
			err := d.Delete(ctx)
			switch {
			case r.over(err):
				m.perhaps = true
			case err == nil:
				m.deleted = true
			default: // on FIFO its receive was over
				require.ErrorIs(r.t, err, ErrReceiptHandleExpired)
			}
		}
	case k < 80:
		var ds []Delivery
		for _, d := range r.have {
			if d.queue == i {
				ds = append(ds, d.Delivery)
			}
		}
		r.have = slices.DeleteFunc(r.have, func(d crashDelivery) bool { return d.queue == i })
		err := q.DeleteAll(ctx, ds)
		var batch *BatchError
		if err != nil && !errors.As(err, &batch) {
			require.True(r.t, r.over(err), "%v", err)
		}
		for n, d := range ds {
			m, fails := r.told[d.Body], error(nil)
			if batch != nil {
				for _, f := range batch.Failed {
					if f.Index == n {
						fails = f.Err
					}
				}
			} else {
				fails = err
			}
			switch {
			case r.over(fails):
				m.perhaps = true
			case fails == nil:
				m.deleted = true
			}
		}
	case k < 84:
		if d, ok := r.take(); ok {
			r.over(d.ChangeVisibility(ctx, time.Duration(r.rng.IntN(3))*10*time.Second))
			r.have = append(r.have, d)
		}
	case k < 87:
		if d, ok := r.take(); ok {
			r.told[d.Body].receives-- // also where nobody knows
			r.over(d.Return(ctx, time.Duration(r.rng.IntN(2))*time.Second))
		}
	case k < 90:
		if d, ok := r.take(); ok && d.queue == i {
			err := d.Bury(ctx, "hopeless")
			r.over(err)
		}
	case k < 91:
		for _, m := range r.told {
			if m.queue == i && !m.deleted {
				m.perhaps = true // it is in this queue, or in its dead-letter queue
			}
		}
		r.over(q.Purge(ctx))
	case k < 93:
		task, err := r.queues[i+1].Redrive(ctx, RedriveInput{Destination: q.self})
		if err == nil {
			<-task.Done()
			r.over(task.Err())
		}
	case k < 95:
		if err := q.Close(); r.over(err) {
			return
		}
		r.reopen(i)
	default:
		time.Sleep(time.Duration(1+r.rng.IntN(12)) * time.Second)
	}
}

// reopen makes a queue anew that was closed.
func (r *crashRun) reopen(i int) {
	common := Options(WithJournal(r.j), WithVisibilityTimeout(20*time.Second), WithoutSQSLimits(),
		WithDeadLetter(r.queues[i+1].self.(DeadLetterTarget), 3))
	if i < 2 {
		q, err := NewStandard("jobs", common)
		if r.over(err) {
			return
		}
		require.NoError(r.t, err)
		r.queues[i] = &q.queue
	} else {
		q, err := NewFIFO("jobs.fifo", common)
		if r.over(err) {
			return
		}
		require.NoError(r.t, err)
		r.queues[i] = &q.queue
	}
	r.have = slices.DeleteFunc(r.have, func(d crashDelivery) bool { return d.queue == i })
}

// take takes one of the deliveries that consumers have.
func (r *crashRun) take() (d crashDelivery, ok bool) {
	if len(r.have) == 0 {
		return d, false
	}
	i := r.rng.IntN(len(r.have))
	d = r.have[i]
	r.have = slices.Delete(r.have, i, i+1)
	return d, true
}

// check compares what is there after a crash with what was told before. With strict all that was acknowledged
// must be so, and the counts of receives.
func (r *crashRun) check(strict, counts bool) {
	t := r.t
	found := map[string]Snapshot{}
	for i, q := range r.queues {
		checkInvariants(t, q)
		last := map[string]int{}
		for s := range q.Messages() {
			m := r.told[s.Body]
			require.NotNil(t, m, "nobody sent %.8s", s.Body)
			_, twice := found[s.Body]
			require.False(t, twice, "%.8s is there twice", s.Body)
			found[s.Body] = s
			require.False(t, strict && m.deleted, "%.8s was deleted", s.Body)
			require.Equal(t, m.queue, i-i%2, "%.8s is in %s", s.Body, q.name)
			require.Equal(t, m.group, s.GroupID)
			if i == 2 && s.ID == m.id { // a move task makes a message new
				require.Equal(t, m.number, s.SequenceNumber)
				require.Greater(t, m.order, last[m.group], "%.8s is out of order", s.Body)
				last[m.group] = m.order
			}
			if counts && s.ID == m.id {
				require.GreaterOrEqual(t, s.ReceiveCount, m.receives, "%.8s", s.Body)
			}
		}
	}
	if !strict {
		return
	}
	for body, m := range r.told {
		if _, there := found[body]; !there && m.sent && !m.deleted && !m.perhaps {
			require.Fail(t, "lost", "%.8s of %s", body, r.queues[m.queue].name)
		}
	}
}

// goesOn uses the queues after a crash.
func (r *crashRun) goesOn() {
	ctx := context.Background()
	for i := 0; i < 4; i += 2 {
		q := r.queues[i]
		in, m := r.message(i)
		in.Delay = 0
		s, err := q.Send(ctx, in)
		require.NoError(r.t, err)
		require.False(r.t, s.Duplicate())
		for _, o := range r.told {
			require.True(r.t, o == m || o.id != s.ID(), "an id is given twice")
		}
		m.accepted(s)
		if i == 2 {
			again, err := q.Send(ctx, in)
			require.NoError(r.t, err)
			require.True(r.t, again.Duplicate())
			for _, o := range r.told {
				if o.queue == 2 && o != m && o.sent {
					require.Greater(r.t, s.SequenceNumber(), o.number)
				}
			}
		}
	}
	time.Sleep(13 * time.Hour) // what was in flight times out
	for _, q := range r.queues {
		for {
			ds, err := q.Receive(ctx, ReceiveInput{Max: 10})
			require.NoError(r.t, err)
			if len(ds) == 0 {
				break
			}
			require.NoError(r.t, q.DeleteAll(ctx, ds))
		}
		c, err := q.Counts(ctx)
		require.NoError(r.t, err)
		require.Zero(r.t, c.Delayed)
		checkInvariants(r.t, q)
	}
}

const crashSteps = 200

// crashAt runs the operations until the file system crashes at a call, 0: never. It returns the run, and how many
// calls it made.
func crashAt(t *testing.T, seed uint64, at int, part bool, opts ...JournalOption) (r *crashRun) {
	r = &crashRun{t: t, rng: rand.New(rand.NewPCG(seed, 0)), fs: faultfs.New(), told: map[string]*crashMessage{}}
	r.fs.Inject(func(c faultfs.Call) faultfs.Fault {
		if c.N == at {
			return faultfs.Fault{Crash: true, Part: part}
		}
		return faultfs.Fault{}
	})
	if err := r.open(opts...); err != nil {
		require.True(t, r.over(err) || at != 0, "%v", err)
		r.end()
		return r
	}
	for n := 0; n < crashSteps && r.ended == nil; n++ {
		r.step()
	}
	synctest.Wait()
	if at == 0 {
		for _, q := range r.queues {
			checkInvariants(t, q)
		}
		s := r.j.Stats()
		t.Logf("%d sent, %d commits, %d syncs, %d segments, %d removed", r.sends, s.Commits, s.Syncs, s.Segments, r.j.log.Stats().Removed)
	}
	r.end()
	return r
}

// recovered opens what a crash left, and crashes that as well at a call, 0: never.
func (r *crashRun) recovered(fs *faultfs.FS, at int, opts ...JournalOption) (ok bool) {
	r.fs, r.j, r.queues = fs, nil, nil
	r.fs.Inject(func(c faultfs.Call) faultfs.Fault {
		if c.N == at {
			return faultfs.Fault{Crash: true}
		}
		return faultfs.Fault{}
	})
	err := r.open(opts...)
	if err != nil {
		require.NotZero(r.t, at, "%v", err)
		r.end()
	}
	return err == nil
}

func TestCrash_AtEveryPoint(t *testing.T) {
	const seed = 1
	for name, mode := range map[string][]JournalOption{"always": nil, "OS": {WithSync(SyncOS)}, "interval": {WithSyncInterval(time.Second)}} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			synctest.Test(t, func(t *testing.T) { calls = crashAt(t, seed, 0, false, mode...).fs.Calls() })
			require.Greater(t, calls, 100)
			points, inside := 0, 0
			step := 7 // INQ_CRASH_POINTS=all, which takes half a minute and is for CI, tries every one
			switch all := os.Getenv("INQ_CRASH_POINTS") == "all"; {
			case all && name == "always":
				step = 1
			case !all && name != "always":
				step = 23
			}
			for at := 1; at <= calls && !t.Failed(); at += step {
				for _, power := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						points++
						r := crashAt(t, seed, at, at%2 == 0, mode...)
						left := r.fs.AfterKill()
						if power {
							left = r.fs.AfterPowerLoss(rand.New(rand.NewPCG(seed, uint64(at))))
						}
						// Crash the recovery at some of its calls, and then let it be.
						for again := 1 + at%3; again < 60; again += 5 {
							done := r.recovered(left, again, mode...)
							if done {
								r.end()
							} else {
								inside++
							}
							if left = r.fs.AfterKill(); power {
								left = r.fs.AfterPowerLoss(rand.New(rand.NewPCG(seed, uint64(again))))
							}
							if done {
								break
							}
						}
						require.True(t, r.recovered(left, 0, mode...))
						r.check(!power || name == "always", !power)
						if at%5 == 0 {
							r.goesOn()
						}
						require.NoError(t, r.j.Close())
					})
					if t.Failed() {
						t.Logf("crash at call %d of %d, power lost: %v", at, calls, power)
						return
					}
				}
			}
			t.Logf("%d crashes, and %d more inside the recovery", points, inside)
		})
	}
}
