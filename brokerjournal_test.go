package inq

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
)

// openTestJournal opens a journal over files, which are those of an earlier one.
func openTestJournal(t testing.TB, files JournalOption, opts ...JournalOption) *Journal {
	t.Helper()
	j, err := OpenJournal("dir", append([]JournalOption{files}, opts...)...)
	require.NoError(t, err)
	return j
}

// reopened closes a broker with its journal, and opens both anew.
func reopened(t testing.TB, b *Broker, files JournalOption, opts ...BrokerOption) *Broker {
	t.Helper()
	require.NoError(t, b.Close())
	require.NoError(t, b.journal.Close())
	b, err := NewBroker(append(opts, WithBrokerJournal(openTestJournal(t, files)))...)
	require.NoError(t, err)
	return b
}

func TestABrokerComesBackWithItsQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, files := t.Context(), InMemory()
		b, err := NewBroker(WithBrokerJournal(openTestJournal(t, files)))
		require.NoError(t, err)
		dead, err := b.CreateStandard("dead")
		require.NoError(t, err)
		_, err = b.CreateQueue(ctx, "jobs", map[string]string{
			"VisibilityTimeout": "7", "Policy": `{"Statement":[]}`, "KmsMasterKeyId": "key",
			"RedrivePolicy": `{"deadLetterTargetArn":"` + dead.ARN() + `","maxReceiveCount":2}`,
		}, map[string]string{"team": "a", "gone": ""})
		require.NoError(t, err)
		_, err = b.CreateFIFO("orders.fifo", WithContentBasedDeduplication(true), WithDelay(1500*time.Millisecond))
		require.NoError(t, err)
		_, err = b.CreateStandard("deleted")
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		require.NoError(t, b.SetAttributes(ctx, "dead", map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}))
		require.NoError(t, b.SetTags(ctx, "jobs", map[string]string{"env": "test"}))
		require.NoError(t, b.RemoveTags(ctx, "jobs", "gone"))
		require.NoError(t, b.DeleteQueue(ctx, "deleted"))
		jobs, err := b.Queue("jobs")
		require.NoError(t, err)
		sent, err := jobs.Send(ctx, Message{Body: "job"})
		require.NoError(t, err)
		ds, err := jobs.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		handle := ds[0].ReceiptHandle()

		look := func(b *Broker) (all []string) {
			names, err := b.List("", "", 0)
			require.NoError(t, err)
			for _, name := range names {
				attributes, err := b.Attributes(ctx, name, "All")
				require.NoError(t, err)
				tags, err := b.Tags(ctx, name)
				require.NoError(t, err)
				sources, err := b.DeadLetterSources(name, "", 0)
				require.NoError(t, err)
				all = append(all, fmt.Sprint(name, attributes, tags, sources))
			}
			return all
		}
		before := look(b)
		require.Len(t, before, 3)
		b = reopened(t, b, files)
		require.Equal(t, before, look(b))
		require.Equal(t, []string{"dead", "jobs", "orders.fifo"}, b.names)
		orders, err := b.Queue("orders.fifo")
		require.NoError(t, err)
		require.Equal(t, 1500*time.Millisecond, orders.Config().Delay, "exactly")
		require.Len(t, b.journal.Queues(), 3)

		jobs, err = b.Queue("jobs")
		require.NoError(t, err)
		found := slices.Collect(jobs.Messages())
		require.Len(t, found, 1)
		require.Equal(t, sent.ID(), found[0].ID)
		require.NoError(t, jobs.Delete(ctx, handle), "a handle of the process before")
		require.Empty(t, slices.Collect(jobs.Messages()))
		again, err := b.CreateQueue(ctx, "jobs", map[string]string{"VisibilityTimeout": "7"}, nil)
		require.NoError(t, err)
		require.Equal(t, jobs, again)
		_, err = b.CreateQueue(ctx, "jobs", map[string]string{"VisibilityTimeout": "8"}, nil)
		require.ErrorIs(t, err, ErrQueueExists)
		require.NoError(t, b.Close())
		require.NoError(t, b.journal.Close())
	})
}

func TestDeadLettersOfAQueueThatCameBackFindTheirQueueByItsARN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, files := t.Context(), InMemory()
		b, err := NewBroker(WithBrokerJournal(openTestJournal(t, files)), WithoutCooldowns())
		require.NoError(t, err)
		dead, err := b.CreateStandard("zz-dead")
		require.NoError(t, err)
		jobs, err := b.CreateStandard("jobs", WithDeadLetter(dead, 1), WithVisibilityTimeout(time.Second))
		require.NoError(t, err)
		_, err = jobs.Send(ctx, Message{Body: "poison"})
		require.NoError(t, err)
		ds, err := jobs.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1)

		b = reopened(t, b, files, WithoutCooldowns())
		back, err := b.Queue("jobs")
		require.NoError(t, err)
		time.Sleep(time.Second)
		ds, err = back.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		require.Empty(t, ds)
		b = reopened(t, b, files, WithoutCooldowns())
		deadBack, err := b.Queue("zz-dead")
		require.NoError(t, err)
		found := slices.Collect(deadBack.Messages())
		require.Len(t, found, 1)
		require.Equal(t, jobs.ARN(), found[0].DeadLetterSourceARN)
		task, err := deadBack.Redrive(ctx, RedriveInput{})
		require.NoError(t, err)
		<-task.Done()
		require.Equal(t, MoveCompleted, task.Status())
		back, err = b.Queue("jobs")
		require.NoError(t, err)
		require.Equal(t, 1, back.Stats().Visible)
		require.NoError(t, b.Close())
		require.NoError(t, b.journal.Close())
	})
}

func TestWhatAJournalCannotKeepIsGivenAnew(t *testing.T) {
	ctx, files := context.Background(), InMemory()
	b, err := NewBroker(WithBrokerJournal(openTestJournal(t, files)))
	require.NoError(t, err)
	var told []Event
	observer := WithObserver(func(es []Event) { told = append(told, es...) })
	taken := 0
	target := WithDeadLetter(DeadLetterFunc(func(context.Context, DeadLetter) error { taken++; return nil }), 3)
	_, err = b.CreateStandard("jobs", observer, target, WithDelay(0))
	require.NoError(t, err)

	b = reopened(t, b, files)
	jobs, err := b.CreateStandard("jobs", observer, target, WithDelay(0))
	require.NoError(t, err, "as every start of the program does")
	told = nil
	_, err = jobs.Send(ctx, Message{Body: "x"})
	require.NoError(t, err)
	require.NotEmpty(t, told)
	require.Equal(t, 3, jobs.Config().MaxReceives)
	_, err = b.CreateStandard("jobs", observer)
	require.ErrorIs(t, err, ErrQueueExists, "once: an observer differs from every other")
	require.NoError(t, b.Close())
	require.NoError(t, b.journal.Close())
}

func TestDefaultsOfABrokerAreNotKept(t *testing.T) {
	files := InMemory()
	b, err := NewBroker(WithBrokerJournal(openTestJournal(t, files)), WithQueueDefaults(WithCapacity(5, 0), WithDelay(time.Second)))
	require.NoError(t, err)
	_, err = b.CreateStandard("a", WithDelay(2*time.Second))
	require.NoError(t, err)
	b = reopened(t, b, files, WithQueueDefaults(WithCapacity(7, 0), WithReceiveWait(time.Second)))
	a, err := b.Queue("a")
	require.NoError(t, err)
	require.Equal(t, 7, a.Config().CapacityMessages)
	require.Equal(t, 2*time.Second, a.Config().Delay)
	require.Equal(t, time.Second, a.Config().ReceiveWait)
	require.NoError(t, b.Close())
	require.NoError(t, b.journal.Close())
}

func TestADeletedQueueIsGoneForGoodAndItsNameIsFree(t *testing.T) {
	ctx, files := context.Background(), InMemory()
	b, err := NewBroker(WithBrokerJournal(openTestJournal(t, files)), WithoutCooldowns())
	require.NoError(t, err)
	for n := range 3 {
		q, err := b.CreateStandard("a", WithDelay(time.Duration(n)))
		require.NoError(t, err)
		require.Zero(t, q.Stats().Visible)
		_, err = q.Send(ctx, Message{Body: "x"})
		require.NoError(t, err)
		if n == 1 {
			b = reopened(t, b, files, WithoutCooldowns())
		}
		require.NoError(t, b.DeleteQueue(ctx, "a"))
	}
	b = reopened(t, b, files)
	require.Empty(t, b.names)
	require.Empty(t, b.objects.numbers())
	require.NoError(t, b.Close())
	require.NoError(t, b.journal.Close())
}

func TestBrokersOfSeveralRegionsShareAJournal(t *testing.T) {
	files := InMemory()
	j := openTestJournal(t, files)
	var brokers []*Broker
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		b, err := NewBroker(WithRegion(region), WithBrokerJournal(j))
		require.NoError(t, err)
		_, err = b.CreateStandard("same")
		require.NoError(t, err)
		_, err = b.CreateStandard("of-" + region)
		require.NoError(t, err)
		brokers = append(brokers, b)
	}
	_, err := NewBroker(WithRegion("eu-west-1"), WithBrokerJournal(j))
	require.ErrorIs(t, err, ErrInvalidParameter, "one broker of a region at a time")
	for _, b := range brokers {
		require.NoError(t, b.Close())
	}
	b, err := NewBroker(WithRegion("eu-west-1"), WithBrokerJournal(j))
	require.NoError(t, err)
	require.Equal(t, []string{"of-eu-west-1", "same"}, b.names)
	require.NoError(t, b.Close())
	require.NoError(t, j.Close())
}

func TestAPurgeThatFailedCanBeTriedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, disk := t.Context(), faultfs.New()
		j := openTestJournal(t, durable.OnFiles(disk).(JournalOption), WithSegmentSize(16<<10))
		defer j.Close()
		b, err := NewBroker(WithBrokerJournal(j))
		require.NoError(t, err)
		q, err := b.CreateStandard("q")
		require.NoError(t, err)
		_, err = q.Send(ctx, Message{Body: "a"})
		require.NoError(t, err)
		disk.Inject(func(c faultfs.Call) (f faultfs.Fault) { // as if the reserve were used up as well
			if c.Op == faultfs.Write {
				f.Err = journal.ErrNoSpace
			}
			return f
		})
		require.ErrorIs(t, q.Purge(ctx), ErrJournalFull)
		require.ErrorIs(t, q.Purge(ctx), ErrJournalFull, "not that it was purged a moment ago")
		c, err := q.Counts(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, c.Visible+c.NotVisible)
		disk.Inject(nil)
		require.NoError(t, q.Purge(ctx))
		require.ErrorIs(t, q.Purge(ctx), ErrPurgeInProgress)
	})
}
