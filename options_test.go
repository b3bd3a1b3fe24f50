package inq

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNAM1and2_NamesOfQueues(t *testing.T) {
	for _, c := range []struct {
		name           string
		standard, fifo bool
	}{
		{"", false, false},
		{"a", true, false}, {"Z", true, false}, {"0", true, false}, {"-", true, false}, {"_", true, false},
		{strings.Repeat("a", 80), true, false},
		{strings.Repeat("a", 81), false, false},
		{"azAZ09-_", true, false},
		{".fifo", false, false},
		{"a.fifo", false, true},
		{strings.Repeat("a", 75) + ".fifo", false, true}, // 80 with the suffix
		{strings.Repeat("a", 76) + ".fifo", false, false},
		{"a.fifo.fifo", false, false}, {"a.FIFO", false, false}, {"a.fif", false, false}, {"afifo", true, false},
		{"a b", false, false}, {"a/b", false, false}, {"a.b", false, false}, {"é", false, false}, {"a\x00", false, false},
		{"a b.fifo", false, false}, {"a/b.fifo", false, false}, {"é.fifo", false, false}, {"a@", false, false}, {"a[", false, false},
		{"a`", false, false}, {"a{", false, false}, {"a:", false, false},
	} {
		s, err := NewStandard(c.name)
		if c.standard {
			require.NoError(t, err, "%q", c.name)
			require.Equal(t, c.name, s.Name())
			require.Equal(t, "arn:aws:sqs:local:000000000000:"+c.name, s.ARN())
			require.NoError(t, s.Close())
		} else {
			require.Nil(t, s)
			requireRefusal(t, err, ErrInvalidParameter)
			require.Equal(t, "QueueName", requireParamError(t, err).Param)
			require.Equal(t, c.name, requireParamError(t, err).Value)
		}
		f, err := NewFIFO(c.name)
		if c.fifo {
			require.NoError(t, err, "%q", c.name)
			require.Equal(t, c.name, f.Name())
			require.NoError(t, f.Close())
		} else {
			require.Nil(t, f)
			requireRefusal(t, err, ErrInvalidParameter)
			require.Contains(t, err.Error(), ".fifo")
		}
	}
}

// optionCase is one value of an option that both types take.
type optionCase struct {
	option Option
	want   func(c *Config) // of an accepted value
	refuse ParamError      // of a refused one
}

func accepted(o Option, want func(c *Config)) optionCase { return optionCase{option: o, want: want} }

func outOfRange(o Option, param string, value, low, up any) optionCase {
	return optionCase{option: o, refuse: ParamError{Err: ErrInvalidAttributeValue, Param: param, Value: value, Min: low, Max: up}}
}

// durationCases probes an option of a time with a range.
func durationCases(with func(time.Duration) Option, param string, low, up time.Duration, set func(c *Config, d time.Duration)) (cases []optionCase) {
	for _, d := range []time.Duration{low, low + 1, up - 1, up} {
		cases = append(cases, accepted(with(d), func(c *Config) { set(c, d) }))
	}
	for _, d := range []time.Duration{low - 1, up + 1, -1, -time.Second, Forever, Zero + 1} {
		cases = append(cases, outOfRange(with(d), param, d, low, up))
	}
	for _, d := range []time.Duration{0, Zero} {
		if low == 0 {
			cases = append(cases, accepted(with(d), func(c *Config) { set(c, 0) }))
		} else {
			cases = append(cases, outOfRange(with(d), param, time.Duration(0), low, up))
		}
	}
	return cases
}

func sharedOptionCases() (cases []optionCase) {
	cases = append(cases, durationCases(WithVisibilityTimeout, "VisibilityTimeout", 0, 12*time.Hour,
		func(c *Config, d time.Duration) { c.VisibilityTimeout = d })...)
	cases = append(cases, durationCases(WithDelay, "DelaySeconds", 0, 15*time.Minute,
		func(c *Config, d time.Duration) { c.Delay = d })...)
	cases = append(cases, durationCases(WithRetention, "MessageRetentionPeriod", time.Minute, 14*24*time.Hour,
		func(c *Config, d time.Duration) { c.Retention = d })...)
	cases = append(cases, durationCases(WithReceiveWait, "ReceiveMessageWaitTimeSeconds", 0, 20*time.Second,
		func(c *Config, d time.Duration) { c.ReceiveWait = d })...)
	for _, n := range []int{1024, 1025, 1048575, 1048576} {
		cases = append(cases, accepted(WithMaxMessageSize(n), func(c *Config) { c.MaxMessageSize = n }))
	}
	for _, n := range []int{1023, 1048577, 0, -1, math.MaxInt, math.MinInt} {
		cases = append(cases, outOfRange(WithMaxMessageSize(n), "MaximumMessageSize", n, 1024, 1048576))
	}
	for _, n := range []int{0, 1, math.MaxInt} {
		cases = append(cases, accepted(WithCapacity(n, int64(n)), func(c *Config) { c.CapacityMessages, c.CapacityBytes = n, int64(n) }))
	}
	for _, n := range []int{-1, math.MinInt} {
		cases = append(cases,
			optionCase{option: WithCapacity(n, 0), refuse: ParamError{Err: ErrInvalidParameter, Param: "Capacity", Value: n, Min: 0, Reason: "messages"}},
			optionCase{option: WithCapacity(0, int64(n)), refuse: ParamError{Err: ErrInvalidParameter, Param: "Capacity", Value: int64(n), Min: 0, Reason: "bytes"}})
	}
	for _, n := range []int{1, 2, 119_999, 120_000} {
		cases = append(cases, accepted(WithInFlightLimit(n), func(c *Config) { c.InFlightLimit = n }))
	}
	for _, n := range []int{0, 120_001, -1, math.MaxInt, math.MinInt} {
		cases = append(cases, optionCase{option: WithInFlightLimit(n),
			refuse: ParamError{Err: ErrInvalidParameter, Param: "InFlightLimit", Value: n, Min: 1, Max: 120_000}})
	}
	target := DeadLetterFunc(func(context.Context, DeadLetter) error { return nil })
	for _, n := range []int{0, 1001, -1, math.MaxInt} {
		cases = append(cases, optionCase{option: WithDeadLetter(target, n),
			refuse: ParamError{Err: ErrInvalidParameter, Param: "maxReceiveCount", Value: n, Min: 1, Max: 1000}})
	}
	for _, n := range []int{1, 2, 999, 1000} {
		cases = append(cases, accepted(WithDeadLetter(target, n), func(c *Config) { c.MaxReceives = n }))
	}
	for _, target := range []DeadLetterTarget{DeadLetterFunc(nil), (*DeadLetterFile)(nil), (*Standard)(nil), (*FIFO)(nil), &Standard{}, &FIFO{}} {
		cases = append(cases, optionCase{option: WithDeadLetter(target, 1), refuse: ParamError{Err: ErrInvalidParameter, Param: "deadLetterTargetArn",
			Reason: "the target must not be a nil pointer, a nil function, or a queue that no constructor made"}})
	}
	cases = append(cases,
		accepted(WithDeadLetter(nil, 0), func(*Config) {}),
		accepted(WithDeadLetter(nil, -5), func(*Config) {}),
		accepted(Options(), func(*Config) {}),
		accepted(Options(nil, WithDelay(time.Second), nil, WithDelay(2*time.Second)), func(c *Config) { c.Delay = 2 * time.Second }),
		accepted(WithObserver(nil), func(*Config) {}),
	)
	return cases
}

// comparable is c without what cannot be compared or differs anyway.
func (c Config) comparable() Config {
	c.DeadLetter, c.ModifiedAt = nil, c.CreatedAt
	return c
}

func TestOptions_EveryLimitInConstructorAndConfigure(t *testing.T) {
	for i, c := range sharedOptionCases() {
		for _, fifo := range []bool{false, true} {
			t.Run(fmt.Sprint(i, fifo), func(t *testing.T) {
				var config func() Config
				var configure func(o Option) error
				var construct func(o Option) (Config, error)
				if fifo {
					q := testFIFO(t)
					config, configure = q.Config, func(o Option) error { return q.Configure(o) }
					construct = func(o Option) (Config, error) {
						q, err := NewFIFO("queue.fifo", o)
						if err != nil {
							require.Nil(t, q)
							return Config{}, err
						}
						defer q.Close()
						return q.Config(), nil
					}
				} else {
					q := testStandard(t)
					config, configure = q.Config, func(o Option) error { return q.Configure(o) }
					construct = func(o Option) (Config, error) {
						q, err := NewStandard("queue", o)
						if err != nil {
							require.Nil(t, q)
							return Config{}, err
						}
						defer q.Close()
						return q.Config(), nil
					}
				}
				before := config()
				made, errMade := construct(c.option)
				errChanged := configure(c.option)
				if c.want == nil {
					for _, err := range []error{errMade, errChanged} {
						requireRefusal(t, err, c.refuse.Err)
						require.Equal(t, c.refuse, *requireParamError(t, err))
						require.Contains(t, err.Error(), c.refuse.Param)
					}
					require.Equal(t, before, config())
					return
				}
				require.NoError(t, errMade)
				require.NoError(t, errChanged)
				want := before.comparable()
				c.want(&want)
				require.Equal(t, want, config().comparable())
				want.CreatedAt, want.ModifiedAt = made.CreatedAt, made.CreatedAt
				require.Equal(t, want, made.comparable())
			})
		}
	}
}

func TestOptions_Defaults(t *testing.T) {
	want := Config{Name: "queue", ARN: "arn:aws:sqs:local:000000000000:queue", VisibilityTimeout: 30 * time.Second,
		Retention: 4 * 24 * time.Hour, MaxMessageSize: 1048576, InFlightLimit: 120_000, SenderID: "inq", SQSLimits: true}
	scene(t, "standard", func(t *testing.T) {
		q := testStandard(t, nil)
		want.CreatedAt, want.ModifiedAt = time.Now(), time.Now()
		require.Equal(t, want, q.Config())
		require.Equal(t, "standard queue queue", q.Config().String())
		time.Sleep(time.Second)
		require.NoError(t, q.Configure(nil, WithDelay(1)))
		require.Equal(t, want.CreatedAt, q.Config().CreatedAt)
		require.Equal(t, time.Now(), q.Config().ModifiedAt)
	})
	scene(t, "fifo", func(t *testing.T) {
		q := testFIFO(t, nil)
		want := want
		want.Name, want.ARN, want.FIFO = "queue.fifo", want.ARN+".fifo", true
		want.DeduplicationScope, want.ThroughputLimit = ScopeQueue, PerQueue
		want.CreatedAt, want.ModifiedAt = time.Now(), time.Now()
		require.Equal(t, want, q.Config())
		require.Equal(t, "fifo queue queue.fifo", q.Config().String())
	})
}

func TestOptions_OfFIFOOnly(t *testing.T) {
	for _, c := range []struct {
		opts  []FIFOOption
		param string
	}{
		{[]FIFOOption{WithDeduplicationScope(ScopeQueue)}, ""},
		{[]FIFOOption{WithDeduplicationScope(ScopeMessageGroup)}, ""},
		{[]FIFOOption{WithDeduplicationScope("")}, "DeduplicationScope"},
		{[]FIFOOption{WithDeduplicationScope("Queue")}, "DeduplicationScope"},
		{[]FIFOOption{WithThroughputLimit(PerQueue)}, ""},
		{[]FIFOOption{WithThroughputLimit(PerMessageGroupID)}, "FifoThroughputLimit"}, // LIM-9
		{[]FIFOOption{WithThroughputLimit(PerMessageGroupID), WithDeduplicationScope(ScopeMessageGroup)}, ""},
		{[]FIFOOption{WithThroughputLimit(PerQueue), WithDeduplicationScope(ScopeMessageGroup)}, ""},
		{[]FIFOOption{WithThroughputLimit("")}, "FifoThroughputLimit"},
		{[]FIFOOption{FIFOOptions(nil, WithContentBasedDeduplication(true), WithDelay(1))}, ""},
	} {
		q := testFIFO(t)
		before := q.Config()
		err := q.Configure(c.opts...)
		_, errNew := NewFIFO("q.fifo", c.opts...)
		if c.param == "" {
			require.NoError(t, err)
			require.NoError(t, errNew)
			continue
		}
		for _, err := range []error{err, errNew} {
			requireRefusal(t, err, ErrInvalidAttributeValue)
			require.Equal(t, c.param, requireParamError(t, err).Param)
		}
		require.Equal(t, before, q.Config())
	}
	// A scope that others depend on cannot be taken away.
	q := testFIFO(t, WithThroughputLimit(PerMessageGroupID), WithDeduplicationScope(ScopeMessageGroup))
	requireRefusal(t, q.Configure(WithDeduplicationScope(ScopeQueue)), ErrInvalidAttributeValue)
	require.NoError(t, testStandard(t).Configure(StandardOptions(nil, WithDelay(1))))
}

func TestOptions_DeadLetterTargetsAreOfTheSameType(t *testing.T) {
	s, f := testStandard(t), testFIFO(t)
	requireRefusal(t, s.Configure(WithDeadLetter(f, 1)), ErrInvalidParameter)
	requireRefusal(t, f.Configure(WithDeadLetter(s, 1)), ErrInvalidParameter)
	requireRefusal(t, s.Configure(WithDeadLetter((*Standard)(nil), 1)), ErrInvalidParameter)
	requireRefusal(t, f.Configure(WithDeadLetter((*FIFO)(nil), 1)), ErrInvalidParameter)
	require.NoError(t, s.Configure(WithDeadLetter(s, 1))) // DLQ-2: itself
	require.NoError(t, f.Configure(WithDeadLetter(testFIFO(t), 1)))
	require.NoError(t, s.Configure(WithDeadLetter(nil, 1)))
	require.Zero(t, s.Config().MaxReceives)
	require.NoError(t, f.Configure(WithDeadLetter(nil, 1)))
}

func TestConfigure_ChangesAllOrNothing(t *testing.T) {
	q := testStandard(t)
	before := q.Config()
	for _, bad := range []Option{WithDelay(-1), WithMaxMessageSize(0), WithCapacity(-1, 0), WithInFlightLimit(0), WithSenderID("x"), WithoutSQSLimits(), WithReceiveWait(Forever)} {
		good := WithVisibilityTimeout(time.Minute)
		require.Error(t, q.Configure(good, bad))
		require.Error(t, q.Configure(bad, good))
		require.Error(t, q.Configure(Options(good, bad)))
		require.Equal(t, before, q.Config())
	}
	require.NoError(t, q.Configure(WithDelay(-1), WithDelay(0))) // the later one holds
}

func TestConfigure_RefusesWhatCannotChange(t *testing.T) {
	onBothTypes(t, func(s steps) {
		for _, c := range []struct {
			option Option
			param  string
		}{{WithSenderID("me"), "SenderId"}, {WithSenderID("inq"), "SenderId"}, {WithoutSQSLimits(), "WithoutSQSLimits"}} {
			var p patch
			c.option.applyFIFO(&p)
			err := s.q.configure(&p)
			requireRefusal(s, err, ErrInvalidParameter)
			require.Equal(s, c.param, requireParamError(s, err).Param)
			require.Contains(s, err.Error(), "cannot be changed on a live queue")
		}
	})
}

func TestWithSenderID_IsWhatMessagesSay(t *testing.T) {
	q := testStandard(t, WithSenderID("team"))
	s := steps{t, &q.queue}
	s.send("1")
	_, err := q.Send(context.Background(), Message{Body: "2", SenderID: "me"})
	require.NoError(t, err)
	ds := s.receive(2, 0)
	require.Equal(t, "team", ds[0].SenderID())
	require.Equal(t, "me", ds[1].SenderID())
	_, err = NewStandard("q", WithSenderID("a\x00"))
	requireRefusal(t, err, ErrInvalidParameter)
}

func TestWithoutSQSLimits_LiftsWhatOnlyTheServiceNeeds(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		c := s.q.Config()
		require.Equal(s, Forever, c.Retention)
		require.False(s, c.SQSLimits)
		require.Equal(s, math.MaxInt32, c.InFlightLimit)
		// batches, sizes
		var ms []Message
		for i := range 30 {
			m := s.message(fmt.Sprintf("g-%d", i))
			m.Body += strings.Repeat("x", 1<<16)
			ms = append(ms, m)
		}
		sent, err := s.q.SendBatch(ctx, ms)
		require.NoError(s, err)
		require.Len(s, sent, 30)
		ds, err := s.q.Receive(ctx, ReceiveInput{Max: 1000, VisibilityTimeout: 24 * time.Hour})
		require.NoError(s, err)
		require.Len(s, ds, 30)
		require.NoError(s, s.q.ChangeVisibilityBatch(ctx, make30Changes(ds)))
		time.Sleep(100 * 24 * time.Hour)
		s.counts(0, 30, 0)
		require.NoError(s, s.q.DeleteBatch(ctx, handlesOf(ds)))
		start := time.Now()
		_, err = s.q.Receive(ctx, ReceiveInput{Wait: time.Hour})
		require.NoError(s, err)
		require.Equal(s, time.Hour, time.Since(start))
		s.send("g-last")
		require.NoError(s, s.one(0).Return(ctx, 100*time.Hour))
		s.counts(0, 0, 1)
	}, WithoutSQSLimits())
	t.Run("options", func(t *testing.T) {
		for _, o := range []Option{WithDelay(time.Hour), WithVisibilityTimeout(Forever), WithReceiveWait(Forever), WithRetention(1),
			WithRetention(Forever), WithMaxMessageSize(1), WithMaxMessageSize(1 << 30),
			WithInFlightLimit(1), WithInFlightLimit(120_001), WithInFlightLimit(math.MaxInt32), WithDeadLetter(DeadLetterLog(nil, 0), 1_000_000)} {
			testStandard(t, WithoutSQSLimits(), o)
			testStandard(t, o, WithoutSQSLimits()) // in whatever order
		}
		for _, o := range []Option{WithDelay(-1), WithVisibilityTimeout(-1), WithReceiveWait(-1), WithRetention(0), WithRetention(-1),
			WithMaxMessageSize(0), WithDelay(Forever), Options(WithDelay(time.Hour), WithRetention(time.Hour))} {
			_, err := NewStandard("q", WithoutSQSLimits(), o)
			requireRefusal(t, err, ErrInvalidAttributeValue)
		}
		for _, n := range []int{0, -1, math.MinInt} {
			_, err := NewStandard("q", WithoutSQSLimits(), WithInFlightLimit(n))
			require.Equal(t, ParamError{Err: ErrInvalidParameter, Param: "InFlightLimit", Value: n, Min: 1, Max: math.MaxInt32}, *requireParamError(t, err))
		}
	})
}

func TestWithInFlightLimit_ThreeMessagesShowTheLimit(t *testing.T) {
	ctx := context.Background()
	scene(t, "standard", func(t *testing.T) {
		q := testStandard(t, WithInFlightLimit(3))
		s := steps{t, &q.queue}
		s.send("1", "2", "3", "4", "5")
		ds := s.gets(10, 0, "1", "2", "3")
		_, err := q.Receive(ctx, ReceiveInput{})
		require.Equal(t, ParamError{Err: ErrOverLimit, Param: "MessagesInFlight", Value: 3, Max: 3,
			Reason: "3 messages are in flight; delete some before receiving more"}, *requireParamError(t, err))
		s.delete(ds[0])
		s.gets(10, 0, "4")

		// Lowered: what is in flight stays so, and counts.
		require.NoError(t, q.Configure(WithInFlightLimit(1)))
		require.Equal(t, 1, q.Config().InFlightLimit)
		_, err = q.ReceiveInto(ctx, make([]Delivery, 1), ReceiveInput{})
		require.Equal(t, ParamError{Err: ErrOverLimit, Param: "MessagesInFlight", Value: 3, Max: 1,
			Reason: "3 messages are in flight; delete some before receiving more"}, *requireParamError(t, err))
		s.delete(ds[1:]...)
		start := time.Now()
		got, err := q.Receive(ctx, ReceiveInput{Wait: time.Second})
		require.NoError(t, err)
		require.Empty(t, got, "4 is in flight")
		require.Equal(t, time.Second, time.Since(start))
		require.Error(t, q.Configure(WithInFlightLimit(0)))
		require.Equal(t, 1, q.Config().InFlightLimit)

		// Raised: a receive that waits has its message at once.
		go func() {
			time.Sleep(time.Second)
			require.NoError(t, q.Configure(WithInFlightLimit(2)))
		}()
		got, err = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Equal(t, []string{"5"}, bodiesOf(got))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
	scene(t, "fifo", func(t *testing.T) {
		q := testFIFO(t, WithInFlightLimit(2))
		s := steps{t, &q.queue}
		s.send("a-1", "b-1", "c-1")
		ds := s.gets(10, 0, "a-1", "b-1")
		s.gets(10, 0) // no error
		s.delete(ds[0])
		s.gets(10, 0, "c-1")
		require.NoError(t, q.Configure(WithInFlightLimit(3)))
		s.send("d-1")
		s.gets(10, 0, "d-1")
		s.gets(10, 0)
	})
}

func TestWithInFlightLimit_IsComparedWhereAQueueExists(t *testing.T) {
	b := testBroker(t, WithQueueDefaults(WithInFlightLimit(7)))
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	require.Equal(t, 7, q.Config().InFlightLimit)
	_, err = b.CreateStandard("q", WithInFlightLimit(7))
	require.NoError(t, err)
	_, err = b.CreateStandard("q", WithInFlightLimit(8))
	require.Equal(t, "InFlightLimit", refusedAs(t, err, ErrQueueExists).Param)
	_, err = NewBroker(WithQueueDefaults(WithInFlightLimit(120_001)))
	require.EqualError(t, err, "inq: invalid parameter value: InFlightLimit (WithInFlightLimit) 120001: must be from 1 to 120000"+liftedText)
}

// make30Changes extends all deliveries beyond what SQS allows.
func make30Changes(ds []Delivery) (changes []VisibilityChange) {
	for i := range ds {
		changes = append(changes, VisibilityChange{ds[i].ReceiptHandle(), Forever})
	}
	return changes
}
