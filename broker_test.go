package inq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// testBroker makes a broker whose queues' invariants are checked when the test ends.
func testBroker(t testing.TB, opts ...BrokerOption) *Broker {
	t.Helper()
	b, err := NewBroker(opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		b.mu.Lock()
		var queues []*queue
		for _, e := range b.queues {
			queues = append(queues, e.queue)
		}
		b.mu.Unlock()
		for _, q := range queues {
			checkInvariants(t, q)
		}
		require.NoError(t, b.Close())
	})
	return b
}

// mustCreate makes a queue from attributes, given as pairs.
func mustCreate(t testing.TB, b *Broker, name string, attributes ...string) Local {
	t.Helper()
	q, err := b.CreateQueue(context.Background(), name, pairs(attributes), nil)
	require.NoError(t, err)
	return q
}

func pairs(texts []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(texts); i += 2 {
		m[texts[i]] = texts[i+1]
	}
	return m
}

// refusal is the ParamError of a call that was refused with a sentinel.
func refusedAs(t testing.TB, err, sentinel error) *ParamError {
	t.Helper()
	require.ErrorIs(t, err, sentinel)
	var p *ParamError
	require.ErrorAs(t, err, &p)
	return p
}

func TestBroker_NewBroker_RefusesOptionsOutOfRange(t *testing.T) {
	for name, o := range map[string]BrokerOption{
		"no region":         WithRegion(""),
		"long region":       WithRegion(strings.Repeat("a", 64)),
		"colon in region":   WithRegion("us:east"),
		"upper case region": WithRegion("US-east-1"),
		"short account":     WithAccount("12345678901"),
		"long account":      WithAccount("1234567890123"),
		"letter in account": WithAccount("12345678901a"),
		"defaults":          WithQueueDefaults(WithDelay(15*time.Minute + 1)),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := NewBroker(o)
			var p *ParamError
			require.ErrorAs(t, err, &p)
			require.Nil(t, b)
		})
	}
	b := testBroker(t, nil, WithRegion(strings.Repeat("a", 63)), WithAccount("123456789012"), WithQueueDefaults(nil))
	require.Equal(t, "123456789012", b.Account())
	require.Equal(t, strings.Repeat("a", 63), b.Region())
}

func TestBroker_QueuesAreFoundByNameAndARN(t *testing.T) {
	b := testBroker(t, WithRegion("eu-west-3"), WithAccount("123456789012"))
	q, err := b.CreateStandard("Jobs")
	require.NoError(t, err)
	f, err := b.CreateFIFO("Jobs.fifo", nil)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sqs:eu-west-3:123456789012:Jobs", q.ARN())

	for _, want := range []Local{q, f} {
		got, err := b.Queue(want.Name())
		require.NoError(t, err)
		require.Same(t, want, got)
		got, err = b.ByARN(want.ARN())
		require.NoError(t, err)
		require.Same(t, want, got)
	}
	for _, name := range []string{"jobs", "", "Jobs ", q.ARN()} {
		_, err := b.Queue(name)
		require.ErrorIs(t, err, ErrQueueDoesNotExist)
	}
	for _, arn := range []string{"", "Jobs", "arn:aws:sqs:eu-west-3:123456789013:Jobs", "arn:aws:sqs:eu-west-3:123456789012:jobs",
		"arn:aws:sqs:eu-west-2:123456789012:Jobs"} {
		_, err := b.ByARN(arn)
		require.ErrorIs(t, err, ErrQueueDoesNotExist)
	}
}

func TestBroker_NAM1_NAM2_NamesMustFitTheType(t *testing.T) {
	b := testBroker(t)
	ctx := context.Background()
	fifo := map[string]string{"FifoQueue": "true"}
	for _, name := range []string{"", "a b", "a/b", strings.Repeat("a", 81), "a.fifo", "ü"} {
		_, err := b.CreateStandard(name)
		require.Equal(t, "QueueName", refusedAs(t, err, ErrInvalidParameter).Param, name)
		_, err = b.CreateQueue(ctx, name, nil, nil)
		require.Equal(t, "QueueName", refusedAs(t, err, ErrInvalidParameter).Param, name)
	}
	for _, name := range []string{"", ".fifo", "a", "a.FIFO", strings.Repeat("a", 76) + ".fifo"} {
		_, err := b.CreateFIFO(name)
		require.Equal(t, "QueueName", refusedAs(t, err, ErrInvalidParameter).Param, name)
		_, err = b.CreateQueue(ctx, name, fifo, nil)
		require.Equal(t, "QueueName", refusedAs(t, err, ErrInvalidParameter).Param, name)
	}
	names, err := b.List("", "", 0)
	require.NoError(t, err)
	require.Empty(t, names)
	_, err = b.CreateStandard(strings.Repeat("a", 80))
	require.NoError(t, err)
	_, err = b.CreateQueue(ctx, strings.Repeat("a", 75)+".fifo", fifo, nil)
	require.NoError(t, err)
}

func TestBroker_MGT1_CreateComparesGivenOptionsWithCurrentSettings(t *testing.T) {
	b := testBroker(t)
	dlq, err := b.CreateStandard("dlq")
	require.NoError(t, err)
	log := DeadLetterFunc(func(context.Context, DeadLetter) error { return nil })
	q, err := b.CreateStandard("jobs", WithVisibilityTimeout(10*time.Second), WithDeadLetter(dlq, 5), WithSenderID("me"), WithCapacity(9, 0))
	require.NoError(t, err)
	require.NoError(t, q.Configure(WithVisibilityTimeout(20*time.Second)))

	for name, opts := range map[string][]StandardOption{
		"nothing given":      nil,
		"current value":      {WithVisibilityTimeout(20 * time.Second)},
		"default":            {WithDelay(Zero), WithRetention(4 * 24 * time.Hour), WithReceiveWait(0), WithMaxMessageSize(1 << 20), WithObserver(nil)},
		"target":             {WithDeadLetter(dlq, 5)},
		"capacity and owner": {WithCapacity(9, 0), WithSenderID("me")},
	} {
		t.Run(name, func(t *testing.T) {
			again, err := b.CreateStandard("jobs", opts...)
			require.NoError(t, err)
			require.Same(t, q, again)
		})
	}
	before := q.Config()
	for attribute, o := range map[string]StandardOption{
		"VisibilityTimeout":             WithVisibilityTimeout(10 * time.Second), // of the creation, changed since
		"DelaySeconds":                  WithDelay(1),
		"MessageRetentionPeriod":        WithRetention(time.Minute),
		"ReceiveMessageWaitTimeSeconds": WithReceiveWait(1),
		"MaximumMessageSize":            WithMaxMessageSize(1024),
		"RedrivePolicy":                 StandardOptions(WithDeadLetter(dlq, 6)),
		"SenderId":                      WithSenderID("you"),
		"Capacity":                      WithCapacity(9, 1),
		"Observer":                      WithObserver(func([]Event) {}),
		"WithoutSQSLimits":              WithoutSQSLimits(),
	} {
		t.Run(attribute, func(t *testing.T) {
			_, err := b.CreateStandard("jobs", o)
			require.Equal(t, attribute, refusedAs(t, err, ErrQueueExists).Param)
			require.Equal(t, before, q.Config())
		})
	}
	_, err = b.CreateStandard("jobs", WithDeadLetter(log, 5))
	require.Equal(t, "RedrivePolicy", refusedAs(t, err, ErrQueueExists).Param)
	_, err = b.CreateStandard("logged", WithDeadLetter(log, 5))
	require.NoError(t, err)
	_, err = b.CreateStandard("logged", WithDeadLetter(log, 5))
	require.Equal(t, "RedrivePolicy", refusedAs(t, err, ErrQueueExists).Param, "functions cannot be compared")
	_, err = b.CreateStandard("jobs", WithDelay(time.Hour))
	require.Equal(t, "DelaySeconds", refusedAs(t, err, ErrInvalidAttributeValue).Param, "no queue can have this delay")
}

func TestBroker_MGT1_CreateComparesGivenAttributesWithCurrentValues(t *testing.T) {
	b := testBroker(t)
	ctx := context.Background()
	dlq := mustCreate(t, b, "d.fifo", "FifoQueue", "true").(*FIFO)
	arn := dlq.ARN()
	q := mustCreate(t, b, "q.fifo", "FifoQueue", "true", "DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId",
		"DelaySeconds", "7", "KmsMasterKeyId", "k", "Policy", `{"a": [1, 2]}`,
		"RedrivePolicy", `{"maxReceiveCount":"3","deadLetterTargetArn":"`+arn+`"}`,
		"RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+arn+`","arn:aws:sqs:us-east-1:000000000000:x.fifo"]}`)

	for _, attributes := range [][]string{
		{},
		{"DelaySeconds", "007"},
		{"FifoThroughputLimit", "perMessageGroupId"},
		{"KmsMasterKeyId", "k", "SqsManagedSseEnabled", "FALSE"},
		{"KmsDataKeyReusePeriodSeconds", "300"},
		{"Policy", "{\"a\":[1,2]}\n"},
		{"RedrivePolicy", `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":3}`},
		{"RedriveAllowPolicy", `{"sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:x.fifo","` + arn + `"],"redrivePermission":"byQueue"}`},
	} {
		require.Same(t, q, mustCreate(t, b, "q.fifo", append(attributes, "FifoQueue", "True")...), attributes)
	}
	for _, attributes := range [][]string{
		{"DelaySeconds", "0"},
		{"ContentBasedDeduplication", "true"},
		{"DeduplicationScope", "queue"},
		{"KmsMasterKeyId", ""},
		{"KmsDataKeyReusePeriodSeconds", "60"},
		{"SqsManagedSseEnabled", "true"},
		{"Policy", ""},
		{"Policy", `{"a":[2,1]}`},
		{"RedrivePolicy", ""},
		{"RedrivePolicy", `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":4}`},
		{"RedrivePolicy", `{"deadLetterTargetArn":"` + arn[:len(arn)-5] + `e.fifo","maxReceiveCount":3}`},
		{"RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`},
		{"RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["` + arn + `"]}`},
		{"RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["` + arn + `","arn:aws:sqs:us-east-1:000000000000:x.fifo","arn:aws:sqs:us-east-1:000000000000:y.fifo"]}`},
		{"RedriveAllowPolicy", ""},
	} {
		before, err := b.Attributes(ctx, "q.fifo", "All")
		require.NoError(t, err)
		_, err = b.CreateQueue(ctx, "q.fifo", pairs(append(attributes, "FifoQueue", "true")), nil)
		p := refusedAs(t, err, ErrQueueExists)
		require.Equal(t, attributes[0], p.Param)
		require.Equal(t, "A queue already exists with the same name and a different value for attribute "+attributes[0], p.Reason)
		now, err := b.Attributes(ctx, "q.fifo", "All")
		require.NoError(t, err)
		require.Equal(t, before, now)
	}
	// An equal policy is not checked again.
	require.NoError(t, b.DeleteQueue(ctx, "d.fifo"))
	require.Same(t, q, mustCreate(t, b, "q.fifo", "FifoQueue", "true", "RedrivePolicy", `{"deadLetterTargetArn":"`+arn+`","maxReceiveCount":3}`))
}

func TestBroker_MGT2_ANameIsFreeSixtySecondsAfterDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBroker(t)
		ctx := context.Background()
		mustCreate(t, b, "a")
		mustCreate(t, b, "b")
		require.NoError(t, b.DeleteQueue(ctx, "a"))
		time.Sleep(time.Second)
		require.NoError(t, b.DeleteQueue(ctx, "b"))
		time.Sleep(59*time.Second - 1)
		_, err := b.CreateStandard("a")
		require.Equal(t, "a", refusedAs(t, err, ErrQueueDeletedRecently).Value)
		_, err = b.CreateQueue(ctx, "a", nil, nil)
		require.ErrorIs(t, err, ErrQueueDeletedRecently)
		time.Sleep(time.Nanosecond)
		mustCreate(t, b, "a")
		_, err = b.CreateStandard("b")
		require.ErrorIs(t, err, ErrQueueDeletedRecently)
		_, err = b.CreateFIFO("b.fifo")
		require.NoError(t, err, "another name")
		require.NoError(t, b.DeleteQueue(ctx, "a"), "the second time")
		time.Sleep(time.Second)
		mustCreate(t, b, "b")
		_, err = b.CreateStandard("a")
		require.ErrorIs(t, err, ErrQueueDeletedRecently)
		time.Sleep(59*time.Second - 1)
		_, err = b.CreateStandard("a")
		require.ErrorIs(t, err, ErrQueueDeletedRecently)
		time.Sleep(time.Nanosecond)
		mustCreate(t, b, "a")
		require.Empty(t, b.deleted)
		require.Empty(t, b.ended)
	})
}

func TestBroker_MGT4_PurgeWaitsSixtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		q := mustCreate(t, testBroker(t), "a")
		other := mustCreate(t, testBroker(t), "a")
		require.NoError(t, q.Purge(ctx))
		require.NoError(t, other.Purge(ctx))
		_, err := q.Send(ctx, Message{Body: "m"})
		require.NoError(t, err)
		time.Sleep(time.Minute - 1)
		require.ErrorIs(t, q.Purge(ctx), ErrPurgeInProgress)
		c, err := q.Counts(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, c.Visible)
		time.Sleep(time.Nanosecond)
		require.NoError(t, q.Purge(ctx))
	})
}

func TestBroker_MGT2_MGT4_WithoutCooldownsNothingWaits(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	for range 3 {
		q := mustCreate(t, b, "a")
		require.NoError(t, q.Purge(ctx))
		require.NoError(t, q.Purge(ctx))
		require.NoError(t, b.DeleteQueue(ctx, "a"))
	}
	require.Empty(t, b.ended)
}

func TestBroker_MGT3_DeleteEndsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := testBroker(t)
		for _, q := range []Queue{mustCreate(t, b, "a"), mustCreate(t, b, "a.fifo", "FifoQueue", "true")} {
			waited := make(chan error, 1)
			go func() {
				_, err := q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
				waited <- err
			}()
			synctest.Wait()
			start := time.Now()
			require.NoError(t, b.DeleteQueue(ctx, q.Name()))
			require.ErrorIs(t, <-waited, ErrQueueDoesNotExist)
			require.Zero(t, time.Since(start))
			_, err := q.Receive(ctx, ReceiveInput{})
			require.ErrorIs(t, err, ErrQueueDoesNotExist)
			require.ErrorIs(t, q.Purge(ctx), ErrQueueDoesNotExist)

			require.ErrorIs(t, b.DeleteQueue(ctx, q.Name()), ErrQueueDoesNotExist)
			_, err = b.Queue(q.Name())
			require.ErrorIs(t, err, ErrQueueDoesNotExist)
			_, err = b.Attributes(ctx, q.Name())
			require.ErrorIs(t, err, ErrQueueDoesNotExist)
			require.ErrorIs(t, b.SetAttributes(ctx, q.Name(), nil), ErrQueueDoesNotExist)
			_, err = b.Tags(ctx, q.Name())
			require.ErrorIs(t, err, ErrQueueDoesNotExist)
			require.ErrorIs(t, b.SetTags(ctx, q.Name(), nil), ErrQueueDoesNotExist)
			require.ErrorIs(t, b.RemoveTags(ctx, q.Name()), ErrQueueDoesNotExist)
			_, err = b.DeadLetterSources(q.Name(), "", 0)
			require.ErrorIs(t, err, ErrQueueDoesNotExist)
		}
	})
}

func TestBroker_AQueueMadeAgainIsEmptyAndNew(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	old := mustCreate(t, b, "a", "DelaySeconds", "9", "Policy", "{}")
	_, err := old.Send(ctx, Message{Body: "m"})
	require.NoError(t, err)
	require.NoError(t, b.SetTags(ctx, "a", map[string]string{"k": "v"}))
	require.NoError(t, b.DeleteQueue(ctx, "a"))
	q := mustCreate(t, b, "a", "DelaySeconds", "0")
	require.NotSame(t, old, q)
	c, err := q.Counts(ctx)
	require.NoError(t, err)
	require.Zero(t, c)
	tags, err := b.Tags(ctx, "a")
	require.NoError(t, err)
	require.Empty(t, tags)
	_, err = old.Counts(ctx)
	require.ErrorIs(t, err, ErrQueueDoesNotExist)
}

func TestBroker_MGT5_ListPagesByName(t *testing.T) {
	b := testBroker(t)
	for _, name := range []string{"b", "a-2", "a-10", "A", "a-1", "a", "c.fifo"} {
		attributes := []string{}
		if strings.HasSuffix(name, ".fifo") {
			attributes = []string{"FifoQueue", "true"}
		}
		mustCreate(t, b, name, attributes...)
	}
	for _, c := range []struct {
		prefix, after string
		max           int
		want          []string
	}{
		{"", "", 0, []string{"A", "a", "a-1", "a-10", "a-2", "b", "c.fifo"}},
		{"", "", 3, []string{"A", "a", "a-1"}},
		{"", "a-1", 3, []string{"a-10", "a-2", "b"}},
		{"", "b", 3, []string{"c.fifo"}},
		{"", "c.fifo", 3, nil},
		{"", "a-15", 1, []string{"a-2"}}, // a queue that is gone by now
		{"a", "", 0, []string{"a", "a-1", "a-10", "a-2"}},
		{"a-", "", 2, []string{"a-1", "a-10"}},
		{"a-", "a-10", 2, []string{"a-2"}},
		{"a-", "A", 1, []string{"a-1"}},
		{"a-", "b", 0, nil},
		{"a-1", "a-1", 0, []string{"a-10"}},
		{"z", "", 0, nil},
		{"c.fifo", "", 1, []string{"c.fifo"}},
	} {
		got, err := b.List(c.prefix, c.after, c.max)
		require.NoError(t, err)
		require.Equal(t, c.want, got, c)
	}
	_, err := b.List("", "", -1)
	require.Equal(t, "MaxResults", refusedAs(t, err, ErrInvalidParameter).Param)
	require.NoError(t, b.DeleteQueue(context.Background(), "a-1"))
	got, err := b.List("a-1", "", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"a-10"}, got)
}

func TestBroker_CloseEndsAllQueuesAndTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := testBroker(t)
		s := mustCreate(t, b, "a")
		f := mustCreate(t, b, "a.fifo", "FifoQueue", "true")
		waited := make(chan error, 2)
		for _, q := range []Queue{s, f} {
			go func() {
				_, err := q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
				waited <- err
			}()
		}
		synctest.Wait()
		require.NoError(t, b.Close())
		require.NoError(t, b.Close())
		require.ErrorIs(t, <-waited, ErrClosed)
		require.ErrorIs(t, <-waited, ErrClosed)
		checkClosed(t, b)
		require.ErrorIs(t, s.(*Standard).Configure(WithDeadLetter(nil, 0)), ErrClosed)
		require.ErrorIs(t, s.(*Standard).Configure(WithDelay(1)), ErrClosed)
	})
}

func TestBroker_TheZeroBrokerIsClosed(t *testing.T) {
	checkClosed(t, &Broker{})
	require.NoError(t, (&Broker{}).Close())
}

func checkClosed(t *testing.T, b *Broker) {
	t.Helper()
	ctx := context.Background()
	for i, call := range []func() error{
		func() error { _, err := b.CreateStandard("b"); return err },
		func() error { _, err := b.CreateFIFO("b.fifo"); return err },
		func() error { _, err := b.CreateQueue(ctx, "b", nil, nil); return err },
		func() error { _, err := b.Queue("a"); return err },
		func() error { _, err := b.ByARN("arn:aws:sqs:us-east-1:000000000000:a"); return err },
		func() error { _, err := b.List("", "", 0); return err },
		func() error { _, err := b.DeadLetterSources("a", "", 0); return err },
		func() error { _, err := b.Attributes(ctx, "a", "All"); return err },
		func() error { return b.SetAttributes(ctx, "a", map[string]string{"DelaySeconds": "1"}) },
		func() error { _, err := b.Tags(ctx, "a"); return err },
		func() error { return b.SetTags(ctx, "a", map[string]string{"k": "v"}) },
		func() error { return b.RemoveTags(ctx, "a", "k") },
		func() error { return b.DeleteQueue(ctx, "a") },
	} {
		require.ErrorIs(t, call(), ErrClosed, "call %d", i)
	}
}

func TestBroker_CallsHeedTheirContext(t *testing.T) {
	b := testBroker(t)
	mustCreate(t, b, "a")
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for i, call := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := b.CreateQueue(ctx, "b", nil, nil); return err },
		func(ctx context.Context) error { _, err := b.Attributes(ctx, "a", "All"); return err },
		func(ctx context.Context) error {
			return b.SetAttributes(ctx, "a", map[string]string{"DelaySeconds": "1"})
		},
		func(ctx context.Context) error { _, err := b.Tags(ctx, "a"); return err },
		func(ctx context.Context) error { return b.SetTags(ctx, "a", map[string]string{"k": "v"}) },
		func(ctx context.Context) error { return b.RemoveTags(ctx, "a", "k") },
		func(ctx context.Context) error { return b.DeleteQueue(ctx, "a") },
	} {
		require.Equal(t, context.Canceled, call(done), "call %d", i)
		var none context.Context
		require.ErrorIs(t, call(none), ErrMissingParameter, "call %d", i)
	}
	names, err := b.List("", "", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names)
}

func TestBroker_AQueueClosedByItselfKeepsItsName(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	q, err := b.CreateStandard("a")
	require.NoError(t, err)
	require.NoError(t, q.Close())
	_, err = b.Attributes(ctx, "a", "All")
	require.ErrorIs(t, err, ErrClosed)
	again, err := b.CreateStandard("a")
	require.NoError(t, err)
	require.Same(t, q, again)
	require.NoError(t, b.DeleteQueue(ctx, "a"))
	again, err = b.CreateStandard("a")
	require.NoError(t, err)
	require.NotSame(t, q, again)
}

func TestBroker_DefaultsComeBeforeTheQueuesOwnOptions(t *testing.T) {
	b := testBroker(t, WithQueueDefaults(WithDelay(5*time.Second), WithoutSQSLimits()), WithQueueDefaults(WithReceiveWait(time.Second)))
	s, err := b.CreateStandard("s", WithDelay(6*time.Second))
	require.NoError(t, err)
	require.Equal(t, 6*time.Second, s.Config().Delay)
	require.Equal(t, time.Second, s.Config().ReceiveWait)
	f := mustCreate(t, b, "f.fifo", "FifoQueue", "true", "VisibilityTimeout", "43201").(*FIFO)
	require.Equal(t, 5*time.Second, f.Config().Delay)
	require.Equal(t, 43201*time.Second, f.Config().VisibilityTimeout)
	require.False(t, f.Config().SQSLimits)
	require.NoError(t, s.Configure(WithDelay(7*time.Second)))
	_, err = b.CreateStandard("s")
	require.NoError(t, err, "defaults are not compared")
}

// Many goroutines create, change, use and delete a few queues. Whatever a call finds, it gets one
// of the answers that some order of the calls explains, and each queue that lives at the end works.
func TestBroker_ConcurrentCallsLeaveItConsistent(t *testing.T) {
	b := testBroker(t, WithoutCooldowns())
	ctx := context.Background()
	const names, workers, rounds = 4, 8, 500
	allowed := func(err error) bool {
		return err == nil || errors.Is(err, ErrQueueDoesNotExist) || errors.Is(err, ErrQueueExists) || errors.Is(err, ErrNotDeadLetterQueue) ||
			errors.Is(err, ErrTaskRunning) || errors.Is(err, ErrInvalidParameter) && strings.Contains(err.Error(), "Dead letter target does not exist")
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				name := fmt.Sprintf("q%d", (w+i)%names)
				policy := fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:q%d","maxReceiveCount":1}`, (w+2*i)%names)
				var errs []error
				note := func(err error) { errs = append(errs, err) }
				switch (w + i/names) % 8 {
				case 0:
					note(b.DeleteQueue(ctx, name))
				case 1:
					note(b.SetAttributes(ctx, name, map[string]string{"RedrivePolicy": policy, "VisibilityTimeout": "0"}))
				case 2:
					note(b.SetAttributes(ctx, name, map[string]string{"RedrivePolicy": "", "Policy": "{}"}))
				case 3:
					note(b.SetTags(ctx, name, map[string]string{fmt.Sprint("k", i%9): "v"}))
					note(b.RemoveTags(ctx, name, "k1", "k2"))
				case 4:
					_, err := b.Attributes(ctx, name, "All")
					note(err)
					_, err = b.DeadLetterSources(name, "", 0)
					note(err)
				case 5:
					q, err := b.Queue(name)
					note(err)
					if err == nil {
						task, err := q.Redrive(ctx, RedriveInput{})
						note(err)
						if err == nil {
							<-task.Done()
						}
						note(q.(*Standard).Configure(WithDelay(0)))
					}
				default:
					q, err := b.CreateQueue(ctx, name, nil, map[string]string{"t": "v"})
					note(err)
					if err == nil {
						_, err = q.Send(ctx, Message{Body: "m"})
						note(err)
						_, err = q.Receive(ctx, ReceiveInput{Max: 10})
						note(err)
					}
				}
				for _, err := range errs {
					if !allowed(err) {
						t.Errorf("unexpected error: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	list, err := b.List("", "", 0)
	require.NoError(t, err)
	require.Len(t, b.queues, len(list))
	for _, name := range list {
		q, err := b.Queue(name)
		require.NoError(t, err)
		_, err = q.Send(ctx, Message{Body: "last"})
		require.NoError(t, err)
	}
}

func TestBroker_ConcurrentCreatesAgreeOnOneQueue(t *testing.T) {
	b := testBroker(t)
	got := make([]*Standard, 16)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = b.CreateStandard("a") })
	}
	wg.Wait()
	for _, q := range got {
		require.NotNil(t, q)
		require.Same(t, got[0], q)
	}
}

func TestBroker_HoldsNoMoreQueuesThanItsLimit(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithQueueLimit(2), WithoutCooldowns())
	mustCreate(t, b, "a")
	mustCreate(t, b, "b")
	p := refusedAs(t, func() error { _, err := b.CreateQueue(ctx, "c", nil, nil); return err }(), ErrOverLimit)
	require.Equal(t, ParamError{Err: ErrOverLimit, Param: "Queues", Value: 2, Max: 2, Reason: "the broker holds 2 queues, the most that WithQueueLimit allows"}, *p)
	require.EqualError(t, p, "inq: over limit: the broker holds 2 queues, the most that WithQueueLimit allows")
	_, err := b.CreateFIFO("c.fifo")
	require.ErrorIs(t, err, ErrOverLimit)
	mustCreate(t, b, "a") // which is there
	require.NoError(t, b.DeleteQueue(ctx, "a"))
	mustCreate(t, b, "c")
	_, err = NewBroker(WithQueueLimit(-1))
	require.ErrorIs(t, err, ErrInvalidParameter)
}

func TestBroker_MGT2_ForgetsDeletedQueuesAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := testBroker(t)
		const n = 100
		for i := range n {
			name := fmt.Sprint("q", i)
			mustCreate(t, b, name)
			require.NoError(t, b.DeleteQueue(ctx, name))
		}
		time.Sleep(cooldown)
		mustCreate(t, b, "q99") // free, though not forgotten yet
		require.Len(t, b.ended, n-forgottenAtOnce)
		require.NoError(t, b.DeleteQueue(ctx, "q99"))
		for i := range n / 2 { // meanwhile the first deletion of q99 is forgotten, and the second must not be
			mustCreate(t, b, fmt.Sprint("new", i))
		}
		require.Len(t, b.ended, 1)
		require.Len(t, b.deleted, 1)
		_, err := b.CreateQueue(ctx, "q99", nil, nil)
		require.ErrorIs(t, err, ErrQueueDeletedRecently)
	})
}
