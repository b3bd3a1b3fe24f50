package inq

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// A message whose retention passes while the disk is slow was in the queue, or was not, as its send says.
func TestJournal_RetentionPassesWhileAMessageWaitsForItsCommit(t *testing.T) {
	for _, refused := range []bool{false, true} {
		var sent, expired int
		opts := Options(WithoutSQSLimits(), WithRetention(10*time.Millisecond), WithObserver(func(events []Event) {
			for _, e := range events {
				switch e.Kind {
				case EventSent:
					sent++
				case EventExpired:
					expired++
				}
			}
		}))
		onBothInJournal(t, func(l *lives, open func() steps) {
			sent, expired = 0, 0
			s := open()
			before := s.q.journal.log.Stats().Live
			l.disk.(*faultfs.FS).Inject(func(c faultfs.Call) (f faultfs.Fault) {
				if c.Op == faultfs.Write && strings.HasSuffix(c.Name, ".inqj") {
					time.Sleep(time.Second)
					if refused {
						f.Err = journal.ErrNoSpace
					}
				}
				return f
			})
			_, err := s.q.Send(l.Context(), s.message("a-1"))
			l.disk.(*faultfs.FS).Inject(nil)
			if refused {
				require.ErrorIs(l, err, ErrJournalFull)
			} else {
				require.NoError(l, err)
			}
			s.counts(0, 0, 0)
			require.Equal(l, sent, expired)
			require.Equal(l, !refused, sent == 1)
			time.Sleep(2 * dedupWindow)
			require.Equal(l, before, s.q.journal.log.Stats().Live, "nothing lives")
			checkInvariants(l, s.q)
			_ = s.q.journal.room(journal.Send) // looks for room
			time.Sleep(time.Second)
			s.send("a-2")
			time.Sleep(10 * time.Millisecond)
			s.counts(0, 0, 0)
			require.NoError(l, s.q.Close())
		}, opts)
	}
}

// An id whose message waits for its commit is not carried: the log takes the weight back itself if the
// message finds no room.
func TestJournal_IDsThatWaitForTheirCommitAreNotCarried(t *testing.T) {
	withJournal(t, func(l *lives) {
		s := l.fifo("q.fifo")
		s.send("a-1")
		k, d := s.q.journal, &s.q.fifo.dedup
		segment := k.dedup.at(d.begin)
		l.disk.(*faultfs.FS).SetLimit(l.disk.(*faultfs.FS).Used() + 1<<20)

		var p payload
		m := Message{Body: strings.Repeat("b", 1<<20), GroupID: "b", DeduplicationID: "b"}
		require.NoError(l, s.q.prepare(&p, &m, s.q.settings.Load()))
		now, err := s.q.enterToSend(1, p.size)
		require.NoError(l, err)
		_, err = s.q.acceptLocked(now, &p, s.q.settings.Load())
		require.NoError(l, err)
		s.q.pauseLocked(now)
		w := pendingSend{s.q, s.q.takeDueLocked()}
		at := k.dedup.at(d.begin + 1)
		n, carried := s.q.carryDedupLocked(at, 256)
		after := k.dedup.at(d.begin + 1)
		s.q.mu.Unlock()
		require.NoError(l, carried)
		if at == segment {
			require.Equal(l, 1, n)
		} else {
			require.Zero(l, n)
		}
		require.Equal(l, at, after)
		require.ErrorIs(l, w.Wait(), ErrJournalFull)
		checkInvariants(l, s.q)
	}, WithSegmentSize(64<<10))
}

// A send finds no room, and what rode along with it does.
func TestJournal_ASendIsRefusedAlthoughItsNotesFindRoom(t *testing.T) {
	onBothLimited := func(f func(l *lives, s steps)) {
		withJournal(t, func(l *lives) { f(l, l.standard("q")) }, WithSegmentSize(64<<10))
		withJournal(t, func(l *lives) { f(l, l.fifo("q.fifo")) }, WithSegmentSize(64<<10))
	}
	onBothLimited(func(l *lives, s steps) {
		s.send("a-1")
		s.receive(1, time.Second)
		s.loseTimer()
		time.Sleep(time.Second) // the message times out in the critical section of the send
		l.disk.(*faultfs.FS).SetLimit(l.disk.(*faultfs.FS).Used() + 1000)
		m := s.message("b-1")
		m.Body = strings.Repeat("b", 1<<20)
		_, err := s.q.Send(l.Context(), m)
		require.ErrorIs(l, err, ErrJournalFull)
		s.counts(1, 0, 0)
		checkInvariants(l, s.q)
	})
}

// A receive that waits is handed a message, and its lease is written, while a send finds no room.
func TestJournal_AWaitingReceiveHasItsMessageAlthoughASendFindsNoRoom(t *testing.T) {
	withJournal(t, func(l *lives) {
		s := l.standard("q")
		s.send("a-1")
		d := s.one(time.Second)
		var got []Delivery
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			got, err = s.q.Receive(l.Context(), ReceiveInput{Wait: 5 * time.Second})
		}()
		synctest.Wait()
		l.disk.(*faultfs.FS).SetLimit(l.disk.(*faultfs.FS).Used() + 1000)
		// What s.change(d, 0) and a send do, one right after the other.
		now, enter := s.q.enter()
		require.NoError(l, enter)
		require.NoError(l, s.q.changeLocked(now, d.receipt, 0))
		s.q.serveLocked(now)
		s.q.pauseLocked(now)
		s.q.takeDueLocked()
		var p payload
		m := Message{Body: strings.Repeat("b", 1<<20)}
		require.NoError(l, s.q.prepare(&p, &m, s.q.settings.Load()))
		_, err2 := s.q.acceptLocked(now, &p, s.q.settings.Load())
		require.NoError(l, err2)
		s.q.pauseLocked(now)
		w := pendingSend{s.q, s.q.takeDueLocked()}
		s.q.mu.Unlock()
		require.ErrorIs(l, w.Wait(), ErrJournalFull)
		<-done
		require.NoError(l, err)
		require.Len(l, got, 1)
	}, WithSegmentSize(64<<10))
}

// The newest batch of a queue found no room: whoever waited for it knows, and Close has nothing to tell.
func TestJournal_CloseAfterASendThatFoundNoRoom(t *testing.T) {
	withJournal(t, func(l *lives) {
		s := l.standard("q")
		l.disk.(*faultfs.FS).SetLimit(l.disk.(*faultfs.FS).Used() + 1000)
		_, err := s.q.Send(l.Context(), Message{Body: strings.Repeat("b", 1<<20)})
		require.ErrorIs(l, err, ErrJournalFull)
		require.NoError(l, s.q.Close())
	}, WithSegmentSize(64<<10))
}

// A journal is closed after a queue that is being made has found its stream: the queue is not left open.
func TestJournal_CloseWhileAQueueIsMade(t *testing.T) {
	j, err := OpenJournal("journal", InMemory())
	require.NoError(t, err)
	first, err := NewStandard("q", WithJournal(j))
	require.NoError(t, err)
	require.NoError(t, first.Close())
	s := first.journal.stream
	s.mu.Lock()
	made := make(chan error)
	go func() {
		_, err := NewStandard("q", WithJournal(j))
		made <- err
	}()
	require.NoError(t, j.Close())
	s.mu.Unlock()
	require.ErrorIs(t, <-made, ErrClosed)
	require.Nil(t, s.queue.Load())
}
