package inq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRCV1to3_LimitsOfAReceive(t *testing.T) {
	ctx := context.Background()
	one, twelve := time.Duration(1), 12*time.Hour
	for _, c := range []struct {
		in       ReceiveInput
		param    string // "": accepted
		value    any
		min, max any
	}{
		{ReceiveInput{}, "", nil, nil, nil},
		{ReceiveInput{Max: 1}, "", nil, nil, nil},
		{ReceiveInput{Max: 10}, "", nil, nil, nil},
		{ReceiveInput{Max: 11}, "MaxNumberOfMessages", 11, 1, 10},
		{ReceiveInput{Max: -1}, "MaxNumberOfMessages", -1, 1, 10},
		{ReceiveInput{Wait: Zero}, "", nil, nil, nil},
		{ReceiveInput{Wait: one}, "", nil, nil, nil},
		{ReceiveInput{Wait: maxWait}, "", nil, nil, nil},
		{ReceiveInput{Wait: maxWait + 1}, "WaitTimeSeconds", maxWait + 1, time.Duration(0), maxWait},
		{ReceiveInput{Wait: -1}, "WaitTimeSeconds", -one, time.Duration(0), maxWait},
		{ReceiveInput{Wait: Zero + 1}, "WaitTimeSeconds", Zero + 1, time.Duration(0), maxWait},
		{ReceiveInput{Wait: Forever}, "WaitTimeSeconds", Forever, time.Duration(0), maxWait},
		{ReceiveInput{VisibilityTimeout: Zero}, "", nil, nil, nil},
		{ReceiveInput{VisibilityTimeout: one}, "", nil, nil, nil},
		{ReceiveInput{VisibilityTimeout: twelve}, "", nil, nil, nil},
		{ReceiveInput{VisibilityTimeout: twelve + 1}, "VisibilityTimeout", twelve + 1, time.Duration(0), twelve},
		{ReceiveInput{VisibilityTimeout: -1}, "VisibilityTimeout", -one, time.Duration(0), twelve},
		{ReceiveInput{VisibilityTimeout: Forever}, "VisibilityTimeout", Forever, time.Duration(0), twelve},
	} {
		t.Run(fmt.Sprintf("%+v", c.in), func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				s.send("g-1")
				_, err := s.q.Receive(ctx, c.in)
				if c.param == "" {
					require.NoError(s, err)
					_, err = s.q.ReceiveInto(ctx, make([]Delivery, 1), c.in)
					require.NoError(s, err)
					return
				}
				_, intoErr := s.q.ReceiveInto(ctx, make([]Delivery, 1), c.in)
				for _, err := range []error{err, intoErr} {
					requireRefusal(s, err, ErrInvalidParameter)
					require.Equal(s, ParamError{Err: ErrInvalidParameter, Param: c.param, Value: c.value, Min: c.min, Max: c.max}, *requireParamError(s, err))
				}
				s.counts(1, 0, 0)
				require.Zero(s, s.q.Stats().EmptyReceives)
			})
		})
	}
}

func TestRCV1_AReceiveTakesAtMostMax(t *testing.T) {
	onBothTypes(t, func(s steps) {
		for i := range 12 {
			s.send(fmt.Sprintf("g-%02d", i))
		}
		ds, err := s.q.Receive(context.Background(), ReceiveInput{})
		require.NoError(s, err)
		require.Equal(s, []string{"g-00"}, bodiesOf(ds))
		s.change(&ds[0], 0)
		require.Len(s, s.receive(10, 0), 10)
	})
}

func TestReceiveInto_TakesAsMuchAsThereIsRoomFor(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1", "g-2", "g-3")
		n, err := s.q.ReceiveInto(ctx, nil, ReceiveInput{})
		requireRefusal(s, err, ErrInvalidParameter)
		require.Equal(s, "dst", requireParamError(s, err).Param)
		require.Zero(s, n)
		dst := make([]Delivery, 5)
		n, err = s.q.ReceiveInto(ctx, dst[:2], ReceiveInput{Max: 10})
		require.NoError(s, err)
		require.Equal(s, []string{"g-1", "g-2"}, bodiesOf(dst[:n]))
		require.Zero(s, dst[2])
		s.delete(dst[:n]...)
		n, err = s.q.ReceiveInto(ctx, dst, ReceiveInput{Max: 10})
		require.NoError(s, err)
		require.Equal(s, []string{"g-3"}, bodiesOf(dst[:n]))
		n, err = s.q.ReceiveInto(ctx, dst, ReceiveInput{Max: 10})
		require.NoError(s, err)
		require.Zero(s, n)
	})
}

func TestRCV4_TheWaitOfTheQueueAndOfTheCall(t *testing.T) {
	for _, c := range []struct{ queue, call, want time.Duration }{
		{0, 0, 0}, {0, Zero, 0}, {0, 1, 1}, {0, 20 * time.Second, 20 * time.Second},
		{5 * time.Second, 0, 5 * time.Second}, {5 * time.Second, Zero, 0}, {5 * time.Second, time.Second, time.Second},
		{20 * time.Second, 0, 20 * time.Second}, {Zero, 0, 0},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				start := time.Now()
				ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: c.call})
				require.NoError(s, err)
				require.Nil(s, ds) // RCV-7
				require.Equal(s, c.want, time.Since(start))
				require.Equal(s, uint64(1), s.q.Stats().EmptyReceives)
			}, WithReceiveWait(c.queue))
		})
	}
}

func TestRCV5_ALongPollWithMessagesReadyDoesNotWait(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2")
		start := time.Now()
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: 10, Wait: 20 * time.Second})
		require.NoError(s, err)
		require.Len(s, ds, 2)
		require.Zero(s, time.Since(start))
	})
}

func TestRCV5_WhateverMakesAMessageReceivableWakesALongPoll(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name    string
		prepare func(s steps) []Delivery
		wake    func(s steps, ds []Delivery) // after a second
		want    string
		after   time.Duration
	}{
		{"a send", nil, func(s steps, _ []Delivery) { s.send("g-1") }, "g-1", time.Second},
		{"a batch", nil, func(s steps, _ []Delivery) {
			_, err := s.q.SendBatch(ctx, []Message{s.message("g-1"), s.message("g-2")})
			assert.NoError(s, err)
		}, "g-1", time.Second},
		{"the end of a timeout", func(s steps) []Delivery { s.send("g-1"); return s.receive(1, 3*time.Second) }, nil, "g-1", 3 * time.Second},
		{"visibility 0", func(s steps) []Delivery { s.send("g-1"); return s.receive(1, 0) },
			func(s steps, ds []Delivery) { s.change(&ds[0], 0) }, "g-1", time.Second},
		{"the end of an extension", func(s steps) []Delivery { s.send("g-1"); return s.receive(1, 0) },
			func(s steps, ds []Delivery) { s.change(&ds[0], 5*time.Second) }, "g-1", 6 * time.Second},
		{"a dead letter from elsewhere", nil, func(s steps, _ []Delivery) {
			assert.NoError(s, s.q.DeadLetter(ctx, DeadLetter{Body: "g-9", GroupID: "g"}))
		}, "g-9", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				var ds []Delivery
				if c.prepare != nil {
					ds = c.prepare(s)
				}
				start := time.Now()
				if c.wake != nil {
					go func() {
						time.Sleep(time.Second)
						assert.Equal(s, 1, s.q.Stats().WaitingReceives)
						c.wake(s, ds)
					}()
				}
				got, err := s.q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
				require.NoError(s, err)
				require.Equal(s, []string{c.want}, bodiesOf(got))
				require.Equal(s, c.after, time.Since(start))
				require.Zero(s, s.q.Stats().WaitingReceives)
				require.Equal(s, time.Now().Add(30*time.Second), got[0].VisibleAt())
			})
		})
	}
}

func TestRCV5_LongPollsAreServedInTheOrderTheyCame(t *testing.T) {
	onBothTypes(t, func(s steps) {
		type answer struct {
			consumer int
			body     string
		}
		answers := make(chan answer, 3)
		for i := range 3 {
			go func() {
				ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
				assert.NoError(s, err)
				for _, d := range ds {
					answers <- answer{i, d.Body}
				}
			}()
			synctest.Wait()
		}
		s.send("a-1", "b-1", "c-1")
		synctest.Wait()
		got := map[answer]bool{<-answers: true, <-answers: true, <-answers: true}
		require.Equal(s, map[answer]bool{{0, "a-1"}: true, {1, "b-1"}: true, {2, "c-1"}: true}, got)
	})
}

func TestReceive_TheContextEndsTheWaitAndNothingChanges(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		ds, err := s.q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.Equal(s, context.DeadlineExceeded, err) // bare
		require.Nil(s, ds)
		require.Equal(s, time.Second, time.Since(start))
		require.Zero(s, s.q.Stats().WaitingReceives)
		s.send("g-1")
		s.counts(1, 0, 0) // it is not handed to the one who left
		require.Equal(s, 1, s.one(0).ReceiveCount)
	})
}

func TestClose_EndsLongPolls(t *testing.T) {
	onBothTypes(t, func(s steps) {
		errs := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
				errs <- err
			}()
		}
		time.Sleep(time.Second)
		require.NoError(s, s.q.Close())
		for range 3 {
			require.Equal(s, ErrClosed, <-errs)
		}
	})
}

func TestRCV8_TheTimeoutOfTheCallIsForItsMessagesOnly(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("a-1", "b-1")
		s.gets(1, 5*time.Second, "a-1")
		d := s.one(0)
		require.Equal(s, time.Now().Add(30*time.Second), d.VisibleAt())
		time.Sleep(5 * time.Second)
		s.gets(10, 0, "a-1")
		time.Sleep(25*time.Second - 1)
		s.gets(10, 0)
		time.Sleep(time.Nanosecond)
		s.gets(10, 0, "b-1")
	})
}

func TestRCV8_TheTimeoutOfTheQueueAtTheTimeOfTheReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testStandard(t)
		s := steps{t, &q.queue}
		s.send("1", "2", "3")
		s.one(0)
		require.NoError(t, q.Configure(WithVisibilityTimeout(10*time.Second)))
		s.one(0)
		require.NoError(t, q.Configure(WithVisibilityTimeout(Zero)))
		s.gets(1, 0, "3")
		s.counts(1, 2, 0)
		time.Sleep(10 * time.Second)
		s.counts(2, 1, 0)
		time.Sleep(20 * time.Second)
		s.counts(3, 0, 0)
	})
}

func TestRCV9_VisibilityZeroIsNotSticky(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2")
		s.gets(10, Zero, "g-1", "g-2")
		s.gets(10, 0, "g-1", "g-2")
		s.counts(0, 2, 0)
	})
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		s.gets(1, 0, "g-1") // by the queue's own zero
		s.counts(1, 0, 0)
		s.gets(1, time.Second, "g-1")
		s.counts(0, 1, 0)
	}, WithVisibilityTimeout(0))
}

func TestRCV14_IdAndBodyAreAlwaysThere(t *testing.T) {
	onBothTypes(t, func(s steps) {
		sent, err := s.q.Send(context.Background(), s.message("g-body"))
		require.NoError(s, err)
		require.Regexp(s, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, sent.ID())
		for range 3 {
			d := s.one(Zero)
			require.Equal(s, sent.ID(), d.ID())
			require.Equal(s, sent.SequenceNumber(), d.SequenceNumber())
			require.Equal(s, "g-body", d.Body)
		}
	})
}

func TestRCV15_StandardDeliversTheOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		s.send("1", "2", "3", "4", "5")
		ds := s.gets(4, 0, "1", "2", "3", "4")
		// Whatever order they come back in.
		s.change(&ds[2], 0)
		s.change(&ds[0], 0)
		s.change(&ds[3], 0)
		s.change(&ds[1], 0)
		s.gets(10, 0, "1", "2", "3", "4", "5")
	})
}

func TestSystemAttributes_TimesAndCounts(t *testing.T) {
	onBothTypes(t, func(s steps) {
		began := time.Now()
		s.send("g-1")
		time.Sleep(3 * time.Second)
		d := s.one(10 * time.Second)
		require.Equal(s, 1, d.ReceiveCount)
		require.Equal(s, began, d.SentAt())
		require.Equal(s, began.Add(3*time.Second), d.FirstReceivedAt())
		require.Equal(s, began.Add(13*time.Second), d.VisibleAt())
		time.Sleep(time.Minute)
		d = s.one(0)
		require.Equal(s, 2, d.ReceiveCount)
		require.Equal(s, began, d.SentAt())
		require.Equal(s, began.Add(3*time.Second), d.FirstReceivedAt())
		require.Equal(s, "inq", d.SenderID())
		require.Empty(s, d.DeadLetterSourceARN())
		require.Empty(s, d.TraceHeader())
		require.Nil(s, d.Attributes())
	})
}

func TestInFlightLimit_IsThatOfSQS(t *testing.T) {
	require.Equal(t, 120_000, testStandard(t).limit)
	require.Equal(t, 120_000, testFIFO(t).limit)
	require.Greater(t, testStandard(t, WithoutSQSLimits()).limit, 1_000_000_000)
}

func TestInFlightLimit_ThreeAnswers(t *testing.T) {
	ctx := context.Background()
	scene(t, "a short poll on Standard is refused", func(t *testing.T) {
		s := standardSteps(t)
		s.q.limit = 3
		s.send("1", "2", "3", "4")
		ds := s.gets(10, 0, "1", "2", "3") // up to the limit without an error
		for range 2 {
			_, err := s.q.Receive(ctx, ReceiveInput{})
			requireRefusal(t, err, ErrOverLimit)
			_, err = s.q.ReceiveInto(ctx, make([]Delivery, 1), ReceiveInput{})
			requireRefusal(t, err, ErrOverLimit)
		}
		require.Zero(t, s.q.Stats().EmptyReceives)
		s.delete(ds[0])
		s.gets(10, 0, "4")
		time.Sleep(30 * time.Second)
		s.gets(10, 0, "2", "3", "4")
	})
	scene(t, "a long poll on Standard finds nothing until there is room", func(t *testing.T) {
		s := standardSteps(t)
		s.q.limit = 1
		s.send("1", "2")
		d := s.one(time.Hour)
		start := time.Now()
		ds, err := s.q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Empty(t, ds)
		require.Equal(t, 20*time.Second, time.Since(start))
		go func() {
			time.Sleep(time.Second)
			s.delete(*d)
		}()
		ds, err = s.q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, bodiesOf(ds))
		require.Equal(t, 21*time.Second, time.Since(start))
	})
	scene(t, "a short poll on FIFO finds nothing", func(t *testing.T) {
		s := fifoSteps(t)
		s.q.limit = 1
		s.send("a-1", "b-1")
		s.gets(10, 0, "a-1")
		s.gets(10, 0)
	})
	scene(t, "with visibility 0 nothing is in flight", func(t *testing.T) {
		s := standardSteps(t)
		s.q.limit = 2
		s.send("1", "2", "3")
		s.gets(10, Zero, "1", "2")
		s.gets(10, Zero, "1", "2")
	})
}
