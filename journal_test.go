package inq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// lives is a journal over several lives of its process.
type lives struct {
	*testing.T
	disk journal.FS
	j    *Journal
	opts []JournalOption

	limit int64 // of the disk in the next life; 0: none
}

// withJournal runs f in a bubble with a journal.
func withJournal(t *testing.T, f func(l *lives), opts ...JournalOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lives{T: t, disk: faultfs.New(), opts: opts}
		l.open()
		defer func() { require.NoError(t, l.j.Close()) }()
		f(l)
	})
}

func (l *lives) open() {
	l.Helper()
	j, err := OpenJournal("journal", append([]JournalOption{onFiles(l.disk)}, l.opts...)...)
	require.NoError(l, err)
	l.j = j
}

// restart ends the life of the process properly, and begins another.
func (l *lives) restart() {
	l.Helper()
	require.NoError(l, l.j.Close())
	l.open()
}

// kill ends it as kill -9 does.
func (l *lives) kill() {
	l.Helper()
	synctest.Wait()
	old := l.j
	l.disk.(*faultfs.FS).Crash()
	for _, q := range old.openQueues() {
		stop(q)
	}
	_ = old.log.Close()
	next := l.disk.(*faultfs.FS).AfterKill()
	next.SetLimit(l.limit)
	l.disk = next
	l.open()
}

func (l *lives) standard(name string, opts ...StandardOption) steps {
	l.Helper()
	q, err := NewStandard(name, append(opts, WithJournal(l.j))...)
	require.NoError(l, err)
	return steps{l, &q.queue}
}

func (l *lives) fifo(name string, opts ...FIFOOption) steps {
	l.Helper()
	q, err := NewFIFO(name, append(opts, WithJournal(l.j))...)
	require.NoError(l, err)
	return steps{l, &q.queue}
}

// onBothInJournal runs f for a queue of each type in a journal; open makes the queue anew.
func onBothInJournal(t *testing.T, f func(l *lives, open func() steps), opts ...Option) {
	t.Helper()
	t.Run("standard", func(t *testing.T) {
		withJournal(t, func(l *lives) { f(l, func() steps { return l.standard("q", Options(opts...)) }) })
	})
	t.Run("FIFO", func(t *testing.T) {
		withJournal(t, func(l *lives) {
			f(l, func() steps { return l.fifo("q.fifo", Options(opts...), WithContentBasedDeduplication(true)) })
		})
	})
}

func TestJournal_HandlesIDsAndNumbersOutliveARestart(t *testing.T) {
	for _, how := range []func(*lives){(*lives).restart, (*lives).kill} {
		onBothInJournal(t, func(l *lives, open func() steps) {
			s := open()
			sent, err := s.q.Send(l.Context(), s.message("a-1"))
			require.NoError(l, err)
			s.send("b-1", "c-1", "d-1")
			d := s.receive(2, time.Hour)
			require.Len(l, d, 2)
			handle, id, number := d[0].ReceiptHandle(), d[1].ID(), d[1].SequenceNumber()
			require.Equal(l, sent.ID(), d[0].ID())
			how(l)

			s = open()
			s.counts(2, 2, 0)
			require.NoError(l, s.q.Delete(l.Context(), handle))
			require.NoError(l, s.q.ChangeVisibility(l.Context(), d[1].ReceiptHandle(), 0))
			again := s.one(time.Hour)
			if again.Body != "b-1" { // on FIFO its group goes behind the others
				s.one(time.Hour)
				again = s.one(time.Hour)
			}
			require.Equal(l, "b-1", again.Body)
			require.Equal(l, []any{id, number, 2}, []any{again.ID(), again.SequenceNumber(), again.ReceiveCount})
			require.True(l, d[1].FirstReceivedAt().Equal(again.FirstReceivedAt()))
			require.True(l, d[1].SentAt().Equal(again.SentAt()))
			later, err := s.q.Send(l.Context(), s.message("e-1"))
			require.NoError(l, err)
			if s.q.fifo != nil {
				require.Greater(l, later.SequenceNumber(), number)
			}
		})
	}
}

func TestJournal_TimesGoOnWhileNobodyIsThere(t *testing.T) {
	withJournal(t, func(l *lives) {
		s := l.standard("q", WithVisibilityTimeout(30*time.Second))
		s.later("late", 10*time.Second)
		s.send("a")
		d := s.one(0)
		require.NoError(l, s.q.Close())
		time.Sleep(9 * time.Second)
		s = l.standard("q", WithVisibilityTimeout(30*time.Second))
		s.counts(0, 1, 1)
		time.Sleep(time.Second)
		s.counts(1, 1, 0)
		time.Sleep(20*time.Second - 1)
		s.counts(1, 1, 0)
		time.Sleep(time.Nanosecond)
		s.counts(2, 0, 0)
		s.gets(2, 0, "late", "a")
		require.NoError(l, s.q.Delete(l.Context(), d.ReceiptHandle()))
	})
}

func TestJournal_AClockThatWasSetBackDelaysNothingLonger(t *testing.T) {
	disk := faultfs.New()
	const year = 365 * 24 * time.Hour
	life := func(sleep time.Duration, f func(l *lives)) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(sleep)
			l := &lives{T: t, disk: disk}
			l.open()
			f(l)
			require.NoError(t, l.j.Close())
		})
	}
	make := func(l *lives) (steps, steps) {
		return l.standard("q", WithVisibilityTimeout(30*time.Second)), l.fifo("q.fifo", WithDelay(10*time.Second), WithContentBasedDeduplication(true))
	}
	life(year, func(l *lives) {
		s, f := make(l)
		s.later("late", 10*time.Second)
		s.send("a", "b")
		s.one(0)
		f.send("g-1", "g-2")
	})
	life(0, func(l *lives) { // a year back
		s, f := make(l)
		s.counts(1, 1, 1)
		f.counts(0, 0, 2)
		for m := range s.q.Messages() {
			require.False(l, m.SentAt.After(time.Now()))
		}
		s.send("c")
		again, err := f.q.Send(l.Context(), f.message("g-1"))
		require.NoError(l, err)
		require.True(l, again.Duplicate())
		checkInvariants(l, s.q)
		checkInvariants(l, f.q)
		time.Sleep(10 * time.Second)
		s.counts(3, 1, 0)
		f.counts(2, 0, 0)
		time.Sleep(20 * time.Second)
		s.gets(10, 0, "late", "a", "b", "c")
		f.gets(1, 0, "g-1")
	})
	life(year+24*time.Hour, func(l *lives) { // and a day forward
		s, f := make(l)
		s.counts(4, 0, 0) // none came before those with lower numbers
		f.counts(2, 0, 0)
		again, err := f.q.Send(l.Context(), f.message("g-1"))
		require.NoError(l, err)
		require.False(l, again.Duplicate(), "its five minutes are over")
		s.gets(4, 0, "late", "a", "b", "c")
		f.gets(2, 0, "g-1", "g-2")
		checkInvariants(l, s.q)
		checkInvariants(l, f.q)
	})
	life(year+6*24*time.Hour, func(l *lives) {
		s, f := make(l)
		s.counts(0, 0, 0) // their four days are over
		f.counts(0, 0, 0)
		require.EqualValues(l, 4, s.q.Stats().Expired)
	})
}

func TestJournal_WhatIsKnownOfADuplicateOutlivesARestart(t *testing.T) {
	withJournal(t, func(l *lives) {
		open := func() steps { return l.fifo("q.fifo") }
		s := open()
		in := Message{Body: "a", GroupID: "g", DeduplicationID: "id"}
		sent, err := s.q.Send(l.Context(), in)
		require.NoError(l, err)
		s.delete(*s.one(0))
		for _, how := range []func(){l.restart, l.kill, func() { require.NoError(l, s.q.Close()) }} {
			time.Sleep(time.Minute)
			how()
			s = open()
			again, err := s.q.Send(l.Context(), in)
			require.NoError(l, err)
			require.True(l, again.Duplicate())
			require.Equal(l, []string{sent.ID(), sent.SequenceNumber()}, []string{again.ID(), again.SequenceNumber()})
		}
		time.Sleep(2*time.Minute - 1)
		require.True(l, s.sends(in).Duplicate())
		time.Sleep(time.Nanosecond)
		require.False(l, s.sends(in).Duplicate())
		require.NoError(l, s.q.Purge(l.Context()))
		l.kill()
		s = open()
		require.False(l, s.sends(in).Duplicate())
	})
}

func (s steps) sends(m Message) Sent {
	s.Helper()
	sent, err := s.q.Send(s.Context(), m)
	require.NoError(s, err)
	return sent
}

func TestJournal_ReleaseOnOpenMakesVisibleWhatWasInFlight(t *testing.T) {
	withJournal(t, func(l *lives) {
		s := l.standard("q")
		s.send("a", "b")
		d := s.one(time.Hour)
		l.kill()
		s = l.standard("q")
		s.counts(2, 0, 0)
		require.Equal(l, 2, s.receive(1, time.Hour)[0].ReceiveCount)
		require.NoError(l, s.q.Close())
		s = l.standard("q") // in the same process its consumers may live
		s.counts(1, 1, 0)
		require.NoError(l, s.q.Delete(l.Context(), d.ReceiptHandle()))
	}, WithReleaseOnOpen())
}

func TestJournal_AReceiveCountsBeforeItsMessageIsDelivered(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "after a wait": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			onBothInJournal(t, func(l *lives, open func() steps) {
				s := open()
				if wait == 0 {
					s.send("a-1")
				}
				for n := 1; n <= 3; n++ {
					got := await(l.Context(), s.q, ReceiveInput{Wait: wait, VisibilityTimeout: 5 * time.Second})
					synctest.Wait()
					if wait != 0 && n == 1 {
						s.send("a-1")
					}
					ds := <-got
					require.Len(l, ds.ds, 1)
					require.Equal(l, n, ds.ds[0].ReceiveCount)
					l.disk.(*faultfs.FS).Crash() // the job ends the process
					l.kill()
					s = open()
					if wait == 0 {
						time.Sleep(5 * time.Second)
					}
				}
			})
		})
	}
}

func TestJournal_AFullDiskRefusesSendsAloneAndGoesOnByItself(t *testing.T) {
	onBothInJournal(t, func(l *lives, open func() steps) {
		ctx := l.Context()
		disk := l.disk.(*faultfs.FS)
		s := open()
		body := strings.Repeat("x", 1000)
		accepted := 0
		disk.SetLimit(disk.Used() + 200_000)
		for n := 0; ; n++ {
			in := Message{Body: fmt.Sprintf("%s%d", body, n)}
			if s.q.fifo != nil {
				in.GroupID = fmt.Sprintf("g%d", n%50)
			}
			_, err := s.q.Send(ctx, in)
			if err != nil {
				require.ErrorIs(l, err, ErrJournalFull)
				break
			}
			accepted++
		}
		require.True(l, l.j.Stats().Full)
		s.counts(accepted, 0, 0)
		checkInvariants(l, s.q)
		_, err := s.q.SendBatch(ctx, []Message{s.message("x-1"), s.message("y-1")})
		require.ErrorIs(l, err, ErrJournalFull)
		s.counts(accepted, 0, 0)

		// Receives, changes and deletes go on.
		for left := accepted; left > 0; {
			got := s.receive(10, time.Hour)
			require.NotEmpty(l, got)
			left -= len(got)
			require.NoError(l, s.q.ChangeVisibility(ctx, got[0].ReceiptHandle(), 2*time.Hour))
			require.NoError(l, s.q.DeleteAll(ctx, got))
		}
		s.counts(0, 0, 0)

		// With room again, sends do too.
		disk.SetLimit(0)
		time.Sleep(2 * time.Second)
		_, _ = s.q.Send(ctx, s.message("x-1"))
		synctest.Wait()
		time.Sleep(2 * time.Second)
		s.send("y-1")
		l.kill()
		s = open()
		bodies := map[string]bool{}
		for m := range s.q.Messages() {
			bodies[m.Body] = true
		}
		require.True(l, bodies["y-1"])
		require.LessOrEqual(l, len(bodies), 2)
	})
}

func TestJournal_OpensWithoutAnyRoom(t *testing.T) {
	withJournal(t, func(l *lives) {
		ctx := l.Context()
		disk := l.disk.(*faultfs.FS)
		s := l.standard("q", WithVisibilityTimeout(12*time.Hour))
		disk.SetLimit(disk.Used() + 100_000)
		accepted := 0
		for ; ; accepted++ {
			if _, err := s.q.Send(ctx, Message{Body: strings.Repeat("x", 500)}); err != nil {
				require.ErrorIs(l, err, ErrJournalFull)
				break
			}
		}
		for n := 0; ; n++ { // the reserve too
			ds, err := s.q.Receive(ctx, ReceiveInput{VisibilityTimeout: 1})
			if err == nil && len(ds) == 1 {
				err = ds[0].ChangeVisibility(ctx, 0)
			}
			if err != nil {
				require.ErrorIs(l, err, ErrJournalFull)
				break
			}
		}
		l.limit = disk.Used()
		l.kill()
		disk = l.disk.(*faultfs.FS)
		s = l.standard("q")
		c, err := s.q.Counts(ctx)
		require.NoError(l, err)
		require.Equal(l, accepted, c.Visible+c.NotVisible)
		if _, err = s.q.Send(ctx, Message{Body: "y"}); err != nil { // there may be something to clean
			require.ErrorIs(l, err, ErrJournalFull)
		}
		disk.SetLimit(0)
		time.Sleep(5 * time.Second)
		_, _ = s.q.Send(ctx, Message{Body: "y"})
		time.Sleep(5 * time.Second)
		s.send("z")
		checkInvariants(l, s.q)
	}, WithSegmentSize(16<<10))
}

func TestJournal_AMoveTaskFindsTheWayBackAfterARestart(t *testing.T) {
	withJournal(t, func(l *lives) {
		s, dead := l.standard("q"), l.standard("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.send("a")
		s.one(Zero)
		s.receive(1, 0)
		dead.counts(1, 0, 0)
		l.kill()
		dead = l.standard("dead")
		task := dead.redrive(RedriveInput{})
		<-task.Done()
		require.ErrorIs(l, task.Err(), ErrNoSource, "the queue is not open")
		s = l.standard("q")
		task = dead.redrive(RedriveInput{})
		<-task.Done()
		require.NoError(l, task.Err())
		s.counts(1, 0, 0)
		l.kill()
		l.standard("dead").counts(0, 0, 0)
		l.standard("q").counts(1, 0, 0)
	})
}

func TestJournal_AFailureIsForGoodAndEndsWaits(t *testing.T) {
	onBothInJournal(t, func(l *lives, open func() steps) {
		ctx := l.Context()
		disk := l.disk.(*faultfs.FS)
		s := open()
		s.send("a-1", "b-1")
		d := s.one(time.Hour)
		other := l.standard("other")
		waiting := await(ctx, other.q, ReceiveInput{Wait: 20 * time.Second})
		synctest.Wait()
		disk.Inject(func(c faultfs.Call) faultfs.Fault {
			if c.Op == faultfs.Sync {
				return faultfs.Fault{Err: syscall.EIO}
			}
			return faultfs.Fault{}
		})
		_, err := s.q.Send(ctx, s.message("c-1"))
		require.ErrorIs(l, err, ErrJournalFailed)
		disk.Inject(nil)
		w := <-waiting
		require.ErrorIs(l, w.err, ErrJournalFailed)
		for range 2 {
			_, err = s.q.Send(ctx, s.message("d-1"))
			require.ErrorIs(l, err, ErrJournalFailed)
			_, err = s.q.Receive(ctx, ReceiveInput{})
			require.ErrorIs(l, err, ErrJournalFailed)
			_, err = s.q.Receive(ctx, ReceiveInput{Wait: time.Second})
			require.ErrorIs(l, err, ErrJournalFailed)
			require.ErrorIs(l, s.q.Delete(ctx, d.ReceiptHandle()), ErrJournalFailed)
			require.ErrorIs(l, s.q.Purge(ctx), ErrJournalFailed)
			require.ErrorIs(l, s.q.ChangeVisibility(ctx, d.ReceiptHandle(), time.Hour), ErrJournalFailed)
			time.Sleep(time.Minute)
		}
		s.counts(1, 1, 0)
		checkInvariants(l, s.q)
		require.ErrorIs(l, l.j.Stats().Err, ErrJournalFailed)
		require.Zero(l, disk.SyncsAfterFailure())
		l.kill()
		s = open()
		c, err := s.q.Counts(ctx)
		require.NoError(l, err)
		require.Equal(l, 1, c.NotVisible)
		require.Contains(l, []int{1, 2}, c.Visible, "what became of the send is not known")
	})
}

func TestJournal_KnowsItsQueues(t *testing.T) {
	withJournal(t, func(l *lives) {
		ctx := l.Context()
		s := l.standard("b")
		s.send("x")
		l.fifo("a.fifo")
		require.Equal(l, []string{"a.fifo", "b"}, l.j.Queues())
		_, err := NewStandard("b", WithJournal(l.j))
		require.ErrorIs(l, err, ErrInvalidParameter)
		require.ErrorContains(l, err, "is open in this journal already")
		require.ErrorIs(l, l.j.Drop("b"), ErrInvalidParameter)
		require.ErrorIs(l, l.j.Drop("c"), ErrQueueDoesNotExist)
		require.ErrorIs(l, s.q.self.(*Standard).Configure(WithJournal(l.j)), ErrInvalidParameter)
		require.NoError(l, s.q.Close())
		require.NoError(l, s.q.Close())
		require.ErrorIs(l, s.q.Purge(ctx), ErrClosed)
		require.NoError(l, l.j.Drop("b"))
		require.Equal(l, []string{"a.fifo"}, l.j.Queues())
		l.kill()
		require.Equal(l, []string{"a.fifo"}, l.j.Queues())
		s = l.standard("b")
		s.counts(0, 0, 0)
		require.NoError(l, l.j.Close())
		require.NoError(l, l.j.Close())
		_, err = NewStandard("d", WithJournal(l.j))
		require.ErrorIs(l, err, ErrClosed)
		require.ErrorIs(l, l.j.Drop("a.fifo"), ErrClosed)
		_, err = s.q.Send(ctx, Message{Body: "x"})
		require.ErrorIs(l, err, ErrClosed)
		l.open()
	})
}

func TestJournal_IsOpenOnce(t *testing.T) {
	disk := InMemory()
	j, err := OpenJournal("dir", disk)
	require.NoError(t, err)
	_, err = OpenJournal("dir", disk)
	require.ErrorIs(t, err, ErrJournalInUse)
	require.ErrorContains(t, err, "dir")
	other, err := OpenJournal("other", disk)
	require.NoError(t, err)
	require.NoError(t, errors.Join(j.Close(), other.Close()))
	for _, o := range []JournalOption{WithSync(7), WithSyncInterval(0), WithSegmentSize(1), WithMaxDisk(1), WithJournalKey([]byte("short"))} {
		_, err = OpenJournal("dir", disk, o)
		require.ErrorIs(t, err, ErrInvalidParameter)
	}
	_, err = OpenJournal("dir", disk, nil)
	require.NoError(t, err)
}

func TestJournal_BetweenTwoJournalsNothingIsLost(t *testing.T) {
	withJournal(t, func(l *lives) {
		other := &lives{T: l.T, disk: faultfs.New()}
		other.open()
		defer func() { require.NoError(l, other.j.Close()) }()
		for _, d := range []steps{other.standard("dead"), standardSteps(l)} {
			s := l.standard("q")
			s.buriesIn(d.asTarget(), 1)
			s.send("a", "b", "c")
			ds := s.receive(3, Zero)
			require.Len(l, ds, 3)
			s.receive(10, 0)
			s.counts(0, 0, 0)
			d.counts(3, 0, 0)
			require.NoError(l, s.q.Close())
			if d.q.journal != nil {
				other.kill()
				d = other.standard("dead")
			}
			s = l.standard("q")
			s.counts(0, 0, 0)
			d.counts(3, 0, 0)
			checkInvariants(l, d.q)
			for m := range d.q.Messages() {
				require.Equal(l, s.q.arn, m.DeadLetterSourceARN)
				require.Equal(l, 1, m.ReceiveCount)
			}
			task := d.redrive(RedriveInput{Destination: s.q.self})
			<-task.Done()
			require.NoError(l, task.Err())
			s.counts(3, 0, 0)
			require.NoError(l, s.q.Purge(context.Background()))
			require.NoError(l, s.q.Close())
		}
	})
}

func TestJournal_WithAFullDiskDeadLettersStay(t *testing.T) {
	withJournal(t, func(l *lives) {
		disk := l.disk.(*faultfs.FS)
		s, dead := l.standard("q"), l.standard("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.send("a", "b")
		require.Len(l, s.receive(2, Zero), 2)
		disk.SetLimit(disk.Used() + 1)
		for {
			if _, err := dead.q.Send(l.Context(), Message{Body: strings.Repeat("x", 10_000)}); err != nil {
				require.ErrorIs(l, err, ErrJournalFull)
				break
			}
		}
		filled := dead.q.Stats().Sent
		s.receive(10, 0)
		s.counts(0, 2, 0)
		dead.counts(int(filled), 0, 0)
		require.EqualValues(l, 2, s.q.Stats().DeadLetterFailures)
		checkInvariants(l, s.q)
		checkInvariants(l, dead.q)
		disk.SetLimit(0)
		require.NoError(l, dead.q.Purge(l.Context()))
		time.Sleep(5 * time.Second)
		s.receive(10, 0)
		time.Sleep(5 * time.Second)
		s.receive(10, 0)
		s.counts(0, 0, 0)
		dead.counts(2, 0, 0)
	})
}
