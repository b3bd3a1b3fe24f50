package inq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"github.com/stretchr/testify/require"
)

// This file runs the model of model_test.go and the engine in lockstep: random operations in
// virtual time, every answer and every visible figure compared after each. A failure prints the
// seed of its run; INQ_SEED repeats that one, and INQ_STEPS sets how many operations a run has.

// modelSetup is what a test is about.
type modelSetup struct {
	fifo        bool
	deadLetters bool // three queues, each the dead-letter queue of another, one of them of itself
	retention   []time.Duration
	groups      int
	unlimited   bool
	crowded     bool // much in flight for long: noisy groups must come up
	journal     bool // the queues are kept in a journal, closed and opened again, also after a crash
	rounds      int
	steps       int
	more        map[string]int // weights that differ from modelWeights
}

// modelWeights is how often each operation is drawn.
var modelWeights = []struct {
	name   string
	weight int
	do     func(*modelRun, *modelPair)
}{
	{"send", 20, (*modelRun).send},
	{"send batch", 8, (*modelRun).sendBatch},
	{"receive", 30, (*modelRun).receive},
	{"delete", 8, (*modelRun).delete},
	{"delete batch", 3, (*modelRun).deleteBatch},
	{"delete all", 2, (*modelRun).deleteAll},
	{"change visibility", 12, (*modelRun).changeVisibility},
	{"change visibility batch", 4, (*modelRun).changeVisibilityBatch},
	{"extend all", 2, (*modelRun).extendAll},
	{"return", 6, (*modelRun).giveBack},
	{"bury", 2, (*modelRun).bury},
	{"configure", 4, (*modelRun).configure},
	{"purge", 1, (*modelRun).purge},
	{"sleep", 25, (*modelRun).sleep},
	{"restart", 0, (*modelRun).restart},
	{"crash", 0, (*modelRun).crash},
}

// modelPair is one queue, twice.
type modelPair struct {
	model   *modelQueue
	engine  Local
	inner   *queue
	mirror  mirror
	make    func() (Local, *queue) // anew, from the journal
	set     func(common []Option, fifo []FIFOOption) error
	handles []modelHandle
	last    string        // highest sequence number seen
	again   *ReceiveInput // a receive to repeat
}

// modelHandle is one delivery, twice.
type modelHandle struct {
	modelReceipt
	delivery Delivery
}

// modelRun is one run of random operations.
type modelRun struct {
	t     *testing.T
	setup modelSetup
	draw  func(n int) int // a number from 0 to n-1
	world *modelWorld
	pairs []*modelPair
	disk  journal.FS
	life  *life
	kept  *Journal
	ids   map[string]bool
	sends int
	noisy int // operations with two or more noisy groups at a time
	log   []string
}

// runModel runs a setup in several rounds, each in a bubble of its own.
func runModel(t *testing.T, setup modelSetup) {
	t.Helper()
	first, rounds, noisy := rand.Uint64(), setup.rounds, 0
	if s := os.Getenv("INQ_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		first, rounds = seed, 1
	}
	if s := os.Getenv("INQ_STEPS"); s != "" {
		steps, err := strconv.Atoi(s)
		require.NoError(t, err)
		setup.steps = steps
	}
	wanting := setup.crowded && !setup.unlimited && rounds == setup.rounds
	for round := 0; !t.Failed() && (round < rounds || wanting && noisy == 0 && round < 20*rounds); round++ {
		seed := first + uint64(round)
		random := rand.New(rand.NewPCG(seed, 0))
		synctest.Test(t, func(t *testing.T) {
			left := setup.steps
			noisy += driveModel(t, setup, random.IntN, fmt.Sprintf("INQ_SEED=%d", seed), func() bool {
				left--
				return left >= 0
			})
		})
	}
	if wanting {
		require.Positive(t, noisy, "several noisy groups at a time")
	}
}

// driveModel makes the queues and draws operations as long as more says so. It must be called in a
// bubble. It returns how often several groups were noisy.
func driveModel(t *testing.T, setup modelSetup, draw func(int) int, name string, more func() bool) (noisy int) {
	r := &modelRun{t: t, setup: setup, draw: draw, world: &modelWorld{now: time.Now()}, ids: map[string]bool{}}
	defer func() {
		if t.Failed() {
			from := max(0, len(r.log)-40)
			t.Logf("%s, after %d operations, the last of which were\n%s", name, len(r.log), strings.Join(r.log[from:], "\n"))
		}
	}()
	r.makeQueues()
	for more() {
		sum := 0
		for _, o := range modelWeights {
			sum += r.weight(o.name, o.weight)
		}
		k := r.draw(sum)
		for _, o := range modelWeights {
			if k -= r.weight(o.name, o.weight); k < 0 {
				o.do(r, r.pairs[r.draw(len(r.pairs))])
				break
			}
		}
		r.compare()
	}
	for _, p := range r.pairs {
		require.NoError(t, p.engine.Close())
	}
	if r.kept != nil {
		require.NoError(t, r.kept.Close())
	}
	return r.noisy
}

func (r *modelRun) weight(name string, usual int) int {
	if w, ok := r.setup.more[name]; ok {
		return w
	}
	return usual
}

// one is true once in n draws.
func (r *modelRun) one(n int) bool { return r.draw(n) == 0 }

func modelPick[T any](r *modelRun, of ...T) T { return of[r.draw(len(of))] }

// note keeps what is being done for the log of a failure.
func (r *modelRun) note(p *modelPair, format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v %s: ", time.Now().Format("15:04:05.000000000"), p.engine.Name())+fmt.Sprintf(format, args...))
}

func (r *modelRun) makeQueues() {
	n := 1
	if r.setup.deadLetters {
		n = 3
	}
	if r.setup.journal {
		r.openJournal()
	}
	for i := range n {
		name := fmt.Sprintf("queue%d", i)
		m := &modelQueue{world: r.world, fifo: r.setup.fifo, scope: ScopeQueue, maxSize: 1024, unlimited: r.setup.unlimited,
			attempts: map[string]modelAttempt{}, lastSent: map[string]time.Time{},
			visibility: modelPick(r, 5*time.Second, 30*time.Second, time.Minute),
			delay:      modelPick(r, 0, 0, 0, 2*time.Second),
			retention:  r.setup.retention[0]}
		if r.setup.crowded {
			m.visibility = time.Hour
		}
		common := func(m *modelQueue) Option {
			o := Options(WithMaxMessageSize(m.maxSize), WithVisibilityTimeout(m.visibility), WithDelay(m.delay), WithRetention(m.retention),
				WithCapacity(m.capMessages, int64(m.capBytes)), WithReceiveWait(m.wait))
			if m.unlimited {
				o = Options(WithoutSQSLimits(), o)
			}
			if r.kept != nil {
				o = Options(o, WithJournal(r.kept))
			}
			return o
		}
		p := &modelPair{model: m}
		if m.fifo {
			m.content = r.one(2)
			m.scope = modelPick(r, ScopeQueue, ScopeMessageGroup)
			p.make = func() (Local, *queue) {
				q, err := NewFIFO(name+".fifo", common(p.model), WithContentBasedDeduplication(p.model.content), WithDeduplicationScope(p.model.scope))
				require.NoError(r.t, err)
				return q, &q.queue
			}
			p.set = func(common []Option, fifo []FIFOOption) error {
				return p.engine.(*FIFO).Configure(append(fifo, Options(common...))...)
			}
		} else {
			p.make = func() (Local, *queue) {
				q, err := NewStandard(name, common(p.model))
				require.NoError(r.t, err)
				return q, &q.queue
			}
			p.set = func(common []Option, _ []FIFOOption) error { return p.engine.(*Standard).Configure(Options(common...)) }
		}
		p.engine, p.inner = p.make()
		m.arn = p.engine.ARN()
		p.watch()
		r.pairs, r.world.queues = append(r.pairs, p), append(r.world.queues, m)
	}
	for i, p := range r.pairs[:n-1] {
		p.model.dead, p.model.maxReceives = r.pairs[i+1].model, modelPick(r, 1, 2, 3, 4)
		require.NoError(r.t, p.set([]Option{WithDeadLetter(r.target(p.model.dead), p.model.maxReceives)}, nil))
	}
}

// watch looks at the events of the engine: by a mirror, which a journal makes no difference to but for what
// it brings.
func (p *modelPair) watch() {
	if p.inner.journal == nil {
		p.mirror.watch(p.inner)
	}
}

// target returns the engine of a model.
func (r *modelRun) target(m *modelQueue) DeadLetterTarget {
	for _, p := range r.pairs {
		if p.model == m {
			return p.engine
		}
	}
	return nil
}

// compare looks at everything that can be seen without touching it. Now and then it does so before
// the timer had a chance to run: that must not make a difference.
func (r *modelRun) compare() {
	if !r.one(4) {
		synctest.Wait()
	}
	r.world.advance(time.Now())
	for _, p := range r.pairs {
		stats := p.engine.Stats()
		require.Equal(r.t, p.model.stats(), stats)
		if stats.NoisyGroups > 1 {
			r.noisy++
		}
		counts, err := p.engine.Counts(context.Background())
		require.NoError(r.t, err)
		require.Equal(r.t, stats.Counts, counts)
		if len(p.model.messages) < 40 || r.one(8) {
			r.compareMessages(p)
		}
		if p.model.fifo {
			require.Equal(r.t, append([]string{}, p.model.turns...), turnsOf(p.inner), "the turns of the groups")
		}
		checkInvariants(r.t, p.inner)
		if r.kept == nil {
			p.mirror.compare(r.t, p.inner)
		} else if r.one(3) {
			require.NoError(r.t, r.kept.log.Sync())
			compareJournal(r.t, r.disk, p.inner)
		}
	}
}

// turnsOf returns the groups that can deliver, in the order of their turns.
func turnsOf(q *queue) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	groups := []string{}
	for g := q.fifo.first; g != 0; g = q.fifo.groups.at(g).next {
		groups = append(groups, q.fifo.groups.at(g).name)
	}
	return groups
}

func (r *modelRun) compareMessages(p *modelPair) {
	got := slices.Collect(p.engine.Messages())
	require.Len(r.t, got, len(p.model.messages))
	last := ""
	for i, m := range p.model.messages {
		g := got[i]
		if p.model.fifo {
			require.Len(r.t, g.SequenceNumber, 20)
			require.Greater(r.t, g.SequenceNumber, last)
			last = g.SequenceNumber
			if m.number == "" {
				m.number = g.SequenceNumber // of a dead letter it is new, and nobody told it before
			}
		}
		want := Snapshot{ID: m.id, Body: m.sent.Body, Attributes: m.sent.Attributes, GroupID: m.sent.GroupID, DeduplicationID: m.dedup,
			SequenceNumber: m.number, TraceHeader: m.sent.TraceHeader, SenderID: modelSender(m), DeadLetterSourceARN: m.source,
			ReceiveCount: m.before + m.receives, SentAt: m.enqueued, FirstReceivedAt: m.first, VisibleAt: p.model.moment(m)}
		want.DeadLetterReason = m.reason
		if m.sent.SenderID == "" {
			want.lent = "inq"
		}
		switch m.state {
		case modelDelayed:
			want.State = "delayed"
		case modelReady:
			want.State = "visible"
		default:
			want.State = "not visible"
		}
		if want.VisibleAt.Equal(modelNever) {
			want.VisibleAt = time.Time{}
		}
		for _, at := range [][2]*time.Time{{&want.SentAt, &g.SentAt}, {&want.FirstReceivedAt, &g.FirstReceivedAt}, {&want.VisibleAt, &g.VisibleAt}} {
			require.True(r.t, at[0].Equal(*at[1]), "%s: times %v and %v\nwant %+v\ngot  %+v", m.sent.Body, *at[0], *at[1], want, g)
			*at[1] = *at[0]
		}
		require.Equal(r.t, want, g)
	}
}

func modelSender(m *modelMessage) string {
	if m.sent.SenderID != "" {
		return m.sent.SenderID
	}
	return "inq"
}

// same compares how a call ended.
func (r *modelRun) same(want, got error) {
	r.t.Helper()
	if want == nil {
		require.NoError(r.t, got)
		return
	}
	require.ErrorIs(r.t, got, want)
}

// sameBatch compares how the entries of a batch ended.
func (r *modelRun) sameBatch(want []error, got error) {
	r.t.Helper()
	var failed []int
	for i, err := range want {
		if err != nil {
			failed = append(failed, i)
		}
	}
	if failed == nil {
		require.NoError(r.t, got)
		return
	}
	var batch *BatchError
	require.True(r.t, errors.As(got, &batch), "a BatchError for %v, not %v", want, got)
	var indexes []int
	for _, f := range batch.Failed {
		indexes = append(indexes, f.Index)
		require.ErrorIs(r.t, f.Err, want[f.Index])
	}
	require.Equal(r.t, failed, indexes)
}

// context is nearly always one that has not ended; want is the error otherwise.
func (r *modelRun) context() (ctx context.Context, want error) {
	if !r.one(60) {
		return context.Background(), nil
	}
	if r.one(2) {
		return nil, ErrMissingParameter
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, context.Canceled
}

// Time.

// sleep lets time pass: to a moment at which something happens, a nanosecond before or after, or
// just anywhere.
func (r *modelRun) sleep(p *modelPair) {
	var moments []time.Time
	k := r.draw(20)
	if r.setup.crowded && !r.one(8) {
		k = max(k, 13) // not to the next timeout, which empties the place
	}
	switch {
	case k < 11:
		for _, q := range r.world.queues {
			moments = append(moments, q.nextDue())
		}
	case k < 13:
		for _, m := range p.model.messages {
			moments = append(moments, p.model.moment(m))
		}
	case k < 16:
		for _, id := range p.model.ids {
			moments = append(moments, id.at.Add(modelWindow))
		}
		for _, group := range r.groups() {
			if a, ok := p.model.attempts["attempt-"+group]; ok {
				moments = append(moments, a.at.Add(modelWindow))
			}
			if at, ok := p.model.lastSent[group]; ok {
				moments = append(moments, at.Add(modelWindow))
			}
		}
	}
	furthest := min(r.setup.retention[0], maxRetention)
	if furthest > time.Hour && !r.one(30) {
		furthest = time.Hour // expiry of everything is not all there is
	}
	moments = slices.DeleteFunc(moments, func(at time.Time) bool { return at.Sub(r.world.now) < 1 || at.Sub(r.world.now) > furthest })
	d := time.Duration(1+r.draw(5000)) * time.Millisecond
	if len(moments) > 0 {
		d = modelPick(r, moments...).Sub(r.world.now) + modelPick[time.Duration](r, 0, 0, -1, 1)
	}
	if d > 0 {
		r.note(p, "sleep %v", d)
		time.Sleep(d)
	}
}

// groups are the names of the groups in use.
func (r *modelRun) groups() (names []string) {
	for i := range r.setup.groups {
		names = append(names, string(rune('a'+i)))
	}
	return names
}

// Settings.

func (r *modelRun) purge(p *modelPair) {
	r.note(p, "purge")
	ctx, want := r.context()
	r.same(want, p.engine.Purge(ctx))
	if want == nil {
		p.model.purge()
	}
}

func (r *modelRun) configure(p *modelPair) {
	next := *p.model
	var common []Option
	var fifo []FIFOOption
	switch r.draw(8) {
	case 0:
		next.visibility = modelPick(r, Zero, time.Second, 5*time.Second, time.Minute, modelTotalVisible)
		common = append(common, WithVisibilityTimeout(next.visibility))
		next.visibility = max(next.visibility, 0)
	case 1, 2:
		next.delay = modelPick(r, Zero, 0, time.Second, 3*time.Second, 30*time.Second)
		common = append(common, WithDelay(next.delay))
		next.delay = max(next.delay, 0)
	case 3:
		next.retention = modelPick(r, r.setup.retention...)
		common = append(common, WithRetention(next.retention))
	case 4, 5:
		if r.setup.deadLetters && r.one(4) {
			next.dead, next.maxReceives = nil, 0
			common = append(common, WithDeadLetter(nil, 0))
		} else if r.setup.deadLetters {
			next.dead, next.maxReceives = modelPick(r, r.world.queues...), 1+r.draw(5)
			common = append(common, WithDeadLetter(r.target(next.dead), next.maxReceives))
		}
	case 6:
		next.capMessages, next.capBytes = modelPick(r, 0, 0, len(next.messages), len(next.messages)+3), modelPick(r, 0, 0, 400)
		common = append(common, WithCapacity(next.capMessages, int64(next.capBytes)))
	case 7:
		next.wait = modelPick(r, 0, 0, Zero, time.Second)
		common = append(common, WithReceiveWait(next.wait))
		next.wait = max(next.wait, 0)
		if next.fifo {
			next.content = r.one(2)
			// A later scope is shown but never acts (SQS: FIFO-22).
			fifo = append(fifo, WithContentBasedDeduplication(next.content), WithDeduplicationScope(modelPick(r, ScopeQueue, ScopeMessageGroup)))
		}
	}
	var want error
	if r.setup.unlimited && next.delay >= next.retention {
		want = ErrInvalidAttributeValue
	} else if r.one(6) {
		common = append(common, modelPick(r, WithVisibilityTimeout(-1), WithDelay(-1), WithRetention(-1), WithMaxMessageSize(0), WithReceiveWait(-1)))
		want = ErrInvalidAttributeValue
	} else if r.one(12) {
		common = append(common, modelPick(r, WithCapacity(-1, 0), WithCapacity(0, -1), WithSenderID("other"), WithoutSQSLimits()))
		want = ErrInvalidParameter
	}
	r.note(p, "configure visibility %v delay %v retention %v dead %t max receives %d capacity %d %d wait %v content %v, refused %v",
		next.visibility, next.delay, next.retention, next.dead != nil, next.maxReceives, next.capMessages, next.capBytes, next.wait, next.content, want)
	before := p.engine.Config()
	r.same(want, p.set(common, fifo))
	if want != nil {
		require.Equal(r.t, before, p.engine.Config())
		return
	}
	*p.model = next
}

// The tests.

var usualRetention = []time.Duration{defaultRetention, time.Hour, maxRetention}

func TestModel_Standard(t *testing.T) {
	runModel(t, modelSetup{groups: 3, retention: usualRetention, rounds: 12, steps: 200})
}

func TestModel_FIFO(t *testing.T) {
	runModel(t, modelSetup{fifo: true, groups: 4, retention: usualRetention, rounds: 12, steps: 200})
}

func TestModel_StandardWithDeadLetters(t *testing.T) {
	runModel(t, modelSetup{deadLetters: true, groups: 3, retention: usualRetention, rounds: 12, steps: 200,
		more: map[string]int{"bury": 6, "change visibility": 20}})
}

func TestModel_FIFOWithDeadLetters(t *testing.T) {
	runModel(t, modelSetup{fifo: true, deadLetters: true, groups: 4, retention: usualRetention, rounds: 12, steps: 200,
		more: map[string]int{"bury": 6, "change visibility": 20}})
}

func TestModel_FairQueues(t *testing.T) {
	runModel(t, modelSetup{crowded: true, groups: 5, retention: usualRetention, rounds: 3, steps: 250,
		more: map[string]int{"send": 10, "send batch": 30, "receive": 40, "delete": 6, "delete batch": 4, "delete all": 1, "purge": 0, "configure": 1,
			"change visibility": 6, "change visibility batch": 2, "extend all": 1, "return": 4, "sleep": 8}})
	// With batches and receives beyond SQS so much is in flight that 30 are not always a tenth of
	// it.
	runModel(t, modelSetup{crowded: true, unlimited: true, groups: 9, retention: usualRetention, rounds: 2, steps: 100,
		more: map[string]int{"send": 2, "send batch": 30, "receive": 40, "purge": 0, "configure": 0, "sleep": 5, "delete": 20}})
}

func TestModel_Retention(t *testing.T) {
	short := []time.Duration{time.Minute, 2 * time.Minute, 90 * time.Second}
	runModel(t, modelSetup{deadLetters: true, groups: 3, retention: short, rounds: 6, steps: 200, more: map[string]int{"sleep": 40}})
	runModel(t, modelSetup{fifo: true, deadLetters: true, groups: 3, retention: short, rounds: 6, steps: 200, more: map[string]int{"sleep": 40}})
}

func TestModel_Purge(t *testing.T) {
	runModel(t, modelSetup{groups: 3, retention: usualRetention, rounds: 6, steps: 200, more: map[string]int{"purge": 12}})
	runModel(t, modelSetup{fifo: true, groups: 3, retention: usualRetention, rounds: 6, steps: 200, more: map[string]int{"purge": 12}})
}

func TestModel_WithoutLimits(t *testing.T) {
	far := []time.Duration{Forever, 100 * 24 * time.Hour, 10 * time.Second}
	runModel(t, modelSetup{unlimited: true, deadLetters: true, groups: 3, retention: far, rounds: 6, steps: 200})
	runModel(t, modelSetup{unlimited: true, fifo: true, deadLetters: true, groups: 3, retention: far, rounds: 6, steps: 200})
}
