package inqaws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// This file runs one program on two queues in lockstep: a queue in this process, and a Queue over
// the SDK whose broker is made like that of the first. Operations are random, time is virtual, and
// after each operation everything is compared that a program can see, and everything that the two
// queues of the process tell of their messages. What is allowed to differ stands in the package
// documentation. A failure prints the seed of its run; INQ_SEED repeats that one, INQ_SEEDS says how
// many there are, and INQ_STEPS how many operations each has.

const (
	differentialSeeds = 200
	differentialSteps = 60
)

func TestDifferential_AProgramSeesTheSameInProcessAndOverTheSDK(t *testing.T) {
	first, seeds, steps := rand.Uint64(), number(t, "INQ_SEEDS", differentialSeeds), number(t, "INQ_STEPS", differentialSteps)
	if s := os.Getenv("INQ_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		first, seeds = seed, 1
	}
	total := map[string]int{}
	for i := range seeds {
		if t.Failed() {
			break
		}
		seed := first + uint64(i)
		synctest.Test(t, func(t *testing.T) {
			for outcome, n := range runTwins(t, seed, steps) {
				total[outcome] += n
			}
		})
	}
	if seeds < differentialSeeds || t.Failed() {
		return
	}
	for _, o := range twinOperations {
		require.Positive(t, total[o.name+": nil"], "%s succeeds now and then; outcomes: %v", o.name, total)
		if !o.succeeds {
			require.Positive(t, total[o.name+": refused"], "%s is refused now and then; outcomes: %v", o.name, total)
		}
	}
}

// number is what the environment says, or else usual.
func number(t *testing.T, name string, usual int) int {
	s := os.Getenv(name)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// engine is what a queue of a broker can tell beyond inq.Queue.
type engine interface {
	inq.Queue
	ARN() string
	Stats() inq.Stats
	Messages() iter.Seq[inq.Snapshot]
}

// twins are one queue in the process, and one over the SDK.
type twins struct {
	local  engine
	remote *Queue
	far    engine // what remote is a queue of
	fifo   bool
	held   []twinDelivery
	again  *inq.ReceiveInput // a receive that can be repeated
}

// twinDelivery is one delivery, twice.
type twinDelivery struct {
	local, remote inq.Delivery
	early         bool // the end that the remote one knows may be earlier than the true one
}

// twinRun is one run of a program.
type twinRun struct {
	t        *testing.T
	draw     *rand.Rand
	brokers  [2]*inq.Broker // of the local queues, and of those behind remote
	pairs    []*twins
	ids      map[string]string // by the local one, the remote one; sequence numbers too
	sends    int
	log      []string
	outcomes map[string]int

	unlimited bool // queues without the limits of SQS; a body over the SDK is text all the same
}

// twinOperations are what programs do, and how often.
var twinOperations = []struct {
	name     string
	weight   int
	do       func(*twinRun, *twins) error
	succeeds bool // always
}{
	{"send", 20, (*twinRun).send, false},
	{"send batch", 10, (*twinRun).sendBatch, false},
	{"receive", 25, (*twinRun).receive, false},
	{"receive with company", 6, (*twinRun).receiveWithCompany, false},
	{"delete", 8, (*twinRun).delete, false},
	{"delete batch", 4, (*twinRun).deleteBatch, false},
	{"change visibility", 10, (*twinRun).change, false},
	{"change visibility batch", 4, (*twinRun).changeBatch, false},
	{"return", 10, (*twinRun).giveBack, false},
	{"loop", 4, (*twinRun).loop, true},
	{"purge", 1, (*twinRun).purge, false},
	{"configure", 3, (*twinRun).configure, false},
	{"sleep", 25, (*twinRun).sleep, true},
}

// runTwins runs one program in a bubble and counts how its operations ended.
func runTwins(t *testing.T, seed uint64, steps int) map[string]int {
	r := &twinRun{t: t, draw: rand.New(rand.NewPCG(seed, 0)), ids: map[string]string{}, outcomes: map[string]int{}}
	defer func() {
		if t.Failed() {
			from := max(0, len(r.log)-30)
			t.Logf("INQ_SEED=%d, after %d operations, the last of which were\n%s", seed, len(r.log), strings.Join(r.log[from:], "\n"))
		}
	}()
	r.makeQueues()
	sum := 0
	for _, o := range twinOperations {
		sum += o.weight
	}
	for range steps {
		k := r.draw.IntN(sum)
		for _, o := range twinOperations {
			if k -= o.weight; k < 0 {
				outcome := "nil"
				if o.do(r, r.pairs[r.draw.IntN(len(r.pairs))]) != nil {
					outcome = "refused"
				}
				r.outcomes[o.name+": "+outcome]++
				break
			}
		}
		r.compare()
	}
	r.end()
	return r.outcomes
}

func (r *twinRun) one(n int) bool { return r.draw.IntN(n) == 0 }

func pick[T any](r *twinRun, of ...T) T { return of[r.draw.IntN(len(of))] }

// note keeps what is done for the log of a failure.
func (r *twinRun) note(p *twins, format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v %s: ", time.Now().Format("15:04:05.000000000"), p.local.Name())+fmt.Sprintf(format, args...))
}

// makeQueues makes one to three queues, each but the last with the next one for its dead letters.
func (r *twinRun) makeQueues() {
	isFIFO := r.one(2)
	r.unlimited = r.one(5)
	n := 1 + r.draw.IntN(3)
	var opts []inq.BrokerOption
	if r.one(2) {
		opts = append(opts, inq.WithoutCooldowns())
	}
	if r.unlimited {
		opts = append(opts, inq.WithQueueDefaults(inq.WithoutSQSLimits()))
	}
	for i := range r.brokers {
		r.brokers[i] = newBroker(r.t, opts...)
	}
	client := NewClient(r.brokers[1])
	var dead [2]engine
	for i := range n {
		name := fmt.Sprint("q", n-i)
		common := []inq.Option{
			inq.WithVisibilityTimeout(pick(r, 0, time.Second, 30*time.Second, 30*time.Second)),
			inq.WithDelay(pick(r, 0, 0, 0, 2*time.Second)),
			inq.WithReceiveWait(pick(r, 0, 0, 3*time.Second)),
			inq.WithRetention(pick(r, time.Minute, time.Hour, 96*time.Hour)),
			inq.WithMaxMessageSize(pick(r, 1024, 1<<20)),
			inq.WithCapacity(pick(r, 0, 0, 0, 5, 20), pick[int64](r, 0, 0, 0, 2000)),
		}
		content, scope, max := r.one(2), pick(r, inq.ScopeQueue, inq.ScopeMessageGroup), 1+r.draw.IntN(4)
		p := &twins{fifo: isFIFO}
		for side, b := range r.brokers {
			options := slices.Clone(common)
			if i > 0 {
				options = append(options, inq.WithDeadLetter(dead[side].(inq.DeadLetterTarget), max))
			}
			var q engine
			var err error
			if isFIFO {
				q, err = b.CreateFIFO(name+".fifo", inq.Options(options...), inq.WithContentBasedDeduplication(content), inq.WithDeduplicationScope(scope))
			} else {
				q, err = b.CreateStandard(name, inq.Options(options...))
			}
			require.NoError(r.t, err)
			dead[side] = q
		}
		p.local, p.far = dead[0], dead[1]
		p.remote = NewQueue(client, r.brokers[1].QueueURL(DefaultEndpoint, p.local.Name()))
		require.Equal(r.t, p.local.Name(), p.remote.Name())
		r.pairs = append(r.pairs, p)
	}
}

// end deletes the queues. Then both say the same of that, too.
func (r *twinRun) end() {
	for _, p := range r.pairs {
		for _, b := range r.brokers {
			require.NoError(r.t, b.DeleteQueue(r.t.Context(), p.local.Name()))
		}
		want := everyCall(r.t.Context(), p.local)
		for call, err := range everyCall(r.t.Context(), p.remote) {
			if strings.HasPrefix(call, "Delete") || strings.HasPrefix(call, "Change") {
				continue // which is said first, of the queue or of a handle that is none, is not told
			}
			r.same(want[call], err)
			require.ErrorIs(r.t, err, inq.ErrQueueDoesNotExist)
		}
	}
}

// same demands that two calls ended alike: with the same sentinels, of the same parameter, for the
// same entries.
func (r *twinRun) same(local, remote error) error {
	r.t.Helper()
	if (local == nil) != (remote == nil) {
		require.Equal(r.t, local, remote)
	}
	for code, sentinel := range sentinels {
		require.Equal(r.t, errors.Is(local, sentinel), errors.Is(remote, sentinel), "code %s: %v, but %v", code, local, remote)
	}
	for _, sentinel := range []error{inq.ErrFull, inq.ErrReceiptHandleExpired, inq.ErrAttemptNotRetryable, context.Canceled} {
		require.Equal(r.t, errors.Is(local, sentinel), errors.Is(remote, sentinel), "%v: %v, but %v", sentinel, local, remote)
	}
	var ours, theirs *inq.BatchError
	require.Equal(r.t, errors.As(local, &ours), errors.As(remote, &theirs), "%v, but %v", local, remote)
	if ours != nil {
		require.Len(r.t, theirs.Failed, len(ours.Failed), "%v, but %v", local, remote)
		for i, failure := range ours.Failed {
			require.Equal(r.t, failure.Index, theirs.Failed[i].Index, "%v, but %v", local, remote)
			_ = r.same(failure.Err, theirs.Failed[i].Err)
		}
		return local
	}
	var known, named *inq.ParamError
	if errors.As(local, &known) && errors.As(remote, &named) {
		require.Equal(r.t, known.Param, named.Param, "%v, but %v", local, remote)
	}
	return local
}

// sameID demands that an id, or a sequence number, of one side stands for the same of the other.
func (r *twinRun) sameID(local, remote string) {
	r.t.Helper()
	require.Equal(r.t, len(local), len(remote), "%q, but %q", local, remote)
	if was, ok := r.ids[local]; ok {
		require.Equal(r.t, was, remote)
	}
	r.ids[local] = remote
}

// sameNumber is sameID for sequence numbers, which those of another queue can be like.
func (r *twinRun) sameNumber(p *twins, local, remote string) {
	r.t.Helper()
	r.sameID(p.local.Name()+local, p.local.Name()+remote)
}

// sameDeduplicationID is sameID for what can be an id of a message, too (SQS: FIFO-24).
func (r *twinRun) sameDeduplicationID(local, remote string) {
	r.t.Helper()
	if remoteID, ok := r.ids[local]; ok {
		local = remoteID
	}
	require.Equal(r.t, local, remote)
}

// compare looks at everything that can be seen without touching it.
func (r *twinRun) compare() {
	r.t.Helper()
	if !r.one(4) {
		synctest.Wait() // timers have run; at other times they may not have
	}
	for _, p := range r.pairs {
		require.Equal(r.t, p.local.Stats(), p.far.Stats())
		if r.one(4) {
			got, err := p.remote.Counts(r.t.Context())
			require.NoError(r.t, err)
			require.Equal(r.t, p.local.Stats().Counts, got)
		}
		ours, theirs := slices.Collect(p.local.Messages()), slices.Collect(p.far.Messages())
		require.Len(r.t, theirs, len(ours))
		for i, m := range ours {
			other := theirs[i]
			r.sameID(m.ID, other.ID)
			r.sameNumber(p, m.SequenceNumber, other.SequenceNumber)
			r.sameDeduplicationID(m.DeduplicationID, other.DeduplicationID)
			m.ID, m.SequenceNumber, m.DeduplicationID = other.ID, other.SequenceNumber, other.DeduplicationID
			require.Equal(r.t, m, other)
		}
	}
}
